"""What makes a run safe to point at a live platform: what it may dial, what it made, and how that is taken away."""
