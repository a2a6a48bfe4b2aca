"""Whether the parts of a tariff fit each other: tables, units, hours, tiers, and no day without a price."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mingcha.tariffbook import facts, model

Found = Iterator[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class _Frame:
    """A tariff with what it refers to; programme and ladder are None when not named or not found."""

    place: str
    shelf: facts.Shelf
    book: model.Book
    tariff: model.Tariff
    programme: model.Programme | None
    demand: tuple[model.Programme, ...]
    ladder: model.Tiers | None


def units(book: model.Book) -> Found:
    """Yield (place, what, mend) for every unit that does not fit its component and the book's currency."""
    for table in book.prices:
        yield from _unit(f"prices {table.id}", table.component, table.unit, book.currency)
    for tariff in book.tariffs:
        for part in tariff.components:
            if part.component is not None and part.unit is not None:
                place = f"tariffs {tariff.code} / {part.component}"
                yield from _unit(place, part.component, part.unit, book.currency)


def mistakes(shelf: facts.Shelf, book: model.Book) -> Found:
    """Yield (place, what, mend) for every tariff whose parts do not fit each other."""
    for tariff in book.tariffs:
        yield from _tariff(shelf, book, tariff)


def _unit(place: str, component: str, unit: str, currency: str) -> Found:
    allowed = [f"{currency}/{measure}" for measure in model.MEASURES[component]]
    if unit not in allowed:
        mend = f"write {' or '.join(allowed)}"
        yield place, f"{unit} is not a unit of {component} in this book", mend


def _tariff(shelf: facts.Shelf, book: model.Book, tariff: model.Tariff) -> Found:
    frame = _Frame(
        place=f"tariffs {tariff.code}",
        shelf=shelf,
        book=book,
        tariff=tariff,
        programme=facts.programme(shelf, book, tariff.programme) if tariff.programme else None,
        demand=tuple(
            found
            for name in tariff.demand_programmes
            if (found := facts.programme(shelf, book, name)) is not None
        ),
        ladder=facts.ladder(shelf, book, tariff.tiers) if tariff.tiers else None,
    )
    low, high = tariff.voltage_kv
    if high is not None and high <= low:
        yield (
            f"{frame.place} / voltage_kv",
            f"{high} does not lie above {low}",
            "give from, and to above it or null",
        )
    if tariff.programme is not None and frame.programme is None:
        yield f"{frame.place} / programme", f"there is no programme {tariff.programme}", "correct its id"
    for name in tariff.demand_programmes:
        if facts.programme(shelf, book, name) is None:
            yield f"{frame.place} / demand_programmes", f"there is no programme {name}", "correct its id"
    if tariff.tiers is not None and frame.ladder is None:
        yield f"{frame.place} / tiers", f"there are no tiers {tariff.tiers}", "correct the id"
    if frame.programme is not None:
        yield from _holes(f"{frame.place} / programme", frame.programme.entries, tariff)
    for programme in frame.demand:
        yield from _holes(f"{frame.place} / demand_programmes {programme.id}", programme.entries, tariff)
    if frame.ladder is not None:
        yield from _holes(f"{frame.place} / tiers", frame.ladder.entries, tariff)
    yield from _components(frame)


def _components(frame: _Frame) -> Found:
    seen: set[tuple[str, str]] = set()
    tiered = False
    for part in frame.tariff.components:
        place = f"{frame.place} / {part.price or part.component}"
        found = facts.component(frame.shelf, frame.book, part)
        if found is None:
            yield from _not_found(frame, part, place)
            continue
        if found.book.currency != frame.book.currency:
            what = f"{found.book.book} is in {found.book.currency}, this book in {frame.book.currency}"
            yield place, what, "refer to prices of one currency"
        name = f"{found.component} {found.item}".rstrip()
        if (found.component, found.item) in seen:
            yield place, f"{name} is priced twice", "remove one, or tell them apart with item:"
        seen.add((found.component, found.item))
        tiered |= any(dated.value.tiered for dated in found.values)
        yield from _holes(f"{place} {part.key or ''}".rstrip(), found.values, frame.tariff)
        if found.component == "basic_demand" and frame.tariff.demand_programmes:
            yield from _demand_periods(frame, place, found)
        else:
            yield from _hours(frame, place, found)
        yield from _tiers(frame, place, found)
    if frame.ladder is not None and not tiered:
        mend = "give energy a price per tier, add a component tier, or remove tiers:"
        yield f"{frame.place} / tiers", "no component has prices per tier", mend


def _not_found(frame: _Frame, part: model.Part, place: str) -> Found:
    if part.price is not None and facts.table(frame.shelf, frame.book, part.price) is not None:
        yield place, f"the table has no key {part.key}", "correct the key, or add it to the table"
    else:
        yield place, f"there is no price table {part.price}", "correct its id (book/id in another book)"


def _holes(place: str, entries: Sequence[facts.DatedValue | model.Dated], tariff: model.Tariff) -> Found:
    """Yield the first hole that dated entries leave in the days a tariff is in force."""
    reached = tariff.in_force_from
    for entry in sorted(entries, key=lambda one: one.in_force_from):
        if entry.in_force_from > reached:
            break
        if entry.in_force_to is None:
            return
        reached = max(reached, entry.in_force_to)
    if tariff.in_force_to is None or reached < tariff.in_force_to:
        yield (
            place,
            f"nothing is in force on {reached}, when the tariff is "
            f"(from {tariff.in_force_from} to {tariff.in_force_to or 'open'})",
            "add what was in force then, or correct the days of the tariff",
        )


def _hours(frame: _Frame, place: str, found: facts.Component) -> Found:
    programme = frame.programme
    known = frozenset[str]().union(*(entry.periods for entry in programme.entries)) if programme else None
    for dated in found.values:
        periods = set(dated.value.periods)
        if periods == {model.ALL} or facts.clip(dated, frame.tariff) is None:
            continue
        where = f"{place} / {dated.in_force_from}"
        if known is None or programme is None:
            if frame.tariff.programme is None:
                said = ", ".join(sorted(periods))
                yield where, f"prices by period ({said}) without a programme", "name it with programme:"
            continue
        for period in sorted(periods - known):
            mend = "correct the period, or give its hours"
            yield where, f"the period {period} is not in the programme {programme.id}", mend
        for entry in programme.entries:
            if facts.clip(entry, frame.tariff) and facts.clip(dated, entry):
                for period in sorted(entry.periods - periods):
                    what = f"no price for {period}, a period of {programme.id} from {entry.in_force_from}"
                    yield where, what, "add its price"


def _demand_periods(frame: _Frame, place: str, found: facts.Component) -> Found:
    """Yield periods without hours; a period without a price is one whose demand costs nothing."""
    known = {period for programme in frame.demand for entry in programme.entries for period in entry.periods}
    for dated in found.values:
        for period in sorted(set(dated.value.periods) - known - {model.ALL}):
            what = f"the period {period} is in no programme of demand"
            yield f"{place} / {dated.in_force_from}", what, "correct the period, or give its hours"


def _tiers(frame: _Frame, place: str, found: facts.Component) -> Found:
    for dated in found.values:
        where = f"{place} / {dated.in_force_from}"
        if facts.clip(dated, frame.tariff) is None:
            continue
        if not dated.value.tiered:
            if found.component == "tier":
                yield where, "tier needs one price per tier", 'write a list: ["0", "0.05", "0.30"]'
            continue
        if model.MEASURES[found.component] != ("kWh",):
            yield where, f"{found.component} cannot have tiers", "give one price, or one per period"
        elif frame.tariff.tiers is None:
            yield where, "prices per tier without tiers", "name the ladder with tiers:"
        for entry in frame.ladder.entries if frame.ladder else ():
            together = facts.clip(entry, frame.tariff) and facts.clip(dated, entry)
            if together and entry.tiers != dated.value.tiers:
                what = f"{dated.value.tiers} prices for {entry.tiers} tiers from {entry.in_force_from}"
                yield where, what, "give one price per tier, one more than there are limits"
