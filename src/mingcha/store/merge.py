"""Delivered rows into the rows already there, by key: new ones added, changed ones replaced.

Cheap cases first. A table seen for the first time needs no key work. A partition delivered again with the
same rows is known by its checksum. For the rest, only key columns are read to find the files that hold
delivered keys, and only files with rows that really change are written again; all others are shared.
A column that a later delivery does not hold keeps its value: not delivered does not mean empty.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mingcha.kernel import errors
from mingcha.store import duck, manifests, parquet

if TYPE_CHECKING:
    import duckdb

Placed = tuple[manifests.DataFile, Path]
"""A file's entry and where it lies now: in the lake, or still in the draft's folder."""

MAX_FILES = 8
"""Files a partition may have: rows of one customer lie in each of them, so reads slow down with each."""

_IN = "_mingcha_in"
_OLD = "_mingcha_old"
_KEPT = "_mingcha_kept"


@dataclass(slots=True)
class Result:
    """The files of the table after the merge, and what became of the delivered rows."""

    files: list[Placed]
    added: int = 0
    corrected: int = 0
    unchanged: int = 0


def merge(
    con: duckdb.DuckDBPyConnection, *, incoming: parquet.Incoming, current: list[Placed], folder: Path
) -> Result:
    """Return the table's files with the incoming rows merged in; new files lie in `folder`.

    Keys must be unique among the incoming rows.
    """
    if not current:
        result = Result(files=[], added=incoming.rows)
        for label, (rows, _) in incoming.partitions.items():
            _write(con, result, incoming, label=label, select=incoming.select(label), folder=folder)
            _demand_all(incoming, rows=rows, label=label, placed=result.files)
        return result
    changed = [label for label in incoming.partitions if not _same(incoming, label, current)]
    unchanged = incoming.rows - sum(incoming.partitions[label][0] for label in changed)
    result = Result(files=list(current), unchanged=unchanged)
    if changed:
        with _temporary(con):
            _merge_by_key(con, incoming, labels=changed, folder=folder, result=result)
    return result


def _same(incoming: parquet.Incoming, label: str, current: list[Placed]) -> bool:
    """Return whether the rows of the label are those of its partition, or of one file of it."""
    parts = [(entry.rows, int(entry.checksum)) for entry, _ in current if entry.partition == label]
    total = (sum(part[0] for part in parts), sum(part[1] for part in parts))
    return incoming.partitions[label] in {total, *parts}


def _demand_all(incoming: parquet.Incoming, *, rows: int, label: str, placed: list[Placed]) -> None:
    """Raise DataError when the file just written has not the rows that were counted in the source."""
    written = placed[-1][0].rows if placed and placed[-1][0].partition == label else 0
    if written != rows:
        raise errors.DataError(
            f"rows for {incoming.table.name}: {rows} were counted and then {written} read",
            why="a source that changes while it is read gives a state that never was",
            mend="deliver again when nothing writes to the source any more",
        )


def _merge_by_key(
    con: duckdb.DuckDBPyConnection,
    incoming: parquet.Incoming,
    *,
    labels: list[str],
    folder: Path,
    result: Result,
) -> None:
    _load_keys(con, incoming, labels)
    holding = _holding(con, incoming, labels, result.files)
    _load_old(con, incoming, holding)
    key = _names(incoming.table.key)
    matched, same = con.execute(
        f"SELECT (SELECT count(*) FROM {_IN} SEMI JOIN {_OLD} USING ({key})),"
        f" (SELECT count(*) FROM {_IN} SEMI JOIN {_OLD} USING ({key}, _h))"
    ).fetchall()[0]
    total = sum(incoming.partitions[label][0] for label in labels)
    result.unchanged += same
    result.corrected += matched - same
    result.added += total - matched
    if same:
        con.execute(f"DELETE FROM {_IN} i USING {_OLD} o WHERE {_equal(incoming, 'i', 'o')} AND i._h = o._h")
    _rewrite(con, incoming, holding=holding, folder=folder, result=result)


def _load_keys(con: duckdb.DuckDBPyConnection, incoming: parquet.Incoming, labels: list[str]) -> None:
    """Keep keys, label and hash of the incoming rows of the labels in a temporary table."""
    key = _names(incoming.table.key)
    value = parquet.row_hash(incoming.table, held=incoming.columns, of=incoming.columns)
    con.execute(
        f"CREATE TEMP TABLE {_IN} AS SELECT {key}, _label, {value} AS _h FROM ({incoming.of(labels)})"
    )


def _holding(
    con: duckdb.DuckDBPyConnection, incoming: parquet.Incoming, labels: list[str], current: list[Placed]
) -> list[Placed]:
    """Return the files that hold an incoming key; reads key columns only."""
    table = incoming.table
    # A key that contains the partition's column cannot have moved to another partition.
    stays = table.partition_column is None or table.partition_column in table.key
    candidates = [item for item in current if not stays or item[0].partition in labels]
    if not candidates:
        return []
    key = _names(table.key)
    places = {str(place): (entry, place) for entry, place in candidates}
    found = con.execute(
        f"SELECT DISTINCT _file FROM (SELECT {key}, _file FROM"
        f" {duck.scan((place for _, place in candidates), place='_file')})"
        f" SEMI JOIN {_IN} USING ({key})"
    ).fetchall()
    return [places[row[0]] for row in sorted(found)]


def _load_old(con: duckdb.DuckDBPyConnection, incoming: parquet.Incoming, holding: list[Placed]) -> None:
    """Keep key, file and hash of the present rows that have an incoming key in a temporary table.

    The hash is over the delivered columns: a row that agrees in them is unchanged.
    """
    table = incoming.table
    key = _names(table.key)
    value = parquet.row_hash(table, held=table.column_names, of=incoming.columns)
    if holding:
        rows = parquet.survivors(table=table, files=holding)
        con.execute(
            f"CREATE TEMP TABLE {_OLD} AS SELECT {key}, _file, {value} AS _h FROM ({rows})"
            f" SEMI JOIN {_IN} USING ({key})"
        )
    else:
        con.execute(f"CREATE TEMP TABLE {_OLD} AS SELECT {key}, '' AS _file, _h FROM {_IN} WHERE false")


def _rewrite(
    con: duckdb.DuckDBPyConnection,
    incoming: parquet.Incoming,
    *,
    holding: list[Placed],
    folder: Path,
    result: Result,
) -> None:
    """Write the partitions that change: rows that stay of the files that change, and the incoming rows."""
    key = _names(incoming.table.key)
    found = con.execute(f"SELECT DISTINCT _file FROM {_OLD} SEMI JOIN {_IN} USING ({key})").fetchall()
    names = {row[0] for row in found}
    affected = [item for item in holding if str(item[1]) in names]
    kept = _load_kept(con, incoming, affected)
    arriving = {row[0] for row in con.execute(f"SELECT DISTINCT _label FROM {_IN}").fetchall()}
    affected += _crowded(arriving, [item for item in result.files if item not in affected])
    result.files = [item for item in result.files if item not in affected]
    for label in sorted(arriving | {entry.partition for entry, _ in affected}):
        staying = [item for item in affected if item[0].partition == label]
        held = {name for entry, _ in staying for name in entry.columns}
        if label in arriving:
            held |= {*incoming.columns, *kept}
        columns = tuple(name for name in incoming.table.column_names if name in held)
        selects = [_staying(incoming, columns, staying)] if staying else []
        selects += [_arriving(incoming, columns, label, kept)] if label in arriving else []
        _write(
            con,
            result,
            incoming,
            label=label,
            select=" UNION ALL ".join(selects),
            folder=folder,
            columns=columns,
        )


def _crowded(arriving: set[str], files: list[Placed]) -> list[Placed]:
    """Return the files of partitions that would get more files than reads bear: written again as one."""
    count = Counter(entry.partition for entry, _ in files)
    return [item for item in files if item[0].partition in arriving and count[item[0].partition] >= MAX_FILES]


def _load_kept(
    con: duckdb.DuckDBPyConnection, incoming: parquet.Incoming, affected: list[Placed]
) -> tuple[str, ...]:
    """Keep the values of columns that were not delivered this time; return the names of the columns."""
    held = {name for entry, _ in affected for name in entry.columns}
    kept = tuple(
        name for name in incoming.table.column_names if name in held and name not in incoming.columns
    )
    if kept:
        key = _names(incoming.table.key)
        rows = parquet.survivors(table=incoming.table, files=affected)
        con.execute(
            f"CREATE TEMP TABLE {_KEPT} AS SELECT {key}, {_names(kept)} FROM ({rows})"
            f" SEMI JOIN {_IN} USING ({key})"
        )
    return kept


def _staying(incoming: parquet.Incoming, columns: tuple[str, ...], files: list[Placed]) -> str:
    rows = parquet.survivors(table=incoming.table, files=files)
    return f"SELECT {_names(columns)} FROM ({rows}) ANTI JOIN {_IN} USING ({_names(incoming.table.key)})"


def _arriving(incoming: parquet.Incoming, columns: tuple[str, ...], label: str, kept: tuple[str, ...]) -> str:
    key = _names(incoming.table.key)
    table = incoming.table
    values = ", ".join(
        duck.name(name)
        if name in incoming.columns or name in kept
        else f"CAST(NULL AS {table.by_name[name].sql_type}) AS {duck.name(name)}"
        for name in columns
    )
    old = f" LEFT JOIN {_KEPT} USING ({key})" if kept else ""
    return f"SELECT {values} FROM (({incoming.select(label)}) SEMI JOIN {_IN} USING ({key})){old}"


def _write(
    con: duckdb.DuckDBPyConnection,
    result: Result,
    incoming: parquet.Incoming,
    *,
    label: str,
    select: str,
    folder: Path,
    columns: tuple[str, ...] | None = None,
) -> None:
    placed = parquet.write(
        con,
        table=incoming.table,
        columns=columns or incoming.columns,
        select=select,
        label=label,
        folder=folder,
    )
    if placed is not None:
        result.files.append(placed)


@contextmanager
def _temporary(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    try:
        yield
    finally:
        for name in (_IN, _OLD, _KEPT):
            con.execute(f"DROP TABLE IF EXISTS temp.{name}")


def _names(columns: tuple[str, ...]) -> str:
    return ", ".join(duck.name(name) for name in columns)


def _equal(incoming: parquet.Incoming, left: str, right: str) -> str:
    return " AND ".join(
        f"{left}.{duck.name(name)} = {right}.{duck.name(name)}" for name in incoming.table.key
    )
