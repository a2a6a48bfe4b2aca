"""What the translation to Spark rewrites, and what it refuses, without a Spark."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.optimizer import qualify

from mingcha.kernel import errors
from mingcha.store import dialect, sparksql
from mingcha.store import spark as session

SCHEMA = {
    "t": {
        "d": "DATE", "ts": "TIMESTAMP", "i": "INTEGER", "n": "DECIMAL(18,4)", "f": "DOUBLE", "s": "VARCHAR",
    }
}  # fmt: skip


def spark(expression: str) -> str:
    """Return the expression over t in Spark SQL, in one line."""
    text = dialect.to_spark(f"SELECT {expression} AS v FROM t", schema=SCHEMA)
    return " ".join(text.split()).removeprefix("SELECT ").removesuffix(" AS v FROM t AS t")


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("f * n", exp.DType.DOUBLE), ("n - n + power(10, i)", exp.DType.DOUBLE),
        ("coalesce(f * n, 0)", exp.DType.DOUBLE), ("safe_div(n, n)", exp.DType.DOUBLE),
        ("n * 0.9", exp.DType.DECIMAL), ("n * 2", exp.DType.DECIMAL), ("money(n)", exp.DType.DECIMAL),
        ("n / 2", exp.DType.DOUBLE), ("floor(n)", exp.DType.DECIMAL), ("1e3", exp.DType.DOUBLE),
        ("arg_max(n, d)", exp.DType.DECIMAL), ("sum(n)", exp.DType.DECIMAL), ("ym_start(s)", exp.DType.DATE),
        ("CAST(n AS DOUBLE) * n", exp.DType.DOUBLE), ("CASE WHEN i > 1 THEN n ELSE f END", exp.DType.DOUBLE),
    ],
)  # fmt: skip
def test_types_are_told_as_duckdb_gives_them(expression: str, kind: exp.DType) -> None:
    tree: Any = qualify.qualify(
        sqlglot.parse_one(f"SELECT {expression} AS v FROM t", read="duckdb"), schema=SCHEMA, dialect="duckdb"
    )

    assert sparksql.typed(tree, schema=SCHEMA).selects[0].is_type(kind)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("CAST(n AS INTEGER)", "CAST(ROUND(t.n) AS INT)"),
        ("CAST(f AS INTEGER)", "CAST(RINT(t.f) AS INT)"),
        ("CAST(i AS DECIMAL(18, 4))", "CAST(t.i AS DECIMAL(18, 4))"),
        ("n / 2", "CAST(t.n AS DOUBLE) / 2"),
        ("d - d", "CAST(DATEDIFF(t.d, t.d) AS BIGINT)"),
        ("d + 3", "t.d + 3"),
        ("d + INTERVAL 1 DAY", "CAST(t.d AS TIMESTAMP_NTZ) + INTERVAL '1' DAY"),
        ("kwh(money(n))", "CAST(CAST(t.n AS DECIMAL(18, 2)) AS DECIMAL(18, 4))"),
        ("safe_div(n, i)", "TRY_DIVIDE(CAST(t.n AS DOUBLE), CAST(t.i AS DOUBLE))"),
    ],
)
def test_what_differs_is_spelled_out(expression: str, expected: str) -> None:
    assert spark(expression) == expected


def test_qualify_keeps_the_columns_of_the_table_where_an_alias_hides_them() -> None:
    sql = "SELECT s, -n AS n FROM t QUALIFY row_number() OVER (PARTITION BY s ORDER BY n DESC) = 1"

    text = dialect.to_spark(sql, schema=SCHEMA)

    assert "ORDER BY t.n DESC" in text
    assert text.split()[-2:] == ["WHERE", "_rows._kept"]


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("n // 2", "// of anything but whole numbers"),
        ("extract(dow FROM d)", "counted differently"),
        ("date_diff('week', d, d)", "counted differently"),
        ("CAST(f AS VARCHAR)", "as text looks different"),
        ("CAST(f AS DECIMAL(38, 10))", "at most"),
        ("CAST(list_sum(s) AS DECIMAL(18, 2))", "cannot be told"),
    ],
)
def test_what_cannot_be_the_same_is_refused(expression: str, said: str) -> None:
    with pytest.raises(errors.BookError, match=said):
        spark(expression)


def test_a_missing_pyspark_is_told_with_its_cure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)

    with pytest.raises(errors.SetupError, match="not installed") as caught:
        session.start(scratch=tmp_path)

    assert "pip install 'mingcha[spark]'" in caught.value.mend
