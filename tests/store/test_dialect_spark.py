"""The shared functions give on Spark what they give on DuckDB, and Spark reads the lake's files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from mingcha.contract import load as contract_load
from mingcha.store import dialect, snapshots, workspace

from .conftest import deliver, reading

pyspark_sql = pytest.importorskip("pyspark.sql", reason="PySpark is an extra and is not installed")
pytestmark = [pytest.mark.spark, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    session = (
        pyspark_sql.SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.sql.session.timeZone", "Asia/Shanghai")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    for statement in dialect.SPARK_SHIM:
        session.sql(statement)
    yield session
    session.stop()


_CALLS = (
    "ym_start('2024-02')", "ym_end('2024-12')", "days_in_ym('2024-02')", "ym_add('2026-01', -13)",
    "ym_add('2026-01', 25)", "period_of(DATE '2026-01-31')", "period_of(TIMESTAMP '2026-01-31 23:59:59')",
    "safe_div(1, 0)", "safe_div(1, 4)", "safe_div(CAST('1.5' AS DECIMAL(18,4)), CAST('2' AS DECIMAL(18,2)))",
    "money(CAST('0.005' AS DECIMAL(18,4)))", "money(CAST('-2.675' AS DECIMAL(18,4)))",
    "money(CAST('1.00499999' AS DECIMAL(28,8)))", "money(CAST('123.4567' AS DECIMAL(18,4)) * 2)",
    "kwh(CAST('1.00005' AS DECIMAL(18,6)))", "money(CAST(NULL AS DECIMAL(18,4)))", "days_in_ym(NULL)",
    "kwh(7)", "ym_add(period_of(DATE '2025-12-05'), 1)",
)  # fmt: skip


@pytest.mark.parametrize("call", _CALLS)
def test_a_function_agrees_on_both_engines(spark: Any, con: duckdb.DuckDBPyConnection, call: str) -> None:
    on_duckdb = con.execute(f"SELECT {call} AS v").fetchall()[0][0]

    on_spark = spark.sql(dialect.to_spark(f"SELECT {call} AS v", schema={})).collect()[0][0]

    assert on_spark == on_duckdb
    assert type(on_spark) is type(on_duckdb)


def test_a_query_over_the_lakes_files_agrees_on_both_engines(
    spark: Any, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
) -> None:
    rows = [
        reading(n, f"2026-0{n % 3 + 1}", energy=n * n, read_on="2026-04-01", multiplier=n % 5)
        for n in range(300)
    ]
    snapshot = deliver(ws, con, reading=rows)
    sql = (
        "SELECT billing_period, ym_add(billing_period, 1) AS next, kwh(sum(energy)) AS kwh,"
        " money(sum(energy * multiplier)) AS amount, max(read_on) AS read_on FROM reading"
        " WHERE usage_point_id <> 'P7' GROUP BY billing_period, ym_add(billing_period, 1)"
    )
    files = [f"file://{path}" for path in snapshot.files("reading")]
    escaped = [path.replace("[", "\\[").replace("]", "\\]") for path in files]
    spark.read.parquet(*escaped).createOrReplaceTempView("reading")
    snapshots.attach(con, snapshot, tables=["reading"])

    on_spark = spark.sql(dialect.to_spark(sql, schema=contract_load.lint_schema())).collect()

    assert sorted(tuple(row) for row in on_spark) == sorted(con.execute(sql).fetchall())
