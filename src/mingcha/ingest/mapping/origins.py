"""Where each column of a feed comes from: names looked up, expressions compiled, said values tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mingcha.contract import model as contract_model
from mingcha.ingest.convert import conversion
from mingcha.ingest.mapping import expressions, model, names, plan, reading
from mingcha.ingest.sources import parts
from mingcha.store import duck

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

_NUMERIC = frozenset(
    {"int", "money", "price", "energy", "register", "power", "capacity", "voltage", "current", "ratio",
     "percent", "degree", "number"}
)  # fmt: skip
_DAYS = frozenset({"date", "timestamp", "billing_period"})


class Context(Protocol):
    """What a feed needs of the whole: the mistakes, the other parts, a connection to try SQL on."""

    mapping: model.Mapping
    mistakes: list[str]
    con: duckdb.DuckDBPyConnection
    timezone: str
    plan: plan.Plan

    def probe(self, number: int) -> parts.Probe:
        """Return the columns of a part."""
        ...

    def find(self, where: str, patterns: Sequence[str]) -> list[int]:
        """Return the parts that bear one of the names; none is a mistake."""
        ...


class FeedBuilder:
    """Builds the feed of one mapping entry for parts that have the same columns."""

    def __init__(
        self,
        *,
        context: Context,
        where: str,
        rule: model.TableRule,
        table: contract_model.Table,
        entry: int,
        group: tuple[int, ...],
    ) -> None:
        self._context = context
        self._where = where
        self._rule = rule
        self._table = table
        self._entry = entry
        self._group = group
        self._columns = context.probe(group[0]).columns
        self._options = context.plan.options[group[0]]
        self._joins: list[plan.JoinPlan] = []
        self._origins: dict[str, conversion.Origin] = {}
        self._used: set[tuple[str, str]] = set()

    def build(self) -> plan.Feed:
        """Return the feed; what is wrong goes to the context's mistakes."""
        for join in self._rule.join:
            self._join(join)
        self._scope = self._scope_of()
        self._empty = _empty_relation(self._columns, self._joins)
        for name, rule in self._rule.columns.items():
            self._said(name, rule)
        match = self._rule.match_names
        if self._context.mapping.match_names if match is None else match:
            self._matched()
        self._demand_key()
        return plan.Feed(
            entry=self._entry,
            parts=self._group,
            columns=self._columns,
            origins=self._origins,
            options=self._options,
            where=self._condition(),
            joins=tuple(self._joins),
            distinct=self._rule.distinct,
            used=frozenset(name for alias, name in self._used if alias == plan.MAIN),
            assumed=frozenset(name for name, rule in self._rule.columns.items() if rule.assumed),
        )

    def _mistake(self, text: str) -> None:
        self._context.mistakes.append(f"{self._where}: {text}")

    # ── sources ──────────────────────────────────────────────────────────────────────────────────

    def _join(self, rule: model.Join) -> None:
        found = self._context.find(f"{self._where} join", rule.source)
        if not found:
            return
        columns = self._context.probe(found[0]).columns
        if any(self._context.probe(number).columns != columns for number in found):
            self._mistake(f"join {rule.alias}: the joined files have different columns")
            return
        if rule.alias == plan.MAIN or any(join.alias == rule.alias for join in self._joins):
            self._mistake(f"join: the alias {rule.alias} is taken")
            return
        own = {column.name.lower(): column.name for column in self._columns}
        other = {column.name.lower(): column.name for column in columns}
        on: list[tuple[str, str]] = []
        for left, right in rule.on.items():
            if left.lower() not in own:
                self._mistake(f"join on: unknown column {left}{reading.nearest(left, own.values())}")
            elif right.lower() not in other:
                self._mistake(f"join on: {rule.alias} has no {right}{reading.nearest(right, other.values())}")
            else:
                on.append((own[left.lower()], other[right.lower()]))
        self._used.update((plan.MAIN, left) for left, _ in on)
        self._joins.append(
            plan.JoinPlan(rule.alias, tuple(found), columns, tuple(on), first=rule.many == "first")
        )

    def _scope_of(self) -> expressions.Scope:
        own = {column.name.lower(): (plan.MAIN, column.name) for column in self._columns}
        pseudo = {name: (plan.MAIN, name) for name in (expressions.FILE, expressions.LINE)}
        joined = {
            join.alias: {column.name.lower(): (join.alias, column.name) for column in join.columns}
            for join in self._joins
        }
        text = frozenset(place for place, kind in self._kinds().items() if kind == "VARCHAR")
        return expressions.Scope(main={**pseudo, **own}, joined=joined, text=text)

    def _kinds(self) -> dict[tuple[str, str], str]:
        """Return the DuckDB types of all columns by their place."""
        kinds = {(plan.MAIN, expressions.FILE): "VARCHAR", (plan.MAIN, expressions.LINE): "BIGINT"}
        kinds |= {(plan.MAIN, item.name): item.type for item in self._columns}
        return kinds | {(join.alias, item.name): item.type for join in self._joins for item in join.columns}

    # ── columns ──────────────────────────────────────────────────────────────────────────────────

    def _said(self, name: str, rule: model.ColumnRule) -> None:
        column = self._table.by_name.get(name)
        if column is None:
            near = reading.nearest(name, self._table.column_names)
            self._mistake(f"{self._table.name} has no column {name}{near}")
            return
        self._check_fit(column, rule)
        origin = self._origin(column, rule)
        if origin is not None:
            self._origins[name] = origin
            self._try_values(column, rule, origin)

    def _check_fit(self, column: contract_model.Column, rule: model.ColumnRule) -> None:
        if (rule.factor is not None or rule.strip is not None) and column.type not in _NUMERIC:
            self._mistake(f"{column.name} is of type {column.type}: factor and strip are for numbers")
        if rule.date_format is not None and column.type not in _DAYS:
            self._mistake(f"{column.name} is of type {column.type}: date_format is for dates")

    def _origin(self, column: contract_model.Column, rule: model.ColumnRule) -> conversion.Origin | None:
        if rule.constant is not None:
            return conversion.Origin(sql=duck.literal(rule.constant), type="VARCHAR", header="")
        if rule.column is not None:
            return self._named(column, rule, rule.column)
        assert rule.expr is not None
        compiled = expressions.compile_expression(text=rule.expr, scope=self._scope)
        kind = self._type_of(f"{column.name}: the expression", compiled)
        if kind is None:
            return None
        return self._complete(
            column, rule, f"TRY({compiled.sql})", kind, f"TRY(({compiled.sql}) IS NULL)", header=rule.expr
        )

    def _named(
        self, column: contract_model.Column, rule: model.ColumnRule, name: str
    ) -> conversion.Origin | None:
        place = self._scope.find(name)
        if place is None and "." in name:
            alias, _, inner = name.partition(".")
            place = self._scope.find(inner, alias)
        if place is None:
            self._mistake(f"{column.name}: unknown column {name}{reading.nearest(name, self._scope.names)}")
            return None
        self._used.add(place)
        kind = self._kinds()[place]
        return self._complete(column, rule, expressions.quoted(place), kind, None, header=place[1])

    def _complete(
        self,
        column: contract_model.Column,
        rule: model.ColumnRule,
        sql: str,
        kind: str,
        checked: str | None,
        *,
        header: str,
    ) -> conversion.Origin:
        date_format = rule.date_format
        if date_format is None and column.type in _DAYS and rule.values is None:
            date_format = self._options.date_format
        if kind in conversion.MOMENTS or kind == conversion.ZONED:
            date_format = None  # typed already; a format is for text
        return conversion.Origin(
            sql=sql,
            type=kind,
            values=tuple(rule.values.items()) if rule.values is not None else None,
            factor=rule.factor,
            strip=rule.strip or (),
            date_format=date_format,
            checked=checked,
            header=header,
        )

    def _type_of(self, what: str, compiled: expressions.Compiled) -> str | None:
        """Return the type of an expression, tried on the source without rows."""
        import duckdb

        self._used.update(compiled.columns)
        for mistake in compiled.mistakes:
            self._mistake(f"{what} {mistake}")
        if compiled.mistakes:
            return None
        try:
            described = self._context.con.execute(
                f"DESCRIBE SELECT TRY({compiled.sql}) AS value FROM {self._empty}"
            ).fetchall()
        except duckdb.Error as error:
            lines = str(error).splitlines()
            self._mistake(f"{what} does not fit the columns: {lines[0]}")
            return None
        return str(described[0][1]).strip('"').replace("NULL", "VARCHAR")

    def _matched(self) -> None:
        taken = {name.lower() for name in self._origins}
        found = names.columns_for([column.name for column in self._columns], table=self._table)
        for name, header in found.items():
            if name not in taken:
                column = self._table.by_name[name]
                origin = self._named(column, model.ColumnRule(column=header), header)
                assert origin is not None
                self._origins[name] = origin

    def _demand_key(self) -> None:
        needed = dict.fromkeys(self._table.key, "is part of the key")
        if self._table.partition_column is not None:
            needed.setdefault(self._table.partition_column, "says in which month a row is kept")
        for name, why in needed.items():
            if name not in self._origins and name not in self._rule.columns:
                column = self._table.by_name[name]
                self._mistake(f"nothing gives {name} ({column.zh}), which {why} of {self._table.name}")

    def _condition(self) -> str | None:
        if self._rule.where is None:
            return None
        compiled = expressions.compile_expression(text=self._rule.where, scope=self._scope)
        kind = self._type_of("where", compiled)
        if kind not in (None, "BOOLEAN"):
            self._mistake(f"where gives {kind}, not true or false")
        return compiled.sql

    # ── said values ──────────────────────────────────────────────────────────────────────────────

    def _try_values(
        self, column: contract_model.Column, rule: model.ColumnRule, origin: conversion.Origin
    ) -> None:
        """Find constants and mapped values that the column does not take."""
        said = [] if rule.constant is None else [rule.constant]
        said += [value for value in (rule.values or {}).values() if value is not None]
        for value in dict.fromkeys(said):
            if not self._fits(column, origin, value):
                near = reading.nearest(value, column.enum) if column.enum else f" (type {column.type})"
                self._mistake(f"{column.name} does not take the value {value!r}{near}")

    def _fits(self, column: contract_model.Column, origin: conversion.Origin, value: str) -> bool:
        tried = conversion.Origin(
            sql=duck.literal(value),
            type="VARCHAR",
            factor=origin.factor,
            strip=origin.strip,
            date_format=origin.date_format,
        )
        made = conversion.conversion(
            column=column, origin=tried, place=0, zone=self._context.timezone, required=False, key=False
        )
        query = "SELECT 1 AS one"
        for name, sql in [*made.given, *made.steps]:
            query = f"SELECT *, {sql} AS {name} FROM ({query})"
        wrong = " OR ".join(f"coalesce({condition}, false)" for _, condition in made.faults) or "false"
        return not self._context.con.execute(f"SELECT {wrong} FROM ({query})").fetchall()[0][0]


def _empty_relation(columns: Sequence[parts.SourceColumn], joins: Sequence[plan.JoinPlan]) -> str:
    """Return SQL of the feed's sources without rows, to try expressions on."""
    pseudo = f"CAST(NULL AS VARCHAR) AS {expressions.FILE}, CAST(NULL AS BIGINT) AS {expressions.LINE}"
    own = f"(SELECT {pseudo}{_nulls(columns)} WHERE false) AS {plan.MAIN}"
    return ", ".join([own, *(f"(SELECT 1{_nulls(join.columns)}) AS {join.alias}" for join in joins)])


def _nulls(columns: Sequence[parts.SourceColumn]) -> str:
    return "".join(f", CAST(NULL AS {column.type}) AS {duck.name(column.name)}" for column in columns)
