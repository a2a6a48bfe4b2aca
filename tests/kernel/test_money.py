"""Money: exact amounts, named roundings, and what each rounding moved."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mingcha.kernel import errors, money

amounts = st.decimals(min_value=-(10**12), max_value=10**12, places=6, allow_nan=False)


class TestParse:
    def test_reads_text_whole_numbers_and_decimals(self) -> None:
        assert money.parse("12.30") == Decimal("12.30")
        assert money.parse(-4) == Decimal(-4)
        assert money.parse(Decimal("0.005")) == Decimal("0.005")

    @pytest.mark.parametrize("value", [1.5, True, None, "1,234.5", "", "NaN", Decimal("Infinity")])
    def test_refuses_everything_else(self, value: object) -> None:
        with pytest.raises(errors.DataError, match="not an amount of money") as caught:
            money.parse(value)  # type: ignore[arg-type]
        assert caught.value.mend


class TestRoundings:
    @pytest.mark.parametrize(
        ("rounding", "expected"),
        [
            (money.round_half_up, {"1.005": "1.01", "1.015": "1.02", "-1.005": "-1.01", "1.004": "1.00"}),
            (money.round_half_even, {"1.005": "1.00", "1.015": "1.02", "-1.005": "-1.00"}),
            (money.round_down, {"1.009": "1.00", "-1.009": "-1.00"}),
            (money.round_up, {"1.001": "1.01", "-1.009": "-1.00"}),
        ],
    )
    def test_follow_their_names(self, rounding: object, expected: dict[str, str]) -> None:
        for before, after in expected.items():
            assert rounding(Decimal(before)).amount == Decimal(after)  # type: ignore[operator]

    @given(amounts)
    def test_amount_and_remainder_add_up_to_what_was_rounded(self, amount: Decimal) -> None:
        for rounding in (money.round_half_up, money.round_half_even, money.round_down, money.round_up):
            result = rounding(amount)
            assert result.exact == amount
            assert abs(result.remainder) < money.FEN

    def test_refuse_a_float(self) -> None:
        with pytest.raises(errors.DataError):
            money.round_half_up(1.005)  # type: ignore[arg-type]
