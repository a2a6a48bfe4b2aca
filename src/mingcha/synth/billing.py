"""What is charged: one bill per customer and settlement, by a calculator of its own.

The customers' registers are cut where contract or price changes and spread over periods; sub-meters
come off and transformer losses go on; then follow energy, the parts of a market price, annual tiers,
capacity by the day or demand, and the power factor. Every line is rounded half up to the fen, and the
bill is the sum of its lines. The rating engine shares no code with it: it is what the engine is
compared with.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from mingcha.synth import engine, tariffs
from mingcha.synth import plan as plans

_CHARGES = (
    "versions", "intervals", "settlements", "cells", "segments", "energy", "per_kwh", "tiers", "capacity",
    "demand", "losses",
)  # fmt: skip


def build(con: Any, plan: plans.Plan, plant: Callable[[str], None] = lambda _: None) -> None:
    """Write bill, bill_line, bill_check and adjustment for the customers in `c` from their readings.

    `plant` is called at the stations `charges` (the lines `ln` stand, but for the power factor) and
    `factor` (the percentages `bf` stand).
    """
    values = _values(plan)
    engine.run(con, "billing", *_CHARGES, **values)
    plant("charges")
    engine.run(con, "billing", "factor", **values)
    plant("factor")
    engine.run(con, "billing", "factor_lines", "bills", "reissues", "checks", "adjustments", **values)


def _values(plan: plans.Plan) -> dict[str, Any]:
    """Return what the scripts are filled with: the plan, and the parameters of the tariff book."""
    entry = next(tiers for tiers in tariffs.book().tiers if tiers.id == "residential").entries[-1]
    assert entry.household is not None
    assert entry.basis == "annual"
    assert tariffs.parameter("demand.over_variant") == "A"
    named = {
        "k1": "transformer.k.1", "k2": "transformer.k.2", "k3": "transformer.k.3",
        "hours": "temporary.hours_per_day", "min_days": "suspension.min_days",
        "floor_share": "demand.floor_share", "over_share": "demand.over_share",
        "discount_hours": "demand.discount_hours", "discount": "demand.discount",
    }  # fmt: skip
    return {
        "months": plan.months,
        "start": plan.window_start.isoformat(),
        "data_date": plan.data_date.isoformat(),
        "first_year": plan.window_start.year,
        "months_before": plan.window_start.month - 1,
        "tier1": _whole(entry.limits[0].upto[0]),
        "tier2": _whole(entry.limits[0].upto[1]),
        "member_kwh": _whole(entry.household.add_kwh),
        "calendar_from": _calendar_from().isoformat(),
        **{key: tariffs.parameter(name) for key, name in named.items()},
    }


def _whole(number: Decimal) -> int:
    assert number == int(number)
    return int(number)


def _calendar_from() -> date:
    """Return the day since which part months go by calendar days and no longer by thirtieths."""
    versions = tariffs.books().parameter_versions("basic.day_base", book=tariffs.BOOK)
    assert [fact.value for fact in versions] == ["30", "calendar"]
    return versions[-1].in_force_from
