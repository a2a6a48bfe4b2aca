"""The report of a run: one HTML file that opens by itself, without network and without script."""
