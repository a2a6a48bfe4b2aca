"""The flat tables hold what the books say, with exact types; a utility's own codes are matched with care."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from mingcha.tariffbook import load, tables

SOUND = Path(__file__).parent / "sound.yaml"


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    made = duckdb.connect(":memory:")
    tables.install(made, load.books([SOUND]), codes=[("S-1", "my.city.shop")])
    yield made
    made.close()


def test_tables_have_exactly_the_columns_and_types_promised(con: duckdb.DuckDBPyConnection) -> None:
    for name, columns in tables.COLUMNS.items():
        described = con.execute(f"DESCRIBE {name}").fetchall()
        assert {row[0]: row[1] for row in described} == columns, name


def test_a_tariff_has_one_row_per_usage_category(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute(
        "SELECT usage_category, programme_id, tier_id, pf_base, voltage_kv_from, voltage_kv_to "
        "FROM tb_tariff WHERE tariff_code = 'my.city.shop' ORDER BY ALL"
    ).fetchall()
    assert rows == [
        ("general", "my.city/hours", None, None, Decimal("0.0000"), None),
        ("other", "my.city/hours", None, None, Decimal("0.0000"), None),
    ]
    assert con.execute(
        "SELECT tier_id, tier_basis, tier_measure FROM tb_tariff WHERE tariff_code = 'my.city.home'"
    ).fetchall() == [("my.city/home", "annual", "total")]


def test_prices_keep_eight_decimals_and_their_days(con: duckdb.DuckDBPyConnection) -> None:
    assert con.execute(
        "SELECT period, tier, in_force_from, in_force_to, price, document, evidence FROM tb_price "
        "WHERE tariff_code = 'my.city.shop' AND period = 'peak' ORDER BY in_force_from"
    ).fetchall() == [
        (
            "peak",
            0,
            date(2026, 1, 1),
            date(2026, 7, 1),
            Decimal("0.90000000"),
            "某发改价格〔2026〕1号",
            "[O]",
        ),
        ("peak", 0, date(2026, 7, 1), None, Decimal("0.91000000"), "某发改价格〔2026〕1号", "[O]"),
    ]


def test_every_price_of_the_books_is_a_row(con: duckdb.DuckDBPyConnection) -> None:
    books = load.books([SOUND])
    expected = sum(len(books.prices(code)) for code in books.codes)
    assert con.execute("SELECT count(*) FROM tb_price").fetchall() == [(expected,)]


def test_annual_tiers_have_month_zero_and_an_open_last_tier(con: duckdb.DuckDBPyConnection) -> None:
    assert con.execute(
        "SELECT tier, moy, upto_kwh, members FROM tb_tier WHERE tier_id = 'my.city/home' ORDER BY tier"
    ).fetchall() == [
        (1, 0, Decimal("2160.0000"), None),
        (2, 0, Decimal("4800.0000"), None),
        (3, 0, None, None),
    ]


def test_monthly_tiers_have_every_month(con: duckdb.DuckDBPyConnection) -> None:
    # Shenzhen: May to October 260 and 600 kWh, November to April 200 and 400
    rows = con.execute(
        "SELECT tier_id, moy, upto_kwh FROM tb_tier WHERE tier = 1 AND moy > 0 "
        "AND tier_id LIKE 'cn.shenzhen/%' ORDER BY moy"
    ).fetchall()
    assert [row[1] for row in rows] == list(range(1, 13))
    assert {row[1]: row[2] for row in rows}[7] == Decimal("260")
    assert {row[1]: row[2] for row in rows}[12] == Decimal("200")


def test_a_large_household_is_told_per_month(con: duckdb.DuckDBPyConnection) -> None:
    assert con.execute(
        "SELECT DISTINCT members, member_kwh FROM tb_tier WHERE tier_id LIKE 'demo.yunling/%'"
    ).fetchall() == [(5, Decimal("100.0000"))]


def test_every_day_of_a_programme_has_all_minutes_once(con: duckdb.DuckDBPyConnection) -> None:
    wrong = con.execute(
        "SELECT programme_id, moy, day_kind, in_force_from, sum(minute_to - minute_from) AS minutes "
        "FROM tb_programme GROUP BY ALL HAVING minutes <> 1440"
    ).fetchall()
    assert wrong == []
    assert con.execute(
        "SELECT period FROM tb_programme WHERE programme_id = 'my.city/hours' AND moy = 3 "
        "ORDER BY minute_from"
    ).fetchall() == [("valley",), ("peak",), ("flat",), ("peak",), ("flat",)]


def test_parameters_have_a_number_where_they_are_one(con: duckdb.DuckDBPyConnection) -> None:
    assert con.execute(
        "SELECT value, number FROM tb_parameter WHERE book = 'cn.rules' AND name = 'basic.day_base' "
        "ORDER BY in_force_from"
    ).fetchall() == [("30", Decimal("30")), ("calendar", None)]


def test_power_factors_are_complete(con: duckdb.DuckDBPyConnection) -> None:
    assert con.execute("SELECT standard, count(*), count(DISTINCT pf) FROM tb_pf GROUP BY ALL ORDER BY ALL") \
        .fetchall() == [(Decimal(s), 101, 101) for s in ("0.80", "0.85", "0.90")]  # fmt: skip


def test_tables_are_replaced_and_can_be_made_by_hand() -> None:
    con = duckdb.connect(":memory:")
    tables.install(con, load.shipped(), codes=[("A", "x"), ("A", "x")])
    tables.create(con, {"tb_code": tables.Table(tables.COLUMNS["tb_code"], [("B", "y")])})
    assert con.execute("FROM tb_code").fetchall() == [("B", "y")]
    tables.install(con, load.shipped())
    assert con.execute("FROM tb_code").fetchall() == []


class TestDigest:
    def test_is_the_same_for_the_same_books(self) -> None:
        assert tables.digest(load.books([SOUND])) == tables.digest(load.books([SOUND]))

    def test_changes_with_a_price_a_day_or_a_grade(self, tmp_path: Path) -> None:
        text = SOUND.read_text(encoding="utf-8")
        digests = {tables.digest(load.only([SOUND]))}
        changes = (
            ('"0.55"', '"0.551"'),
            ("2026-07-01", "2026-07-02"),
            ("[O]", "[S]"),
            ("[[0, 8]]", "[[0, 8]]"),
        )
        for number, (old, new) in enumerate(changes):
            file = tmp_path / f"{number}.yaml"
            file.write_text(text.replace(old, new), encoding="utf-8")
            digests.add(tables.digest(load.only([file])))
        assert len(digests) == 4


class TestMatch:
    def match(
        self, *tariffs: tuple[str, str | None], listed: tuple[tuple[str, str], ...] = ()
    ) -> list[object]:
        return list(tables.match(load.books([SOUND]), tariffs=tariffs, listed=listed))

    def test_needs_the_document_and_the_name(self) -> None:
        assert self.match(("SHOP", "某发改价格〔2026〕1号")) == [("SHOP", "my.city.shop")]
        assert self.match(("SHOP", "别的文件")) == []
        assert self.match(("SHOP", None)) == []
        assert self.match(("STORE", "某发改价格〔2026〕1号")) == []

    @pytest.mark.parametrize(
        "document", ["某发改价格[2026]1号", " 某发改价格（2026） 1号 附件2", "某发改价格〔２０２６〕１号"]
    )
    def test_does_not_stumble_over_brackets_spaces_and_width(self, document: str) -> None:
        assert self.match(("SHOP", document)) == [("SHOP", "my.city.shop")]

    def test_is_not_taken_in_by_a_document_that_only_ends_alike(self) -> None:
        assert self.match(("SHOP", "另某发改价格〔2026〕1号")) == []

    def test_what_is_listed_comes_first(self) -> None:
        assert self.match(("SHOP", "某发改价格〔2026〕1号"), listed=(("SHOP", "my.city.home"),)) == [
            ("SHOP", "my.city.home")
        ]

    def test_a_name_two_books_know_under_one_document_is_not_guessed(self, tmp_path: Path) -> None:
        text = SOUND.read_text(encoding="utf-8").replace("my.city", "my.town")
        (tmp_path / "town.yaml").write_text(text, encoding="utf-8")
        books = load.books([SOUND, tmp_path / "town.yaml"])
        assert tables.match(books, tariffs=[("SHOP", "某发改价格〔2026〕1号")]) == []

    def test_two_codes_that_follow_each_other_are_both_told(self, tmp_path: Path) -> None:
        text = SOUND.read_text(encoding="utf-8")
        head, _, shop = text.partition("  - code: my.city.shop")
        old = "  - code: my.city.shop.old" + shop.replace(
            "    in_force_from: 2026-01-01\n    programme",
            "    in_force_from: 2026-01-01\n    in_force_to: 2026-07-01\n    programme",
        )
        new = "  - code: my.city.shop" + shop.replace(
            "    in_force_from: 2026-01-01\n    programme", "    in_force_from: 2026-07-01\n    programme"
        )
        (tmp_path / "b.yaml").write_text(head + old + new, encoding="utf-8")
        books = load.books([tmp_path / "b.yaml"])
        assert tables.match(books, tariffs=[("SHOP", "某发改价格〔2026〕1号")]) == [
            ("SHOP", "my.city.shop"),
            ("SHOP", "my.city.shop.old"),
        ]
