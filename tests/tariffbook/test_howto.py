"""The book shown in the how-to is a book: it loads, prices a day, and is the same in both languages."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from mingcha.audit import tariffs
from mingcha.tariffbook import load, model

HOWTO = Path(__file__).parents[2] / "docs" / "howto"
PAGES = ("add-a-tariff.md", "add-a-tariff.zh.md")


def block(page: str, kind: str) -> str:
    """Return the longest fenced block of a kind in a page."""
    text = (HOWTO / page).read_text(encoding="utf-8")
    return max(re.findall(rf"```{kind}\n(.*?)```", text, flags=re.DOTALL), key=len)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tariffs").mkdir()
    (tmp_path / "tariffs" / "hubei-2026.yaml").write_text(block(PAGES[0], "yaml"), encoding="utf-8")
    (tmp_path / "tariffs" / "codes.csv").write_text(block(PAGES[0], "csv"), encoding="utf-8")
    return tmp_path


def test_both_languages_show_the_same_files() -> None:
    for kind in ("yaml", "csv", "console"):
        assert block(PAGES[0], kind) == block(PAGES[1], kind)


def test_the_example_and_its_codes_have_no_mistake(folder: Path) -> None:
    looked_at, found = tariffs.mistakes(folder=folder)
    assert found == []
    assert [Path(file).name for file in looked_at[-2:]] == ["hubei-2026.yaml", "codes.csv"]
    books = tariffs.books_of(folder=folder)
    assert len(tariffs.listed_codes(folder=folder, books=books)) == 2


def test_a_kilowatt_hour_of_the_example_costs_the_sum_of_its_parts(folder: Path) -> None:
    books = tariffs.books_of(folder=folder)
    prices = books.prices_on("my.hubei.agent.two.10.tou", date(2026, 9, 15))
    per_kwh = sum(
        (price.price for price in prices if price.period in ("all", "peak") and price.unit == "CNY/kWh"),
        Decimal(0),
    )
    # 0.582888 + 0.013882 + 0.079815 + 0.1263 + 0.0452
    assert per_kwh == Decimal("0.848085")
    assert next(price.price for price in prices if price.component == "basic_capacity") == Decimal("26.3")


def test_the_mistake_shown_is_what_the_check_says(folder: Path) -> None:
    file = folder / "tariffs" / "hubei-2026.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('any: "0.391200"', "any: 0.3912"), encoding="utf-8")
    (mistake,) = load.mistakes([file])
    for page in PAGES:
        assert str(mistake).removeprefix(f"{folder}/tariffs/") in (HOWTO / page).read_text(encoding="utf-8")


def test_every_component_is_in_the_table_of_units() -> None:
    for page in PAGES:
        text = (HOWTO / page).read_text(encoding="utf-8")
        assert [name for name in model.MEASURES if f"`{name}`" not in text] == []
