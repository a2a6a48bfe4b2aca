"""Prices taken from the tariff book: components added, dated, with their documents; no price is guessed."""

from decimal import Decimal

import pytest

from mingcha.kernel import errors
from mingcha.tariffbook import load

from .conftest import Work, results

D = Decimal
DAYS = {"start": "2025-07-01", "end": "2025-09-01", "recorded_kwh": "6200", "k": "2"}
TARIFF = "demo.yunling.single.10.tou"
KWH = {"energy", "transmission", "grid_loss", "system", "fund", "surcharge"}


def added(code: str, on: str, period: str) -> Decimal:
    from datetime import date

    prices = load.shipped().prices_on(code, date.fromisoformat(on))
    return sum(
        (p.price for p in prices if p.component in KWH and p.period in ("all", period) and p.tier <= 1), D(0)
    )


def test_all_that_a_kwh_costs_is_added_for_each_version(work: Work) -> None:
    sheet = work("wiring", **DAYS, tariff=TARIFF)
    old, new = added(TARIFF, "2025-07-31", "flat"), added(TARIFF, "2025-08-01", "flat")
    assert old != new
    assert results(sheet, "Price of") == [old, new]
    assert results(sheet, "Money") == [round(3100 * old, 2), round(3100 * new, 2)]


def test_another_period_is_named(work: Work) -> None:
    sheet = work("wiring", **DAYS, tariff=TARIFF, tariff_period="peak")
    assert results(sheet, "Price of")[0] == added(TARIFF, "2025-07-31", "peak")
    assert any("that of peak is taken" in one.en for one in sheet.warnings)
    with pytest.raises(errors.DataError, match="has no noon price of energy"):
        work("wiring", **DAYS, tariff=TARIFF, tariff_period="noon")


def test_a_fictional_book_and_a_ladder_are_told(work: Work) -> None:
    said = {one.en for one in work("wiring", **DAYS, tariff="demo.yunling.res").warnings}
    assert any("fictional" in one for one in said)
    assert any("first tier" in one for one in said)
    sure = {one.en for one in work("wiring", **DAYS, price="1").warnings}
    assert not any("fictional" in one for one in sure)


def test_documents_of_the_price_stand_on_the_sheet(work: Work) -> None:
    sheet = work("wiring", **DAYS, tariff=TARIFF)
    step = next(step for step in sheet.steps if step.name.en.startswith("Price of"))
    assert {one.number for one in step.law} == {"云岭发改价格〔2023〕12号"}


def test_both_prices_of_a_category_come_from_tariffs(work: Work) -> None:
    sheet = work(
        "category", start="2025-08-01", end="2025-09-01", recorded_kwh="1000",
        right_tariff="demo.yunling.single.lt1", paid_tariff="demo.yunling.agriculture",
    )  # fmt: skip
    right, paid = (
        added(code, "2025-08-01", "flat") for code in ("demo.yunling.single.lt1", "demo.yunling.agriculture")
    )
    assert sheet.cny == round(1000 * (right - paid), 2)


def test_theft_at_unknown_time_takes_the_prices_of_its_days(work: Work) -> None:
    sheet = work("theft", end="2025-09-01", load_kw="1", tariff="demo.yunling.single.lt1")
    assert len(results(sheet, "Money")) == 2


@pytest.mark.parametrize(
    ("values", "error", "said"),
    [
        ({"tariff": TARIFF, "price": "1"}, errors.DataError, "a price stands beside the tariff"),
        ({"tariff": "demo.yunling.nothing"}, errors.BookError, "no tariff demo.yunling.nothing"),
        ({"tariff": "cn.hubei.market.single.lt1"}, errors.DataError, "holds no energy price"),
    ],
)
def test_no_price_is_guessed(
    work: Work, values: dict[str, str], error: type[errors.MingchaError], said: str
) -> None:
    with pytest.raises(error) as told:
        work("wiring", **DAYS, **values)
    assert said in told.value.what


def test_days_before_the_tariff_have_no_price(work: Work) -> None:
    with pytest.raises(errors.DataError, match="no price for 2023-01-01"):
        work("wiring", start="2023-01-01", end="2023-09-01", recorded_kwh="1", k="2", tariff=TARIFF)
