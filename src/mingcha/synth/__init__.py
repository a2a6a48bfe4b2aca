"""The small honest utility: coherent books with planted faults and named innocents."""
