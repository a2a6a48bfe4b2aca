"""Whose `needs` may be believed without parsing the query again: those proven equal when the book was locked.

Parsing and resolving a query takes tens of milliseconds; a run over a whole book would spend seconds on
what the lint has already proven. A sheet or query edited since then is parsed again.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mingcha.kernel import ids

if TYPE_CHECKING:
    from mingcha.rules.book import Book, Relation, Rule

FILE = "lock.json"
KEY = "needs"


def rule_digest(rule: Rule) -> str:
    """Return the digest of what a rule's `needs` follow from, and of the `needs` themselves."""
    sheet = rule.sheet
    population = sheet.population.model_dump(mode="json")
    return ids.digest([rule.sql, population, sheet.needs, sorted(sheet.parameters)])


def relation_digest(relation: Relation) -> str:
    """Return the digest of what a relation's `needs` follow from, and of the `needs` themselves."""
    sheet = relation.sheet
    return ids.digest([relation.sql, sheet.needs, relation.columns, sorted(sheet.parameters)])


def proven(book: Book) -> frozenset[str]:
    """Return the digests the book's lock vouches for; none where there is no readable lock."""
    path = book.root / FILE
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        return frozenset(held[KEY].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return frozenset()
