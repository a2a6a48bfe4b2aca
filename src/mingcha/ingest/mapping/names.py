"""Names as utilities write them, matched with names and titles of the contract."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from mingcha.contract import model

#: What stands behind a table's name when it comes in several files: bill_2026-01, 电费账单(2), reading.part3.
_PART = re.compile(r"[\s_.\-]*(\d[\d\s_.\-]*|\(\d+\)|part[\s_.\-]*\d+)$")
#: A unit or remark behind a title: 电量(kWh), 金额[元].
_REMARK = re.compile(r"\s*(\([^()]*\)|\[[^\[\]]*\])$")


def normal(name: str) -> str:
    """Return a name without differences of width, case and space.

    >>> normal(" 电量（ＫＷＨ） ")
    '电量(kwh)'
    """
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", name)).strip().lower()


def table_for(names: Iterable[str], *, contract: model.Contract) -> model.Table | None:
    """Return the table that one of the names bears, also with a number of a part behind it."""
    known = {normal(table.name): table for table in contract.tables.values()}
    for table in contract.tables.values():
        for title in (table.title.zh, table.title.en):
            known.setdefault(normal(title), table)
    for name in map(normal, names):
        found = known.get(name) or known.get(_PART.sub("", name))
        if found is not None:
            return found
    return None


def columns_for(headers: Iterable[str], *, table: model.Table) -> dict[str, str]:
    """Return column of the contract: header, for the headers that bear its name or one of its titles.

    The name comes before the titles, a whole header before one whose unit is left off; of two headers
    for one column the first counts.
    """
    spoken = {normal(header): header for header in reversed(list(headers))}
    for header in list(spoken.values()):
        spoken.setdefault(_REMARK.sub("", normal(header)), header)
    found: dict[str, str] = {}
    for column in table.columns:
        bearing = [spoken.get(normal(name)) for name in (column.name, column.zh, column.en)]
        named = next((header for header in bearing if header is not None), None)
        if named is not None:
            found[column.name] = named
    return found
