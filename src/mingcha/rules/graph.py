"""What reads what: the exact tables and columns of a query, and how relations build on each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer import pushdown_projections, qualify, scope

from mingcha.contract import load as contract_load
from mingcha.contract import model as contract_model
from mingcha.kernel import errors
from mingcha.kernel.periods import BillingMonth
from mingcha.rules import compile as compiler
from mingcha.rules import model, trust
from mingcha.rules.book import Book, Relation, Rule

Reads = dict[str, tuple[str, ...]]
Schema = dict[str, dict[str, str]]

# Any moment will do where only names and types matter.
SOME_MOMENT = compiler.Moment(period=BillingMonth(2026, 3), data_date=date(2026, 4, 10), history_months=12)


def sql_type(kind: str) -> str:
    """Return the DuckDB type of a logical type of the contract, or of `decimal`."""
    return contract_model.SQL_TYPES.get(kind, "DECIMAL(18,6)")


@dataclass(frozen=True)
class Source:
    """A table or relation reached from a rule: its columns, and the chain of relations that asks for it."""

    name: str
    columns: tuple[str, ...]
    chain: tuple[str, ...]
    optional: bool
    spared: frozenset[str] = frozenset()
    """The columns that a relation on the way, or the rule, can do without."""


class Graph:
    """The reading graph of one book over the contract. What was parsed is kept, so ask one graph often.

    `believe` takes `needs` that the lock has proven as they stand; the lint itself never believes.
    """

    def __init__(self, book: Book, *, believe: bool = True) -> None:
        self.book = book
        self._proven = trust.proven(book) if believe else frozenset()
        self._pruned: dict[tuple[str, tuple[str, ...]], Reads] = {}
        self._direct: dict[str, Reads] = {}

    @cached_property
    def schema(self) -> Schema:
        """Return {table or relation: {column: DuckDB type}}."""
        relations = {
            relation.name: {column.name: sql_type(column.type) for column in relation.sheet.columns}
            for relation in self.book.relations.values()
        }
        return {**contract_load.lint_schema(), **relations}

    def rule_reads(self, rule: Rule) -> Reads:
        """Return the tables and relations a rule's query and population name, with the columns read."""
        if rule.id not in self._direct and trust.rule_digest(rule) in self._proven:
            self._direct[rule.id] = dict(sorted(rule.sheet.needs.items()))
        if rule.id not in self._direct:
            source = f"{rule.id} query.sql"
            sql = compiler.rule_sql(sheet=rule.sheet, sql=rule.sql, moment=SOME_MOMENT)
            people = compiler.population_sql(
                sheet=rule.sheet, moment=SOME_MOMENT, what=rule.sheet.population.subject or "count(*)"
            )
            self._direct[rule.id] = merge(
                reads_of(qualified(sql, self.schema, source=source)),
                reads_of(qualified(people, self.schema, source=f"{rule.id} rule.yaml population")),
            )
        return self._direct[rule.id]

    def relation_reads(self, relation: Relation, columns: Iterable[str] | None = None) -> Reads:
        """Return what a relation reads to give `columns` (all of them by default)."""
        wanted = tuple(sorted(set(relation.columns if columns is None else columns)))
        key = (relation.name, wanted if columns is not None else ("*",))
        if columns is None and trust.relation_digest(relation) in self._proven:
            return dict(sorted(relation.sheet.needs.items()))
        if key not in self._pruned:
            sql = compiler.relation_sql(sheet=relation.sheet, sql=relation.sql, moment=SOME_MOMENT)
            projection = ", ".join(f'"{name}"' for name in wanted) or "count(*)"
            whole = f"SELECT {projection} FROM ({sql}) AS relation"
            tree = qualified(whole, self.schema, source=f"relation {relation.name} query.sql")
            if columns is not None:
                tree = pushdown_projections.pushdown_projections(tree)
            self._pruned[key] = reads_of(tree)
        return self._pruned[key]

    def sources(self, rule: Rule, *, exact: bool = True) -> list[Source]:
        """Return every contract table a rule reaches, directly or through relations, column by column.

        Without `exact`, a relation counts with all columns it reads, also those the rule does not use:
        more than the rule needs, but told without parsing.
        """
        self.relations_for(rule)  # refuses relations that go round in a circle
        found: list[Source] = []
        self._walk(self.rule_reads(rule), rule.sheet.optional, found, exact=exact)
        return found

    def _walk(
        self,
        reads: Reads,
        optional: tuple[str, ...],
        found: list[Source],
        *,
        exact: bool,
        chain: tuple[str, ...] = (),
        spared: bool = False,
    ) -> None:
        for name, columns in sorted(reads.items()):
            free = spared or name in optional
            relation = self.book.relations.get(name)
            if relation is None:
                without = frozenset(column for column in columns if f"{name}.{column}" in optional)
                found.append(Source(name, columns, chain, free, without))
                continue
            below = self.relation_reads(relation, columns if exact else None)
            allowed = relation.sheet.optional + optional
            self._walk(below, allowed, found, exact=exact, chain=(*chain, name), spared=free)

    def relations_of(self, names: Iterable[str]) -> list[str]:
        """Return the relations among `names` and below them, each after those it builds on."""
        ordered: list[str] = []
        for name in sorted(set(names)):
            self._order(name, ordered, ())
        return ordered

    def _order(self, name: str, ordered: list[str], path: tuple[str, ...]) -> None:
        relation = self.book.relations.get(name)
        if relation is None or name in ordered:
            return
        if name in path:
            raise errors.BookError(
                f"relations go round in a circle: {' → '.join([*path, name])}",
                why="each relation must be built before those that read it",
                mend="let one of them read contract tables instead",
            )
        for below in sorted(self.relation_reads(relation)):
            self._order(below, ordered, (*path, name))
        ordered.append(name)

    def relations_for(self, rule: Rule) -> list[str]:
        """Return the relations a rule needs, in building order."""
        return self.relations_of(self.rule_reads(rule))

    def tables_of(self, names: Iterable[str]) -> set[str]:
        """Return the contract tables that the tables and relations in `names` rest on."""
        tables: set[str] = set()
        for name in names:
            relation = self.book.relations.get(name)
            if relation is None:
                tables.add(name)
            else:
                tables |= self.tables_of(self.relation_reads(relation))
        return tables


def parse(sql: str, *, source: str) -> exp.Query:
    """Return the tree of one SELECT; raises BookError with the parser's place for anything else."""
    try:
        trees = sqlglot.parse(sql, dialect="duckdb")
    except SqlglotError as error:
        raise _unreadable(source, str(error).splitlines()[0]) from error
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        raise _unreadable(source, "it is not exactly one SELECT")
    return trees[0]


def qualified(sql: str, schema: Schema, *, source: str) -> exp.Expr:
    """Return the tree with every column tied to its table; raises BookError for a column nobody has."""
    tree = parse(sql, source=source)
    try:
        return qualify.qualify(tree, schema=dict(schema), dialect="duckdb", validate_qualify_columns=True)
    except SqlglotError as error:
        raise _unreadable(source, str(error).splitlines()[0]) from error


def reads_of(tree: exp.Expr) -> Reads:
    """Return {table: columns} that a qualified tree reads; a table read without columns has ()."""
    found: dict[str, set[str]] = {}
    for part in scope.traverse_scope(tree):
        for source in part.sources.values():
            if isinstance(source, exp.Table):
                found.setdefault(source.name, set())
        for column in part.columns:
            owner = part.sources.get(column.table)
            if isinstance(owner, exp.Table):
                found.setdefault(owner.name, set()).add(column.name)
    return {name: tuple(sorted(columns)) for name, columns in found.items()}


def merge(*several: Mapping[str, Iterable[str]]) -> Reads:
    """Return the union of readings, table by table."""
    found: dict[str, set[str]] = {}
    for reads in several:
        for name, columns in reads.items():
            found.setdefault(name, set()).update(columns)
    return {name: tuple(sorted(columns)) for name, columns in sorted(found.items())}


def _unreadable(source: str, said: str) -> errors.BookError:
    return errors.BookError(
        f"{source}: {said}",
        why="the engine must know which tables and columns a query reads before it may run",
        mend="correct the query; `mingcha rules lint` checks it again",
    )


def column_types(sheet: model.RuleSheet) -> dict[str, str]:
    """Return the evidence columns of a rule with their SQL types."""
    return {column.name: sql_type(column.type) for column in sheet.evidence}
