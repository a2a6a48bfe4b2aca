"""Agreement with an outside calculator: NREL PySAM's Utilityrate5, on random rates and load years.

The rule of comparison, per rate and month (docs/explain/outside-calculator.md):

* energy, demand and fixed charge, our lines before rounding: equal within `NOISE` dollars, which is what sums
  of 8,760 binary fractions come to;
* energy of rates with tiers and hours together: within `SHARED`, a twentieth of a cent. With us the kWh of a
  tier are shared over the hours to 0.0001 kWh, there without rounding;
* the amounts as billed: each line is rounded to the cent, so within half a cent for each line of the sum.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from . import ours, outside, rates

if not outside.installed():
    pytest.skip("NREL-PySAM is not installed: pip install -e .[test]", allow_module_level=True)

RATES = 240
LOADS = 12
NOISE = 1e-6
SHARED = 0.0005
HALF_A_CENT = 0.005
KINDS = ("energy", "demand", "fixed")


@pytest.fixture(scope="module")
def made() -> list[rates.Case]:
    return rates.cases(RATES, loads=LOADS, seed=20261125)


@pytest.fixture(scope="module")
def load_years() -> list[list[Decimal]]:
    return rates.load_years(LOADS, seed=8760)


@pytest.fixture(scope="module")
def billed(
    made: list[rates.Case], load_years: list[list[Decimal]], tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[int, int], ours.Bill]:
    """Every rate imported from its JSON, written as a file, loaded, and rated for twelve months."""
    books, imported = ours.books([case.rate for case in made], tmp_path_factory.mktemp("books"))
    assert [one.blocking for one in imported if one.blocking] == []
    con = ours.connect(books, [one.code for one in imported])
    customers = [(one.code, case.load) for one, case in zip(imported, made, strict=True)]
    return ours.year(con, customers=customers, loads=load_years, begins=rates.YEAR)


@pytest.fixture(scope="module")
def theirs(made: list[rates.Case], load_years: list[list[Decimal]]) -> dict[tuple[int, int], outside.Bill]:
    return {
        (case.number, month): bill
        for case in made
        for month, bill in enumerate(outside.year(case.rate, load_years[case.load]), start=1)
    }


def test_the_rates_are_of_every_kind(made: list[rates.Case]) -> None:
    assert len({case.label for case in made}) == RATES >= 200
    kinds = {(case.kind, case.demand) for case in made}
    forms = {"none", "flat", "monthly", "hours", "flat+hours", "monthly+hours"}
    assert kinds == {(kind, form) for kind in rates.KINDS for form in forms}


@pytest.mark.parametrize("kind", KINDS)
def test_lines_before_rounding_agree(
    kind: str,
    made: list[rates.Case],
    billed: dict[tuple[int, int], ours.Bill],
    theirs: dict[tuple[int, int], outside.Bill],
) -> None:
    apart = []
    for case in made:
        shared = kind == "energy" and case.kind == "tou_tiered"
        for month in range(1, 13):
            exact = float(billed[case.number, month].exact.get(kind, 0))
            difference = abs(exact - getattr(theirs[case.number, month], kind))
            if difference > (SHARED if shared else NOISE):
                apart.append((case.label, case.kind, case.demand, month, exact, difference))
    assert apart == []


def test_bills_agree_to_the_cent_of_every_line(
    made: list[rates.Case],
    billed: dict[tuple[int, int], ours.Bill],
    theirs: dict[tuple[int, int], outside.Bill],
) -> None:
    apart = []
    for case in made:
        for month in range(1, 13):
            bill, other = billed[case.number, month], theirs[case.number, month]
            allowed = HALF_A_CENT * sum(bill.lines.values()) + SHARED
            difference = abs(float(sum(bill.amount.values())) - other.energy - other.demand - other.fixed)
            if difference > allowed:
                apart.append((case.label, case.kind, month, difference, allowed))
    assert apart == []


def test_the_judge_can_say_no(
    made: list[rates.Case], load_years: list[list[Decimal]], billed: dict[tuple[int, int], ours.Bill]
) -> None:
    """A tenth of a cent more per kWh in one tier of one rate, and the comparison sees it."""
    case = next(one for one in made if one.kind == "tiered")
    wrong = {
        **case.rate,
        "energyratestructure": [
            [{**step, "rate": step["rate"] + Decimal("0.001")} for step in steps]
            for steps in case.rate["energyratestructure"]
        ],
    }
    months = outside.year(wrong, load_years[case.load])
    assert all(
        abs(float(billed[case.number, month].exact["energy"]) - bill.energy) > 10 * HALF_A_CENT
        for month, bill in enumerate(months, start=1)
    )
