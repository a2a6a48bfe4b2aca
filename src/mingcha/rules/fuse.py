"""Scans that several rules make of one big table, made once: invisible to authors, identical in results.

A rule often reads few rows of a table by a condition on that table alone (`approved_by = applied_by`). Where
several rules do so, the engine copies the rows that any of them may want into one small table, and each
rule reads that instead. Only the name after FROM changes: the rule's own condition stays and decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.errors import SqlglotError

from mingcha.contract import ddl
from mingcha.contract import load as contract_load
from mingcha.kernel import errors
from mingcha.kernel.periods import BillingMonth
from mingcha.rules import compile as compiler
from mingcha.rules import graph as graphs
from mingcha.rules.book import Rule
from mingcha.rules.overlay import Overlay

if TYPE_CHECKING:
    from mingcha.rules.stage import Stage

# Below this a table is scanned in milliseconds, and copying it costs as much as it saves.
BIG_ROWS = 200_000
# Copying more than this share of a table costs more than the scans it replaces (docs/decisions/0005).
WORTH = 0.2


@dataclass(frozen=True, slots=True)
class Scan:
    """One place in a query that reads a table by a condition on it alone."""

    table: str
    start: int
    end: int
    named: bool
    condition: str
    columns: frozenset[str]


def scans_of(*, rule: Rule, graph: graphs.Graph) -> list[Scan]:
    """Return the scans of a rule's query that could be shared; none when there is nothing to gain."""
    try:
        tree = graphs.parse(rule.sql, source=rule.id)
    except SqlglotError:
        return []
    for place in list(tree.find_all(exp.Placeholder)):
        place.replace(exp.Var(this=f":{place.this}"))
    found = [_scan(select, graph) for select in tree.find_all(exp.Select)]
    return [scan for scan in found if scan is not None]


def _scan(select: exp.Select, graph: graphs.Graph) -> Scan | None:
    source, where = select.args.get("from_"), select.args.get("where")
    table = source.this if source is not None else None
    if where is None or not isinstance(table, exp.Table) or select.args.get("joins") or table.args.get("db"):
        return None
    relation = graph.book.relations.get(table.name)
    known = graph.schema.get(table.name)
    if (
        known is None
        or (relation is not None and relation.sheet.materialise)
        or "start" not in table.this.meta
    ):
        return None
    columns = _columns(select, table.alias_or_name, known)
    if columns is None or where.find(exp.Query) or not _is_selective(where, table.name):
        return None
    meta = table.this.meta
    condition = _bare(where.this).sql(dialect="duckdb")
    return Scan(table.name, meta["start"], meta["end"] + 1, bool(table.alias), condition, columns)


def _columns(select: exp.Select, alias: str, known: Mapping[str, str]) -> frozenset[str] | None:
    """Return the table's columns the SELECT names; None when a name may belong to somebody else."""
    names = set()
    own = {projection.alias for projection in select.expressions if projection.alias}
    parts = [part for name, value in select.args.items() if name != "with_" for part in _nodes(value)]
    if any(part.find(exp.Query) for part in parts):
        return None
    for column in (column for part in parts for column in part.find_all(exp.Column)):
        if column.table not in ("", alias):
            return None
        if column.name in known:
            names.add(column.name)
        elif column.table or column.name not in own:
            return None
    return frozenset(names)


def _nodes(value: object) -> list[exp.Expr]:
    several = value if isinstance(value, list) else [value]
    return [node for node in several if isinstance(node, exp.Expr)]


def _is_selective(where: exp.Where, table: str) -> bool:
    """Return whether the condition says more than which months are meant: else it saves nothing."""
    contract = contract_load.contract().every.get(table)
    months = {"billing_period", contract.partition_column if contract else None}
    return any(column.name not in months for column in where.find_all(exp.Column))


def _bare(condition: exp.Expr) -> exp.Expr:
    bare = condition.copy()
    for column in bare.find_all(exp.Column):
        column.set("table", None)
    return bare


class Fuser:
    """Knows which scans are shared in a run, and makes the small tables when a rule first needs them."""

    def __init__(
        self,
        *,
        stage: Stage,
        rules: Iterable[Rule],
        overlay: Overlay,
        least: int = 2,
        big_rows: int = BIG_ROWS,
        worth: float = WORTH,
    ) -> None:
        self.stage = stage
        self._overlay = overlay
        self._big_rows = big_rows
        self._worth = worth
        self._rules = {rule.id: rule for rule in rules}
        self._scans = {
            rule_id: scans_of(rule=rule, graph=stage.graph) for rule_id, rule in self._rules.items()
        }
        readers: dict[str, set[str]] = {}
        for rule_id, scans in self._scans.items():
            for scan in scans:
                readers.setdefault(scan.table, set()).add(rule_id)
        self.readers = {
            table: sorted(ids)
            for table, ids in readers.items()
            if len(ids) >= least and self._rows(table) >= self._big_rows
        }
        self._made: dict[tuple[str, BillingMonth], str | None] = {}

    def _rows(self, table: str) -> int:
        """Return the rows of the biggest contract table below a table or relation."""
        below = self.stage.graph.tables_of([table])
        return max((self.stage.rows(name) for name in below), default=0)

    def rewrite(self, *, rule: Rule, period: BillingMonth) -> str:
        """Return the rule's query reading shared scans where there are any.

        Only for the general parameter values of the period: rows for other values may not be in them.
        """
        sql = rule.sql
        for scan in sorted(self._scans.get(rule.id, []), key=lambda scan: scan.start, reverse=True):
            shared = self._shared(scan.table, period) if scan.table in self.readers else None
            if shared is not None:
                name = shared if scan.named else f"{shared} AS {ddl.quote(scan.table)}"
                sql = sql[: scan.start] + name + sql[scan.end :]
        return sql

    def _shared(self, table: str, period: BillingMonth) -> str | None:
        key = (table, period)
        if key not in self._made:
            self._made[key] = self._make(table, period)
        return self._made[key]

    def _make(self, table: str, period: BillingMonth) -> str | None:
        import duckdb

        name = f"shared_{table}_{period.year}_{period.month:02d}"
        wanted: set[str] = set()
        conditions: list[str] = []
        for rule_id in self.readers[table]:
            for scan in self._scans[rule_id]:
                if scan.table == table:
                    wanted |= scan.columns
                    conditions.append(f"({self._bound(scan.condition, rule_id, period)})")
        columns = ", ".join(ddl.quote(column) for column in sorted(wanted)) or "1 AS nothing"
        try:
            self.stage.ensure(self.stage.graph.relations_of([table]))
            self.stage.attach(self.stage.graph.tables_of([table]))
            self.stage.con.execute(
                f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {columns} FROM {ddl.quote(table)} "
                f"WHERE {' OR '.join(conditions)}"
            )
        except duckdb.InterruptException:
            raise
        except (duckdb.Error, errors.BookError):
            return None  # one rule's condition fails on these data: each rule then speaks for itself
        return name if self._pays(name, table) else None

    def _bound(self, condition: str, rule_id: str, period: BillingMonth) -> str:
        rule = self._rules[rule_id]
        general = self._overlay.sets(sheet=rule.sheet, period=period, parents={})[0]
        values = self.stage.moment(period, rule.sheet.history_months).rule_values()
        values |= compiler.parameter_literals(rule.sheet.parameters, general.values)
        return compiler.bind(condition, values=values, source=f"{rule_id} query.sql")

    def _pays(self, name: str, table: str) -> bool:
        copied = self.stage.con.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0]
        if copied <= self._rows(table) * self._worth:
            return True
        self.stage.con.execute(f"DROP TABLE {name}")
        return False

    def close(self) -> None:
        """Drop the shared tables."""
        for name in self._made.values():
            if name is not None:
                self.stage.con.execute(f"DROP TABLE IF EXISTS {name}")
        self._made.clear()
