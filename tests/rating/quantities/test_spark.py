"""The quantity half on Spark gives row by row what it gives on DuckDB."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.portability.conftest import spark_session
from tests.rating.bench import Bench

from mingcha.contract import load as contract_load
from mingcha.rating import engine, sections, tables
from mingcha.store import spark

__all__ = ["spark_session"]  # the one session of the test run

pytestmark = [
    pytest.mark.spark,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.xdist_group("spark"),
]
D = date
READ = {*contract_load.contract().tables, *tables.BOOK, *tables.CARRIED, "rt_default"}


def utility() -> Bench:
    """A works with everything, a home with a past, two settlements, lamps, a temporary supply, gaps."""
    bench = Bench()
    bench.tariff()
    bench.tariff("A", tier_id="test/a", tier_basis="annual")
    bench.put("tariff", tariff_id="OWN", effective_from=D(2020, 1, 1))
    bench.put("tariff_price", tariff_id="OWN", component="energy", period="all", tier="0", price="0.61",
              effective_from=D(2020, 1, 1))  # fmt: skip
    works(bench)
    bench.home("C2", "P10", tariff_id="A")
    bench.put("meter", meter_id="MP10", digits=5)
    for month, start, end in (
        ("2026-01", "99950", "50"),
        ("2026-02", "50", "150"),
        ("2026-03", "150", "260.55"),
    ):
        bench.reading("P10", start, end, billing_period=month)
    bench.customer("C3", tariff_id=None)
    bench.contract("C3", tariff_id="T", effective_to=D(2026, 3, 11))
    bench.contract("C3", tariff_id="OWN", effective_from=D(2026, 3, 11))
    bench.point("P20", "C3")
    bench.bill("C3")
    bench.bill("C3")
    bench.reading("P20", "0", "55.55", read_on=D(2026, 3, 16))
    bench.reading("P20", "0", "44.44", started_on=D(2026, 3, 16))
    bench.customer("C4", supply_kind="temporary", contract_capacity_kva="30")
    bench.point("P30", "C4", metering_method="none")
    bench.bill("C4")
    bench.customer("C5")
    bench.point("P40", "C5", metering_method="fixed_quantity", fixed_value="155.5")
    bench.bill("C5")
    bench.home("C6", "P50", tariff_id="A")
    bench.reading("P50")
    bench.home("C7", "P60", tariff_id="X")
    return bench


def works(bench: Bench) -> None:
    """Periods, a price that changes, losses of transformer and line, children of every kind, a suspension."""
    bench.tariff(
        "F", energy={"sharp": "0.9", "peak": "0.7", "flat": "0.5", "valley": "0.3"}, pf_base="energy"
    )
    bench.price("F", "fund", "0.03", in_force_from=D(2026, 3, 11))
    bench.price("F", "basic_capacity", "20", unit="CNY/kVA·month")
    bench.book("tb_transformer", series="S11", capacity_kva="400", no_load_loss_kw="0.57", load_loss_kw="4.3",
               no_load_current_pct="0.8", impedance_pct="4")  # fmt: skip
    bench.put("transformer", transformer_id="TR1", kind="dedicated", customer_id="C1", capacity_kva="400",
              model="S11-M-400")  # fmt: skip
    for first, until, status in (
        (D(2025, 1, 1), D(2026, 3, 6), "running"),
        (D(2026, 3, 6), D(2026, 3, 22), "sealed"),
        (D(2026, 3, 22), None, "running"),
    ):
        bench.put("transformer_status", transformer_id="TR1", effective_from=first, effective_to=until,
                  status=status)  # fmt: skip
    bench.customer("C1", tariff_id="F", voltage_kv="10", contract_capacity_kva="400", shift=2,
                   basic_charge_method="capacity", power_factor_standard="0.9",
                   line_loss_pct="1.25")  # fmt: skip
    bench.bill("C1")
    low = {"metering_side": "low", "loss_billed": "transformer_line", "transformer_id": "TR1"}
    bench.point("P1", "C1", **low)
    bench.point("P2", "C1", **low)
    bench.registers("P1", active="40000.03", sharp="3333.33", peak="10000.01", valley="9999.99",
                    reactive_import="20000", demand="123.456")  # fmt: skip
    bench.registers("P2", active="20000.01", peak="7000", reactive_export="100")
    child = {"parent_usage_point_id": "P1", "relation": "sub_deducted", "tariff_id": "T"}
    bench.point("P3", "C1", **child)
    bench.registers("P3", active="1000.07")
    bench.point("P4", "C1", **{**child, "tariff_id": "F"}, metering_method="fixed_quantity",
                fixed_value="777.7", effective_from=D(2026, 3, 9))  # fmt: skip
    bench.point("P5", "C1", **child, metering_method="fixed_ratio", fixed_value="0.137")


def test_every_table_is_the_same(spark_session: Any, tmp_path: Path) -> None:
    bench = utility()
    engine.run(bench.con, period=bench.period, names=engine.QUANTITIES, keep=True)
    schema: dict[str, dict[str, str]] = {}
    asked = "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal"
    for table, column, kind in bench.con.execute(asked).fetchall():
        schema.setdefault(table, {})[column] = kind
    for name in sorted(READ):
        file = tmp_path / f"{name}.parquet"
        bench.con.execute(f"COPY (SELECT * FROM {name}) TO '{file}' (FORMAT parquet)")
        spark_session.read.parquet(str(file)).createOrReplaceTempView(name)
    gaps = set()
    for step in engine.QUANTITIES:
        for section in sections.of(step):
            sql = sections.bind(section, sections.constants(bench.period))
            if section.is_gap:
                _, rows = spark.ask(spark_session, sql, schema=schema, source=section.place)
                gaps |= {row[:2] for row in rows}
            else:
                spark.define(spark_session, name=section.name, sql=sql, schema=schema, keep=True)
    assert sorted(gaps) == bench.rows("rt_gap", "sid, reason")
    for name in tables.QUANTITIES:
        if name != "rt_gap":
            here = sorted(map(str, bench.con.execute(f"SELECT * FROM {name}").fetchall()))
            there = sorted(str(tuple(row)) for row in spark_session.table(name).collect())
            assert there == here, name
            assert here, name
