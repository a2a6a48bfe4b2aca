"""The fast way takes exactly what the general way takes, and only that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from mingcha.contract import model
from mingcha.ingest.checks import direct
from mingcha.ingest.convert import conversion, macros
from mingcha.store import duck

ENUM = {"remote": {"zh": "远程", "en": "Remote"}, "manual": {"zh": "现场", "en": "Manual"}}
TEXTS = [
    "a", "", " a", "a ", "\ta", "a\r", "a\n", "　a", "a　", "a\u00a0", "NULL", "null", "\\N", "(null)",
    "remote", "Remote", "远程", "2026-03", "2026-3", "20263-1", "2026/03", "202603", "2026-13", "1899-12",
    "1.2E+11", "王 五", "0000-00", "9999-12", "-026-03",
]  # fmt: skip
NUMBERS = ["0", "1", "-1", "1.25", "99999999999", "123456789012345678", "0.000001", "7.5"]


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duck.connect(threads=1)
    macros.install(connection)
    yield connection
    connection.close()


def column(kind: str, **more: Any) -> model.Column:
    given = {"name": "x", "type": kind, "nullable": True, "zh": "列", "en": "X", "example": "1", **more}
    return model.Column.model_validate(given)


def general(con: duckdb.DuckDBPyConnection, of: model.Column, sql: str, kind: str) -> tuple[Any, bool]:
    made = conversion.conversion(
        column=of,
        origin=conversion.Origin(sql="x", type=kind),
        place=0,
        zone="Asia/Shanghai",
        required=False,
        key=False,
    )
    query = f"SELECT {sql} AS x"
    for name, step in [*made.given, *made.steps]:
        query = f"SELECT *, {step} AS {name} FROM ({query})"
    bad = " OR ".join(condition for _, condition in made.faults) or "false"
    row = con.execute(f"SELECT {made.typed}, coalesce({bad}, false) FROM ({query})").fetchone()
    assert row is not None
    return row[0], row[1]


def agree(con: duckdb.DuckDBPyConnection, of: model.Column, sql: str, kind: str) -> bool:
    """Return whether the fast way takes the value, having checked that the general way agrees."""
    conditions = direct._conditions(of, conversion.Origin(sql="x", type=kind), "x")
    assert conditions is not None
    suspicious = " OR ".join(conditions) or "false"
    row = con.execute(
        f"SELECT coalesce({suspicious}, false), TRY_CAST(x AS {of.sql_type}) FROM (SELECT {sql} AS x)"
    ).fetchone()
    assert row is not None
    if not row[0]:
        assert general(con, of, sql, kind) == (row[1], False)
    return not row[0]


class TestText:
    @pytest.mark.parametrize("text", TEXTS)
    @pytest.mark.parametrize("kind", ["id", "text", "enum", "billing_period"])
    def test_takes_only_what_needs_no_change(
        self, con: duckdb.DuckDBPyConnection, text: str, kind: str
    ) -> None:
        of = column(kind, enum=ENUM) if kind == "enum" else column(kind)
        value, bad = general(con, of, duck.literal(text), "VARCHAR")
        assert agree(con, of, duck.literal(text), "VARCHAR") == (not bad and value == text)

    def test_null_is_no_suspicion(self, con: duckdb.DuckDBPyConnection) -> None:
        for kind in ("id", "text", "billing_period"):
            assert agree(con, column(kind), "CAST(NULL AS VARCHAR)", "VARCHAR")


class TestNumbers:
    @pytest.mark.parametrize("number", NUMBERS)
    @pytest.mark.parametrize("kind", ["money", "energy", "ratio", "int", "voltage"])
    @pytest.mark.parametrize("given", ["DECIMAL(18,2)", "DECIMAL(12,4)", "BIGINT", "SMALLINT", "INTEGER"])
    def test_takes_what_fits(
        self, con: duckdb.DuckDBPyConnection, number: str, kind: str, given: str
    ) -> None:
        of = column(kind, unit="x", min="0") if kind != "int" else column(kind, min="0")
        if direct._conditions(of, conversion.Origin(sql="x", type=given), "x") is None:
            return
        whole = "." not in number or given.startswith("DECIMAL")
        if con.execute(f"SELECT TRY_CAST('{number}' AS {given})").fetchone() == (None,) or not whole:
            return
        sql = f"CAST('{number}' AS {given})"
        bad = general(con, of, sql, given)[1]
        suspicious = " OR ".join(direct._conditions(of, conversion.Origin(sql="x", type=given), "x") or [])
        row = con.execute(
            f"SELECT coalesce({suspicious or 'false'}, false) FROM (SELECT {sql} AS x)"
        ).fetchone()
        assert row == (bad,)
        if not bad:
            assert agree(con, of, sql, given)

    def test_types_that_lose_something_are_not_direct(self) -> None:
        for kind, given in (
            ("money", "DECIMAL(18,3)"),
            ("money", "DOUBLE"),
            ("int", "DECIMAL(5,0)"),
            ("id", "BIGINT"),
        ):
            found = direct._conditions(column(kind), conversion.Origin(sql="x", type=given), "x")
            assert (found is None) == (kind != "int")


class TestDays:
    @pytest.mark.parametrize("day", ["1899-12-30", "1900-01-01", "2026-03-05", "9999-12-31", "infinity"])
    def test_takes_days_of_a_utility(self, con: duckdb.DuckDBPyConnection, day: str) -> None:
        plausible = day in ("1900-01-01", "2026-03-05", "9999-12-31")
        assert agree(con, column("date"), f"DATE '{day}'", "DATE") == plausible
        assert agree(con, column("timestamp"), f"TIMESTAMP '{day}'", "TIMESTAMP") == plausible
