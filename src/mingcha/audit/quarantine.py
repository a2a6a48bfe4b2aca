"""Rows a delivery brought that break the contract: counted, listed, written to a file."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from mingcha.audit import deliveries
from mingcha.findings import export, jsontext
from mingcha.ingest import reasons
from mingcha.kernel import errors
from mingcha.store import snapshots
from mingcha.store.workspace import Workspace

if TYPE_CHECKING:
    import duckdb

FORMATS = ("csv", "json", "xlsx")
STORED = ("table", "file", "line", "column", "reason", "value", "row")
COLUMNS = (*STORED, "message")
MOST_SHEET_ROWS = 200_000
_BATCH = 5_000
_WIDTHS = (18, 32, 10, 20, 20, 30, 60, 80)


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows of a table were held back for one reason in one column."""

    table: str
    reason: str
    column: str
    rows: int


@dataclass
class Quarantine:
    """The rows held back by the delivery that made a snapshot."""

    snapshot_id: str
    language: str
    con: duckdb.DuckDBPyConnection

    def counts(self) -> list[Count]:
        """Return the numbers by table, reason and column, largest first."""
        rows = self.con.execute(
            'SELECT "table", reason, coalesce("column", \'\'), count(*) FROM quarantined '
            "GROUP BY ALL ORDER BY 4 DESC, 1, 2, 3"
        ).fetchall()
        return [Count(*row) for row in rows]

    def count(self) -> int:
        """Return the number of rows."""
        row = self.con.execute("SELECT count(*) FROM quarantined").fetchone()
        assert row is not None
        return int(row[0])

    def rows(self, *, limit: int = 0) -> Iterator[dict[str, Any]]:
        """Yield the rows in order of table, file and line; limit 0 means all."""
        names = ", ".join(f'"{name}"' for name in STORED)
        tail = f" LIMIT {limit:d}" if limit else ""
        cursor = self.con.execute(f'SELECT {names} FROM quarantined ORDER BY "table", file, line{tail}')
        while batch := cursor.fetchmany(_BATCH):
            for row in batch:
                yield self._told(dict(zip(STORED, row, strict=True)))

    def _told(self, row: dict[str, Any]) -> dict[str, Any]:
        language: reasons.Language = "zh" if self.language == "zh" else "en"
        said = reasons.say(row["reason"], column=row["column"], value=row["value"], language=language)
        return row | {"message": said}

    def write(self, *, target: Path, kind: str) -> int:
        """Write the rows to a file in one of FORMATS; return how many."""
        if kind not in FORMATS:
            raise errors.Refusal(
                f"{kind!r} is not a format of the quarantine",
                why="each format is written in its own way",
                mend=f"choose one of {', '.join(FORMATS)}",
            )
        with export.whole_file(target) as draft:
            if kind == "xlsx":
                _write_sheet(self, draft)
            else:
                with draft.open("wb") as file:
                    self.stream(stream=file, kind=kind)
        return self.count()

    def stream_sheet(self, *, stream: BinaryIO) -> None:
        """Write the rows as an Excel workbook to a stream."""
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "quarantine.xlsx"
            _write_sheet(self, target)
            export.copy_to(stream, target)

    def stream(self, *, stream: BinaryIO, kind: str) -> None:
        """Write the rows as csv or json to a stream."""
        if kind == "json":
            stream.write(b"[")
            for index, row in enumerate(self.rows()):
                stream.write((",\n" if index else "\n").encode() + jsontext.dumps(row).encode())
            stream.write(b"\n]\n")
            return
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=True)
        text.write("\ufeff")
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(self.rows())
        text.detach()


@contextmanager
def opened(
    *,
    workspace: Workspace,
    table: str | None = None,
    snapshot_id: str | None = None,
    language: str | None = None,
) -> Iterator[Quarantine]:
    """Give the quarantine of the newest snapshot, or of the one named, of one table or of all.

    Sentences are in `language`, by default the workspace's.
    """
    snapshot = deliveries.chosen(workspace=workspace, snapshot_id=snapshot_id)
    if table is not None:
        _known_table(table)
    con = workspace.connect()
    try:
        snapshots.quarantine(con, snapshot, table=table).create_view("quarantined")
        spoken = language or workspace.settings.organisation.language
        yield Quarantine(snapshot_id=snapshot.id, language=spoken, con=con)
    finally:
        con.close()


def _known_table(table: str) -> None:
    from mingcha.contract import load

    if table not in load.contract().tables:
        raise errors.Refusal(
            f"there is no table {table} in the contract",
            why="a table nobody knows would look like one without faults",
            mend="list the tables with `mingcha data contract`",
        )


def _write_sheet(quarantine: Quarantine, draft: Path) -> None:
    import xlsxwriter

    held = quarantine.count()
    if held > MOST_SHEET_ROWS:
        raise errors.Refusal(
            f"{held:,} rows are more than the {MOST_SHEET_ROWS:,} an Excel workbook is made for",
            why="a workbook of that size opens in minutes or not at all",
            mend="choose --format csv, or one table with --table",
        )
    book = xlsxwriter.Workbook(str(draft), {"constant_memory": True, "strings_to_urls": False})
    try:
        sheet = book.add_worksheet("quarantine")
        head = book.add_format({"bold": True, "bg_color": "#1F4E5F", "font_color": "#FFFFFF"})
        for place, size in enumerate(_WIDTHS):
            sheet.set_column(place, place, size)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(held, 1), len(COLUMNS) - 1)
        _put(sheet, 0, list(COLUMNS), head)
        for index, row in enumerate(quarantine.rows(), start=1):
            _put(sheet, index, [row[name] for name in COLUMNS], None)
    finally:
        book.close()


def _put(sheet: Any, row: int, values: Sequence[Any], style: Any) -> None:
    for place, item in enumerate(values):
        if isinstance(item, int):
            sheet.write_number(row, place, item, style)
        elif item is not None:
            sheet.write_string(row, place, str(item)[:32_000], style)
