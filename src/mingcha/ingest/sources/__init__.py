"""Readers: whatever a utility hands over, staged as Parquet with the file and line of every row."""
