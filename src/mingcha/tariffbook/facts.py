"""What a book says, ready to be used: a value with the document, clause, days and grade it stands on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from mingcha.kernel import errors
from mingcha.tariffbook import model

#: Books by name, to follow references between them.
Shelf = Mapping[str, model.Book]


@dataclass(frozen=True, slots=True)
class Fact:
    """One dated value of a parameter and where it comes from."""

    book: str
    name: str
    value: str
    unit: str
    document: model.Document
    clause: str
    evidence: str
    in_force_from: date
    in_force_to: date | None

    @property
    def number(self) -> Decimal:
        """Return the value as a number; raises BookError when it is a word."""
        if (found := as_number(self.value)) is None:
            raise errors.BookError(
                f"{self.book}: the parameter {self.name} is {self.value!r}, which is not a number",
                why="a calculation needs a number here",
                mend="write the value in digits, in quotes, in the tariff book",
            )
        return found

    @property
    def provisional(self) -> bool:
        """Return whether the value is still to be verified against its document."""
        return self.evidence in model.PROVISIONAL


@dataclass(frozen=True, slots=True)
class Price:
    """One dated price of a tariff and where it comes from; without periods `all`, without tiers tier 0."""

    tariff_code: str
    component: str
    item: str
    period: str
    tier: int
    price: Decimal
    unit: str
    document: model.Document
    clause: str
    evidence: str
    in_force_from: date
    in_force_to: date | None

    @property
    def known_on(self) -> date:
        """Return the first day on which anybody could know the price."""
        return self.document.known_on

    @property
    def provisional(self) -> bool:
        """Return whether the price is still to be verified against its document."""
        return self.evidence in model.PROVISIONAL

    def holds(self, day: date) -> bool:
        """Return whether the price is in force on `day`."""
        return self.in_force_from <= day and (self.in_force_to is None or day < self.in_force_to)


@dataclass(frozen=True, slots=True)
class DatedValue:
    """One dated price of a component as written, with what it cites."""

    in_force_from: date
    in_force_to: date | None
    value: model.Value
    cited: model.Cited


@dataclass(frozen=True, slots=True)
class Component:
    """A component of a tariff after its table has been looked up in the book that holds it."""

    book: model.Book

    component: str
    item: str
    unit: str
    values: tuple[DatedValue, ...]


def as_number(text: str) -> Decimal | None:
    """Return a quoted text as Decimal, None for a word."""
    return Decimal(text) if model.NUMBER.match(text) else None


def owner(shelf: Shelf, book: model.Book, reference: str) -> tuple[model.Book | None, str]:
    """Return the book a reference of `book` leads to (None when there is none) and the id in it."""
    name, slash, rest = reference.rpartition("/")
    return (shelf.get(name) if slash else book), rest


def table(shelf: Shelf, book: model.Book, reference: str) -> tuple[model.Book, model.PriceTable] | None:
    """Return the price table a reference leads to and its book; None when there is none."""
    held_by, name = owner(shelf, book, reference)
    if held_by is None:
        return None
    return next(((held_by, one) for one in held_by.prices if one.id == name), None)


def programme(shelf: Shelf, book: model.Book, reference: str) -> model.Programme | None:
    """Return the programme a reference leads to; None when there is none."""
    held_by, name = owner(shelf, book, reference)
    return next((one for one in held_by.programmes if one.id == name), None) if held_by else None


def ladder(shelf: Shelf, book: model.Book, reference: str) -> model.Tiers | None:
    """Return the tiers a reference leads to; None when there are none."""
    held_by, name = owner(shelf, book, reference)
    return next((one for one in held_by.tiers if one.id == name), None) if held_by else None


def component(shelf: Shelf, book: model.Book, part: model.Part) -> Component | None:
    """Return the component a part stands for; None when there is no such table or key."""
    if part.price is None:
        assert part.component is not None
        assert part.unit is not None
        own = tuple(DatedValue(e.in_force_from, e.in_force_to, e.values, e) for e in part.entries)
        return Component(book, part.component, part.item, part.unit, own)
    found = table(shelf, book, part.price)
    if found is None or part.key is None:
        return None
    held_by, prices_of = found
    values = tuple(
        DatedValue(entry.in_force_from, entry.in_force_to, entry.values[part.key], entry)
        for entry in prices_of.entries
        if part.key in entry.values
    )
    if not values:
        return None
    return Component(held_by, prices_of.component, prices_of.item, prices_of.unit, values)


def clip(one: DatedValue | model.Dated, other: model.Dated) -> tuple[date, date | None] | None:
    """Return the days two dated things share as (from, to), None when they share none."""
    start = max(one.in_force_from, other.in_force_from)
    ends = [end for end in (one.in_force_to, other.in_force_to) if end is not None]
    end = min(ends) if ends else None
    return None if end is not None and end <= start else (start, end)


def prices(shelf: Shelf, book: model.Book, tariff: model.Tariff) -> list[Price]:
    """Return every dated price of a tariff, cut to the days the tariff is in force."""
    found = []
    for part in tariff.components:
        resolved = component(shelf, book, part)
        for dated in resolved.values if resolved else ():
            days = clip(dated, tariff)
            if resolved is None or days is None:
                continue
            document = resolved.book.document(dated.cited.document)
            found += [
                Price(
                    tariff_code=tariff.code,
                    component=resolved.component,
                    item=resolved.item,
                    period=period,
                    tier=tier,
                    price=price,
                    unit=resolved.unit,
                    document=document,
                    clause=dated.cited.clause,
                    evidence=dated.cited.evidence or document.evidence,
                    in_force_from=days[0],
                    in_force_to=days[1],
                )
                for period, tier, price in dated.value.cells()
            ]
    return found
