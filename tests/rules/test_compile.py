"""Placeholders become typed literals; everything else stays as the author wrote it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from mingcha.kernel import errors
from mingcha.kernel.periods import BillingMonth
from mingcha.rules import book as books
from mingcha.rules import compile as compiler
from mingcha.store import duck


def value_of(sql: str) -> Any:
    con = duck.connect()
    row = con.execute(f"SELECT {sql}").fetchone()
    con.close()
    assert row is not None
    return row[0]


class TestLiteral:
    @pytest.mark.parametrize(
        ("value", "sql"),
        [
            (Decimal("0.001"), "0.001"),
            (Decimal("1"), "1.0"),
            (Decimal("-2.50"), "(-2.50)"),
            (Decimal("1E-7"), "0.0000001"),
            (3, "3"),
            (-3, "(-3)"),
            (True, "TRUE"),
            ("it's", "'it''s'"),
            (date(2026, 2, 28), "DATE '2026-02-28'"),
            (("a", "b"), "'a', 'b'"),
        ],
    )
    def test_keeps_the_value_and_its_type(self, value: Any, sql: str) -> None:
        assert compiler.literal(value) == sql
        if not isinstance(value, tuple):
            assert value_of(sql) == value

    @pytest.mark.parametrize(("operator", "kept"), [("IN", False), ("NOT IN", True)])
    def test_of_an_empty_list_holds_nothing(self, operator: str, kept: bool) -> None:
        assert value_of(f"'a' {operator} ({compiler.literal(())})") is kept


class TestBind:
    def test_leaves_strings_comments_casts_and_layout_alone(self) -> None:
        sql = "SELECT ':tol', a::int, b  -- not :tol\nFROM t WHERE c > :tol AND d IN (:kinds);"

        bound = compiler.bind(sql, values={"tol": "0.5", "kinds": "'x', 'y'"}, source="q")

        assert bound == "SELECT ':tol', a::int, b  -- not :tol\nFROM t WHERE c > 0.5 AND d IN ('x', 'y')"

    def test_names_placeholders_once(self) -> None:
        assert compiler.placeholders("SELECT :a, :b_1, :a", source="q") == {"a", "b_1"}

    def test_refuses_an_unknown_name(self) -> None:
        with pytest.raises(errors.BookError, match="`:tol` is neither a parameter"):
            compiler.bind("SELECT :tol", values={"period": "'2026-03'"}, source="q")

    def test_refuses_text_that_is_no_sql(self) -> None:
        with pytest.raises(errors.BookError, match="cannot be read as SQL"):
            compiler.bind("SELECT 'open", values={}, source="q")


class TestMoment:
    def test_gives_half_open_days_and_the_months_before(self) -> None:
        moment = compiler.Moment(period=BillingMonth(2024, 2), data_date=date(2024, 3, 4), history_months=3)

        assert moment.rule_values() == {
            "period": "'2024-02'",
            "period_start": "DATE '2024-02-01'",
            "period_end": "DATE '2024-03-01'",
            "data_date": "DATE '2024-03-04'",
            "history_period": "'2023-11'",
            "history_start": "DATE '2023-11-01'",
        }

    def test_tells_relations_the_last_period_of_the_run(self) -> None:
        moment = compiler.Moment(
            period=BillingMonth(2026, 1), data_date=date(2026, 4, 1), last_period=BillingMonth(2026, 3)
        )

        assert moment.relation_values()["last_period"] == "'2026-03'"


def test_parameters_of_a_rule_stand_in_its_query(book: books.Book) -> None:
    rule = book.rules["PRI-901"]
    moment = compiler.Moment(period=BillingMonth(2026, 3), data_date=date(2026, 4, 10))

    sql = compiler.rule_sql(sheet=rule.sheet, sql=rule.sql, moment=moment, values={"limit_cny": Decimal(5)})

    assert "amount > 5.0" in sql
    assert "exceeds :limit_cny" in sql
