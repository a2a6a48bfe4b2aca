"""Values: what each type reads, what it refuses and under which code, and what is never done silently."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mingcha.contract import model
from mingcha.ingest.convert import conversion, macros
from mingcha.store import duck

ZONE = "Asia/Shanghai"
ENUM = {"remote": {"zh": "远程", "en": "Remote"}, "manual": {"zh": "现场", "en": "Manual"}}


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duck.connect(timezone=ZONE, threads=1)
    macros.install(connection, empty_words=("无",))
    yield connection
    connection.close()


def column(kind: str, **more: Any) -> model.Column:
    given = {"name": "x", "type": kind, "nullable": True, "zh": "列", "en": "X", "example": "1", **more}
    return model.Column.model_validate(given)


def convert(
    con: duckdb.DuckDBPyConnection,
    of: model.Column,
    sql: str,
    kind: str = "VARCHAR",
    *,
    required: bool = False,
    **said: Any,
) -> tuple[Any, str | None, bool]:
    """Return the typed value, the code of the first fault, and whether decimals were lost."""
    origin = conversion.Origin(sql="x", type=kind, **said)
    made = conversion.conversion(column=of, origin=origin, place=0, zone=ZONE, required=required, key=False)
    query = f"SELECT {sql} AS x"
    for name, step in [*made.given, *made.steps]:
        query = f"SELECT *, {step} AS {name} FROM ({query})"
    faults = " ".join(f"WHEN {condition} THEN '{code}'" for code, condition in made.faults)
    fault = f"CASE {faults} ELSE NULL END" if faults else "NULL"
    row = con.execute(f"SELECT {made.typed}, {fault}, {made.rounded or 'false'} FROM ({query})").fetchone()
    assert row is not None
    return row[0], row[1], bool(row[2])


def value(con: duckdb.DuckDBPyConnection, kind: str, text: str | None, **more: Any) -> Any:
    """Return the typed value of a text, or the code of its fault."""
    sql = "CAST(NULL AS VARCHAR)" if text is None else duck.literal(text)
    got, fault, _ = convert(con, column(kind, **more), sql)
    if fault is None and got is not None and kind in ("date", "timestamp"):
        return str(got)
    return fault or got


class TestEmpty:
    @pytest.mark.parametrize(
        "text", [None, "", "  ", "\t", "NULL", "null", r"\N", "　", "\u00a0", "无", " 无 "]
    )
    @pytest.mark.parametrize("kind", ["id", "text", "int", "money", "date", "billing_period", "bool"])
    def test_words_for_nothing(self, con: duckdb.DuckDBPyConnection, text: str | None, kind: str) -> None:
        assert value(con, kind, text) is None
        sql = "CAST(NULL AS VARCHAR)" if text is None else duck.literal(text)
        assert convert(con, column(kind), sql, required=True)[1] == "null_not_allowed"

    def test_text_is_trimmed_and_else_left_alone(self, con: duckdb.DuckDBPyConnection) -> None:
        assert value(con, "id", "　0012 ") == "0012"
        assert value(con, "text", " 解放路 1号ＡＢ１ ") == "解放路 1号ＡＢ１"


class TestNumbers:
    @pytest.mark.parametrize(
        ("text", "number"),
        [
            ("12", "12"), ("12.5", "12.5"), ("-0.07", "-0.07"), ("+3", "3"), (".5", "0.5"), ("5.", "5"),
            ("1,234.50", "1234.50"), ("1,234,567", "1234567"), ("１２３．５", "123.5"),
            ("１，２３４", "1234"), ("－12", "-12"), ("12.5000000", "12.5"), ("0012", "12"),
        ],
    )  # fmt: skip
    def test_are_read(self, con: duckdb.DuckDBPyConnection, text: str, number: str) -> None:
        assert value(con, "money", text) == Decimal(number)

    @pytest.mark.parametrize(
        "text",
        ["12元", "￥12", "12 kWh", "1.234,5", "12,34", "1e3", "1E5", "1_000", "0x10", "abc", "--5", "1 2",
         "(12)", "12-", "NaN", "inf", "12.3.4", "1,2345", ",5", "五"],
    )  # fmt: skip
    def test_anything_else_is_refused(self, con: duckdb.DuckDBPyConnection, text: str) -> None:
        assert value(con, "money", text) == "bad_type"
        assert value(con, "energy", text) == "bad_type"
        assert value(con, "int", text) == "bad_type"

    def test_money_is_not_rounded(self, con: duckdb.DuckDBPyConnection) -> None:
        assert value(con, "money", "1.005") == "bad_type"
        assert value(con, "money", "1.0050") == "bad_type"
        assert value(con, "money", "1.0000") == Decimal(1)
        assert value(con, "price", "0.525312345") == "bad_type"
        assert value(con, "ratio", "40.0000001") == "bad_type"

    def test_measured_values_are_rounded_half_up_and_counted(self, con: duckdb.DuckDBPyConnection) -> None:
        assert convert(con, column("energy"), "'1.00005'") == (Decimal("1.0001"), None, True)
        assert convert(con, column("energy"), "'-1.00005'") == (Decimal("-1.0001"), None, True)
        assert convert(con, column("energy"), "'1.00010'") == (Decimal("1.0001"), None, False)

    def test_too_large_is_out_of_range(self, con: duckdb.DuckDBPyConnection) -> None:
        assert value(con, "money", "12345678901234567") == "out_of_range"
        assert value(con, "int", "3000000000") == "out_of_range"
        assert value(con, "energy", "9" * 60) == "out_of_range"

    def test_bounds_of_the_contract(self, con: duckdb.DuckDBPyConnection) -> None:
        assert value(con, "ratio", "0", min="0.000001") == "out_of_range"
        assert value(con, "percent", "101", unit="%", max="100") == "out_of_range"
        assert value(con, "number", "3", allowed=["1", "1.5"]) == "out_of_range"
        assert value(con, "number", "1.50", allowed=["1", "1.5"]) == Decimal("1.5")

    def test_whole_numbers(self, con: duckdb.DuckDBPyConnection) -> None:
        assert value(con, "int", "12.0") == 12
        assert value(con, "int", "1,200") == 1200
        assert value(con, "int", "12.5") == "bad_type"

    def test_a_factor_multiplies_exactly(self, con: duckdb.DuckDBPyConnection) -> None:
        mwh = convert(con, column("energy"), "'1,234.5678'", factor=Decimal(1000))
        assert mwh == (Decimal("1234567.8"), None, False)
        fen = convert(con, column("money"), "'12345'", factor=Decimal("0.01"))
        assert fen == (Decimal("123.45"), None, False)
        assert convert(con, column("money"), "'12345.5'", factor=Decimal("0.01"))[1] == "bad_type"
        assert convert(con, column("energy"), "'0.0000000001'", factor=Decimal(10))[1] == "bad_type"
        assert (
            convert(con, column("energy"), "'99999999999999999999'", factor=Decimal(1000))[1]
            == "out_of_range"
        )

    def test_named_units_are_taken_off(self, con: duckdb.DuckDBPyConnection) -> None:
        said = {"strip": ("元", "k.W")}
        assert convert(con, column("money"), "'12.50 元'", **said)[0] == Decimal("12.5")
        assert convert(con, column("money"), "'12.50k.W'", **said)[0] == Decimal("12.5")
        assert convert(con, column("money"), "'12.50kXW'", **said)[1] == "bad_type"

    @given(number=st.decimals(min_value=-(10**13), max_value=10**13, places=2))
    @settings(max_examples=60, deadline=None)
    def test_any_amount_survives(self, con: duckdb.DuckDBPyConnection, number: Decimal) -> None:
        assert value(con, "money", format(number, "f")) == number
        assert value(con, "money", format(number, ",f")) == number
        got = convert(con, column("money"), f"CAST('{number}' AS DOUBLE)", "DOUBLE")
        assert got[1] is None
        assert got[0] == number


class TestTypedNumbers:
    @pytest.mark.parametrize(
        ("sql", "kind", "of", "expected"),
        [
            ("CAST(0.1 AS DOUBLE) + CAST(0.2 AS DOUBLE)", "DOUBLE", "money", Decimal("0.30")),
            ("CAST(12.345 AS DOUBLE)", "DOUBLE", "money", "bad_type"),
            ("CAST('nan' AS DOUBLE)", "DOUBLE", "money", "bad_type"),
            ("CAST('inf' AS DOUBLE)", "DOUBLE", "energy", "bad_type"),
            ("CAST(1e30 AS DOUBLE)", "DOUBLE", "energy", "out_of_range"),
            ("CAST(12.3 AS FLOAT)", "FLOAT", "money", Decimal("12.3")),
            ("CAST('1.005' AS DECIMAL(18,3))", "DECIMAL(18,3)", "money", "bad_type"),
            ("CAST('1.010' AS DECIMAL(18,3))", "DECIMAL(18,3)", "money", Decimal("1.01")),
            ("CAST(7 AS BIGINT)", "BIGINT", "int", 7),
            ("CAST(3000000000 AS BIGINT)", "BIGINT", "int", "out_of_range"),
            ("CAST(7.5 AS DOUBLE)", "DOUBLE", "int", "bad_type"),
            ("CAST(1001 AS DOUBLE)", "DOUBLE", "id", "1001"),
            ("CAST(123456789012 AS DOUBLE)", "DOUBLE", "id", "123456789012"),
            ("CAST('1001.000' AS DECIMAL(18,3))", "DECIMAL(18,3)", "id", "1001"),
            ("CAST(1 AS TINYINT)", "TINYINT", "bool", True),
            ("true", "BOOLEAN", "bool", True),
            ("true", "BOOLEAN", "money", "bad_type"),
            ("DATE '2026-03-05'", "DATE", "money", "bad_type"),
            ("CAST(202603 AS INTEGER)", "INTEGER", "billing_period", "2026-03"),
            ("'\\xE7\\x94\\xB5'::BLOB", "BLOB", "text", "电"),
            ("'\\xFF'::BLOB", "BLOB", "text", "bad_encoding"),
        ],
    )
    def test_are_read(
        self, con: duckdb.DuckDBPyConnection, sql: str, kind: str, of: str, expected: Any
    ) -> None:
        got, fault, _ = convert(con, column(of), sql, kind)
        assert (fault or got) == expected


class TestDates:
    @pytest.mark.parametrize(
        "text",
        ["2026-03-05", "2026/3/5", "2026.3.5", "2026年3月5日", "2026年03月05日", "20260305",
         "2026-03-05 08:30:00", "2026-3-5 8:30", "2026-03-05T08:30:00", "２０２６－０３－０５", "2026年3月5",
         "46086", "46086.5", "2026-03-05T00:30:00Z", "2026-03-05 08:30:00.123456", "2026年3月5日 8:30"],
    )  # fmt: skip
    def test_are_read(self, con: duckdb.DuckDBPyConnection, text: str) -> None:
        assert value(con, "date", text) == "2026-03-05"

    @pytest.mark.parametrize(
        "text",
        ["5/3/2026", "2026-02-30", "2026-13-01", "26-03-05", "2026", "infinity", "today", "2026 3 5", "-1",
         "0000-00-00", "99999", "12345", "2026-03-05 25:00", "20261301", "三月五日", "2026-03"],
    )  # fmt: skip
    def test_anything_else_is_refused(self, con: duckdb.DuckDBPyConnection, text: str) -> None:
        assert value(con, "date", text) == "bad_date"
        assert value(con, "timestamp", text) == "bad_date"

    @pytest.mark.parametrize("text", ["1899-12-30", "0001-01-01", "1753-01-01 00:00:00"])
    def test_zeros_of_programs_are_out_of_range(self, con: duckdb.DuckDBPyConnection, text: str) -> None:
        assert value(con, "date", text) == "out_of_range"

    def test_the_far_end_stays(self, con: duckdb.DuckDBPyConnection) -> None:
        assert value(con, "date", "9999-12-31") == "9999-12-31"

    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("2026-03-05 08:30:15", "2026-03-05 08:30:15"),
            ("2026/3/5 8:30", "2026-03-05 08:30:00"),
            ("2026-03-05", "2026-03-05 00:00:00"),
            ("20260305083015", "2026-03-05 08:30:15"),
            ("2026年3月5日 8时30分", "2026-03-05 08:30:00"),
            ("2026年3月5日8时30分5秒", "2026-03-05 08:30:05"),
            ("2026年3月5日 18时30分15秒", "2026-03-05 18:30:15"),
            ("2026-03-05T00:30:15Z", "2026-03-05 08:30:15"),
            ("2026-03-05 08:30:15+08:00", "2026-03-05 08:30:15"),
            ("2026-03-05 24:00:00", "2026-03-06 00:00:00"),
            ("46086.354166667", "2026-03-05 08:30:00"),
        ],
    )
    def test_moments(self, con: duckdb.DuckDBPyConnection, text: str, moment: str) -> None:
        assert value(con, "timestamp", text) == moment

    def test_a_declared_format_is_the_only_one(self, con: duckdb.DuckDBPyConnection) -> None:
        def read(text: str) -> Any:
            return convert(con, column("date"), duck.literal(text), date_format="%d/%m/%Y")

        assert str(read("31/12/1994")[0]) == "1994-12-31"
        assert read("1994-12-31")[1] == "bad_date"

    def test_typed_moments(self, con: duckdb.DuckDBPyConnection) -> None:
        zoned = "TIMESTAMP WITH TIME ZONE"
        got = convert(con, column("timestamp"), "TIMESTAMPTZ '2026-03-05 00:30:00+00'", zoned)
        assert str(got[0]) == "2026-03-05 08:30:00"
        got = convert(con, column("date"), "TIMESTAMPTZ '2026-03-04 23:30:00+00'", zoned)
        assert str(got[0]) == "2026-03-05"
        assert convert(con, column("billing_period"), "DATE '2026-03-31'", "DATE")[0] == "2026-03"
        assert str(convert(con, column("date"), "TIMESTAMP_NS '2026-03-05 08:30:00'", "TIMESTAMP_NS")[0]) == (
            "2026-03-05"
        )


class TestMonths:
    @pytest.mark.parametrize(
        "text",
        ["2026-03", "2026/3", "2026-3", "2026年3月", "2026年03月", "202603", "2026.03", "2026-03-01",
         "2026-03-31 00:00:00", "20260305", "２０２６年３月"],
    )  # fmt: skip
    def test_are_read(self, con: duckdb.DuckDBPyConnection, text: str) -> None:
        assert value(con, "billing_period", text) == "2026-03"

    @pytest.mark.parametrize(
        "text", ["46086", "2026-13", "2026-00", "202613", "2026.1", "20263", "2026", "3月", "26-03"]
    )
    def test_anything_else_is_refused(self, con: duckdb.DuckDBPyConnection, text: str) -> None:
        assert value(con, "billing_period", text) == "bad_date"


class TestCodes:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [("true", True), ("是", True), ("Y", True), ("1", True), ("１", True), ("no", False), ("否", False),
         ("0.0", False), ("F", False), ("2", "bad_type"), ("有", "bad_type"), ("maybe", "bad_type")],
    )  # fmt: skip
    def test_yes_and_no(self, con: duckdb.DuckDBPyConnection, text: str, expected: Any) -> None:
        assert value(con, "bool", text) == expected

    def test_codes_and_their_chinese_words(self, con: duckdb.DuckDBPyConnection) -> None:
        assert value(con, "enum", "remote", enum=ENUM) == "remote"
        assert value(con, "enum", " 现场 ", enum=ENUM) == "manual"
        assert value(con, "enum", "Remote", enum=ENUM) == "unknown_enum"
        assert value(con, "enum", "01", enum=ENUM) == "unknown_enum"

    def test_a_word_of_two_codes_is_not_guessed(self, con: duckdb.DuckDBPyConnection) -> None:
        both = {"a": {"zh": "其他", "en": "A"}, "b": {"zh": "其他", "en": "B"}}
        assert value(con, "enum", "其他", enum=both) == "unknown_enum"

    def test_value_maps(self, con: duckdb.DuckDBPyConnection) -> None:
        values = (("1", "remote"), ("9", None), ("", "manual"), ("*", "manual"))

        def read(sql: str, kind: str = "VARCHAR", **said: Any) -> Any:
            got, fault, _ = convert(con, column("enum", enum=ENUM), sql, kind, **said)
            return fault or got

        assert read("'1'", values=values) == "remote"
        assert read("1", "INTEGER", values=values) == "remote"
        assert read("' 9 '", values=values) is None
        assert read("NULL", values=values) == "manual"
        assert read("'77'", values=values) == "manual"
        assert read("'77'", values=values[:2]) == "unknown_enum"
        assert read("NULL", values=values[:2]) is None

    def test_lists(self, con: duckdb.DuckDBPyConnection) -> None:
        assert value(con, "list", "a，b、c ; d") == "a,b,c,d"
        assert value(con, "list", "remote,manual", enum=ENUM) == "remote,manual"
        assert value(con, "list", "remote,other", enum=ENUM) == "unknown_enum"

    def test_keys_a_spreadsheet_destroyed(self, con: duckdb.DuckDBPyConnection) -> None:
        assert value(con, "id", "1.23457E+11") == "bad_type"
        assert value(con, "id", "E+V") == "E+V"


def test_an_expression_that_fails_is_told_from_one_that_gives_nothing(con: duckdb.DuckDBPyConnection) -> None:
    said = {"checked": "TRY((CAST(x AS INTEGER)) IS NULL)"}
    made = conversion.Origin(sql="TRY(CAST(x AS INTEGER))", type="INTEGER", **said)
    of = column("int")
    one = conversion.conversion(column=of, origin=made, place=0, zone=ZONE, required=False, key=False)
    for text, expected in (("'5'", (5, None)), ("'a'", (None, "bad_type")), ("NULL::VARCHAR", (None, None))):
        query = f"SELECT {text} AS x"
        for name, step in [*one.given, *one.steps]:
            query = f"SELECT *, {step} AS {name} FROM ({query})"
        faults = " ".join(f"WHEN {condition} THEN '{code}'" for code, condition in one.faults)
        assert con.execute(f"SELECT {one.typed}, CASE {faults} END FROM ({query})").fetchone() == expected
