"""What was agreed and what is known about customers: contracts, entitlements, generators, chargers."""

from __future__ import annotations

from typing import Any

from mingcha.synth import engine, tariffs
from mingcha.synth import plan as plans


def build(con: Any, plan: plans.Plan) -> None:
    """Write contract, supply_source, entitlement, external_fact, generator, charger and kin."""
    values = {
        "months": plan.months,
        "start": plan.window_start.isoformat(),
        "data_date": plan.data_date.isoformat(),
        "m_start": plan.end_month.start.isoformat(),
        "m_end": plan.end_month.end.isoformat(),
        "feed_in": str(tariffs.feed_in()),
    }
    engine.run(con, "supply", **values)
