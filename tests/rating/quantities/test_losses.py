"""Losses that a customer bears: formula F10 of the transformer, the dedicated line, the power-factor sums."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from tests.rating.bench import Bench

D = date
FOUR = {"sharp": "0.9", "peak": "0.7", "flat": "0.5", "valley": "0.3"}
OWN = {"no_load_loss_kw": "0.57", "load_loss_kw": "4.3", "no_load_current_pct": "0.8", "impedance_pct": "4"}
LOW = {"metering_side": "low", "loss_billed": "transformer", "transformer_id": "TR1"}


def works(
    bench: Bench, *, tariff_id: str = "T", transformer: dict[str, Any] | None = None, **more: Any
) -> None:
    """A works at 10 kV behind its own 400 kVA transformer, metered on the low side."""
    bench.customer(tariff_id=tariff_id, voltage_kv="10", contract_capacity_kva="400", **more)
    bench.put("transformer", transformer_id="TR1", kind="dedicated", customer_id="C1", capacity_kva="400",
              **(OWN if transformer is None else transformer))  # fmt: skip
    bench.bill()


def losses(bench: Bench) -> list[tuple[object, ...]]:
    bench.quantities()
    return bench.rows("rt_loss", "usage_point_id, kind, kwh, kvarh")


def test_the_formula_in_numbers(bench: Bench) -> None:
    works(bench)
    bench.point(**LOW)
    bench.registers(active="60000", reactive_import="15000", reactive_export="5000")
    # 0.57 × 744 + 1.2 × 4.3 × (60000² + 20000²) ÷ (400² × 744) = 424.08 + 173.387… kWh
    # 3.2 × 744 + 1.2 × 16 × (60000² + 20000²) ÷ (400² × 744) = 2380.80 + 645.161… kvarh
    assert losses(bench) == [("P1", "transformer", "597.47", "3025.96")]
    assert bench.energy() == {"all": "60597.47"}
    assert bench.rows("rt_loss", "formula") == [
        ("0.5700 kW × 744 h + 1.20 × 4.3000 kW × (60000.00² + 20000.00²) ÷ (400.00² × 744 h)",),
    ]


@pytest.mark.parametrize(("shift", "kwh"), [(1, "944.24"), (2, "684.16"), (3, "597.47"), (None, "597.47")])
def test_the_factor_follows_the_shifts(bench: Bench, shift: int | None, kwh: str) -> None:
    works(bench, shift=shift)
    bench.point(**LOW)
    bench.registers(active="60000", reactive_import="20000")
    assert [row[2] for row in losses(bench)] == [kwh]


def test_the_factor_is_a_parameter_by_date(bench: Bench) -> None:
    bench.parameter("transformer.k.3", "2.4", in_force_from=D(2026, 1, 1))
    works(bench)
    bench.point(**LOW)
    bench.registers(active="60000", reactive_import="20000")
    assert [row[2] for row in losses(bench)] == ["770.85"]  # 424.08 + 2 × 173.387…


def test_hours_count_only_while_running_or_hot(bench: Bench) -> None:
    works(bench)
    bench.point(**LOW)
    for first, until, status in (
        (D(2025, 1, 1), D(2026, 3, 6), "running"),
        (D(2026, 3, 6), D(2026, 3, 16), "sealed"),
        (D(2026, 3, 16), D(2026, 3, 26), "standby_hot"),
        (D(2026, 3, 26), None, "standby_cold"),
    ):
        bench.put(
            "transformer_status",
            transformer_id="TR1",
            effective_from=first,
            effective_to=until,
            status=status,
        )
    bench.registers(active="6000")
    # 5 + 10 days: 0.57 × 360 + 1.2 × 4.3 × 6000² ÷ (400² × 360) = 205.2 + 3.225
    assert [row[2] for row in losses(bench)] == ["208.43"]


def test_values_of_the_series_stand_in(bench: Bench) -> None:
    for series, p0 in (("S1", "9"), ("S11", "0.57"), ("S13", "0.4")):
        bench.book("tb_transformer", series=series, capacity_kva="400", no_load_loss_kw=p0,
                   load_loss_kw="4.3", no_load_current_pct="0.8", impedance_pct="4")  # fmt: skip
    works(bench, transformer={"model": "S11-M-400/10", "load_loss_kw": "8.6"})
    bench.point(**LOW)
    bench.registers(active="60000", reactive_import="20000")
    assert [row[2] for row in losses(bench)] == ["770.85"]  # its own Pk, the P0 of S11
    assert bench.gaps() == set()


def test_unknown_values_are_a_gap(bench: Bench) -> None:
    works(bench, transformer={"model": "X9"})
    bench.point(**LOW)
    bench.registers(active="60000")
    losses(bench)
    assert bench.gaps() == {"no_transformer_data"}


def test_a_transformer_that_is_not_listed_is_a_gap(bench: Bench) -> None:
    works(bench)
    bench.point(**{**LOW, "transformer_id": "TR9"})
    bench.registers(active="60000")
    losses(bench)
    assert bench.gaps() == {"no_transformer_data"}


@pytest.mark.parametrize(
    "change", [{"metering_side": "high"}, {"loss_billed": "none"}, {"transformer_id": None}]
)
def test_no_loss_without_its_conditions(bench: Bench, change: dict[str, Any]) -> None:
    works(bench)
    bench.point(**{**LOW, **change})
    bench.registers(active="60000")
    assert losses(bench) == []
    assert bench.energy() == {"all": "60000"}


def test_no_loss_behind_a_public_transformer_or_at_low_voltage(bench: Bench) -> None:
    bench.customer(voltage_kv="0.38")
    bench.put("transformer", transformer_id="TR1", kind="dedicated", capacity_kva="400", **OWN)
    bench.bill()
    bench.point(**LOW)
    bench.registers(active="60000")
    bench.customer("C2", voltage_kv="10")
    bench.put("transformer", transformer_id="TR2", kind="public", capacity_kva="400", **OWN)
    bench.bill("C2")
    bench.point("P2", "C2", **{**LOW, "transformer_id": "TR2"})
    bench.registers("P2", active="60000")
    assert losses(bench) == []


def test_the_loss_is_spread_over_the_periods(bench: Bench) -> None:
    bench.tariff("F", energy=FOUR)
    works(bench, tariff_id="F")
    bench.point(**LOW)
    bench.registers(active="60000", sharp="6000", peak="20000", valley="13000", reactive_import="20000")
    losses(bench)
    # 597.47 × 0.1, × 20/60, × 21/60 = 59.747, 199.1567, 209.1145; valley takes 129.45
    assert bench.energy() == {
        "sharp": "6059.75",
        "peak": "20199.16",
        "flat": "21209.11",
        "valley": "13129.45",
    }


def test_nothing_used_leaves_the_idle_loss_in_the_last_period(bench: Bench) -> None:
    bench.tariff("F", energy={"peak": "0.7", "flat": "0.5"})
    works(bench, tariff_id="F")
    bench.point(**LOW)
    bench.registers(active="0", peak="0")
    assert losses(bench) == [("P1", "transformer", "424.08", "2380.8")]
    assert bench.energy() == {"peak": "0", "flat": "424.08"}


def test_the_loss_is_shared_by_the_points_behind_the_transformer(bench: Bench) -> None:
    works(bench)
    bench.point("P1", **LOW)
    bench.point("P2", **LOW)
    bench.registers("P1", active="40000", reactive_import="20000")
    bench.registers("P2", active="20000")
    # 597.47 × 2/3 = 398.313…
    assert losses(bench) == [
        ("P1", "transformer", "398.31", "2017.31"),
        ("P2", "transformer", "199.16", "1008.65"),
    ]
    assert (bench.energy("P1"), bench.energy("P2")) == ({"all": "40398.31"}, {"all": "20199.16"})


def test_the_loss_comes_after_the_structure(bench: Bench) -> None:
    works(bench)
    bench.point(**LOW)
    bench.registers(active="60000", reactive_import="20000")
    bench.point("P2", parent_usage_point_id="P1", relation="sub_deducted", tariff_id="T",
                metering_method="fixed_ratio", fixed_value="0.1")  # fmt: skip
    losses(bench)
    assert (bench.energy("P1"), bench.energy("P2")) == ({"all": "54597.47"}, {"all": "6000"})


def test_a_dedicated_line_adds_its_percentage_on_top_of_the_transformer_loss(bench: Bench) -> None:
    works(bench, line_loss_pct="1.25")
    bench.point(**{**LOW, "loss_billed": "transformer_line"})
    bench.registers(active="60000", reactive_import="20000")
    # 60597.47 × 1.25 % = 757.468…
    assert losses(bench) == [("P1", "line", "757.47", "0"), ("P1", "transformer", "597.47", "3025.96")]
    assert bench.energy() == {"all": "61354.94"}


def test_a_dedicated_line_metered_high_bears_only_the_line(bench: Bench) -> None:
    works(bench, line_loss_pct="1.25", line_kind="dedicated")
    bench.point(metering_side="high")
    bench.registers(active="60000")
    assert losses(bench) == [("P1", "line", "750", "0")]


def test_a_percentage_without_dedicated_line_is_not_billed(bench: Bench) -> None:
    works(bench, line_loss_pct="1.25", line_kind="public")
    bench.point(metering_side="high")
    bench.registers(active="60000")
    assert losses(bench) == []


def test_power_factor_sums_hold_the_losses_and_nothing_of_the_structure(bench: Bench) -> None:
    bench.tariff("I", usage_category="large_industrial", pf_base="energy")
    works(bench, tariff_id="I", power_factor_standard="0.90")
    bench.point(**LOW)
    bench.registers(active="60000", reactive_import="15000", reactive_export="5000")
    bench.point("P2", parent_usage_point_id="P1", relation="sub_deducted", tariff_id="T")
    bench.registers("P2", active="1000")
    bench.quantities()
    assert bench.rows("rt_power", "wp, wq") == [("60597.47", "23025.96")]


def test_no_power_factor_without_a_standard(bench: Bench) -> None:
    bench.home()
    bench.registers(active="100", reactive_import="10")
    bench.quantities()
    assert bench.rows("rt_power", "sid") == []


def test_a_standard_without_reactive_reading_is_a_gap(bench: Bench) -> None:
    bench.tariff("I", usage_category="large_industrial", pf_base="energy")
    for number, (tariff_id, kwh) in enumerate((("I", "100"), ("I", "0"), ("T", "100")), start=1):
        bench.home(f"C{number}", f"P{number}", tariff_id=tariff_id, power_factor_standard="0.90")
        bench.registers(f"P{number}", active=kwh)
    bench.quantities()
    assert bench.rows("rt_gap", "sid, reason") == [(1, "no_reading")]


def test_reactive_loss_unknown_matters_only_where_a_power_factor_is_assessed(bench: Bench) -> None:
    half = {"no_load_loss_kw": "0.57", "load_loss_kw": "4.3"}
    works(bench, transformer=half)
    bench.point(**LOW)
    bench.registers(active="60000", reactive_import="20000")
    assert losses(bench) == [("P1", "transformer", "597.47", "0")]
    assert bench.gaps() == set()
    bench.con.execute("UPDATE contract SET power_factor_standard = 0.9")
    losses(bench)
    assert bench.gaps() == {"no_transformer_data"}
