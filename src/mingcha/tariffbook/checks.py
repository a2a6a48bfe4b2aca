"""What a book must get right beyond its shape: citations, dates without holes, full days, rising tiers."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from mingcha.tariffbook import facts, fitting, model
from mingcha.tariffbook.mistakes import Mistake

_STANDARD = re.compile(r"^0\.\d\d$")
_FACTORS = tuple(Decimal(p) / 100 for p in range(101))
Found = Iterator[tuple[str, str, str]]


def book_mistakes(book: model.Book, *, file: str) -> list[Mistake]:
    """Return the mistakes inside one book, each with its place in `file`."""
    found = [
        *_twice(book),
        *_uncited(book),
        *_dates(book),
        *_programmes(book),
        *_ladders(book),
        *_power_factor(book),
        *_transformers(book),
        *_known_as(book),
        *fitting.units(book),
    ]
    return [Mistake(file, place, what, mend) for place, what, mend in found]


def fitting_mistakes(book: model.Book, *, file: str, shelf: facts.Shelf) -> list[Mistake]:
    """Return where parts of the tariffs of a sound book do not fit, references to other books followed."""
    return [Mistake(file, place, what, mend) for place, what, mend in fitting.mistakes(shelf, book)]


def shared_mistakes(books: Mapping[str, model.Book]) -> list[Mistake]:
    """Return what books, given by file, may only say once between them: names, codes, national tables."""
    found = []
    seen: dict[tuple[str, str], str] = {}
    for file, book in books.items():
        for kind, name in _shared_names(book):
            other = seen.setdefault((kind, name), file)
            if other != file:
                mend = "give it another name, or remove one of the two"
                found.append(Mistake(file, f"{kind} {name}", f"stands in {other} too", mend))
    return found


def _shared_names(book: model.Book) -> Iterator[tuple[str, str]]:
    yield "book", book.book
    for tariff in book.tariffs:
        yield "tariffs", tariff.code
    if book.power_factor is not None:
        for entry in book.power_factor.entries:
            for standard in entry.standards:
                yield "power_factor", standard
    for series, kva, *_ in book.transformers.rows if book.transformers else ():
        yield "transformers", f"{series} {kva.normalize():f}"


def _twice(book: model.Book) -> Found:
    sections: dict[str, list[str]] = {
        "documents": [one.id for one in book.documents],
        "parameters": [one.name for one in book.parameters],
        "prices": [one.id for one in book.prices],
        "programmes": [one.id for one in book.programmes],
        "tiers": [one.id for one in book.tiers],
        "tariffs": [one.code for one in book.tariffs],
    }
    for section, names in sections.items():
        for name, times in Counter(names).items():
            if times > 1:
                yield f"{section} {name}", f"stands {times} times", "give each entry a name of its own"


def _cited(book: model.Book) -> Iterator[tuple[str, model.Cited]]:
    for parameter in book.parameters:
        yield from ((f"parameters {parameter.name}", entry) for entry in parameter.entries)
    for table in book.prices:
        yield from ((f"prices {table.id}", entry) for entry in table.entries)
    for programme in book.programmes:
        yield from ((f"programmes {programme.id}", entry) for entry in programme.entries)
    for ladder in book.tiers:
        yield from ((f"tiers {ladder.id}", entry) for entry in ladder.entries)
    for tariff in book.tariffs:
        for part in tariff.components:
            yield from ((f"tariffs {tariff.code} / {part.component}", entry) for entry in part.entries)


def _uncited(book: model.Book) -> Found:
    known = {document.id for document in book.documents}
    cited = [(f"{place} / {entry.in_force_from}", entry.document) for place, entry in _cited(book)]
    cited += [("power_factor", book.power_factor.document)] if book.power_factor else []
    cited += [("transformers", book.transformers.document)] if book.transformers else []
    for place, document in cited:
        if document not in known:
            yield place, f"the document {document} is not listed", "add it under documents, or correct its id"


def _dates(book: model.Book) -> Found:
    for parameter in book.parameters:
        yield from _run(f"parameters {parameter.name}", parameter.entries)
    for table in book.prices:
        yield from _table_dates(table)
    for programme in book.programmes:
        yield from _run(f"programmes {programme.id}", programme.entries)
    for ladder in book.tiers:
        yield from _run(f"tiers {ladder.id}", ladder.entries)
    for tariff in book.tariffs:
        yield from _run(f"tariffs {tariff.code}", [tariff])
        for part in tariff.components:
            yield from _run(f"tariffs {tariff.code} / {part.component}", part.entries)
    if book.power_factor is not None:
        yield from _run("power_factor", book.power_factor.entries)


def _table_dates(table: model.PriceTable) -> Found:
    """Judge each key by itself, and tell a mistake all keys share once."""
    keys = {key: None for entry in table.entries for key in entry.values}
    told: set[tuple[str, str]] = set()
    for key in keys:
        for place, what, mend in _run(
            f"prices {table.id} / {key}", [entry for entry in table.entries if key in entry.values]
        ):
            if (what, mend) not in told:
                told.add((what, mend))
                yield place, what, mend


def _run(place: str, entries: Sequence[model.Dated]) -> Found:
    """Yield where dated entries of one thing end before they begin, overlap or leave a hole."""
    for entry in entries:
        if entry.in_force_to is not None and entry.in_force_to <= entry.in_force_from:
            yield (
                f"{place} / {entry.in_force_from}",
                f"in_force_to {entry.in_force_to} does not lie after in_force_from {entry.in_force_from}",
                "in_force_to is the first day on which it is no longer in force; correct one of the two",
            )
            return
    ordered = sorted(entries, key=lambda entry: entry.in_force_from)
    for before, after in itertools.pairwise(ordered):
        if before.in_force_to is None or before.in_force_to > after.in_force_from:
            yield (
                f"{place} / {after.in_force_from}",
                f"overlaps the entry from {before.in_force_from}, in force to {before.in_force_to or 'open'}",
                f"let the earlier one end with in_force_to: {after.in_force_from}",
            )
        elif before.in_force_to < after.in_force_from:
            yield (
                f"{place} / {after.in_force_from}",
                f"there is a gap from {before.in_force_to} to {after.in_force_from}",
                "add what was in force then, or correct the days",
            )


def _programmes(book: model.Book) -> Found:
    for programme in book.programmes:
        for entry in programme.entries:
            place = f"programmes {programme.id} / {entry.in_force_from}"
            for season in entry.seasons:
                yield from _hours(f"{place} / months {_listed(season.months)} {season.days}", entry, season)
            yield from _months(place, entry)
            for period in sorted(set(entry.ratios or ()) - entry.periods):
                yield f"{place} / ratios", f"no hour is {period}", "correct the period, or give its hours"


def _hours(place: str, entry: model.ProgrammeEntry, season: model.Season) -> Found:
    reached = 0
    for period, start, end in entry.spans(season):
        if start < reached:
            yield (
                place,
                f"the hours from {_clock(start)} to {_clock(min(reached, end))} stand twice",
                f"leave them in one period; {period} claims them a second time",
            )
        elif start > reached:
            yield place, *_missing(reached, start)
        reached = max(reached, end)
    if reached < model.FULL_DAY:
        yield place, *_missing(reached, model.FULL_DAY)


def _missing(start: int, end: int) -> tuple[str, str]:
    return (
        f"the hours from {_clock(start)} to {_clock(end)} are in no period",
        "give them a period, or name the period of all other hours with rest:",
    )


def _months(place: str, entry: model.ProgrammeEntry) -> Found:
    kinds = Counter((month, season.days) for season in entry.seasons for month in season.months)
    for (month, days), times in kinds.items():
        if times > 1:
            yield f"{place} / month {month} {days}", f"stands {times} times", "leave the month in one season"
    lacking: dict[str, list[int]] = {}
    for month in range(1, 13):
        kinds_lacking = [kind for kind in model.DAY_KINDS if (month, kind) not in kinds]
        if (month, "any") not in kinds and kinds_lacking:
            said = "any day" if len(kinds_lacking) == len(model.DAY_KINDS) else ", ".join(kinds_lacking)
            lacking.setdefault(said, []).append(month)
    for said, months in lacking.items():
        verb = f"months {_listed(months)} have" if len(months) > 1 else f"month {months[0]} has"
        yield place, f"{verb} no hours for {said}", "add them to a season"


def _ladders(book: model.Book) -> Found:
    for ladder in book.tiers:
        for entry in ladder.entries:
            place = f"tiers {ladder.id} / {entry.in_force_from}"
            for limit in entry.limits:
                steps = (Decimal(0), *limit.upto)
                if any(after <= before for before, after in itertools.pairwise(steps)):
                    ends = ", ".join(f"{step:f}" for step in limit.upto)
                    yield (
                        f"{place} / months {_listed(limit.months)}",
                        f"the limits {ends} do not rise",
                        "give upper ends above 0, each above the one before",
                    )
            yield from _ladder_months(place, entry)
        for kind in ("basis", "measure"):
            if len({getattr(entry, kind) for entry in ladder.entries}) > 1:
                mend = "write another ladder under its own id, and another tariff for it"
                yield f"tiers {ladder.id}", f"{kind} changes in time", mend


def _ladder_months(place: str, entry: model.TierEntry) -> Found:
    for period in dict.fromkeys(limit.period for limit in entry.limits):
        months = Counter(m for limit in entry.limits if limit.period == period for m in limit.months)
        wrong = [month for month in range(1, 13) if months[month] != 1]
        if wrong:
            what = f"each month must have limits once; see months {_listed(wrong)}"
            yield place, what, "correct the months of the limits"
        if entry.basis == "annual" and sum(1 for limit in entry.limits if limit.period == period) > 1:
            mend = "write one entry with all months, in kWh per year"
            yield place, "annual limits cannot differ by season", mend
    periods = {limit.period for limit in entry.limits}
    if model.ALL in periods and (len(periods) > 1):
        mend = "give every limit its period, or none"
        yield place, "some limits are for one period and some for all", mend
    if entry.measure == "total" and periods != {model.ALL}:
        yield place, "limits by period need measure: period", "write measure: period, or remove the periods"


def _power_factor(book: model.Book) -> Found:
    for entry in book.power_factor.entries if book.power_factor else ():
        for standard, rows in entry.standards.items():
            place = f"power_factor / {entry.in_force_from} / {standard}"
            if not _STANDARD.match(standard):
                yield place, "is not a standard", 'write it with two decimals, in quotes: "0.90"'
            times = Counter(factor for factor, _ in rows)
            lacking = [f"{factor:.2f}" for factor in _FACTORS if factor not in times]
            double = [f"{factor:f}" for factor, count in times.items() if count > 1]
            strange = [f"{factor:f}" for factor in times if factor not in _FACTORS]
            if lacking:
                yield place, f"no per cent for {_listed(lacking)}", "give all of 0.00, 0.01, …, 1.00"
            if double:
                yield place, f"{_listed(double)} stands more than once", "leave each power factor once"
            if strange:
                yield place, f"{_listed(strange)} is no power factor of the table", "give 0.00, 0.01, …, 1.00"


def _transformers(book: model.Book) -> Found:
    rows = book.transformers.rows if book.transformers else ()
    for (series, kva), times in Counter((series, kva) for series, kva, *_ in rows).items():
        if times > 1:
            yield f"transformers {series} {kva:f} kVA", f"stands {times} times", "leave each size once"


def _known_as(book: model.Book) -> Found:
    seen: dict[str, list[model.Tariff]] = {}
    for tariff in book.tariffs:
        for name in tariff.known_as:
            for other in seen.get(name, []):
                if facts.clip(tariff, other) is not None:
                    what = f"{name} is {other.code} at the same time"
                    yield f"tariffs {tariff.code} / known_as", what, "leave each name with one tariff"
            seen.setdefault(name, []).append(tariff)


def _listed(values: Sequence[object]) -> str:
    """Return values as a short list: the first five, and how many more."""
    shown = ", ".join(str(value) for value in values[:5])
    return shown if len(values) <= 5 else f"{shown} and {len(values) - 5} more"


def _clock(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02d}"
