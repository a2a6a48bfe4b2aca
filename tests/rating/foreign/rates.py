"""Rates and load years made at random from a seed, in the form of the American rate database."""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

#: A year that begins on a Monday and has 365 days, as the outside calculator takes every year.
YEAR = 2018
#: 2018-01-01 06:00 UTC, midnight in Chicago.
START = 1514786400
KINDS = ("flat", "tiered", "tou", "tou_tiered")
Structure = list[list[dict[str, Any]]]


@dataclass(frozen=True)
class Case:
    """One rate with the number of the load year it is applied to."""

    number: int
    kind: str
    rate: dict[str, Any]
    load: int

    @property
    def label(self) -> str:
        return str(self.rate["label"])

    @property
    def demand(self) -> str:
        """`none`, `flat`, `monthly`, `hours` or two of them."""
        parts = []
        if "flatdemandstructure" in self.rate:
            parts.append("monthly" if len(self.rate["flatdemandstructure"]) > 1 else "flat")
        if "demandratestructure" in self.rate:
            parts.append("hours")
        return "+".join(parts) or "none"


def cases(count: int, *, loads: int, seed: int) -> list[Case]:
    """Return that many rates; every kind is met with every form of demand charge."""
    draw = random.Random(seed)
    return [_case(number, draw, loads) for number in range(count)]


def load_years(count: int, *, seed: int) -> list[list[Decimal]]:
    """Return hourly kWh of several years, two decimals: days, seasons, weekends and noise."""
    draw = random.Random(seed)
    return [_load_year(draw) for _ in range(count)]


def _case(number: int, draw: random.Random, loads: int) -> Case:
    kind = KINDS[number % len(KINDS)]
    rate: dict[str, Any] = {
        "label": f"made{number:04d}",
        "utility": "Made Light & Power",
        "name": f"Rate {number} ({kind})",
        "startdate": START,
        "sector": draw.choice(["Residential", "Commercial", "Industrial"]),
        "approved": True,
        "fixedchargefirstmeter": Decimal(draw.randint(0, 9000)) / 100,
        "fixedchargeunits": "$/month",
    }
    rate |= _energy(kind, draw)
    form = number // len(KINDS) % 4
    if form in (1, 3):
        rate |= _flat_demand(draw)
    if form in (2, 3):
        periods = draw.randint(2, 4)
        rate["demandratestructure"] = [[{"rate": _price(draw, 0, 20, 2)}] for _ in range(periods)]
        rate |= _schedules("demand", periods, draw)
    return Case(number=number, kind=kind, rate=rate, load=draw.randrange(loads))


def _energy(kind: str, draw: random.Random) -> dict[str, Any]:
    periods = draw.randint(2, 6) if kind.startswith("tou") else draw.choice([1, 2])
    tiers = draw.randint(2, 4) if kind.endswith("tiered") else 1
    seasonal = not kind.startswith("tou") and periods == 2
    schedules = _seasons(draw) if seasonal else _schedules("energy", periods, draw)
    if not seasonal and periods == 1:
        schedules = {f"energy{kind_}schedule": [[0] * 24] * 12 for kind_ in ("weekday", "weekend")}
    limits = [_limits(tiers, draw) for _ in range(periods)]
    if not seasonal:
        # What holds in one month must hold at every hour of it: the database has no more to say.
        limits = [limits[0]] * periods
    structure: Structure = [
        [
            {"rate": _price(draw, 3, 45, 5), "adj": _price(draw, 0, 2, 5), "unit": "kWh"}
            | ({"max": limits[period][tier]} if tier < tiers - 1 else {})
            for tier in range(tiers)
        ]
        for period in range(periods)
    ]
    return {"energyratestructure": structure, **schedules}


def _limits(tiers: int, draw: random.Random) -> list[int]:
    steps = sorted(draw.sample(range(50, 3000), tiers - 1))
    return [*steps]


def _price(draw: random.Random, low: int, high: int, digits: int) -> Decimal:
    """Return dollars with so many decimals; low and high are cents where there are more than two."""
    scale = 10**digits
    least = scale // (100 if digits > 2 else 1)
    return Decimal(draw.randint(low * least, high * least)) / scale


def _seasons(draw: random.Random) -> dict[str, Any]:
    summer = set(range(draw.randint(4, 6), draw.randint(9, 11)))
    rows = [[1 if month in summer else 0] * 24 for month in range(1, 13)]
    return {"energyweekdayschedule": rows, "energyweekendschedule": rows}


def _schedules(kind: str, periods: int, draw: random.Random) -> dict[str, Any]:
    """Return schedules in which every period has hours: two seasons, weekends of their own half the time."""
    weekday = [_day(periods, draw), _day(periods, draw)]
    weekend = weekday if draw.random() < 0.5 else [_day(periods, draw), _day(periods, draw)]
    split = draw.randint(3, 9)
    return {
        f"{kind}weekdayschedule": [weekday[month >= split] for month in range(12)],
        f"{kind}weekendschedule": [weekend[month >= split] for month in range(12)],
    }


def _day(periods: int, draw: random.Random) -> list[int]:
    cuts = sorted(draw.sample(range(1, 24), periods - 1)) if periods > 1 else []
    order = draw.sample(range(periods), periods)
    return [order[sum(1 for cut in cuts if cut <= hour)] for hour in range(24)]


def _flat_demand(draw: random.Random) -> dict[str, Any]:
    if draw.random() < 0.5:
        return {"flatdemandstructure": [[{"rate": _price(draw, 1, 25, 2)}]], "flatdemandmonths": [0] * 12}
    first = draw.randint(3, 6)
    return {
        "flatdemandstructure": [[{"rate": _price(draw, 1, 25, 2)}], [{"rate": _price(draw, 1, 25, 2)}]],
        "flatdemandmonths": [1 if first <= month < first + 4 else 0 for month in range(12)],
    }


def _load_year(draw: random.Random) -> list[Decimal]:
    base = draw.choice([40, 120, 400])
    year = []
    for hour in range(8760):
        day, clock = divmod(hour, 24)
        shape = 1 + (2 if 7 <= clock < 22 else 0) + (2 if 17 <= clock < 21 else 0)
        season = 1 + abs(day - 182) // 60
        weekend = 2 if day % 7 >= 5 else 3
        year.append(Decimal(base * shape * season * weekend // 6 + draw.randrange(base)) / 100)
    return year
