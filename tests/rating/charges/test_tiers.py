"""Tiers: annual and monthly ladders, opening in the year, large households, changes inside an interval."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from tests.rating.charges.hand import Hand, Row, amounts

D = Decimal
ADDERS = ("0", "0.05", "0.30")


def home(period: str = "2026-03", *, basis: str = "annual", measure: str = "total") -> tuple[Hand, int]:
    """A home on a tiered tariff, 0.50 per kWh, adders 0, 0.05 and 0.30; no kWh yet."""
    hand = Hand(period)
    tariff = hand.tariff("T", tier_id="test/home", tier_basis=basis, tier_measure=measure)
    hand.price(tariff, "energy", "0.5")
    for tier, price in enumerate(ADDERS, start=1):
        hand.price(tariff, "tier", price, tier=tier)
    sid = hand.settle()
    hand.point(sid, tariff=tariff)
    hand.contract(sid, tariff=tariff)
    return hand, sid


def annual(kwh: str, *, prior: str = "0", months: int = 12) -> Hand:
    hand, sid = home()
    hand.ladder("test/home", "2760", "4800", None)
    hand.energy(sid, kwh, tariff="T")
    hand.add("rt_prior", sid=sid, usage_point_id="P1", kwh=D(prior), months=months, complete=True)
    return hand


def monthly(kwh: str, *, started: date = date(2026, 3, 1), period: str = "2026-03") -> Hand:
    hand, sid = home(period, basis="monthly")
    hand.rows["rt_settlement"][0]["started_on"] = started
    for moy in range(1, 13):
        summer = 5 <= moy <= 10
        hand.ladder("test/home", *("260", "600", None) if summer else ("200", "400", None), moy=moy)
    hand.energy(sid, kwh, tariff="T", seg_from=started)
    return hand


def steps(lines: list[Row]) -> list[tuple[int, Decimal, Decimal]]:
    return [(line["tier"], line["quantity"], line["amount"]) for line in lines if line["component"] == "tier"]


@pytest.mark.parametrize(
    ("kwh", "prior", "expected"),
    [
        ("100", "0", [(1, "100", "0.00")]),
        ("2760", "0", [(1, "2760", "0.00")]),
        ("2760.01", "0", [(1, "2760", "0.00"), (2, "0.01", "0.00")]),
        ("100", "2700", [(1, "60", "0.00"), (2, "40", "2.00")]),
        ("100", "2760", [(2, "100", "5.00")]),
        ("3000", "2000", [(1, "760", "0.00"), (2, "2040", "102.00"), (3, "200", "60.00")]),
        ("50", "9000", [(3, "50", "15.00")]),
    ],
)
def test_annual_kwh_climb_from_where_the_year_stands(
    kwh: str, prior: str, expected: list[tuple[int, str, str]]
) -> None:
    hand = annual(kwh, prior=prior)
    lines = hand.rate()
    assert steps(lines) == [(tier, D(quantity), D(amount)) for tier, quantity, amount in expected]
    assert amounts(lines, "energy") == [(D(kwh) * D("0.5")).quantize(D("0.01"), "ROUND_HALF_UP")]


def test_a_tier_line_shows_the_ladder() -> None:
    line = annual("100", prior="2700").rate()[-1]
    assert line["formula"] == "kWh × price; 2760.00–4800.00 kWh, here 2700.00–2800.00"
    assert (line["period"], line["price"], line["component"]) == ("all", D("0.05"), "tier")


@pytest.mark.parametrize(("months", "first"), [(12, "2760"), (7, "1610"), (1, "230")])
def test_opening_in_the_year_shortens_the_ladder(months: int, first: str) -> None:
    assert steps(annual("9000", months=months).rate())[0] == (1, D(first), D(0))


def test_a_twelfth_is_rounded_to_a_hundredth_of_a_kwh() -> None:
    hand, sid = home()
    hand.ladder("test/home", "2000", "4000.06", None)
    hand.energy(sid, "9000", tariff="T")
    hand.add("rt_prior", sid=sid, usage_point_id="P1", kwh=D(0), months=5, complete=True)
    # 2000 × 5 ÷ 12 = 833.333…, 4000.06 × 5 ÷ 12 = 1666.6916…
    assert [quantity for _, quantity, _ in steps(hand.rate())] == [D("833.33"), D("833.36"), D("7333.31")]


def test_a_large_household_climbs_a_longer_ladder() -> None:
    hand = annual("9000")
    for row in hand.rows["tb_tier"]:
        row |= {"members": 5, "member_kwh": D("100")}
    hand.add(
        "entitlement", entitlement_id="E1", customer_id="C1", kind="many_members", valid_from=date(2026, 4, 1)
    )
    assert [quantity for _, quantity, _ in steps(hand.rate())] == [D(3960), D(2040), D(3000)]


@pytest.mark.parametrize(
    ("start", "end"), [(date(2026, 4, 2), None), (date(2020, 1, 1), date(2026, 4, 1))], ids=["later", "ended"]
)
def test_a_household_whose_proof_is_not_valid_on_the_reading_day_does_not(
    start: date, end: date | None
) -> None:
    hand = annual("9000")
    for row in hand.rows["tb_tier"]:
        row |= {"members": 5, "member_kwh": D("100")}
    hand.add("entitlement", customer_id="C1", kind="many_members", valid_from=start, valid_to=end)
    assert steps(hand.rate())[0][1] == D(2760)


def test_monthly_limits_are_those_of_the_month() -> None:
    assert [q for _, q, _ in steps(monthly("1000").rate())] == [D(200), D(200), D(600)]


def test_monthly_limits_of_several_months_add_up() -> None:
    # March to May: two winter months and a summer month
    hand = monthly("3000", started=date(2026, 3, 1), period="2026-05")
    hand.rows["rt_settlement"][0]["read_on"] = date(2026, 6, 1)
    assert [q for _, q, _ in steps(hand.rate())] == [D(660), D(740), D(1600)]


def test_less_than_a_month_has_the_limits_of_one() -> None:
    assert steps(monthly("1000", started=date(2026, 3, 20)).rate())[0][1] == D(200)


def test_more_than_a_year_counts_every_month() -> None:
    hand = monthly("9000", started=date(2025, 2, 26), period="2026-03")
    hand.rows["rt_settlement"][0]["read_on"] = date(2026, 3, 26)
    assert steps(hand.rate())[0][1] == D(7 * 200 + 6 * 260)


def test_segments_climb_in_the_order_of_time_when_the_adder_changes() -> None:
    hand, sid = home()
    hand.ladder("test/home", "2760", "4800", None)
    hand.rows["tb_price"] = [row for row in hand.rows["tb_price"] if row.get("tier") != 2]
    hand.price("T", "tier", "0.05", tier=2, in_force_to=date(2026, 3, 11))
    hand.price("T", "tier", "0.08", tier=2, in_force_from=date(2026, 3, 11))
    hand.energy(sid, "300", tariff="T", seg=2, seg_from=date(2026, 3, 11))
    hand.energy(sid, "100", tariff="T", seg=1, seg_to=date(2026, 3, 11))
    hand.add("rt_prior", sid=sid, usage_point_id="P1", kwh=D(2700), months=12, complete=True)
    lines = [line for line in hand.rate() if line["component"] == "tier"]
    assert [(line["tier"], line["quantity"], line["price"]) for line in lines] == [
        (1, D(60), D(0)), (2, D(40), D("0.05")), (2, D(300), D("0.08")),
    ]  # fmt: skip


def test_periods_climb_one_ladder_together() -> None:
    hand, sid = home()
    hand.rows["tb_price"] = [row for row in hand.rows["tb_price"] if row["component"] != "energy"]
    hand.price("T", "energy", "0.568", period="peak")
    hand.price("T", "energy", "0.288", period="valley")
    hand.ladder("test/home", "2760", "4800", None)
    hand.energy(sid, "150", tariff="T", period="valley")
    hand.energy(sid, "200", tariff="T", period="peak")
    hand.add("rt_prior", sid=sid, usage_point_id="P1", kwh=D(2500), months=12, complete=True)
    lines = hand.rate()
    assert amounts(lines, "energy") == [D("113.60"), D("43.20")]
    assert steps(lines) == [(1, D(260), D(0)), (2, D(90), D("4.50"))]


def test_prices_per_tier_make_energy_lines_per_tier() -> None:
    hand, sid = home(basis="monthly")
    hand.rows["tb_price"] = []
    for tier, price in enumerate(("0.538", "0.588", "0.838"), start=1):
        hand.price("T", "energy", price, tier=tier)
    hand.ladder("test/home", "230", "400", None, moy=3)
    hand.energy(sid, "500", tariff="T")
    lines = hand.rate()
    assert [(line["component"], line["tier"], line["quantity"], line["amount"]) for line in lines] == [
        ("energy", 1, D(230), D("123.74")), ("energy", 2, D(170), D("99.96")),
        ("energy", 3, D(100), D("83.80")),
    ]  # fmt: skip
    assert [line["line_no"] for line in lines] == [1001, 1002, 1003]


def test_each_period_may_have_a_ladder_of_its_own() -> None:
    hand, sid = home(basis="monthly", measure="period")
    hand.rows["tb_price"] = []
    for period, prices in (("peak", ("0.3", "0.4")), ("valley", ("0.1", "0.15"))):
        for tier, price in enumerate(prices, start=1):
            hand.price("T", "energy", price, tier=tier, period=period)
    hand.ladder("test/home", "100", None, moy=3, period="peak")
    hand.ladder("test/home", "50", None, moy=3, period="valley")
    hand.energy(sid, "120", tariff="T", period="peak")
    hand.energy(sid, "60", tariff="T", period="valley")
    lines = hand.rate()
    assert [(line["period"], line["tier"], line["quantity"], line["amount"]) for line in lines] == [
        ("peak", 1, D(100), D("30.00")), ("peak", 2, D(20), D("8.00")),
        ("valley", 1, D(50), D("5.00")), ("valley", 2, D(10), D("1.50")),
    ]  # fmt: skip
    assert hand.gaps == []


def test_one_ladder_for_all_periods_is_climbed_by_each_where_they_climb_alone() -> None:
    hand, sid = home(basis="monthly", measure="period")
    hand.rows["tb_price"] = []
    for period in ("peak", "valley"):
        for tier, price in enumerate(("0.3", "0.4"), start=1):
            hand.price("T", "energy", price, tier=tier, period=period)
    hand.ladder("test/home", "100", None, moy=3)
    hand.energy(sid, "120", tariff="T", period="peak")
    hand.energy(sid, "60", tariff="T", period="valley")
    assert [line["quantity"] for line in hand.rate()] == [D(100), D(20), D(60)]


class TestGaps:
    """What cannot be told is not guessed."""

    def test_no_limits(self) -> None:
        hand, sid = home()
        hand.rows["tb_tariff"][0]["tier_id"] = None
        hand.energy(sid, "10", tariff="T")
        assert hand.rate() == []
        assert hand.gaps == [(1, "unsupported")]

    def test_prices_by_period_and_tier_over_one_ladder(self) -> None:
        """The ladder counts all kWh; each tier is shared over the periods by kWh, the last takes the rest."""
        hand, sid = home(basis="monthly")
        hand.rows["tb_price"] = []
        for period, price in (("peak", "0.3"), ("valley", "0.1")):
            hand.price("T", "energy", price, tier=1, period=period)
            hand.price("T", "energy", f"1{price[1:]}", tier=2, period=period)
        hand.ladder("test/home", "10", None, moy=3)
        hand.energy(sid, "10", tariff="T", period="peak")
        hand.energy(sid, "5", tariff="T", period="valley")
        lines = [
            (line["period"], line["tier"], str(line["quantity"]), str(line["amount"])) for line in hand.rate()
        ]
        assert lines == [
            ("peak", 1, "6.6667", "2.00"),
            ("peak", 2, "3.3333", "4.33"),
            ("valley", 1, "3.3333", "0.33"),
            ("valley", 2, "1.6667", "1.83"),
        ]

    def test_no_history(self) -> None:
        hand, sid = home()
        hand.ladder("test/home", "2760", "4800", None)
        hand.energy(sid, "10", tariff="T")
        hand.rate()
        assert hand.gaps == [(1, "history_short")]

    def test_a_tier_without_price(self) -> None:
        hand = annual("100", prior="9000")
        hand.rows["tb_price"] = [row for row in hand.rows["tb_price"] if row["tier"] != 3]
        assert hand.rate() == []
        assert hand.gaps == [(1, "no_price")]

    def test_the_first_adder_may_be_left_out(self) -> None:
        hand = annual("2800")
        hand.rows["tb_price"] = [row for row in hand.rows["tb_price"] if row["tier"] != 1]
        assert steps(hand.rate()) == [(2, D(40), D("2.00"))]
        assert hand.gaps == []
