"""A rule that asks for history the books do not have: refused, or run with a note."""

from __future__ import annotations

import pytest

from mingcha.rules import book, coverage


@pytest.fixture(scope="module")
def rules() -> dict[str, book.Rule]:
    return book.load().rules


class TestHistorySaid:
    def test_refuses_a_comparing_rule_without_any_earlier_month(self, rules: dict[str, book.Rule]) -> None:
        because, note = coverage.history_said(rule=rules["REA-008"], history={"bill": 0})

        assert because is not None
        assert "24 months" in because
        assert note is None

    def test_lets_a_rule_run_whose_history_is_optional_and_says_so(self, rules: dict[str, book.Rule]) -> None:
        because, note = coverage.history_said(rule=rules["REA-007"], history={"reading": 0})

        assert because is None
        assert note is not None
        assert "have 0 of 12 months (reading)" in note
