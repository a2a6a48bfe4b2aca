"""Snapshots seen from SQL: contract tables and the quarantine as temporary views."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from mingcha.contract import load as contract_load
from mingcha.kernel import errors
from mingcha.store import catalogue, duck, manifests

if TYPE_CHECKING:
    import duckdb

    from mingcha.contract import model


def attach(
    con: duckdb.DuckDBPyConnection, snapshot: catalogue.Snapshot, *, tables: Iterable[str] | None = None
) -> None:
    """Make a TEMP VIEW per contract table (or the named ones), replacing earlier ones of that name.

    Each view has all contract columns in contract order with exact types; a table or column that was not
    delivered is empty or NULL. Raises SetupError when a file of the snapshot is gone or cut.
    """
    wanted = contract_load.contract().every if tables is None else tables
    for name in wanted:
        table = catalogue.table_of(name)
        entry = snapshot.manifest.tables.get(name)
        files = entry.files if entry else ()
        for file in files:
            demand(snapshot.lake / file.path, file)
        sql = relation(table, files=files, lake=snapshot.lake)
        con.execute(f"CREATE OR REPLACE TEMP VIEW {duck.name(name)} AS {sql}")


def relation(table: model.Table, *, files: Iterable[manifests.DataFile], lake: Path) -> str:
    """Return SQL over the files with all columns of the table: one scan per set of columns they hold."""
    layouts: dict[tuple[str, ...], list[Path]] = {}
    for file in files:
        layouts.setdefault(file.columns, []).append(lake / file.path)
    scans = [f"SELECT {columns(table, held=held)} FROM {duck.scan(paths)}" for held, paths in layouts.items()]
    return " UNION ALL ".join(scans) or f"SELECT {columns(table, held=())} WHERE false"


def columns(table: model.Table, *, held: Iterable[str]) -> str:
    """Return the select list of all columns of the table, typed NULL for those not held."""
    there = frozenset(held)
    return ", ".join(
        duck.name(column.name)
        if column.name in there
        else f"CAST(NULL AS {column.sql_type}) AS {duck.name(column.name)}"
        for column in table.columns
    )


QUARANTINE = (
    ("file", "VARCHAR"), ("line", "BIGINT"), ("column", "VARCHAR"),
    ("reason", "VARCHAR"), ("value", "VARCHAR"), ("row", "VARCHAR"),
)  # fmt: skip
"""The columns of a quarantined row after `table`; `row` is the whole row as text."""


def quarantine(
    con: duckdb.DuckDBPyConnection, snapshot: catalogue.Snapshot, *, table: str | None = None
) -> duckdb.DuckDBPyRelation:
    """Return the rows quarantined by the delivery that made the snapshot, of one table or of all.

    Columns: table, file, line, column, reason, value, row; ordered by table, file and line.
    """
    held = snapshot.manifest.quarantine
    files = [held[name] for name in sorted(held) if table in (None, name)]
    for file in files:
        demand(snapshot.lake / file.path, file)
    names = ", ".join(duck.name(name) for name, _ in (("table", ""), *QUARANTINE))
    if files:
        scan = duck.scan(snapshot.lake / file.path for file in files)
        return con.sql(f'SELECT {names} FROM {scan} ORDER BY "table", file, line')
    empty = ", ".join(f"CAST(NULL AS {kind}) AS {duck.name(name)}" for name, kind in QUARANTINE)
    return con.sql(f'SELECT CAST(NULL AS VARCHAR) AS "table", {empty} WHERE false')


def demand(path: Path, file: manifests.DataFile) -> None:
    """Raise SetupError when the file is not at `path` or has another size than its manifest says."""
    size = path.stat().st_size if path.is_file() else None
    if size != file.bytes:
        state = "is missing" if size is None else f"has {size} bytes instead of {file.bytes}"
        raise errors.SetupError(
            f"{path} {state}",
            why="a manifest names it as part of the data; findings drawn from the rest would be wrong",
            mend="restore the file from a backup, or ingest that delivery again into a new workspace",
        )
