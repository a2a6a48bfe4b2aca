"""Prices and parameters as rating sees them: the book first, then the country, then the defaults."""

from __future__ import annotations

from datetime import date

import pytest
from tests.rating.bench import Bench

from mingcha.kernel import errors
from mingcha.rating import engine, parameters, sections, tables
from mingcha.tariffbook import tables as book_tables

D = date


def values(bench: Bench, name: str, book: str) -> list[tuple[object, ...]]:
    bench.quantities()
    return bench.rows(
        "rt_parameter", "in_force_from, in_force_to, value, evidence", f"name = '{name}' AND book = '{book}'"
    )


def test_a_default_stands_in_where_no_book_speaks(bench: Bench) -> None:
    assert values(bench, "basic.day_base", "test") == [
        (D(1900, 1, 1), D(2024, 6, 1), "30", "default"),
        (D(2024, 6, 1), None, "calendar", "default"),
    ]


def test_the_tariffs_book_goes_before_the_country_and_the_country_before_defaults(bench: Bench) -> None:
    bench.parameter("demand.discount", "0.80", in_force_from=D(2020, 1, 1))
    bench.parameter(
        "demand.discount", "0.70", book="test", in_force_from=D(2025, 1, 1), in_force_to=D(2026, 1, 1)
    )
    assert values(bench, "demand.discount", "test") == [
        (D(1900, 1, 1), D(2020, 1, 1), "0.90", "default"),
        (D(2020, 1, 1), D(2025, 1, 1), "0.80", "[S]"),
        (D(2025, 1, 1), D(2026, 1, 1), "0.70", "[S]"),
        (D(2026, 1, 1), None, "0.80", "[S]"),
    ]
    assert [row[2] for row in values(bench, "demand.discount", "own")] == ["0.90", "0.80"]


def test_a_tariff_of_the_book_is_seen_under_the_utilitys_id(bench: Bench) -> None:
    bench.book("tb_tariff", tariff_code="T", book="test", in_force_from=D(2020, 1, 1),
               usage_category="general", parts="single")  # fmt: skip
    bench.put("tariff", tariff_id="T", effective_from=D(2020, 1, 1))
    bench.put("tariff_price", tariff_id="T", effective_from=D(2020, 1, 1), price="9")
    bench.quantities()
    assert bench.rows("rt_tariff", "tariff_id, tariff_code, usage_category, own") == [
        ("T", "T", "general,residential", False),
    ]
    assert bench.rows("rt_price", "tariff_id, price, evidence") == [("T", "0.5", "[S]")]


def test_without_a_code_the_utilitys_own_prices_stand(bench: Bench) -> None:
    bench.put(
        "tariff",
        tariff_id="OWN",
        effective_from=D(2020, 1, 1),
        document="甲价〔2020〕1号",
        usage_category="general",
    )
    bench.put("tariff_price", tariff_id="OWN", component="energy", period="all", tier="0", price="0.61",
              effective_from=D(2020, 1, 1), unit="CNY/kWh")  # fmt: skip
    bench.put("tariff_price", tariff_id="OWN", component="energy", period="all", tier="0", price="0.62",
              effective_from=D(2026, 3, 11), unit="CNY/kWh")  # fmt: skip
    bench.home(tariff_id="OWN")
    bench.registers(active="31")
    bench.quantities()
    assert bench.rows(
        "rt_price", "in_force_from, in_force_to, price, document, evidence", "tariff_id = 'OWN'"
    ) == [
        (D(2020, 1, 1), D(2026, 3, 11), "0.61", "甲价〔2020〕1号", "own"),
        (D(2026, 3, 11), None, "0.62", "甲价〔2020〕1号", "own"),
    ]
    assert bench.rows("rt_tariff", "book, own", "tariff_id = 'OWN'") == [("own", True)]
    assert bench.energy() == {("03-01", "all"): "10", ("03-11", "all"): "21"}
    assert bench.gaps() == set()


def test_own_tiers_without_limits_are_a_gap(bench: Bench) -> None:
    bench.put("tariff", tariff_id="OWN", effective_from=D(2020, 1, 1))
    for component, tier, price in (("energy", 0, "0.5"), ("tier", 1, "0"), ("tier", 2, "0.05")):
        bench.put("tariff_price", tariff_id="OWN", component=component, period="all", tier=tier, price=price,
                  effective_from=D(2020, 1, 1))  # fmt: skip
    bench.home(tariff_id="OWN")
    bench.registers(active="31")
    bench.quantities()
    assert bench.gaps() == {"unsupported"}


def test_the_tables_of_the_tariff_book_are_those_rating_reads() -> None:
    for name, columns in tables.BOOK.items():
        assert dict(columns) == book_tables.COLUMNS[name], name


def test_defaults_are_numbers_or_known_words() -> None:
    names = {name for name, *_ in parameters.DEFAULTS}
    assert {"transformer.k.3", "suspension.min_days", "basic.day_base", "demand.floor_share"} <= names


def test_a_missing_step_and_an_unknown_constant_are_told() -> None:
    with pytest.raises(errors.BookError, match="has no file"):
        sections.of("nowhere")
    with pytest.raises(errors.BookError, match="`:nobody` is no constant"):
        sections.bind(sections.Section("s", "t", "SELECT :nobody"), {"period": "'2026-03'"})
    text = "SELECT ':nobody' -- :nobody\n, :period"
    bound = sections.bind(sections.Section("s", "t", text), {"period": "'2026-03'"})
    assert bound == "SELECT ':nobody' -- :nobody\n, '2026-03'"


def test_a_section_with_other_columns_is_told(bench: Bench) -> None:
    section = sections.Section("prior", "rt_prior", "SELECT 1 AS sid")
    with pytest.raises(errors.BookError, match="its columns are not those of rt_prior"):
        engine._make(bench.con, section, section.sql)


def test_a_missing_table_is_told(bench: Bench) -> None:
    bench.con.execute("DROP TABLE bill")
    with pytest.raises(errors.BookError, match=r"settlements\.sql, section rq_live"):
        bench.quantities()


def test_nothing_made_on_the_way_is_left(bench: Bench) -> None:
    bench.home()
    bench.registers(active="1")
    said: list[tuple[str, int, int]] = []
    engine.run(
        bench.con, period=bench.period, names=engine.QUANTITIES, progress=lambda *now: said.append(now)
    )
    left = {
        row[0]
        for row in bench.con.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall()
    }
    assert left == {*tables.BOOK, *tables.QUANTITIES, *tables.CARRIED, "rt_default"}
    assert said[0] == ("prices", 0, 11)
    assert said[-1] == ("", 11, 11)


def test_empty_tables_rate_to_nothing(bench: Bench) -> None:
    rated = bench.rated()
    assert (rated.settlements, rated.lines, rated.gaps) == (0, 0, 0)
    assert set(rated.seconds) == set(engine.STEPS)


def test_codes_that_follow_each_other_each_price_their_time(bench: Bench) -> None:
    bench.tariff("T.2", energy="0.8", since=D(2026, 3, 11))
    bench.con.execute("UPDATE tb_code SET tariff_id = 'T'")
    bench.con.execute("UPDATE tb_tariff SET in_force_to = '2026-03-11' WHERE tariff_code = 'T'")
    bench.home()
    bench.registers(active="31")
    bench.quantities()
    assert bench.rows("rt_price", "in_force_from, in_force_to, price") == [
        (D(2020, 1, 1), D(2026, 3, 11), "0.5"), (D(2026, 3, 11), None, "0.8"),
    ]  # fmt: skip
    assert bench.energy() == {("03-01", "all"): "10", ("03-11", "all"): "21"}
    assert bench.gaps() == set()


def test_of_two_codes_at_once_the_first_stands(bench: Bench) -> None:
    bench.tariff("T.2", energy="0.8")
    bench.con.execute("UPDATE tb_code SET tariff_id = 'T'")
    bench.quantities()
    assert bench.rows("rt_price", "tariff_code, price") == [("T", "0.5")]
