"""`mingcha tariffs infer` and `mingcha tariffs import-urdb`: a utility's tariffs without typing them in."""

from __future__ import annotations

import csv
import io
from collections import Counter
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
#: Words of the table, of the sentences below it, and of the reasons: (Chinese, English).
_HEADS = (
    ("电价", "tariff"), ("起", "since"), ("每月界限 kWh", "kWh a month"), ("账单", "bills"),
    ("全部账单", "all bills"), ("算得一致", "reproduced"), ("其中超过第一档", "above tier 1"),
)  # fmt: skip
_SENTENCES = {
    "result": (
        "{1:,} 张有分档电量的账单中，{0:,} 张由示数、倍率、月数和界限算得完全一致（{2}）",
        "{0:,} of {1:,} bills with tiers reproduced exactly from index, multiplier, months and limits: {2}",
    ),
    "registers": (
        "示数：{1:,} 个抄表行中 {0:,} 个等于示数差乘倍率；倍率大于 1 的 {3:,} 个中 {2:,} 个已乘；"
        "示数变小的 {5:,} 个中 {4:,} 个是走过满度（至少 {6} 位）",
        "Registers: {0:,} of {1:,} readings are step x multiplier; a multiplier above 1 was applied in "
        "{2:,} of {3:,}; {4:,} of {5:,} falls are passings of the top (at least {6} digits)",
    ),
    "empty": (
        "没有分档行的账单（未计电量）：{0:,}",
        "Bills without a tier line (nothing billed): {0:,}",
    ),
}
_REASONS = {
    "several_tariffs": ("一张账单有几个电价或计量点", "one bill, several tariffs or points"),
    "no_reading": ("没有对应的抄表", "no reading fits the bill"),
    "index_fell": ("示数变小，又不是走过满度", "the index fell without passing its top"),
    "standing_index": ("示数未走却计了电量", "billed with a standing index"),
    "multiplier_not_applied": ("未乘倍率", "the multiplier was not applied"),
    "netted": ("减去了同日另一表计示数的电量", "less the energy of another register read that day"),
    "billed_less": ("计得比示数少", "billed less than the index moved"),
    "billed_more": ("计得比示数多", "billed more than the index moved"),
    "whole_average": ("按整数月均电量取档", "tiers by the whole monthly average"),
    "not_divided": ("超过界限却未分档", "above the limit and not divided"),
    "other_months": ("按别的月数分档", "limits of another number of months"),
    "other_span": ("按别的时段的界限分档", "limits of another time"),
    "other_tariff": ("按别的电价的界限分档", "limits of another tariff"),
    "unexplained": ("未能解释", "not explained"),
}


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
    lang: choices.LanguageOption = None,
) -> None:
    """Learn tier limits from the bills 由账单推断阶梯; say how many bills they reproduce, list the others."""
    from mingcha.audit import inferredbook, inferring
    from mingcha.findings import export

    workspace = current.workspace()
    language = choices.language(current, lang)
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
            with (
                export.whole_file(exceptions) as part,
                part.open("w", encoding="utf-8", newline="") as stream,
            ):
                inferredbook.write_exceptions(inferring.exceptions(con), stream, kind=kind)
    finally:
        con.close()
    if current.json:
        console.document(inferredbook.summary(learned))
    else:
        console.out(_told(learned, language))
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


def _told(learned: inferring.Learned, language: str) -> str:
    from mingcha.tariffbook import writing

    place = 0 if language == "zh" else 1
    rows = []
    for tariff in learned.tariffs:
        whole = [f"{tariff.bills:,}", _share(tariff.reproduced, tariff.bills)]
        whole.append(_share(tariff.divided_reproduced, tariff.divided))
        spans = [
            (
                str(span.since or ""),
                " / ".join(f"{writing.number(limit):f}" for limit in span.ladder),
                span.bills,
            )
            for span in tariff.spans
        ]
        for number, (since, ends, bills) in enumerate(spans or [("", "", 0)]):
            named, shown = (tariff.tariff_id, whole) if number == 0 else ("", [""] * 3)
            rows.append([named, since, ends or "-", f"{bills:,}", *shown])
    heads = [words[place] for words in _HEADS]
    share = _share(learned.reproduced, learned.judged)
    lines = [console.table(heads, rows, right=[3, 4, 5, 6]), ""]
    lines.append(_SENTENCES["result"][place].format(learned.reproduced, learned.judged, share))
    reasons: Counter[str] = Counter()
    for tariff in learned.tariffs:
        reasons.update(tariff.reasons)
    lines.extend(
        f"  {count:>9,}  {_REASONS[reason][place]} ({reason})" for reason, count in reasons.most_common()
    )
    known = learned.registers
    lines.append(
        _SENTENCES["registers"][place].format(
            known.multiplied + known.rolled_over, known.readings, known.of_these_multiplied,
            known.multiplier_above_one, known.rolled_over, known.fallen, known.digits,
        )
    )  # fmt: skip
    lines.append(_SENTENCES["empty"][place].format(learned.without_lines))
    return "\n".join(lines)


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
    """Write a file whole or not at all; raises SetupError where it cannot be."""
    from mingcha.findings import export

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with export.whole_file(path) as draft:
            draft.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise errors.SetupError(
            f"{path} cannot be written: {error.strerror or error}",
            why="the result is kept in this file",
            mend="choose a folder you may write to",
        ) from error


def _write_codes(path: Path, pairs: list[tuple[str, str]]) -> None:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([("tariff_id", "tariff_code"), *pairs])
    _write(path, stream.getvalue())


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
