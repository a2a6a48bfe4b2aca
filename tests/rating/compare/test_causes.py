"""Each cause a difference can have: shown where it is meant, and not where something merely looks like it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from mingcha.rating import compare

from .hand import Hand


@pytest.fixture
def hand() -> Hand:
    return Hand()


class TestPrice:
    def test_another_price_than_the_tariff_has(self, hand: Hand) -> None:
        hand.rated("energy", "100", "0.5")
        hand.billed("energy", "100", "0.6")
        assert hand.causes() == {"energy": "wrong_price"}

    def test_the_price_before_the_change_though_another_tariff_has_it(self, hand: Hand) -> None:
        hand.price("T1", "energy", "0.6", in_force_from=date(2019, 1, 1), in_force_to=date(2020, 1, 1))
        hand.price("T2", "energy", "0.6")
        hand.rated("energy", "100", "0.5")
        hand.billed("energy", "100", "0.6")
        assert hand.causes() == {"energy": "wrong_price"}

    def test_a_price_held_with_fewer_decimals_is_none(self, hand: Hand) -> None:
        hand.both("energy", "100", "0.5")
        hand.rated("fund", "20000", "0.00000312", amount="0.06")
        hand.billed("fund", "20000", "0.000003", amount="0.06")
        assert hand.causes() == {}


class TestTariff:
    def test_the_price_of_another_tariff(self, hand: Hand) -> None:
        hand.price("T2", "energy", "0.6")
        hand.rated("energy", "100", "0.5")
        hand.billed("energy", "100", "0.6")
        assert hand.causes() == {"energy": "wrong_tariff"}

    def test_a_price_the_other_tariff_had_only_before(self, hand: Hand) -> None:
        hand.price("T2", "energy", "0.6", in_force_to=date(2021, 1, 1))
        hand.rated("energy", "100", "0.5")
        hand.billed("energy", "100", "0.6")
        assert hand.causes() == {"energy": "wrong_price"}

    def test_a_line_that_names_another_tariff(self, hand: Hand) -> None:
        hand.rated("energy", "100", "0.5")
        hand.billed("energy", "100", "0.6", tariff_id="T9")
        assert hand.causes() == {"energy": "wrong_tariff"}

    def test_billed_without_periods_where_the_tariff_has_some(self, hand: Hand) -> None:
        hand.rated("energy", "60", "0.8", period="peak")
        hand.rated("energy", "40", "0.3", period="valley")
        hand.billed("energy", "100", "0.5", period="all")
        assert hand.causes() == {"energy": "wrong_tariff"}

    def test_periods_divided_wrongly_are_wrong_energy(self, hand: Hand) -> None:
        hand.rated("energy", "60", "0.8", period="peak")
        hand.rated("energy", "40", "0.3", period="valley")
        hand.billed("energy", "40", "0.8", period="peak")
        hand.billed("energy", "60", "0.3", period="valley")
        assert hand.causes() == {"energy": "wrong_kwh"}


class TestFactor:
    def test_the_factor_of_the_contract_forgotten(self, hand: Hand) -> None:
        hand.put("rt_contract", sid=1, agent_factor="1.2")
        hand.rated("energy", "100", "0.6")
        hand.billed("energy", "100", "0.5")
        assert hand.causes() == {"energy": "wrong_factor"}

    def test_a_factor_charged_that_the_contract_does_not_have(self, hand: Hand) -> None:
        hand.rated("energy", "100", "0.5")
        hand.billed("energy", "100", "0.75")
        assert hand.causes() == {"energy": "wrong_factor"}

    def test_another_quotient_is_no_factor(self, hand: Hand) -> None:
        hand.put("rt_contract", sid=1, agent_factor="1.2")
        hand.rated("energy", "100", "0.5")
        hand.billed("energy", "100", "0.7")
        assert hand.causes() == {"energy": "wrong_price"}

    def test_the_discount_on_demand_forgotten(self, hand: Hand) -> None:
        hand.rated("basic_demand", "200", "36")
        hand.billed("basic_demand", "200", "40")
        assert hand.causes() == {"basic_demand": "wrong_factor"}

    def test_the_percentage_of_the_power_factor(self, hand: Hand) -> None:
        hand.both("energy", "1000", "1")
        hand.rated("power_factor", "5", None, amount="50", base_amount="1000")
        hand.billed("power_factor", "2.5", None, amount="25", base_amount="1000")
        assert hand.causes() == {"power_factor": "wrong_factor"}


class TestFollows:
    def test_the_power_factor_on_another_base(self, hand: Hand) -> None:
        hand.rated("energy", "1000", "1")
        hand.billed("energy", "1000", "1.2")
        hand.rated("power_factor", "5", None, amount="50", base_amount="1000")
        hand.billed("power_factor", "5", None, amount="60", base_amount="1200")
        assert hand.causes() == {"energy": "wrong_price", "power_factor": "follows"}

    def test_another_percentage_because_the_energy_is_another(self, hand: Hand) -> None:
        hand.con.execute("UPDATE bill SET power_factor = 0.92")
        hand.put("rt_power", sid=1, wp="1000", wq="500")
        hand.rated("energy", "1000", "1")
        hand.billed("energy", "1200", "1")
        hand.rated("power_factor", "0.5", None, amount="5", base_amount="1000")
        hand.billed("power_factor", "-0.3", None, amount="-3.6", base_amount="1200")
        assert hand.causes() == {"energy": "wrong_kwh", "power_factor": "follows"}

    def test_nothing_to_follow_from(self, hand: Hand) -> None:
        hand.both("energy", "1000", "1")
        hand.rated("power_factor", "5", None, amount="50", base_amount="1000")
        hand.billed("power_factor", "5", None, amount="70", base_amount="1400")
        assert hand.causes() == {"power_factor": "other"}


class TestEnergy:
    def test_another_quantity(self, hand: Hand) -> None:
        hand.metered("5", stated="20", archive="20")
        hand.rated("energy", "100", "0.5")
        hand.billed("energy", "150", "0.5")
        assert hand.causes() == {"energy": "wrong_kwh"}

    def test_the_multiplier_on_the_reading(self, hand: Hand) -> None:
        hand.metered("5", stated="30", archive="20")
        hand.rated("energy", "100", "0.5")
        hand.billed("energy", "150", "0.5")
        assert hand.causes() == {"energy": "wrong_multiplier"}

    def test_another_multiplier_that_does_not_explain_it(self, hand: Hand) -> None:
        hand.metered("5", stated="30", archive="20")
        hand.rated("energy", "100", "0.5")
        hand.billed("energy", "120", "0.5")
        assert hand.causes() == {"energy": "wrong_kwh"}

    def test_no_multiplier_at_all(self, hand: Hand) -> None:
        hand.metered("5", stated="20", archive="20")
        hand.rated("energy", "100", "0.5")
        hand.billed("energy", "5", "0.5")
        assert hand.causes() == {"energy": "wrong_multiplier"}

    def test_large_quantities_do_not_overflow(self, hand: Hand) -> None:
        hand.metered("900000", stated="3000", archive="2000")
        hand.rated("energy", "1800000000", "0.5")
        hand.billed("energy", "2700000000", "0.5")
        assert hand.causes() == {"energy": "wrong_multiplier"}


class TestLoss:
    def test_a_loss_not_added(self, hand: Hand) -> None:
        hand.rated("energy", "110", "0.5")
        hand.rated("transformer_loss", "10", None)
        hand.billed("energy", "100", "0.5")
        assert hand.causes() == {"energy": "wrong_loss"}

    def test_another_loss(self, hand: Hand) -> None:
        hand.rated("energy", "110", "0.5")
        hand.rated("transformer_loss", "10", None)
        hand.billed("energy", "125", "0.5")
        hand.billed("transformer_loss", "25", None)
        assert hand.causes() == {"energy": "wrong_loss"}

    def test_the_same_loss_and_less_energy(self, hand: Hand) -> None:
        hand.rated("energy", "110", "0.5")
        hand.rated("transformer_loss", "10", None)
        hand.billed("energy", "100", "0.5")
        hand.billed("transformer_loss", "10", None)
        assert hand.causes() == {"energy": "wrong_kwh"}

    def test_a_loss_charged_by_itself_is_no_difference(self, hand: Hand) -> None:
        hand.rated("energy", "110", "0.5")
        hand.rated("transformer_loss", "10", None)
        hand.billed("energy", "100", "0.5")
        hand.billed("transformer_loss", "10", "0.5")
        assert hand.causes() == {}


class TestTier:
    def test_another_division(self, hand: Hand) -> None:
        hand.both("energy", "300", "0.5")
        hand.rated("tier", "100", "0.05", tier=2)
        hand.billed("tier", "60", "0.05", tier=2)
        hand.billed("tier", "40", "0.30", tier=3)
        assert hand.causes() == {"tier": "wrong_tier"}

    def test_more_energy_is_not_another_division(self, hand: Hand) -> None:
        hand.rated("energy", "300", "0.5")
        hand.billed("energy", "350", "0.5")
        hand.rated("tier", "100", "0.05", tier=2)
        hand.billed("tier", "150", "0.05", tier=2)
        assert hand.causes() == {"energy": "wrong_kwh", "tier": "wrong_kwh"}

    def test_another_addition_is_a_wrong_price(self, hand: Hand) -> None:
        hand.both("energy", "300", "0.5")
        hand.rated("tier", "100", "0.05", tier=2)
        hand.billed("tier", "100", "0.07", tier=2)
        assert hand.causes() == {"tier": "wrong_price"}

    def test_prices_by_tier_instead_of_additions_are_compared_as_a_whole(self, hand: Hand) -> None:
        hand.rated("energy", "300", "0.5")
        hand.rated("tier", "100", "0.05", tier=2)
        hand.billed("energy", "200", "0.5", tier=1)
        hand.billed("energy", "100", "0.55", tier=2)
        assert hand.causes() == {}
        hand.con.execute("UPDATE bill_line SET quantity = 120, amount = 66.00 WHERE tier = 2")
        hand.con.execute("UPDATE bill_line SET quantity = 180, amount = 90.00 WHERE tier = 1")
        difference = hand.compare()["energy"]
        assert difference["cause"] == "wrong_tier"
        assert (difference["billed_quantity"], difference["rerated_quantity"]) == (300, 300)


class TestComponents:
    def test_one_that_was_not_charged(self, hand: Hand) -> None:
        hand.both("energy", "100", "0.5")
        hand.rated("fund", "100", "0.03")
        assert hand.causes() == {"fund": "missing_component"}

    def test_one_that_is_not_due(self, hand: Hand) -> None:
        hand.both("energy", "100", "0.5")
        hand.billed("fund", "100", "0.03")
        assert hand.causes() == {"fund": "extra_component"}

    def test_one_of_nothing_is_not_missing(self, hand: Hand) -> None:
        hand.both("energy", "100", "0.5")
        hand.rated("tier", "100", "0", tier=1)
        hand.billed("fund", "0", "0.03")
        assert hand.causes() == {}


class TestBasic:
    def test_another_capacity(self, hand: Hand) -> None:
        hand.rated("basic_capacity", "315", "30")
        hand.billed("basic_capacity", "250", "30")
        assert hand.causes() == {"basic_capacity": "wrong_capacity"}

    def test_another_demand(self, hand: Hand) -> None:
        hand.rated("basic_demand", "200", "40")
        hand.billed("basic_demand", "180", "40")
        assert hand.causes() == {"basic_demand": "wrong_demand"}

    def test_a_whole_month_for_a_part_of_it(self, hand: Hand) -> None:
        hand.rated("basic_capacity", "315", "30", days=10, amount="3048.39")
        hand.billed("basic_capacity", "315", "30")
        assert hand.causes() == {"basic_capacity": "wrong_days"}

    def test_the_old_base_of_thirty_days(self, hand: Hand) -> None:
        hand.rated("basic_capacity", "315", "30", days=10, amount="3048.39")
        hand.billed("basic_capacity", "315", "30", days=10, amount="3150.00")
        assert hand.causes() == {"basic_capacity": "wrong_days"}

    def test_days_alike_and_another_price(self, hand: Hand) -> None:
        hand.rated("basic_capacity", "315", "30", days=10, amount="3048.39")
        hand.billed("basic_capacity", "315", "28", days=10, amount="2845.16")
        assert hand.causes() == {"basic_capacity": "wrong_price"}

    def test_an_amount_nothing_explains(self, hand: Hand) -> None:
        hand.rated("basic_capacity", "315", "30")
        hand.billed("basic_capacity", "315", "30", amount="9999.00")
        assert hand.causes() == {"basic_capacity": "other"}


class TestRounding:
    def test_one_fen_a_line(self, hand: Hand) -> None:
        hand.rated("energy", "100", "0.5", period="peak")
        hand.rated("energy", "100", "0.3", period="valley")
        hand.billed("energy", "100", "0.5", period="peak", amount="50.01")
        hand.billed("energy", "100", "0.3", period="valley", amount="30.01")
        assert hand.causes() == {"energy": "rounding"}

    def test_two_fen_on_one_line_are_more_than_rounding(self, hand: Hand) -> None:
        hand.rated("energy", "100", "0.5")
        hand.billed("energy", "100", "0.5", amount="50.02")
        assert hand.causes() == {"energy": "other"}

    def test_the_tolerance_is_a_parameter(self, hand: Hand) -> None:
        hand.rated("energy", "100", "0.5")
        hand.billed("energy", "100", "0.5", amount="50.02")
        assert hand.causes(compare.Tolerances(line_cny="0.05")) == {"energy": "rounding"}

    def test_a_component_of_one_fen_is_missing_not_rounded(self, hand: Hand) -> None:
        hand.both("energy", "100", "0.5")
        hand.rated("fund", "1", "0.01")
        assert hand.causes() == {"fund": "missing_component"}


class TestKept:
    def test_a_difference_with_its_numbers(self, hand: Hand) -> None:
        hand.both("energy", "10", "0.8", period="peak")
        hand.rated("energy", "100", "0.5", period="valley")
        hand.billed("energy", "120", "0.5", period="valley")
        (row,) = hand.compare().values()
        assert row == {
            "customer_id": "C1", "billing_period": "2026-03", "seq": 1, "component": "energy",
            "bill_id": "B1", "billed_amount": Decimal("68.00"), "rerated_amount": Decimal("58.00"),
            "difference": Decimal("10.00"), "billed_quantity": 130, "rerated_quantity": 110,
            "billed_price": Decimal("0.5"), "rerated_price": Decimal("0.5"), "cause": "wrong_kwh",
        }  # fmt: skip

    def test_a_settlement_with_a_gap_is_named_and_not_compared(self, hand: Hand) -> None:
        hand.put("rt_gap", sid=1, reason="no_price", detail="T1 fund")
        hand.con.execute("UPDATE bill SET amount = 12.34")
        hand.billed("energy", "100", "0.5")
        assert hand.compare() == {}
        (gap,) = hand.rows("rerated_gap")
        assert (gap["reason"], gap["bill_id"], gap["billed_amount"]) == ("no_price", "B1", Decimal("12.34"))
        assert hand.rows("rerated_bill") == []

    def test_several_bills_of_one_settlement_are_compared_together(self, hand: Hand) -> None:
        hand.settle(2, bills=("B2", "B20"), customer="C2")
        hand.rated("energy", "100", "0.5", sid=2)
        hand.billed("energy", "60", "0.5", bill_id="B2")
        hand.billed("energy", "40", "0.5", bill_id="B20")
        hand.compare()
        bill = next(row for row in hand.rows("rerated_bill") if row["customer_id"] == "C2")
        assert (bill["bill_ids"], bill["bills"], bill["amount"]) == ("B2,B20", 2, Decimal("50.00"))
        assert hand.rows("bill_difference") == []

    def test_a_bill_carries_its_weakest_grade_and_whose_prices_they_are(self, hand: Hand) -> None:
        hand.both(
            "energy",
            "100",
            "0.5",
        )
        hand.rated("fund", "100", "0.03", evidence="[K?]")
        hand.put("rt_power", sid=1, wp="900", wq="200")
        hand.compare()
        (bill,) = hand.rows("rerated_bill")
        assert (bill["evidence"], bill["own_prices"], bill["energy_kwh"]) == ("[K?]", False, 100)
        assert bill["power_factor"] == Decimal("0.98")

        hand.rated("system", "100", "0.01", evidence="own")
        hand.compare()
        (bill,) = hand.rows("rerated_bill")
        assert (bill["evidence"], bill["own_prices"]) == ("own", True)

    def test_the_power_factor_table_of_the_month(self, hand: Hand) -> None:
        old = {"standard": "0.90", "pf": "0.80", "pct": "9", "in_force_to": date(2020, 1, 1)}
        hand.put("tb_pf", **old, in_force_from=date(1983, 1, 1))
        hand.put("tb_pf", standard="0.90", pf="0.80", pct="5", in_force_from=date(2020, 1, 1))
        hand.compare()
        assert [row["pct"] for row in hand.rows("power_factor_table")] == [5]
