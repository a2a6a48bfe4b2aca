"""Cards, coverage, schemas: what the book says to people and editors."""

from __future__ import annotations

from datetime import date

import pytest

from mingcha.kernel.periods import BillingMonth
from mingcha.rules import book as books
from mingcha.rules import card, coverage, dev, moments, schema

from .conftest import BOOK, Utility, bill, customer


class TestCard:
    def test_tells_the_rule_in_either_language(self, book: books.Book) -> None:
        english = card.markdown(
            rule=book.rules["COL-901"], book=book, language="en", day=date(2026, 3, 1), version=7
        )
        chinese = card.markdown(rule=book.rules["COL-901"], book=book, language="zh", day=date(2026, 3, 1))

        assert english.startswith("# COL-901 Energy of a month jumps\n")
        assert "- Version: 7" in english
        assert "| `times` | 2 | ratio | 1 … 10 | collection | Twice and more. |" in english
        assert "- `excl_change` (may be missing): customer_id, kind" in english
        assert "- near miss: exactly twice" in english
        assert chinese.startswith("# COL-901 月电量突变\n")
        assert "两倍起。" in chinese

    @pytest.mark.parametrize(
        ("day", "article"),
        [(date(2024, 5, 31), "Sample code (old) 80"), (date(2024, 6, 1), "Sample code 81")],
    )
    def test_quotes_the_law_in_force_on_the_day(self, book: books.Book, day: date, article: str) -> None:
        text = card.markdown(rule=book.rules["PRI-901"], book=book, language="en", day=day)

        assert f"**Settling of charges** {article}: " in text
        assert text.count("**Settling of charges**") == 1

    def test_quotes_nothing_before_the_first_text(self, book: books.Book) -> None:
        text = card.markdown(rule=book.rules["PRI-901"], book=book, language="en", day=date(2019, 1, 1))

        assert "## Basis" not in text


class TestCoverage:
    def test_says_of_every_rule_whether_it_can_run(self, utility: Utility) -> None:
        snapshot = utility.deliver(
            {
                "customer": [customer("C1")],
                "bill": [bill("B0", period="2026-02"), bill("B1"), bill("B2", period="2026-04")],
            }
        )

        verdicts = {v.rule_id: v for v in coverage.coverage(snapshot=snapshot, book=utility.book)}

        assert verdicts["PRI-901"].runs
        assert verdicts["COL-901"].runs
        assert verdicts["COL-901"].not_applied == ("excl_change",)
        early = coverage.coverage(snapshot=snapshot, book=utility.book, period=BillingMonth(2026, 2))
        assert [v.rule_id for v in early if not v.runs] == ["COL-901"]

    def test_takes_the_last_month_that_is_over(self, utility: Utility) -> None:
        bills = [bill("B1"), bill("B2", period="2026-04")]
        snapshot = utility.deliver({"bill": bills}, as_of=date(2026, 4, 29))
        later = utility.deliver({"bill": [bill("B3")]}, as_of=date(2026, 4, 30))

        assert moments.default_period(snapshot) == BillingMonth(2026, 3)
        assert moments.default_period(later) == BillingMonth(2026, 4)

    def test_falls_back_on_the_data_date(self, utility: Utility) -> None:
        snapshot = utility.deliver({"customer": [customer("C1")]}, as_of=date(2026, 4, 10))

        assert moments.default_period(snapshot) == BillingMonth(2026, 3)

    def test_tells_how_much_history_there_is(self, utility: Utility) -> None:
        snapshot = utility.deliver({"bill": [bill("B0", period="2025-11"), bill("B1")]})

        there = moments.history(snapshot=snapshot, tables=["bill", "meter"], period=BillingMonth(2026, 3))

        assert there == {"bill": 4}


def test_schemas_in_the_package_are_those_of_the_code() -> None:
    for name, expected in schema.schemas().items():
        kept = (schema.FOLDER / name).read_text(encoding="utf-8")
        assert kept == schema.text(expected), f"{name} is stale: python -m mingcha.rules.dev schemas"


class TestAuthorsDoor:
    def test_tests_lints_and_explains(self, capsys: pytest.CaptureFixture[str]) -> None:
        root = ["--root", str(BOOK)]

        assert dev.main(["test", "PRI-901", *root]) == 0
        assert "6 examples, ok" in capsys.readouterr().out
        assert dev.main(["lint", *root]) == 0
        assert "no mistakes" in capsys.readouterr().out
        assert dev.main(["explain", "PRI-901", "plain_bill", *root]) == 0
        shown = capsys.readouterr().out
        assert "amount > 1000.0" in shown
        assert "-- relation plain_bill" in shown

    def test_says_when_there_is_no_such_rule(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert dev.main(["test", "PRI-999", "--root", str(BOOK)]) == 1
        assert "PRI-999: no readable rule" in capsys.readouterr().err
