"""Rows with one key: the first in the order of files and lines is kept, later ones are put aside.

Keys are compared by a 64-bit hash first; only rows whose hash occurs twice are compared by value, so a
collision of hashes costs a look and no row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mingcha.contract import model
from mingcha.store import duck

if TYPE_CHECKING:
    import duckdb

_HASHES = "_mingcha_hashes"
_CANDIDATES = "_mingcha_candidates"


@dataclass(frozen=True, slots=True)
class Found:
    """A temporary table of the rows that repeat a key: `_row, _n, kept, same, key_text`."""

    relation: str


def any_among(con: duckdb.DuckDBPyConnection, sql: str, *, key: Sequence[str]) -> bool:
    """Return whether two rows of the query have the same hash of their key."""
    return bool(con.execute(f"{_repeated(sql, key)} LIMIT 1").fetchall())


def find(
    con: duckdb.DuckDBPyConnection, *, files: Sequence[Path], table: model.Table, columns: Sequence[str]
) -> Found | None:
    """Return the rows, among the good ones of the typed files, that repeat an earlier row's key."""
    rows = f"SELECT * FROM read_parquet({duck.paths(list(files))}) WHERE NOT _bad"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {_HASHES} AS SELECT DISTINCT h FROM ({_repeated(rows, table.key)})"
    )
    if not con.execute(f"SELECT 1 FROM {_HASHES} LIMIT 1").fetchall():
        return None
    names = ", ".join(duck.name(name) for name in columns)
    key = ", ".join(duck.name(name) for name in table.key)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {_CANDIDATES} AS SELECT _row, _n, {names}"
        f" FROM ({rows}) WHERE {_hash(table.key)} IN (SELECT h FROM {_HASHES})"
    )
    same = " AND ".join(f"c.{duck.name(name)} IS NOT DISTINCT FROM k.{duck.name(name)}" for name in columns)
    text = ", ".join(f"CAST(c.{duck.name(name)} AS VARCHAR)" for name in table.key)
    relation = f"_mingcha_repeated_{table.name}"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {relation} AS"
        f" WITH first AS (SELECT {key}, min(_row) AS kept FROM {_CANDIDATES}"
        f" GROUP BY {key} HAVING count(*) > 1)"
        f" SELECT c._row, c._n, first.kept, {same} AS same, concat_ws('/', {text}) AS key_text"
        f" FROM {_CANDIDATES} c JOIN first USING ({key}) JOIN {_CANDIDATES} k ON k._row = first.kept"
        " WHERE c._row <> first.kept"
    )
    con.execute(f"DROP TABLE {_CANDIDATES}")
    repeated = con.execute(f"SELECT 1 FROM {relation} LIMIT 1").fetchall()
    return Found(relation) if repeated else None


def _repeated(sql: str, key: Sequence[str]) -> str:
    """Return SQL for the hashes that occur again, from a sort: half the work of grouping by them."""
    hashes = f"SELECT {_hash(key)} AS h FROM ({sql})"
    return f"SELECT h FROM (SELECT h, lag(h) OVER (ORDER BY h) AS before FROM ({hashes})) WHERE h = before"


def _hash(key: Sequence[str]) -> str:
    return f"hash({', '.join(duck.name(name) for name in key)})"
