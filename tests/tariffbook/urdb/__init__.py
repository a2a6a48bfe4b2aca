"""Rates of the American database as tariff books."""
