"""A fresh bench for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.rating.bench import Bench


@pytest.fixture
def bench() -> Iterator[Bench]:
    """An empty utility with tariff T at 0.5 CNY/kWh, for March 2026."""
    made = Bench()
    made.tariff()
    yield made
    made.con.close()
