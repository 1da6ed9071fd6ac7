"""What a pipeline needs beyond a verdict: waivers, comparison with a previous run, limits, shards and their merging.

The policy itself stands in `harness.verdicts`; here are the files that feed it.
"""


class GateError(Exception):
    """Something that the user gave to the gate cannot be used; the message says what, where, and what to do."""
