"""Energy from meter registers: differences with roll-over, multiplied by the combined CT × PT ratio."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from mingcha.kernel import errors

# A register that wraps was near its top before and is near its bottom after: the shares of the
# register's span inside which a smaller end index is read as a wrap and not as an error
# (rule catalogue, MET-017 and REA-007).
WRAP_FROM = Decimal("0.9")
WRAP_TO = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class RegisterStep:
    """What a register moved between two indexes, in index units, and whether it rolled over."""

    units: Decimal
    rolled_over: bool

    def energy(self, *, multiplier: Decimal) -> Decimal:
        """Return the energy in kWh (kvarh on reactive registers): units × multiplier."""
        return self.units * multiplier


def register_step(*, start: Decimal, end: Decimal, digits: int) -> RegisterStep:
    """Return the step from `start` to `end` on a register of `digits` whole digits.

    A fall from the top tenth to the bottom tenth is a roll-over and adds 10^digits. Any other fall
    gives negative units: it is for a rule to say what it means. Raises DataError for digits outside
    1–12 and for indexes the register cannot show.

    >>> register_step(start=Decimal("99990"), end=Decimal("12"), digits=5)
    RegisterStep(units=Decimal('22'), rolled_over=True)
    >>> register_step(start=Decimal("500"), end=Decimal("400"), digits=5)
    RegisterStep(units=Decimal('-100'), rolled_over=False)
    """
    span = _span(digits)
    for value in (start, end):
        if not 0 <= value < span:
            raise errors.DataError(
                f"a register of {digits} digits cannot show {value}",
                why="the number of digits decides what a roll-over adds",
                mend="correct the index, or the digits of the meter",
            )
    rolled = end < start and start > WRAP_FROM * span and end < WRAP_TO * span
    return RegisterStep(units=end - start + (span if rolled else Decimal(0)), rolled_over=rolled)


def combined_multiplier(
    *, ct_primary: Decimal, ct_secondary: Decimal, pt_primary: Decimal, pt_secondary: Decimal
) -> Decimal:
    """Return the combined ratio CT × PT (综合倍率), a plain factor.

    >>> one = Decimal(1)
    >>> combined_multiplier(
    ...     ct_primary=Decimal(200), ct_secondary=Decimal(5), pt_primary=one, pt_secondary=one
    ... )
    Decimal('40')
    """
    if ct_secondary <= 0 or pt_secondary <= 0 or ct_primary <= 0 or pt_primary <= 0:
        raise errors.DataError(
            "an instrument transformer has a rating of zero or less",
            why="the multiplier is the product of the ratios primary ÷ secondary",
            mend="correct the ratings on the transformer's plate in the archive",
        )
    return (ct_primary / ct_secondary) * (pt_primary / pt_secondary)


def _span(digits: int) -> Decimal:
    if not 1 <= digits <= 12:
        raise errors.DataError(
            f"{digits} is not a number of register digits",
            why="the number of digits decides what a roll-over adds",
            mend="give the whole digits of the register, 1 to 12",
        )
    return Decimal(10) ** digits
