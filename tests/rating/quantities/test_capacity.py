"""What a basic charge is laid on: running kVA day by day, and the month's maximum demand."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from tests.rating.bench import Bench

D = date


@pytest.fixture
def works(bench: Bench) -> Bench:
    """Tariff I with a price per kVA and per kW; customer C1 on it by capacity, with two transformers."""
    bench.tariff("I", parts="two", usage_category="large_industrial", pf_base="energy")
    bench.price("I", "basic_capacity", "26.3", unit="CNY/kVA·month")
    bench.price("I", "basic_demand", "42", unit="CNY/kW·month")
    return bench


def customer(
    bench: Bench, *, method: str = "capacity", sizes: dict[str, str] | None = None, **more: Any
) -> None:
    bench.home(tariff_id="I", basic_charge_method=method, **more)
    bench.registers(active="100")
    for name, kva in ({"TR1": "400", "TR2": "250"} if sizes is None else sizes).items():
        bench.put("transformer", transformer_id=name, kind="dedicated", customer_id="C1", capacity_kva=kva)


def status(bench: Bench, name: str, *changes: tuple[date, str]) -> None:
    """States one after another, each to the beginning of the next."""
    ends = [day for day, _ in changes[1:]] + [None]
    for (first, state), until in zip(changes, ends, strict=True):
        bench.put(
            "transformer_status", transformer_id=name, effective_from=first, effective_to=until, status=state
        )


def kva(bench: Bench) -> list[tuple[object, ...]]:
    bench.quantities()
    return bench.rows("rt_kva", "day_from, day_to, kva")


def test_without_any_status_all_transformers_run(works: Bench) -> None:
    customer(works)
    assert kva(works) == [(D(2026, 3, 1), D(2026, 4, 1), "650")]


def test_a_public_transformer_does_not_count(works: Bench) -> None:
    customer(works)
    works.put("transformer", transformer_id="TR3", kind="public", customer_id="C1", capacity_kva="1000")
    assert kva(works) == [(D(2026, 3, 1), D(2026, 4, 1), "650")]


def test_a_suspension_of_fifteen_days_reduces_from_its_first_day(works: Bench) -> None:
    customer(works)
    status(works, "TR2", (D(2024, 1, 1), "running"), (D(2026, 3, 10), "sealed"), (D(2026, 3, 25), "running"))
    assert kva(works) == [
        (D(2026, 3, 1), D(2026, 3, 10), "650"),
        (D(2026, 3, 10), D(2026, 3, 25), "400"),
        (D(2026, 3, 25), D(2026, 4, 1), "650"),
    ]


def test_a_shorter_suspension_counts_as_running(works: Bench) -> None:
    customer(works)
    status(works, "TR2", (D(2024, 1, 1), "running"), (D(2026, 3, 10), "sealed"), (D(2026, 3, 24), "running"))
    assert kva(works) == [(D(2026, 3, 1), D(2026, 4, 1), "650")]


def test_the_length_of_a_suspension_is_not_cut_by_the_month(works: Bench) -> None:
    customer(works)
    status(works, "TR2", (D(2024, 1, 1), "running"), (D(2026, 2, 20), "sealed"), (D(2026, 3, 11), "running"))
    assert kva(works) == [(D(2026, 3, 1), D(2026, 3, 11), "400"), (D(2026, 3, 11), D(2026, 4, 1), "650")]


def test_states_without_voltage_in_a_row_are_one_suspension(works: Bench) -> None:
    customer(works)
    status(works, "TR2", (D(2024, 1, 1), "running"), (D(2026, 3, 1), "stopped"),
           (D(2026, 3, 9), "standby_cold"), (D(2026, 3, 17), "standby_hot"))  # fmt: skip
    assert kva(works) == [(D(2026, 3, 1), D(2026, 3, 17), "400"), (D(2026, 3, 17), D(2026, 4, 1), "650")]


def test_a_suspension_that_still_lasts_and_a_removal_reduce(works: Bench) -> None:
    customer(works)
    status(works, "TR1", (D(2024, 1, 1), "running"), (D(2026, 3, 30), "sealed"))
    status(works, "TR2", (D(2024, 1, 1), "running"), (D(2026, 3, 21), "removed"))
    assert kva(works) == [
        (D(2026, 3, 1), D(2026, 3, 21), "650"),
        (D(2026, 3, 21), D(2026, 3, 30), "400"),
        (D(2026, 3, 30), D(2026, 4, 1), "0"),
    ]


def test_the_shortest_suspension_is_a_parameter_by_date(works: Bench) -> None:
    works.parameter("suspension.min_days", "10", book="test", in_force_from=D(2026, 3, 1))
    customer(works)
    status(works, "TR2", (D(2024, 1, 1), "running"), (D(2026, 3, 10), "sealed"), (D(2026, 3, 24), "running"))
    assert [row[2] for row in kva(works)] == ["650", "400", "650"]


def test_a_change_of_capacity_by_day(works: Bench) -> None:
    customer(works)
    status(works, "TR2", (D(2026, 3, 12), "running"))
    assert kva(works) == [(D(2026, 3, 1), D(2026, 3, 12), "400"), (D(2026, 3, 12), D(2026, 4, 1), "650")]


def test_only_days_in_service_count(works: Bench) -> None:
    customer(works, opened_on=D(2026, 3, 5), closed_on=D(2026, 3, 25))
    assert kva(works) == [(D(2026, 3, 5), D(2026, 3, 25), "650")]


def test_without_transformers_the_contract_says_the_capacity(works: Bench) -> None:
    works.customer(tariff_id=None, running_capacity_kva="90")
    deal = {"tariff_id": "I", "basic_charge_method": "capacity"}
    works.contract(**deal, capacity_kva="100", effective_to=D(2026, 3, 11))
    works.contract(**deal, capacity_kva="160", effective_from=D(2026, 3, 11))
    works.point()
    works.bill()
    works.registers(active="100")
    assert kva(works) == [(D(2026, 3, 1), D(2026, 3, 11), "100"), (D(2026, 3, 11), D(2026, 4, 1), "160")]


def test_and_else_the_customer(works: Bench) -> None:
    customer(works, sizes={}, running_capacity_kva="90")
    assert kva(works) == [(D(2026, 3, 1), D(2026, 4, 1), "90")]


def test_no_capacity_anywhere_is_a_gap(works: Bench) -> None:
    customer(works, sizes={})
    works.con.execute("ALTER TABLE customer ALTER running_capacity_kva DROP NOT NULL")
    works.con.execute("UPDATE customer SET running_capacity_kva = NULL")
    assert kva(works) == []
    assert works.gaps() == {"no_capacity"}


def test_only_the_last_settlement_bears_it(works: Bench) -> None:
    works.home(tariff_id="I", basic_charge_method="capacity")
    works.bill()
    works.reading(end="60", read_on=D(2026, 3, 16))
    works.reading(start="60", end="100", started_on=D(2026, 3, 16))
    works.quantities()
    assert works.rows("rt_kva", "sid, kva") == [(2, "8")]


def test_no_stretch_without_a_basic_charge(works: Bench) -> None:
    works.home()
    works.registers(active="100")
    assert kva(works) == []


def test_demand_is_the_maximum_of_each_point_added_up(works: Bench) -> None:
    customer(works, method="demand_actual")
    works.point("P2", multiplier="10")
    works.registers("P2", active="5", demand="12.3456")
    works.reading(end="30.005", register="demand", read_on=D(2026, 3, 11))
    works.reading(end="20", register="demand", started_on=D(2026, 3, 11))
    works.quantities()
    assert works.rows("rt_demand", "sid, period, kw") == [(1, "all", "153.46")]  # 30.005 + 123.456
    assert works.gaps() == set()


def test_the_demand_of_both_settlements_counts_in_the_last(works: Bench) -> None:
    works.home(tariff_id="I", basic_charge_method="demand_actual")
    works.bill()
    works.reading(end="60", read_on=D(2026, 3, 16))
    works.reading(start="60", end="100", started_on=D(2026, 3, 16))
    works.reading(end="33", register="demand", read_on=D(2026, 3, 16))
    works.reading(end="22", register="demand", started_on=D(2026, 3, 16))
    works.quantities()
    assert works.rows("rt_demand", "sid, kw") == [(2, "33")]


@pytest.mark.parametrize("method", ["demand_actual", "demand_contract"])
def test_no_demand_read_is_a_gap(works: Bench, method: str) -> None:
    customer(works, method=method)
    works.quantities()
    assert works.gaps() == {"no_demand"}
