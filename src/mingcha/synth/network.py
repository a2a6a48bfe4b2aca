"""Wires and iron: substations, buses, feeders, districts, transformers with their status, and gateways.

Every district, feeder, bus and substation has a gateway; its energy is made in `readings` from what
hangs below it plus a loss.
"""

from __future__ import annotations

from typing import Any

from mingcha.synth import engine
from mingcha.synth import plan as plans


def build(con: Any, plan: plans.Plan) -> None:
    """Write the network tables of the customers in `c`, and `gw`: one row per gateway point."""
    values = {
        "months": plan.months,
        "start": plan.window_start.isoformat(),
        "data_date": plan.data_date.isoformat(),
    }
    engine.run(con, "network", **values)
