"""Books are read as they are written: values, parameters, references, the schema for editors."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest

from mingcha.contract import load as contract
from mingcha.kernel import errors
from mingcha.tariffbook import load, model, schema

HERE = Path(__file__).parent
SOUND = HERE / "sound.yaml"


@pytest.fixture(scope="module")
def books() -> load.Books:
    return load.books([SOUND])


def price_of(books: load.Books, code: str, on: date, **wanted: Any) -> Decimal:
    (found,) = [
        price
        for price in books.prices_on(code, on)
        if all(getattr(price, name) == value for name, value in wanted.items())
    ]
    return found.price


class TestPrices:
    def test_change_on_the_day_and_not_before(self, books: load.Books) -> None:
        last, first = date(2026, 6, 30), date(2026, 7, 1)
        assert price_of(books, "my.city.home", last, component="energy") == Decimal("0.55")
        assert price_of(books, "my.city.home", first, component="energy") == Decimal("0.56")
        assert price_of(books, "my.city.shop", last, period="valley") == Decimal("0.30")

    def test_carry_their_document_and_grade(self, books: load.Books) -> None:
        price = books.prices_on("my.city.home", date(2026, 2, 1))[0]
        assert price.document.number == "某发改价格〔2026〕1号"
        assert (price.evidence, price.provisional, price.known_on) == ("[O]", False, date(2025, 12, 20))

    def test_of_tiers_count_from_one(self, books: load.Books) -> None:
        tiers = [p for p in books.prices("my.city.home") if p.component == "tier"]
        assert [(p.tier, p.price) for p in tiers] == [
            (1, Decimal("0")),
            (2, Decimal("0.05")),
            (3, Decimal("0.30")),
        ]

    def test_end_with_the_tariff(self) -> None:
        prices = load.shipped().prices("cn.hubei.agent.single.lt1.tou")
        assert {price.in_force_to for price in prices} == {date(2026, 2, 1)}


class TestParameters:
    def test_hold_from_their_day(self, books: load.Books) -> None:
        before = books.parameter("demand.floor_share", on=date(2026, 6, 30), book="my.city")
        after = books.parameter("demand.floor_share", on=date(2026, 7, 1), book="my.city")
        assert (before.value, after.number) == ("0.40", Decimal("0.45"))

    def test_fall_back_to_the_rules_of_the_country(self, books: load.Books) -> None:
        fact = books.parameter("suspension.min_days", on=date(2026, 1, 1), book="my.city")
        assert (fact.book, fact.number) == ("cn.rules", Decimal("15"))
        assert len(books.parameter_versions("demand.floor_share", book="my.city")) == 2
        assert books.parameter_versions("nothing.of_the_kind", book="my.city") == ()

    def test_without_a_value_on_the_day_are_refused(self, books: load.Books) -> None:
        with pytest.raises(errors.BookError, match="has no value on 2025-12-31") as caught:
            books.parameter("demand.floor_share", on=date(2025, 12, 31), book="my.city")
        assert "2026-01-01 to 2026-07-01" in caught.value.what
        with pytest.raises(errors.BookError, match=r"there is no tariff book my\.town"):
            books.parameter("demand.floor_share", on=date(2026, 1, 1), book="my.town")

    def test_that_are_words_are_no_numbers(self) -> None:
        fact = load.shipped().parameter("basic.day_base", on=date(2026, 1, 1))
        assert fact.value == "calendar"
        with pytest.raises(errors.BookError, match="which is not a number"):
            _ = fact.number

    def test_of_the_shipped_rules_are_marked_while_provisional(self) -> None:
        versions = load.shipped().parameter_versions("basic.day_base")
        assert [fact.in_force_from for fact in versions] == sorted(fact.in_force_from for fact in versions)
        assert all(fact.provisional == (fact.evidence in ("[K+]", "[K?]")) for fact in versions)


class TestReferences:
    OWN = """\
book: my.hubei
title: {zh: 本企业, en: Ours}
country: CN
currency: CNY
documents:
  - {id: n, number: 公告 2026年9月, title: {zh: 公告, en: Notice}, known_on: 2026-08-28, evidence: "[O]"}
tariffs:
  - code: my.hubei.lt1
    title: {zh: 代理购电, en: Agent}
    usage_categories: [general]
    voltage_kv: ["0", "1"]
    parts: single
    in_force_from: 2026-09-01
    in_force_to: 2026-10-01
    programme: cn.hubei/tou
    price_basis: agent
    components:
      - {price: cn.hubei/td.energy, key: single.lt1}
      - component: energy
        unit: CNY/kWh
        entries:
          - in_force_from: 2026-09-01
            in_force_to: 2026-10-01
            document: n
            values: {sharp: "0.8", peak: "0.6", flat: "0.4", valley: "0.2"}
"""

    def test_reach_into_another_book(self, tmp_path: Path) -> None:
        file = tmp_path / "hubei.yaml"
        file.write_text(self.OWN, encoding="utf-8")
        books = load.books([file])
        prices = books.prices("my.hubei.lt1")
        network = next(price for price in prices if price.component == "transmission")
        assert network.price == Decimal("0.2103")
        assert network.document.number == "发改价格〔2026〕1077号"
        assert (network.in_force_from, network.in_force_to) == (date(2026, 9, 1), date(2026, 10, 1))

    def test_are_checked_there_too(self, tmp_path: Path) -> None:
        file = tmp_path / "hubei.yaml"
        file.write_text(self.OWN.replace(', valley: "0.2"', ""), encoding="utf-8")
        (mistake,) = load.mistakes([file])
        assert "no price for valley, a period of tou" in mistake.what

    def test_to_prices_in_another_currency_are_refused(self, tmp_path: Path) -> None:
        file = tmp_path / "abroad.yaml"
        text = self.OWN.replace("currency: CNY", "currency: USD").replace("CNY/kWh", "USD/kWh")
        file.write_text(text, encoding="utf-8")
        (mistake,) = load.mistakes([file])
        assert "cn.hubei is in CNY, this book in USD" in mistake.what


class TestFiles:
    def test_a_byte_order_mark_does_no_harm(self, tmp_path: Path) -> None:
        file = tmp_path / "bom.yaml"
        file.write_bytes(b"\xef\xbb\xbf" + SOUND.read_bytes())
        assert load.mistakes([file]) == []

    def test_the_books_asked_for_alone(self) -> None:
        assert set(load.only([SOUND]).books) == {"my.city"}

    def test_a_shipped_file_may_be_named_and_is_not_its_own_double(self) -> None:
        assert load.mistakes([load.FOLDER / "cn" / "hubei.yaml"]) == []

    def test_the_shipped_books_have_no_mistake(self) -> None:
        assert load.mistakes() == []
        assert len(load.shipped().books) == len(load.shipped_files())

    def test_a_file_that_is_not_there_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(errors.BookError, match="cannot be read: No such file"):
            load.books([tmp_path / "none.yaml"])


class TestWords:
    def test_are_those_of_the_contract(self) -> None:
        tables = contract.contract()
        assert get_args(model.UsageCategory) == tables.table("tariff").column("usage_category").enum
        assert get_args(model.Entitlement) == tables.table("tariff").column("entitlement_kind").enum
        billed = set(tables.table("tariff_price").column("component").enum)
        assert set(get_args(model.Component)) - billed == {"feed_in", "fixed", "surcharge"}

    def test_every_component_has_measures_and_every_grade_a_rank(self) -> None:
        assert set(model.MEASURES) == set(get_args(model.Component))
        assert get_args(model.Evidence) == model.EVIDENCE
        assert set(model.EVIDENCE) > model.PROVISIONAL


class TestSchema:
    def test_kept_in_the_package_is_what_the_model_says(self) -> None:
        assert schema.FILE.read_text(encoding="utf-8") == schema.text(), (
            "run mingcha.tariffbook.schema.write()"
        )

    def test_tells_editors_about_prices_days_and_closed_sets(self) -> None:
        made = json.loads(schema.text())
        parts = made["$defs"]
        assert made["additionalProperties"] is False
        assert parts["ParameterEntry"]["properties"]["in_force_from"] == {
            "format": "date",
            "title": "In Force From",
            "type": "string",
        }
        assert "peak" not in json.dumps(parts["PartEntry"]["properties"]["values"])
        assert {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"} in parts["PartEntry"]["properties"][
            "values"
        ]["anyOf"]
        assert parts["Tariff"]["properties"]["components"]["minItems"] == 1
