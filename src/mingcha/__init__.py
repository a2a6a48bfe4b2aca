"""Mingcha 明察: audit and revenue assurance for electricity utilities."""

__version__ = "0.1.0"
