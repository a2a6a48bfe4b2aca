"""Sameness of findings: (rule, subject, episode) decides what is the same fact.

The id itself is made by `kernel.ids.finding_id`; the helpers here say which episode a hit is in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from mingcha.kernel import periods


@dataclass(frozen=True, slots=True)
class Episode:
    """An unbroken stretch of hits: the key that names it, and its days `[start, end)`."""

    key: str
    start: date
    end: date


def month_episodes(*, hit: Iterable[str]) -> dict[str, Episode]:
    """Return the episode of each month that hit; one clean month between two hits parts them.

    Months are written YYYY-MM.

    >>> month_episodes(hit=["2026-01", "2026-02", "2026-04"])["2026-02"].key
    '2026-01'
    """
    months = sorted({periods.BillingMonth.parse(text) for text in hit})
    stretches = _stretches([(month.start, month.end) for month in months], gap=timedelta(0))
    return {
        str(month): Episode(str(periods.BillingMonth.of(start)), start, end)
        for month in months
        for start, end in stretches
        if start <= month.start < end
    }


def day_episodes(*, hit: Iterable[date], gap_days: int) -> dict[date, Episode]:
    """Return the episode of each day that hit; up to `gap_days` clean days do not part two hits.

    >>> days = [date(2026, 3, 1), date(2026, 3, 4), date(2026, 3, 9)]
    >>> [episode.key for episode in day_episodes(hit=days, gap_days=3).values()]
    ['2026-03-01', '2026-03-01', '2026-03-09']
    """
    days = sorted(set(hit))
    one = timedelta(days=1)
    stretches = _stretches([(day, day + one) for day in days], gap=timedelta(days=gap_days))
    return {
        day: Episode(start.isoformat(), start, end)
        for day in days
        for start, end in stretches
        if start <= day < end
    }


def _stretches(spans: list[tuple[date, date]], *, gap: timedelta) -> list[tuple[date, date]]:
    merged: list[tuple[date, date]] = []
    for start, end in spans:
        if merged and start - merged[-1][1] <= gap:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged
