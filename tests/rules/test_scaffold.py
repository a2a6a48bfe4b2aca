"""A new rule works at once, whatever table it begins with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mingcha.contract import load as contract_load
from mingcha.kernel import errors
from mingcha.rules import book as books
from mingcha.rules import lint, proving, scaffold

FIRST = {"rule_id": "PRI-901", "name": "big_bill", "title_zh": "大额账单", "title_en": "It's a big bill"}


def plan(**more: Any) -> scaffold.Plan:
    return scaffold.Plan(**{**FIRST, **more})


def test_every_table_with_a_number_gives_a_rule_that_passes(tmp_path: Path) -> None:
    number = 900
    for table in contract_load.contract().tables.values():
        measured = [column.name for column in table.columns if column.type in scaffold.NUMBERS]
        for column in measured[:1]:
            number += 1
            scaffold.new(
                plan=plan(
                    rule_id=f"MET-{number}", name=table.name, table=table.name, column=column, limit="10"
                ),
                root=tmp_path,
            )

    assert [str(problem) for problem in lint.lint(root=tmp_path)] == []
    book = books.load(root=tmp_path)
    failures = proving.prove_all(book=book, rules=book.rules.values())
    assert len(failures) > 30
    assert [str(failure) for found in failures.values() for failure in found] == []


def test_begins_as_a_draft_in_the_folder_of_its_area(tmp_path: Path) -> None:
    folder = scaffold.new(plan=plan(), root=tmp_path)

    assert folder == tmp_path / "pricing" / "big_bill"
    rule = books.load(root=tmp_path).rules["PRI-901"]
    assert rule.sheet.status == "draft"
    assert rule.sheet.title.en == "It's a big bill"
    assert rule.sheet.needs["bill"] == ("amount", "bill_id", "billing_period", "customer_id")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"rule_id": "XXX-901"}, "is no rule id"),
        ({"rule_id": "PRI-1"}, "is no rule id"),
        ({"name": "Big bill"}, "is no folder name"),
        ({"table": "bills"}, "there is no table bills"),
        ({"column": "kind"}, "bill.kind is no number"),
        ({"limit": "-1"}, "is no limit"),
        ({"title_zh": " "}, "a title is missing"),
    ],
)
def test_refuses_a_plan_that_cannot_be_carried_out(tmp_path: Path, more: dict[str, str], words: str) -> None:
    with pytest.raises(errors.BookError, match=words):
        scaffold.new(plan=plan(**more), root=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_refuses_an_id_or_a_place_that_is_taken(tmp_path: Path) -> None:
    scaffold.new(plan=plan(), root=tmp_path)

    with pytest.raises(errors.BookError, match="the id PRI-901 is taken"):
        scaffold.new(plan=plan(name="other"), root=tmp_path)
    with pytest.raises(errors.BookError, match="exists already"):
        scaffold.new(plan=plan(rule_id="PRI-902"), root=tmp_path)


def test_knows_the_next_free_id() -> None:
    assert scaffold.free_id("PRI", {"PRI-901", "PRI-902", "COL-903"}) == "PRI-903"
