"""Where rows live: the only reader and writer of the lake, and SQL between dialects."""
