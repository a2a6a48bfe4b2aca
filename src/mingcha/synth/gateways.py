"""What the gateways saw: the sum of what hangs below each, plus its loss, day by day and month by month.

Supply follows the physics, not the books: it is the energy before collection gaps and before any
planted fault, since a gateway does not know what a bill says.
"""

from __future__ import annotations

from typing import Any

from mingcha.synth import engine
from mingcha.synth import plan as plans


def build(con: Any, plan: plans.Plan) -> None:
    """Add the gateways' daily values and readings, then drop the daily rows that collection missed."""
    first = plan.daily_from
    start = plan.window_start
    values = {
        "months": plan.months,
        "first_daily_m": (first.year - start.year) * 12 + first.month - start.month,
    }
    engine.run(con, "gateways", "from_customers", **values)
    for level in (1, 2, 3, 4):
        engine.run(con, "gateways", "level", level=level)
    engine.run(con, "gateways", "write", **values)
