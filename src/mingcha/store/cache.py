"""Results that may be thrown away at any time: a query's rows under a key made of all they depend on.

Losing an entry costs time, never truth. An entry is one Parquet file with a few notes in its metadata;
an unreadable one counts as missing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mingcha.store import duck, locks, trouble
from mingcha.store.workspace import Workspace

if TYPE_CHECKING:
    import duckdb

LIMIT_BYTES = 4 * 1024**3


def keep(
    ws: Workspace, *, con: duckdb.DuckDBPyConnection, key: str, sql: str, notes: Mapping[str, str]
) -> None:
    """Keep the rows of a query, and notes on them, under `key` (hex digits)."""
    target = _place(ws, key)
    target.parent.mkdir(parents=True, exist_ok=True)
    metadata = ", ".join(f"{duck.name(name)}: {duck.literal(value)}" for name, value in notes.items())
    with trouble.explained(ws.lake), locks.Scratch(lake=ws.lake, purpose="cache") as scratch:
        draft = scratch.path / target.name
        con.execute(
            f"COPY ({sql}) TO {duck.literal(str(draft))} (FORMAT parquet, KV_METADATA {{{metadata}}})"
        )
        draft.replace(target)


def find(ws: Workspace, *, con: duckdb.DuckDBPyConnection, key: str) -> tuple[str, dict[str, str]] | None:
    """Return SQL for the rows kept under `key`, and their notes; None when there are none."""
    import duckdb as engine

    path = _place(ws, key)
    if not path.is_file():
        return None
    literal = duck.literal(str(path))
    try:
        found = con.execute(
            f"SELECT decode(key), decode(value) FROM parquet_kv_metadata({literal})"
        ).fetchall()
    except engine.Error:
        return None
    os.utime(path)
    return f"SELECT * FROM {duck.scan([path])}", {str(name): str(value) for name, value in found}


def has(ws: Workspace, *, key: str) -> bool:
    """Return whether something is kept under `key`; reading it may still fail."""
    return _place(ws, key).is_file()


def prune(ws: Workspace, *, limit_bytes: int = LIMIT_BYTES) -> int:
    """Remove the entries unused for longest until the rest takes at most `limit_bytes`; return how many."""
    files = sorted(
        ((path.stat(), path) for path in (ws.lake / "cache").glob("*/*.parquet")),
        key=lambda item: item[0].st_mtime,
        reverse=True,
    )
    kept = removed = 0
    for stat, path in files:
        kept += stat.st_size
        if kept > limit_bytes:
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def _place(ws: Workspace, key: str) -> Path:
    return ws.lake / "cache" / key[:2] / f"{key}.parquet"
