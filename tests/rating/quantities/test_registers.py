"""From index to kWh: roll-over, multipliers, changed meters, periods."""

from __future__ import annotations

from datetime import date

import pytest
from tests.rating.bench import Bench

D = date
FOUR = {"sharp": "0.9", "peak": "0.7", "flat": "0.5", "valley": "0.3"}


def test_roll_over_adds_the_full_index(bench: Bench) -> None:
    bench.home()
    bench.put("meter", meter_id="MP1", digits=5)
    bench.reading(start="99950", end="50.5")
    bench.quantities()
    assert bench.energy() == {"all": "100.5"}


@pytest.mark.parametrize(("start", "end"), [("99950", "20000"), ("80000", "50"), ("500", "400")])
def test_an_index_that_runs_backwards_otherwise_is_a_gap(bench: Bench, start: str, end: str) -> None:
    bench.home()
    bench.put("meter", meter_id="MP1", digits=5)
    bench.reading(start=start, end=end)
    bench.quantities()
    assert bench.gaps() == {"negative_energy"}


def test_the_multiplier_is_the_one_in_force_at_the_start(bench: Bench) -> None:
    bench.customer()
    bench.point(multiplier="20", effective_to=D(2026, 3, 15))
    bench.point(multiplier="30", effective_from=D(2026, 3, 15))
    bench.bill()
    # what the utility's reading says of multiplier and energy does not count
    bench.reading(end="10.005", multiplier="7", energy="1", read_on=D(2026, 3, 20))
    bench.quantities()
    assert bench.energy() == {"all": "200.1"}


def test_register_energy_is_rounded_to_a_hundredth_half_up(bench: Bench) -> None:
    bench.customer()
    bench.point(multiplier="0.5")
    bench.bill()
    bench.reading(end="100.01")
    bench.quantities()
    assert bench.energy() == {"all": "50.01"}  # 50.005


def test_a_changed_meter_gives_a_segment_for_each(bench: Bench) -> None:
    bench.home()
    bench.reading(start="900", end="930", read_on=D(2026, 3, 11))
    bench.reading(start="0", end="70", started_on=D(2026, 3, 11), meter_id="M2")
    bench.quantities()
    assert bench.rows("rt_energy", "seg, seg_from, seg_to, kwh") == [
        (1, D(2026, 3, 1), D(2026, 3, 11), "30"),
        (2, D(2026, 3, 11), D(2026, 4, 1), "70"),
    ]


def test_periods_come_from_their_registers_and_flat_is_the_rest(bench: Bench) -> None:
    bench.tariff("F", energy=FOUR)
    bench.home(tariff_id="F")
    bench.registers(active="100", sharp="10", peak="25.5", valley="30")
    bench.quantities()
    assert bench.energy() == {"sharp": "10", "peak": "25.5", "flat": "34.5", "valley": "30"}
    assert bench.gaps() == set()


def test_a_two_rate_meter_has_its_peak_as_the_rest(bench: Bench) -> None:
    bench.tariff("F", energy={"peak": "0.6", "valley": "0.3"})
    bench.home(tariff_id="F")
    bench.registers(active="100", valley="30")
    bench.quantities()
    assert bench.energy() == {"peak": "70", "valley": "30"}


def test_a_period_without_register_beside_flat_is_nothing(bench: Bench) -> None:
    bench.tariff("F", energy={**FOUR, "deep_valley": "0.1"})
    bench.home(tariff_id="F")
    bench.registers(active="100", peak="25", valley="30")
    bench.quantities()
    assert bench.energy() == {"sharp": "0", "peak": "25", "flat": "45", "valley": "30", "deep_valley": "0"}


def test_periods_always_add_up_to_the_total(bench: Bench) -> None:
    bench.tariff("F", energy=FOUR)
    bench.home(tariff_id="F")
    bench.registers(active="100.02", sharp="10", peak="30", flat="40", valley="20")
    bench.quantities()
    assert bench.energy() == {"sharp": "10", "peak": "30", "flat": "40.02", "valley": "20"}


def test_registers_do_not_matter_to_a_tariff_without_periods(bench: Bench) -> None:
    bench.home()
    bench.registers(active="100", peak="60", valley="40")
    bench.quantities()
    assert bench.energy() == {"all": "100"}


def test_no_period_register_at_all_is_a_gap_unless_nothing_was_used(bench: Bench) -> None:
    bench.tariff("F", energy=FOUR)
    bench.home(tariff_id="F")
    bench.registers(active="100")
    bench.home("C2", "P2", tariff_id="F")
    bench.registers("P2", active="0")
    bench.quantities()
    assert bench.rows("rt_gap", "sid, reason") == [(1, "no_period_registers")]


def test_periods_above_their_total_are_a_gap(bench: Bench) -> None:
    bench.tariff("F", energy=FOUR)
    bench.home(tariff_id="F")
    bench.registers(active="100", peak="60", valley="41")
    bench.quantities()
    assert bench.gaps() == {"negative_energy"}


def test_a_register_of_a_period_read_on_another_day_is_a_gap(bench: Bench) -> None:
    bench.tariff("F", energy=FOUR)
    bench.home(tariff_id="F")
    bench.registers(active="100", valley="41")
    bench.reading(end="10", register="active_peak", read_on=D(2026, 3, 20))
    bench.quantities()
    assert "unsupported" in bench.gaps()


def test_no_entry_of_the_point_at_the_start_of_the_reading_is_a_gap(bench: Bench) -> None:
    bench.customer()
    bench.point(effective_from=D(2026, 3, 5))
    bench.bill()
    bench.reading()
    bench.quantities()
    assert "no_multiplier" in bench.gaps()


def test_exported_energy_is_not_the_customers_use(bench: Bench) -> None:
    bench.home()
    bench.registers(active="100", active_export="40")
    bench.quantities()
    assert bench.energy() == {"all": "100"}
