"""Funds not owed, free energy of low-income homes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.rating.charges.hand import Hand, Row, amounts, total

D = Decimal


def home(kwh: str = "100", **entitlement: Any) -> tuple[Hand, int]:
    """A home at 0.558 with 0.02 of funds in two items, ten free kWh a month, and a title of some kind."""
    hand = Hand()
    tariff = hand.tariff("T")
    hand.price(tariff, "energy", "0.558")
    hand.price(tariff, "fund", "0.019", item="a")
    hand.price(tariff, "fund", "0.001", item="b")
    hand.parameter("low_income.free_kwh", "10", unit="kWh/month", evidence="[K+]", document="低保文件")
    sid = hand.settle()
    hand.point(sid, tariff=tariff)
    hand.energy(sid, kwh, tariff=tariff)
    hand.contract(sid, tariff=tariff)
    row = {"entitlement_id": "E1", "customer_id": "C1", "valid_from": date(2020, 1, 1), **entitlement}
    hand.add("entitlement", **row)
    return hand, sid


def discounts(lines: list[Row]) -> list[tuple[Decimal, Decimal, Decimal]]:
    return [
        (line["quantity"], line["price"], line["amount"]) for line in lines if line["component"] == "discount"
    ]


def test_the_exempt_owe_no_funds_at_any_point() -> None:
    hand, sid = home(kind="fund_exempt")
    hand.point(sid, "P1b", tariff="T", main=False)
    hand.energy(sid, "50", tariff="T", usage_point_id="P1b")
    lines = hand.rate()
    assert amounts(lines) == [D("55.80"), D("27.90")]


@pytest.mark.parametrize(
    "dates",
    [{"valid_from": date(2026, 4, 2)}, {"valid_to": date(2026, 4, 1)}, {"kind": "low_income"}],
    ids=["not yet", "no longer", "another title"],
)
def test_others_owe_them(dates: dict[str, Any]) -> None:
    hand, _ = home(**{"kind": "fund_exempt", **dates})
    assert amounts(hand.rate(), "fund") == [D("2.00")]


def test_funds_may_depend_on_the_period() -> None:
    hand, sid = home(kind="other")
    hand.rows["tb_price"] = [row for row in hand.rows["tb_price"] if row["item"] != "b"]
    hand.rows["rt_energy"] = []
    hand.price("T", "fund", "0.003", item="b", period="peak")
    hand.price("T", "fund", "0.001", item="b", period="valley")
    hand.energy(sid, "100", tariff="T", period="peak")
    hand.energy(sid, "100", tariff="T", period="valley")
    assert amounts(hand.rate(), "fund") == [D("2.20"), D("2.00")]


def test_the_first_ten_kwh_are_free() -> None:
    lines = home(kind="low_income")[0].rate()
    assert discounts(lines) == [(D(-10), D("0.558"), D("-5.58"))]
    assert (lines[-1]["formula"], lines[-1]["evidence"]) == ("−min(100.00, 10.00 × 1) kWh × price", "[K+]")
    assert lines[-1]["source"] == "测试价格〔2026〕1号 附表; 低保文件"
    assert total(lines) == D("55.80") + D("2.00") - D("5.58")


def test_never_more_than_was_used() -> None:
    assert discounts(home("3.5", kind="low_income")[0].rate()) == [(D("-3.5"), D("0.558"), D("-1.95"))]


def test_ten_for_each_month_read() -> None:
    hand, _ = home(kind="low_income")
    hand.rows["rt_settlement"][0]["started_on"] = date(2026, 1, 20)
    assert discounts(hand.rate())[0][0] == D(-30)


def test_free_kwh_are_the_first_in_time() -> None:
    hand, sid = home("6", kind="low_income")
    change = date(2026, 3, 11)
    hand.rows["rt_energy"][0]["seg_to"] = change
    hand.rows["tb_price"][0]["in_force_to"] = change
    hand.price("T", "energy", "0.6", in_force_from=change)
    hand.energy(sid, "50", tariff="T", seg=2, seg_from=change)
    assert discounts(hand.rate()) == [(D(-6), D("0.558"), D("-3.35")), (D(-4), D("0.6"), D("-2.40"))]


@pytest.mark.parametrize(
    ("periods", "price"),
    [
        ({"sharp": "1", "peak": "0.9", "flat": "0.6", "valley": "0.3"}, "0.6"),
        ({"peak": "0.57", "valley": "0.3"}, "0.57"),
    ],
)
def test_by_the_price_of_ordinary_hours(periods: dict[str, str], price: str) -> None:
    hand, sid = home(kind="low_income")
    hand.rows["tb_price"] = []
    hand.rows["rt_energy"] = []
    for period, each in periods.items():
        hand.price("T", "energy", each, period=period)
        hand.energy(sid, "20", tariff="T", period=period)
    assert discounts(hand.rate()) == [(D(-10), D(price), -10 * D(price))]


def test_nothing_free_where_the_book_names_none() -> None:
    hand, _ = home(kind="low_income")
    hand.rows["tb_parameter"] = []
    assert discounts(hand.rate()) == []


def test_only_the_main_point_counts() -> None:
    hand, sid = home("4", kind="low_income")
    hand.point(sid, "P1b", tariff="T", main=False)
    hand.energy(sid, "50", tariff="T", usage_point_id="P1b")
    assert discounts(hand.rate())[0][0] == D(-4)
