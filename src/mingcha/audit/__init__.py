"""Use cases that put engines together: take in, screen, cover, report."""
