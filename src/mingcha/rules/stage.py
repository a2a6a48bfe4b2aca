"""A snapshot set up for screening: contract tables as views, shared relations built once, when needed."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mingcha.contract import ddl
from mingcha.contract import load as contract_load
from mingcha.kernel import errors
from mingcha.kernel.periods import BillingMonth
from mingcha.rules import compile as compiler
from mingcha.rules import graph as graphs
from mingcha.rules import moments
from mingcha.rules.bench import broken
from mingcha.rules.book import Relation
from mingcha.store import derived, duck, snapshots

if TYPE_CHECKING:
    import duckdb

ALWAYS = ("org_unit", "upstream_anomaly")
#: A relation over tables with more rows than this is kept in a file instead of in memory.
IN_MEMORY_ROWS = 2_000_000


@dataclass(frozen=True, slots=True)
class Built:
    """A relation built in this run: whether it was written out, how many rows, how long it took."""

    name: str
    materialised: bool
    rows: int | None
    seconds: float


class Stage:
    """One connection on one snapshot for one span of screened periods."""

    def __init__(
        self,
        *,
        con: duckdb.DuckDBPyConnection,
        snapshot: snapshots.Snapshot,
        graph: graphs.Graph,
        periods: list[BillingMonth],
        data_date: date,
        rerated: moments.Rerated = moments.NOTHING_RERATED,
    ) -> None:
        self.con = con
        self.snapshot = snapshot
        self.graph = graph
        self.periods = periods
        self.data_date = data_date
        self.rerated = rerated
        self.delivered = moments.delivered(snapshot, rerated)
        self.built: list[Built] = []
        self._there: set[str] = set()
        self._attached: set[str] = set()
        self._filed: dict[str, Path] = {}
        self._broken: dict[str, errors.BookError] = {}
        self._needs = self._widest()
        self.attach(ALWAYS)

    def attach(self, tables: Iterable[str]) -> None:
        """Make views of contract tables that are not there yet."""
        fresh = {name for name in tables if name not in self._attached}
        made = fresh & set(contract_load.contract().derived)
        snapshots.attach(self.con, self.snapshot, tables=sorted(fresh - made))
        derived.attach(self.con, self.rerated.entries, tables=sorted(made))
        self._attached.update(fresh)

    def rows(self, table: str) -> int:
        """Return the number of rows of a contract table, as delivered or as derived for these periods."""
        return self.snapshot.rows(table) + sum(entry.rows(table) for entry in self.rerated.entries)

    def table_digest(self, table: str) -> str:
        """Return a digest that changes exactly when what is read from the table changes."""
        if table in contract_load.contract().derived:
            return derived.digest(self.rerated.entries, table=table)
        return self.snapshot.table_digest(table)

    def _widest(self) -> dict[str, int]:
        """Return, per relation, the months of history its readers in the book need.

        All of the book's rules count, not only those of this run: a relation must not depend on which
        other rules were asked for.
        """
        months: dict[str, int] = {}
        for rule in self.graph.book.rules.values():
            if rule.sheet.status == "retired":
                continue
            for name in self.graph.relations_for(rule):
                months[name] = max(months.get(name, 0), rule.sheet.history_months)
        for name, relation in self.graph.book.relations.items():
            if relation.sheet.history_months is not None:
                months[name] = relation.sheet.history_months
        return months

    def relation_sql(self, name: str) -> str:
        """Return a relation's query for this run; an empty one when a table it must have is missing."""
        relation = self.graph.book.relations[name]
        if self.missing_tables(relation):
            columns = ", ".join(
                f"CAST(NULL AS {graphs.sql_type(column.type)}) AS {ddl.quote(column.name)}"
                for column in relation.sheet.columns
            )
            return f"SELECT {columns} WHERE FALSE"
        moment = compiler.Moment(
            period=self.periods[0],
            data_date=self.data_date,
            history_months=self._needs.get(name, 0),
            last_period=self.periods[-1],
        )
        return compiler.relation_sql(sheet=relation.sheet, sql=relation.sql, moment=moment)

    def missing_tables(self, relation: Relation) -> list[str]:
        """Return the contract tables a relation cannot be built without and that were not delivered."""
        missing = []
        for name in self.graph.relation_reads(relation):
            if name in relation.sheet.optional:
                continue
            below = self.graph.book.relations.get(name)
            if below is not None:
                missing += self.missing_tables(below)
            elif name not in self.delivered:
                missing.append(name)
        return missing

    def ensure(self, names: Iterable[str]) -> None:
        """Build the relations, given in building order, that are not there yet.

        Raises BookError naming the relation that fails on these data.
        """
        import duckdb

        for name in names:
            if name in self._there:
                continue
            if name in self._broken:
                raise self._broken[name]
            relation = self.graph.book.relations[name]
            try:
                self.attach(self.graph.tables_of(self.graph.relation_reads(relation)))
                self.built.append(self._build(relation))
            except duckdb.InterruptException:
                raise
            except duckdb.Error as error:
                # Kept, so that the next rule on it is told at once instead of trying again.
                self._broken[name] = broken(error, f"relation {name}")
                raise self._broken[name] from error
            self._there.add(name)

    def _build(self, relation: Relation) -> Built:
        started = time.perf_counter()
        sql = self.relation_sql(relation.name)
        target = ddl.quote(relation.name)
        if not relation.sheet.materialise:
            self.con.execute(f"CREATE OR REPLACE TEMP VIEW {target} AS {sql}")
            return Built(relation.name, False, None, time.perf_counter() - started)
        self._write_out(relation, target=target, sql=sql)
        rows = self.con.execute(f"SELECT count(*) FROM {target}").fetchall()[0][0]
        return Built(relation.name, True, int(rows), time.perf_counter() - started)

    def _write_out(self, relation: Relation, *, target: str, sql: str) -> None:
        """Run a relation once and keep its rows: small ones in memory, large ones in a file beside the lake.

        Rows kept in memory take ten times the room of the same rows in Parquet, and a run must fit a laptop.
        """
        tables = self.graph.tables_of(self.graph.relation_reads(relation))
        largest = max((self.rows(name) for name in tables), default=0)
        if largest < IN_MEMORY_ROWS:
            self.con.execute(f"CREATE OR REPLACE TEMP TABLE {target} AS {sql}")
            return
        folder = self.con.execute("SELECT current_setting('temp_directory')").fetchall()[0][0]
        path = Path(folder) / f"{relation.name}.parquet"
        file = duck.literal(str(path))
        self.con.execute(f"COPY ({sql}) TO {file} (FORMAT parquet, COMPRESSION lz4_raw)")
        self.con.execute(f"CREATE OR REPLACE TEMP VIEW {target} AS SELECT * FROM read_parquet({file})")
        self._filed[relation.name] = path

    def release(self, names: Iterable[str]) -> None:
        """Drop written-out relations nobody needs any more, and the views on them."""
        for name in names:
            if name in self._there:
                in_memory = self.graph.book.relations[name].sheet.materialise and name not in self._filed
                kind = "TABLE" if in_memory else "VIEW"
                self.con.execute(f"DROP {kind} IF EXISTS {ddl.quote(name)}")
                self._there.discard(name)
                if name in self._filed:
                    self._filed.pop(name).unlink(missing_ok=True)

    def moment(self, period: BillingMonth, history_months: int) -> compiler.Moment:
        """Return the moment of one screened period of this run."""
        return compiler.Moment(period=period, data_date=self.data_date, history_months=history_months)

    @cached_property
    def parents(self) -> dict[str, str | None]:
        """Return {organisation: the one above it} as delivered; empty when there is no such table."""
        rows = self.con.execute("SELECT org_id, parent_id FROM org_unit").fetchall()
        return {str(org): parent for org, parent in rows}
