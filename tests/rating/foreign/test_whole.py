"""A foreign utility from files alone: a rate of the database, load curves, a bill; rated like any other."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.rating.bench import Bench

from mingcha.rating import tables as rating
from mingcha.tariffbook import load, tables, urdb

JULY = "2026-07"
PEAK = [[0] * 16 + [1] * 5 + [0] * 3] * 12
NONE = [[0] * 24] * 12
RATE: dict[str, Any] = {
    "label": "r1",
    "name": "Shop",
    "startdate": 1514786400,
    "energyratestructure": [[{"rate": 0.10}], [{"rate": 0.40}]],
    "energytoulabels": ["Off-Peak", "Peak"],
    "energyweekdayschedule": PEAK,
    "energyweekendschedule": NONE,
    "demandratestructure": [[{"rate": 2}], [{"rate": 9}]],
    "demandweekdayschedule": PEAK,
    "demandweekendschedule": NONE,
    "flatdemandstructure": [[{"rate": 1.5}]],
    "fixedchargefirstmeter": 30,
    "fixedchargeunits": "$/month",
}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """1 kW all July on the secondary side, twice as much on one Wednesday from 17 to 18; multiplier 10."""
    made = Bench(JULY)
    path = tmp_path / "rate.yaml"
    path.write_text(urdb.read(json.dumps(RATE), source="rate.json").text, encoding="utf-8")
    for name in rating.BOOK:
        made.con.execute(f"DROP TABLE {name}")
    tables.install(made.con, load.only([path]), codes=[("SHOP", "us.urdb.r1")])
    made.customer("C1", tariff_id="SHOP", basic_charge_method="demand_actual", usage_category="general")
    made.point("P1", "C1", multiplier="10")
    made.bill("C1")
    made.reading("P1", start="0", end="745", multiplier="10", energy="7450")
    return made


def curve(bench: Bench, *, days: int = 31) -> None:
    moment = datetime.combine(date(2026, 7, 1), datetime.min.time())
    for _ in range(days * 96):
        busy = moment.date() == date(2026, 7, 8) and moment.hour == 17
        bench.put("load_curve", usage_point_id="P1", at=str(moment), p_kw="2" if busy else "1")
        moment += timedelta(minutes=15)


def test_the_bill_line_by_line(bench: Bench) -> None:
    curve(bench)
    rated = bench.rated()
    assert bench.gaps() == set()
    assert "interval" in rated.seconds
    # 23 working days of 5 peak hours: 115 h × 10 kW and 10 kWh more; 744 h in all.
    assert bench.rows("rt_line", "component, period, quantity, price, amount") == [
        ("basic_demand", "d0", "10", "2", "20"),
        ("basic_demand", "d1", "20", "9", "180"),
        ("basic_demand", None, "20", "1.5", "30"),
        ("energy", "off_peak", "6290", "0.1", "629"),
        ("energy", "peak", "1160", "0.4", "464"),
        ("other", None, "1", "30", "30"),
    ]


def test_a_curve_with_a_hole_is_a_gap(bench: Bench) -> None:
    curve(bench, days=30)
    bench.rated()
    assert bench.gaps() == {"no_reading"}
    assert bench.rows("rt_line", "sid") == []


def test_without_curves_the_registers_are_missed(bench: Bench) -> None:
    bench.rated()
    assert "no_period_registers" in bench.gaps()


def test_a_tariff_that_registers_serve_does_not_look_at_curves() -> None:
    made = Bench(JULY)
    made.tariff("T", energy={"peak": "1", "valley": "0.2"}, programme_id="test/h")
    made.home()
    made.registers("P1", active="100", peak="40", valley="60")
    rated = made.rated()
    assert "interval" not in rated.seconds
    assert made.energy() == {"peak": "40", "valley": "60"}


def test_progress_counts_through(bench: Bench) -> None:
    from mingcha.rating import engine

    curve(bench, days=1)
    told: list[tuple[str, int, int]] = []
    engine.rate(bench.con, period=bench.period, progress=lambda *now: told.append(now))
    assert [done for _, done, _ in told] == list(range(len(told)))
    assert all(done < there for _, done, there in told[:-1])
    assert told[-1][0] == ""
    assert Decimal(told[-1][1]) == told[-1][2] == len(engine.STEPS) + len(engine.INTERVALS)
