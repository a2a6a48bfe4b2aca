"""Values that refer to rows nobody delivered: counted per column, and put aside where the policy says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mingcha.contract import model
from mingcha.ingest.checks.tables import Checked
from mingcha.store import duck

if TYPE_CHECKING:
    import duckdb

_REFERRED = "_mingcha_referred"


@dataclass(frozen=True, slots=True)
class Orphans:
    """Rows of a table whose column refers to nothing: how many, how many values, some of them."""

    table: str
    column: str
    refers_to: str
    rows: int
    values: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unjudged:
    """A column whose references cannot be judged, since the table it refers to was never delivered."""

    table: str
    column: str
    refers_to: str


def count(
    con: duckdb.DuckDBPyConnection,
    checked: Checked,
    *,
    known: Mapping[str, str],
) -> tuple[list[Orphans], list[Unjudged]]:
    """Return the orphans of each column that refers to another table, and the columns not judged.

    `known` gives, by "table.column", a SELECT of the values that are there.
    """
    found: list[Orphans] = []
    unjudged: list[Unjudged] = []
    for column in _referring(checked):
        assert column.ref is not None
        if column.ref not in known:
            unjudged.append(Unjudged(checked.table.name, column.name, column.ref))
            continue
        name = duck.name(column.name)
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {_REFERRED} AS SELECT {name} AS v, count(*) AS n"
            f" FROM ({checked.accepted}) WHERE {name} IS NOT NULL GROUP BY 1"
        )
        rows, values, examples = con.execute(
            f"SELECT coalesce(sum(n), 0), count(*), list(v ORDER BY v)[1:3] FROM {_REFERRED}"
            f" ANTI JOIN ({known[column.ref]}) AS known (v) USING (v)"
        ).fetchall()[0]
        if rows:
            found.append(
                Orphans(checked.table.name, column.name, column.ref, int(rows), int(values), tuple(examples))
            )
    con.execute(f"DROP TABLE IF EXISTS {_REFERRED}")
    return found, unjudged


def list_rows(
    con: duckdb.DuckDBPyConnection, checked: Checked, found: Iterable[Orphans], *, known: Mapping[str, str]
) -> str:
    """Make a temporary table of a table's rows with orphans (`_row, column, value`); return its name.

    A row with several is listed under the first column.
    """
    selects = [
        f'SELECT _row, {place} AS place, {duck.literal(item.column)} AS "column",'
        f" {duck.name(item.column)} AS value FROM ({checked.numbered})"
        f" WHERE {duck.name(item.column)} IS NOT NULL"
        f" AND {duck.name(item.column)} NOT IN (SELECT v FROM ({known[item.refers_to]}) AS known (v))"
        for place, item in enumerate(found)
    ]
    relation = f"_mingcha_orphans_{checked.table.name}"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {relation} AS"
        f' SELECT _row, arg_min("column", place) AS "column", arg_min(value, place) AS value'
        f" FROM ({' UNION ALL '.join(selects)}) GROUP BY _row"
    )
    return relation


def in_order(tables: Iterable[Checked]) -> list[Checked]:
    """Return the tables so that one referred to comes before those that refer to it, as far as possible.

    With the policy `quarantine`, a row taken out makes orphans of the rows that refer to it.
    """
    left = {checked.table.name: checked for checked in tables}
    ordered: list[Checked] = []
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in done or name in path or name not in left:
            return
        for column in _referring(left[name]):
            assert column.ref is not None
            visit(column.ref.split(".")[0], (*path, name))
        done.add(name)
        ordered.append(left[name])

    for name in left:
        visit(name, ())
    return ordered


def _referring(checked: Checked) -> list[model.Column]:
    columns = [checked.table.by_name[name] for name in checked.plan.columns]
    return [column for column in columns if column.ref is not None]
