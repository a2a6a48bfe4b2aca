"""The book of recovery holds what every calculator asks, for both texts, and every figure has a name."""

from datetime import date

import pytest

from mingcha.recovery import catalogue, names
from mingcha.recovery.kinds import meter_error
from mingcha.recovery.lawbook import BOOK, Law
from mingcha.tariffbook import load

OLD, NEW = date(2024, 5, 31), date(2024, 6, 1)


def test_every_kind_has_an_article_under_both_texts() -> None:
    law = Law(load.shipped())
    for one in catalogue.CALCULATORS.values():
        assert law.article(one.topic, OLD).document.en.endswith("(1996)"), one.kind
        assert law.article(one.topic, NEW).document.en.endswith("(2024)"), one.kind


@pytest.mark.parametrize(
    ("topic", "old", "new"),
    [
        ("meter_error", "80(1)", "81(1)"),
        ("wiring", "81(1)", "82(1)"),
        ("category", "100(1)", "101(1)"),
        ("over_capacity", "100", "101"),
        ("theft_definition", "101", "103"),
        ("theft", "102", "104"),
        ("theft_quantity", "103", "105"),
        ("late_fee", "98", "99"),
    ],
)
def test_the_map_of_articles(topic: str, old: str, new: str) -> None:
    law = Law(load.shipped())
    assert (law.article(topic, OLD).value, law.article(topic, NEW).value) == (old, new)


def test_every_figure_has_a_name_in_both_languages() -> None:
    for parameter in load.shipped().book(BOOK).parameters:
        if not parameter.name.startswith("law.article."):
            for language in ("zh", "en"):
                assert names.name_of(parameter.name, language)


def test_no_name_stands_without_a_figure() -> None:
    books = load.shipped()
    known = {parameter.name for book in (BOOK, "cn.rules") for parameter in books.book(book).parameters}
    families = ("until_settled", "window_share", "tolerance.meter", "tolerance.transformer")
    assert [name for name in names.NAMES if name not in known and name not in families] == []


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("category.multiple_basis", "exact", "at_most"),
        ("over_capacity.multiple_basis", "exact", "at_most"),
        ("sealed.multiple_basis", "exact", "at_most"),
        ("theft.multiple_basis", "exact", "at_most"),
        ("category.multiple", "2", "2"),
        ("over_capacity.multiple", "3", "3"),
        ("sealed.multiple", "2", "2"),
        ("theft.multiple", "3", "3"),
        ("over_capacity.flat", "50", "50"),
        ("sealed.flat", "30", "30"),
        ("moved.residential", "500", "500"),
        ("moved.other", "5000", "5000"),
        ("private_connection.flat", "500", "500"),
        ("theft.days", "180", "180"),
        ("theft.hours.power", "12", "12"),
        ("theft.hours.lighting", "6", "6"),
        ("late_fee.minimum", "1", "0"),
        ("basic.day_base", "30", "calendar"),
    ],
)
def test_multiples_and_sums(name: str, old: str, new: str) -> None:
    law = Law(load.shipped())
    assert (law.fact(name, OLD).value, law.fact(name, NEW).value) == (old, new)


def test_what_the_official_text_has_not_shown_is_provisional() -> None:
    law = Law(load.shipped())
    provisional = [
        topic.topic for topic in catalogue.CALCULATORS.values() if law.article(topic.topic, NEW).provisional
    ]
    assert provisional == [
        "meter_error", "pt_drop", "normal_month", "wiring", "fuse", "ct_pt_failure", "lost_voltage",
        "lost_current", "multiplier", "missed_reading", "theft", "late_fee",
    ]  # fmt: skip


def test_an_unknown_article_says_so() -> None:
    law = Law(load.shipped())
    unknown = law.article("missed_reading", NEW)
    assert unknown.label("zh") == "《供电营业规则（2024）》条号待核 [K?]待核"
    assert "article to be verified" in unknown.label("en")
    assert law.article(meter_error.TOPIC, OLD).label("en").endswith("article 80(1) [S]")
