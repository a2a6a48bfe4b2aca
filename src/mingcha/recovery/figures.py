"""Rounding by name, spreading without loss, and numbers written for a sheet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from mingcha.kernel.periods import BillingMonth, Period

CENT = Decimal("0.01")
_EIGHT = Decimal("0.00000001")


def cents(value: Decimal) -> Decimal:
    """Return a value half up to 0.01: kWh, or CNY."""
    return value.quantize(CENT, rounding=ROUND_HALF_UP)


def eight(value: Decimal) -> Decimal:
    """Return a value half up to eight decimals, how ratios and powers in between are kept and printed."""
    return value.quantize(_EIGHT, rounding=ROUND_HALF_UP)


def shown(value: Decimal | int) -> str:
    """Return a number as a person writes it: no exponent, no trailing zeros after the point.

    >>> shown(Decimal("1.5E+3")), shown(Decimal("0.6500")), shown(Decimal("-0.00"))
    ('1500', '0.65', '0')
    """
    text = f"{Decimal(value):f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def signed(value: Decimal) -> str:
    """Return a number for use inside a formula, in brackets when it is negative."""
    return f"({shown(value)})" if value < 0 else shown(value)


def money(value: Decimal) -> str:
    """Return money with two decimals and separators.

    >>> money(Decimal("28433.3"))
    '28,433.30'
    """
    return f"{cents(value):,}"


def spread(total: Decimal, weights: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """Return `total` in proportion to the weights, each half up to 0.01, the last taking what is left.

    All weights zero counts as all equal. The parts always sum to `total`.
    """
    whole = sum(weights, Decimal(0))
    used = list(weights) if whole else [Decimal(1)] * len(weights)
    whole = whole or Decimal(len(weights))
    parts = [cents(total * weight / whole) for weight in used[:-1]]
    return (*parts, total - sum(parts, Decimal(0)))


def add_months(day: date, months: int) -> date:
    """Return the day `months` later, or the last day of that month where it is shorter."""
    month = BillingMonth.of(day).add(months)
    return date(month.year, month.month, min(day.day, month.days))


def days(period: Period) -> str:
    """Return a period as it is written on a sheet: first day, end day, number of days."""
    return f"[{period.start}, {period.end}) {period.days} d"


def last_day(period: Period) -> date:
    """Return the last day that lies in a period with an end."""
    assert period.end is not None
    return period.end - timedelta(days=1)
