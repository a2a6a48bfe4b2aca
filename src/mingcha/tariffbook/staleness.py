"""Which facts nobody has checked for long, and which have run out without anything after them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, TypeVar

from mingcha.tariffbook import model
from mingcha.tariffbook.load import Books

Reason = Literal["unchecked", "ended"]
_Entry = TypeVar("_Entry", bound=model.Dated)


@dataclass(frozen=True, slots=True, order=True)
class Stale:
    """One thing to look after: a document last checked on `day`, or an entry in force only until `day`."""

    book: str
    reason: Reason
    name: str
    document: str
    day: date | None
    facts: int


def stale(books: Books, *, on: date, days: int) -> list[Stale]:
    """Return documents in use that were not checked in the `days` before `on`, and entries that have ended.

    A document that was never checked counts as unchecked. Made-up books are passed over.
    """
    found = []
    for book in books:
        if not book.fictional:
            found += [*_unchecked(book, on, on - timedelta(days=days)), *_ended(book, on)]
    return sorted(found, key=lambda one: (one.book, one.reason, one.name))


def _unchecked(book: model.Book, on: date, since: date) -> Iterator[Stale]:
    citing: dict[str, int] = {}
    for dated, cited in _citations(book):
        if dated is None or dated.in_force_to is None or dated.in_force_to > on:
            citing[cited] = citing.get(cited, 0) + 1
    for document in book.documents:
        checked = document.still_valid_on
        if document.id in citing and (checked is None or checked < since):
            yield Stale(book.book, "unchecked", document.id, document.number, checked, citing[document.id])


def _citations(book: model.Book) -> Iterator[tuple[model.Cited | None, str]]:
    """Yield every fact of a book with the document it cites; a fact without days is always in force."""
    groups: list[Iterable[model.Cited]] = [
        *(parameter.entries for parameter in book.parameters),
        *(table.entries for table in book.prices),
        *(programme.entries for programme in book.programmes),
        *(ladder.entries for ladder in book.tiers),
        *(part.entries for tariff in book.tariffs for part in tariff.components),
    ]
    for entries in groups:
        for entry in entries:
            yield entry, entry.document
    for table in (book.power_factor, book.transformers):
        if table is not None:
            yield None, table.document


def _ended(book: model.Book, on: date) -> Iterator[Stale]:
    for parameter in book.parameters:
        last = _last(parameter.entries)
        if last.in_force_to is not None and last.in_force_to <= on:
            number = book.document(last.document).number
            yield Stale(book.book, "ended", f"parameters {parameter.name}", number, last.in_force_to, 1)
    for tariff in book.tariffs:
        end = tariff.in_force_to
        if end is not None and end <= on and not _followed(book, tariff, end):
            yield Stale(book.book, "ended", f"tariffs {tariff.code}", "", end, 1)
    if book.power_factor is not None:
        end = _last(book.power_factor.entries).in_force_to
        if end is not None and end <= on:
            yield Stale(book.book, "ended", "power_factor", "", end, 1)


def _followed(book: model.Book, tariff: model.Tariff, end: date) -> bool:
    """Return whether another tariff of the book takes over a name of this one on its last day or later."""
    return any(
        set(other.known_as) & set(tariff.known_as) and other.in_force_from >= end for other in book.tariffs
    )


def _last(entries: Sequence[_Entry]) -> _Entry:
    return max(entries, key=lambda entry: entry.in_force_from)
