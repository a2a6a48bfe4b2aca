"""The shared functions on DuckDB, and translation to Spark SQL."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pytest
import sqlglot

from mingcha.contract import load as contract_load
from mingcha.kernel import errors, money, periods
from mingcha.store import dialect, duck

MONTHS = ("2024-01", "2024-02", "2024-12", "2025-02", "2026-03", "2026-12")


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    return duck.connect(threads=1, memory_limit="200MB")


class TestMonths:
    @pytest.mark.parametrize("text", MONTHS)
    def test_agree_with_the_kernel(self, con: duckdb.DuckDBPyConnection, text: str) -> None:
        month = periods.BillingMonth.parse(text)

        found = con.execute(
            f"SELECT ym_start('{text}'), ym_end('{text}'), days_in_ym('{text}'), ym_add('{text}', -13),"
            f" ym_add('{text}', 0), ym_add('{text}', 1), period_of(ym_start('{text}')),"
            f" period_of(CAST(ym_end('{text}') AS TIMESTAMP) - INTERVAL 1 SECOND)"
        ).fetchall()[0]

        assert found == (
            month.start, month.end, month.days, str(month.add(-13)), text, str(month.add(1)), text, text,
        )  # fmt: skip

    def test_give_null_for_null(self, con: duckdb.DuckDBPyConnection) -> None:
        calls = (
            "ym_start(NULL), ym_end(NULL), days_in_ym(NULL), ym_add(NULL, 1), period_of(CAST(NULL AS DATE)),"
            " safe_div(NULL, 1), safe_div(1, NULL), money(NULL), kwh(NULL)"
        )

        assert con.execute(f"SELECT {calls}").fetchall() == [(None,) * 9]

    def test_are_typed(self, con: duckdb.DuckDBPyConnection) -> None:
        calls = {
            "ym_start('2026-01')": "DATE", "ym_end('2026-01')": "DATE", "days_in_ym('2026-01')": "INTEGER",
            "ym_add('2026-01', 1)": "VARCHAR", "period_of(DATE '2026-01-31')": "VARCHAR",
            "safe_div(1, 2)": "DOUBLE", "money(1)": "DECIMAL(18,2)", "kwh(1)": "DECIMAL(18,4)",
        }  # fmt: skip

        found = {call: con.execute(f"SELECT typeof({call})").fetchall()[0][0] for call in calls}

        assert found == calls


class TestAmounts:
    @pytest.mark.parametrize(
        "text", ["0.005", "-0.005", "1.00499999", "2.675", "-2.675", "1234567890.12500000", "0.01500001"]
    )
    def test_money_rounds_as_bills_are_written(self, con: duckdb.DuckDBPyConnection, text: str) -> None:
        found = con.execute(f"SELECT money(CAST('{text}' AS DECIMAL(28,8)))").fetchall()[0][0]

        assert found == money.round_half_up(Decimal(text)).amount

    def test_a_product_of_energy_and_price_is_rounded_once(self, con: duckdb.DuckDBPyConnection) -> None:
        product = "CAST(123.4567 AS DECIMAL(18,4)) * CAST(0.52830001 AS DECIMAL(18,8))"

        found = con.execute(f"SELECT money({product})").fetchall()[0][0]

        assert found == money.round_half_up(Decimal("123.4567") * Decimal("0.52830001")).amount

    def test_kwh_keeps_four_places(self, con: duckdb.DuckDBPyConnection) -> None:
        found = con.execute("SELECT kwh(CAST('1.00005' AS DECIMAL(18,6)))").fetchall()[0][0]

        assert found == Decimal("1.0001")

    def test_division_by_zero_is_null(self, con: duckdb.DuckDBPyConnection) -> None:
        assert con.execute("SELECT safe_div(1, 0), safe_div(1, 4), safe_div(0, 5)").fetchall() == [
            (None, 0.25, 0.0)
        ]


def test_the_functions_are_known_by_name(con: duckdb.DuckDBPyConnection) -> None:
    defined = con.execute(
        "SELECT DISTINCT function_name FROM duckdb_functions() WHERE NOT internal ORDER BY ALL"
    ).fetchall()

    assert [name for (name,) in defined] == sorted(dialect.FUNCTIONS)


def test_the_functions_are_there_for_cursors_too(con: duckdb.DuckDBPyConnection) -> None:
    assert con.cursor().execute("SELECT ym_add('2026-01', 2)").fetchall() == [("2026-03",)]


def test_a_connection_never_reaches_for_extensions(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.Error):
        con.execute("SELECT * FROM read_xlsx('x.xlsx')")
    names = ("autoinstall_known_extensions", "autoload_known_extensions", "allow_community_extensions")
    assert [con.execute(f"SELECT current_setting('{name}')").fetchall()[0][0] for name in names] == [
        False
    ] * 3


class TestToSpark:
    def test_translates_what_spark_says_otherwise(self) -> None:
        sql = (
            "WITH last AS (SELECT usage_point_id, energy, read_on, row_number() OVER"
            " (PARTITION BY usage_point_id ORDER BY read_on DESC) AS n FROM reading WHERE billing_period ="
            " ym_add('2026-03', -1) QUALIFY n = 1) SELECT usage_point_id, money(energy) AS amount,"
            " date_diff('day', read_on, DATE '2026-03-01') AS age FROM last WHERE NOT read_on IS NULL"
        )

        text = dialect.to_spark(sql, schema=contract_load.lint_schema())

        assert "QUALIFY" not in text
        assert "DATE_DIFF" not in text
        assert sqlglot.parse_one(text, read="spark").named_selects == ["usage_point_id", "amount", "age"]

    @pytest.mark.parametrize(
        ("sql", "words"),
        [
            ("SELECT energie FROM reading", "energie"),
            ("SELECT energy FROM", "translated"),
            ("SELECT r.energy FROM reading r ASOF JOIN bill b ON r.read_on >= b.due_on", "ASOF"),
            ("PIVOT reading ON register USING sum(energy)", "PIVOT"),
            ("SELECT energy FROM reading FOR UPDATE", "FOR UPDATE"),
        ],
    )
    def test_says_what_it_cannot_translate(self, sql: str, words: str) -> None:
        with pytest.raises(errors.BookError, match=words):
            dialect.to_spark(sql, schema=contract_load.lint_schema())
