"""The worked bills of docs/explain/billing.md are what the engine computes, in both languages, exactly."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.rating.bench import Bench
from tests.rating.charges import worked

D = Decimal
NAMES = tuple(worked.GIVEN)
#: Examples of which the page shows some lines only: the components it shows all of.
SOME = {"variant": ("basic_demand", "basic_demand_over")}
PAGES = {language: worked.Page.read(language) for language in ("en", "zh")}


@pytest.fixture(
    scope="module", params=[(language, name) for language in PAGES for name in NAMES], ids="-".join
)
def example(request: pytest.FixtureRequest) -> tuple[worked.Page, str, Bench]:
    """The page, the name of the example, and the bench that rated it."""
    language, name = request.param
    return PAGES[language], name, worked.rated(PAGES[language], name)


def test_lines(example: tuple[worked.Page, str, Bench]) -> None:
    page, name, bench = example
    assert bench.gaps() == set()
    assert page.tables[name, "lines"] == _lines(page, name, bench)


def test_bills(example: tuple[worked.Page, str, Bench]) -> None:
    page, name, bench = example
    shown = sum((D(row[-1]) for row in page.tables[name, "lines"]), D(0))
    if name in page.totals:
        billed = bench.con.execute("SELECT sum(amount) FROM rt_line").fetchall()
        assert billed == [(D(page.totals[name]),)] == [(shown,)]
    else:
        assert name in ("variant", "law96", "law24")


def test_readings(example: tuple[worked.Page, str, Bench]) -> None:
    page, name, _ = example
    for *_, start, end, multiplier, kwh in page.tables[name, "read"]:
        assert (D(end) - D(start)) * D(multiplier) == D(kwh)


@pytest.mark.parametrize("language", PAGES)
@pytest.mark.parametrize(
    ("name", "part"), [key for key in PAGES["en"].tables if key[1] not in ("given", "read", "lines")]
)
def test_quantities(language: str, name: str, part: str) -> None:
    page = PAGES[language]
    bench = worked.rated(page, name)
    asked = {
        "energy": "SELECT usage_point_id, seg_from, seg_to, period, kwh FROM rt_energy"
        " ORDER BY usage_point_id, seg, strpos('sharp peak flat valley', period)",
        "loss": "SELECT kind, kwh, kvarh, formula FROM rt_loss",
        "power": "SELECT wp, wq FROM rt_power",
        "feed": "SELECT generator_id, fed_in_kwh, price, amount FROM rt_feed_in",
    }  # fmt: skip
    words = {**page.words("period"), "transformer": page.words("component")["transformer_loss"]}
    found = [
        [words.get(cell, cell) if isinstance(cell, str) else _figure(cell) for cell in row]
        for row in bench.con.execute(asked[part]).fetchall()
    ]
    assert page.tables[name, part] == found


def test_both_languages_show_the_same_examples() -> None:
    assert list(PAGES["en"].tables) == list(PAGES["zh"].tables)
    assert PAGES["en"].totals == PAGES["zh"].totals
    assert {name for name, _ in PAGES["en"].tables} == set(NAMES)
    for key, rows in PAGES["en"].tables.items():
        # the words of a fact stand before its value
        first = 1 if key[1] == "given" else 0
        assert _figures(rows, first) == _figures(PAGES["zh"].tables[key], first)


def test_another_reading_gives_another_bill() -> None:
    page = PAGES["en"]
    rows = [[*row[:5], f"{D(row[5]) + D('0.1')}", *row[6:]] for row in page.tables["roof", "read"]]
    bench = worked.rated(replace(page, tables={**page.tables, ("roof", "read"): rows}), "roof")
    assert _lines(page, "roof", bench) != page.tables["roof", "lines"]


def _lines(page: worked.Page, name: str, bench: Bench) -> worked.Table:
    """Return the lines the engine gave, as the page would show them."""
    words = {column: page.words(column) for column in ("component", "period", "unit")}
    lines = bench.con.execute(
        "SELECT usage_point_id, component, period, tier, quantity, unit, price, days, base_amount, exact,"
        " amount FROM rt_line ORDER BY line_no"
    ).fetchall()
    return [
        [
            point or "", words["component"][component], words["period"].get(period, ""), _figure(tier),
            _figure(quantity), words["unit"][unit], _figure(price), _figure(days),
            "" if base is None else f"{base:.2f}", _figure(exact), f"{amount:.2f}",
        ]
        for point, component, period, tier, quantity, unit, price, days, base, exact, amount in lines
        if name not in SOME or component in SOME[name]
    ]  # fmt: skip


def _figure(value: Any) -> str:
    """Return a number without trailing zeros, anything else as text, nothing for None."""
    if value is None:
        return ""
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _figures(rows: worked.Table, first: int) -> list[list[str]]:
    """Return the cells from `first` on that hold a digit: the same in every language."""
    return [[cell for cell in row[first:] if any(sign.isdigit() for sign in cell)] for row in rows]
