"""Steps on callers in the IVR: the commands that it asks for, and the digits that it collects."""
