"""Calls for devices of an application, and those that operations place."""
