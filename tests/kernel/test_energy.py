"""Registers: roll-over is recognised, other falls are not explained away."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mingcha.kernel import energy, errors


class TestRegisterStep:
    @given(st.integers(1, 9), st.integers(0, 10**9), st.integers(0, 10**8))
    def test_small_steps_are_found_again_also_across_the_top(self, digits: int, at: int, used: int) -> None:
        span = 10**digits
        start, step = at % span, used % max(span // 11, 1)
        end = (start + step) % span
        result = energy.register_step(start=Decimal(start), end=Decimal(end), digits=digits)
        assert result.units == (step if end >= start or result.rolled_over else end - start)
        if end < start and start > Decimal("0.9") * span and end < Decimal("0.1") * span:
            assert result.rolled_over
            assert result.units == step

    def test_a_fall_in_the_middle_stays_negative(self) -> None:
        step = energy.register_step(start=Decimal("52000"), end=Decimal("51000"), digits=5)
        assert step == energy.RegisterStep(units=Decimal(-1000), rolled_over=False)

    def test_energy_is_units_times_multiplier(self) -> None:
        step = energy.register_step(start=Decimal("10.5"), end=Decimal("12.0"), digits=6)
        assert step.energy(multiplier=Decimal(40)) == Decimal("60.0")

    @pytest.mark.parametrize(("start", "digits"), [("100000", 5), ("-1", 5), ("1", 0), ("1", 13)])
    def test_refuses_what_a_register_cannot_show(self, start: str, digits: int) -> None:
        with pytest.raises(errors.DataError):
            energy.register_step(start=Decimal(start), end=Decimal(0), digits=digits)


class TestCombinedMultiplier:
    def test_multiplies_both_ratios(self) -> None:
        ratio = energy.combined_multiplier(
            ct_primary=Decimal(100),
            ct_secondary=Decimal(5),
            pt_primary=Decimal(10000),
            pt_secondary=Decimal(100),
        )
        assert ratio == Decimal(2000)

    def test_refuses_a_rating_of_zero(self) -> None:
        with pytest.raises(errors.DataError, match="zero or less"):
            energy.combined_multiplier(
                ct_primary=Decimal(100),
                ct_secondary=Decimal(0),
                pt_primary=Decimal(1),
                pt_secondary=Decimal(1),
            )
