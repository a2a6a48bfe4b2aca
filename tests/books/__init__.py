"""Gates over the shipped books: one failure names rule, field and remedy."""
