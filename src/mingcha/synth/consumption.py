"""How much is used: monthly register units of every point and register, and how a month spreads.

The truth is kept in register units with two decimals; energy is units × multiplier, so that readings,
daily values and bills agree to the last digit. `index_at` gives the units gone since the start of a
month after d days; daily values and readings cut the same curve.
"""

from __future__ import annotations

from typing import Any

from mingcha.synth import engine

# A month of a customer moves at random by this factor around its season; small enough that no month
# of the clean books is a sudden change (rule REA-008).
NOISE_FROM = 0.88
NOISE_SPAN = 0.24


def prepare(con: Any) -> None:
    """Write the empty `kwh_override` (pk, m, kwh): months whose primary energy is set and not drawn."""
    con.execute("CREATE OR REPLACE TABLE kwh_override (pk BIGINT, m INTEGER, kwh DOUBLE)")


def build(con: Any) -> None:
    """Write `pm` (units per point and month), `rg` (per register, and before), `peak`, `first_index`."""
    engine.run(con, "consumption", noise_from=NOISE_FROM, noise_span=NOISE_SPAN)
