# ruff: noqa: E501 - a table of cases reads best with one case on one line
"""Every function and operator that rules may use gives on Spark what it gives on DuckDB."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mingcha.contract import load as contract_load
from mingcha.rules.lint import fence
from mingcha.store import dialect, duck, snapshots, spark, workspace

pytestmark = [
    pytest.mark.spark,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.xdist_group("spark"),
]

COLUMNS = {
    "id": "INTEGER", "k": "VARCHAR", "d": "DATE", "e": "DATE", "ts": "TIMESTAMP", "us": "TIMESTAMP",
    "i": "INTEGER", "j": "INTEGER", "b": "BIGINT", "n": "DECIMAL(18,4)", "m": "DECIMAL(18,6)",
    "c": "DECIMAL(18,2)", "f": "DOUBLE", "s": "VARCHAR", "p": "VARCHAR", "q": "BOOLEAN",
}  # fmt: skip
# Halves on both sides of zero, ends of months and years, a leap day, last microseconds, NULLs everywhere.
ROWS = """
(1, 'a', '2026-01-31', '2026-02-01', '2026-01-31 23:59:59.999999', '2026-02-01 00:00:00', 7, 2, 7, 2.5000, 0.125000, 0.05, 2.5, 'Ab 电 c', '2026-01', TRUE),
(2, 'a', '2024-02-29', '2025-03-01', '2024-02-29 12:30:15', '2024-03-01 00:29:59', -7, 2, -7, -2.5000, -0.125000, -0.05, -2.5, '  x,y ', '2024-02', FALSE),
(3, 'a', '2025-12-31', '2026-01-01', '2025-12-31 00:00:00', '2026-01-01 00:00:00', 0, 3, 0, 0.0000, 1.000000, 0.00, 0.5, '', '2025-12', NULL),
(4, 'b', '2026-03-15', '2026-03-15', '2026-03-15 08:15:00', '2026-03-15 07:15:01', 1, 1, 3, 1.0050, 3.333333, 1.00, 1.005, 'abc', '2026-03', TRUE),
(5, 'b', NULL, '2026-03-15', NULL, '2026-03-15 07:15:01', NULL, 5, NULL, NULL, 0.333333, NULL, NULL, NULL, NULL, NULL),
(6, 'b', '2026-03-10', NULL, '2026-03-10 00:00:00', NULL, 5, NULL, 5, 12345678901.2345, NULL, 99.99, 0.1, 'abc', '2000-01', FALSE),
(7, 'c', '1999-12-31', '2000-02-29', '1999-12-31 23:00:00', '2000-02-29 01:00:00', 31, 4, 31, 0.3750, 2.675000, 2.68, 123456.78905, 'Z', '1999-12', FALSE),
(8, 'c', '2026-05-01', '2026-03-31', '2026-05-01 00:00:00', '2026-03-31 00:00:00', 12, 10, 12, -1.5000, 0.000001, 12.50, 1e9, '12.345', '2026-04', TRUE)
"""

SCALAR = (
    # choices and conversions
    "CASE WHEN q THEN n ELSE m END", "CASE k WHEN 'a' THEN i WHEN 'b' THEN j END", "coalesce(n, m, 0)",
    "nullif(i, 7)", "greatest(n, m, i)", "least(i, 2.5, f)", "greatest(d, e)", "CAST(m AS INTEGER)",
    "CAST(f AS INTEGER)", "CAST(m AS BIGINT)", "CAST(n AS DECIMAL(18,2))", "CAST(f AS DECIMAL(18,2))",
    "CAST(f AS DECIMAL(18,0))", "CAST(f * 1.005 AS DECIMAL(18,4))", "CAST(safe_div(n, m) AS DECIMAL(18,6))",
    "TRY_CAST(f * 1e12 AS DECIMAL(18,4))", "TRY_CAST(s AS DECIMAL(18,2))", "TRY_CAST(s AS DATE)",
    "TRY_CAST(power(10, j) AS DECIMAL(12,4))", "CAST(n AS VARCHAR)", "CAST(d AS VARCHAR)",
    "CAST(b AS VARCHAR) || '-' || k", "CAST(q AS VARCHAR)", "CAST(ts AS DATE)", "CAST(d AS TIMESTAMP)",
    "CAST(i AS DOUBLE) * n", "CAST(TRUE AS BOOLEAN) AND q", "kwh(f)", "money(n)", "money(n * m)", "kwh(m)",
    # numbers
    "abs(n)", "sign(n)", "round(n, 2)", "round(m, 0)", "floor(n)", "ceil(m)", "floor(f)", "sqrt(abs(n))",
    "power(n, 2)", "power(10, j)", "exp(m)", "ln(abs(m) + 1)", "n / 4", "i / 2", "i // j", "b // 2", "i % j", "n % 2",
    "n * m", "n + m", "n - m", "n * f", "-n", "0.1 * n + 0.2 * m", "n * m * c", "safe_div(n, m)",
    "safe_div(i, j - 2)", "safe_div(n, 0)", "100 * safe_div(n - m, n)", "24 * 1.2 * CAST(n AS DECIMAL(19,4))",
    # texts
    "upper(s)", "lower(s)", "trim(s)", "substring(s, 2, 3)", "left(s, 2)", "right(s, 2)", "length(s)",
    "concat(s, '-', k)", "s || k", "replace(s, 'b', '!')", "starts_with(s, 'a')", "contains(s, 'b')",
    "contains(s, '')", "regexp_matches(s, '^[a-z]+$')", "strpos(s, 'c')", "lpad(s, 5, '*')",
    "rpad(k, 3, '-')", "repeat(k, 3)", "s LIKE 'a%'", "s < 'abd'", "s IN ('abc', 'Z')", "s NOT IN ('abc')",
    # days and moments
    "date_diff('day', d, e)", "date_diff('day', ts, us)", "date_diff('month', d, e)",
    "date_diff('year', d, e)", "date_diff('quarter', ts, us)", "date_diff('hour', ts, us)",
    "date_diff('minute', ts, us)", "d - e", "d + 3", "d - 31", "d + i", "d + CAST(b AS INTEGER)",
    "CAST(d + INTERVAL 1 DAY AS DATE)", "d + INTERVAL 2 MONTH", "d + INTERVAL 90 MINUTE", "ts - INTERVAL 1 HOUR",
    "CAST(d + to_days(j) AS DATE)", "d < ts", "d + INTERVAL 1 DAY > ts", "extract(year FROM d)",
    "extract(month FROM ts)", "extract(day FROM d)", "extract(hour FROM ts)", "extract(minute FROM ts)",
    "extract(quarter FROM d)", "year(d)", "month(d)", "day(ts)", "hour(ts)", "last_day(d)",
    "strftime(d, '%Y-%m')", "strftime(ts, '%Y-%m-%d %H:%M:%S')", "date_trunc('month', ts)",
    "date_trunc('month', d)", "date_trunc('hour', ts)", "date_trunc('month', CAST(ts AS DATE))", "CAST(date_trunc('year', d) AS DATE)",
    # the shared functions
    "ym_start(p)", "ym_end(p)", "days_in_ym(p)", "ym_add(p, -13)", "ym_add(p, i)", "ym_add(p, b)", "period_of(d)",
    "period_of(ts)", "ym_add(period_of(d), 1)", "ym_start(ym_add(p, 1)) - 7",
    "money(CAST('0.005' AS DECIMAL(18,4)))", "money(CAST('-2.675' AS DECIMAL(18,4)))",
    "money(CAST('1.00499999' AS DECIMAL(28,8)))", "money(n * 2)", "kwh(CAST('1.00005' AS DECIMAL(18,6)))", "kwh(7)",
    # logic
    "q AND i > 0", "q OR i > 0", "NOT q", "xor(i, j)", "q IS NULL", "n BETWEEN 0 AND 3", "i IS DISTINCT FROM j",
    "EXISTS (SELECT 1 FROM t AS o WHERE o.k = t.k AND o.n > t.n)", "n > (SELECT min(m) FROM t)",
    "k IN (SELECT o.k FROM t AS o WHERE o.q)", "if(q, i, j)",
)  # fmt: skip

GROUPED = (
    "sum(n)", "sum(n * m)", "CAST(sum(i) AS INTEGER)", "count(*)", "count(n)", "count(DISTINCT s)", "min(d)",
    "max(ts)", "min(s)", "arg_max(s, i)", "arg_max(n, d)", "arg_min(j, f)", "bool_or(q)", "bool_and(q)",
    "string_agg(s, ',' ORDER BY id DESC)", "sum(n) FILTER (WHERE q)",
    "safe_div(sum(n), count(n))", "money(sum(c))", "CAST(round(safe_div(CAST(sum(n) AS DOUBLE), 3) * 0, 0) AS INTEGER)",
    "CAST(100 * safe_div(sum(n), sum(CASE WHEN q THEN m END)) AS DECIMAL(18,2))", "avg(f)", "stddev(m)",
    "stddev_samp(f)", "stddev_pop(n)", "variance(n)", "sum(CASE WHEN q THEN n ELSE 0 END) / 4",
)  # fmt: skip

# Spark 4.3.0 falls over two DISTINCTs of different columns when one of them is ordered.
DISTINCT = ("string_agg(DISTINCT p, ';' ORDER BY p)",)

WINDOWED = (
    "row_number() OVER (PARTITION BY k ORDER BY n, id)", "rank() OVER (ORDER BY s)",
    "dense_rank() OVER (ORDER BY j DESC)", "lag(n) OVER (PARTITION BY k ORDER BY id)",
    "lead(d, 2) OVER (ORDER BY d, id)", "first_value(s) OVER (PARTITION BY k ORDER BY d, id)",
    "last_value(n) OVER (PARTITION BY k ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)",
    "sum(n) OVER (PARTITION BY k)", "count(*) OVER (PARTITION BY k ORDER BY d)",
    "min(i) OVER (PARTITION BY k ORDER BY n ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)",
    "sum(i) OVER (ORDER BY j DESC, id ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)",
    "max(i) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING)",
    "first_value(i) OVER (ORDER BY id ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)",
)  # fmt: skip

# Their last binary digit is the library's, not the standard's; rules compare them or round them far above it.
APPROXIMATE = ("power(", "exp(", "ln(", "avg(", "stddev", "variance")


@pytest.fixture(scope="module")
def con() -> Any:
    con = duck.connect(threads=1, memory_limit="200MB", timezone="UTC")
    names = ", ".join(COLUMNS)
    casts = ", ".join(f"CAST({name} AS {kind}) AS {name}" for name, kind in COLUMNS.items())
    con.execute(f"CREATE TABLE t AS SELECT {casts} FROM (VALUES {ROWS}) AS v ({names})")
    return con


@pytest.fixture(scope="module")
def session(spark_session: Any, con: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    file = tmp_path_factory.mktemp("t") / "t.parquet"
    con.execute(f"COPY t TO '{file}' (FORMAT parquet)")
    spark_session.read.parquet(f"file://{file}").createOrReplaceTempView("t")
    return spark_session


def compare(session: Any, con: Any, expressions: tuple[str, ...], query: str) -> list[str]:
    """Return what differs, value by value, where `query` selects {} from t in a fixed order."""
    sql = query.format(", ".join(f"{text} AS v{number}" for number, text in enumerate(expressions)))
    here = con.execute(sql).fetchall()
    _, there = spark.ask(session, sql, schema={"t": COLUMNS})
    assert len(here) == len(there) > 0
    return [
        f"{text}, row {place}: {ours!r} on DuckDB, {theirs!r} on Spark"
        for place, (left, right) in enumerate(zip(here, there, strict=True))
        for text, ours, theirs in zip(expressions, left, right, strict=True)
        if not alike(text, ours, theirs)
    ]


def alike(text: str, ours: Any, theirs: Any) -> bool:
    """Return whether both values are the same and of one kind."""
    if isinstance(ours, float) and isinstance(theirs, float) and any(name in text for name in APPROXIMATE):
        return math.isclose(ours, theirs, rel_tol=1e-13)
    return bool(ours == theirs) and type(ours) is type(theirs)


class TestFunctions:
    def test_agree_on_every_row(self, session: Any, con: Any) -> None:
        assert compare(session, con, SCALAR, "SELECT {} FROM t ORDER BY id") == []

    def test_agree_on_groups(self, session: Any, con: Any) -> None:
        for expressions in (GROUPED, DISTINCT):
            assert compare(session, con, expressions, "SELECT {} FROM t GROUP BY k ORDER BY k") == []

    def test_agree_in_windows(self, session: Any, con: Any) -> None:
        assert compare(session, con, WINDOWED, "SELECT {} FROM t ORDER BY id") == []

    def test_are_all_tried_that_rules_may_use(self) -> None:
        import sqlglot

        tried = {
            type(node)
            for text in (*SCALAR, *GROUPED, *WINDOWED)
            for node in sqlglot.parse_one(f"SELECT {text} AS v", read="duckdb").walk()
        }

        assert sorted(kind.__name__ for kind in fence.ALLOWED if kind not in tried) == []
        assert [name for name in dialect.FUNCTIONS if not any(f"{name}(" in text for text in SCALAR)] == []


QUERIES = {
    "rows kept by a window": "SELECT id, -n AS n FROM t QUALIFY row_number() OVER (PARTITION BY k ORDER BY n DESC) = 1",
    "rows kept by a column that is not selected": "SELECT id, s AS k FROM t QUALIFY k = 'b' AND lag(q) OVER (ORDER BY id) IS NULL",
    "distinct after a window": "SELECT DISTINCT k FROM t QUALIFY count(*) OVER (PARTITION BY k) = 3",
    "groups kept by a window": "SELECT k, max(d) AS d FROM t GROUP BY k QUALIFY row_number() OVER (ORDER BY max(d) DESC) <= 2",
    "a CTE before a window": "WITH u AS (SELECT id, k FROM t WHERE q) SELECT k, id FROM u QUALIFY rank() OVER (ORDER BY k) = 1",
    "sets": "SELECT s AS x FROM t UNION SELECT k AS x FROM t UNION ALL SELECT CAST(NULL AS VARCHAR) AS x FROM t WHERE q",
    "an anti join": "SELECT a.id FROM t AS a LEFT JOIN t AS z ON z.i = a.j AND z.d > a.e WHERE z.id IS NULL",
    "NULLs in order": "SELECT id, row_number() OVER (ORDER BY j, id) AS up, row_number() OVER (ORDER BY j DESC, id) AS down FROM t",
    "a named window": "SELECT id, lag(n) OVER w AS x, row_number() OVER w AS y FROM t WINDOW w AS (PARTITION BY k ORDER BY id)",
    "names of the language": 'SELECT id AS "at", n AS "rows", d AS "day" FROM t WHERE n > 0',
}


@pytest.mark.parametrize("name", QUERIES)
def test_queries_agree(session: Any, con: Any, name: str) -> None:
    _, there = spark.ask(session, QUERIES[name], schema={"t": COLUMNS})

    here = con.execute(QUERIES[name]).fetchall()

    assert sorted(map(repr, there)) == sorted(map(repr, here))
    assert here


def test_an_overflow_is_an_error_on_both(session: Any, con: Any) -> None:
    sql = "SELECT CAST(n AS DECIMAL(6,4)) AS v FROM t"
    with pytest.raises(Exception, match="DECIMAL"):
        con.execute(sql).fetchall()
    with pytest.raises(Exception, match="NUMERIC_VALUE_OUT_OF_RANGE"):
        spark.ask(session, sql, schema={"t": COLUMNS})


def test_the_lakes_files_are_read_as_duckdb_reads_them(spark_session: Any, tmp_path: Path) -> None:
    place = workspace.Workspace.create(tmp_path / "供电 [a] {b} c=d")
    con = place.connect()
    readings = (
        "SELECT 'R' || range AS reading_id, 'P' || range AS usage_point_id, '2026-0' || (range % 3 + 1) AS billing_period,"
        " 'active' AS register, CAST(range * range / 7 AS DECIMAL(18,4)) AS energy, DATE '2026-04-01' AS read_on FROM range(300)"
    )
    with snapshots.Draft(place, made_at=datetime(2026, 4, 11, tzinfo=UTC)) as draft:
        draft.add_rows(table="reading", source=readings, con=con)
        snapshot = draft.commit()
    names = ", ".join(f'"{name}"' for name in contract_load.contract().tables["reading"].column_names)
    sql = (
        f"SELECT {names} FROM reading UNION ALL SELECT {names} FROM reading WHERE billing_period = '2026-02'"
    )
    snapshots.attach(con, snapshot, tables=["reading", "bill"])

    spark.attach(spark_session, snapshot, tables=["reading", "bill"])

    schema = contract_load.lint_schema()
    _, there = spark.ask(spark_session, sql, schema=schema)
    assert sorted(map(repr, there)) == sorted(map(repr, con.execute(sql).fetchall()))
    assert len(there) == 400
    assert spark.ask(spark_session, "SELECT sum(amount) AS v FROM bill", schema=schema) == (["v"], [(None,)])


def test_decimals_are_exact() -> None:
    assert alike("n", Decimal("1.50"), Decimal("1.5"))
    assert not alike("n", Decimal("1.5"), 1.5)
