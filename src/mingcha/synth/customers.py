"""Who is supplied: kinds by quota, sizes by chance, and at most one story per customer.

A *kind* is what the customer is (home, shop, industry …); every thousand customers hold the same
quota of each. A *trait* is what happens to the customer in the window (new, closed, swap of the
meter, change of category …). A customer without a story is *plain*: faults are planted there.
"""

from __future__ import annotations

from typing import Any

from mingcha.synth import engine
from mingcha.synth import plan as plans

# kind: customers in a thousand
QUOTA: tuple[tuple[str, int], ...] = (
    ("industry", 18),
    ("hvgen", 24),
    ("works", 32),
    ("shop", 70),
    ("farm", 25),
    ("school", 4),
    ("pile", 10),
    ("station", 3),
    ("tele", 4),
    ("lamp", 4),
    ("wholesale", 1),
    ("temp", 2),
    ("home", 803),
)

# trait: share among the customers of the kinds named
TRAITS: dict[str, tuple[tuple[str, float], ...]] = {
    "home": (
        ("new", 0.012), ("closed", 0.008), ("gone", 0.004), ("swap", 0.020), ("recat", 0.003),
        ("moved", 0.003), ("cut", 0.003), ("cutnow", 0.001), ("asleep", 0.002), ("estimated", 0.005),
        ("roll", 0.005), ("bimonthly", 0.030), ("midread", 0.030), ("vacant", 0.025), ("pv_surplus", 0.012),
        ("pv_full", 0.008), ("adjusted", 0.006),
    ),
    "small": (
        ("new", 0.02), ("closed", 0.01), ("gone", 0.004), ("swap", 0.03), ("moved", 0.004), ("recap", 0.02),
        ("estimated", 0.004), ("roll", 0.004), ("adjusted", 0.006),
    ),
    "large": (
        ("new", 0.02), ("closed", 0.01), ("swap", 0.03), ("recap", 0.05), ("standby", 0.08),
        ("instalment", 0.06), ("check", 0.10), ("adjusted", 0.02),
    ),
}  # fmt: skip
_SMALL = ("shop", "works", "farm", "school", "tele")
_LARGE = ("industry", "hvgen", "station")
_CHANGES_CAPACITY = ("shop", "works", "industry", "hvgen")


def build(con: Any, plan: plans.Plan, low: int, high: int) -> None:
    """Write `c`, one wide row per customer number in [low, high)."""
    sizes = plan.sizes
    values = {
        "low": low,
        "high": high,
        "district": sizes.district,
        "feeder": sizes.feeder,
        "station": sizes.station,
        "offset": plan.seed % 1000,
        "months": plan.months,
        "start": plan.window_start.isoformat(),
        "kind_case": _kind_case(plan.seed % 1000),
        "shop_from": _slot_from("shop"),
        "home": _trait_case("home"),
        "small": _trait_case("small"),
        "large": _trait_case("large"),
        "small_kinds": str(_SMALL),
        "large_kinds": str(_LARGE),
        "recap_kinds": str(_CHANGES_CAPACITY),
    }
    engine.run(con, "customers", "ct", "first", "second", "third", "last", **values)


def table(con: Any, plan: plans.Plan) -> None:
    """Write the table customer from `c`, as it stands after planted stories were cast."""
    engine.run(con, "customers", "table", data_date=plan.data_date.isoformat())


def _slot_from(kind: str) -> int:
    """Return the first slot in a thousand that the kind takes."""
    names = [name for name, _ in QUOTA]
    return sum(many for _, many in QUOTA[: names.index(kind)])


def _kind_case(offset: int) -> str:
    parts = []
    for kind, many in QUOTA:
        start = _slot_from(kind)
        parts.append(
            f"WHEN (r.n * 617 + {offset}) % 1000 BETWEEN {start} AND {start + many - 1} THEN '{kind}'"
        )
    return " ".join(parts)


def _trait_case(group: str) -> str:
    parts = []
    upper = 0.0
    for trait, share in TRAITS[group]:
        upper += share
        parts.append(f"WHEN t < {upper:.4f} THEN '{trait}'")
    return " ".join(parts)
