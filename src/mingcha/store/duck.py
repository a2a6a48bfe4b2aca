"""Connections to DuckDB, all opened the same way: no network, bounded memory, macros installed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb

from mingcha.store import dialect


def connect(
    *,
    workspace_tmp: Path | None = None,
    memory_limit: str = "4GiB",
    threads: int | None = None,
    timezone: str = "Asia/Shanghai",
) -> duckdb.DuckDBPyConnection:
    """Return a new in-memory DuckDB with the macros of `dialect.SHIM`.

    Rows that do not fit `memory_limit` go to `workspace_tmp`; without it, the query fails instead.
    The order of rows is not kept unless a query says ORDER BY. Connect after a fork, never before.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        # A missed extension waits seconds for a network that is not there.
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
        "memory_limit": memory_limit,
        "preserve_insertion_order": False,
        # Empty: nothing is spilled into whatever folder the process happens to stand in.
        "temp_directory": str(workspace_tmp) if workspace_tmp else "",
    }
    if threads is not None:
        config["threads"] = threads
    con = duckdb.connect(":memory:", config=config)
    con.execute(f"SET TimeZone = {literal(timezone)}")
    for statement in dialect.SHIM:
        con.execute(statement)
    return con


def literal(text: str) -> str:
    """Return the text as an SQL string literal.

    >>> literal("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def name(text: str) -> str:
    """Return the text as a quoted SQL name.

    >>> name("column")
    '"column"'
    """
    return '"' + text.replace('"', '""') + '"'


def paths(files: Iterable[Path]) -> str:
    """Return an SQL list of file paths, for read_parquet with options of one's own."""
    return "[" + ", ".join(literal(str(file)) for file in files) + "]"


def scan(files: Iterable[Path], *, place: str | None = None) -> str:
    """Return SQL that reads the Parquet files, for use after FROM; `place` names a column for the path.

    A folder above them called `register=active` adds no column, as it would by default.
    """
    named = f", filename = {literal(place)}" if place else ""
    return f"read_parquet({paths(files)}, hive_partitioning = false{named})"
