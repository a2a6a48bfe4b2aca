"""What the data means: one YAML file per table, and everything that follows from it."""
