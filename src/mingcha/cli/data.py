"""`mingcha data …`: what was delivered, what was held back, what it allows to check."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from mingcha.cli import choices, console, session
from mingcha.cli.contract import contract
from mingcha.cli.intake import ingest, map_suggest
from mingcha.cli.screening import coverage

if TYPE_CHECKING:
    from mingcha.audit import quarantine as held

HELP = "Deliveries 数据: take in, held-back rows, coverage, contract, mapping."

_SHOWN = 20

QuarantineFormat = Annotated[
    str | None,
    typer.Option("--format", metavar="csv|json|xlsx", help="Format; default: from FILE, else csv."),
]


def quarantine(
    current: session.Session,
    *,
    table: choices.TableOption = None,
    format_: QuarantineFormat = None,
    out: choices.OutOption = None,
    snapshot: choices.SnapshotOption = None,
    lang: choices.LanguageOption = None,
) -> None:
    """Show rows that were held back 隔离区: file, line, column, reason, value, row, and a sentence."""
    from mingcha.audit import quarantine as held

    with held.opened(workspace=current.workspace(), table=table, snapshot_id=snapshot, language=lang) as rows:
        if out is not None:
            kind = format_ or out.suffix.removeprefix(".") or "csv"
            written = rows.write(target=out, kind=kind)
            if current.json:
                console.document({"out": str(out), "format": kind, "rows_written": written})
            else:
                console.note(f"{written:,} rows written to {out}")
        elif current.json:
            console.document_of_rows({"snapshot_id": rows.snapshot_id}, "rows", rows.rows())
        elif format_ is not None:
            _stream(rows, choices.one_of("--format", format_, held.FORMATS))
        else:
            _tell(rows)


def _stream(rows: held.Quarantine, kind: str) -> None:
    sys.stdout.flush()
    if kind == "xlsx":
        choices.not_for_a_terminal(kind)
        rows.stream_sheet(stream=sys.stdout.buffer)
    else:
        rows.stream(stream=sys.stdout.buffer, kind=kind)
    sys.stdout.buffer.flush()


def _tell(rows: held.Quarantine) -> None:
    counts = rows.counts()
    if not counts:
        console.out("No row was held back.")
        return
    lines = [[one.table, one.reason, one.column, f"{one.rows:,}"] for one in counts]
    console.out(console.table(["table", "reason", "column", "rows"], lines, right=[3]))
    console.out()
    shown = [
        [
            str(row["table"]),
            f"{row['file']}:{row['line']}" if row["line"] else str(row["file"]),
            console.cut(str(row["message"]), 90),
        ]
        for row in rows.rows(limit=_SHOWN)
    ]
    console.out(console.table(["table", "file:line", "why"], shown))
    total = rows.count()
    if total > len(shown):
        console.note(
            f"{total - len(shown):,} more: --format csv --out FILE writes them all, with the whole row."
        )


COMMANDS: dict[str, session.Command] = {
    "ingest": ingest,
    "quarantine": quarantine,
    "coverage": coverage,
    "contract": contract,
    "map-suggest": map_suggest,
}
