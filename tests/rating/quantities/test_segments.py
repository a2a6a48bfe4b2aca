"""Intervals cut where the contract or a price changes, and kWh divided by days."""

from __future__ import annotations

from datetime import date

from tests.rating.bench import Bench

D = date
FOUR = {"sharp": "0.9", "peak": "0.7", "flat": "0.5", "valley": "0.3"}


def test_a_change_of_category_cuts_by_days(bench: Bench) -> None:
    bench.tariff("S")
    bench.customer(tariff_id=None)
    bench.contract(tariff_id="T", effective_to=D(2026, 3, 11))
    bench.contract(tariff_id="S", effective_from=D(2026, 3, 11))
    bench.point()
    bench.bill()
    bench.registers(active="100")
    bench.quantities()
    assert bench.rows("rt_energy", "seg, seg_from, seg_to, tariff_id, kwh") == [
        (1, D(2026, 3, 1), D(2026, 3, 11), "T", "32.26"),  # 100 × 10 / 31
        (2, D(2026, 3, 11), D(2026, 4, 1), "S", "67.74"),
    ]
    assert bench.rows("rt_contract", "seg_from, seg_to, tariff_id") == [
        (D(2026, 3, 1), D(2026, 3, 11), "T"), (D(2026, 3, 11), D(2026, 4, 1), "S"),
    ]  # fmt: skip
    assert bench.rows("rt_point", "tariff_id") == [("S",)]
    assert bench.gaps() == set()


def test_a_change_with_a_reading_of_its_own_is_not_divided(bench: Bench) -> None:
    bench.tariff("S")
    bench.customer(tariff_id=None)
    bench.contract(tariff_id="T", effective_to=D(2026, 3, 11))
    bench.contract(tariff_id="S", effective_from=D(2026, 3, 11))
    bench.point()
    bench.bill()
    bench.reading(end="90", read_on=D(2026, 3, 11))
    bench.reading(start="90", end="100", started_on=D(2026, 3, 11))
    bench.quantities()
    assert bench.rows("rt_energy", "tariff_id, kwh") == [("S", "10"), ("T", "90")]


def test_a_change_of_any_price_cuts(bench: Bench) -> None:
    bench.price("T", "fund", "0.03", in_force_to=D(2026, 3, 21))
    bench.price("T", "fund", "0.04", in_force_from=D(2026, 3, 21))
    bench.home()
    bench.registers(active="93.01")
    bench.quantities()
    assert bench.energy() == {("03-01", "all"): "60.01", ("03-21", "all"): "33"}


def test_a_change_on_the_edge_of_the_interval_does_not_cut(bench: Bench) -> None:
    bench.price("T", "fund", "0.03", in_force_to=D(2026, 3, 1))
    bench.price("T", "fund", "0.04", in_force_from=D(2026, 3, 1), in_force_to=D(2026, 4, 1))
    bench.price("T", "fund", "0.05", in_force_from=D(2026, 4, 1))
    bench.home()
    bench.registers(active="93")
    bench.quantities()
    assert bench.energy() == {"all": "93"}


def test_prices_of_a_tariff_not_yet_or_no_longer_in_force_do_not_cut(bench: Bench) -> None:
    bench.tariff("S", since=D(2026, 3, 5))
    bench.price("S", "fund", "0.03", in_force_from=D(2026, 3, 20))
    bench.customer(tariff_id=None)
    bench.contract(tariff_id="T", effective_to=D(2026, 3, 11))
    bench.contract(tariff_id="S", effective_from=D(2026, 3, 11))
    bench.point()
    bench.bill()
    bench.registers(active="310")
    bench.quantities()
    assert [row[0] for row in bench.rows("rt_energy", "seg_from")] == [
        D(2026, 3, 1), D(2026, 3, 11), D(2026, 3, 20),
    ]  # fmt: skip


def test_each_period_is_divided_by_days_exactly_at_a_tie(bench: Bench) -> None:
    bench.period = bench.period.add(3)  # June, 30 days
    bench.tariff("F", energy=FOUR)
    bench.price("F", "fund", "0.03", in_force_from=D(2026, 6, 16))
    bench.home(tariff_id="F")
    bench.registers(active="400.04", sharp="100.01", peak="100.03", valley="100.05")
    bench.quantities()
    # halves of odd hundredths are rounded up, the second segment takes what is left
    assert bench.energy() == {
        ("06-01", "sharp"): "50.01", ("06-16", "sharp"): "50",
        ("06-01", "peak"): "50.02", ("06-16", "peak"): "50.01",
        ("06-01", "flat"): "49.98", ("06-16", "flat"): "49.97",
        ("06-01", "valley"): "50.03", ("06-16", "valley"): "50.02",
    }  # fmt: skip


def test_part_of_the_month_without_periods_adds_them_up(bench: Bench) -> None:
    bench.tariff("F", energy={"peak": "0.7", "valley": "0.3"})
    bench.customer(tariff_id=None)
    bench.contract(tariff_id="T", effective_to=D(2026, 3, 11))
    bench.contract(tariff_id="F", effective_from=D(2026, 3, 11))
    bench.point()
    bench.bill()
    bench.registers(active="310", valley="155")
    bench.quantities()
    assert bench.energy() == {
        ("03-01", "all"): "100", ("03-11", "peak"): "105", ("03-11", "valley"): "105",
    }  # fmt: skip


def test_hours_whose_period_begins_later_are_priced_by_the_one_that_held_them(bench: Bench) -> None:
    bench.tariff("F", energy={"peak": "0.7", "flat": "0.5", "valley": "0.3"})
    bench.price("F", "energy", "0.9", period="sharp", in_force_from=D(2026, 3, 11))
    bench.home(tariff_id="F")
    bench.registers(active="310", sharp="31", peak="31", valley="31")
    bench.quantities()
    assert bench.energy() == {
        ("03-01", "peak"): "20", ("03-01", "flat"): "70", ("03-01", "valley"): "10",
        ("03-11", "sharp"): "21", ("03-11", "peak"): "21", ("03-11", "flat"): "147",
        ("03-11", "valley"): "21",
    }  # fmt: skip


def test_no_contract_for_part_of_the_interval_is_a_gap(bench: Bench) -> None:
    bench.customer(tariff_id=None)
    bench.contract(effective_from=D(2026, 3, 11))
    bench.point()
    bench.bill()
    bench.registers(active="310")
    bench.home("C2", "P2", tariff_id=None)
    bench.registers("P2", active="1")
    bench.quantities()
    assert bench.rows("rt_gap", "sid, reason") == [(1, "no_contract"), (2, "no_contract")]


def test_the_first_contract_goes_before_another_in_force(bench: Bench) -> None:
    bench.tariff("S")
    bench.customer(tariff_id="T")
    bench.contract(contract_id="KZ", tariff_id="S")
    bench.point()
    bench.bill()
    bench.registers(active="1")
    bench.quantities()
    assert bench.rows("rt_energy", "tariff_id") == [("T",)]


def test_an_unknown_tariff_and_a_missing_price_are_gaps(bench: Bench) -> None:
    bench.tariff("E", energy={})
    bench.tariff("L", energy={"all": "0.5"}, since=D(2026, 3, 11))
    for number, tariff_id in enumerate(("X", "E", "L"), start=1):
        bench.home(f"C{number}", f"P{number}", tariff_id=tariff_id)
        bench.registers(f"P{number}", active="31")
    bench.quantities()
    assert bench.rows("rt_gap", "sid, reason") == [(1, "no_tariff"), (2, "no_price"), (3, "no_tariff")]


def test_a_reading_over_two_months_reaches_back(bench: Bench) -> None:
    bench.customer(tariff_id=None)
    bench.contract(effective_to=D(2026, 2, 11))
    bench.contract(effective_from=D(2026, 2, 11))
    bench.point()
    bench.bill()
    bench.reading(end="59", started_on=D(2026, 2, 1))
    bench.quantities()
    assert bench.energy() == {("02-01", "all"): "10", ("02-11", "all"): "49"}
    assert bench.rows("rt_contract", "seg_from, seg_to") == [
        (D(2026, 2, 1), D(2026, 2, 11)), (D(2026, 2, 11), D(2026, 4, 1)),
    ]  # fmt: skip
