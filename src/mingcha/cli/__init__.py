"""Commands: translate between people and use cases, nothing else."""
