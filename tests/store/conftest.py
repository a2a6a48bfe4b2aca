"""A workspace on an awkward path, and readings made by the line."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from mingcha.store import duck, snapshots, workspace

MADE_AT = datetime.datetime(2026, 4, 12, 9, 30)  # noqa: DTZ001 - local time of the utility

Row = dict[str, Any]


@pytest.fixture
def ws(tmp_path: Path) -> workspace.Workspace:
    """An empty workspace whose path has all that paths can have: Chinese, a quote, brackets, column=value."""
    return workspace.Workspace.create(tmp_path / "某供电局 it's [2026]*" / "billing_period=数据")


@pytest.fixture
def con(ws: workspace.Workspace) -> Iterable[duckdb.DuckDBPyConnection]:
    """A small connection to the workspace."""
    connection = ws.connect(memory_limit="500MB", threads=1)
    yield connection
    connection.close()


def values(rows: Iterable[Row]) -> str:
    """Return a SELECT of the rows (text, numbers, None); a column that some rows lack is NULL for them."""
    rows = list(rows)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = ", ".join("(" + ", ".join(_sql(row.get(name)) for name in columns) + ")" for row in rows)
    return f"SELECT * FROM (VALUES {lines}) AS t({', '.join(duck.name(name) for name in columns)})"


def reading(number: int, month: str = "2026-01", energy: int = 1, **more: Any) -> Row:
    """Return a reading with its key, its partition, the columns it is sorted by and one measured value."""
    return {
        "reading_id": f"R{number}",
        "usage_point_id": f"P{number}",
        "billing_period": month,
        "register": "active",
        "energy": energy,
        **more,
    }


def deliver(
    ws: workspace.Workspace, con: duckdb.DuckDBPyConnection, **tables: Iterable[Row] | str
) -> snapshots.Snapshot:
    """Commit a delivery of the tables' rows and return the snapshot."""
    with snapshots.Draft(ws, made_at=MADE_AT) as draft:
        for table, rows in tables.items():
            draft.add_rows(table=table, source=rows if isinstance(rows, str) else values(rows), con=con)
        return draft.commit()


def seen(
    con: duckdb.DuckDBPyConnection, snapshot: snapshots.Snapshot, table: str, *columns: str
) -> list[tuple[Any, ...]]:
    """Return the columns of all rows of the table in the snapshot, ordered."""
    snapshots.attach(con, snapshot, tables=[table])
    return con.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY ALL").fetchall()


def _sql(value: object) -> str:
    if value is None:
        return "NULL"
    return duck.literal(value) if isinstance(value, str) else str(value)
