"""The rules engine: loads, checks, compiles and runs the rulebook over a snapshot."""
