"""`mingcha data ingest` and `data map-suggest`: a delivery in, every row accounted for."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mingcha.cli import choices, console, progress, session
from mingcha.kernel import errors

if TYPE_CHECKING:
    from mingcha.ingest import report

SourceArgument = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE", help="Folder, file or database URL (postgresql://, mysql://, oracle://)."
    ),
]
MappingOption = Annotated[
    Path | None,
    typer.Option(
        "--mapping",
        metavar="FILE",
        help="Mapping file; default: the workspace's, else names of the contract.",
        show_default=False,
    ),
]
AsOfOption = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="YYYY-MM-DD",
        help="The last day the data speak of; default: read from them.",
        show_default=False,
    ),
]
_HEADS = ("table", "delivered", "accepted", "quarantined", "reasons")


def ingest(
    current: session.Session,
    source: SourceArgument,
    *,
    mapping: MappingOption = None,
    as_of: AsOfOption = None,
    lang: choices.LanguageOption = None,
) -> None:
    """Take in a delivery 导入数据: each row is accepted or quarantined with its reason.

    Makes a new snapshot: rows with a known key correct the old ones, other rows are added. Delivered is
    always accepted plus quarantined. When anything fails as a whole, nothing has changed.
    """
    from mingcha.ingest import deliver

    workspace = current.workspace()
    language = choices.language(current, lang)
    with progress.showing("taking in") as show:
        made = deliver.deliver(
            workspace=workspace,
            source=_source(source),
            mapping=mapping,
            as_of=_day(as_of),
            made_at=current.now,
            progress=show,
        )
    if current.json:
        console.document(made.as_json())
    else:
        tell(made, language=language)


def tell(made: report.DeliveryReport, *, language: str, next_steps: bool = True) -> None:
    """Write what became of every row, table by table, and what to know besides."""
    rows = [
        [
            table.table,
            f"{table.delivered:,}",
            f"{table.accepted:,}",
            f"{table.quarantined:,}",
            ", ".join(f"{code} {count:,}" for code, count in table.reasons.items()),
        ]
        for table in made.tables
    ]
    sums = [f"{number:,}" for number in (made.delivered, made.accepted, made.quarantined)]
    console.out(console.table(_HEADS, [*rows, ["all", *sums, ""]], right=(1, 2, 3)))
    console.out()
    upto = f", data up to {made.data_date}" if made.data_date else ""
    console.out(f"Snapshot {made.snapshot_id}{upto}: delivered = accepted + quarantined, row by row.")
    for remark in made.remarks:
        console.note(f"! {remark.say('zh' if language == 'zh' else 'en')}")
    if not next_steps:
        return
    if made.quarantined:
        console.note("Next: mingcha data quarantine shows the rows held back, each with its reason.")
    console.note("Next: mingcha data coverage says what can be checked, mingcha rules run checks it.")


def map_suggest(current: session.Session, source: SourceArgument, *, out: choices.OutOption = None) -> None:
    """Propose a mapping 建议映射 from names and contents of a source; read every line before use."""
    from mingcha.findings import export
    from mingcha.ingest.suggestion import suggest

    with progress.showing("looking at the source"):
        text = suggest.suggest(source=_source(source))
    if out is not None:
        with export.whole_file(out) as draft:
            draft.write_text(text, encoding="utf-8")
    if current.json:
        console.document({"out": str(out) if out else None, "mapping": text})
    elif out is None:
        console.out(text.rstrip("\n"))
    else:
        console.note(
            f"Proposal written to {out}. Read it, then: mingcha data ingest {source} --mapping {out}"
        )


def _source(text: str) -> str | Path:
    return text if "://" in text else Path(text)


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise errors.Refusal(
            f"--as-of {text}: this is not a day",
            why="the day the data speak of decides which month is complete",
            mend="write it as YYYY-MM-DD, for example 2026-04-10",
        ) from None
