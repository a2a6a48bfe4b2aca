"""The comparison on Spark gives row by row what it gives on DuckDB."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.portability.conftest import spark_session
from tests.rating.compare.hand import PERIOD, READ, Hand

from mingcha.rating import compare, sections, tables
from mingcha.store import spark

__all__ = ["spark_session"]  # the one session of the test run

pytestmark = [
    pytest.mark.spark,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.xdist_group("spark"),
]

#: Per settlement from 2 on: rated and billed lines as (component, quantity, price, more).
Line = tuple[str, str, str | None, dict[str, Any]]
CASES: tuple[tuple[tuple[Line, ...], tuple[Line, ...]], ...] = (
    ((("energy", "100", "0.5", {}),), (("energy", "100", "0.6", {}),)),
    ((("energy", "100", "0.5", {}),), (("energy", "100", "0.75", {}),)),
    ((("energy", "100", "0.5", {}),), (("energy", "100", "0.61", {"tariff_id": "T9"}),)),
    (
        (("energy", "60", "0.8", {"period": "peak"}), ("energy", "40", "0.3", {"period": "valley"})),
        (("energy", "40", "0.8", {"period": "peak"}), ("energy", "60", "0.3", {"period": "valley"})),
    ),
    (
        (("energy", "110.01", "0.51234567", {}), ("transformer_loss", "10.01", None, {})),
        (("energy", "100", "0.51234567", {}), ("fund", "100", "0.03", {})),
    ),
    (
        (("energy", "300", "0.5", {}), ("tier", "100", "0.05", {"tier": 2})),
        (("energy", "180", "0.5", {"tier": 1}), ("energy", "120", "0.55", {"tier": 2})),
    ),
    (
        (("basic_capacity", "315", "30", {"days": 10, "amount": "3048.39"}),),
        (("basic_capacity", "315", "30", {"days": 10, "amount": "3150.00"}),),
    ),
    (
        (
            ("energy", "1000", "1", {}),
            ("power_factor", "0.5", None, {"amount": "5", "base_amount": "1000"}),
        ),
        (
            ("energy", "1200", "1", {}),
            ("power_factor", "-0.3", None, {"amount": "-3.6", "base_amount": "1200"}),
        ),
    ),
    ((("energy", "100", "0.5", {}),), (("energy", "100", "0.5", {"amount": "50.01"}),)),
    ((("energy", "100", "0.5", {}),), (("energy", "100", "0.5", {}),)),
)


def month() -> Hand:
    """A month with a settlement per case, one with a gap, and one whose meter was multiplied wrongly."""
    hand = Hand()
    hand.metered("5", stated="30", archive="20")
    hand.rated("energy", "100", "0.5")
    hand.billed("energy", "150", "0.5")
    for sid, (rated, billed) in enumerate(CASES, start=2):
        hand.settle(sid, bills=(f"B{sid}",), customer=f"C{sid}")
        hand.put("rt_power", sid=sid, wp="1000.01", wq=str(100 * sid))
        for component, quantity, price, more in rated:
            hand.rated(component, quantity, price, sid=sid, **more)
        for component, quantity, price, more in billed:
            hand.billed(component, quantity, price, bill_id=f"B{sid}", **more)
    last = len(CASES) + 2
    hand.settle(last, bills=(f"B{last}", f"B{last}0"), customer=f"C{last}")
    hand.put("rt_gap", sid=last, reason="no_price", detail="T1 fund")
    hand.con.execute("UPDATE bill SET power_factor = 0.92")
    hand.price("T2", "energy", "0.6")
    hand.put("rt_contract", sid=2, agent_factor="1.2")
    hand.put("tb_pf", standard="0.90", pf="0.80", pct="5", in_force_from=date(2020, 1, 1))
    hand.put("rt_feed_in", generator_id="G1", billing_period=str(PERIOD), fed_in_kwh="10", price="0.4",
             amount="4")  # fmt: skip
    return hand


def test_every_kept_table_is_the_same(spark_session: Any, tmp_path: Path) -> None:
    hand = month()
    compare.run(hand.con, period=PERIOD)
    schema: dict[str, dict[str, str]] = {}
    asked = "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal"
    for table, column, kind in hand.con.execute(asked).fetchall():
        schema.setdefault(table.removeprefix(compare.KEPT), {})[column] = kind
    for name in (*tables.KEPT, *READ, "tb_pf"):
        file = tmp_path / f"{name}.parquet"
        hand.con.execute(f"COPY (SELECT * FROM {name}) TO '{file}' (FORMAT parquet)")
        spark_session.read.parquet(str(file)).createOrReplaceTempView(name)
    for step in compare.STEPS:
        for section in sections.of(step, folder=compare.FOLDER):
            sql = sections.bind(section, compare.constants(PERIOD))
            spark.define(spark_session, name=section.name, sql=sql, schema=schema, keep=True)
            if step == compare.STEPS[-1]:
                kept = f"SELECT * FROM {compare.KEPT}{section.name}"
                here = sorted(map(str, hand.con.execute(kept).fetchall()))
                there = sorted(str(tuple(row)) for row in spark_session.table(section.name).collect())
                assert there == here, section.name
                assert here, section.name
    assert {row["cause"] for row in hand.rows("bill_difference")} >= {
        "wrong_tariff", "wrong_factor", "wrong_kwh", "wrong_multiplier", "wrong_loss", "wrong_tier",
        "wrong_days", "follows", "rounding", "extra_component",
    }  # fmt: skip
