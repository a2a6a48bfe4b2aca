"""Small values: exact JSON, spoken numbers, masked names."""

import doctest
from datetime import date, datetime
from decimal import Decimal

import pytest

from mingcha.findings import jsontext, masking, wording


@pytest.mark.parametrize("module", [jsontext, masking, wording])
def test_examples_in_docstrings_hold(module: object) -> None:
    result = doctest.testmod(module)  # type: ignore[arg-type]
    assert result.attempted > 0
    assert result.failed == 0


class TestJson:
    def test_writes_moments_nested_lists_and_big_numbers(self) -> None:
        value = {
            "at": datetime.fromisoformat("2026-03-01T08:00"),
            "list": [Decimal("1E+3"), True, None, "明\n"],
            "n": 10**30,
        }
        text = jsontext.dumps(value)
        assert jsontext.loads(text) == {
            "at": "2026-03-01T08:00:00",
            "list": [1000, True, None, "明\n"],
            "n": 10**30,
        }

    def test_refuses_what_json_cannot_say(self) -> None:
        with pytest.raises(ValueError, match="NaN"):
            jsontext.dumps(Decimal("NaN"))


class TestWording:
    def test_speaks_units_of_the_language(self) -> None:
        assert wording.value(3, unit="days", language="zh") == "3 天"
        assert wording.value(3, unit="days", language="en") == "3 days"
        assert wording.value(Decimal("12.50"), unit="percent", language="en") == "12.5%"
        assert wording.value(["a", "b"], language="en") == "a, b"
        assert wording.value(date(2026, 3, 1)) == "2026-03-01"

    def test_a_name_nobody_knows_stays_visible(self) -> None:
        assert wording.fill("{nobody}", {}, units={}, language="en") == "{nobody}"
