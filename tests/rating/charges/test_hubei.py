"""Hubei, January 2026: what the shipped book charges is what the grid published, to the cent."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.rating.charges.hand import Hand, Row, total

from mingcha.tariffbook import load, tables

D = Decimal
PUBLISHED = {  # CNY/kWh as printed: flat or without time of use, sharp, peak, valley
    "single.lt1": ("0.735686", "1.133999", "0.930961", "0.516924"),
    "single.10": ("0.715686", "1.113999", "0.910961", "0.496924"),
    "single.35": ("0.695686", "1.093999", "0.890961", "0.476924"),
    "two.10": ("0.651886", "1.049999", "0.848961", "0.432924"),
    "two.35": ("0.632086", "1.030199", "0.827161", "0.413124"),
    "two.110": ("0.613986", "1.012099", "0.809061", "0.395024"),
    "two.220": ("0.594986", "0.993099", "0.790061", "0.376024"),
}
PERIODS = ("flat", "sharp", "peak", "valley")
BASIC = {
    "two.10": ("42.0", "26.3"),
    "two.35": ("42.0", "26.3"),
    "two.110": ("39.0", "24.4"),
    "two.220": ("39.0", "24.4"),
}
CASES = [
    (form, kind, period, price)
    for form, prices in PUBLISHED.items()
    for period, price in zip(PERIODS, prices, strict=True)
    for kind in (("tou", "flat") if period == "flat" else ("tou",))
]


@pytest.fixture(scope="module")
def rated() -> dict[tuple[str, str, str, int], list[Row]]:
    """Lines by (form, kind, period, kWh): a settlement for each printed price and two quantities."""
    hand = Hand("2026-01")
    _shipped(hand)
    keys: dict[int, tuple[str, str, str, int]] = {}
    for form, kind, period, _ in CASES:
        for kwh in (1000, 1_000_000):
            sid = hand.settle(sid=len(keys) + 1, customer=f"C{len(keys) + 1}")
            keys[sid] = (form, kind, period, kwh)
            tariff = f"cn.hubei.agent.{form}.{kind}"
            hand.add("tb_code", tariff_id=f"{form}.{kind}", tariff_code=tariff) if sid == _first(
                keys, form, kind
            ) else None
            hand.point(sid, tariff=f"{form}.{kind}")
            hand.energy(sid, str(kwh), tariff=f"{form}.{kind}", period=period if kind == "tou" else "all")
            hand.contract(sid, tariff=f"{form}.{kind}", purchase_mode="agent")
    lines = hand.rate()
    assert hand.gaps == []
    found: dict[tuple[str, str, str, int], list[Row]] = {key: [] for key in keys.values()}
    for line in lines:
        found[keys[line["sid"]]].append(line)
    return found


@pytest.mark.parametrize(("form", "kind", "period", "price"), CASES)
def test_the_parts_make_the_published_price(
    rated: dict[tuple[str, str, str, int], list[Row]], form: str, kind: str, period: str, price: str
) -> None:
    small, large = rated[form, kind, period, 1000], rated[form, kind, period, 1_000_000]
    assert sum(line["exact"] for line in small) == D(price) * 1000
    assert sum(line["amount"] + line["remainder"] for line in small) == D(price) * 1000
    assert total(large) == D(price) * 1_000_000


@pytest.mark.parametrize("form", BASIC)
def test_basic_charges_are_the_published_ones(form: str) -> None:
    hand = Hand("2026-01")
    _shipped(hand)
    hand.add("tb_code", tariff_id="T", tariff_code=f"cn.hubei.agent.{form}.tou")
    for sid, method in ((1, "demand_actual"), (2, "capacity")):
        hand.settle(sid=sid, customer=f"C{sid}")
        hand.point(sid, tariff="T")
        hand.contract(
            sid, tariff="T", basic_charge_method=method, contract_capacity_kva="1000", book="cn.hubei"
        )
    hand.add("rt_demand", sid=1, period="all", kw=D(100))
    hand.kva(2, "100")
    lines = [line for line in hand.rate() if line["component"].startswith("basic")]
    assert [line["amount"] for line in lines] == [D(price) * 100 for price in BASIC[form]]


def _shipped(hand: Hand) -> None:
    for name, table in tables.rows(load.shipped()).items():
        if name not in ("tb_code", "tb_demand_programme", "tb_programme", "tb_pf", "tb_transformer"):
            rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
            hand.rows[name] = [row for row in rows if _of_hubei(row)]


def _of_hubei(row: Row) -> bool:
    book = row.get("book") or row.get("tariff_code") or row.get("tier_id")
    return str(book).startswith(("cn.hubei", "cn.rules"))


def _first(keys: dict[int, tuple[str, str, str, int]], form: str, kind: str) -> int:
    return min(sid for sid, key in keys.items() if key[:2] == (form, kind))
