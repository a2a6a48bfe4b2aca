"""Power factor: two decimals exactly, the percentage of the table, and what it is taken of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from math import isqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rating.charges.hand import Hand, Row, amounts

from mingcha.tariffbook import load, tables

D = Decimal
STANDARDS = ("0.90", "0.85", "0.80")


def assessed(standard: str = "0.90", *, base: str = "energy,grid_loss") -> tuple[Hand, int]:
    """1000 kWh at 1.00 with 0.10 of network loss and 0.05 of funds; the table of the country's book."""
    hand = Hand()
    tariff = hand.tariff("T", pf_base=base)
    for component, price in (("energy", "1"), ("grid_loss", "0.1"), ("fund", "0.05")):
        hand.price(tariff, component, price)
    sid = hand.settle()
    hand.point(sid, tariff=tariff)
    hand.energy(sid, "1000", tariff=tariff)
    hand.contract(sid, tariff=tariff, pf_standard=standard)
    hand.rows["tb_pf"] = table()
    return hand, sid


def table() -> list[Row]:
    """The rows of the country's table."""
    found = tables.rows(load.shipped())["tb_pf"]
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


def power(hand: Hand, sid: int, wp: str, wq: str) -> None:
    hand.add("rt_power", sid=sid, wp=D(wp), wq=D(wq))


def adjustment(lines: list[Row]) -> Row:
    (line,) = [line for line in lines if line["component"] == "power_factor"]
    return line


def test_a_percentage_of_energy_without_funds() -> None:
    hand, sid = assessed()
    power(hand, sid, "1000", "600")
    line = adjustment(hand.rate())
    # 1000 ÷ √(1000² + 600²) = 0.857…
    assert (line["quantity"], line["unit"], line["base_amount"]) == (D(2), "pct", D("1100.00"))
    assert (line["amount"], line["price"]) == (D("22.00"), None)
    assert line["formula"] == "base × pct; PF = 1000.00 ÷ √(1000.00² + 600.00²) = 0.86, standard 0.90"
    assert line["source"] == "水电财字〔83〕215号"


def test_the_base_is_of_rounded_lines() -> None:
    hand, sid = assessed()
    hand.rows["rt_energy"][0]["kwh"] = D("0.05")
    power(hand, sid, "0.05", "0")
    line = adjustment(hand.rate())
    assert line["base_amount"] == D("0.05") + D("0.01")


def test_at_the_standard_the_line_is_nought() -> None:
    hand, sid = assessed()
    power(hand, sid, "900", "435.89")
    line = adjustment(hand.rate())
    assert (line["quantity"], line["amount"]) == (D(0), D("0.00"))


def test_basic_charges_count_where_the_tariff_says_so() -> None:
    hand, sid = assessed(base="energy basic_demand")
    hand.price("T", "basic_demand", "40")
    hand.rows["rt_contract"][0] |= {"basic_charge_method": "demand_contract", "contract_demand_kw": D(1000)}
    hand.add("rt_demand", sid=sid, period="all", kw=D(1100))
    power(hand, sid, "1000", "600")
    assert adjustment(hand.rate())["base_amount"] == D(1000) + D(40000) + D(4000)


def test_capacity_charges_do_not_where_it_does_not() -> None:
    hand, sid = assessed()
    hand.price("T", "basic_capacity", "26")
    hand.rows["rt_contract"][0] |= {"basic_charge_method": "capacity"}
    hand.kva(sid, "100")
    power(hand, sid, "1000", "600")
    assert adjustment(hand.rate())["base_amount"] == D(1100)


def test_a_point_on_a_tariff_without_a_base_stays_out() -> None:
    hand, sid = assessed()
    hand.price(hand.tariff("HOME"), "energy", "0.558")
    hand.point(sid, "P1b", tariff="HOME", main=False)
    hand.energy(sid, "500", tariff="HOME", usage_point_id="P1b")
    power(hand, sid, "1500", "900")
    assert adjustment(hand.rate())["base_amount"] == D(1100)


def test_the_evidence_is_the_weakest_of_table_and_base() -> None:
    hand, sid = assessed()
    hand.rows["tb_price"][1]["evidence"] = "[K?]"
    power(hand, sid, "1000", "600")
    assert adjustment(hand.rate())["evidence"] == "[K?]"


@pytest.mark.parametrize(
    "change",
    [
        lambda hand: hand.rows["rt_contract"][0].update(pf_standard=None),
        lambda hand: hand.rows["tb_tariff"][0].update(pf_base=None),
        lambda hand: hand.rows["rt_power"][0].update(wp=D(0)),
    ],
    ids=["no standard", "no base", "no active energy"],
)
def test_not_assessed(change: Callable[[Hand], None]) -> None:
    hand, sid = assessed()
    power(hand, sid, "1000", "600")
    change(hand)
    assert [line["component"] for line in hand.rate()] == ["energy", "grid_loss", "fund"]
    assert hand.gaps == []


def test_the_standard_is_that_of_the_last_day() -> None:
    hand, sid = assessed()
    hand.rows["rt_contract"][0]["seg_to"] = date(2026, 3, 11)
    hand.contract(sid, tariff="T", pf_standard="0.80", seg_from=date(2026, 3, 11))
    power(hand, sid, "1000", "600")
    assert adjustment(hand.rate())["quantity"] == D("-0.6")


def test_a_standard_without_a_table_is_a_gap() -> None:
    hand, sid = assessed("0.87")
    power(hand, sid, "1000", "600")
    assert hand.rate() == []
    assert hand.gaps == [(1, "unsupported")]


@pytest.fixture(scope="module")
def percentages() -> dict[tuple[str, int], Decimal]:
    """Percentages by (standard, hundredths), rated from Wp = p, Wq = √(100² − p²)."""
    hand = Hand()
    hand.rows["tb_pf"] = table()
    tariff = hand.tariff("T", pf_base="energy")
    hand.price(tariff, "energy", "1")
    keys: dict[int, tuple[str, int]] = {}
    for standard in STANDARDS:
        for hundredths in range(1, 101):
            sid = hand.settle(sid=len(keys) + 1, customer=f"C{len(keys)}")
            keys[sid] = (standard, hundredths)
            hand.point(sid, tariff=tariff)
            hand.energy(sid, "1", tariff=tariff)
            hand.contract(sid, tariff=tariff, pf_standard=standard)
            other = D(isqrt((100**2 - hundredths**2) * 10**8)) / 100
            power(hand, sid, str(hundredths * 100), str(other))
    lines = [line for line in hand.rate() if line["component"] == "power_factor"]
    return {keys[line["sid"]]: line["quantity"] for line in lines}


class TestTable:
    """Every power factor against every standard, from energies that give it."""

    def test_is_whole(self, percentages: dict[tuple[str, int], Decimal]) -> None:
        assert len(percentages) == 300

    @pytest.mark.parametrize(
        ("standard", "pf", "pct"),
        [
            ("0.90", 66, "14"), ("0.85", 66, "9.5"), ("0.80", 66, "7"), ("0.90", 32, "81"),
            ("0.85", 59, "17"), ("0.80", 54, "17"), ("0.85", 94, "-1.1"), ("0.80", 93, "-1.3"),
            ("0.90", 90, "0"), ("0.90", 95, "-0.75"), ("0.90", 70, "10"), ("0.90", 69, "11"),
            ("0.90", 64, "17"), ("0.80", 91, "-1.15"), ("0.80", 92, "-1.3"),
        ],
    )  # fmt: skip
    def test_vectors(
        self, percentages: dict[tuple[str, int], Decimal], standard: str, pf: int, pct: str
    ) -> None:
        assert percentages[standard, pf] == D(pct)

    @pytest.mark.parametrize("standard", STANDARDS)
    def test_is_the_closed_form(self, percentages: dict[tuple[str, int], Decimal], standard: str) -> None:
        wrong = {
            pf: percentages[standard, pf]
            for pf in range(1, 101)
            if percentages[standard, pf] != _closed(int(D(standard) * 100), pf)
        }
        assert wrong == {}


ENERGIES = st.integers(0, 10**9)


@settings(max_examples=5, deadline=None)
@given(pairs=st.lists(st.tuples(ENERGIES.filter(bool), ENERGIES), min_size=60, max_size=60))
def test_rounding_is_exact(pairs: list[tuple[int, int]]) -> None:
    """Hundredths of kWh; also near halves, where a floating-point root may err."""
    hand = Hand()
    tariff = hand.tariff("T", pf_base="energy")
    hand.price(tariff, "energy", "1")
    cases = [*pairs, *_near_halves()]
    for sid, (wp, wq) in enumerate(cases, start=1):
        hand.settle(sid=sid, customer=f"C{sid}")
        hand.contract(sid, tariff=tariff, pf_standard="0.90")
        hand.add("rt_power", sid=sid, wp=D(wp) / 100, wq=D(wq) / 100)
    for hundredths in range(101):
        hand.add("tb_pf", standard=D("0.90"), pf=D(hundredths) / 100, pct=D(hundredths), document="T",
                 in_force_from=date(1983, 12, 2), evidence="[S]")  # fmt: skip
    found = {line["sid"]: int(line["quantity"]) for line in hand.rate()}
    assert found == {sid: _hundredths(wp, wq) for sid, (wp, wq) in enumerate(cases, start=1)}


def test_no_change_of_base_moves_the_rest() -> None:
    hand, sid = assessed()
    power(hand, sid, "1000", "600")
    assert amounts(hand.rate(), "fund") == [D("50.00")]


def _near_halves() -> list[tuple[int, int]]:
    """Energies whose power factor lies within a hair of a half, on either side."""
    wp = 10**9 * 7
    cases = []
    for odd in range(1, 201, 14):
        wq = isqrt(wp * wp * (40000 - odd * odd) // (odd * odd))
        cases += [(wp, wq), (wp, wq + 1)] if wq < 10**12 else []
    return cases


def _hundredths(wp: int, wq: int) -> int:
    """100 · wp ÷ √(wp² + wq²) rounded half up, in whole numbers."""
    return max(p for p in range(101) if p == 0 or 40000 * wp * wp >= (2 * p - 1) ** 2 * (wp * wp + wq * wq))


def _closed(standard: int, pf: int) -> Decimal:
    if pf >= standard:
        if standard == 90:
            return -min(D("0.15") * (pf - 90), D("0.75"))
        cap = D("1.1") if standard == 85 else D("1.3")
        over = D("0.1") * (90 - standard) + D("0.15") * (pf - 90)
        return -(D("0.1") * (pf - standard) if pf <= 90 else min(over, cap))
    short = standard - pf
    if short <= 20:
        return D("0.5") * short
    return D(10 + short - 20) if short <= 25 else D(15 + 2 * (short - 25))
