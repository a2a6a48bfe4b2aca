"""Versions counted by machine; nothing changes unseen and nothing disappears."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mingcha.kernel import errors
from mingcha.rules import book as books
from mingcha.rules import lock

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
