"""Periods hold their first day and not their last; months know their neighbours and their length."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mingcha.kernel import errors, periods

days = st.dates(min_value=date(1990, 1, 1), max_value=date(2060, 1, 1))
months = st.builds(periods.BillingMonth, st.integers(1990, 2060), st.integers(1, 12))


class TestPeriod:
    def test_does_not_hold_its_end(self) -> None:
        march = periods.Period(date(2026, 3, 1), date(2026, 4, 1))
        assert march.holds(date(2026, 3, 31))
        assert not march.holds(date(2026, 4, 1))
        assert march.days == 31

    def test_without_end_is_still_running(self) -> None:
        running = periods.Period(date(2026, 3, 1))
        assert running.holds(date(2100, 1, 1))
        with pytest.raises(errors.Refusal, match="no end yet"):
            _ = running.days

    def test_cannot_end_before_it_starts(self) -> None:
        with pytest.raises(errors.DataError, match="cannot end on"):
            periods.Period(date(2026, 3, 2), date(2026, 3, 1))

    @given(days, st.integers(0, 400), days, st.integers(0, 400))
    def test_clip_holds_exactly_the_common_days(self, a: date, m: int, b: date, n: int) -> None:
        first = periods.Period(a, a + timedelta(days=m))
        second = periods.Period(b, b + timedelta(days=n))
        common = first.clip(second)
        expected = {a + timedelta(days=i) for i in range(m)} & {b + timedelta(days=i) for i in range(n)}
        held = set() if common is None else {common.start + timedelta(days=i) for i in range(common.days)}
        assert held == expected


class TestBillingMonth:
    def test_knows_leap_years(self) -> None:
        assert periods.BillingMonth.parse("2024-02").days == 29
        assert periods.BillingMonth.parse("2100-02").days == 28

    @pytest.mark.parametrize("text", ["2026-13", "2026-0", "202603", "2026-3", "0000-01", "2026-03-01"])
    def test_refuses_other_texts(self, text: str) -> None:
        with pytest.raises(errors.DataError, match="not a billing month"):
            periods.BillingMonth.parse(text)

    @given(months, st.integers(-600, 600))
    def test_add_comes_back(self, month: periods.BillingMonth, n: int) -> None:
        assert month.add(n).add(-n) == month
        assert periods.BillingMonth.parse(str(month)) == month
        assert month.end == month.add(1).start

    def test_through_holds_both_ends(self) -> None:
        first = periods.BillingMonth(2025, 11)
        assert [str(m) for m in first.through(first.add(2))] == ["2025-11", "2025-12", "2026-01"]
        assert list(first.through(first.add(-1))) == []
