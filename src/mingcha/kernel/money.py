"""Money in CNY as Decimal, and the roundings of the trade by name, each with what it moved.

Nothing here accepts a float: a binary fraction of a fen is a wrong bill.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

from mingcha.kernel import errors

FEN = Decimal("0.01")
ZERO = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Rounded:
    """An amount after rounding and what the rounding moved: exact = amount + remainder."""

    amount: Decimal
    remainder: Decimal
    rounding: str

    @property
    def exact(self) -> Decimal:
        """Return the amount before rounding."""
        return self.amount + self.remainder


def parse(value: str | int | Decimal) -> Decimal:
    """Return an amount in CNY, unrounded, from text, a whole number or a Decimal.

    Raises DataError for anything else, also for floats, infinities and thousands separators.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise _not_money(value)
    try:
        amount = Decimal(value)
    except ArithmeticError:
        raise _not_money(value) from None
    if not amount.is_finite():
        raise _not_money(value)
    return amount


def round_half_up(amount: Decimal) -> Rounded:
    """Return the amount in fen, halves away from zero (四舍五入), as bills are written.

    >>> round_half_up(Decimal("1.005")).amount
    Decimal('1.01')
    >>> round_half_up(Decimal("1.005")).remainder
    Decimal('-0.005')
    """
    return _quantize(amount, ROUND_HALF_UP, "half_up")


def round_half_even(amount: Decimal) -> Rounded:
    """Return the amount in fen, halves to the even fen (GB/T 8170)."""
    return _quantize(amount, ROUND_HALF_EVEN, "half_even")


def round_down(amount: Decimal) -> Rounded:
    """Return the amount in fen, cut towards zero."""
    return _quantize(amount, ROUND_DOWN, "down")


def round_up(amount: Decimal) -> Rounded:
    """Return the amount in fen, raised towards plus infinity."""
    return _quantize(amount, ROUND_CEILING, "ceiling")


def _quantize(amount: Decimal, mode: str, name: str) -> Rounded:
    if not isinstance(amount, Decimal) or not amount.is_finite():
        raise _not_money(amount)
    rounded = amount.quantize(FEN, rounding=mode)
    return Rounded(amount=rounded, remainder=amount - rounded, rounding=name)


def _not_money(value: object) -> errors.DataError:
    return errors.DataError(
        f"{value!r} is not an amount of money",
        why="amounts are exact decimals; a float or an unreadable text would change them unseen",
        mend='give the amount as text or Decimal, for example "12.30"',
    )
