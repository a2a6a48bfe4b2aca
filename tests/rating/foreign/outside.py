"""The outside calculator: NREL PySAM's Utilityrate5, set up in memory from the same rate."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

NO_LIMIT = 1e38
#: Net metering: tiers count the month's kWh, and are shared over the hours of the month by kWh.
NET_METERING = 0


@dataclass(frozen=True)
class Bill:
    """One month of the outside calculator, dollars, not rounded."""

    energy: float
    demand: float
    fixed: float


def installed() -> bool:
    """Return whether the calculator is there; nothing of it is loaded."""
    return importlib.util.find_spec("PySAM") is not None


@functools.cache
def module() -> Any:
    """Return PySAM.Utilityrate5.

    It crashes the process where its own path is not ASCII (a checkout in a folder with a Chinese name), so
    it is then loaded through a link in a temporary folder.
    """
    found = importlib.util.find_spec("PySAM")
    assert found is not None
    assert found.origin is not None
    place = Path(found.origin).parent
    if not str(place).isascii():
        links = Path(tempfile.mkdtemp(prefix="pysam-"))
        (links / "PySAM").symlink_to(place)
        sys.path.insert(0, str(links))
    return importlib.import_module("PySAM.Utilityrate5")


def year(rate: dict[str, Any], load: Sequence[Decimal]) -> list[Bill]:
    """Return the twelve months of a rate over a load year."""
    model = module().new()
    model.Lifetime.analysis_period = 1
    model.Lifetime.inflation_rate = 0
    model.Lifetime.system_use_lifetime_output = 0
    model.SystemOutput.degradation = [0]
    model.SystemOutput.gen = [0.0] * len(load)
    model.Load.load = [float(kwh) for kwh in load]
    model.Load.load_escalation = [0]
    _rates(model.ElectricityRates, rate)
    model.execute(0)
    months = (
        "year1_monthly_ec_charge_without_system",
        "year1_monthly_dc_fixed_without_system",
        "year1_monthly_dc_tou_without_system",
        "year1_monthly_fixed_without_system",
    )
    has_demand = "flatdemandstructure" in rate or "demandratestructure" in rate
    energy, flat, hours, fixed = (
        model.value(name) if has_demand or "_dc_" not in name else [0.0] * 12 for name in months
    )
    return [
        Bill(energy=e, demand=f + h, fixed=x) for e, f, h, x in zip(energy, flat, hours, fixed, strict=True)
    ]


def _rates(rates: Any, rate: dict[str, Any]) -> None:
    rates.en_electricity_rates = 1
    rates.rate_escalation = [0]
    rates.ur_metering_option = NET_METERING
    rates.ur_monthly_fixed_charge = float(rate.get("fixedchargefirstmeter", 0))
    rates.ur_monthly_min_charge = 0
    rates.ur_annual_min_charge = 0
    rates.ur_en_ts_buy_rate = 0
    rates.ur_en_ts_sell_rate = 0
    rates.ur_sell_eq_buy = 0
    rates.ur_nm_yearend_sell_rate = 0
    rates.ur_nm_credit_month = 11
    rates.ur_nm_credit_rollover = 0
    rates.ur_ec_tou_mat = [
        [period, tier, float(step.get("max", NO_LIMIT)), 0, float(step["rate"] + step.get("adj", 0)), 0]
        for period, steps in enumerate(rate["energyratestructure"], start=1)
        for tier, step in enumerate(steps, start=1)
    ]
    rates.ur_ec_sched_weekday = _grid(rate["energyweekdayschedule"])
    rates.ur_ec_sched_weekend = _grid(rate["energyweekendschedule"])
    demand = "flatdemandstructure" in rate or "demandratestructure" in rate
    rates.ur_dc_enable = int(demand)
    if not demand:
        return
    flat = rate.get("flatdemandstructure", [[{"rate": 0}]])
    months = rate.get("flatdemandmonths", [0] * 12)
    rates.ur_dc_flat_mat = [
        [month, 1, NO_LIMIT, float(flat[period][0]["rate"])] for month, period in enumerate(months)
    ]
    hours = rate.get("demandratestructure", [[{"rate": 0}]])
    rates.ur_dc_tou_mat = [
        [period, 1, NO_LIMIT, float(steps[0]["rate"])] for period, steps in enumerate(hours, start=1)
    ]
    none = [[0] * 24] * 12
    rates.ur_dc_sched_weekday = _grid(rate.get("demandweekdayschedule", none))
    rates.ur_dc_sched_weekend = _grid(rate.get("demandweekendschedule", none))


def _grid(rows: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the schedule with periods counted from 1."""
    return [[period + 1 for period in row] for row in rows]
