"""What was read: registers at the ends of periods, daily values, load curves, installs, and gateways.

All of it cuts the same curve of register units (see `consumption`), so a reading's end value is the
daily index of the day before, and the daily energies of a period add up to the reading.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from mingcha.synth import engine
from mingcha.synth import plan as plans

# How many of the last days the collection log covers: it is as long as the daily values themselves.
COLLECTION_DAYS = 7


def prepare(con: Any) -> None:
    """Write two empty lists: `curve_wanted` (pk) gets a load curve, `kept` (n) is spared by chance."""
    con.execute("CREATE OR REPLACE TABLE curve_wanted (pk BIGINT)")
    con.execute("CREATE OR REPLACE TABLE kept (n BIGINT)")


def build(con: Any, plan: plans.Plan) -> None:
    """Write readings, their changes, installs, daily values, curves and collection of customers' points."""
    values = {
        "months": plan.months,
        "epoch": "2000-01-01",
        "data_date": plan.data_date.isoformat(),
        "collection_days": COLLECTION_DAYS,
        "share": plan.curve_share,
        "curve_from": max(
            plan.end_month.start, plan.daily_from, plan.data_date - timedelta(days=60)
        ).isoformat(),
    }
    engine.run(con, "readings", **values)
