"""Faults planted into the honest utility, and innocents that look like them; one module per area."""
