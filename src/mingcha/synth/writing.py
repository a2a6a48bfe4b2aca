"""Write the working tables as contract tables: exact column names, order and types, rows in key order."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mingcha.contract import load, model

# made once for the whole utility, whatever the number of chunks
GLOBAL = ("org_unit", "staff", "staff_role", "calendar_day", "tariff", "tariff_price")


def tables_made(con: Any) -> list[str]:
    """Return the contract tables that have a working table `t_…`, in the contract's order."""
    rows = con.execute("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 't\\_%' ESCAPE '\\'")
    made = {name[2:] for (name,) in rows.fetchall()}
    known = load.contract().tables
    strange = made - set(known)
    assert not strange, f"working tables that the contract does not know: {sorted(strange)}"
    return [name for name in known if name in made]


def selection(con: Any, table: model.Table) -> str:
    """Return the SELECT that gives `table` from its working table, typed and ordered by its key."""
    have = {row[0] for row in con.execute(f"SELECT column_name FROM (DESCRIBE t_{table.name})").fetchall()}
    columns = [
        f'CAST({_source(column.name, have)} AS {column.sql_type}) AS "{column.name}"'
        for column in table.columns
    ]
    order = ", ".join(f'"{name}"' for name in table.key)
    return f"SELECT {', '.join(columns)} FROM t_{table.name} ORDER BY {order}"


def _source(name: str, have: set[str]) -> str:
    return f'"{name}"' if name in have else "NULL"


def write(con: Any, *, out: Path, part: int | None, names: Iterable[str], file_format: str) -> dict[str, int]:
    """Write the named tables below `out` and return their rows.

    `part` None gives one file per table (`bill.parquet`), a number a file of a set (`bill/bill-003.parquet`).
    """
    counted: dict[str, int] = {}
    contract = load.contract()
    for name in names:
        if part is not None and part > 0 and name in GLOBAL:
            continue
        path = out / f"{name}.{file_format}"
        if part is not None and name not in GLOBAL:
            path = out / name / f"{name}-{part:03d}.{file_format}"
            path.parent.mkdir(exist_ok=True)
        options = "FORMAT parquet, COMPRESSION zstd" if file_format == "parquet" else "FORMAT csv, HEADER"
        target = str(path).replace("'", "''")
        copied = con.execute(f"COPY ({selection(con, contract.tables[name])}) TO '{target}' ({options})")
        counted[name] = int(copied.fetchone()[0])
    return counted
