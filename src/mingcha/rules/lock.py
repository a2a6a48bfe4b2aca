"""`lock.json`: what every rule said when it was last released, and its version, counted by machine.

Two hashes per entry: `results` over what decides findings (query, parameters, relations), `words` over all
the rest. A change of results makes a new version; a change of words does not. Entries are never removed:
a rule that is no longer wanted is retired in its sheet, and its id is never given away again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mingcha.kernel import errors, ids
from mingcha.rules import problems as told
from mingcha.rules import trust
from mingcha.rules.book import Book, Relation, Rule
from mingcha.rules.graph import Graph
from mingcha.rules.problems import Problem

FILE = trust.FILE
# What decides which rows a rule gives, and under which identity; everything else is words.
DECIDING = (
    "id", "subject", "severity", "history_months", "episode", "parameters", "optional", "yields_to",
    "population", "rows",
)  # fmt: skip
_WORDS_OF_PARAMETER = ("owner", "reason", "unit", "threshold")


def read(book: Book) -> dict[str, Any]:
    """Return the lock of a book: {"rules": {id: {version, results, words}}}; empty where there is none."""
    path = book.root / FILE
    if not path.is_file():
        return {"rules": {}}
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        assert isinstance(held["rules"], dict)
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        raise errors.BookError(
            f"{path} cannot be read: {error}",
            why="it holds the versions findings refer to",
            mend="take it back from version control; it is written by machine only",
        ) from error
    return dict(held)


def versions(book: Book) -> dict[str, int]:
    """Return {rule id: version} as locked; a rule not locked yet has none."""
    return {rule_id: int(entry["version"]) for rule_id, entry in read(book)["rules"].items()}


def entries(book: Book) -> dict[str, dict[str, str]]:
    """Return {rule id: {results, words}} of the book as it is now."""
    graph = Graph(book, believe=False)
    return {rule.id: _hashes(rule, graph) for rule in book.rules.values()}


def _hashes(rule: Rule, graph: Graph) -> dict[str, str]:
    sheet = rule.sheet.model_dump(mode="json", by_alias=True)
    deciding = {name: sheet.pop(name) for name in DECIDING}
    said = {name: _split(deciding["parameters"], name) for name in deciding["parameters"]}
    # The output columns are results; their titles are words.
    columns = [[column.name, column.type] for column in rule.sheet.evidence]
    relations = [_relation(graph.book.relations[name]) for name in graph.relations_for(rule)]
    examples = rule.examples.model_dump(mode="json")
    return {
        "results": ids.digest([rule.sql, deciding, columns, relations]),
        "words": ids.digest([sheet, said, rule.guides, examples]),
    }


def _split(parameters: dict[str, Any], name: str) -> dict[str, Any]:
    return {word: parameters[name].pop(word) for word in _WORDS_OF_PARAMETER}


def _relation(relation: Relation) -> list[Any]:
    parameters = relation.sheet.model_dump(mode="json")["parameters"]
    for name in parameters:
        _split(parameters, name)
    sheet = relation.sheet
    return [relation.name, relation.sql, parameters, list(sheet.optional), sheet.history_months]


def check(book: Book) -> list[Problem]:
    """Return every difference between the book and its lock."""
    held, now = read(book)["rules"], entries(book)
    found = []
    for rule_id in sorted({*held, *now}):
        if rule_id not in now:
            mend = "put the rule back with status retired and a reason; ids are never reused"
            found.append(Problem(FILE, rule_id, "is locked but no longer in the book", mend))
        elif rule_id not in held:
            found.append(Problem(FILE, rule_id, "is not locked yet", "run `mingcha rules lock`"))
        else:
            changed = [part for part in ("results", "words") if held[rule_id][part] != now[rule_id][part]]
            if changed:
                mend = "run `mingcha rules lock`; a change of results gives the rule a new version"
                found.append(
                    Problem(FILE, rule_id, f"changed since it was locked: {', '.join(changed)}", mend)
                )
    return found


def update(book: Book) -> Path:
    """Write the lock of the book as it is now, counting versions on; return its file.

    Raises BookError when a locked rule is gone from the book.
    """
    held, now = read(book)["rules"], entries(book)
    gone = [problem for problem in check(book) if problem.field not in now]
    told.raise_all(gone, what="the rulebook's lock")
    rules = {rule_id: _next(held.get(rule_id), hashes) for rule_id, hashes in sorted(now.items())}
    path = book.root / FILE
    draft = path.with_suffix(".tmp")
    lock = {"rules": rules, trust.KEY: _proven(book)}
    draft.write_text(json.dumps(lock, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    draft.replace(path)
    return path


def _proven(book: Book) -> dict[str, str]:
    """Return {rule or relation: digest} of those whose `needs` are what their query reads."""
    graph = Graph(book, believe=False)
    found = {}
    for rule in book.rules.values():
        if _plain(rule.sheet.needs) == _plain(graph.rule_reads(rule)):
            found[rule.id] = trust.rule_digest(rule)
    for relation in book.relations.values():
        if _plain(relation.sheet.needs) == _plain(graph.relation_reads(relation)):
            found[relation.name] = trust.relation_digest(relation)
    return found


def _plain(needs: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    return {name: sorted(columns) for name, columns in needs.items()}


def _next(held: dict[str, Any] | None, now: dict[str, str]) -> dict[str, Any]:
    if held is None:
        return {"version": 1, **now}
    same = held["results"] == now["results"]
    return {"version": held["version"] if same else held["version"] + 1, **now}
