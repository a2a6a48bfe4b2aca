"""Supply, sales and loss of a district and day: what counts, and when the loss can be believed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from mingcha.kernel.periods import BillingMonth
from mingcha.rules import bench as benches
from mingcha.rules import book as books
from mingcha.rules import compile as compiler
from mingcha.rules import graph as graphs

MOMENT = compiler.Moment(period=BillingMonth(2026, 3), data_date=date(2026, 4, 10), history_months=2)
DAY = date(2026, 3, 10)
Row = dict[str, Any]
Asked = Callable[..., Row]


@pytest.fixture(scope="module")
def bench() -> Iterator[benches.Bench]:
    book, _ = books.read()
    made = benches.Bench(graphs.Graph(book))
    made.relations(made.graph.relations_of(["district_day"]), MOMENT)
    yield made
    made.close()


@pytest.fixture
def asked(bench: benches.Bench) -> Iterator[Asked]:
    bench.con.execute("BEGIN")

    def ask(**tables: list[Row]) -> Row:
        for table, rows in tables.items():
            bench.fill(table, rows)
        (row,) = bench.rows("SELECT * FROM district_day", "district_day")
        return row

    yield ask
    bench.con.execute("ROLLBACK")


def point(name: str, role: str = "sale", **values: Any) -> Row:
    return {
        "usage_point_id": name, "effective_from": "2024-01-01", "role": role, "customer_id": f"C{name}",
        "district_id": "D1", "metering_method": "meter", "parent_usage_point_id": None, **values,
    }  # fmt: skip


def energy(name: str, kwh: str | None, export: str | None = None) -> Row:
    return {"usage_point_id": name, "day": DAY, "import_kwh": kwh, "export_kwh": export}


GATEWAY = point("G1", "gateway_district", customer_id=None, direction="in")


def test_loss_is_supply_less_net_sales(asked: Asked) -> None:
    outward = point("G2", "gateway_district", customer_id=None, direction="out")
    row = asked(
        usage_point=[GATEWAY, outward, point("P1"), point("P2")],
        daily_energy=[energy("G1", "100"), energy("G2", "10"), energy("P1", "50"), energy("P2", "40", "5")],
    )
    assert (row["supply_kwh"], row["sales_kwh"], row["loss_kwh"]) == (90, 85, 5)
    assert (row["gateways"], row["points"], row["computable"]) == (2, 2, True)


def test_a_sub_meter_is_inside_its_parent_and_a_standalone_one_is_not(asked: Asked) -> None:
    row = asked(
        usage_point=[
            GATEWAY,
            point("P1"),
            point("P2", parent_usage_point_id="P1", relation="sub_deducted"),
            point("P3", parent_usage_point_id="P1", relation="standalone"),
        ],
        daily_energy=[
            energy("G1", "100"), energy("P1", "50"), energy("P2", "20"), energy("P3", "30"),
        ],
    )  # fmt: skip
    assert (row["sales_kwh"], row["points"]) == (80, 2)


@pytest.mark.parametrize(("mode", "loss"), [("full_feed", 4), ("self_use_surplus", -6)])
def test_only_what_a_full_feed_generator_puts_in_is_supply(asked: Asked, mode: str, loss: int) -> None:
    plant = {"customer_id": "CP2", "connected_on": "2025-01-01", "removed_on": None}
    row = asked(
        usage_point=[GATEWAY, point("P1"), point("P2", "generation")],
        generator=[{"generator_id": "N1", "grid_mode": mode, **plant}],
        daily_energy=[energy("G1", "34"), energy("P1", "40"), energy("P2", "10")],
    )
    assert row["loss_kwh"] == Decimal(loss)


@pytest.mark.parametrize(("silent", "computable"), [(1, True), (2, False)])
def test_one_silent_point_in_fifty_is_borne(asked: Asked, silent: int, computable: bool) -> None:
    names = [f"P{n}" for n in range(50)]
    row = asked(
        usage_point=[GATEWAY, *(point(name) for name in names)],
        daily_energy=[energy("G1", "100"), *(energy(name, "1") for name in names[silent:])],
    )
    assert (row["points_valued"], row["computable"]) == (50 - silent, computable)


def test_a_gateway_without_a_value_makes_no_loss(asked: Asked) -> None:
    second = point("G2", "gateway_district", customer_id=None, direction="in")
    row = asked(
        usage_point=[GATEWAY, second, point("P1")], daily_energy=[energy("G1", "100"), energy("P1", "50")]
    )
    assert (row["gateways_valued"], row["computable"]) == (1, False)


def test_unmetered_points_are_not_expected_to_report(asked: Asked) -> None:
    row = asked(
        usage_point=[GATEWAY, point("P1"), point("P2", metering_method="fixed_quantity")],
        daily_energy=[energy("G1", "100"), energy("P1", "90")],
    )
    assert (row["points"], row["computable"]) == (1, True)
