"""What is charged: one bill per customer and period, by arithmetic simple enough to redo by hand.

Energy × price by period; tier surcharges by the month's kWh; grid loss, transmission, system and
fund per kWh where the price is a market price; capacity by kVA (by days in the first and last month)
or demand by kW; power factor as a percentage of energy and basic charge without funds. Every line is
rounded half up to the fen, and the bill is the sum of its lines.
"""

from __future__ import annotations

from typing import Any

from mingcha.synth import engine, tariffs
from mingcha.synth import plan as plans


def build(con: Any, plan: plans.Plan) -> None:
    """Write bill, bill_line, bill_check and adjustment for the customers in `c` from their readings."""
    sub_price = next(t for t in tariffs.TARIFFS if t.tariff_id == "RES-H").energy["all"]
    values = {
        "months": plan.months,
        "tier1": tariffs.TIER_1_KWH,
        "tier2": tariffs.TIER_2_KWH,
        "add1": _price(tariffs.TIER_ADD[1]),
        "add2": _price(tariffs.TIER_ADD[2]),
        "add3": _price(tariffs.TIER_ADD[3]),
        "sub_price": _price(sub_price),
    }
    engine.run(con, "billing", **values)


def _price(price: object) -> str:
    return f"CAST({price} AS DECIMAL(8,6))"
