"""Whatever days an author writes: a book without a mistake has exactly one price on every day in force."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mingcha.kernel import errors
from mingcha.tariffbook import checks, load, model

BEGIN = date(2026, 1, 1)
WORDS = {"zh": "某", "en": "Some"}


def day(number: int | None) -> date | None:
    return None if number is None else BEGIN + timedelta(days=number)


def book(entries: list[tuple[int, int | None]], tariff: tuple[int, int | None]) -> model.Book:
    """Return a book with one tariff and one price table, days counted from BEGIN."""
    return model.Book.model_validate(
        {
            "book": "my.city",
            "title": WORDS,
            "country": "CN",
            "currency": "CNY",
            "documents": [{"id": "d", "number": "1", "title": WORDS, "known_on": BEGIN, "evidence": "[O]"}],
            "prices": [
                {
                    "id": "energy",
                    "component": "energy",
                    "unit": "CNY/kWh",
                    "entries": [
                        {
                            "in_force_from": day(start),
                            "in_force_to": day(end),
                            "document": "d",
                            "values": {"home": f"0.{place + 1}"},
                        }
                        for place, (start, end) in enumerate(entries)
                    ],
                }
            ],
            "tariffs": [
                {
                    "code": "my.city.home",
                    "title": WORDS,
                    "usage_categories": ["residential"],
                    "voltage_kv": ["0", None],
                    "parts": "single",
                    "in_force_from": day(tariff[0]),
                    "in_force_to": day(tariff[1]),
                    "price_basis": "regulated",
                    "components": [{"price": "energy", "key": "home"}],
                }
            ],
        }
    )


def mistakes(made: model.Book) -> list[Any]:
    inside = checks.book_mistakes(made, file="f")
    return inside or checks.fitting_mistakes(made, file="f", shelf={made.book: made})


@st.composite
def _runs(draw: st.DrawFn) -> list[tuple[int, int | None]]:
    """Draw entries in a row, with a day of overlap or gap here and there, in any order."""
    cuts = sorted(draw(st.sets(st.integers(0, 30), min_size=2, max_size=5)))
    jitter = st.sampled_from((0, 0, 0, 0, 1, -1))
    runs: list[tuple[int, int | None]] = [
        (start, end + draw(jitter)) for start, end in itertools.pairwise(cuts)
    ]
    if draw(st.booleans()):
        runs[-1] = (runs[-1][0], None)
    return draw(st.permutations(runs))


@settings(max_examples=300, deadline=None)
@given(entries=_runs(), start=st.integers(0, 30), length=st.one_of(st.none(), st.integers(1, 12)))
def test_no_mistake_means_exactly_one_price_on_every_day_in_force(
    entries: list[tuple[int, int | None]], start: int, length: int | None
) -> None:
    tariff = (start, None if length is None else start + length)
    made = book(entries, tariff)
    in_force = [number for number in range(60) if number >= start and (length is None or number < tariff[1])]  # type: ignore[operator]
    counts = [sum(a <= n and (b is None or n < b) for a, b in entries) for n in range(60)]
    written_well = all(b is None or a < b for a, b in entries)
    first, last = min(a for a, _ in entries), max(60 if b is None else b for _, b in entries)
    sound = (
        written_well
        and all(count == 1 for count in counts[first:last])
        and all(counts[n] == 1 for n in in_force)
    )

    assert (mistakes(made) == []) == sound

    if sound:
        read = load.Books(books={made.book: made})
        for number in range(60):
            prices = read.prices_on("my.city.home", day(number) or BEGIN)
            assert len(prices) == (1 if number in in_force else 0)


@settings(max_examples=300, deadline=None)
@given(
    spans=st.lists(
        st.tuples(st.sampled_from(("peak", "flat", "valley")), st.integers(0, 23), st.integers(1, 24)).filter(
            lambda one: one[1] < one[2]
        ),
        min_size=1,
        max_size=4,
    ),
    rest=st.sampled_from((None, "flat")),
)
def test_a_programme_without_mistake_has_every_minute_in_one_period(
    spans: list[tuple[str, int, int]], rest: str | None
) -> None:
    hours: dict[str, list[list[int]]] = {}
    for period, start, end in spans:
        hours.setdefault(period, []).append([start, end])
    made = book([(0, None)], (0, None))
    programme = model.Programme.model_validate(
        {
            "id": "tou",
            "entries": [
                {
                    "in_force_from": BEGIN,
                    "document": "d",
                    "rest": rest,
                    "seasons": [{"months": list(range(1, 13)), "hours": hours}],
                }
            ],
        }
    )
    made = made.model_copy(update={"programmes": (programme,)})
    counts = [sum(start <= hour < end for _, start, end in spans) for hour in range(24)]
    sound = all(count == 1 or (count == 0 and rest is not None) for count in counts)

    assert (mistakes(made) == []) == sound

    if sound:
        entry = programme.entries[0]
        told = entry.spans(entry.seasons[0])
        assert sum(end - start for _, start, end in told) == 24 * 60
        assert [start for _, start, _ in told] == sorted({start for _, start, _ in told})


def test_every_shipped_tariff_has_one_price_of_each_kind_on_every_day_a_price_begins() -> None:
    books = load.shipped()
    for code in books.codes:
        prices = books.prices(code)
        for on in {price.in_force_from for price in prices}:
            kinds = [(one.component, one.item, one.period, one.tier) for one in books.prices_on(code, on)]
            assert len(kinds) == len(set(kinds)), (code, on)
            assert kinds, (code, on)


def test_a_day_before_the_tariff_has_no_price_and_an_unknown_code_is_told() -> None:
    books = load.shipped()
    assert books.prices_on("cn.hubei.agent.single.lt1.tou", date(2025, 12, 31)) == []
    with pytest.raises(errors.BookError, match=r"there is no tariff cn\.hubei\.agent\.single"):
        books.prices_on("cn.hubei.agent.single", date(2026, 1, 1))
