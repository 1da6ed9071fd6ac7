"""A user's first minutes: a target file filled in (`init`), and what a run will need tried out (`doctor`)."""
