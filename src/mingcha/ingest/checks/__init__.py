"""Staged rows checked against the contract, whole columns at a time."""
