"""The rules engine, proven on a miniature rulebook of its own."""
