"""Half-open periods of days and billing months; no other way to write a period exists here.

A period holds its first day and not its last: `[start, end)`. An empty end means still running.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from mingcha.kernel import errors

_MONTH = re.compile(r"^(\d{4})-(\d{2})$")


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Days from `start` (in) to `end` (out); `end` None means still running."""

    start: date
    end: date | None = None

    def __post_init__(self) -> None:
        if self.end is not None and self.end < self.start:
            raise errors.DataError(
                f"a period cannot end on {self.end} when it starts on {self.start}",
                why="energy and money are spread over the days of a period",
                mend="give the first day, and the day after the last one",
            )

    @property
    def days(self) -> int:
        """Return the number of days; raises Refusal for a period that is still running.

        >>> Period(date(2024, 2, 1), date(2024, 3, 1)).days
        29
        """
        if self.end is None:
            raise errors.Refusal(
                f"the period from {self.start} has no end yet",
                why="a running period has no number of days",
                mend="cut it with `clip` first",
            )
        return (self.end - self.start).days

    def holds(self, day: date) -> bool:
        """Return whether `day` lies in the period; the end day does not."""
        return self.start <= day and (self.end is None or day < self.end)

    def clip(self, other: Period) -> Period | None:
        """Return the days both periods share, or None when they share none.

        >>> Period(date(2026, 1, 1)).clip(Period(date(2026, 3, 1), date(2026, 4, 1)))
        Period(start=datetime.date(2026, 3, 1), end=datetime.date(2026, 4, 1))
        """
        start = max(self.start, other.start)
        ends = [end for end in (self.end, other.end) if end is not None]
        end = min(ends) if ends else None
        return None if end is not None and end <= start else Period(start, end)


@dataclass(frozen=True, slots=True, order=True)
class BillingMonth:
    """A billing month, written YYYY-MM.

    >>> BillingMonth.parse("2026-01").add(-1)
    BillingMonth(year=2025, month=12)
    """

    year: int
    month: int

    @staticmethod
    def parse(text: str) -> BillingMonth:
        """Return the month written as YYYY-MM; raises DataError for any other text."""
        match = _MONTH.match(text)
        if match is None or not 1 <= int(match.group(2)) <= 12 or int(match.group(1)) < 1:
            raise errors.DataError(
                f"{text!r} is not a billing month",
                why="bills, readings and rules are grouped by billing month",
                mend="write year and month as YYYY-MM, for example 2026-03",
            )
        return BillingMonth(int(match.group(1)), int(match.group(2)))

    @staticmethod
    def of(day: date) -> BillingMonth:
        """Return the month in which `day` lies."""
        return BillingMonth(day.year, day.month)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    @property
    def start(self) -> date:
        """Return the first day of the month."""
        return date(self.year, self.month, 1)

    @property
    def end(self) -> date:
        """Return the first day of the next month (exclusive end)."""
        return self.add(1).start

    @property
    def days(self) -> int:
        """Return the number of calendar days.

        >>> BillingMonth(2024, 2).days
        29
        """
        return (self.end - self.start).days

    @property
    def period(self) -> Period:
        """Return the month as a period of days."""
        return Period(self.start, self.end)

    def add(self, months: int) -> BillingMonth:
        """Return the month `months` later (earlier when negative)."""
        index = self.year * 12 + (self.month - 1) + months
        return BillingMonth(index // 12, index % 12 + 1)

    def through(self, last: BillingMonth) -> Iterator[BillingMonth]:
        """Yield this month and all that follow up to and with `last`."""
        current = self
        while current <= last:
            yield current
            current = current.add(1)
