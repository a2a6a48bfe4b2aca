"""Energy fed into the grid: full feed, surplus, several generators, where the price comes from."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.rating.charges.hand import Hand

D = Decimal


def roof(mode: str = "self_use_surplus", *, price_of: str = "PV") -> Hand:
    """A generator of 10 kW whose customer has a settlement on tariff T; a feed-in price of 0.3358."""
    hand = Hand()
    for tariff in ("T", "PV"):
        hand.tariff(tariff)
    hand.price("T", "energy", "0.5")
    hand.price(price_of, "feed_in", "0.3358")
    sid = hand.settle()
    hand.point(sid, tariff="T")
    hand.contract(sid, tariff="T")
    generator(hand, "G1", mode)
    return hand


def generator(hand: Hand, name: str, mode: str, kw: str = "10", **more: Any) -> None:
    row = {"connected_on": date(2024, 1, 1), "kind": "pv", **more}
    hand.add("generator", generator_id=name, customer_id="C1", capacity_kw=D(kw), grid_mode=mode, **row)


def counted(hand: Hand, role: str, register: str, end: str, **more: Any) -> None:
    """A point with one reading from 1000 on, multiplier 2."""
    point = f"P-{role}-{len(hand.rows.get('usage_point', []))}"
    since, tariff = date(2020, 1, 1), more.pop("tariff", None)
    hand.add("usage_point", usage_point_id=point, customer_id="C1", role=role, effective_from=since,
             multiplier=D(2), tariff_id=tariff, **more)  # fmt: skip
    hand.add("meter", meter_id=point, digits=5)
    hand.add("reading", reading_id=point, usage_point_id=point, meter_id=point, billing_period="2026-03",
             register=register, start_value=D(1000), end_value=D(end), started_on=date(2026, 3, 1),
             read_on=date(2026, 4, 1), multiplier=D(1), energy=D(0))  # fmt: skip


def fed(hand: Hand) -> list[tuple[Any, ...]]:
    hand.rate()
    return hand.con.execute(
        "SELECT generator_id, fed_in_kwh, price, amount FROM rt_feed_in ORDER BY 1"
    ).fetchall()


def test_surplus_is_what_the_sale_point_counts_outwards() -> None:
    hand = roof()
    counted(hand, "sale", "active_export", "1123.45")
    counted(hand, "sale", "active", "5000")
    counted(hand, "generation", "active", "9000")
    assert fed(hand) == [("G1", D("246.90"), D("0.3358"), D("82.91"))]


def test_full_feed_is_what_the_generation_point_counts() -> None:
    hand = roof("full_feed")
    counted(hand, "sale", "active_export", "1123.45")
    counted(hand, "generation", "active", "1100", tariff="PV")
    assert fed(hand) == [("G1", D("200"), D("0.3358"), D("67.16"))]


def test_the_register_may_turn_over() -> None:
    hand = roof("full_feed")
    counted(hand, "generation", "active", "12.5")
    hand.rows["reading"][0]["start_value"] = D("99990")
    assert fed(hand)[0][1] == D("45")


def test_generators_share_by_capacity_and_the_last_takes_the_rest() -> None:
    hand = roof()
    generator(hand, "G2", "self_use_surplus", kw="20")
    generator(hand, "G3", "self_use_surplus", kw="30", removed_on=date(2026, 3, 1))
    counted(hand, "sale", "active_export", "1050.005")
    assert [(name, kwh) for name, kwh, _, _ in fed(hand)] == [("G1", D("33.34")), ("G2", D("66.67"))]


@pytest.mark.parametrize("mode", ["self_use_only", "off_grid"])
def test_who_feeds_nothing_in_is_paid_nothing(mode: str) -> None:
    hand = roof(mode)
    counted(hand, "sale", "active_export", "1123.45")
    assert fed(hand) == []


def test_the_contract_may_name_the_price() -> None:
    hand = roof(price_of="T")
    hand.price("PV", "feed_in", "0.4")
    counted(hand, "sale", "active_export", "1100")
    assert fed(hand)[0][2] == D("0.3358")


@pytest.mark.parametrize("change", ["two prices", "another book"])
def test_without_a_price_the_energy_stands_alone(change: str) -> None:
    hand = roof()
    if change == "two prices":
        hand.price(hand.tariff("PV2"), "feed_in", "0.4")
    else:
        hand.rows["rt_contract"][0]["book"] = "elsewhere"
    counted(hand, "sale", "active_export", "1100")
    assert fed(hand) == [("G1", D("200"), None, None)]


def test_the_price_is_that_of_the_last_day() -> None:
    hand = roof()
    hand.rows["tb_price"][-1]["in_force_to"] = date(2026, 3, 31)
    hand.price("PV", "feed_in", "0.25", in_force_from=date(2026, 3, 31))
    counted(hand, "sale", "active_export", "1100")
    assert fed(hand)[0][2:] == (D("0.25"), D("50.00"))
