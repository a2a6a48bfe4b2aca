"""Spans of tier limits out of counts: the fewest bills missed, a change only where it pays."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from mingcha.audit import tierlimits

NONE: tierlimits.Ladder = ()
OLD: tierlimits.Ladder = (Decimal(100),)
NEW: tierlimits.Ladder = (Decimal(80), Decimal(150))


def spans(*missed: tuple[date, int, int, int], bills: int = 50) -> list[tierlimits.Span]:
    """Spans of days with so many bills each, missed by no limits, by the old and by the new ladder."""
    return tierlimits.spans(
        ladders=[NONE, OLD, NEW],
        missed={day: counts for day, *counts in missed},
        bills={day: bills for day, *_ in missed},
    )


def test_a_change_on_the_first_of_the_month_between_two_days_of_bills() -> None:
    found = spans(
        (date(2013, 12, 27), 40, 0, 40), (date(2013, 12, 30), 40, 0, 40),
        (date(2014, 1, 3), 40, 40, 0), (date(2014, 1, 6), 40, 40, 0),
    )  # fmt: skip
    assert [(span.ladder, span.since, span.until) for span in found] == [
        (OLD, None, date(2014, 1, 1)),
        (NEW, date(2014, 1, 1), None),
    ]
    assert found[1].between == (date(2013, 12, 30), date(2014, 1, 3))
    assert [(span.bills, span.missed) for span in found] == [(100, 0), (100, 0)]


def test_a_change_in_the_middle_of_a_month_is_the_first_day_that_shows_it() -> None:
    found = spans((date(2014, 1, 9), 40, 0, 40), (date(2014, 1, 13), 40, 40, 0))
    assert found[1].since == date(2014, 1, 13)


def test_days_that_fit_both_leave_the_change_open_between_them() -> None:
    found = spans(
        (date(2014, 1, 9), 40, 0, 40), (date(2014, 1, 10), 40, 0, 0), (date(2014, 1, 13), 40, 0, 0),
        (date(2014, 1, 14), 40, 40, 0),
    )  # fmt: skip
    assert found[1].between == (date(2014, 1, 9), date(2014, 1, 14))


def test_a_few_odd_bills_are_exceptions_and_no_change() -> None:
    odd = (date(2014, 1, 10), 40, tierlimits.CHANGE - 1, 0)
    found = spans((date(2014, 1, 9), 40, 0, 40), odd, (date(2014, 1, 13), 40, 0, 40))
    assert [(span.ladder, span.missed) for span in found] == [(OLD, tierlimits.CHANGE - 1)]


def test_the_shorter_ladder_where_nothing_tells_them_apart() -> None:
    assert [span.ladder for span in spans((date(2014, 1, 9), 0, 0, 0))] == [NONE]


def test_nothing_in_nothing_out() -> None:
    assert tierlimits.spans(ladders=[], missed={}, bills={}) == []
    assert tierlimits.spans(ladders=[OLD], missed={}, bills={}) == []


COUNTS = st.lists(st.tuples(*[st.integers(0, 25)] * 3), min_size=1, max_size=6)


@given(COUNTS)
def test_no_other_division_of_the_days_is_cheaper(counts: list[tuple[int, int, int]]) -> None:
    days = [date(2014, 1, 5) + timedelta(days=number) for number in range(len(counts))]
    found = spans(*((day, *row) for day, row in zip(days, counts, strict=True)), bills=25)
    cost = sum(span.missed for span in found) + tierlimits.CHANGE * (len(found) - 1)
    every = (
        sum(row[path[place]] for place, row in enumerate(counts))
        + tierlimits.CHANGE * sum(1 for a, b in itertools.pairwise(path) if a != b)
        for path in itertools.product(range(3), repeat=len(counts))
    )
    assert cost == min(every)
