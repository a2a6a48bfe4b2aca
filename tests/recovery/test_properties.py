"""What holds whatever the numbers: parts sum to the whole, charge mirrors refund, ranges are ranges."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mingcha.kernel.periods import Period
from mingcha.recovery import catalogue, figures
from mingcha.recovery.asking import Spell
from mingcha.recovery.model import Worksheet
from mingcha.recovery.settle import within
from mingcha.tariffbook import load

D = Decimal
CENT = D("0.01")
energies = st.decimals(min_value=0, max_value=9_999_999, places=2)
prices = st.decimals(min_value="0.01", max_value="2", places=4)
starts = st.dates(min_value=date(2023, 1, 1), max_value=date(2025, 6, 1))
lengths = st.integers(min_value=2, max_value=700)


def sheet(kind: str, start: date, end: date, **values: Any) -> Worksheet:
    texts = {key: value if isinstance(value, bool) else str(value) for key, value in values.items()}
    return catalogue.work(kind, {"from": start, "to": end, **texts}, books=load.shipped())


@settings(max_examples=60, deadline=None)
@given(start=starts, days=lengths, kwh=energies, price=prices)
def test_parts_sum_to_the_whole(start: date, days: int, kwh: Decimal, price: Decimal) -> None:
    made = sheet("wiring", start, start + timedelta(days=days), recorded_kwh=kwh, k="1.5", price=price)
    whole = figures.cents(kwh / 2)
    assert made.kwh == whole
    assert made.cny is not None
    # One rounding of money for each part and no more.
    assert abs(made.cny - whole * price) <= CENT * len(made.parts) / 2
    ends = [part.period.end for part in made.parts]
    assert [part.period.start for part in made.parts] == [start, *ends[:-1]]
    assert ends[-1] == start + timedelta(days=days)


@settings(max_examples=60, deadline=None)
@given(start=starts, days=lengths, at=st.integers(min_value=1, max_value=699), per_day=st.integers(0, 5000))
def test_two_sheets_split_at_any_day_give_the_one(start: date, days: int, at: int, per_day: int) -> None:
    end, middle = start + timedelta(days=days), start + timedelta(days=1 + at % (days - 1))

    def owed(one: date, other: date) -> Worksheet:
        return sheet(
            "wiring",
            one,
            other,
            recorded_kwh=per_day * (other - one).days,
            k="1.25",
            price="0.6",
            found_on=end,
        )

    whole, first, last = owed(start, end), owed(start, middle), owed(middle, end)
    assert None not in (whole.kwh, first.kwh, last.kwh, whole.cny, first.cny, last.cny)
    assert abs(whole.kwh - first.kwh - last.kwh) <= CENT  # type: ignore[operator]
    assert abs(whole.cny - first.cny - last.cny) <= CENT * 3  # type: ignore[operator]


@settings(max_examples=60, deadline=None)
@given(start=starts, days=lengths, units=energies, used=st.integers(1, 300), true=st.integers(1, 300))
def test_a_multiplier_too_small_and_too_large_mirror_each_other(
    start: date, days: int, units: Decimal, used: int, true: int
) -> None:
    end = start + timedelta(days=days)
    one = sheet("multiplier", start, end, units=units, used=used, true=true, price="0.55")
    other = sheet("multiplier", start, end, units=units, used=true, true=used, price="0.55")
    assert (one.back_kwh, one.refund_kwh) == (other.refund_kwh, other.back_kwh)
    assert (one.back_cny, one.refund_cny) == (other.refund_cny, other.back_cny)
    assert 0 in (one.back_cny, one.refund_cny)


@settings(max_examples=60, deadline=None)
@given(
    start=starts,
    days=lengths,
    kwh=energies,
    more=st.decimals("-0.9", "0.9", places=4),
    own=st.integers(0, 20),
)
def test_penalties_are_ordered_and_never_on_a_refund(
    start: date, days: int, kwh: Decimal, more: Decimal, own: int
) -> None:
    right, paid = (D(1) + more, D(1))
    made = sheet(
        "category", start, start + timedelta(days=days), recorded_kwh=kwh, right_price=right, paid_price=paid,
        multiple=D(own) / 10,
    )  # fmt: skip
    if made.penalty_max_cny is None:
        assert made.cny is not None
        assert made.cny <= 0
        return
    assert made.back_cny is not None
    assert made.penalty_min_cny is not None
    assert made.penalty_own_cny is not None
    assert 0 <= made.penalty_min_cny <= made.penalty_own_cny <= made.penalty_max_cny
    assert made.penalty_max_cny <= 2 * made.back_cny
    for part in made.parts:
        exact = part.period.start < date(2024, 6, 1)
        assert (part.penalty_min_cny == part.penalty_max_cny) == (exact or not part.penalty_max_cny)


@settings(max_examples=60, deadline=None)
@given(error=st.decimals("-20", "20", places=2), kwh=energies)
def test_a_slow_meter_owes_and_a_fast_one_is_refunded(error: Decimal, kwh: Decimal) -> None:
    made = sheet(
        "meter-error", date(2025, 1, 1), date(2026, 1, 1), recorded_kwh=kwh, error_pct=error, meter_class="2"
    )
    assert made.kwh is not None
    assert made.kwh * error <= 0
    if abs(error) <= 2:
        assert made.kwh == 0


@given(
    total=st.decimals(-(10**6), 10**6, places=2),
    weights=st.lists(st.integers(0, 1000), min_size=1, max_size=9),
)
def test_spreading_loses_nothing(total: Decimal, weights: list[int]) -> None:
    parts = figures.spread(total, [D(weight) for weight in weights])
    assert sum(parts) == total
    assert len(parts) == len(weights)
    assert all(part == figures.cents(part) for part in parts)


@given(days=st.lists(st.integers(1, 40), min_size=1, max_size=8), at=st.integers(0, 320))
def test_energy_within_two_halves_is_the_whole(days: list[int], at: int) -> None:
    start = date(2025, 1, 1)
    rows, day = [], start
    for place, length in enumerate(days):
        rows.append(Spell(Period(day, day + timedelta(days=length)), D(100 + place)))
        day += timedelta(days=length)
    middle = start + timedelta(days=at % (day - start).days)
    halves = within(rows, Period(start, middle)) + within(rows, Period(middle, day))
    assert abs(halves - within(rows, Period(start, day))) < D("1e-20")
