"""YAML is read as it was written: no silent last key, no binary fractions, no surprise booleans."""

from datetime import date
from decimal import Decimal

import pytest

from mingcha.kernel import errors, strict_yaml


class TestLoad:
    def test_reads_fractions_as_decimal_and_dates_as_dates(self) -> None:
        value = strict_yaml.load("price: 0.5253\nfrom: 2024-06-01\ncount: 3\n", source="a.yaml")
        assert value == {"price": Decimal("0.5253"), "from": date(2024, 6, 1), "count": 3}

    def test_keeps_words_that_old_yaml_takes_for_booleans(self) -> None:
        assert strict_yaml.load("on: no\noff: yes\nflag: true", source="a") == {
            "on": "no",
            "off": "yes",
            "flag": True,
        }

    def test_refuses_a_key_that_stands_twice_with_its_place(self) -> None:
        with pytest.raises(errors.BookError, match=r"rule\.yaml:3:1: the key 'tol' stands twice"):
            strict_yaml.load("tol: 1\nother: 2\ntol: 3\n", source="rule.yaml")

    def test_names_the_place_of_broken_yaml(self) -> None:
        with pytest.raises(errors.BookError, match=r"b\.yaml:2"):
            strict_yaml.load("a: 1\n  b: [", source="b.yaml")

    def test_runs_no_code(self) -> None:
        with pytest.raises(errors.BookError):
            strict_yaml.load("!!python/object/apply:os.system ['true']", source="c.yaml")

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("a: 1\nday: 2026-02-30\n", r"d\.yaml:2:6: 2026-02-30 is no day of the calendar"),
            ("a: .inf\n", r"d\.yaml:1:4: \.inf is no decimal number"),
            ("a: 1\n? [b, c]\n: 2\n", r"d\.yaml:2:3: a list or a mapping cannot be a key"),
        ],
    )
    def test_names_the_place_of_a_value_that_cannot_be(self, text: str, says: str) -> None:
        with pytest.raises(errors.BookError, match=says):
            strict_yaml.load(text, source="d.yaml")
