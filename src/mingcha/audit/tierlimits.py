"""Dated tier limits out of counts: which ladder explains most bills of each day, with few changes.

The search is exact: among all ways to divide the days of a tariff into spans with one ladder each, it finds
the one with the fewest bills not reproduced, where every change of ladder costs as much as `CHANGE` bills.
No randomness, no floats; the same counts give the same spans.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

#: How many bills a change of the ladder must explain before it is believed.
CHANGE = 10

Ladder = tuple[Decimal, ...]
"""Cumulative upper ends of the tiers but the last, kWh per month; () is a tariff without tiers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One ladder on the days `[since, until)`; `since` is None for the first span, `until` for the newest."""

    ladder: Ladder
    since: date | None
    until: date | None
    bills: int
    missed: int
    between: tuple[date, date] | None
    """The change lies after the first of these days of bills and not after the second; None for the first."""


def spans(
    *, ladders: Sequence[Ladder], missed: Mapping[date, Sequence[int]], bills: Mapping[date, int]
) -> list[Span]:
    """Return the spans of one tariff in order of time.

    `missed[day][i]` says how many bills of the day ladder i does not reproduce, `bills[day]` how many there
    are. Without a day or a ladder there is no span. Of equally good ladders the shorter list comes first; of
    equally good days of a change the first of a month, else the last.
    """
    days = sorted(missed)
    if not days or not ladders:
        return []
    order = sorted(range(len(ladders)), key=lambda i: (len(ladders[i]), ladders[i]))
    path = _cheapest(order, [missed[day] for day in days])
    starts = [0, *(place for place in range(1, len(days)) if path[place] != path[place - 1])]
    ends = [*starts[1:], len(days)]
    changes = [
        _change(days, [missed[day][path[old]] - missed[day][path[new]] for day in days], (old, new, end))
        for old, new, end in zip(starts, starts[1:], ends[1:], strict=False)
    ]
    since: list[date | None] = [None, *(day for day, _ in changes)]
    found = []
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        inside = days[start:end]
        found.append(
            Span(
                ladder=ladders[path[start]],
                since=since[number],
                until=since[number + 1] if number + 1 < len(since) else None,
                bills=sum(bills[day] for day in inside),
                missed=sum(missed[day][path[start]] for day in inside),
                between=changes[number - 1][1] if number else None,
            )
        )
    return found


def _change(
    days: Sequence[date], gain: Sequence[int], places: tuple[int, int, int]
) -> tuple[date, tuple[date, date]]:
    """Return the day of a change, and the two days of bills it lies between.

    `gain` says how many bills of a day the new ladder explains more than the old one; moving the change over
    a day without gain or loss is equally good.
    """
    old, new, end = places
    first = last = new
    while first - 1 > old and gain[first - 1] == 0:
        first -= 1
    while last < end - 1 and gain[last] == 0:
        last += 1
    before, after = days[first - 1], days[last]
    month = after.replace(day=1)
    return (month if month > before else after), (before, after)


def _cheapest(order: Sequence[int], missed: Sequence[Sequence[int]]) -> list[int]:
    """Return, per day, the ladder of the cheapest path (Viterbi)."""
    cost = dict.fromkeys(order, 0)
    came: list[dict[int, int]] = []
    for today in missed:
        best = min(order, key=lambda ladder: cost[ladder])
        source = {
            ladder: ladder if cost[ladder] <= cost[best] + CHANGE or not came else best for ladder in order
        }
        cost = {
            ladder: cost[source[ladder]] + (0 if source[ladder] == ladder else CHANGE) + today[ladder]
            for ladder in order
        }
        came.append(source)
    place = min(order, key=lambda ladder: cost[ladder])
    path = [place]
    for source in reversed(came[1:]):
        place = source[place]
        path.append(place)
    return path[::-1]
