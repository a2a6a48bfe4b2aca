"""SQL over staged parts: every row with its number, whichever reader staged it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from mingcha.ingest.mapping import expressions, plan
from mingcha.ingest.sources import parts
from mingcha.kernel import errors
from mingcha.store import duck

if TYPE_CHECKING:
    import duckdb

_LINE_MASK = (1 << parts.LINE_BITS) - 1
FILES = "_mingcha_files"
"""Temporary table: number and label of every part."""


def install_files(con: duckdb.DuckDBPyConnection, *, labels: Mapping[int, str]) -> None:
    """Make the temporary table that gives a file's label by its number."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE {FILES} (number BIGINT, label VARCHAR)")
    if labels:
        con.executemany(f"INSERT INTO {FILES} VALUES (?, ?)", [list(item) for item in labels.items()])


def relation(*, columns: Sequence[parts.SourceColumn], staged: Sequence[parts.Staged]) -> str:
    """Return a SELECT of row number and columns over parts that have the same columns."""
    names = "".join(f", {duck.name(column.name)}" for column in columns)
    selects = []
    copied = [part for part in staged if not part.in_place]
    if copied:
        selects.append(f"SELECT {parts.ROW}{names} FROM read_parquet({duck.paths([p.path for p in copied])})")
    placed = [part for part in staged if part.in_place]
    if placed:
        bases = ", ".join(str(parts.row_base(part.number)) for part in placed)
        number = f"list_extract([{bases}], CAST(file_index AS BIGINT) + 1)"
        number += f" + ((file_row_number + 1) << {parts.FEED_BITS})"
        paths = duck.paths([part.path for part in placed])
        selects.append(f"SELECT {number} AS {parts.ROW}{names} FROM read_parquet({paths})")
    return " UNION ALL ".join(selects)


def of_feed(feed: plan.Feed, *, staged: Mapping[int, parts.Staged]) -> str:
    """Return the FROM clause of a feed: its source as `m`, with the sources joined to it."""
    own = relation(columns=feed.columns, staged=[staged[number] for number in feed.parts])
    names = {column.name.lower() for column in feed.columns}
    pseudo = ""
    if expressions.LINE in feed.used and expressions.LINE not in names:
        pseudo += f", ({parts.ROW} >> {parts.FEED_BITS}) & {_LINE_MASK} AS {expressions.LINE}"
    if expressions.FILE in feed.used and expressions.FILE not in names:
        labels = ", ".join(duck.literal(staged[number].label) for number in sorted(staged))
        numbers = ", ".join(str(number) for number in sorted(staged))
        place = f"list_position([{numbers}], {parts.ROW} >> {parts.FEED_BITS + parts.LINE_BITS})"
        pseudo += f", list_extract([{labels}], {place}) AS {expressions.FILE}"
    sql = f"(SELECT *{pseudo} FROM ({own})) AS {plan.MAIN}"
    for join in feed.joins:
        sql += f" LEFT JOIN ({_joined(join, staged)}) AS {join.alias} ON {_on(join)}"
    return sql


def refuse_ambiguous(
    con: duckdb.DuckDBPyConnection, join: plan.JoinPlan, *, staged: Mapping[int, parts.Staged]
) -> None:
    """Raise DataError when a joined source has several rows for one key and the mapping did not allow it."""
    if join.first:
        return
    source = relation(columns=join.columns, staged=[staged[number] for number in join.parts])
    keys = ", ".join(f"mc_clean(CAST({duck.name(right)} AS VARCHAR))" for _, right in join.on)
    rows = con.execute(
        f"SELECT concat_ws('/', {keys}), count(*) FROM ({source})"
        f" GROUP BY ALL HAVING count(*) > 1 AND concat_ws('/', {keys}) <> '' ORDER BY 1 LIMIT 3"
    ).fetchall()
    if rows:
        label = staged[join.parts[0]].label
        columns = ", ".join(right for _, right in join.on)
        raise errors.DataError(
            f"{label} has several rows for one {columns}, for example {rows[0][0]} ({rows[0][1]} rows)",
            why="a row joined with it would be taken twice, or with values chosen by chance",
            mend=f"remove the repeated rows, join on more columns, or accept the first row: many: first "
            f"(join {join.alias} in the mapping)",
        )


def row_as_json(columns: Iterable[parts.SourceColumn]) -> str:
    """Return SQL that gives the source row as a JSON object of text values."""
    fields = ", ".join(f"{duck.name(c.name)} := CAST({duck.name(c.name)} AS VARCHAR)" for c in columns)
    return f"to_json(struct_pack({fields}))"


def _joined(join: plan.JoinPlan, staged: Mapping[int, parts.Staged]) -> str:
    source = relation(columns=join.columns, staged=[staged[number] for number in join.parts])
    if not join.first:
        return source
    keys = ", ".join(f"mc_clean(CAST({duck.name(right)} AS VARCHAR))" for _, right in join.on)
    return (
        f"SELECT * FROM ({source}) QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY {parts.ROW}) = 1"
    )


def _on(join: plan.JoinPlan) -> str:
    return " AND ".join(
        f"mc_clean(CAST({plan.MAIN}.{duck.name(left)} AS VARCHAR))"
        f" = mc_clean(CAST({join.alias}.{duck.name(right)} AS VARCHAR))"
        for left, right in join.on
    )
