"""The year so far, which decides in which annual tier this month begins."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import pytest
from tests.rating.bench import Bench

from mingcha.kernel.periods import BillingMonth

D = date


@pytest.fixture
def year(bench: Bench) -> Bench:
    """A home on tariff A with annual tiers."""
    bench.tariff("A", tier_id="test/a", tier_basis="annual")
    bench.book(
        "tb_tier", tier_id="test/a", period="all", tier=1, moy=0, upto_kwh="2160", in_force_from=D(2020, 1, 1)
    )
    return bench


def read(bench: Bench, months: Iterable[int], point: str = "P1", **more: Any) -> None:
    """Readings of 100 kWh a month plus the month's number, of whole calendar months of 2026."""
    for month in months:
        period = BillingMonth(2026, month)
        bench.reading(point, end=str(100 + month), billing_period=str(period), **more)


def prior(bench: Bench) -> list[tuple[object, ...]]:
    bench.quantities()
    return bench.rows("rt_prior", "usage_point_id, kwh, months, complete")


def test_earlier_months_of_the_calendar_year_add_up(year: Bench) -> None:
    year.home(tariff_id="A")
    read(year, (1, 2, 3))
    year.reading(end="999", billing_period="2025-12")
    assert prior(year) == [("P1", "203", 12, True)]
    assert year.gaps() == set()


def test_january_has_no_past(year: Bench) -> None:
    year.period = BillingMonth(2026, 1)
    year.home(tariff_id="A")
    year.reading(end="80", billing_period="2026-01")
    assert prior(year) == [("P1", "0", 12, True)]


@pytest.mark.parametrize("held", [(3,), (1, 3), (2, 3)])
def test_a_month_that_is_missing_is_a_gap(year: Bench, held: tuple[int, ...]) -> None:
    year.home(tariff_id="A")
    read(year, held)
    assert [row[3] for row in prior(year)] == [False]
    assert year.gaps() == {"history_short"}


def test_service_from_february_begins_there_and_reduces_the_months(year: Bench) -> None:
    year.home(tariff_id="A", opened_on=D(2026, 2, 10))
    year.reading(end="40", billing_period="2026-02", started_on=D(2026, 2, 10))
    read(year, (3,))
    assert prior(year) == [("P1", "40", 11, True)]


def test_service_that_began_in_this_month(year: Bench) -> None:
    year.home(tariff_id="A", opened_on=D(2026, 3, 10))
    year.reading(end="40", started_on=D(2026, 3, 10))
    assert prior(year) == [("P1", "0", 10, True)]


def test_service_opened_late_in_a_month_and_read_first_in_the_next(year: Bench) -> None:
    year.home(tariff_id="A", opened_on=D(2026, 2, 26))
    year.reading(end="40", started_on=D(2026, 2, 26))
    assert prior(year) == [("P1", "0", 11, True)]


def test_every_second_month(year: Bench) -> None:
    year.period = BillingMonth(2026, 4)
    year.home(tariff_id="A")
    year.reading(end="150", billing_period="2026-02", started_on=D(2026, 1, 1))
    year.reading(start="150", end="400", billing_period="2026-04", started_on=D(2026, 3, 1))
    assert prior(year) == [("P1", "150", 12, True)]


def test_readings_in_the_middle_of_months(year: Bench) -> None:
    year.home(tariff_id="A")
    for month, first in ((1, D(2025, 12, 15)), (2, D(2026, 1, 15)), (3, D(2026, 2, 15))):
        until = BillingMonth(2026, month).start.replace(day=15)
        year.reading(end="100", billing_period=f"2026-{month:02d}", started_on=first, read_on=until)
    assert prior(year) == [("P1", "200", 12, True)]


def test_a_changed_meter_and_a_roll_over_in_the_past(year: Bench) -> None:
    year.home(tariff_id="A")
    year.put("meter", meter_id="OLD", digits=5)
    year.reading(start="99990", end="10", billing_period="2026-01", read_on=D(2026, 1, 11), meter_id="OLD")
    year.reading(start="0", end="50", billing_period="2026-01", started_on=D(2026, 1, 11))
    read(year, (2, 3))
    assert prior(year) == [("P1", "172", 12, True)]


def test_the_past_is_counted_after_the_structure(year: Bench) -> None:
    year.home(tariff_id="A")
    read(year, (1, 2, 3))
    deducted = {"parent_usage_point_id": "P1", "relation": "sub_deducted", "tariff_id": "T"}
    year.point("P2", **deducted)
    for month in (1, 2, 3):
        year.reading("P2", end="20", billing_period=f"2026-{month:02d}")
    year.point("P3", **deducted, metering_method="fixed_quantity", fixed_value="11")
    year.point("P4", **deducted, metering_method="fixed_ratio", fixed_value="0.1")
    # (101 − 20 − 11) × 0.9 + (102 − 20 − 11) × 0.9 = 63 + 63.9
    assert prior(year) == [("P1", "126.9", 12, True)]


def test_what_an_earlier_customer_used_at_the_point_does_not_count(year: Bench) -> None:
    year.customer("C0", tariff_id="A", closed_on=D(2026, 2, 1))
    year.point("P1", "C0", effective_to=D(2026, 2, 1))
    year.customer("C1", tariff_id="A", opened_on=D(2026, 2, 1))
    year.point("P1", "C1", effective_from=D(2026, 2, 1))
    year.bill()
    read(year, (1, 2, 3))
    assert prior(year) == [("P1", "102", 11, True)]


def test_an_earlier_settlement_of_the_month_counts(year: Bench) -> None:
    year.home(tariff_id="A")
    year.bill()
    read(year, (1, 2))
    year.reading(end="60", read_on=D(2026, 3, 16))
    year.reading(start="60", end="100", started_on=D(2026, 3, 16))
    year.quantities()
    assert year.rows("rt_prior", "sid, kwh, complete") == [(1, "203", True), (2, "263", True)]


def test_other_tariffs_need_no_past(year: Bench) -> None:
    year.home()
    year.registers(active="100")
    assert prior(year) == []
    assert year.gaps() == set()
