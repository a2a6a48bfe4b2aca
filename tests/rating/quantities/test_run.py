"""Months of one run: the rows of a month are those of rating it by itself, whatever was rated before it."""

from __future__ import annotations

from datetime import date

from tests.rating.bench import Bench

from mingcha.kernel.periods import BillingMonth
from mingcha.rating import engine, tables

MONTHS = ("2025-12", "2026-01", "2026-02", "2026-03", "2026-05")


def books() -> Bench:
    """Homes on annual tiers: one alone, one with a child, one not billed in February, one opened in March."""
    bench = Bench()
    bench.tariff()
    bench.tariff("A", tier_id="test/a", tier_basis="annual")
    for customer, point in (("C1", "P1"), ("C2", "P2"), ("C3", "P3")):
        bench.customer(customer, tariff_id="A")
        bench.point(point, customer)
    for point in ("P1", "P2", "P3", "P4"):
        bench.put("meter", meter_id=f"M{point}", digits=5)
    bench.point("P4", "C2", parent_usage_point_id="P2", relation="sub_deducted", tariff_id="T")
    for number, month in enumerate(("2025-12", "2026-01", "2026-02", "2026-03", "2026-04", "2026-05")):
        period = BillingMonth.parse(month)
        days = {"billing_period": month, "started_on": period.start, "read_on": period.end}
        for point, step in (("P1", 100), ("P2", 300), ("P3", 50), ("P4", 40)):
            start, end = ((99_850 + count * step) % 100_000 for count in (number, number + 1))
            bench.reading(point, str(start), str(end), **days)
        for customer in ("C1", "C2", "C3"):
            if (customer, month) != ("C3", "2026-02"):
                bench.bill(customer, billing_period=month, issued_at=date(period.year, period.month, 28))
    return bench


def rows(bench: Bench) -> dict[str, list[str]]:
    return {
        name: sorted(map(str, bench.con.execute(f"SELECT * FROM {name}").fetchall())) for name in tables.KEPT
    }


def test_a_run_gives_what_each_month_gives_by_itself() -> None:
    alone, together, within = books(), books(), engine.Run()
    for month in MONTHS:
        period = BillingMonth.parse(month)
        engine.rate(alone.con, period=period)
        engine.rate(together.con, period=period, within=within)
        assert rows(together) == rows(alone), month
        assert within.past == period
    assert any("P2" in row for row in rows(together)["rt_prior"])
    prior = dict(together.rows("rt_prior", "usage_point_id, kwh"))
    assert prior["P1"] == "400"
    assert prior["P2"] == str(4 * 260)


def test_months_backwards_are_read_anew() -> None:
    alone, together, within = books(), books(), engine.Run()
    for month in ("2026-05", "2026-02", "2026-03"):
        period = BillingMonth.parse(month)
        engine.rate(alone.con, period=period)
        engine.rate(together.con, period=period, within=within)
        assert rows(together) == rows(alone), month
    assert within.past_from(BillingMonth(2027, 1)) is None


def test_tables_that_stand_are_made_once() -> None:
    bench, within = books(), engine.Run()
    engine.rate(bench.con, period=BillingMonth(2026, 1), within=within)
    assert {"rq_version", "rq_contract", "rt_price"} <= within.tables
    bench.con.execute("DELETE FROM contract")
    engine.rate(bench.con, period=BillingMonth(2026, 2), within=within)
    assert bench.rows("rt_contract", "sid")
    engine.rate(bench.con, period=BillingMonth(2026, 2))
    assert not bench.rows("rt_contract", "sid")
