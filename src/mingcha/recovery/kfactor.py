"""Correction factors of wrong wiring: K = P_right ÷ P_wrong, as formulas kept as data, and their evaluation.

Balanced load, inductive φ, normal phase order. Each row is re-derived from phasors in tests/recovery. A
denominator of zero means that the meter stands still: K is infinite and given as None.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from mingcha.recovery import figures
from mingcha.recovery.model import Words

ROOT3 = Decimal(3).sqrt()
_NOTHING = Decimal("1e-12")
_TOKEN = re.compile(r"\s*(\d+(?:\.\d+)?|√3|tanφ|k_a|k|[-+·/()])")


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to wire wrongly: the metering system, what is wrong, and K as a formula; "∞" where it stops."""

    code: str
    system: str
    name: Words
    formula: str

    @property
    def needs_factor(self) -> bool:
        """Return whether K depends on the load's power factor."""
        return "tanφ" in self.formula

    @property
    def needs_ratio(self) -> bool:
        """Return whether K depends on CT ratios."""
        return "k_a" in self.formula


def _of(code: str, formula: str, zh: str, en: str) -> Fault:
    system = code.partition("-")[0]
    return Fault(code=code, system=system, name=Words(zh, en), formula=formula)


FAULTS: tuple[Fault, ...] = (
    _of("3p4w-one-lost", "3/2", "三相四线：一相电压或电流缺失、CT 短接", "3-phase 4-wire: one phase without voltage or current, or its CT shorted"),
    _of("3p4w-two-lost", "3", "三相四线：两相缺失", "3-phase 4-wire: two phases without voltage or current"),
    _of("3p4w-one-ct-reversed", "3", "三相四线：一只 CT 反接", "3-phase 4-wire: one CT reversed"),
    _of("3p4w-two-ct-reversed", "-3", "三相四线：两只 CT 反接", "3-phase 4-wire: two CTs reversed"),
    _of("3p4w-three-ct-reversed", "-1", "三相四线：三只 CT 反接", "3-phase 4-wire: three CTs reversed"),
    _of("3p4w-currents-swapped", "∞", "三相四线：两相电流互换", "3-phase 4-wire: currents of two phases swapped"),
    _of("3p4w-currents-rotated-b", "-2/(1+√3·tanφ)", "三相四线：电流顺移一相（b、c、a）", "3-phase 4-wire: currents rotated to b, c, a"),
    _of("3p4w-currents-rotated-c", "-2/(1-√3·tanφ)", "三相四线：电流逆移一相（c、a、b）", "3-phase 4-wire: currents rotated to c, a, b"),
    _of("3p4w-ct-ratio", "(3/k)/(2/k+1/k_a)", "三相四线：一只 CT 变比为 k_a，各相均按 k 计费", "3-phase 4-wire: one CT has the ratio k_a, all are billed with k"),
    _of("3p3w-u-fuse", "2·√3/(√3+tanφ)", "三相三线：U 相 PT 熔断器熔断", "3-phase 3-wire: PT fuse of phase U blown"),
    _of("3p3w-w-fuse", "2·√3/(√3-tanφ)", "三相三线：W 相 PT 熔断器熔断", "3-phase 3-wire: PT fuse of phase W blown"),
    _of("3p3w-v-fuse", "2", "三相三线：V 相 PT 熔断器熔断（两元件分担 U_uw）", "3-phase 3-wire: PT fuse of phase V blown (both elements share U_uw)"),
    _of("3p3w-iu-reversed", "√3/tanφ", "三相三线：I_u 反接", "3-phase 3-wire: I_u reversed"),
    _of("3p3w-iw-reversed", "-√3/tanφ", "三相三线：I_w 反接", "3-phase 3-wire: I_w reversed"),
    _of("3p3w-both-reversed", "-1", "三相三线：I_u、I_w 均反接", "3-phase 3-wire: I_u and I_w reversed"),
    _of("3p3w-currents-swapped", "∞", "三相三线：I_u 与 I_w 互换", "3-phase 3-wire: I_u and I_w swapped"),
    _of("3p3w-voltages-reversed", "∞", "三相三线：电压逆相序、电流正确", "3-phase 3-wire: voltages in reversed order, currents right"),
    _of("3p3w-voltages-vwu", "2/(√3·tanφ-1)", "三相三线：电压相序 v-w-u", "3-phase 3-wire: voltages in the order v-w-u"),
    _of("3p3w-voltages-wuv", "-2/(1+√3·tanφ)", "三相三线：电压相序 w-u-v", "3-phase 3-wire: voltages in the order w-u-v"),
)  # fmt: skip
BY_CODE = {fault.code: fault for fault in FAULTS}
#: Faults a blown PT fuse makes.
FUSES = ("3p4w-one-lost", "3p4w-two-lost", "3p3w-u-fuse", "3p3w-w-fuse", "3p3w-v-fuse")


def tan_of(power_factor: Decimal) -> Decimal:
    """Return tan φ of an inductive load with the given cos φ, which lies in (0, 1]."""
    return (1 - power_factor * power_factor).sqrt() / power_factor


def factor(
    fault: Fault,
    *,
    power_factor: Decimal | None = None,
    billed: Decimal | None = None,
    true: Decimal | None = None,
) -> Decimal | None:
    """Return K half up to eight decimals, None where it is infinite.

    `power_factor` is cos φ of the load, `billed` and `true` the CT ratios; each only where the fault needs it.
    """
    if fault.formula == "∞":
        return None
    values: dict[str, Decimal] = {"√3": ROOT3}
    if fault.needs_factor:
        assert power_factor is not None
        values["tanφ"] = tan_of(power_factor)
    if fault.needs_ratio:
        assert billed is not None
        assert true is not None
        values |= {"k": billed, "k_a": true}
    found = value_of(fault.formula, values)
    return None if found is None else figures.eight(found)


def value_of(formula: str, values: Mapping[str, Decimal]) -> Decimal | None:
    """Return the value of a formula of + − · / and brackets; None when something is divided by zero.

    >>> value_of("2/(√3·tanφ-1)", {"√3": Decimal(2), "tanφ": Decimal(1)})
    Decimal('2')
    """
    reader = _Formula(formula, values)
    try:
        return reader.sum()
    except ZeroDivisionError:
        return None


class _Formula:
    """Reads a formula from left to right: a sum of products of signed values."""

    def __init__(self, text: str, values: Mapping[str, Decimal]) -> None:
        self._tokens = _TOKEN.findall(text)
        assert "".join(self._tokens) == text.replace(" ", ""), text
        self._values = values
        self._at = 0

    def sum(self) -> Decimal:
        total = self._product()
        while self._next() in ("+", "-"):
            sign = self._take()
            value = self._product()
            total = total + value if sign == "+" else total - value
        return total

    def _product(self) -> Decimal:
        value = self._single()
        while self._next() in ("·", "/"):
            if self._take() == "·":
                value *= self._single()
            else:
                divisor = self._single()
                if abs(divisor) < _NOTHING:
                    raise ZeroDivisionError
                value /= divisor
        return value

    def _single(self) -> Decimal:
        sign = self._take()
        if sign == "-":
            return -self._single()
        if sign == "(":
            value = self.sum()
            self._take()
            return value
        return self._values[sign] if sign in self._values else Decimal(sign)

    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        self._at += 1
        return str(self._tokens[self._at - 1])
