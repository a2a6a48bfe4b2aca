"""What holds for every bill: parts make the whole, lines add up, order does not matter, tiers are whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rating.charges.hand import Hand, Row

D = Decimal
FEN = D("0.01")
START, END = date(2026, 3, 1), date(2026, 4, 1)
PERIODS = ("sharp", "peak", "flat", "valley", "deep_valley")
KWH = st.integers(0, 10**8).map(lambda n: D(n) / 100)
PRICE = st.integers(0, 2 * 10**8).map(lambda n: D(n) / 10**8)
DAY = st.integers(1, 30).map(lambda n: START + timedelta(days=n))


@dataclass(frozen=True)
class Case:
    """A customer-month: kWh by period before and after a day, prior kWh of the year, months in service."""

    before: tuple[Decimal, ...]
    after: tuple[Decimal, ...]
    cut: date
    prior: Decimal
    months: int
    many: bool


CASES = st.lists(
    st.builds(
        Case,
        before=st.tuples(*[KWH] * 5),
        after=st.tuples(*[KWH] * 5),
        cut=DAY,
        prior=st.one_of(st.just(D(0)), KWH.map(lambda kwh: (kwh / 100).quantize(FEN))),
        months=st.integers(1, 12),
        many=st.booleans(),
    ),
    min_size=8,
    max_size=8,
)
PRICES = st.fixed_dictionaries(
    dict.fromkeys((*PERIODS, "grid_loss", "transmission", "system", "fund", "tier 2", "tier 3"), PRICE)
)
Kwh = Callable[[Case], tuple[Decimal, ...]]


def utility(prices: dict[str, Decimal]) -> Hand:
    """Tariff T: five periods, network and fund, annual tiers of 2160 and 4800 kWh with adders."""
    hand = Hand()
    hand.tariff("T", tier_id="test/home", tier_basis="annual", tier_measure="total")
    for period in PERIODS:
        hand.price("T", "energy", str(prices[period]), period=period)
    for component in ("grid_loss", "transmission", "system", "fund"):
        hand.price("T", component, str(prices[component]))
    for tier, price in ((1, D(0)), (2, prices["tier 2"]), (3, prices["tier 3"])):
        hand.price("T", "tier", str(price), tier=tier)
    hand.ladder("test/home", "2160", "4800.5", None, member_kwh=D(100))
    return hand


def settled(hand: Hand, case: Case, sid: int, kwh: tuple[Decimal, ...], **more: Any) -> None:
    """One settlement with kWh by period and the year's kWh before it."""
    prior = more.pop("prior", case.prior)
    hand.settle(sid=sid, customer=more.pop("customer", f"C{sid}"), **more)
    hand.point(sid, tariff="T")
    hand.contract(sid, tariff="T")
    for period, each in zip(PERIODS, kwh, strict=True):
        hand.energy(sid, str(each), tariff="T", period=period)
    hand.add("rt_prior", sid=sid, usage_point_id=f"P{sid}", kwh=prior, months=case.months, complete=True)


def exact(lines: list[Row]) -> dict[tuple[str, str | None, int | None], Decimal]:
    """Exact amounts by component, period and tier."""
    found: dict[tuple[str, str | None, int | None], Decimal] = {}
    for line in lines:
        key = (line["component"], line["period"], line["tier"])
        found[key] = found.get(key, D(0)) + line["exact"]
    return {key: value for key, value in found.items() if value}


@settings(max_examples=10, deadline=None)
@given(cases=CASES, prices=PRICES)
def test_a_period_cut_at_any_day_costs_the_same(cases: list[Case], prices: dict[str, Decimal]) -> None:
    """Whole in one settlement, cut into two settlements, and cut into two segments of one."""
    hand = utility(prices)
    for number, case in enumerate(cases):
        whole = tuple(a + b for a, b in zip(case.before, case.after, strict=True))
        first, name = 10 * number, f"C{number}"
        settled(hand, case, first + 1, whole)
        settled(hand, case, first + 2, case.before, read_on=case.cut, customer=name, last=False)
        settled(hand, case, first + 3, case.after, started_on=case.cut, customer=name, seq=2,
                prior=case.prior + sum(case.before))  # fmt: skip
        settled(hand, case, first + 4, case.before)
        for row in hand.rows["rt_energy"][-5:]:
            row["seg_to"] = case.cut
        for period, each in zip(PERIODS, case.after, strict=True):
            hand.energy(first + 4, str(each), tariff="T", period=period, seg=2, seg_from=case.cut)
    lines = hand.rate()
    for number in range(len(cases)):
        of = {part: [line for line in lines if line["sid"] == 10 * number + part] for part in (1, 2, 3, 4)}
        assert exact(of[1]) == exact(of[2] + of[3]) == exact(of[4])


@settings(max_examples=10, deadline=None)
@given(cases=CASES, prices=PRICES)
def test_lines_are_whole(cases: list[Case], prices: dict[str, Decimal]) -> None:
    """Each line is its quantity × price rounded half up; tiers and periods both add up to the kWh."""
    hand = utility(prices)
    for sid, case in enumerate(cases, start=1):
        settled(hand, case, sid, case.after)
        if case.many:
            hand.add("entitlement", entitlement_id=f"E{sid}", customer_id=f"C{sid}", kind="many_members",
                     valid_from=date(2020, 1, 1))  # fmt: skip
    lines = hand.rate()
    assert hand.gaps == []
    for sid, case in enumerate(cases, start=1):
        mine = [line for line in lines if line["sid"] == sid]
        kwh = sum(case.after)
        for line in mine:
            assert line["exact"] == line["quantity"] * line["price"]
            assert line["amount"] == line["exact"].quantize(FEN, ROUND_HALF_UP)
            assert line["remainder"] == (line["exact"] - line["amount"]).quantize(D("1e-8"), ROUND_HALF_UP)
            assert line["quantity"] > 0
        assert len({line["line_no"] for line in mine}) == len(mine)
        for component in ("energy", "tier", "grid_loss", "transmission", "system", "fund"):
            assert sum(line["quantity"] for line in mine if line["component"] == component) == kwh
        assert [line["quantity"] for line in mine if line["component"] == "tier"] == climbed(case, kwh)


@settings(max_examples=6, deadline=None)
@given(cases=CASES, prices=PRICES, seed=st.integers(0, 2**32))
def test_the_order_of_rows_does_not_matter(cases: list[Case], prices: dict[str, Decimal], seed: int) -> None:
    hand, shuffled = utility(prices), utility(prices)
    for sid, case in enumerate(cases, start=1):
        for each in (hand, shuffled):
            settled(each, case, sid, case.after)
            each.rows["rt_contract"][-1]["basic_charge_method"] = "capacity"
            each.kva(sid, "315", end=case.cut)
            each.kva(sid, "630", case.cut)
    for each in (hand, shuffled):
        each.price("T", "basic_capacity", "26.3")
    chance = Random(seed)
    for rows in shuffled.rows.values():
        chance.shuffle(rows)
    assert hand.rate() == shuffled.rate()


@settings(max_examples=10, deadline=None)
@given(kva=KWH.filter(bool), price=PRICE, cuts=st.sets(DAY, max_size=6), contracts=st.sets(DAY, max_size=3))
def test_cuts_that_change_nothing_change_no_basic_charge(
    kva: Decimal, price: Decimal, cuts: set[date], contracts: set[date]
) -> None:
    hand = Hand()
    hand.tariff("T")
    hand.price("T", "basic_capacity", str(price + 1))
    hand.settle()
    for start, end in spans(cuts):
        hand.kva(1, str(kva), start, end)
    for start, end in spans(contracts):
        hand.contract(1, tariff="T", basic_charge_method="capacity", seg_from=start, seg_to=end)
    (line,) = hand.rate()
    assert (line["days"], line["exact"]) == (None, kva * (price + 1))


@settings(max_examples=10, deadline=None)
@given(kva=st.lists(KWH.filter(bool), min_size=7, max_size=7), cuts=st.sets(DAY, max_size=6))
def test_stretches_of_a_calendar_month_cover_it(kva: list[Decimal], cuts: set[date]) -> None:
    hand = Hand()
    hand.tariff("T")
    hand.price("T", "basic_capacity", "26.3")
    hand.settle()
    hand.contract(1, tariff="T", basic_charge_method="capacity")
    for (start, end), each in zip(spans(cuts), kva, strict=False):
        hand.kva(1, str(each), start, end)
    lines = hand.rate()
    assert sum(line["days"] or 31 for line in lines) == 31
    owed = sum(
        (D("26.3") * each * (end - start).days for (start, end), each in zip(spans(cuts), kva, strict=False)),
        D(0),
    )
    assert abs(sum(line["exact"] for line in lines) - owed / 31) < D("1e-11")


def spans(cuts: set[date]) -> list[tuple[date, date]]:
    """The month cut at the days."""
    days = [START, *sorted(cuts), END]
    return list(pairwise(days))


def climbed(case: Case, kwh: Decimal) -> list[Decimal]:
    """kWh per tier, as a person would count them."""
    found, stands, left = [], case.prior, kwh
    for limit in (D(2160), D("4800.5")):
        upper = (limit * case.months / 12).quantize(FEN, ROUND_HALF_UP) + (
            100 * case.months if case.many else 0
        )
        part = min(left, max(upper - stands, D(0)))
        found.append(part)
        stands, left = stands + part, left - part
    return [part for part in (*found, left) if part]
