"""The charge half on Spark gives row by row what it gives on DuckDB."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.portability.conftest import spark_session
from tests.rating.charges.hand import READ, Hand

from mingcha.rating import engine, sections, tables
from mingcha.store import spark

__all__ = ["spark_session"]  # the one session of the test run

pytestmark = [
    pytest.mark.spark,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.xdist_group("spark"),
]
D = Decimal
KINDS = {"string": "VARCHAR", "int": "INTEGER"}
CUT = date(2026, 3, 11)
PERIODS = {"sharp": "0.78258301", "peak": "0.579545", "flat": "0.38427", "valley": "0.165508"}


def utility() -> Hand:
    """A month with every kind of charge, and with gaps."""
    hand = Hand()
    works(hand)
    market(hand)
    homes(hand)
    abroad(hand)
    hand.settle(sid=20, customer="C20")
    hand.tariff("NONE")
    hand.point(20, tariff="NONE")
    hand.energy(20, "5", tariff="NONE")
    return hand


def works(hand: Hand) -> None:
    """Two-part customers: agency factor, funds in items, capacity by the day, demand, power factor."""
    hand.tariff("T", pf_base="energy grid_loss,basic_capacity basic_demand")
    for period, price in PERIODS.items():
        hand.price("T", "energy", price, period=period)
        hand.price("T", "grid_loss", price.replace("0.", "0.0", 1)[:10], period=period, clause="")
    for item in ("a", "b"):
        hand.price("T", "fund", "0.0112345", item=item, evidence="[K?]")
    hand.price("T", "surcharge", "0.1")
    hand.price("T", "transmission", "0.1903", in_force_to=CUT)
    hand.price("T", "transmission", "0.1886", in_force_from=CUT)
    hand.price("T", "basic_capacity", "26.3")
    hand.price("T", "basic_demand", "42")
    for name, value in (("discount_hours", "260"), ("discount", "0.90"), ("over_variant", "B")):
        hand.parameter(f"demand.{name}", value, evidence="[K+]")
    for pf in range(101):
        hand.add("tb_pf", standard=D("0.90"), pf=D(pf) / 100, pct=D(90 - pf) / 2, document="83",
                 evidence="[S]", in_force_from=date(1983, 12, 2))  # fmt: skip
    for sid, method in ((1, "capacity"), (2, "demand_contract")):
        hand.settle(sid=sid, customer=f"C{sid}")
        hand.point(sid, tariff="T")
        hand.contract(sid, tariff="T", basic_charge_method=method, pf_standard="0.90", purchase_mode="agent",
                      contract_capacity_kva="100", contract_demand_kw="30.5",
                      agent_factor="1.5" if sid == 1 else "1")  # fmt: skip
        for number, period in enumerate(PERIODS):
            kwh = D(4321) + D("17.07") * number
            hand.energy(sid, str(kwh), tariff="T", period=period, seg_to=CUT)
            hand.energy(sid, str(kwh * 2), tariff="T", period=period, seg=2, seg_from=CUT)
        hand.add("rt_power", sid=sid, wp=D("34000.5"), wq=D(f"{sid}7654.32"))
    hand.kva(1, "315.5", end=CUT)
    hand.kva(1, "100", CUT)
    hand.add("rt_demand", sid=2, period="all", kw=D("45.678"))
    hand.add(
        "rt_loss", sid=1, usage_point_id="P1", kind="transformer", kwh=D("12.34"), kvarh=D(3), formula="P0·T"
    )
    hand.settle(sid=3, customer="C3")
    hand.point(3, tariff="T")
    hand.contract(3, tariff="T", basic_charge_method="demand_actual")


def market(hand: Hand) -> None:
    """Direct trading with two lines of the bill to average."""
    hand.tariff("M")
    hand.rows["tb_tariff"][-1]["price_basis"] = "market"
    hand.price("M", "transmission", "0.1263")
    for sid in (5, 6):
        hand.settle(sid=sid, customer=f"C{sid}")
        hand.point(sid, tariff="M")
        hand.energy(sid, "1000.05", tariff="M")
        hand.contract(sid, tariff="M", purchase_mode="direct")
    hand.add("bill", bill_id="B5", customer_id="C5", billing_period="2026-03", kind="regular")
    for number, (kwh, price, amount) in enumerate(
        (("600", "0.41", "246"), ("400.05", "0.39", "156.02")), start=1
    ):
        hand.add("bill_line", bill_id="B5", line_no=number, usage_point_id="P5", component="energy",
                 period="all", quantity=D(kwh), price=D(price), amount=D(amount), unit="kWh")  # fmt: skip


def homes(hand: Hand) -> None:
    """Annual tiers in segments, a large household, free energy, no funds, a roof with two generators."""
    hand.tariff("H", tier_id="test/h", tier_basis="annual", tier_measure="total")
    hand.price("H", "energy", "0.538")
    hand.price("H", "fund", "0.001")
    hand.price("H", "feed_in", "0.4153")
    for tier, price in enumerate(("0", "0.05", "0.3"), start=1):
        hand.price("H", "tier", price, tier=tier)
    hand.ladder("test/h", "2160", "4800.01", None, member_kwh=D(100))
    hand.parameter("low_income.free_kwh", "10")
    for sid, kind in ((8, "many_members"), (9, "low_income"), (10, "fund_exempt")):
        hand.settle(sid=sid, customer=f"C{sid}")
        hand.point(sid, tariff="H")
        hand.contract(sid, tariff="H")
        hand.energy(sid, "7.77", tariff="H", seg_to=CUT)
        hand.energy(sid, "900.01", tariff="H", seg=2, seg_from=CUT)
        hand.add("rt_prior", sid=sid, usage_point_id=f"P{sid}", kwh=D("1500"), months=7, complete=True)
        hand.add(
            "entitlement", entitlement_id=kind, customer_id=f"C{sid}", kind=kind, valid_from=date(2020, 1, 1)
        )
    for name, kw in (("G1", "3"), ("G2", "7.5")):
        hand.add("generator", generator_id=name, customer_id="C8", kind="pv", capacity_kw=D(kw),
                 grid_mode="self_use_surplus", connected_on=date(2024, 1, 1))  # fmt: skip
    hand.add("usage_point", usage_point_id="P8", customer_id="C8", role="sale", multiplier=D(1),
             effective_from=date(2020, 1, 1))  # fmt: skip
    hand.add("meter", meter_id="M8", digits=5)
    hand.add("reading", reading_id="R8", usage_point_id="P8", meter_id="M8", billing_period="2026-03",
             register="active_export", start_value=D("99990"), end_value=D("90.77"),
             started_on=date(2026, 3, 1), read_on=date(2026, 4, 1))  # fmt: skip


def abroad(hand: Hand) -> None:
    """Energy priced by tier: within periods, and over all kWh with prices by period; fixed charges."""
    for name, measure in (("U", "period"), ("V", "total")):
        hand.tariff(name, tier_id="test/u", tier_basis="monthly", tier_measure=measure)
        for period, price in (("peak", "0.3"), ("valley", "0.1")):
            hand.price(name, "energy", price, period=period, tier=1)
            hand.price(name, "energy", price.replace(".", ".4"), period=period, tier=2)
        hand.price(name, "fixed", "12.5", unit="USD/month")
        hand.price(name, "fixed", "0.333", unit="USD/day", item="meter")
    for moy in (2, 3):
        hand.ladder("test/u", "100", None, moy=moy)
    for sid, name in ((12, "U"), (13, "V")):
        hand.settle(sid=sid, customer=f"C{sid}", started_on=date(2026, 2, 1))
        hand.point(sid, tariff=name)
        hand.energy(sid, "333.33", tariff=name, period="peak")
        hand.energy(sid, "77.7", tariff=name, period="valley")


def test_every_table_is_the_same(spark_session: Any, tmp_path: Path) -> None:
    hand = utility()
    lines = hand.rate(keep=True)
    assert {line["component"] for line in lines} >= {
        "energy", "tier", "grid_loss", "transmission", "fund", "other", "basic_capacity", "basic_demand",
        "basic_demand_over", "power_factor", "discount", "transformer_loss",
    }  # fmt: skip
    schema: dict[str, dict[str, str]] = {}
    asked = "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal"
    for table, column, kind in hand.con.execute(asked).fetchall():
        schema.setdefault(table, {})[column] = kind
    for name in {*READ, *tables.BOOK, *tables.QUANTITIES, *tables.CARRIED, "rt_default"}:
        file = tmp_path / f"{name}.parquet"
        keep = "WHERE false" if name == "rt_gap" else ""
        hand.con.execute(f"COPY (SELECT * FROM {name} {keep}) TO '{file}' (FORMAT parquet)")
        spark_session.read.parquet(str(file)).createOrReplaceTempView(name)
    gaps = spark_session.table("rt_gap")
    for step in engine.CHARGES:
        for section in sections.of(step):
            sql = sections.bind(section, sections.constants(hand.month))
            if section.is_gap:
                spark.define(spark_session, name=section.name, sql=sql, schema=schema)
                gaps = gaps.union(spark_session.table(section.name))
                gaps.createOrReplaceTempView("rt_gap")
            else:
                spark.define(spark_session, name=section.name, sql=sql, schema=schema, keep=True)
    found = spark_session.table("rt_gap").select("sid", "reason").distinct().collect()
    assert sorted(tuple(row) for row in found) == hand.gaps == [
        (3, "no_demand"), (6, "no_market_price"), (20, "no_price"),
    ]  # fmt: skip
    for name, columns in tables.CHARGES.items():
        frame = spark_session.table(name)
        kinds = [(field.name, field.dataType.simpleString()) for field in frame.schema]
        assert [(column, KINDS.get(kind, kind.upper())) for column, kind in kinds] == list(columns)
        here = sorted(plain(row) for row in hand.con.execute(f"SELECT * FROM {name}").fetchall())
        there = sorted(plain(row) for row in frame.collect())
        assert there == here, name
        assert here, name


def plain(row: Any) -> str:
    """Return a row as text: numbers by value, however many zeros the engine gives them."""
    return str([f"{cell.normalize():f}" if isinstance(cell, Decimal) else cell for cell in row])
