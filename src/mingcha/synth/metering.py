"""Where energy is measured: usage points, meters and their changes, CT and PT, tests, seals, parameters.

`pt` is the working table: one row per metered point with what readings need (multiplier before and
after a change, register width, first index, interval of energy and of the book).
"""

from __future__ import annotations

from typing import Any

from mingcha.synth import engine
from mingcha.synth import plan as plans


def build(con: Any, plan: plans.Plan) -> None:
    """Write `pt`, `mt` and the tables of points and metering assets but meter_install.

    meter_install states registers and is written by `readings`, where the indexes are known.
    """
    values = {"start": plan.window_start.isoformat(), "data_date": plan.data_date.isoformat()}
    engine.run(con, "metering", **values)
