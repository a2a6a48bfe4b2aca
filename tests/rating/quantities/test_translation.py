"""Every section of every step is portable: it translates to Spark, and uses nothing outside the fence."""

from __future__ import annotations

import pytest
import sqlglot
from sqlglot.optimizer import qualify
from tests.rating.bench import Bench

from mingcha.kernel.periods import BillingMonth
from mingcha.rating import engine, sections, tables
from mingcha.rules.lint import fence
from mingcha.store import dialect, sparksql

PERIOD = BillingMonth(2026, 3)
ALL = tuple(section for step in engine.STEPS for section in sections.of(step))

OURS = tuple(section for section in ALL if section.step in engine.QUANTITIES)


@pytest.fixture(scope="module")
def schema() -> dict[str, dict[str, str]]:
    """Every table there is after a whole rating, what was made on the way included."""
    bench = Bench()
    engine.run(bench.con, period=bench.period, names=engine.STEPS, keep=True)
    found: dict[str, dict[str, str]] = {}
    rows = bench.con.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal"
    )
    for table, column, kind in rows.fetchall():
        found.setdefault(table, {})[column] = kind
    return found


@pytest.mark.parametrize("section", ALL, ids=[f"{s.step}-{s.name}" for s in ALL])
def test_translates(section: sections.Section, schema: dict[str, dict[str, str]]) -> None:
    sql = sections.bind(section, sections.constants(PERIOD))
    assert dialect.to_spark(sql, schema=schema)


@pytest.mark.parametrize("section", OURS, ids=[f"{s.step}-{s.name}" for s in OURS])
def test_stays_inside_the_fence(section: sections.Section, schema: dict[str, dict[str, str]]) -> None:
    tree = sqlglot.parse_one(sections.bind(section, sections.constants(PERIOD)), read="duckdb")
    typed = qualify.qualify(tree.copy(), schema=dict(schema), dialect="duckdb", quote_identifiers=False)
    typed = sparksql.typed(typed, schema=schema)
    assert list(fence.complaints(tree=tree, typed=typed)) == []


def test_a_gap_section_tells_only_known_reasons() -> None:
    for section in ALL:
        if section.is_gap:
            assert any(f"'{reason}'" in section.sql for reason in tables.GAPS), section.place
