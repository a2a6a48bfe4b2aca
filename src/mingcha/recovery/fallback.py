"""Other ways to an energy where the first one fails: a missing share, a K, a normal month."""

from __future__ import annotations

from decimal import Decimal

from mingcha.kernel import errors
from mingcha.kernel.periods import Period
from mingcha.recovery import figures, settle
from mingcha.recovery.asking import Normal, Spell
from mingcha.recovery.figures import shown, signed
from mingcha.recovery.model import Step, Words, same
from mingcha.recovery.sheet import Sheet

_DIFFERENCE = Words("差错电量 ΔW", "Energy in error ΔW")


def by_normal_month(sheet: Sheet, given: Normal, *, window: Period, recorded: Decimal) -> Decimal:
    """Return a normal month's energy less what was recorded, kWh; raises DataError without one."""
    if given.normal_kwh is None or given.normal_days is None:
        raise errors.DataError(
            "--normal-kwh and --normal-days are not given",
            why="without a factor the energy is judged by that of a normal month",
            mend="give the energy of normal months before or after, and how many days they had",
        )
    normal = figures.cents(given.normal_kwh * window.days / given.normal_days)
    sheet.add(
        Step(
            name=Words("应有电量 W₀", "Energy there should have been W₀"),
            formula=Words(
                "W₀ = 正常月电量 × 计入天数 ÷ 正常月天数", "W₀ = normal energy × days counted ÷ normal days"
            ),
            working=same(f"{shown(given.normal_kwh)} × {window.days} ÷ {shown(given.normal_days)}"),
            result=normal,
            unit="kWh",
            rounding="kwh",
        )
    )
    return difference(sheet, "ΔW = W₀ − W", f"{shown(normal)} − {signed(recorded)}", normal - recorded)


def by_factor(sheet: Sheet, factor: Decimal, recorded: Decimal) -> Decimal:
    """Return recorded × (K − 1), kWh half up to 0.01; raises DataError when the true energy is negative."""
    if recorded * factor < 0:
        raise errors.DataError(
            f"K = {shown(factor)} turns the recorded {shown(recorded)} kWh into a negative energy",
            why="a register that ran backwards recorded a negative energy, one that ran forwards a positive",
            mend="check the wiring found, or give the recorded energy with its sign",
        )
    rate = figures.eight((factor - 1) * 100)
    sheet.add(
        Step(
            Words("更正率 ε_K", "Correction rate ε_K"), same("ε_K = (K − 1) × 100 %"),
            same(f"({shown(factor)} − 1) × 100 %"), rate, "%",
        )
    )  # fmt: skip
    total = figures.cents(recorded * (factor - 1))
    return difference(sheet, "ΔW = W × (K − 1)", f"{shown(recorded)} × ({shown(factor)} − 1)", total)


def by_share(sheet: Sheet, share_pct: Decimal, recorded: Decimal) -> Decimal:
    """Return recorded × s ÷ (1 − s) for a missing share s of the true energy, kWh half up to 0.01."""
    share = share_pct / 100
    total = figures.cents(recorded * share / (1 - share))
    working = f"{shown(recorded)} × {shown(share)} ÷ (1 − {shown(share)})"
    return difference(sheet, "ΔW = W × s ÷ (1 − s)", working, total)


def difference(sheet: Sheet, formula: str, working: str, total: Decimal) -> Decimal:
    """Print the energy in error, positive owed by the customer, and return it."""
    sheet.add(Step(_DIFFERENCE, same(formula), same(working), total, "kWh", "kwh"))
    return total


def recovery_only(sheet: Sheet, total: Decimal) -> Decimal:
    """Return the energy, nothing when it is negative: the article speaks of recovering only."""
    if total >= 0:
        return total
    sheet.warn(
        f"算得 {shown(total)} kWh 为负；条文只规定补收，本单不退",
        f"{shown(total)} kWh came out negative; the article speaks of recovering only, nothing is refunded",
    )
    return Decimal("0.00")


def without_curve(
    sheet: Sheet, given: Normal, *, window: Period, missing_pct: Decimal | None
) -> tuple[Decimal, tuple[Spell, ...]]:
    """Return the energy by missing share, else by a normal month, and the rows it is spread by."""
    rows = given.recorded
    energy = settle.recorded(sheet, rows, act=given.act, window=window)
    if missing_pct is not None:
        return by_share(sheet, missing_pct, energy), rows
    return by_normal_month(sheet, given, window=window, recorded=energy), (
        Spell(given.act, Decimal(given.act.days)),
    )
