"""The proof that the harness can fail: runs the suites against targets that are known to be wrong, and says what it noticed.

Called by the command line (`ringtrue faults`). It starts runs and reads what they found; it judges nothing itself.
"""
