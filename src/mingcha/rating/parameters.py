"""Values of rating that no book had to name: what is taken when neither the tariff's book nor cn.rules does.

The tariff book rules: a value in the tariff's own book is taken first, then the one in `cn.rules`, by the
day it is in force; only where neither has one for a day do these stand in, and their `evidence` is 'default'.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

DEFAULTS: tuple[tuple[str, str, str, str | None, str | None], ...] = (
    # name, value, unit, in force from, in force to
    ("transformer.k.1", "3.6", "factor", None, None),
    ("transformer.k.2", "1.8", "factor", None, None),
    ("transformer.k.3", "1.2", "factor", None, None),
    ("suspension.min_days", "15", "day", None, None),
    ("basic.day_base", "30", "day", None, "2024-06-01"),
    ("basic.day_base", "calendar", "day", "2024-06-01", None),
    ("demand.floor_share", "0.40", "ratio", None, None),
    ("demand.over_share", "1.05", "ratio", None, None),
    ("demand.over_variant", "A", "variant", None, None),
    ("demand.discount_hours", "260", "kWh/kVA", None, None),
    ("demand.discount", "0.90", "ratio", None, None),
    ("temporary.hours_per_day", "8", "h", None, None),
    ("power_factor.base", "energy,grid_loss,transmission,system,basic_capacity,basic_demand", "list", None,
     None),
)  # fmt: skip
"""Parameters by name: the value as text, its unit, and the interval it is for (None: open)."""


def install(con: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary table `rt_default(name, value, unit, in_force_from, in_force_to)` from DEFAULTS."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE rt_default"
        " (name VARCHAR, value VARCHAR, unit VARCHAR, in_force_from DATE, in_force_to DATE)"
    )
    con.executemany("INSERT INTO rt_default VALUES (?, ?, ?, CAST(? AS DATE), CAST(? AS DATE))", DEFAULTS)
