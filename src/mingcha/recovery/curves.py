"""The integral of lost voltage or lost current over a curve, with the healthy phases as reference.

ΔW = Σ_t Σ_phase (U_ref − U) · I · cosφ · Δt · multiplier, and the same with current; W·min become kWh.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from mingcha.kernel.periods import Period
from mingcha.recovery import figures
from mingcha.recovery.asking import Normal, Reading, Spell, bad, curve, number, word
from mingcha.recovery.figures import shown
from mingcha.recovery.model import Step, Words, same
from mingcha.recovery.sheet import Sheet

PHASES = "abc"
_KWH = Decimal(60_000)


@dataclass(frozen=True, kw_only=True)
class Curved(Normal):
    """A curve of U and I by phase, or a missing share, or a normal month."""

    curve: tuple[Reading, ...] = curve(
        "电压电流曲线", "curve of U and I by phase, secondary or primary values"
    )
    minutes: Decimal | None = number(
        "曲线间隔",
        "minutes between two points; default: the most frequent",
        "min",
        default=None,
        positive=True,
    )
    multiplier: Decimal = number(
        "综合倍率", "CT × PT where the curve holds secondary values", "", default=Decimal(1), positive=True
    )
    rated_voltage: Decimal | None = number(
        "额定电压 Un", "rated voltage of a phase", "V", default=None, positive=True
    )
    rated_current: Decimal | None = number(
        "额定电流 In", "rated (basic) current", "A", default=None, positive=True
    )
    power_factor: Decimal | None = number(
        "功率因数", "cos φ instead of the curve's", "", default=None, positive=True, most=Decimal(1)
    )
    phases: str | None = word(
        "故障相",
        "phases known to be at fault; default: found by the criteria",
        choices=("a", "b", "c", "ab", "ac", "bc"),
        default=None,
    )
    missing_pct: Decimal | None = number(
        "缺失份额 s",
        "without a curve: share of the true energy not recorded",
        "%",
        default=None,
        least=Decimal(0),
        most=Decimal("99.999999"),
    )


@dataclass(frozen=True, slots=True)
class Missing:
    """Energy missing at one moment in one phase: reference, measured, the other quantity, cos φ, watts."""

    reading: Reading
    phase: int
    reference: Decimal
    measured: Decimal
    other: Decimal
    factor: Decimal

    @property
    def watts(self) -> Decimal:
        """Return the power missing, W."""
        return (self.reference - self.measured) * self.other * self.factor


@dataclass(frozen=True, slots=True)
class Criteria:
    """When a phase counts as lost: its own value below `low`, the other quantity and the other phases above."""

    lost: Callable[[Reading, int], bool]
    reference: Callable[[Reading, int, frozenset[int]], Decimal]
    symbol: str


def needed(given: Curved) -> tuple[Decimal, Decimal]:
    """Return rated voltage and current; raises DataError where one is missing."""
    if given.rated_voltage is None or given.rated_current is None:
        raise bad(
            "--rated-voltage or --rated-current is not given",
            "give the rated voltage of a phase and the rated current of the meter (secondary values for a secondary curve)",
        )
    return given.rated_voltage, given.rated_current


def integral(
    sheet: Sheet, given: Curved, *, window: Period, criteria: Criteria, voltage: bool
) -> tuple[Decimal, tuple[Spell, ...]]:
    """Return the energy missing in the window, kWh half up to 0.01, and its days; print how it was found."""
    used = [one for one in given.curve if window.holds(one.at.date())]
    if not used:
        raise bad(
            f"the curve has no point on the days {figures.days(window)}",
            "give the curve of the days of the act",
        )
    minutes = _minutes(given, used)
    _tell_holes(sheet, used, minutes)
    found = [one for reading in used for one in _missing(given, reading, criteria, voltage)]
    by_day: dict[date, Decimal] = {}
    for one in found:
        energy = one.watts * minutes * given.multiplier / _KWH
        by_day[one.reading.at.date()] = by_day.get(one.reading.at.date(), Decimal(0)) + energy
    if found:
        sheet.add(_sample(found[0], given, minutes, criteria.symbol))
    for step in _phases(found, given, minutes, criteria.symbol):
        sheet.add(step)
    if not found:
        sheet.warn("曲线中没有符合判据的点", "no point of the curve meets the criteria")
    total = figures.cents(sum(by_day.values(), Decimal(0)))
    sheet.add(
        Step(
            name=Words("差错电量 ΔW", "Energy in error ΔW"),
            formula=Words("各相之和", "sum over the phases"),
            working=Words(f"{len(used)} 点，其中 {len({one.reading.at for one in found})} 点有缺失", f"{len(used)} points, {len({one.reading.at for one in found})} of them with loss"),
            result=total,
            unit="kWh",
            rounding="kwh",
        )
    )  # fmt: skip
    rows = tuple(
        Spell(Period(day, day + timedelta(days=1)), energy) for day, energy in sorted(by_day.items())
    )
    return total, rows


def mean(values: Iterator[Decimal] | list[Decimal]) -> Decimal:
    """Return the mean of at least one value."""
    listed = list(values)
    return sum(listed, Decimal(0)) / len(listed)


def _minutes(given: Curved, used: list[Reading]) -> Decimal:
    if given.minutes is not None:
        return given.minutes
    gaps = Counter((other.at - one.at) for one, other in itertools.pairwise(used))
    if not gaps:
        raise bad("the curve has one point only, so its interval is unknown", "give --minutes")
    most = gaps.most_common(1)[0][0]
    return Decimal(most // timedelta(seconds=1)) / 60


def _tell_holes(sheet: Sheet, used: list[Reading], minutes: Decimal) -> None:
    step = timedelta(seconds=int(minutes * 60))
    holes = sum(1 for one, other in itertools.pairwise(used) if other.at - one.at != step)
    if holes:
        sheet.warn(
            f"曲线有 {holes} 处间隔不等于 {shown(minutes)} 分钟；缺点不补，每点按 {shown(minutes)} 分钟计",
            f"the curve has {holes} gaps other than {shown(minutes)} minutes; missing points are not filled, each counts {shown(minutes)} minutes",
        )  # fmt: skip


def _missing(given: Curved, reading: Reading, criteria: Criteria, voltage: bool) -> Iterator[Missing]:
    if given.phases is not None:
        lost = frozenset(PHASES.index(phase) for phase in given.phases)
    else:
        lost = frozenset(phase for phase in range(3) if criteria.lost(reading, phase))
    if not lost:
        return
    factor = _factor(given, reading, lost)
    for phase in sorted(lost):
        own, other = (reading.volts, reading.amperes) if voltage else (reading.amperes, reading.volts)
        reference = criteria.reference(reading, phase, lost)
        yield Missing(reading, phase, reference, own[phase], other[phase], factor)


def _factor(given: Curved, reading: Reading, lost: frozenset[int]) -> Decimal:
    if given.power_factor is not None:
        return given.power_factor
    if reading.factors is None:
        raise bad(
            "neither the curve nor --power-factor gives cos φ", "add a column pf, or give --power-factor"
        )
    healthy = [abs(reading.factors[phase]) for phase in range(3) if phase not in lost]
    return mean(healthy or [abs(one) for one in reading.factors])


def _sample(one: Missing, given: Curved, minutes: Decimal, symbol: str) -> Step:
    other = "I" if symbol == "U" else "U"
    energy = figures.eight(one.watts * minutes * given.multiplier / _KWH)
    return Step(
        name=Words(f"首点示例 {one.reading.at:%Y-%m-%d %H:%M} {PHASES[one.phase]} 相", f"First point as an example, {one.reading.at:%Y-%m-%d %H:%M} phase {PHASES[one.phase]}"),
        formula=same(f"({symbol}_ref − {symbol}) × {other} × cosφ × Δt × k ÷ 60000"),
        working=same(
            f"({_short(one.reference)} − {shown(one.measured)}) × {shown(one.other)} × {_short(one.factor)} "
            f"× {shown(minutes)} × {shown(given.multiplier)} ÷ 60000"
        ),
        result=energy,
        unit="kWh",
        rounding="eight",
    )  # fmt: skip


def _phases(found: list[Missing], given: Curved, minutes: Decimal, symbol: str) -> Iterator[Step]:
    other = "I" if symbol == "U" else "U"
    for phase in sorted({one.phase for one in found}):
        own = [one for one in found if one.phase == phase]
        days = len({one.reading.at.date() for one in own})
        energy = sum((one.watts for one in own), Decimal(0)) * minutes * given.multiplier / _KWH
        yield Step(
            name=Words(f"{PHASES[phase]} 相缺失电量", f"Missing in phase {PHASES[phase]}"),
            formula=same(f"Σ ({symbol}_ref − {symbol}) × {other} × cosφ × Δt × k ÷ 60000"),
            working=Words(f"{len(own)} 点，{days} 天", f"{len(own)} points on {days} days"),
            result=figures.eight(energy),
            unit="kWh",
            rounding="eight",
        )


def _short(value: Decimal) -> str:
    return shown(figures.eight(value))
