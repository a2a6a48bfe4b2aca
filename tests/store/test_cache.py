"""Kept results: found again under their key, counted as missing when damaged, pruned oldest first."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest

from mingcha.kernel import ids
from mingcha.store import cache, workspace

KEY = ids.digest("rule, parameters, table digests")


def keep(ws: workspace.Workspace, con: duckdb.DuckDBPyConnection, *, key: str = KEY, value: int = 1) -> Path:
    cache.keep(ws, con=con, key=key, sql=f"SELECT {value} AS n", notes={"examined": "it's 7"})
    return ws.lake / "cache" / key[:2] / f"{key}.parquet"


def test_gives_back_rows_and_notes(ws: workspace.Workspace, con: duckdb.DuckDBPyConnection) -> None:
    assert cache.find(ws, con=con, key=KEY) is None
    assert not cache.has(ws, key=KEY)

    keep(ws, con)

    found = cache.find(ws, con=con, key=KEY)
    assert cache.has(ws, key=KEY)
    assert found is not None
    assert found[1] == {"examined": "it's 7"}
    assert con.execute(found[0]).fetchall() == [(1,)]


def test_replaces_what_is_kept_under_the_key(ws: workspace.Workspace, con: duckdb.DuckDBPyConnection) -> None:
    keep(ws, con)
    keep(ws, con, value=2)

    found = cache.find(ws, con=con, key=KEY)

    assert found is not None
    assert con.execute(found[0]).fetchall() == [(2,)]
    assert not list((ws.lake / "tmp").glob("cache-*"))


@pytest.mark.parametrize("damaged", [b"", b"PAR1", b"\0" * 500, None])
def test_counts_a_damaged_entry_as_missing(
    ws: workspace.Workspace, con: duckdb.DuckDBPyConnection, damaged: bytes | None
) -> None:
    path = keep(ws, con)
    path.write_bytes(path.read_bytes()[:-3] if damaged is None else damaged)

    assert cache.find(ws, con=con, key=KEY) is None
    keep(ws, con)
    assert cache.find(ws, con=con, key=KEY) is not None


def test_prunes_what_was_unused_for_longest(ws: workspace.Workspace, con: duckdb.DuckDBPyConnection) -> None:
    keys = [ids.digest(n) for n in range(3)]
    paths = [keep(ws, con, key=key) for key in keys]
    for age, path in enumerate(paths):
        os.utime(path, (1_700_000_000 - age, 1_700_000_000 - age))
    cache.find(ws, con=con, key=keys[2])

    removed = cache.prune(ws, limit_bytes=2 * paths[0].stat().st_size)

    assert removed == 1
    assert [path.exists() for path in paths] == [True, False, True]
