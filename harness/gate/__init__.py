"""What a pipeline needs beyond a verdict: waivers, comparison with a previous run, limits, shards and their merging.

The policy itself stands in `harness.verdicts`; here are the files that feed it.
"""
