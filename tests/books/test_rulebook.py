"""Every rule of the shipped book is well made and proves itself."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

import pytest

from mingcha import rulebook
from mingcha.contract import load as contract_load
from mingcha.rules import book as books
from mingcha.rules import fuse, graph, lint, lock, proving

BOOK, PROBLEMS = books.read()
RULES = sorted(BOOK.rules)
# Relations of the catalogue that no rule of this book reads yet.
WAITING = {"point_day"}
ALARMS = rulebook.ROOT / "known_alarms.csv"


@pytest.fixture(scope="module")
def prover() -> Iterator[proving.Prover]:
    prover = proving.Prover(BOOK)
    yield prover
    prover.bench.close()


@pytest.fixture(scope="module")
def linter() -> Iterator[lint.Linter]:
    linter = lint.Linter(BOOK)
    yield linter
    linter.close()


class TestReading:
    def test_finds_no_mistake(self) -> None:
        assert [str(problem) for problem in PROBLEMS] == []

    def test_finds_rules(self) -> None:
        assert len(RULES) >= 25


@pytest.mark.parametrize("rule_id", RULES)
class TestEveryRule:
    def test_has_no_mistake(self, rule_id: str, linter: lint.Linter) -> None:
        assert [str(problem) for problem in linter.rule(BOOK.rules[rule_id])] == []

    def test_does_what_its_examples_promise(self, rule_id: str, prover: proving.Prover) -> None:
        assert [str(failure) for failure in prover.prove(BOOK.rules[rule_id])] == []

    def test_explains_itself_in_both_languages(self, rule_id: str) -> None:
        guides = BOOK.rules[rule_id].guides
        assert sorted(guides) == ["en", "zh"]
        assert re.search(r"[\u4e00-\u9fff]", guides["zh"])
        assert min(len(guides["zh"]), len(guides["en"])) > 100

    def test_shows_no_secret(self, rule_id: str) -> None:
        secret = {
            column.name
            for table in contract_load.contract().tables.values()
            for column in table.columns
            if column.privacy == "secret"
        }
        assert secret.isdisjoint(BOOK.rules[rule_id].columns)

    def test_finds_the_same_through_shared_scans(self, rule_id: str, prover: proving.Prover) -> None:
        rule = BOOK.rules[rule_id]
        query = rule.sql
        scans = fuse.scans_of(rule=rule, graph=prover.graph)
        for scan in sorted(scans, key=lambda scan: scan.start, reverse=True):
            columns = ", ".join(f'"{name}"' for name in sorted(scan.columns)) or "1 AS nothing"
            alias = "" if scan.named else f' AS "{scan.table}"'
            inner = f'(SELECT {columns} FROM "{scan.table}" WHERE {scan.condition}){alias}'
            query = query[: scan.start] + inner + query[scan.end :]
        for example in rule.examples.examples if scans else ():
            plain, shared = prover.run(rule, example), prover.run(rule, example, query=query)
            assert sorted(map(str, plain.rows)) == sorted(map(str, shared.rows)), example.name


@pytest.mark.parametrize("name", sorted(BOOK.relations))
def test_every_relation_has_no_mistake(name: str, linter: lint.Linter) -> None:
    assert [str(problem) for problem in linter.relation(BOOK.relations[name])] == []


def test_every_relation_is_used_or_waits_for_rules_to_come() -> None:
    reading = graph.Graph(BOOK)
    used = {name for rule in BOOK.rules.values() for name in reading.relations_for(rule)}
    assert set(BOOK.relations) - used == WAITING, (
        "a relation in use no longer waits; an unused one is dropped"
    )


class TestLaw:
    def test_every_topic_is_somebodys_ground(self) -> None:
        used = {topic for rule in BOOK.rules.values() for topic in rule.sheet.basis}
        assert set(BOOK.law) - used == set()

    @pytest.mark.parametrize("topic", sorted(BOOK.law))
    def test_articles_are_in_order_and_were_checked_while_in_force(self, topic: str) -> None:
        entries = BOOK.law[topic].entries
        begins = [entry.in_force_from for entry in entries]
        assert begins == sorted(begins), "give the oldest text first"
        for entry in entries:
            assert entry.in_force_from <= entry.still_valid_on
            assert entry.in_force_to is None or entry.in_force_from < entry.in_force_to


class TestLock:
    def test_agrees_with_the_book(self) -> None:
        assert [str(problem) for problem in lock.check(BOOK)] == []


class TestKnownAlarms:
    def test_each_names_a_rule_and_a_reason(self) -> None:
        with ALARMS.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            assert row["rule_id"] in BOOK.rules
            assert row["reason"].strip(), f"{row['rule_id']} {row['subject_id']}: defend the alarm"
