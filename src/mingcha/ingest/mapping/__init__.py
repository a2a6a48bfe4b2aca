"""Mapping files: how the tables and columns of a source become those of the contract."""
