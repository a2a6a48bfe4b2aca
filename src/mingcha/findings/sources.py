"""The source rows of a finding, fetched out of its snapshot by their keys, personal data masked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mingcha.contract import load
from mingcha.contract import model as contract_model
from mingcha.findings import masking, model, wording, words
from mingcha.kernel import errors
from mingcha.store import duck

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a source row as shown."""

    column: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source row as shown; `cells` is empty when the snapshot does not hold the row."""

    table: str
    title: str
    key: Mapping[str, Any]
    cells: tuple[Cell, ...]


def fetch(
    *, con: duckdb.DuckDBPyConnection, rows: Sequence[model.RowKey], language: str
) -> tuple[SourceRow, ...]:
    """Return the rows; `con` must have the contract tables of the finding's snapshot attached.

    Raises BookError for a table or column the contract does not have.
    """
    return tuple(_fetch_one(con, row, language) for row in rows)


def private_names() -> frozenset[str]:
    """Return the column names that hold personal data or secrets wherever they stand.

    A name that is harmless in one table and personal in another (`name`) is not among them.
    """
    tables = load.contract().every.values()
    private = {column.name for table in tables for column in table.columns if column.privacy != "none"}
    open_ = {column.name for table in tables for column in table.columns if column.privacy == "none"}
    return frozenset(private - open_)


def _fetch_one(con: duckdb.DuckDBPyConnection, row: model.RowKey, language: str) -> SourceRow:
    table = load.contract().every.get(row.table)
    unknown = [name for name in row.key if table is None or name not in table.by_name]
    if table is None or unknown:
        raise errors.BookError(
            f"a finding names its source as {row.table}({', '.join(row.key)}); the contract has none",
            why="the rows a finding rests on must be found again",
            mend="correct `rows:` in the rule's rule.yaml and screen again",
        )
    # The evidence holds days and moments as text: the column's type says how to compare them.
    condition = " AND ".join(
        f"{duck.name(name)} IS NOT DISTINCT FROM CAST(? AS {table.by_name[name].sql_type})"
        for name in row.key
    )
    values = list(row.key.values())
    names = ", ".join(duck.name(name) for name in table.column_names)
    found = con.execute(
        f"SELECT {names} FROM {duck.name(row.table)} WHERE {condition or 'FALSE'} LIMIT 1", values
    ).fetchone()
    cells = _cells(table, found, language) if found else ()
    title = table.title.zh if language == words.ZH else table.title.en
    return SourceRow(row.table, title, row.key, cells)


def _cells(table: contract_model.Table, found: tuple[Any, ...], language: str) -> tuple[Cell, ...]:
    cells = []
    for column, item in zip(table.columns, found, strict=True):
        if item is None:
            continue
        shown = masking.masked(item, privacy=column.privacy, language=language)
        cells.append(
            Cell(
                column.name, column.zh if language == words.ZH else column.en, _text(column, shown, language)
            )
        )
    return tuple(cells)


def _text(column: contract_model.Column, item: Any, language: str) -> str:
    label = column.labels.get(str(item))
    if label is not None:
        return f"{label.zh if language == words.ZH else label.en} ({item})"
    return wording.value(item, unit=column.unit or "", language=language)
