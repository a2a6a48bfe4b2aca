"""For authors of rules, while the command line is not at hand: `python -m mingcha.rules.dev test MET-001`.

Reads the book even where other folders are still broken, and speaks only of the rules asked for.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from mingcha.kernel import errors
from mingcha.rules import book as books
from mingcha.rules import compile as compiler
from mingcha.rules import lint as linting
from mingcha.rules import lock, proving, schema
from mingcha.rules.graph import SOME_MOMENT, Graph


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return 0 when all is well, 1 when something is wrong, 2 for bad usage."""
    parser = argparse.ArgumentParser(prog="python -m mingcha.rules.dev", description=__doc__)
    parser.add_argument("command", choices=sorted(COMMANDS))
    parser.add_argument("ids", nargs="*", help="rule ids or relation names; none means all")
    parser.add_argument("--root", type=Path, default=None, help="another rulebook than the shipped one")
    parser.add_argument("--write-needs", action="store_true", help="lint: write `needs` as the query reads")
    parser.add_argument("--check", action="store_true", help="lock: only compare")
    options = parser.parse_args(arguments)
    try:
        return COMMANDS[options.command](options)
    except errors.MingchaError as error:
        _say(str(error), err=True)
        return 2


def _test(options: argparse.Namespace) -> int:
    book, rules, bad = _chosen(options)
    started = time.perf_counter()
    prover = proving.Prover(book)
    count = 0
    for rule in rules:
        failures = prover.prove(rule)
        count += len(rule.examples.examples)
        bad += len(failures)
        state = f"{len(failures)} failures" if failures else "ok"
        _say(f"{rule.id} {rule.sheet.title.en}: {len(rule.examples.examples)} examples, {state}")
        for failure in failures:
            _say(f"  {failure}")
    _say(f"{count} examples of {len(rules)} rules in {time.perf_counter() - started:.1f} s")
    return 1 if bad else 0


def _lint(options: argparse.Namespace) -> int:
    if options.write_needs:
        for path in linting.write_needs(root=options.root, ids=options.ids or None):
            _say(f"wrote needs into {path}")
    problems = linting.lint(root=options.root, ids=options.ids or None)
    for problem in problems:
        _say(f"  {problem}")
    _say(f"{len(problems)} mistakes" if problems else "no mistakes")
    return 1 if problems else 0


def _lock(options: argparse.Namespace) -> int:
    book = books.load(root=options.root)
    if options.check:
        problems = lock.check(book)
        for problem in problems:
            _say(f"  {problem}")
        return 1 if problems else 0
    _say(f"wrote {lock.update(book)}")
    return 0


def _schemas(options: argparse.Namespace) -> int:
    for path in schema.write():
        _say(f"wrote {path}")
    return 0


def _explain(options: argparse.Namespace) -> int:
    book, rules, bad = _chosen(options)
    for rule in rules:
        _say(f"-- {rule.id}\n{compiler.rule_sql(sheet=rule.sheet, sql=rule.sql, moment=SOME_MOMENT)}\n")
    for name in options.ids:
        if name in book.relations:
            relation = book.relations[name]
            sql = compiler.relation_sql(sheet=relation.sheet, sql=relation.sql, moment=SOME_MOMENT)
            _say(f"-- relation {name}\n{sql}\n")
    return 1 if bad else 0


def _chosen(options: argparse.Namespace) -> tuple[books.Book, list[books.Rule], int]:
    """Return the book, the rules asked for, and how many mistakes their folders hold (told as found)."""
    book, problems = books.read(root=options.root)
    ids = options.ids or sorted(book.rules)
    rules = [book.rules[name] for name in ids if name in book.rules]
    folders = {rule.name for rule in rules} | _relation_folders(book, rules)
    unknown = [name for name in ids if name not in book.rules and name not in book.relations]
    told = [
        problem
        for problem in problems
        if not options.ids or unknown or any(problem.where.startswith(f"{folder}/") for folder in folders)
    ]
    for problem in told:
        _say(f"  {problem}", err=True)
    for name in unknown:
        _say(f"  {name}: no readable rule or relation of that name", err=True)
    return book, rules, len(told) + len(unknown)


def _relation_folders(book: books.Book, rules: list[books.Rule]) -> set[str]:
    graph = Graph(book)
    names: set[str] = set()
    for rule in rules:
        try:
            names.update(graph.relations_for(rule))
        except errors.BookError:
            continue  # told with the rule itself
    return {f"relations/{name}" for name in names}


def _say(text: str, *, err: bool = False) -> None:
    (sys.stderr if err else sys.stdout).write(text + "\n")


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "explain": _explain,
    "lint": _lint,
    "lock": _lock,
    "schemas": _schemas,
    "test": _test,
}

if __name__ == "__main__":
    raise SystemExit(main())
