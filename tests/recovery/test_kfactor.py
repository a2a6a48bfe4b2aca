"""Every row of the K table re-derived from phasors: power of the right wiring ÷ power of the wrong one.

Nothing here shares code with the table: voltages and currents are complex numbers, each element of the meter
counts the real part of U·conj(I).
"""

import cmath
import math
from collections.abc import Callable
from decimal import Decimal

import pytest

from mingcha.recovery import kfactor

ANGLES = (10.0, 25.8, 31.8, 45.0)
Phasors = dict[str, complex]
CT_TRUE, CT_BILLED = 40.0, 30.0


def turned(degrees: float) -> complex:
    return cmath.exp(1j * math.radians(degrees))


def load(phi: float) -> tuple[Phasors, Phasors]:
    """Return phase voltages and currents of a balanced inductive load of one volt and one ampere."""
    voltages = {"a": turned(0), "b": turned(-120), "c": turned(120)}
    currents = {phase: one * turned(-phi) for phase, one in voltages.items()}
    return voltages, currents


def four_wire(voltages: Phasors, currents: Phasors) -> float:
    return sum((voltages[phase] * currents[phase].conjugate()).real for phase in "abc")


def three_wire(u: complex, v: complex, w: complex, i_u: complex, i_w: complex) -> float:
    """Return the power of a meter of two elements: U_uv·I_u and U_wv·I_w."""
    return ((u - v) * i_u.conjugate() + (w - v) * i_w.conjugate()).real


def four(change: Callable[[Phasors, Phasors], tuple[Phasors, Phasors]]) -> Callable[[float], float]:
    def ratio(phi: float) -> float:
        right = four_wire(*load(phi))
        wrong = four_wire(*change(*load(phi)))
        return math.inf if abs(wrong) < 1e-9 else right / wrong

    return ratio


def three(wrong_power: Callable[[Phasors, Phasors], float]) -> Callable[[float], float]:
    def ratio(phi: float) -> float:
        voltages, currents = load(phi)
        right = three_wire(voltages["a"], voltages["b"], voltages["c"], currents["a"], currents["c"])
        wrong = wrong_power(voltages, currents)
        return math.inf if abs(wrong) < 1e-9 else right / wrong

    return ratio


def times(currents: Phasors, **factors: float) -> Phasors:
    return {phase: one * factors.get(phase, 1.0) for phase, one in currents.items()}


def order(voltages: Phasors, currents: Phasors, at: str) -> float:
    """Return the power with the phases named in `at` on the terminals u, v, w."""
    return three_wire(*(voltages[phase] for phase in at), currents["a"], currents["c"])


DERIVED: dict[str, tuple[Callable[[float], float], ...]] = {
    # A phase without voltage and one without current (or with its CT shorted) count alike.
    "3p4w-one-lost": (four(lambda u, i: (times(u, a=0), i)), four(lambda u, i: (u, times(i, c=0)))),
    "3p4w-two-lost": (four(lambda u, i: (times(u, a=0, b=0), i)), four(lambda u, i: (u, times(i, b=0, c=0)))),
    "3p4w-one-ct-reversed": (four(lambda u, i: (u, times(i, b=-1))),),
    "3p4w-two-ct-reversed": (four(lambda u, i: (u, times(i, b=-1, c=-1))),),
    "3p4w-three-ct-reversed": (four(lambda u, i: (u, times(i, a=-1, b=-1, c=-1))),),
    "3p4w-currents-swapped": (four(lambda u, i: (u, {"a": i["b"], "b": i["a"], "c": i["c"]})),),
    "3p4w-currents-rotated-b": (four(lambda u, i: (u, {"a": i["b"], "b": i["c"], "c": i["a"]})),),
    "3p4w-currents-rotated-c": (four(lambda u, i: (u, {"a": i["c"], "b": i["a"], "c": i["b"]})),),
    # What the meter sees of the one phase is smaller by billed ÷ true ratio.
    "3p4w-ct-ratio": (four(lambda u, i: (u, times(i, a=CT_BILLED / CT_TRUE))),),
    "3p3w-u-fuse": (three(lambda u, i: three_wire(u["b"], u["b"], u["c"], i["a"], i["c"])),),
    "3p3w-w-fuse": (three(lambda u, i: three_wire(u["a"], u["b"], u["b"], i["a"], i["c"])),),
    # Without v both elements lie in series between u and w: the terminal v floats in the middle.
    "3p3w-v-fuse": (three(lambda u, i: three_wire(u["a"], (u["a"] + u["c"]) / 2, u["c"], i["a"], i["c"])),),
    "3p3w-iu-reversed": (three(lambda u, i: three_wire(u["a"], u["b"], u["c"], -i["a"], i["c"])),),
    "3p3w-iw-reversed": (three(lambda u, i: three_wire(u["a"], u["b"], u["c"], i["a"], -i["c"])),),
    "3p3w-both-reversed": (three(lambda u, i: three_wire(u["a"], u["b"], u["c"], -i["a"], -i["c"])),),
    "3p3w-currents-swapped": (three(lambda u, i: three_wire(u["a"], u["b"], u["c"], i["c"], i["a"])),),
    "3p3w-voltages-reversed": tuple(
        three(lambda u, i, at=at: order(u, i, at))
        for at in ("bac", "acb", "cba")  # type: ignore[misc]
    ),
    "3p3w-voltages-vwu": (three(lambda u, i: order(u, i, "bca")),),
    "3p3w-voltages-wuv": (three(lambda u, i: order(u, i, "cab")),),
}


def test_every_row_of_the_table_is_derived() -> None:
    assert set(DERIVED) == set(kfactor.BY_CODE)


@pytest.mark.parametrize("phi", ANGLES)
@pytest.mark.parametrize("code", list(DERIVED))
def test_k_is_what_phasors_say(code: str, phi: float) -> None:
    factor = Decimal(str(math.cos(math.radians(phi))))
    found = kfactor.factor(
        kfactor.BY_CODE[code], power_factor=factor, billed=Decimal(str(CT_BILLED)), true=Decimal(str(CT_TRUE))
    )
    for derive in DERIVED[code]:
        expected = derive(phi)
        if found is None:
            assert expected == math.inf
        else:
            assert float(found) == pytest.approx(expected, rel=1e-7, abs=1e-7)


def test_a_denominator_of_zero_is_infinite() -> None:
    # tan 60° = √3: the phase W fuse leaves no power at all at cos φ = 0.5.
    assert kfactor.factor(kfactor.BY_CODE["3p3w-w-fuse"], power_factor=Decimal("0.5")) is None
    # At cos φ = 1 the tangent is 0: a reversed I_u lets the meter stand still.
    assert kfactor.factor(kfactor.BY_CODE["3p3w-iu-reversed"], power_factor=Decimal(1)) is None


def test_formulas_are_read_with_their_brackets_and_signs() -> None:
    values = {"√3": Decimal(2), "tanφ": Decimal("0.5"), "k": Decimal(4), "k_a": Decimal(5)}
    assert kfactor.value_of("-2/(1+√3·tanφ)", values) == Decimal(-1)
    assert kfactor.value_of("-√3/tanφ", values) == Decimal(-4)
    assert kfactor.value_of("(3/k)/(2/k+1/k_a)", values) == Decimal("0.75") / Decimal("0.7")
    assert kfactor.value_of("1-2-3", {}) == Decimal(-4)
    assert kfactor.value_of("12/2/3", {}) == Decimal(2)
    assert kfactor.value_of("1/(1-1)", {}) is None
