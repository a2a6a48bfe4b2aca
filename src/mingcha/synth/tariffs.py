"""The prices of the synthetic utility: read from the tariff book of the demo province, no second copy here.

A market price is its parts: energy (the only part that moves with the time of use), grid loss,
transmission, system operation and funds; a catalogue price (residential, agriculture) is one figure
with the funds inside.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from mingcha.synth import engine
from mingcha.tariffbook import facts, load, model

BOOK = "demo.yunling"
# what is paid for energy fed in; the utility's own table of prices has no place for it
FEED_IN = "PV"
_FILE = load.FOLDER / "demo" / "yunling.yaml"
# months before the book begins are billed by its first prices
BEGINNING = date(1900, 1, 1)
_ENDLESS = date(9999, 1, 1)
# component of a contract row -> unit in which the utility states the price
_UNITS = {"basic_capacity": "kVA", "basic_demand": "kW"}
_WIDE_PERIODS = ("all", "sharp", "peak", "flat", "valley")
_WIDE_PARTS = (
    ("p_loss", "grid_loss"), ("p_trans", "transmission"), ("p_sys", "system"), ("p_fund", "fund"),
    ("p_cap", "basic_capacity"), ("p_dem", "basic_demand"),
)  # fmt: skip
_PRICE = "DECIMAL(8,6)"


@functools.cache
def books() -> load.Books:
    """Return the tariff book of the demo province."""
    return load.only([_FILE])


def book() -> model.Book:
    """Return the one book of the demo province."""
    return books().book(BOOK)


@dataclass(frozen=True, slots=True)
class Price:
    """A price of one tariff in force on the days [start, end), items of a component added up."""

    tariff_id: str
    component: str
    period: str
    tier: int
    start: date
    end: date | None
    price: Decimal
    document: str


def tariffs() -> dict[str, model.Tariff]:
    """Return the tariffs by the id under which the utility holds them."""
    return {known: tariff for tariff in book().tariffs for known in tariff.known_as}


@functools.cache
def prices(tariff_id: str) -> tuple[Price, ...]:
    """Return the dated prices of a tariff, in the order of component, period, tier and day."""
    cells: dict[tuple[str, str, int], list[facts.Price]] = {}
    for price in books().prices(tariffs()[tariff_id].code):
        cells.setdefault((price.component, price.period, price.tier), []).append(price)
    found = []
    for (component, period, tier), items in cells.items():
        for start, end in _versions(items):
            inside = [item for item in items if item.holds(start)]
            if inside:
                latest = max(inside, key=lambda item: item.in_force_from)
                total = sum((item.price for item in inside), Decimal(0))
                number = latest.document.number
                found.append(Price(tariff_id, component, period, tier, start, end, total, number))
    return tuple(found)


def _versions(items: list[facts.Price] | list[Price]) -> list[tuple[date, date | None]]:
    """Return the stretches of days in which none of the prices changes."""
    days: set[date] = set()
    for item in items:
        start, end = (
            (item.start, item.end) if isinstance(item, Price) else (item.in_force_from, item.in_force_to)
        )
        days |= {start, end or _ENDLESS}
    cuts = sorted(days)
    return [(start, None if end == _ENDLESS else end) for start, end in itertools.pairwise(cuts)]


def parameter(name: str, *, on: date | None = None) -> str:
    """Return a parameter of the book on a day, its latest value without one."""
    versions = books().parameter_versions(name, book=BOOK)
    if on is None:
        return versions[-1].value
    before = [fact for fact in versions if fact.in_force_from <= on]
    return (before[-1] if before else versions[0]).value


def feed_in() -> Decimal:
    """Return what a kWh fed in is paid."""
    return prices(FEED_IN)[-1].price


def build(con: Any) -> None:
    """Write the tables tariff and tariff_price, `tariff_now`, and `tw`: prices by tariff and days."""
    sold = [tariff_id for tariff_id in tariffs() if tariff_id != FEED_IN]
    heads = [row for tariff_id in tariffs() for row in _heads(tariff_id)]
    engine.fill(
        con,
        "t_tariff",
        "tariff_id VARCHAR, effective_from DATE, effective_to DATE, name VARCHAR, usage_category VARCHAR, "
        "parts VARCHAR, voltage_kv_from DECIMAL(12,4), voltage_kv_to DECIMAL(12,4), tou BOOLEAN, "
        "tiered BOOLEAN, tou_programme_id VARCHAR, entitlement_kind VARCHAR, document VARCHAR",
        heads,
    )
    con.execute("CREATE OR REPLACE TABLE tariff_now AS SELECT * FROM t_tariff WHERE effective_to IS NULL")
    rows = [
        (p.tariff_id, p.component, p.period, p.tier, p.start, p.end, p.price,
         _UNITS.get(p.component, "kWh"))
        for tariff_id in sold for p in _merged(prices(tariff_id))
    ]  # fmt: skip
    engine.fill(
        con,
        "t_tariff_price",
        "tariff_id VARCHAR, component VARCHAR, period VARCHAR, tier INTEGER, effective_from DATE, "
        "effective_to DATE, price DECIMAL(18,8), unit VARCHAR",
        rows,
    )
    names = [f"p_{period}" for period in _WIDE_PERIODS] + [name for name, _ in _WIDE_PARTS]
    names += ["add1", "add2", "add3"]
    columns = "tariff_id VARCHAR, pv_from DATE, pv_to DATE, tiered BOOLEAN, assessed BOOLEAN, " + ", ".join(
        f"{name} {_PRICE}" for name in names
    )
    engine.fill(con, "tw", columns, [row for tariff_id in sold for row in _wide(tariff_id)])


def _merged(found: tuple[Price, ...]) -> list[Price]:
    """Return the prices, neighbours of one and the same figure put together."""
    merged: list[Price] = []
    for price in found:
        last = merged[-1] if merged else None
        same = last is not None and (last.component, last.period, last.tier, last.end, last.price) == (
            price.component, price.period, price.tier, price.start, price.price,
        )  # fmt: skip
        if same and last is not None:
            merged[-1] = Price(
                last.tariff_id, last.component, last.period, last.tier, last.start, price.end, last.price,
                last.document,
            )  # fmt: skip
        else:
            merged.append(price)
    return merged


def _stretches(tariff_id: str) -> list[tuple[date, date | None]]:
    """Return the stretches of days between changes of any price of the tariff."""
    return _versions(_merged(prices(tariff_id)))


def _heads(tariff_id: str) -> list[tuple[Any, ...]]:
    tariff = tariffs()[tariff_id]
    periods = {price.period for price in prices(tariff_id)}
    rows = []
    for start, end in _stretches(tariff_id):
        inside = [price for price in prices(tariff_id) if price.start <= start]
        rows.append((
            tariff_id, start, end, tariff.title.zh, tariff.usage_categories[0], tariff.parts,
            tariff.voltage_kv[0], tariff.voltage_kv[1], periods != {"all"} and "peak" in periods,
            tariff.tiers is not None, tariff.programme.upper() if tariff.programme else None,
            tariff.entitlement, max(inside, key=lambda price: price.start).document,
        ))  # fmt: skip
    return rows


def _wide(tariff_id: str) -> list[tuple[Any, ...]]:
    tariff = tariffs()[tariff_id]
    rows = []
    for index, (start, end) in enumerate(_stretches(tariff_id)):
        found = {
            (p.component, p.period, p.tier): p.price
            for p in prices(tariff_id)
            if p.start <= start and (p.end is None or start < p.end)
        }
        rows.append((
            tariff_id, BEGINNING if index == 0 else start, end or _ENDLESS, tariff.tiers is not None,
            tariff.power_factor_base is not None,
            *(found.get(("energy", period, 0)) for period in _WIDE_PERIODS),
            *(found.get((component, "all", 0)) for _, component in _WIDE_PARTS),
            *(found.get(("tier", "all", tier)) for tier in (1, 2, 3)),
        ))  # fmt: skip
    return rows
