"""SQL that follows from the contract: empty typed tables for DuckDB."""

from __future__ import annotations

from mingcha.contract import model


def create_table(*, table: model.Table, name: str | None = None) -> str:
    """Return `CREATE TABLE` with the types, NOT NULLs and key of `table`, under `name` if given."""
    lines = [
        f"  {quote(column.name)} {column.sql_type}{'' if column.nullable else ' NOT NULL'}"
        for column in table.columns
    ]
    key = ", ".join(quote(part) for part in table.key)
    lines.append(f"  PRIMARY KEY ({key})")
    return f"CREATE TABLE {quote(name or table.name)} (\n" + ",\n".join(lines) + "\n)"


def empty_relation(*, table: model.Table) -> str:
    """Return a SELECT without rows that has the columns and types of `table`."""
    columns = ", ".join(
        f"CAST(NULL AS {column.sql_type}) AS {quote(column.name)}" for column in table.columns
    )
    return f"SELECT {columns} WHERE false"


def quote(name: str) -> str:
    """Return `name` as a quoted SQL identifier: columns like `at`, `rows` and `public` are keywords."""
    return '"' + name.replace('"', '""') + '"'
