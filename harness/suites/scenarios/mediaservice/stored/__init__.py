"""Prompt files, and recordings, which become prompt files."""
