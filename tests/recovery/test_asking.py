"""Inputs: read as they are meant or refused with the way to put them right."""

from datetime import date
from decimal import Decimal

import pytest

from mingcha.kernel import errors
from mingcha.recovery import asking, catalogue
from mingcha.recovery.asking import Dated
from mingcha.recovery.kinds import theft, wiring

from .conftest import Work


def read(**values: object) -> wiring.Given:
    return asking.read(wiring.Given, {"from": "2025-01-01", "to": "2025-02-01", **values}, where="here")


def test_texts_numbers_and_days_are_read_alike() -> None:
    given = read(
        recorded_kwh=Decimal("1.5"), k=2, found_on=date(2025, 3, 1), market=True, price=["1", "2025-01-05=2"]
    )
    assert (given.recorded_kwh, given.k, given.found_on) == (Decimal("1.5"), Decimal(2), date(2025, 3, 1))
    assert given.price == (Dated(Decimal(1)), Dated(Decimal(2), date(2025, 1, 5)))
    assert read(price={"since": date(2025, 1, 1), "value": "1"}).price == (
        Dated(Decimal(1), date(2025, 1, 1)),
    )


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"recorded_kwh": "1,000"}, "here: --recorded-kwh '1,000' is not a number"),
        ({"recorded_kwh": 1.5}, "--recorded-kwh 1.5 is not a number"),
        ({"recorded_kwh": True}, "--recorded-kwh True is not a number"),
        ({"recorded_kwh": "NaN"}, "is not a number"),
        ({"recorded_kwh": "1e9"}, "is not a number"),
        ({"recorded_kwh": "12345678901234567"}, "is not a number"),
        ({"power_factor": "1.2"}, "out of bounds"),
        ({"power_factor": "0"}, "out of bounds"),
        ({"found_on": "20250301"}, "'20250301' is not a day"),
        ({"found_on": "2025-02-30"}, "is not a day"),
        ({"found_on": "9999-12-31"}, "not a day of our time"),
        ({"market": "yes"}, "neither true nor false"),
        ({"fault": "3p4w"}, "is not a choice"),
        ({"customer": "a\x00b"}, "cannot be printed"),
        ({"customer": "  "}, "is not a text"),
        ({"lookback_months": "1.5"}, "not a whole number"),
        ({"price": "soon=1"}, "'soon' is not a day"),
        ({"price": {"from": "2025-01-01"}}, "is not a dated value"),
        ({"energy": 3}, "is not a file"),
        ({"colour": "red"}, "unknown input colour"),
        ({"to": "2024-01-01"}, "holds no day"),
        ({"found_on": "2024-12-31"}, "before the act began"),
    ],
)
def test_what_is_not_understood_is_not_guessed(values: dict[str, object], said: str) -> None:
    with pytest.raises(errors.DataError) as told:
        read(**values)
    assert said in told.value.what
    assert told.value.mend


def test_what_is_missing_is_named_with_its_option() -> None:
    with pytest.raises(errors.DataError, match=r"--to .*更正日"):
        asking.read(theft.Given, {"load_kw": "5"}, where="here")


def test_a_first_day_is_needed_where_the_time_is_known(work: Work) -> None:
    with pytest.raises(errors.DataError, match="--from is not given"):
        work("wiring", end="2025-02-01", recorded_kwh="1", k="2")


def test_an_unknown_kind_names_the_known(work: Work) -> None:
    with pytest.raises(errors.Refusal) as told:
        work("magic")
    assert "meter-error" in told.value.mend


@pytest.mark.parametrize("kind", list(catalogue.CALCULATORS))
def test_every_field_has_words_in_both_languages_and_a_unit_where_it_is_a_quantity(kind: str) -> None:
    for name, about in asking.fields(catalogue.CALCULATORS[kind].given):
        assert about.name.zh, name
        assert about.name.en, name
        assert about.option == about.option.lower()
    titles = [one.title.zh for one in catalogue.CALCULATORS.values()]
    assert len(set(titles)) == len(titles)
