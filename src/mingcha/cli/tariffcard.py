"""One tariff on a page: who it is for, every price with its source, hours, tiers, documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from mingcha.cli import console
from mingcha.cli.tariffwords import heads, listed, say

if TYPE_CHECKING:
    from mingcha.tariffbook import facts, load, model


@dataclass(frozen=True, slots=True)
class Version:
    """A dated version of hours or tiers with the document and grade it stands on."""

    entry: Any
    document: model.Document
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A tariff with all that is in force on a day, or ever while the tariff is."""

    head: dict[str, Any]
    book: model.Book
    tariff: model.Tariff
    prices: list[facts.Price]
    hours: list[Version]
    maxima: list[Version]
    ladders: list[Version]


def card(books: load.Books, code: str, day: date | None) -> Card:
    """Return the card of a tariff, of one day if one is given; raises BookError for an unknown code."""
    from mingcha.tariffbook import facts

    book, tariff = books.book_of(code), books.tariff(code)

    def versions(reference: str | None, found: Any) -> list[Version]:
        held_by, _ = facts.owner(books.books, book, reference or "")
        entries = found.entries if found is not None else ()
        return [
            Version(entry, document, entry.evidence or document.evidence)
            for entry in entries
            if held_by and (entry.holds(day) if day is not None else facts.clip(entry, tariff))
            for document in [held_by.document(entry.document)]
        ]

    def programme(reference: str | None) -> list[Version]:
        return versions(reference, facts.programme(books.books, book, reference or ""))

    return Card(
        head=head_record(books, book, tariff),
        book=book,
        tariff=tariff,
        prices=[price for price in books.prices(code) if day is None or price.holds(day)],
        hours=programme(tariff.programme),
        maxima=[one for name in tariff.demand_programmes for one in programme(name)],
        ladders=versions(tariff.tiers, facts.ladder(books.books, book, tariff.tiers or "")),
    )


def head_record(books: load.Books, book: model.Book, tariff: model.Tariff) -> dict[str, Any]:
    """Return what a tariff is, without its prices; `evidence` is the weakest grade among those."""
    from mingcha.tariffbook import model as models

    grades = {price.evidence for price in books.prices(tariff.code)}
    weakest = max(grades, key=models.EVIDENCE.index, default=None)
    low, high = tariff.voltage_kv
    return {
        "code": tariff.code,
        "book": book.book,
        "title": {"zh": tariff.title.zh, "en": tariff.title.en},
        "usage_categories": list(tariff.usage_categories),
        "voltage_kv": [low, high],
        "parts": tariff.parts,
        "time_of_use": tariff.programme is not None,
        "tiered": tariff.tiers is not None,
        "price_basis": tariff.price_basis,
        "in_force_from": tariff.in_force_from,
        "in_force_to": tariff.in_force_to,
        "known_as": list(tariff.known_as),
        "fictional": book.fictional,
        "evidence": weakest,
        "provisional": weakest in models.PROVISIONAL,
    }


def record(shown: Card) -> dict[str, Any]:
    """Return the card as plain values."""
    return {
        **shown.head,
        "power_factor_base": shown.tariff.power_factor_base,
        "entitlement": shown.tariff.entitlement,
        "prices": [_price_record(price) for price in shown.prices],
        "programme": [_hours_record(version) for version in shown.hours],
        "demand_programmes": [_hours_record(version) for version in shown.maxima],
        "tiers": [
            {**version.entry.model_dump(mode="python"), **_cited(version)} for version in shown.ladders
        ],
    }


def _cited(version: Version) -> dict[str, Any]:
    from mingcha.tariffbook import model

    return {
        "in_force_from": version.entry.in_force_from,
        "in_force_to": version.entry.in_force_to,
        "document": version.document.number,
        "clause": version.entry.clause,
        "evidence": version.evidence,
        "provisional": version.evidence in model.PROVISIONAL,
    }


def _price_record(price: facts.Price) -> dict[str, Any]:
    return {
        "component": price.component,
        "item": price.item,
        "period": price.period,
        "tier": price.tier,
        "price": price.price,
        "unit": price.unit,
        "in_force_from": price.in_force_from,
        "in_force_to": price.in_force_to,
        "known_on": price.known_on,
        "document": price.document.number,
        "clause": price.clause,
        "evidence": price.evidence,
        "provisional": price.provisional,
    }


def _hours_record(version: Version) -> dict[str, Any]:
    entry = version.entry
    return {
        **_cited(version),
        "ratios": entry.ratios,
        "seasons": [
            {
                "months": list(season.months),
                "days": season.days,
                "hours": [
                    {"period": period, "from": _clock(start), "to": _clock(end)}
                    for period, start, end in entry.spans(season)
                ],
            }
            for season in entry.seasons
        ],
    }


def tell(shown: Card, language: str) -> None:
    """Write the card for people."""
    _tell_head(shown, language)
    _tell_prices(shown.prices, language)
    for word, versions in (("programme", shown.hours), ("maxima", shown.maxima)):
        for version in versions:
            _tell_hours(word, version, language)
    for version in shown.ladders:
        _tell_tiers(version, language)
    _tell_documents(shown, language)


def _tell_head(shown: Card, language: str) -> None:
    book, tariff = shown.book, shown.tariff
    base = tariff.power_factor_base
    lines = [
        (tariff.code, tariff.title.of(language) + fictional(shown.head, language)),
        (say("book", language), f"{book.book} {book.title.of(language)}"),
        (say("usage_category", language), listed(tariff.usage_categories, language)),
        (say("voltage", language), voltage(tariff.voltage_kv)),
        (say("parts", language), listed((tariff.parts, tariff.price_basis), language)),
        (say("validity", language), _span(tariff, language)),
        (say("pf_base", language), listed(("not_assessed",) if base is None else base, language)),
    ]
    if tariff.entitlement is not None:
        lines.append((say("entitlement", language), say(tariff.entitlement, language)))
    if tariff.known_as:
        lines.append((say("known_as", language), ", ".join(tariff.known_as)))
    wide = max(console.width(head) for head, _ in lines)
    for head, text in lines:
        console.out(head + " " * (wide - console.width(head)) + "  " + text)


def _span(dated: Any, language: str) -> str:
    return f"{dated.in_force_from} – {dated.in_force_to or say('open', language)}"


def _tell_prices(prices: Sequence[facts.Price], language: str) -> None:
    words = ("component", "period", "step", "price", "unit", "from", "to", "grade", "document", "clause")
    rows = [
        [
            f"{say(price.component, language)} {price.item}".rstrip(),
            say(price.period, language),
            str(price.tier or ""),
            f"{price.price:f}",
            price.unit,
            str(price.in_force_from),
            str(price.in_force_to or say("open", language)),
            grade(price.evidence, language),
            price.document.number,
            price.clause,
        ]
        for price in prices
    ]
    console.out(f"\n{say('prices', language)}")
    console.out(console.table(heads(words, language), rows, right=[2, 3]))


def _source(word: str, version: Version, language: str) -> str:
    """Return the line above hours or tiers: since when, how well known, from which document."""
    cited = (grade(version.evidence, language), version.document.number, version.entry.clause)
    return f"\n{word} {_span(version.entry, language)}  {'  '.join(text for text in cited if text)}"


def _tell_hours(word: str, version: Version, language: str) -> None:
    rows = []
    for season in version.entry.seasons:
        spans: dict[str, list[str]] = {}
        for period, start, end in version.entry.spans(season):
            spans.setdefault(period, []).append(f"{_clock(start)}–{_clock(end)}")
        for period, hours in spans.items():
            which = [_months(season.months), say(season.days, language), say(period, language)]
            rows.append([*which, ", ".join(hours)])
    console.out(_source(say(word, language), version, language))
    console.out(console.table(heads(("months", "days", "period", "hours"), language), rows))


def _tell_tiers(version: Version, language: str) -> None:
    entry = version.entry
    rows = [
        [
            _months(limit.months),
            say(limit.period, language),
            str(tier),
            f"{upto:f}" if upto is not None else "",
        ]
        for limit in entry.limits
        for tier, upto in enumerate((*limit.upto, None), start=1)
    ]
    console.out(_source(f"{say('ladder', language)} {say(entry.basis, language)}", version, language))
    console.out(console.table(heads(("months", "period", "step", "upto"), language), rows, right=[2, 3]))
    if entry.household is not None:
        more, per = entry.household, say(entry.household.per, language)
        console.out(f"{say('household', language)} ≥ {more.members}: +{more.add_kwh:f} kWh/{per}")


def _tell_documents(shown: Card, language: str) -> None:
    cited = [price.document for price in shown.prices]
    cited += [version.document for version in (*shown.hours, *shown.maxima, *shown.ladders)]
    console.out(f"\n{say('documents', language)}")
    for document in {document.number: document for document in cited}.values():
        checked = document.still_valid_on or say("never", language)
        console.out(
            f"{document.number}  {document.title.of(language)}  "
            f"{grade(document.evidence, language)}  {say('checked', language)} {checked}"
        )


def fictional(record: dict[str, Any], language: str) -> str:
    """Return the mark of a made-up book, nothing for a real one."""
    return f" [{say('fictional', language)}]" if record["fictional"] else ""


def voltage(span: Sequence[Any]) -> str:
    """Return the voltages a tariff is for, in kV."""
    low, high = span
    return f"{low}–{high}" if high is not None else f"≥ {low}"


def grade(evidence: str, language: str) -> str:
    """Return a grade of evidence, a provisional one marked."""
    from mingcha.tariffbook import model

    marked = evidence in model.PROVISIONAL
    return f"{evidence} {say('provisional', language)}" if marked else evidence


def _months(months: Sequence[int]) -> str:
    """Return months as runs: 1–6, 9–12."""
    runs: list[list[int]] = []
    for month in sorted(months):
        if runs and runs[-1][-1] == month - 1:
            runs[-1].append(month)
        else:
            runs.append([month])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _clock(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02d}"
