"""How alike two names are: ours, their titles, and what others call the same thing."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from mingcha.contract import load, model
from mingcha.kernel import strict_yaml

#: A likeness below this is chance: the names share a few letters.
LIKE = 0.72


@cache
def _synonyms() -> Mapping[str, Mapping[str, list[str]]]:
    path = Path(__file__).with_name("synonyms.yaml")
    loaded: Mapping[str, Mapping[str, list[str]]] = strict_yaml.load(
        path.read_text(encoding="utf-8"), source=path.name
    )
    return loaded


def plain(name: str) -> str:
    """Return a name without case, blanks, hyphens and underscores.

    >>> plain("Cons_No ")
    'consno'
    """
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def tables() -> tuple[model.Table, ...]:
    """Return the tables of the contract."""
    return tuple(load.contract().tables.values())


def table_names(table: model.Table) -> list[str]:
    """Return all names a table is known by, in plain form."""
    words = [table.name, table.title.zh, table.title.en, *_synonyms()["tables"].get(table.name, [])]
    return [plain(word) for word in words]


def column_names(column: model.Column) -> list[str]:
    """Return all names a column is known by, in plain form: a title counts up to its first bracket."""
    words = [column.name, column.zh, column.en, *_synonyms()["columns"].get(column.name, [])]
    return [plain(word.split("（")[0].split("(")[0]) for word in words]


def likeness(name: str, known: list[str]) -> float:
    """Return how alike a name is to the nearest known one, 0 to 1; below `LIKE` counts as 0."""
    ours = plain(name)
    if not ours:
        return 0.0
    if ours in known:
        return 1.0
    ratios = [difflib.SequenceMatcher(None, ours, other).ratio() for other in known]
    best = max(ratios, default=0.0)
    return best if best >= LIKE else 0.0
