"""Main and sub-points: what is deducted, what is agreed, what stands by itself."""

from __future__ import annotations

from datetime import date

from tests.rating.bench import Bench

D = date
FOUR = {"sharp": "0.9", "peak": "0.7", "flat": "0.5", "valley": "0.3"}
SUB = {"parent_usage_point_id": "P1", "relation": "sub_deducted", "tariff_id": "T"}


def site(bench: Bench, *, tariff_id: str = "F", **registers: str) -> None:
    """A customer on a tariff of four periods, 1000 kWh: 100 sharp, 300 peak, 400 flat, 200 valley."""
    bench.tariff("F", energy=FOUR)
    bench.home(tariff_id=tariff_id)
    bench.registers(**(registers or {"active": "1000", "sharp": "100", "peak": "300", "valley": "200"}))


def test_a_sub_meter_with_period_registers_is_deducted_period_by_period(bench: Bench) -> None:
    site(bench)
    bench.point("P2", **SUB)
    bench.registers("P2", active="100", sharp="20", peak="50", valley="10")
    bench.quantities()
    assert bench.energy() == {"sharp": "80", "peak": "250", "flat": "380", "valley": "190"}
    assert bench.energy("P2") == {"all": "100"}
    assert bench.gaps() == set()


def test_a_sub_meter_without_period_registers_is_deducted_in_proportion(bench: Bench) -> None:
    site(bench)
    bench.point("P2", **SUB)
    bench.registers("P2", active="100.01")
    bench.quantities()
    # 10.001 -> 10.00, 30.003 -> 30.00, 40.004 -> 40.00, valley takes 20.01
    assert bench.energy() == {"sharp": "90", "peak": "270", "flat": "360", "valley": "179.99"}


def test_a_main_point_without_periods_loses_the_total_of_its_sub_meter(bench: Bench) -> None:
    bench.home()
    bench.registers(active="100")
    bench.point("P2", **SUB)
    bench.registers("P2", active="30", peak="20", valley="10")
    bench.quantities()
    assert (bench.energy(), bench.energy("P2")) == ({"all": "70"}, {"all": "30"})


def test_a_sub_meter_above_its_parent_leaves_nothing(bench: Bench) -> None:
    bench.home()
    bench.registers(active="100")
    bench.point("P2", **SUB)
    bench.registers("P2", active="130")
    bench.quantities()
    assert (bench.energy(), bench.energy("P2")) == ({"all": "0"}, {"all": "130"})


def test_an_added_sub_meter_is_rated_by_itself(bench: Bench) -> None:
    bench.home()
    bench.registers(active="100")
    bench.point("P2", **{**SUB, "relation": "sub_added"})
    bench.registers("P2", active="30")
    bench.quantities()
    assert (bench.energy(), bench.energy("P2")) == ({"all": "100"}, {"all": "30"})
    assert bench.rows("rt_point", "usage_point_id, main, parent_usage_point_id") == [
        ("P1", True, None), ("P2", False, "P1"),
    ]  # fmt: skip


def test_a_deducted_meter_of_another_customer_is_deducted_but_not_rated_here(bench: Bench) -> None:
    bench.home()
    bench.registers(active="100")
    bench.customer("C2")
    bench.point("P2", "C2", **SUB)
    bench.registers("P2", active="30")
    bench.quantities()
    assert (bench.energy(), bench.energy("P2")) == ({"all": "70"}, {})


def test_for_its_own_customer_that_meter_is_a_main_point(bench: Bench) -> None:
    bench.home()
    bench.registers(active="100")
    bench.customer("C2")
    bench.point("P2", "C2", **SUB)
    bench.bill("C2")
    bench.registers("P2", active="30")
    bench.quantities()
    assert (bench.energy(), bench.energy("P2")) == ({"all": "70"}, {"all": "30"})


def test_a_fixed_quantity_is_taken_in_proportion_and_priced_by_its_own_tariff(bench: Bench) -> None:
    site(bench)
    bench.point("P2", **SUB, metering_method="fixed_quantity", fixed_value="100")
    bench.quantities()
    assert bench.energy() == {"sharp": "90", "peak": "270", "flat": "360", "valley": "180"}
    assert bench.energy("P2") == {"all": "100"}


def test_a_fixed_quantity_on_a_tariff_with_periods_has_its_parents_periods(bench: Bench) -> None:
    site(bench)
    bench.point("P2", **{**SUB, "tariff_id": "F"}, metering_method="fixed_quantity", fixed_value="100")
    bench.quantities()
    assert bench.energy("P2") == {"sharp": "10", "peak": "30", "flat": "40", "valley": "20"}


def test_a_fixed_quantity_in_force_for_part_of_the_month(bench: Bench) -> None:
    bench.home()
    bench.registers(active="1000")
    bench.point(
        "P2", **SUB, metering_method="fixed_quantity", fixed_value="100", effective_from=D(2026, 3, 12)
    )
    bench.quantities()
    assert bench.energy("P2") == {"all": "64.52"}  # 100 × 20 / 31 = 64.516…
    assert bench.energy() == {"all": "935.48"}


def test_a_fixed_quantity_that_changes_is_weighed_by_days(bench: Bench) -> None:
    bench.home()
    bench.registers(active="1000")
    fixed = {**SUB, "metering_method": "fixed_quantity"}
    bench.point("P2", **fixed, fixed_value="31", effective_to=D(2026, 3, 11))
    bench.point("P2", **fixed, fixed_value="62", effective_from=D(2026, 3, 11))
    bench.quantities()
    # 31 × 10/31 + 62 × 21/31 = 52; the entry changed on the 11th, so there are two segments
    assert bench.energy("P2") == {("03-01", "all"): "16.77", ("03-11", "all"): "35.23"}


def test_a_fixed_ratio(bench: Bench) -> None:
    bench.home()
    bench.registers(active="1000.30")
    bench.point("P2", **SUB, metering_method="fixed_ratio", fixed_value="0.15")
    bench.quantities()
    assert (bench.energy(), bench.energy("P2")) == ({"all": "850.25"}, {"all": "150.05"})  # 150.045


def test_ratios_are_of_what_the_quantities_leave(bench: Bench) -> None:
    bench.home()
    bench.registers(active="1000")
    bench.point("P2", **SUB, metering_method="meter")
    bench.registers("P2", active="100")
    bench.point("P3", **SUB, metering_method="fixed_quantity", fixed_value="200")
    bench.point("P4", **SUB, metering_method="fixed_ratio", fixed_value="0.1")
    bench.point("P5", **SUB, metering_method="fixed_ratio", fixed_value="0.2")
    bench.quantities()
    found = [bench.energy(point)["all"] for point in ("P1", "P2", "P3", "P4", "P5")]
    assert found == ["490", "100", "200", "70", "140"]


def test_quantities_are_capped_by_what_there_is(bench: Bench) -> None:
    bench.home()
    bench.registers(active="100")
    bench.point("P2", **SUB, metering_method="fixed_quantity", fixed_value="80")
    bench.point("P3", **SUB, metering_method="fixed_quantity", fixed_value="80")
    bench.point("P4", **SUB, metering_method="fixed_ratio", fixed_value="0.5")
    bench.quantities()
    found = [bench.energy(point)["all"] for point in ("P1", "P2", "P3", "P4")]
    assert found == ["0", "80", "20", "0"]


def test_two_settlements_share_a_fixed_quantity_by_days(bench: Bench) -> None:
    bench.home()
    bench.bill()
    bench.reading(end="600", read_on=D(2026, 3, 16))
    bench.reading(start="600", end="1000", started_on=D(2026, 3, 16))
    bench.point("P2", **SUB, metering_method="fixed_quantity", fixed_value="62")
    bench.quantities()
    assert bench.rows("rt_energy", "sid, kwh", "usage_point_id = 'P2'") == [(1, "30"), (2, "32")]


def test_a_lamp_on_a_fixed_quantity_has_no_reading(bench: Bench) -> None:
    bench.customer()
    bench.point(metering_method="fixed_quantity", fixed_value="155")
    bench.bill()
    bench.quantities()
    assert (bench.energy(), bench.gaps()) == ({"all": "155"}, set())


def test_a_lamp_of_a_part_month(bench: Bench) -> None:
    bench.customer(opened_on=D(2026, 3, 22))
    bench.point(metering_method="fixed_quantity", fixed_value="155")
    bench.bill()
    bench.quantities()
    assert bench.energy() == {"all": "50"}


def test_unmetered_temporary_supply_is_capacity_times_hours_times_days(bench: Bench) -> None:
    bench.customer(supply_kind="temporary", contract_capacity_kva="30", closed_on=D(2026, 3, 11))
    bench.point(metering_method="none")
    bench.bill()
    bench.quantities()
    assert bench.energy() == {"all": "2400"}  # 30 × 8 × 10
    assert bench.gaps() == set()


def test_its_hours_are_a_parameter(bench: Bench) -> None:
    bench.parameter("temporary.hours_per_day", "6", in_force_to=D(2026, 3, 1))
    bench.parameter("temporary.hours_per_day", "5", in_force_from=D(2026, 3, 1))
    bench.customer(supply_kind="temporary", contract_capacity_kva="10")
    bench.point(metering_method="none")
    bench.bill()
    bench.quantities()
    assert bench.energy() == {"all": "1550"}


def test_points_that_cannot_be_rated_are_gaps(bench: Bench) -> None:
    bench.customer()
    bench.point(metering_method="none")
    bench.bill()
    bench.customer("C2")
    bench.point("P2", "C2", metering_method="fixed_ratio", fixed_value="0.3")
    bench.bill("C2")
    bench.home("C3", "P3")
    bench.registers("P3", active="10")
    bench.point("P4", "C3", parent_usage_point_id="P3", relation="sub_deducted", tariff_id="T",
                metering_method="fixed_quantity")  # fmt: skip
    bench.quantities()
    assert bench.rows("rt_gap", "sid, reason") == [(1, "unsupported"), (2, "unsupported"), (3, "unsupported")]


def test_a_meter_in_force_without_reading_is_a_gap(bench: Bench) -> None:
    bench.home()
    bench.registers(active="100")
    bench.point("P2", **SUB)
    bench.quantities()
    assert bench.rows("rt_gap", "reason, detail") == [("no_reading", "no reading of P2")]


def test_a_child_without_tariff_is_a_gap(bench: Bench) -> None:
    bench.home()
    bench.registers(active="100")
    bench.point("P2", **{**SUB, "tariff_id": None})
    bench.registers("P2", active="10")
    bench.quantities()
    assert bench.gaps() == {"no_tariff"}


def test_a_child_of_a_point_that_is_not_there_stands_by_itself(bench: Bench) -> None:
    bench.tariff("F", energy=FOUR)
    bench.home(tariff_id="F")
    bench.registers(active="100", peak="40")
    bench.point("P2", **{**SUB, "parent_usage_point_id": "GONE"})
    bench.registers("P2", active="30")
    bench.quantities()
    assert bench.energy()["peak"] == "40"
    assert bench.energy("P2") == {"all": "30"}
    assert bench.gaps() == set()
