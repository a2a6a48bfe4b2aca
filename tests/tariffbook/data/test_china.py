"""The shipped Chinese tariff data against the figures of its sources, digit by digit."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from mingcha.tariffbook import load

JANUARY = date(2026, 1, 15)
AUGUST = date(2026, 8, 1)

# Hubei, agent purchase, January 2026: published totals flat, sharp, peak, valley; demand and capacity.
HUBEI = {
    "single.lt1": ("0.735686", "1.133999", "0.930961", "0.516924", None, None),
    "single.10": ("0.715686", "1.113999", "0.910961", "0.496924", None, None),
    "single.35": ("0.695686", "1.093999", "0.890961", "0.476924", None, None),
    "two.10": ("0.651886", "1.049999", "0.848961", "0.432924", "42.0", "26.3"),
    "two.35": ("0.632086", "1.030199", "0.827161", "0.413124", "42.0", "26.3"),
    "two.110": ("0.613986", "1.012099", "0.809061", "0.395024", "39.0", "24.4"),
    "two.220": ("0.594986", "0.993099", "0.790061", "0.376024", "39.0", "24.4"),
}
PER_KWH = ("energy", "grid_loss", "transmission", "system", "fund")


@pytest.fixture(scope="module")
def books() -> load.Books:
    return load.shipped()


def _prices(books: load.Books, code: str, on: date) -> dict[tuple[str, str, int], Decimal]:
    found: dict[tuple[str, str, int], Decimal] = {}
    for price in books.prices_on(code, on=on):
        key = (price.component, price.period, price.tier)
        found[key] = found.get(key, Decimal(0)) + price.price
    return found


@pytest.mark.parametrize("row", sorted(HUBEI))
def test_hubei_january_2026_is_the_published_table(books: load.Books, row: str) -> None:
    flat, sharp, peak, valley, demand, capacity = HUBEI[row]
    priced = _prices(books, f"cn.hubei.agent.{row}.tou", JANUARY)
    for period, published in {"flat": flat, "sharp": sharp, "peak": peak, "valley": valley}.items():
        total = priced[("energy", period, 0)] + sum(priced[(name, "all", 0)] for name in PER_KWH[1:])
        assert total == Decimal(published)
    plain = _prices(books, f"cn.hubei.agent.{row}.flat", JANUARY)
    assert sum(plain[(name, "all", 0)] for name in PER_KWH) == Decimal(flat)
    for component, published_basic in (("basic_demand", demand), ("basic_capacity", capacity)):
        held = priced.get((component, "all", 0))
        assert held == (None if published_basic is None else Decimal(published_basic))


@pytest.mark.parametrize("row", sorted(HUBEI))
def test_hubei_ratios_agree_with_the_published_totals_within_their_tolerance(
    books: load.Books, row: str
) -> None:
    # the ratios stand on purchase + loss; 0.005 is the tolerance for which they are a check and not a price
    flat, sharp, peak, valley, *_ = (Decimal(value or 0) for value in HUBEI[row])
    base = Decimal("0.384470") + Decimal("0.013643")
    for total, ratio in ((sharp, "2.00"), (peak, "1.49"), (valley, "0.45")):
        assert abs((total - flat) / base + 1 - Decimal(ratio)) <= Decimal("0.0055")


# code, component, period, tier, price: two of each grid, read off the source's table
NETWORK = [
    ("hubei.market.single.lt1", "transmission", "0.2103"),
    ("hubei.market.two.220", "basic_capacity", "24.4"),
    ("yunnan.market.two.35", "transmission", "0.0995"),
    ("yunnan.market.single.10", "fund", "0.063875"),
    ("xinjiang.market.two.220", "transmission", "0.0485"),
    ("xinjiang.market.two.110", "basic_demand", "30.4"),
    ("zhejiang.market.two.10", "basic_demand", "47.2"),
    ("zhejiang.market.single.lt1", "fund", "0.02923875"),
    ("jiangsu.market.two.10", "basic_capacity", "32"),
    ("jiangsu.market.single.220", "transmission", "0.1351"),
    ("anhui.market.two.220", "basic_capacity", "24"),
    ("fujian.market.two.110", "transmission", "0.0769"),
    ("jiangxi.market.single.35", "transmission", "0.1516"),
    ("shandong.market.two.220", "basic_demand", "32"),
    ("henan.market.two.10", "transmission", "0.1655"),
    ("henan.market.two.10", "fund", "0.02888938"),
    ("hunan.market.single.lt1", "transmission", "0.2609"),
    ("hunan.market.two.220", "basic_capacity", "20.1"),
    ("guangxi.market.single.10", "fund", "0.051825"),
    ("guangxi.market.two.10", "fund", "0.041825"),
    ("guizhou.market.two.110", "transmission", "0.0720"),
    ("sichuan.market.two.220", "basic_capacity", "15"),
    ("chongqing.market.single.220", "transmission", "0.1647"),
    ("shaanxi.market.two.10", "transmission", "0.1271"),
    ("shaanxi_yulin.market.two.10", "transmission", "0.1083"),
    ("shaanxi_yulin.market.single.lt1", "transmission", "0.2297"),
    ("gansu.market.single.lt1", "transmission", "0.2945"),
    ("qinghai.market.two.220", "basic_demand", "31.2"),
    ("ningxia.market.two.110", "transmission", "0.0567"),
    ("shanxi.market.two.220", "transmission", "0.0290"),
    ("hebei_south.market.two.lt1", "transmission", "0.1726"),
    ("hebei_south.market.two.lt1", "basic_demand", "36.8"),
    ("hebei_north.market.two.lt1", "basic_capacity", "24.6"),
    ("tianjin.market.two.lt1", "transmission", "0.2158"),
    ("shanghai.market.two.lt1", "basic_demand", "48"),
    ("shanghai.market.two.220", "transmission", "0.0851"),
    ("inner_mongolia_east.market.single.lt1", "transmission", "0.3732"),
    ("inner_mongolia_west.market.two.lt1", "transmission", "0.0876"),
    ("inner_mongolia_west.market.two.10", "basic_demand", "32.8"),
    ("heilongjiang.market.two.220", "transmission", "0.0763"),
    ("beijing.market.two.35-110", "basic_demand", "48"),
    ("beijing.market.single.lt1", "transmission", "0.3800"),
    ("jilin.market.two.66-110", "transmission", "0.1213"),
    ("jilin.market.two.10", "basic_capacity", "24"),
]


@pytest.mark.parametrize(("code", "component", "price"), NETWORK)
def test_network_charges_of_the_fourth_period(
    books: load.Books, code: str, component: str, price: str
) -> None:
    assert _prices(books, f"cn.{code}", AUGUST)[(component, "all", 0)] == Decimal(price)


def test_network_charges_do_not_reach_back_into_the_third_period(books: load.Books) -> None:
    assert not books.prices_on("cn.jiangsu.market.two.10", on=date(2026, 7, 31))


RESIDENTIAL = [
    ("cn.zhejiang.residential", None, ("0.538", "0.588", "0.838")),
    ("cn.zhejiang.residential.tou", "peak", ("0.568", "0.618", "0.868")),
    ("cn.zhejiang.residential.tou", "valley", ("0.288", "0.338", "0.588")),
    ("cn.beijing.residential", None, ("0.4883", "0.5383", "0.7883")),
    ("cn.shenzhen.residential", None, ("0.66286875", "0.71286875", "0.96286875")),
    ("cn.shanghai.residential", None, ("0.617", "0.667", "0.917")),
    ("cn.hubei.residential", None, ("0.558", "0.608", "0.858")),
]


@pytest.mark.parametrize(("code", "period", "expected"), RESIDENTIAL)
def test_residential_prices_by_tier(
    books: load.Books, code: str, period: str | None, expected: tuple[str, ...]
) -> None:
    priced = _prices(books, code, AUGUST)
    base = priced[("energy", period or "all", 0)]
    tiers = tuple(base + priced[("tier", "all", tier)] for tier in (1, 2, 3))
    assert tiers == tuple(Decimal(value) for value in expected)


def test_shanghai_hubei_and_other_unread_facts_are_marked_for_verification(books: load.Books) -> None:
    graded = {price.evidence for price in books.prices_on("cn.hubei.residential", on=AUGUST)}
    assert graded == {"[K?]"}


def _table(books: load.Books) -> dict[tuple[str, str], Decimal]:
    from mingcha.tariffbook import tables

    rows = tables.rows(books)["tb_pf"]
    return {
        (f"{row['standard']:.2f}", f"{row['pf']:.2f}"): Decimal(row["pct"])
        for row in (dict(zip(rows.columns, values, strict=True)) for values in rows.rows)
    }


PF_VECTORS = [
    ("0.90", "0.66", "14"), ("0.85", "0.66", "9.5"), ("0.80", "0.66", "7"), ("0.90", "0.32", "81"),
    ("0.85", "0.59", "17"), ("0.80", "0.54", "17"), ("0.85", "0.94", "-1.1"), ("0.80", "0.93", "-1.3"),
    ("0.90", "0.90", "0"), ("0.90", "0.95", "-0.75"), ("0.90", "1.00", "-0.75"), ("0.90", "0.91", "-0.15"),
    ("0.85", "0.90", "-0.5"), ("0.85", "0.91", "-0.65"), ("0.80", "0.91", "-1.15"), ("0.80", "0.92", "-1.3"),
    ("0.90", "0.70", "10"), ("0.90", "0.69", "11"), ("0.90", "0.65", "15"), ("0.90", "0.64", "17"),
    ("0.85", "0.65", "10"), ("0.85", "0.60", "15"), ("0.80", "0.60", "10"), ("0.80", "0.55", "15"),
]  # fmt: skip


def test_power_factor_tables(books: load.Books) -> None:
    table = _table(books)
    assert len(table) == 303
    for standard, factor, percent in PF_VECTORS:
        assert table[(standard, factor)] == Decimal(percent), (standard, factor)


def test_power_factor_percentages_only_fall_as_the_factor_rises(books: load.Books) -> None:
    table = _table(books)
    for standard in ("0.80", "0.85", "0.90"):
        column = [table[(standard, f"{number / 100:.2f}")] for number in range(101)]
        assert column == sorted(column, reverse=True)


def test_rules_change_on_the_day_the_law_does(books: load.Books) -> None:
    before, after = date(2024, 5, 31), date(2024, 6, 1)
    assert books.parameter("basic.day_base", on=before).value == "30"
    assert books.parameter("basic.day_base", on=after).value == "calendar"
    assert books.parameter("temporary.max_months", on=before).value == "6"
    assert books.parameter("temporary.max_months", on=after).value == "36"


def test_transformer_factors_are_720_hours_over_the_working_hours_of_the_shifts(books: load.Books) -> None:
    for shift, hours in (("1", 200), ("2", 400), ("3", 600)):
        fact = books.parameter(f"transformer.k.{shift}", on=AUGUST)
        assert fact.number == Decimal(720) / hours
        assert fact.provisional


def test_every_fact_of_the_book_says_when_it_was_last_checked(books: load.Books) -> None:
    for book in (book for book in books if not book.fictional):
        for document in book.documents:
            assert document.still_valid_on is not None, (book.book, document.id)
