"""Call flows: what has to follow what in a timeline. `judging` judges; the other modules tell what belongs to which call."""
