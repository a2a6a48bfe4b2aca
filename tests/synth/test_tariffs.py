"""The utility's prices are the tariff book's, in dated versions, and there is no second copy of them."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

from mingcha import synth
from mingcha.synth import tariffs
from mingcha.tariffbook import load

from .conftest import Books

DAYS = (date(2025, 3, 1), date(2025, 8, 1), date(2025, 11, 15), date(2025, 11, 16), date(2026, 3, 31))


def held(clean: Books, day: date) -> dict[tuple[str, str, str, int], Decimal]:
    rows = clean.rows(
        "SELECT tariff_id, component, period, tier, price FROM tariff_price WHERE "
        f"effective_from <= DATE '{day}' AND (effective_to IS NULL OR effective_to > DATE '{day}')"
    )
    assert len(rows) == len({row[:4] for row in rows})
    return {(row[0], row[1], row[2], row[3]): row[4] for row in rows}


def test_prices_held_are_those_of_the_book_on_every_day(clean: Books) -> None:
    books = load.shipped()
    for day in DAYS:
        asked: dict[tuple[str, str, str, int], Decimal] = {}
        for known, tariff in tariffs.tariffs().items():
            if known == tariffs.FEED_IN:
                continue
            for price in books.prices_on(tariff.code, day):
                key = (known, price.component, price.period, price.tier)
                asked[key] = asked.get(key, Decimal(0)) + price.price
        assert held(clean, day) == asked


def test_a_tariff_names_the_document_of_its_version(clean: Books) -> None:
    rows = clean.rows(
        "SELECT effective_from, effective_to, document FROM tariff WHERE tariff_id = 'GEN-1' ORDER BY 1"
    )
    assert rows == [
        (date(2023, 6, 1), date(2025, 8, 1), "云岭发改价格〔2023〕12号"),
        (date(2025, 8, 1), date(2025, 11, 16), "云岭发改价格〔2025〕28号"),
        (date(2025, 11, 16), None, "云岭发改价格〔2025〕41号"),
    ]


def test_every_tariff_in_use_is_in_the_book(clean: Books) -> None:
    used = {row[0] for row in clean.rows("SELECT DISTINCT tariff_id FROM contract")}
    used |= {row[0] for row in clean.rows("SELECT DISTINCT tariff_id FROM usage_point WHERE tariff_id <> ''")}
    assert used <= set(tariffs.tariffs())


def test_fund_items_are_one_price_in_the_utilitys_table() -> None:
    (fund,) = [price for price in tariffs.prices("GEN-1") if price.component == "fund"]
    assert fund.price == Decimal("0.045200")


def test_parameters_are_read_by_day() -> None:
    assert tariffs.parameter("basic.day_base", on=date(2024, 5, 31)) == "30"
    assert tariffs.parameter("basic.day_base", on=date(2024, 6, 1)) == "calendar"
    assert tariffs.parameter("suspension.min_days") == "15"


def test_no_price_of_the_book_is_written_down_in_the_calculator() -> None:
    folder = Path(synth.__file__).parent
    figures = {
        f"{price.price.normalize():f}"
        for tariff_id in tariffs.tariffs()
        for price in tariffs.prices(tariff_id)
        if len(f"{price.price.normalize():f}") >= 6
    }
    assert "0.39120" not in figures
    assert "0.3912" in figures
    texts = [*folder.glob("*.py"), *folder.glob("sql/*.sql")]
    found = {
        (path.name, figure)
        for path in texts
        for figure in re.findall(r"\d+\.\d{4,}", path.read_text(encoding="utf-8"))
        if f"{Decimal(figure).normalize():f}" in figures
    }
    assert found == set()
