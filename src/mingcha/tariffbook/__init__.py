"""The tariff book: dated prices, programmes, tiers and parameters as data, each with document and grade."""
