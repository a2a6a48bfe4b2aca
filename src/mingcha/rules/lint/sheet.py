"""What a rule's sheet says about itself: parameters used, texts fillable, other entries that exist."""

from __future__ import annotations

import string
from collections.abc import Iterator

from mingcha.contract import load as contract_load
from mingcha.rules import compile as compiler
from mingcha.rules.book import Book, Relation, Rule
from mingcha.rules.lint import output
from mingcha.rules.problems import Problem

OUTPUT_NAMES = frozenset(name for name, _ in output.FIXED)


def problems(*, rule: Rule, book: Book) -> Iterator[Problem]:
    """Yield every mistake of a rule's sheet that can be seen without running anything."""
    where = f"{rule.name}/rule.yaml"
    yield from _parameters(rule, where)
    yield from _texts(rule, where)
    yield from _links(rule, book, where)
    yield from _rows(rule, where)
    yield from _guides(rule)


def _parameters(rule: Rule, where: str) -> Iterator[Problem]:
    used = compiler.placeholders(rule.sql, source=rule.id)
    used |= compiler.placeholders(rule.sheet.population.where, source=rule.id)
    declared = set(rule.sheet.parameters)
    for name in sorted(used - declared - set(compiler.RULE_CONTEXT)):
        context = ", ".join(f":{word}" for word in compiler.RULE_CONTEXT)
        yield Problem(
            f"{rule.name}/query.sql", "", f":{name} is not declared", f"declare it, or use one of {context}"
        )
    for name in sorted(declared - used):
        yield Problem(where, f"parameters.{name}", "is never used", f"use :{name} in the query, or remove it")
    for name in sorted(declared & set(compiler.RULE_CONTEXT)):
        yield Problem(where, f"parameters.{name}", "is a name of the run", "choose another name")
    needs_history = {"history_period", "history_start"} & used
    if needs_history and rule.sheet.history_months == 0:
        mend = "state how many months before the screened one the query reads"
        yield Problem(where, "history_months", "is 0 but the query reads history", mend)


def _texts(rule: Rule, where: str) -> Iterator[Problem]:
    known = OUTPUT_NAMES | set(rule.columns) | set(rule.sheet.parameters)
    explain = rule.sheet.explain
    stories = {"expected": explain.expected, "found": explain.found, "matters": explain.matters}
    texts = {f"explain.{name}": text for name, text in stories.items()}
    texts |= {f"reasons.{name}": text for name, text in rule.sheet.reasons.items()}
    texts |= {"remedy": rule.sheet.remedy}
    for field, text in texts.items():
        for language in ("zh", "en"):
            for name, fault in _fields(text.of(language), known):
                mend = "name an evidence column, an output column or a parameter"
                yield Problem(where, f"{field}.{language}", f"{{{name}}} {fault}", mend)
    names = [*OUTPUT_NAMES, *rule.columns]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Problem(where, "evidence", f"{name} stands twice", "every column has its own name")


def _fields(text: str, known: set[str] | frozenset[str]) -> Iterator[tuple[str, str]]:
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError:
        yield text, "has an unclosed brace"
        return
    for _, name, form, _ in parts:
        if name is not None and (name not in known or form):
            yield name, "is no value of the finding" if name not in known else "carries a format"


def _links(rule: Rule, book: Book, where: str) -> Iterator[Problem]:
    for topic in rule.sheet.basis:
        if topic not in book.law:
            yield Problem(
                where, "basis", f"no law topic {topic}", f"add law/{topic}.yaml, or correct the name"
            )
    for other in rule.sheet.yields_to:
        if other not in book.rules:
            mend = "name a rule of the book, or leave it out until that rule exists"
            yield Problem(where, "yields_to", f"no rule {other}", mend)
    circle = _circle(rule.id, book)
    if circle:
        mend = "let one of them stand: if both yield, nobody reports the fact"
        yield Problem(where, "yields_to", f"goes round in a circle: {' → '.join(circle)}", mend)
    for name in rule.sheet.optional:
        source, _, column = name.partition(".")
        known = {**contract_load.lint_schema(), **{key: {} for key in book.relations}}
        if source not in known or (column and column not in known[source]):
            yield Problem(
                where, "optional", f"{name} does not exist", "name a table, table.column or relation"
            )


def _circle(start: str, book: Book) -> list[str]:
    stack = [[start]]
    while stack:
        path = stack.pop()
        rule = book.rules.get(path[-1])
        for other in rule.sheet.yields_to if rule else ():
            if other == start:
                return [*path, other]
            if other not in path:
                stack.append([*path, other])
    return []


def _rows(rule: Rule, where: str) -> Iterator[Problem]:
    given = OUTPUT_NAMES | set(rule.columns)
    for entry in rule.sheet.rows:
        table = contract_load.contract().every.get(entry.table)
        if table is None:
            yield Problem(where, "rows", f"no table {entry.table}", "name a table of the contract")
            continue
        if set(entry.key) != set(table.key):
            mend = f"map every key column: {', '.join(table.key)}"
            yield Problem(where, "rows", f"key of {entry.table} is {', '.join(entry.key)}", mend)
        for column in entry.key.values():
            if column not in given:
                mend = "add it to the query and to `evidence`"
                yield Problem(where, "rows", f"{column} is no output or evidence column", mend)


def _guides(rule: Rule) -> Iterator[Problem]:
    if len(rule.guides) == 1:
        (language,) = rule.guides
        other = "en" if language == "zh" else "zh"
        yield Problem(f"{rule.name}/guide.{other}.md", "", "missing", "write the guide in both languages")
    for language, text in rule.guides.items():
        if not text.strip():
            yield Problem(
                f"{rule.name}/guide.{language}.md", "", "is empty", "say something true, or remove it"
            )


def relation_problems(*, relation: Relation, book: Book) -> Iterator[Problem]:
    """Yield every mistake of a relation's sheet that can be seen without running anything."""
    where = f"relations/{relation.folder.name}/relation.yaml"
    used = compiler.placeholders(relation.sql, source=relation.name)
    declared = set(relation.sheet.parameters)
    for name in sorted(used - declared - set(compiler.RELATION_CONTEXT)):
        context = ", ".join(f":{word}" for word in compiler.RELATION_CONTEXT)
        mend = f"declare it, or use one of {context}; a relation serves all periods of a run"
        yield Problem(f"relations/{relation.folder.name}/query.sql", "", f":{name} is not declared", mend)
    for name in sorted(declared - used):
        yield Problem(where, f"parameters.{name}", "is never used", f"use :{name} in the query, or remove it")
    tables = contract_load.contract().every
    if relation.name in tables:
        yield Problem(where, "name", "is a table of the contract", "choose another name")
    for name in relation.sheet.optional:
        if name.partition(".")[0] not in tables and name not in book.relations:
            yield Problem(where, "optional", f"{name} does not exist", "name a table or relation")
