"""What CI systems show of a run: a summary, annotations, SARIF. All of it is safe whatever a target sent."""
