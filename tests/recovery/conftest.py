"""Worksheets made over the shipped books, without a clock."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from mingcha.recovery import catalogue
from mingcha.recovery.model import Worksheet
from mingcha.tariffbook import load

Work = Callable[..., Worksheet]


@pytest.fixture(scope="session")
def work() -> Work:
    books = load.shipped()

    def make(kind: str, **values: Any) -> Worksheet:
        """`start` and `end` stand for the keys from and to; numbers may be given as text."""
        keys = {"start": "from", "end": "to"}
        return catalogue.work(kind, {keys.get(key, key): value for key, value in values.items()}, books=books)

    return make


def results(sheet: Worksheet, name: str) -> list[Decimal | None]:
    """Return the results of the steps whose English name begins with `name`."""
    steps = [*sheet.steps, *(step for part in sheet.parts for step in part.steps)]
    return [step.result for step in steps if step.name.en.startswith(name)]
