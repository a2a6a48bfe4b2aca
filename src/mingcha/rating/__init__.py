"""Rating: a bill stated as named relational steps over contract tables and the tariff book."""
