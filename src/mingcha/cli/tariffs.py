"""`mingcha tariffs …`: the tariff book, read, shown, checked, and looked through for what is out of date."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mingcha.cli import choices, console, session, tariffs_infer
from mingcha.cli.tariffwords import heads, listed, say
from mingcha.kernel import errors

if TYPE_CHECKING:
    from mingcha.tariffbook import facts, load, model

HELP = "The tariff book 电价库: list, show, check, what is out of date."

CodeArgument = Annotated[
    str, typer.Argument(metavar="CODE", help="Tariff code, for example cn.hubei.agent.single.lt1.tou.")
]
FilesArgument = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[FILE]...", help="Books or a codes.csv; default: all shipped and the workspace's."
    ),
]
BookOption = Annotated[
    str | None,
    typer.Option("--book", metavar="NAME", help="Only this book, for example cn.hubei.", show_default=False),
]
OnOption = Annotated[
    str | None,
    typer.Option("--on", metavar="DATE", help="Only what is in force on this day.", show_default=False),
]
StaleOnOption = Annotated[
    str | None,
    typer.Option("--on", metavar="DATE", help="Judged on this day; default: today.", show_default=False),
]
DaysOption = Annotated[
    int, typer.Option("--days", metavar="N", min=0, help="A check is good for so many days.")
]


def _folder(current: session.Session) -> Path | None:
    """Return the workspace folder named or stood in; None where there is none and none was asked for."""
    from mingcha.store import workspace

    if current.folder is None and not (current.path / workspace.SETTINGS_FILE).is_file():
        return None
    return current.workspace().path


def _language(current: session.Session, asked: str | None) -> str:
    return choices.language(current, asked) if asked or _folder(current) else "zh"


def _day(option: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise errors.Refusal(
            f"{option} {text}: this is not a day",
            why="prices hold from one day to another",
            mend="write it as YYYY-MM-DD, for example 2026-08-01",
        ) from None


def list_(
    current: session.Session,
    *,
    book: BookOption = None,
    on: OnOption = None,
    lang: choices.LanguageOption = None,
) -> None:
    """List the tariffs 电价清单: code, title, to whom, since when, and the weakest grade among its prices."""
    from mingcha.audit import tariffs

    language, day = _language(current, lang), _day("--on", on)
    books = tariffs.books_of(folder=_folder(current))
    wanted = [books.book(book)] if book is not None else list(books)
    records = [
        _record(books, one, tariff)
        for one in wanted
        for tariff in one.tariffs
        if day is None or tariff.holds(day)
    ]
    if current.json:
        console.document({"tariffs": records})
        return
    rows = [_line(record, language) for record in records]
    words = (
        "code",
        "title",
        "usage_category",
        "voltage",
        "parts",
        "tou",
        "tiered",
        "basis",
        "from",
        "to",
        "grade",
    )
    console.out(console.table(heads(words, language), rows))
    console.note(f"{len(rows)} tariffs of {len(wanted)} books. One in full: mingcha tariffs show CODE")


def _record(books: load.Books, book: model.Book, tariff: model.Tariff) -> dict[str, Any]:
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


def _line(record: dict[str, Any], language: str) -> list[str]:
    return [
        record["code"],
        console.cut(record["title"][language] + _fictional(record, language), 44),
        listed(record["usage_categories"], language),
        _voltage(record["voltage_kv"]),
        say(record["parts"], language),
        say("yes" if record["time_of_use"] else "no", language),
        say("yes" if record["tiered"] else "no", language),
        say(record["price_basis"], language),
        str(record["in_force_from"]),
        str(record["in_force_to"] or say("open", language)),
        _grade(record["evidence"] or "", language),
    ]


def _fictional(record: dict[str, Any], language: str) -> str:
    return f" [{say('fictional', language)}]" if record["fictional"] else ""


def _voltage(voltage: Sequence[Any]) -> str:
    low, high = voltage
    return f"{low}–{high}" if high is not None else f"≥ {low}"


def _grade(evidence: str, language: str) -> str:
    from mingcha.tariffbook import model

    marked = evidence in model.PROVISIONAL
    return f"{evidence} {say('provisional', language)}" if marked else evidence


def show(
    current: session.Session, code: CodeArgument, *, on: OnOption = None, lang: choices.LanguageOption = None
) -> None:
    """Show a tariff 电价详情: every price with its document, clause, validity and grade, hours, tiers."""
    from mingcha.audit import tariffs
    from mingcha.tariffbook import facts

    language, day = _language(current, lang), _day("--on", on)
    books = tariffs.books_of(folder=_folder(current))
    book, tariff = books.book_of(code), books.tariff(code)
    if day is not None and not tariff.holds(day):
        raise errors.Refusal(
            f"--on {day}: {code} is in force from {tariff.in_force_from} to {tariff.in_force_to or 'open'}",
            why="a price is told for days on which it is in force",
            mend="choose a day inside, or leave --on out to see all",
        )
    prices = [price for price in books.prices(code) if day is None or price.holds(day)]
    hours = _dated(facts.programme(books.books, book, tariff.programme or ""), tariff, day)
    maxima = [
        entry
        for name in tariff.demand_programmes
        for entry in _dated(facts.programme(books.books, book, name), tariff, day)
    ]
    ladder = _dated(facts.ladder(books.books, book, tariff.tiers or ""), tariff, day)
    if current.json:
        console.document(
            {
                **_record(books, book, tariff),
                "power_factor_base": tariff.power_factor_base,
                "entitlement": tariff.entitlement,
                "prices": [_price_record(price) for price in prices],
                "programme": [_hours_record(entry) for entry in hours],
                "demand_programmes": [_hours_record(entry) for entry in maxima],
                "tiers": [entry.model_dump(mode="python") for entry in ladder],
            }
        )
        return
    _tell_head(book, tariff, _record(books, book, tariff), language)
    _tell_prices(prices, language)
    for head, entries in (("programme", hours), ("maxima", maxima)):
        for entry in entries:
            _tell_hours(head, entry, language)
    for entry in ladder:
        _tell_tiers(entry, language)
    _tell_documents(prices, language)


def _dated(found: Any, tariff: model.Tariff, day: date | None) -> list[Any]:
    """Return the versions of a programme or ladder in force on the day, else while the tariff is."""
    from mingcha.tariffbook import facts

    entries = found.entries if found is not None else ()
    return [
        entry for entry in entries if (entry.holds(day) if day is not None else facts.clip(entry, tariff))
    ]


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


def _hours_record(entry: model.ProgrammeEntry) -> dict[str, Any]:
    return {
        "in_force_from": entry.in_force_from,
        "in_force_to": entry.in_force_to,
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


def _tell_head(book: model.Book, tariff: model.Tariff, record: dict[str, Any], language: str) -> None:
    base = tariff.power_factor_base
    lines = [
        (tariff.code, tariff.title.of(language) + _fictional(record, language)),
        (say("book", language), f"{book.book} {book.title.of(language)}"),
        (say("usage_category", language), listed(tariff.usage_categories, language)),
        (say("voltage", language), _voltage(record["voltage_kv"])),
        (say("parts", language), listed((tariff.parts, tariff.price_basis), language)),
        (say("validity", language), _span(tariff, language)),
        (
            say("pf_base", language),
            listed(base, language) if base is not None else say("not_assessed", language),
        ),
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
            _grade(price.evidence, language),
            price.document.number,
            price.clause,
        ]
        for price in prices
    ]
    console.out(f"\n{say('prices', language)}")
    console.out(console.table(heads(words, language), rows, right=[2, 3]))


def _tell_hours(head: str, entry: model.ProgrammeEntry, language: str) -> None:
    rows = []
    for season in entry.seasons:
        spans: dict[str, list[str]] = {}
        for period, start, end in entry.spans(season):
            spans.setdefault(period, []).append(f"{_clock(start)}–{_clock(end)}")
        for period, hours in spans.items():
            rows.append(
                [_months(season.months), say(season.days, language), say(period, language), ", ".join(hours)]
            )
    console.out(f"\n{say(head, language)} {_span(entry, language)}")
    console.out(console.table(heads(("months", "days", "period", "hours"), language), rows))


def _tell_tiers(entry: model.TierEntry, language: str) -> None:
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
    console.out(f"\n{say('ladder', language)} {say(entry.basis, language)} {_span(entry, language)}")
    console.out(console.table(heads(("months", "period", "step", "upto"), language), rows, right=[2, 3]))
    if entry.household is not None:
        more = entry.household
        console.out(
            f"{say('household', language)} ≥ {more.members}: +{more.add_kwh:f} kWh/{say(more.per, language)}"
        )


def _tell_documents(prices: Sequence[facts.Price], language: str) -> None:
    documents = {price.document.id: price.document for price in prices}
    console.out(f"\n{say('documents', language)}")
    for document in documents.values():
        checked = document.still_valid_on or say("never", language)
        console.out(
            f"{document.number}  {document.title.of(language)}  "
            f"{_grade(document.evidence, language)}  {say('checked', language)} {checked}"
        )


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


def check(current: session.Session, files: FilesArgument = None) -> None:
    """Check books before they are used 检查电价文件: every mistake of every file, and how to mend it.

    Leaves with 1 if there is any mistake.
    """
    from mingcha.audit import tariffs

    looked_at, found = tariffs.mistakes(folder=_folder(current), paths=files or ())
    if current.json:
        problems = [
            {"file": one.file, "place": one.place, "what": one.what, "mend": one.mend} for one in found
        ]
        console.document({"files": len(looked_at), "mistakes": len(found), "problems": problems})
    else:
        for mistake in found:
            console.out(str(mistake))
        files_said = f"{len(looked_at)} file{'s' if len(looked_at) != 1 else ''}"
        console.out(f"{files_said}, {len(found) or 'no'} mistake{'s' if len(found) != 1 else ''}")
    raise typer.Exit(1 if found else 0)


def stale(
    current: session.Session,
    *,
    on: StaleOnOption = None,
    days: DaysOption = 365,
    lang: choices.LanguageOption = None,
) -> None:
    """Show what is out of date 过期与久未核对: documents not checked for long, entries that have ended.

    Leaves with 1 if there is any.
    """
    from mingcha.audit import tariffs
    from mingcha.tariffbook import staleness

    language = _language(current, lang)
    day = _day("--on", on) or current.now.date()
    found = staleness.stale(tariffs.books_of(folder=_folder(current)), on=day, days=days)
    if current.json:
        records = [
            {
                "book": one.book,
                "reason": one.reason,
                "name": one.name,
                "document": one.document or None,
                "day": one.day,
                "facts": one.facts,
            }
            for one in found
        ]
        console.document({"on": day, "days": days, "stale": records})
    else:
        rows = [
            [
                one.book,
                say(one.reason, language),
                str(one.day or say("never", language)),
                one.name,
                str(one.facts),
                one.document,
            ]
            for one in found
        ]
        if rows:
            words = ("book", "reason", "day", "name", "facts", "document")
            console.out(console.table(heads(words, language), rows, right=[4]))
        console.note(f"{len(found)} out of date on {day}")
    raise typer.Exit(1 if found else 0)


COMMANDS: dict[str, session.Command] = {
    "list": list_,
    "show": show,
    "check": check,
    "stale": stale,
    **tariffs_infer.COMMANDS,
}
