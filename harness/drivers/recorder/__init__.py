"""The recorder: an HTTP server that stands where the implementation sends its callbacks.

`Recorder` runs once per run in the controlling process; a `RecorderClient` in each worker says what to answer and gets
every callback into its scenario's timeline. Nothing here judges a callback, and nothing is ever forwarded.
"""

from harness.drivers.recorder.answers import Answer, Match
from harness.drivers.recorder.client import RecorderClient, Route
from harness.drivers.recorder.errors import RecorderError
from harness.drivers.recorder.server import Limits, Recorder

__all__ = ["Answer", "Limits", "Match", "Recorder", "RecorderClient", "RecorderError", "Route"]
