"""What must hold for any numbers: order does not matter, and parts add up to the whole, exactly."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.rating.bench import Bench, shuffled

from mingcha.rating import tables

FOUR = {"sharp": "0.9", "peak": "0.7", "flat": "0.5", "valley": "0.3"}
QUICK = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
START = date(2026, 3, 1)
kwh = st.integers(0, 10_000_000).map(lambda cents: Decimal(cents) / 100)


@pytest.fixture(scope="module")
def stage() -> Iterator[Bench]:
    """One bench whose rows are taken out again before every example."""
    bench = Bench()
    yield bench
    bench.con.close()


USED = ("reading", "bill", "usage_point", "transformer", "contract", "customer", *tables.BOOK)


def cleared(stage: Bench) -> Bench:
    for table in USED:
        stage.con.execute(f"DELETE FROM {table}")
    return stage


def total(bench: Bench, table: str, column: str = "kwh", where: str = "true") -> Decimal:
    row = bench.con.execute(f"SELECT coalesce(sum({column}), 0) FROM {table} WHERE {where}").fetchone()
    assert row is not None
    return Decimal(row[0])


@QUICK
@given(parts=st.tuples(kwh, kwh, kwh, kwh), day=st.integers(1, 30), loss=st.integers(0, 900))
def test_periods_and_segments_add_up_to_what_was_read_and_lost(
    stage: Bench, parts: tuple[Decimal, ...], day: int, loss: int
) -> None:
    bench = cleared(stage)
    bench.tariff("F", energy=FOUR)
    bench.price("F", "fund", "0.03", in_force_from=START + timedelta(days=day))
    bench.home(tariff_id="F", line_kind="dedicated", line_loss_pct=str(Decimal(loss) / 100))
    sharp, peak, valley, flat = parts
    bench.registers(active=str(sum(parts)), sharp=str(sharp), peak=str(peak), valley=str(valley))
    bench.quantities()
    assert total(bench, "rt_energy") == sum(parts) + total(bench, "rt_loss")
    assert bench.gaps() == set()
    if loss == 0:
        for name, amount in (("sharp", sharp), ("peak", peak), ("flat", flat), ("valley", valley)):
            assert total(bench, "rt_energy", where=f"period = '{name}'") == amount


@QUICK
@given(amount=kwh, days=st.lists(st.integers(1, 30), min_size=1, max_size=4, unique=True))
def test_an_interval_cut_at_any_days_adds_up(stage: Bench, amount: Decimal, days: list[int]) -> None:
    bench = cleared(stage)
    bench.tariff()
    for day in days:
        bench.price("T", "fund", "0.03", in_force_from=START + timedelta(days=day))
    bench.home()
    bench.registers(active=str(amount))
    bench.quantities()
    assert total(bench, "rt_energy") == amount
    found = bench.con.execute("SELECT seg_from, seg_to, kwh FROM rt_energy ORDER BY seg").fetchall()
    assert len(found) == len(days) + 1
    for first, until, part in found[:-1]:
        exact = amount * (until - first).days / 31
        assert abs(part - exact) <= Decimal("0.005")


@QUICK
@given(
    main=st.tuples(kwh, kwh, kwh, kwh),
    sub=st.decimals(0, "0.4", places=3),
    quantity=st.integers(0, 60_000),
    ratios=st.lists(st.decimals(0, "0.3", places=3), min_size=1, max_size=3),
)
def test_nothing_is_lost_between_a_main_point_and_its_children(
    stage: Bench, main: tuple[Decimal, ...], sub: Decimal, quantity: int, ratios: list[Decimal]
) -> None:
    bench = cleared(stage)
    bench.tariff()
    bench.tariff("F", energy=FOUR)
    bench.home(tariff_id="F")
    whole = sum(main, Decimal(0))
    bench.registers(active=str(whole), sharp=str(main[0]), peak=str(main[1]), valley=str(main[2]))
    child: dict[str, Any] = {"parent_usage_point_id": "P1", "relation": "sub_deducted", "tariff_id": "F"}
    bench.point("P2", **{**child, "tariff_id": "T"})
    bench.registers("P2", active=str((whole * sub).quantize(Decimal("0.01"))))
    bench.point("P3", **child, metering_method="fixed_quantity", fixed_value=str(quantity))
    for number, ratio in enumerate(ratios):
        bench.point(f"R{number}", **child, metering_method="fixed_ratio", fixed_value=str(ratio))
    bench.quantities()
    assert total(bench, "rt_energy") == whole
    assert total(bench, "rt_energy", "least(kwh, 0)") >= Decimal("-0.02")


ROWS = st.lists(st.integers(), min_size=14, max_size=14)


@QUICK
@given(order=ROWS)
def test_the_order_of_rows_does_not_matter(stage: Bench, order: list[int]) -> None:
    bench = cleared(stage)
    bench.tariff()
    bench.tariff("F", energy=FOUR)
    bench.book("tb_transformer", series="S11", capacity_kva="400", no_load_loss_kw="0.57",
               load_loss_kw="4.3", no_load_current_pct="0.8", impedance_pct="4")  # fmt: skip
    bench.customer("C1", tariff_id="F", voltage_kv="10")
    bench.customer("C2")
    low = {"metering_side": "low", "loss_billed": "transformer", "transformer_id": "TR1"}
    rows: list[dict[str, Any]] = [
        {"put": bench.put, "table": "transformer", "transformer_id": "TR1", "kind": "dedicated",
         "customer_id": "C1", "capacity_kva": "400", "model": "S11-400"},
        {"put": bench.point, "usage_point_id": "P1", "customer_id": "C1", **low},
        {"put": bench.point, "usage_point_id": "P2", "customer_id": "C1", **low},
        {"put": bench.point, "usage_point_id": "P3", "customer_id": "C2"},
        {"put": bench.point, "usage_point_id": "P4", "customer_id": "C1", "parent_usage_point_id": "P1",
         "relation": "sub_deducted", "tariff_id": "T", "metering_method": "fixed_ratio",
         "fixed_value": "0.2"},
        {"put": bench.reading, "usage_point_id": "P1", "end": "5000.01", "reading_id": "a"},
        {"put": bench.reading, "usage_point_id": "P1", "end": "1000.03", "register": "active_peak",
         "reading_id": "b"},
        {"put": bench.reading, "usage_point_id": "P2", "end": "3000.07", "reading_id": "c"},
        {"put": bench.reading, "usage_point_id": "P2", "end": "999.99", "register": "active_valley",
         "reading_id": "d"},
        {"put": bench.reading, "usage_point_id": "P1", "end": "900", "register": "reactive_import",
         "reading_id": "e"},
        {"put": bench.reading, "usage_point_id": "P3", "end": "77", "reading_id": "f"},
        {"put": bench.bill, "customer_id": "C2", "bill_id": "B2", "issued_at": "2026-04-02 08:00:00"},
        {"put": bench.bill, "customer_id": "C1", "bill_id": "B1", "issued_at": "2026-04-02 08:00:00"},
        {"put": bench.bill, "customer_id": "C1", "bill_id": "B0", "issued_at": "2026-04-02 08:00:00"},
    ]  # fmt: skip
    seen = []
    for arrangement in (rows, shuffled(rows, order)):
        bench.con.execute(
            "DELETE FROM reading; DELETE FROM bill; DELETE FROM usage_point; DELETE FROM transformer"
        )
        for row in arrangement:
            row["put"](**{name: value for name, value in row.items() if name != "put"})
        bench.quantities()
        seen.append({name: bench.rows(name, "*") for name in tables.QUANTITIES})
    assert seen[0] == seen[1]
    assert len(seen[0]["rt_energy"]) == 10
