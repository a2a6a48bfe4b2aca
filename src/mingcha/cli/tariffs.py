"""`mingcha tariffs …`: the tariff book, read, shown, checked, and looked through for what is out of date."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from mingcha.cli import choices, console, session, tariffcard, tariffs_infer
from mingcha.cli.tariffwords import heads, listed, say
from mingcha.kernel import errors

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
        tariffcard.head_record(books, one, tariff)
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


def _line(record: dict[str, Any], language: str) -> list[str]:
    return [
        record["code"],
        console.cut(record["title"][language] + tariffcard.fictional(record, language), 44),
        listed(record["usage_categories"], language),
        tariffcard.voltage(record["voltage_kv"]),
        say(record["parts"], language),
        say("yes" if record["time_of_use"] else "no", language),
        say("yes" if record["tiered"] else "no", language),
        say(record["price_basis"], language),
        str(record["in_force_from"]),
        str(record["in_force_to"] or say("open", language)),
        tariffcard.grade(record["evidence"] or "", language),
    ]


def show(
    current: session.Session, code: CodeArgument, *, on: OnOption = None, lang: choices.LanguageOption = None
) -> None:
    """Show a tariff 电价详情: every price with its document, clause, validity and grade, hours, tiers."""
    from mingcha.audit import tariffs

    language, day = _language(current, lang), _day("--on", on)
    books = tariffs.books_of(folder=_folder(current))
    tariff = books.tariff(code)
    if day is not None and not tariff.holds(day):
        raise errors.Refusal(
            f"--on {day}: {code} is in force from {tariff.in_force_from} to {tariff.in_force_to or 'open'}",
            why="a price is told for days on which it is in force",
            mend="choose a day inside, or leave --on out to see all",
        )
    card = tariffcard.card(books, code, day)
    if current.json:
        console.document(tariffcard.record(card))
    else:
        tariffcard.tell(card, language)


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
