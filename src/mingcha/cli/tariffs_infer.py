"""`mingcha tariffs infer` and `mingcha tariffs import-urdb`: a utility's tariffs without typing them in."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mingcha.cli import choices, console, progress, session
from mingcha.kernel import errors

if TYPE_CHECKING:
    from mingcha.audit import inferring
    from mingcha.tariffbook import urdb

DraftOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write the draft of a tariff book.", show_default=False),
]
ExceptionsOption = Annotated[
    Path | None,
    typer.Option(
        "--exceptions",
        metavar="FILE",
        help="Write the bills not reproduced, each with its reason (.csv or .json).",
        show_default=False,
    ),
]
CodesOption = Annotated[
    Path | None,
    typer.Option(
        "--codes",
        metavar="FILE",
        help="Write tariff_id,tariff_code pairs (tariffs/codes.csv).",
        show_default=False,
    ),
]
BookOption = Annotated[str, typer.Option("--book", metavar="NAME", help="Name of the book.")]
CountryOption = Annotated[str, typer.Option("--country", metavar="CC", help="Country, two letters.")]
CurrencyOption = Annotated[str, typer.Option("--currency", metavar="CUR", help="Currency, three letters.")]
FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="URDB file, as the OpenEI service gives it.")
]
LabelOption = Annotated[
    str | None,
    typer.Option("--label", metavar="ID", help="The rate of this label.", show_default=False),
]
ItemOption = Annotated[
    int | None,
    typer.Option("--item", metavar="N", min=1, help="The N-th rate of the file.", show_default=False),
]
SinceOption = Annotated[
    str | None,
    typer.Option("--from", metavar="DATE", help="First day, where the rate names none.", show_default=False),
]
PartialOption = Annotated[
    bool,
    typer.Option("--partial", help="Write what can be stated even where energy or demand is not covered."),
]


def infer(
    current: session.Session,
    *,
    out: DraftOption = None,
    exceptions: ExceptionsOption = None,
    codes: CodesOption = None,
    book: BookOption = "inferred",
    country: CountryOption = "CN",
    currency: CurrencyOption = "CNY",
    snapshot: choices.SnapshotOption = None,
) -> None:
    """Learn tier limits from the bills 由账单推断阶梯; say how many bills they reproduce, list the others."""
    from mingcha.audit import inferredbook, inferring

    workspace = current.workspace()
    con = workspace.connect()
    try:
        with progress.showing("learning") as told:
            learned = inferring.learn(workspace=workspace, con=con, snapshot_id=snapshot, progress=told)
        draft = inferredbook.draft(learned, book=book, country=country, currency=currency)
        if out is not None:
            _write(out, draft)
        if codes is not None:
            _write_codes(codes, inferredbook.codes(learned, book=book))
        if exceptions is not None:
            kind = "json" if exceptions.suffix.lower() == ".json" else "csv"
            _fitting(exceptions)
            with exceptions.open("w", encoding="utf-8", newline="") as stream:
                inferredbook.write_exceptions(inferring.exceptions(con), stream, kind=kind)
    finally:
        con.close()
    if current.json:
        console.document(inferredbook.summary(learned))
    else:
        console.out(_told(learned))
    if out is not None:
        console.note(f"Draft written to {out}; check it with `mingcha tariffs check {out}`.")


def import_urdb(
    current: session.Session,
    file: FileArgument,
    *,
    label: LabelOption = None,
    item: ItemOption = None,
    since: SinceOption = None,
    out: choices.OutOption = None,
    partial: PartialOption = False,
) -> None:
    """Turn a rate of the American Utility Rate Database into a tariff file 导入美国电价库."""
    from mingcha.audit import inferredbook
    from mingcha.tariffbook import urdb

    imported = urdb.read(_text(file), source=file.name, label=label, item=item, since=_day(since))
    if imported.blocking and not partial:
        raise errors.Refusal(
            f"{file.name}: {imported.name} cannot be stated whole: " + "; ".join(imported.blocking),
            why="bills computed from the rest would be wrong without showing it",
            mend="write these parts by hand (docs/howto/add-a-tariff.md), or take the rest with --partial",
        )
    inferredbook.checked(imported.text)
    if out is not None:
        _write(out, imported.text)
    _show(current, imported, out)


def _show(current: session.Session, imported: urdb.Imported, out: Path | None) -> None:
    if current.json:
        console.document(
            {
                "code": imported.code,
                "name": imported.name,
                "out": None if out is None else str(out),
                "not_covered": list(imported.not_covered),
                "text": imported.text,
            }
        )
        return
    if out is None:
        console.out(imported.text.removesuffix("\n"))
    else:
        console.note(f"{imported.name} written to {out} as {imported.code}")
    for words in imported.not_covered:
        console.note(f"! not covered: {words}")


def _told(learned: inferring.Learned) -> str:
    rows = []
    for tariff in learned.tariffs:
        for number, span in enumerate(tariff.spans):
            first = number == 0
            rows.append(
                [
                    tariff.tariff_id if first else "",
                    str(span.since or ""),
                    " / ".join(f"{limit.normalize():f}" for limit in span.ladder) or "-",
                    f"{span.bills:,}",
                    f"{tariff.bills:,}" if first else "",
                    _share(tariff.reproduced, tariff.bills) if first else "",
                    _share(tariff.divided_reproduced, tariff.divided) if first else "",
                ]
            )
    heads = ["tariff", "since", "kWh a month", "bills", "all bills", "reproduced", "above tier 1"]
    lines = [console.table(heads, rows, right=[3, 4, 5, 6]), ""]
    reasons: dict[str, int] = {}
    for tariff in learned.tariffs:
        for reason, count in tariff.reasons.items():
            reasons[reason] = reasons.get(reason, 0) + count
    lines.append(
        f"{learned.reproduced:,} of {learned.judged:,} bills with tiers reproduced exactly from index, "
        f"multiplier, months and limits: {_share(learned.reproduced, learned.judged)}"
    )
    if reasons:
        ordered = sorted(reasons.items(), key=lambda pair: -pair[1])
        lines.append("Exceptions: " + ", ".join(f"{reason} {count:,}" for reason, count in ordered))
    lines.append(_registers(learned.registers))
    lines.append(f"Bills without a tier line (nothing billed): {learned.without_lines:,}")
    return "\n".join(lines)


def _registers(registers: inferring.Registers) -> str:
    shown = registers.multiplied + registers.rolled_over
    return (
        f"Registers: {shown:,} of {registers.readings:,} readings are step x multiplier; a multiplier above "
        f"1 was applied in {registers.of_these_multiplied:,} of {registers.multiplier_above_one:,}; "
        f"{registers.rolled_over:,} of {registers.fallen:,} falls are passings of the top "
        f"(at least {registers.digits} digits)"
    )


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} %" if whole else "-"


def _fitting(path: Path) -> None:
    if path.suffix.lower() not in (".csv", ".json"):
        raise errors.Refusal(
            f"{path.name}: exceptions are written as .csv or .json",
            why="the end of the name says the format",
            mend="name the file exceptions.csv or exceptions.json",
        )


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise errors.SetupError(
            f"{path} cannot be written: {error.strerror or error}",
            why="the result is kept in this file",
            mend="choose a folder you may write to",
        ) from error


def _write_codes(path: Path, pairs: list[tuple[str, str]]) -> None:
    _write(path, "")
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["tariff_id", "tariff_code"])
        writer.writerows(pairs)


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise errors.Refusal(
            f"--from {text}: there is no such day",
            why="prices are chosen by the day",
            mend="write it as YYYY-MM-DD",
        ) from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise errors.DataError(
            f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8 text'}",
            why="the rate is taken from this file",
            mend="name a file of JSON as the rate database gives it",
        ) from error


COMMANDS: dict[str, session.Command] = {"infer": infer, "import-urdb": import_urdb}
