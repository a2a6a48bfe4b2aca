"""Basic charge: capacity by the day, demand in its forms, parts of a month under both laws; fixed charges."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from tests.rating.charges.hand import Hand, Row, amounts

D = Decimal
BASIC = ("basic_capacity", "basic_demand", "basic_demand_over")


def works(period: str = "2026-03", method: str = "capacity", **contract: Any) -> tuple[Hand, int]:
    """A two-part customer at 26.3 per kVA and 39 per kW, with the country's parameters; 1 kWh."""
    hand = Hand(period)
    tariff = hand.tariff("T", pf_base="energy")
    hand.price(tariff, "energy", "0.5")
    hand.price(tariff, "basic_capacity", "26.3", unit="CNY/kVA·month", evidence="[O]")
    hand.price(tariff, "basic_demand", "39", unit="CNY/kW·month", evidence="[O]")
    law = {"in_force_from": date(1996, 10, 8), "in_force_to": date(2024, 6, 1)}
    hand.parameter("basic.day_base", "30", document="1996", clause="84", **law)
    hand.parameter("basic.day_base", "calendar", document="2024", clause="?", in_force_from=date(2024, 6, 1))
    demands = {"floor_share": "0.40", "over_share": "1.05", "over_variant": "A", "discount_hours": "260"}
    for name, value in {**demands, "discount": "0.90"}.items():
        hand.parameter(f"demand.{name}", value, evidence="[K+]", document="1583")
    sid = hand.settle()
    hand.point(sid, tariff=tariff)
    hand.energy(sid, "1", tariff=tariff)
    hand.contract(sid, tariff=tariff, basic_charge_method=method, **contract)
    return hand, sid


def demand(hand: Hand, sid: int, kw: str, period: str = "all") -> None:
    hand.add("rt_demand", sid=sid, period=period, kw=D(kw))


def basic(hand: Hand) -> list[Row]:
    return [line for line in hand.rate() if line["component"] in BASIC]


class TestCapacity:
    """kVA × price, by the day where something changes."""

    def test_of_a_whole_month(self) -> None:
        hand, sid = works()
        hand.kva(sid, "630")
        (line,) = basic(hand)
        assert (line["component"], line["quantity"], line["unit"]) == ("basic_capacity", D(630), "kVA")
        assert (line["days"], line["amount"], line["formula"]) == (None, D("16569.00"), "kVA × price")
        assert (line["period"], line["usage_point_id"], line["evidence"]) == (None, None, "[O]")

    @pytest.mark.parametrize(
        ("period", "base", "first", "second"),
        [("2024-05", 30, "4734.00", "13465.60"), ("2024-07", 31, "4581.29", "13031.23")],
        ids=["1996", "2024"],
    )
    def test_of_a_change_in_the_month(self, period: str, base: int, first: str, second: str) -> None:
        hand, sid = works(period)
        start, end = hand.month.start, hand.month.end
        change = start.replace(day=16)
        hand.kva(sid, "360", start, change)
        hand.kva(sid, "960", change, end)
        lines = basic(hand)
        assert [(line["days"], line["amount"]) for line in lines] == [(15, D(first)), (16, D(second))]
        assert lines[0]["formula"] == f"kVA × price × 15 ÷ {base}"
        assert (lines[0]["seg_from"], lines[0]["seg_to"]) == (start, change)
        for line in lines:
            assert D(line["amount"]) == _half_up(
                Fraction(line["quantity"] * line["price"]) * line["days"] / base
            )

    def test_under_the_law_of_1996_a_long_month_in_parts_is_more_than_a_month(self) -> None:
        hand, sid = works("2024-05")
        hand.kva(sid, "360", date(2024, 5, 1), date(2024, 5, 16))
        hand.kva(sid, "360.01", date(2024, 5, 16), date(2024, 6, 1))
        assert sum(amounts(basic(hand))) == D("4734.00") + D("5049.74") > D("360.01") * D("26.3")

    def test_of_a_customer_opened_and_closed_within_the_month(self) -> None:
        hand, sid = works()
        hand.rows["customer"][0] |= {"opened_on": date(2026, 3, 5), "closed_on": date(2026, 3, 20)}
        hand.kva(sid, "100")
        (line,) = basic(hand)
        assert (line["days"], line["amount"]) == (15, _half_up(Fraction(2630) * 15 / 31))

    def test_nothing_is_owed_while_nothing_runs(self) -> None:
        hand, sid = works()
        hand.kva(sid, "315", end=date(2026, 3, 11))
        hand.kva(sid, "0", date(2026, 3, 11))
        (line,) = basic(hand)
        assert (line["days"], line["quantity"]) == (10, D(315))

    def test_stretches_alike_are_one(self) -> None:
        hand, sid = works()
        hand.rows["rt_contract"][0]["seg_to"] = date(2026, 3, 10)
        hand.contract(sid, tariff="T", basic_charge_method="capacity", seg_from=date(2026, 3, 10))
        hand.kva(sid, "630", end=date(2026, 3, 20))
        hand.kva(sid, "630", date(2026, 3, 20))
        (line,) = basic(hand)
        assert (line["days"], line["amount"]) == (None, D("16569.00"))

    def test_a_change_of_price_makes_two(self) -> None:
        hand, sid = works()
        for row in hand.rows["tb_price"]:
            if row["component"] == "basic_capacity":
                row["in_force_to"] = date(2026, 3, 16)
        hand.price("T", "basic_capacity", "25.9", in_force_from=date(2026, 3, 16))
        hand.kva(sid, "630")
        assert [(line["price"], line["days"]) for line in basic(hand)] == [(D("26.3"), 15), (D("25.9"), 16)]

    def test_the_days_count_their_source_and_evidence_only_when_used(self) -> None:
        hand, sid = works("2024-05")
        for row in hand.rows["tb_parameter"]:
            if row["name"] == "basic.day_base":
                row["evidence"] = "[K?]"
        hand.kva(sid, "630", end=date(2024, 5, 11))
        hand.kva(sid, "0", date(2024, 5, 11))
        (line,) = basic(hand)
        assert (line["source"], line["evidence"]) == ("测试价格〔2026〕1号 附表; 1996 84", "[K?]")

    def test_only_the_last_settlement_of_the_month_bears_it(self) -> None:
        hand, sid = works()
        hand.rows["rt_settlement"][0] |= {"last": False}
        hand.kva(sid, "630")
        assert basic(hand) == []
        assert hand.gaps == []

    def test_no_such_price_no_charge(self) -> None:
        hand, sid = works()
        hand.rows["tb_price"] = hand.rows["tb_price"][:1]
        hand.kva(sid, "630")
        assert basic(hand) == []
        assert hand.gaps == []

    def test_no_such_form_no_charge(self) -> None:
        hand, sid = works(method="none")
        hand.kva(sid, "630")
        assert basic(hand) == []

    def test_unknown_capacity_is_a_gap(self) -> None:
        hand, sid = works()
        hand.kva(sid, "630", end=date(2026, 3, 20))
        assert basic(hand) == []
        assert hand.gaps == [(1, "no_capacity")]

    def test_an_offered_form_without_price_is_a_gap(self) -> None:
        hand, sid = works()
        del hand.rows["tb_price"][1]
        hand.kva(sid, "630")
        assert basic(hand) == []
        assert hand.gaps == [(1, "no_price")]

    def test_the_exact_amount_keeps_twelve_decimals(self) -> None:
        hand, sid = works()
        hand.kva(sid, "333.3333", end=date(2026, 3, 8))
        hand.kva(sid, "0", date(2026, 3, 8))
        (line,) = basic(hand)
        whole = Fraction(line["quantity"] * line["price"]) * 7 / 31
        assert Fraction(line["exact"]) == Fraction(int(whole * 10**12), 10**12)
        assert (line["exact"], line["remainder"]) == (D("1979.569694516129"), D("-0.00030548"))


class TestDemand:
    """Actual demand, contract demand with its floor and overrun, the discount for hours of use."""

    def test_actual_as_printed_on_a_bill(self) -> None:
        hand, sid = works(method="demand_actual", contract_capacity_kva="80000")
        demand(hand, sid, "30844")
        (line,) = basic(hand)
        assert (line["component"], line["unit"], line["amount"]) == ("basic_demand", "kW", D("1202916.00"))

    def test_actual_is_rounded_to_a_hundredth(self) -> None:
        hand, sid = works(method="demand_actual", contract_capacity_kva="800")
        demand(hand, sid, "100.005")
        assert basic(hand)[0]["quantity"] == D("100.01")

    @pytest.mark.parametrize(
        ("kw", "variant", "expected"),
        [
            ("900", "A", [("basic_demand", "1000", "39000.00")]),
            ("1050", "A", [("basic_demand", "1000", "39000.00")]),
            ("1050.01", "A", [("basic_demand", "1000", "39000.00"), ("basic_demand_over", "0.02", "0.78")]),
            ("1100", "A", [("basic_demand", "1000", "39000.00"), ("basic_demand_over", "100", "3900.00")]),
            ("1050", "B", [("basic_demand", "1000", "39000.00")]),
            ("1100", "B", [("basic_demand", "1050", "40950.00"), ("basic_demand_over", "100", "3900.00")]),
        ],
    )
    def test_of_the_contract(self, kw: str, variant: str, expected: list[tuple[str, str, str]]) -> None:
        hand, sid = works(method="demand_contract", contract_demand_kw="1000", contract_capacity_kva="2000")
        for row in hand.rows["tb_parameter"]:
            if row["name"] == "demand.over_variant":
                row["value"] = variant
        demand(hand, sid, kw)
        lines = basic(hand)
        assert [(line["component"], line["quantity"], line["amount"]) for line in lines] == [
            (component, D(quantity), D(amount)) for component, quantity, amount in expected
        ]
        assert {line["evidence"] for line in lines} == {"[K+]"}

    def test_variant_a_bills_eleven_hundred(self) -> None:
        hand, sid = works(method="demand_contract", contract_demand_kw="1000", contract_capacity_kva="2000")
        demand(hand, sid, "1100")
        lines = basic(hand)
        assert sum(line["quantity"] for line in lines) == D(1100)
        assert [line["formula"] for line in lines] == [
            "max(1000.00, 0.40 × 2000.00) × price", "2 × (1100.00 − 1.05 × 1000.00) × price",
        ]  # fmt: skip

    def test_at_least_forty_per_cent_of_capacity(self) -> None:
        hand, sid = works(method="demand_contract", contract_demand_kw="700", contract_capacity_kva="2000")
        demand(hand, sid, "840.01")
        assert [line["quantity"] for line in basic(hand)] == [D(800), D("0.02")]

    @pytest.mark.parametrize(("kwh", "price"), [("519999.99", "39"), ("520000", "35.1")])
    def test_two_hundred_and_sixty_hours_make_it_cheaper(self, kwh: str, price: str) -> None:
        hand, sid = works(method="demand_actual", contract_capacity_kva="2000")
        hand.rows["rt_energy"][0]["kwh"] = D(kwh)
        demand(hand, sid, "1000")
        (line,) = basic(hand)
        assert (line["price"], line["amount"]) == (D(price), D(price) * 1000)

    def test_the_hours_count_all_points_and_settlements_of_the_month(self) -> None:
        hand, sid = works(method="demand_contract", contract_demand_kw="1000", contract_capacity_kva="2000")
        first = hand.settle(sid=2, seq=1, last=False)
        hand.point(first, tariff="T")
        hand.energy(first, "200000", tariff="T")
        hand.point(sid, "P1b", tariff="T", main=False)
        hand.energy(sid, "319999", tariff="T", usage_point_id="P1b")
        demand(hand, sid, "1100")
        lines = basic(hand)
        assert [line["price"] for line in lines] == [D("35.1"), D("35.1")]
        assert lines[0]["formula"] == (
            "max(1000.00, 0.40 × 2000.00) × (39.0000 × 0.90, 520000.00 kWh ÷ 2000.00 kVA ≥ 260)"
        )

    def test_capacity_is_never_cheaper(self) -> None:
        hand, sid = works(contract_capacity_kva="630")
        hand.rows["rt_energy"][0]["kwh"] = D(900000)
        hand.kva(sid, "630")
        assert basic(hand)[0]["price"] == D("26.3")

    def test_by_the_day_where_the_contract_changes(self) -> None:
        hand, sid = works(method="demand_contract", contract_demand_kw="1000", contract_capacity_kva="2000")
        hand.rows["rt_contract"][0]["seg_to"] = date(2026, 3, 11)
        hand.contract(sid, tariff="T", basic_charge_method="demand_contract", contract_demand_kw="1200",
                      contract_capacity_kva="2000", seg_from=date(2026, 3, 11))  # fmt: skip
        demand(hand, sid, "1100")
        lines = basic(hand)
        assert [(line["component"], line["quantity"], line["days"]) for line in lines] == [
            ("basic_demand", D(1000), 10), ("basic_demand_over", D(100), 10), ("basic_demand", D(1200), 21),
        ]  # fmt: skip
        assert len({line["line_no"] for line in lines}) == 3

    def test_running_capacity_does_not_cut_a_demand_in_pieces(self) -> None:
        hand, sid = works(method="demand_actual", contract_capacity_kva="2000")
        hand.kva(sid, "1000", end=date(2026, 3, 11))
        hand.kva(sid, "2000", date(2026, 3, 11))
        demand(hand, sid, "800")
        assert [line["days"] for line in basic(hand)] == [None]

    def test_priced_by_period(self) -> None:
        hand, sid = works(method="demand_actual")
        hand.rows["tb_price"] = hand.rows["tb_price"][:1]
        hand.price("T", "basic_demand", "12", period="peak")
        hand.price("T", "basic_demand", "3", period="valley")
        demand(hand, sid, "50", "peak")
        demand(hand, sid, "80", "valley")
        assert [(line["period"], line["amount"]) for line in basic(hand)] == [
            ("peak", D("600.00")), ("valley", D("240.00")),
        ]  # fmt: skip

    def test_not_read_is_a_gap(self) -> None:
        hand, _ = works(method="demand_actual", contract_capacity_kva="2000")
        assert basic(hand) == []
        assert hand.gaps == [(1, "no_demand")]

    def test_a_form_left_open_is_capacity_where_that_has_a_price(self) -> None:
        hand, sid = works(method="capacity")
        hand.rows["rt_contract"][0]["basic_charge_method"] = None
        hand.kva(sid, "630")
        assert [line["component"] for line in basic(hand)] == ["basic_capacity"]


class TestFixed:
    """Fixed charges per month and per day."""

    def fixed(self, unit: str, price: str, **more: Any) -> Hand:
        hand, _ = works(method="none")
        hand.price("T", "fixed", price, unit=unit, **more)
        return hand

    def lines(self, hand: Hand) -> list[tuple[Decimal, int | None, Decimal]]:
        return [
            (line["quantity"], line["days"], line["amount"])
            for line in hand.rate()
            if line["component"] == "other"
        ]

    def test_per_month_once_whatever_the_days(self) -> None:
        hand = self.fixed("USD/month", "12.5")
        hand.rows["rt_settlement"][0]["started_on"] = date(2026, 3, 9)
        assert self.lines(hand) == [(D(1), None, D("12.50"))]

    def test_per_month_over_several_months(self) -> None:
        hand = self.fixed("USD/month", "12.5")
        hand.rows["rt_settlement"][0]["started_on"] = date(2026, 1, 5)
        assert self.lines(hand) == [(D(3), None, D("37.50"))]

    def test_per_day(self) -> None:
        assert self.lines(self.fixed("USD/day", "0.333")) == [(D(31), 31, D("10.32"))]

    def test_per_day_with_a_new_price(self) -> None:
        hand = self.fixed("USD/day", "0.3", in_force_to=date(2026, 3, 11))
        hand.price("T", "fixed", "0.4", unit="USD/day", in_force_from=date(2026, 3, 11))
        assert self.lines(hand) == [(D(10), 10, D("3.00")), (D(21), 21, D("8.40"))]

    def test_per_month_only_in_the_last_settlement(self) -> None:
        hand = self.fixed("USD/month", "12.5")
        hand.rows["rt_settlement"][0]["last"] = False
        assert self.lines(hand) == []


def _half_up(value: Fraction) -> Decimal:
    return D(int(value * 100 + Fraction(1, 2))) / 100
