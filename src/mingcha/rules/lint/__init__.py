"""Everything that can be known to be wrong with the book before it runs, told all at once.

In order: reading (strict), sheets, what queries read, DuckDB's own word on empty tables, the fence of
portable SQL, output columns, translation to Spark, examples.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from mingcha.kernel import errors
from mingcha.rules import book as books
from mingcha.rules import compile as compiler
from mingcha.rules import graph as graphs
from mingcha.rules.bench import Bench
from mingcha.rules.lint import fence, needs, output, proofs, sheet
from mingcha.rules.problems import Problem, raise_all
from mingcha.store import dialect, sparksql

__all__ = ["check", "lint", "write_needs"]


def check(*, root: Path | None = None, ids: Iterable[str] | None = None) -> None:
    """Raise BookError naming every mistake of the book, or of the rules and relations in `ids`."""
    raise_all(lint(root=root, ids=ids), what="the rulebook")


def lint(*, root: Path | None = None, ids: Iterable[str] | None = None) -> list[Problem]:
    """Return every mistake of the book under `root`, or only those of the rules and relations in `ids`."""
    book, problems = books.read(root=root)
    chosen = set(book.rules) | set(book.relations) if ids is None else set(ids)
    found = [problem for problem in problems if ids is None or _concerns(problem, chosen, book)]
    linter = Linter(book)
    for name in sorted(chosen & set(book.relations)):
        found += linter.relation(book.relations[name])
    for name in sorted(chosen & set(book.rules)):
        found += linter.rule(book.rules[name])
    linter.close()
    return list(dict.fromkeys(found))


def write_needs(*, root: Path | None = None, ids: Iterable[str] | None = None) -> list[Path]:
    """Write `needs` as the queries read into the sheets of `ids` (default all); return changed files."""
    book, _ = books.read(root=root)
    graph = graphs.Graph(book, believe=False)
    chosen = set(book.rules) | set(book.relations) if ids is None else set(ids)
    changed = []
    for name in sorted(chosen):
        if name in book.relations:
            relation = book.relations[name]
            changed += needs.write(relation.folder / "relation.yaml", graph.relation_reads(relation))
        elif name in book.rules:
            rule = book.rules[name]
            changed += needs.write(rule.folder / "rule.yaml", graph.rule_reads(rule))
    return changed


def _concerns(problem: Problem, chosen: set[str], book: books.Book) -> bool:
    folders = {book.rules[name].name for name in chosen if name in book.rules}
    folders |= {f"relations/{name}" for name in chosen}
    return any(problem.where.startswith(f"{folder}/") for folder in folders)


class Linter:
    """Checks entries of one book on one bench of empty tables."""

    def __init__(self, book: books.Book) -> None:
        self.book = book
        self.graph = graphs.Graph(book, believe=False)
        self.bench = Bench(self.graph)

    def close(self) -> None:
        """Close the bench."""
        self.bench.close()

    def rule(self, rule: books.Rule) -> list[Problem]:
        """Return every mistake of a rule."""
        found = list(sheet.problems(rule=rule, book=self.book))
        found += proofs.problems(rule=rule)
        file = f"{rule.name}/query.sql"
        try:
            sql = compiler.rule_sql(sheet=rule.sheet, sql=rule.sql, moment=graphs.SOME_MOMENT)
            strange = self._strange_tables(sql, rule.id)
            if strange:
                return found + [Problem(file, "", what, mend) for what, mend in strange]
            self.bench.relations(self.graph.relations_for(rule), graphs.SOME_MOMENT)
            given = output.described(bench=self.bench, sql=sql, source=rule.id)
            self.bench.rows(compiler.population_sql(sheet=rule.sheet, moment=graphs.SOME_MOMENT), rule.id)
            reads = self.graph.rule_reads(rule)
        except errors.MingchaError as error:
            return [*found, Problem(file, "", error.what, error.mend)]
        stated = {name: tuple(columns) for name, columns in rule.sheet.needs.items()}
        found += needs.problems(where=f"{rule.name}/rule.yaml", stated=stated, reads=reads)
        complaints = [*output.complaints(sheet=rule.sheet, given=given), *self._portability(sql, rule.id)]
        return found + [Problem(file, "", what, mend) for what, mend in complaints]

    def _strange_tables(self, sql: str, source: str) -> list[fence.Complaint]:
        tree = graphs.parse(sql, source=source)
        return list(fence.tables(tree=tree, schema=self.graph.schema))

    def relation(self, relation: books.Relation) -> list[Problem]:
        """Return every mistake of a relation."""
        folder = f"relations/{relation.folder.name}"
        found = list(sheet.relation_problems(relation=relation, book=self.book))
        try:
            sql = compiler.relation_sql(sheet=relation.sheet, sql=relation.sql, moment=graphs.SOME_MOMENT)
            strange = self._strange_tables(sql, relation.name)
            if strange:
                return found + [Problem(f"{folder}/query.sql", "", what, mend) for what, mend in strange]
            below = self.graph.relations_of(self.graph.relation_reads(relation))
            self.bench.relations(below, graphs.SOME_MOMENT)
            given = output.described(bench=self.bench, sql=sql, source=relation.name)
            reads = self.graph.relation_reads(relation)
        except errors.MingchaError as error:
            return [*found, Problem(f"{folder}/query.sql", "", error.what, error.mend)]
        stated = {name: tuple(columns) for name, columns in relation.sheet.needs.items()}
        found += needs.problems(where=f"{folder}/relation.yaml", stated=stated, reads=reads)
        complaints = [
            *output.relation_complaints(sheet=relation.sheet, given=given),
            *self._portability(sql, relation.name),
        ]
        return found + [Problem(f"{folder}/query.sql", "", what, mend) for what, mend in complaints]

    def _portability(self, sql: str, source: str) -> Iterator[fence.Complaint]:
        schema = self.graph.schema
        tree = graphs.parse(sql, source=source)
        typed = sparksql.typed(graphs.qualified(sql, schema, source=source), schema=schema)
        fenced = list(dict.fromkeys(fence.complaints(tree=tree, typed=typed)))
        yield from fenced
        if not fenced:
            try:
                dialect.to_spark(sql, schema=schema)
            except errors.BookError as error:
                yield error.what, error.mend
