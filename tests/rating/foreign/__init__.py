"""Tariffs of other countries: interval data, and an outside calculator as the judge."""
