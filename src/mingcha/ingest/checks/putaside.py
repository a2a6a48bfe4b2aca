"""Rows that are not accepted, written with file, line, column, reason, value and the row itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mingcha.ingest.checks import sources
from mingcha.ingest.checks.duplicates import Found
from mingcha.ingest.mapping import plan
from mingcha.ingest.sources import parts
from mingcha.store import duck

if TYPE_CHECKING:
    import duckdb

COLUMNS = ("file", "line", "column", "reason", "value", "row")
_FILE_SHIFT = parts.LINE_BITS + parts.FEED_BITS
_LINE = f"(({{row}} >> {parts.FEED_BITS}) & {(1 << parts.LINE_BITS) - 1})"
_BAD = "_mingcha_bad"


def faults(con: duckdb.DuckDBPyConnection, *, found: str, feed: plan.Feed, source: str, path: Path) -> int:
    """Write the rows that the query `found` gives (`_row, column, reason, value, more`); return how many.

    `source` is the feed's source with row numbers, from which the row is shown; further faults of a row
    stand in it under `_more`.
    """
    con.execute(f"CREATE OR REPLACE TEMP TABLE {_BAD} AS {found}")
    row = (
        "CASE WHEN len(b.more) = 0 THEN s.shown"
        " ELSE CAST(json_merge_patch(s.shown, json_object('_more', b.more)) AS VARCHAR) END"
    )
    return _write(con, feed=feed, source=source, path=path, bad=f"SELECT * FROM {_BAD}", row=row)


def duplicates(
    con: duckdb.DuckDBPyConnection, *, found: Found, feed: plan.Feed, source: str, path: Path
) -> int:
    """Write the feed's rows that repeat a key, except those that are merged; return how many.

    The value names the key and the row that was kept.
    """
    kept = f"f.label || ':' || {_LINE.format(row='r.kept')}"
    merged = " AND NOT same" if feed.distinct else ""
    bad = (
        'SELECT r._row, CAST(NULL AS VARCHAR) AS "column",'
        " CASE WHEN same THEN 'duplicate_identical' ELSE 'duplicate_key' END AS reason,"
        f" key_text || ' → ' || {kept} AS value FROM {found.relation} r"
        f" JOIN {sources.FILES} f ON f.number = r.kept >> {_FILE_SHIFT}"
        f" WHERE r._row & {parts.MAX_FEEDS - 1} = {feed.entry}{merged}"
    )
    return _write(con, feed=feed, source=source, path=path, bad=bad, row="s.shown")


def merged(con: duckdb.DuckDBPyConnection, *, found: Found, distinct: Sequence[int]) -> int:
    """Return how many identical rows of the entries `distinct` were merged into an earlier one."""
    if not distinct:
        return 0
    entries = ", ".join(str(entry) for entry in distinct)
    row = con.execute(
        f"SELECT count(*) FROM {found.relation} WHERE same AND _row & {parts.MAX_FEEDS - 1} IN ({entries})"
    ).fetchall()[0]
    return int(row[0])


def broken(con: duckdb.DuckDBPyConnection, *, files: Sequence[Path], path: Path) -> int:
    """Write the rows that could not be split into columns; return how many."""
    line = _LINE.format(row=f"b.{parts.ROW}")
    select = (
        f'SELECT f.label AS file, {line} AS line, b."column", b.reason, b.value,'
        " CAST(json_object('_text', b.text) AS VARCHAR) AS row"
        f" FROM read_parquet({duck.paths(list(files))}) b"
        f" JOIN {sources.FILES} f ON f.number = b.{parts.ROW} >> {_FILE_SHIFT}"
    )
    return _copy(con, select, path)


def count(con: duckdb.DuckDBPyConnection, *, path: Path) -> dict[str, int]:
    """Return the numbers of rows put aside in a file, by reason."""
    rows = con.execute(
        f"SELECT reason, count(*) FROM read_parquet({duck.paths([path])}) GROUP BY reason"
    ).fetchall()
    return {str(reason): int(number) for reason, number in rows}


def select(files: Sequence[Path]) -> str:
    """Return a SELECT of all rows put aside in the files."""
    names = ", ".join(duck.name(name) for name in COLUMNS)
    return f"SELECT {names} FROM read_parquet({duck.paths(list(files))})"


def _write(
    con: duckdb.DuckDBPyConnection, *, feed: plan.Feed, source: str, path: Path, bad: str, row: str
) -> int:
    number = f"{parts.ROW} + {feed.entry}"
    shown = f"SELECT {number} AS _row, {sources.row_as_json(feed.columns)} AS shown FROM ({source})"
    numbers = f"SELECT _row FROM ({bad})"
    return _copy(
        con,
        f'SELECT f.label AS file, {_LINE.format(row="b._row")} AS line, b."column", b.reason, b.value,'
        f" CAST({row} AS VARCHAR) AS row FROM ({bad}) b"
        f" JOIN ({shown} WHERE {number} IN ({numbers})) s USING (_row)"
        f" JOIN {sources.FILES} f ON f.number = b._row >> {_FILE_SHIFT}",
        path,
    )


def _copy(con: duckdb.DuckDBPyConnection, select: str, path: Path) -> int:
    con.execute(f"COPY ({select}) TO {duck.literal(str(path))} (FORMAT parquet, COMPRESSION lz4_raw)")
    row = con.execute(f"SELECT count(*) FROM read_parquet({duck.paths([path])})").fetchall()[0]
    return int(row[0])
