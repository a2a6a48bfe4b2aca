"""The tariff book: dated prices, programmes, tiers and parameters as data, each with its document and grade."""
