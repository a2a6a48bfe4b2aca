"""A small in-memory utility for proving rules: every contract table, empty, filled example by example.

Tables are made once. Each example runs inside a transaction that is rolled back, so that hundreds of
them take seconds and none sees another's rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from mingcha.contract import ddl
from mingcha.contract import load as contract_load
from mingcha.kernel import errors
from mingcha.rules import compile as compiler
from mingcha.store import duck

if TYPE_CHECKING:
    import duckdb

    from mingcha.contract import model as contract_model
    from mingcha.rules.book import Rule
    from mingcha.rules.graph import Graph

Row = dict[str, Any]


class Bench:
    """An in-memory DuckDB holding the empty contract and, as views, the relations a rule asks for."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.contract = contract_load.contract()
        self.con: duckdb.DuckDBPyConnection = duck.connect(memory_limit="1GiB", threads=1)
        for table in self.contract.every.values():
            self.con.execute(ddl.create_table(table=table))
        self._views: dict[str, str] = {}

    def close(self) -> None:
        """Close the connection."""
        self.con.close()

    def fill(self, table: str, rows: Iterable[Row]) -> None:
        """Insert rows given as partial mappings; columns not given take the contract's example or NULL."""
        shape = self.contract.every[table]
        for row in rows:
            columns = [column for column in shape.columns if _stated(column, row)]
            names = ", ".join(ddl.quote(column.name) for column in columns)
            casts = ", ".join(f"CAST(? AS {column.sql_type})" for column in columns)
            values = [plain(row.get(column.name, column.example)) for column in columns]
            self.con.execute(f"INSERT INTO {ddl.quote(table)} ({names}) VALUES ({casts})", values)

    def relations(self, names: Iterable[str], moment: compiler.Moment) -> None:
        """Make views of the relations, in the order given, for one moment; raises BookError if one fails."""
        for name in names:
            relation = self.graph.book.relations[name]
            sql = compiler.relation_sql(sheet=relation.sheet, sql=relation.sql, moment=moment)
            if self._views.get(name) == sql:
                continue
            self.execute(f"CREATE OR REPLACE VIEW {ddl.quote(name)} AS {sql}", f"relation {name} query.sql")
            self._views[name] = sql

    def rule(self, rule: Rule, moment: compiler.Moment, values: Mapping[str, Any] | None = None) -> list[Row]:
        """Return the rows a rule's query gives, by column name."""
        sql = compiler.rule_sql(sheet=rule.sheet, sql=rule.sql, moment=moment, values=values)
        return self.rows(sql, f"{rule.id} query.sql")

    def rows(self, sql: str, source: str) -> list[Row]:
        """Return the rows of a query by column name; raises BookError naming `source` when it fails."""
        result = self.execute(sql, source)
        names = [column[0] for column in result.description or []]
        try:
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
        except Exception as error:
            raise broken(error, source) from error

    def execute(self, sql: str, source: str) -> duckdb.DuckDBPyConnection:
        """Run a statement; raises BookError with DuckDB's words and the place."""
        import duckdb

        try:
            return self.con.execute(sql)
        except duckdb.Error as error:
            raise broken(error, source) from error


def broken(error: Exception, source: str) -> errors.BookError:
    """Return DuckDB's complaint about a query of the book as a BookError."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return errors.BookError(
        f"{source}: {' / '.join(lines)}",
        why="a query that does not run finds nothing, and nothing found would look clean",
        mend="correct the query at that place",
    )


def plain(value: Any) -> Any:
    """Return a value of an example file as DuckDB takes it without loss: decimals as text."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, list):
        return ",".join(str(item) for item in value)
    if value is None or isinstance(value, (str, bool, int, date, datetime)):
        return value
    return str(value)


def _stated(column: contract_model.Column, row: Row) -> bool:
    return column.name in row or not column.nullable
