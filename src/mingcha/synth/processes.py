"""What people did: tickets and their steps, inspections, cases, outages, complaints, cuts, events.

Every change in the books has its ticket, finished in time; tickets still open at the data date are
young, on time and moving.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from mingcha.synth import engine
from mingcha.synth import plan as plans


def build(con: Any, plan: plans.Plan) -> None:
    """Write tickets, steps, field work, service, operations, events and photos for the customers in `c`."""
    values = {
        "months": plan.months,
        "start": plan.window_start.isoformat(),
        "data_date": plan.data_date.isoformat(),
        "window_days": (plan.end_month.end - plan.window_start).days,
        "event_from": (plan.end_month.end - timedelta(days=31)).isoformat(),
    }
    engine.run(con, "processes", **values)
