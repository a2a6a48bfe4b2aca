"""Versions counted by machine; nothing changes unseen and nothing disappears."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from mingcha.kernel import errors
from mingcha.rules import book as books
from mingcha.rules import graph, lock

from .conftest import BOOK


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "book"
    shutil.copytree(BOOK, root)
    lock.update(books.load(root=root))
    return root


def change(root: Path, file: str, old: str, new: str) -> books.Book:
    path = root / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return books.load(root=root)


def told(book: books.Book) -> list[str]:
    return [f"{problem.field}: {problem.what}" for problem in lock.check(book)]


class TestLock:
    def test_agrees_with_the_book_it_was_written_from(self, root: Path) -> None:
        book = books.load(root=root)

        assert told(book) == []
        assert set(lock.versions(book).values()) == {1}

    @pytest.mark.parametrize(
        ("file", "old", "new"),
        [
            ("pricing/bill_above_limit/query.sql", "amount > :limit_cny", "amount >= :limit_cny"),
            ("pricing/bill_above_limit/rule.yaml", 'default: "1000"', 'default: "999"'),
            ("pricing/bill_above_limit/rule.yaml", "severity: M", "severity: H"),
        ],
    )
    def test_a_change_of_results_makes_a_new_version(self, root: Path, file: str, old: str, new: str) -> None:
        book = change(root, file, old, new)
        assert told(book) == ["PRI-901: changed since it was locked: results"]

        lock.update(book)

        assert lock.versions(book) == {"COL-901": 1, "PRI-901": 2, "PRI-902": 1}
        assert told(book) == []

    def test_a_change_of_a_relation_reaches_every_rule_on_it(self, root: Path) -> None:
        book = change(root, "relations/month_total/query.sql", "max(org_id)", "min(org_id)")

        assert told(book) == ["COL-901: changed since it was locked: results"]

    @pytest.mark.parametrize(
        ("file", "old", "new"),
        [
            ("pricing/bill_above_limit/rule.yaml", "Check and refund.", "Check and pay back."),
            ("pricing/bill_above_limit/rule.yaml", "status: live", "status: trial"),
            ("pricing/bill_above_limit/guide.en.md", "Says", "Tells"),
            ("pricing/bill_above_limit/rule.yaml", "owner: pricing", "owner: billing"),
        ],
    )
    def test_a_change_of_words_is_seen_and_keeps_the_version(
        self, root: Path, file: str, old: str, new: str
    ) -> None:
        book = change(root, file, old, new)
        assert told(book) == ["PRI-901: changed since it was locked: words"]

        lock.update(book)

        assert lock.versions(book)["PRI-901"] == 1

    def test_a_rule_may_not_disappear(self, root: Path) -> None:
        shutil.rmtree(root / "collection" / "month_jump")
        book = books.load(root=root)

        assert told(book) == ["COL-901: is locked but no longer in the book"]
        with pytest.raises(errors.BookError, match="ids are never reused"):
            lock.update(book)

    def test_a_damaged_lock_is_refused(self, root: Path) -> None:
        (root / lock.FILE).write_text("{")

        with pytest.raises(errors.BookError, match="cannot be read"):
            lock.versions(books.load(root=root))


class TestTrust:
    """`needs` are believed without parsing exactly where the lock has proven them."""

    @pytest.fixture
    def parsed(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        asked: list[str] = []
        original = graph.qualified

        def watched(sql: str, schema: graph.Schema, *, source: str) -> Any:
            asked.append(source)
            return original(sql, schema, source=source)

        monkeypatch.setattr(graph, "qualified", watched)
        return asked

    def test_locked_rules_are_not_parsed(self, root: Path, parsed: list[str]) -> None:
        book = books.load(root=root)

        believing, doubting = graph.Graph(book), graph.Graph(book, believe=False)

        for rule in book.rules.values():
            assert believing.relations_for(rule)
        assert parsed == []
        for rule in book.rules.values():
            assert believing.rule_reads(rule) == doubting.rule_reads(rule)

    def test_an_edited_query_is_parsed_again(self, root: Path, parsed: list[str]) -> None:
        book = change(root, "pricing/bill_above_limit/query.sql", "  org_id,\n", "  NULL AS org_id,\n")

        reads = graph.Graph(book).rule_reads(book.rules["PRI-901"])

        assert "org_id" not in reads["plain_bill"]
        assert parsed == ["PRI-901 query.sql", "PRI-901 rule.yaml population"]

    def test_needs_that_are_wrong_are_never_vouched_for(self, root: Path) -> None:
        sheet = "pricing/bill_above_limit/rule.yaml"
        book = change(root, sheet, "[amount, bill_id,", "[amount, bill_id, phone,")
        lock.update(book)

        reads = graph.Graph(books.load(root=root)).rule_reads(book.rules["PRI-901"])

        assert "phone" not in reads["plain_bill"]
