"""Ringtrue: contract tests and conformance for voice platforms."""

__version__ = "0.1.0"
