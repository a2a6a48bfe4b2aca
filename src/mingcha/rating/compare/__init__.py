"""Live bills beside re-rated ones: what differs, why in all likelihood, and what is kept of a rated month.

`run` goes on from the `rt_*` tables that `engine.rate` leaves: it makes temporary tables `cmp_*` and the
contract's derived tables as `kept_<table>`. Nothing rated is changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mingcha.kernel import errors
from mingcha.kernel.periods import BillingMonth
from mingcha.rating import sections

if TYPE_CHECKING:
    import duckdb

FOLDER = Path(__file__).parent
STEPS: tuple[str, ...] = ("lines", "facts", "causes", "results")
KEPT = "kept_"
"""What goes before the name of a derived table while it is a temporary one."""


@dataclass(frozen=True, slots=True)
class Tolerances:
    """Up to which differences are none, and which factors are known mistakes; decimals as text."""

    line_cny: str = "0.01"
    """CNY per line: what rounding alone can do."""
    quantity: str = "0.01"
    """kWh, kVA or kW: quantities nearer than this are equal."""
    price: str = "0.000005"
    """Per unit: prices are held with five decimals or more."""
    share: str = "0.02"
    """Of the quantity: how well another multiplier must explain it, losses being no proportion of it."""
    agent_factor: str = "1.5"
    """The factor on the price of energy for those bought for by default."""
    demand_discount: str = "0.90"
    """The factor on the demand price of customers who use their capacity well."""

    def literals(self) -> dict[str, str]:
        """Return what `:name` stands for in the steps."""
        return {
            "line_tolerance": f"CAST('{self.line_cny}' AS DECIMAL(18,4))",
            "quantity_tolerance": f"CAST('{self.quantity}' AS DECIMAL(18,4))",
            "price_tolerance": f"CAST('{self.price}' AS DECIMAL(18,8))",
            "share_tolerance": f"CAST('{self.share}' AS DECIMAL(9,6))",
            "agent_factor": f"CAST('{self.agent_factor}' AS DECIMAL(9,4))",
            "demand_discount": f"CAST('{self.demand_discount}' AS DECIMAL(9,4))",
        }


def constants(period: BillingMonth, tolerances: Tolerances | None = None) -> Mapping[str, str]:
    """Return all that `:name` may stand for, as SQL literals."""
    return {**sections.constants(period), **(tolerances or Tolerances()).literals()}


def run(
    con: duckdb.DuckDBPyConnection, *, period: BillingMonth, tolerances: Tolerances | None = None
) -> tuple[str, ...]:
    """Compare the rated month with its live bills; return the names of the derived tables made.

    Needs the `rt_*` tables of the month, `tb_pf`, and of the contract bill, bill_line, reading, usage_point.
    Raises BookError when a section cannot be run.
    """
    import duckdb

    values = constants(period, tolerances)
    made = []
    for step in STEPS:
        for section in sections.of(step, folder=FOLDER):
            name = f"{KEPT}{section.name}" if step == STEPS[-1] else section.name
            try:
                con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {sections.bind(section, values)}")
            except duckdb.InterruptException:
                raise
            except duckdb.Error as error:
                lines = " / ".join(line for line in str(error).splitlines() if line.strip())
                raise errors.BookError(
                    f"{section.place}: {lines}",
                    why="a bill compared without one of its steps would look right without being checked",
                    mend="rate the month first, or correct the step",
                ) from error
            if step == STEPS[-1]:
                made.append(section.name)
    return tuple(made)
