"""Recovery: what is owed or refunded by law, as worksheets that show their working."""
