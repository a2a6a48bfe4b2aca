"""Breaches of contract (WY1 to WY5), theft and late fees, against numbers worked out by hand."""

from decimal import Decimal

import pytest

from mingcha.kernel import errors

from .conftest import Work, results

D = Decimal
OLD = {"start": "2024-01-01", "end": "2024-02-01"}
NEW = {"start": "2025-01-01", "end": "2025-02-01"}


class TestCategory:
    VALUES = {"recorded_kwh": "10000", "right_price": "0.85", "paid_price": "0.55"}  # noqa: RUF012

    def test_1996_is_twice_and_2024_is_up_to_twice(self, work: Work) -> None:
        old, new = work("category", **OLD, **self.VALUES), work("category", **NEW, **self.VALUES)
        assert old.cny == new.cny == D("3000.00")
        assert (old.penalty_min_cny, old.penalty_max_cny) == (D("6000.00"), D("6000.00"))
        assert (new.penalty_min_cny, new.penalty_max_cny) == (D("0.00"), D("6000.00"))
        assert (old.articles[0].value, new.articles[0].value) == ("100(1)", "101(1)")

    def test_start_unknown_is_three_months(self, work: Work) -> None:
        sheet = work("category", end="2025-06-15", start_unknown=True, **self.VALUES)
        assert (sheet.act.start.isoformat(), sheet.act.days) == ("2025-03-15", 92)

    def test_an_own_multiple_up_to_the_law(self, work: Work) -> None:
        assert work("category", **NEW, **self.VALUES, multiple="1.5").penalty_own_cny == D("4500.00")
        # Before 2024-06-01 the law leaves no choice.
        assert work("category", **OLD, **self.VALUES, multiple="1.5").penalty_own_cny == D("6000.00")
        with pytest.raises(errors.DataError, match="above the 2 times"):
            work("category", **NEW, **self.VALUES, multiple="2.1")

    def test_the_utilitys_own_mistake_bears_no_penalty(self, work: Work) -> None:
        sheet = work("category", **NEW, **self.VALUES, utility_fault=True)
        assert (sheet.cny, sheet.penalty_max_cny) == (D("3000.00"), None)

    def test_a_dearer_price_paid_is_refunded_without_penalty(self, work: Work) -> None:
        sheet = work("category", **NEW, recorded_kwh="10000", right_price="0.55", paid_price="0.85")
        assert (sheet.back_cny, sheet.refund_cny, sheet.penalty_max_cny) == (0, D("3000.00"), None)

    def test_prices_change_inside_the_window(self, work: Work) -> None:
        # 31 days, 310 kWh: 10 days at 0.3 and 21 at 0.4 of difference
        sheet = work(
            "category", **NEW, recorded_kwh="310", right_price=["0.8", "2025-01-11=0.9"], paid_price="0.5"
        )
        assert results(sheet, "Money") == [D("30.00"), D("84.00")]


class TestOverCapacity:
    def test_two_part_by_months(self, work: Work) -> None:
        # May under 1996, June to August (begun) under 2024: 100 kVA × 30 a month
        sheet = work(
            "over-capacity",
            start="2024-05-20",
            end="2024-08-05",
            parts="two",
            excess_kva="100",
            capacity_price="30",
        )
        assert [part.cny for part in sheet.parts] == [D("3000.00"), D("9000.00")]
        assert (sheet.penalty_min_cny, sheet.penalty_max_cny) == (D("9000.00"), D("36000.00"))

    def test_two_part_by_days_with_the_day_base_of_each_law(self, work: Work) -> None:
        # May: 12 days of 30; June: 30 of 30; July: 31 of 31; August: 4 of 31
        sheet = work(
            "over-capacity", start="2024-05-20", end="2024-08-05", parts="two", excess_kva="100",
            capacity_price="30", unit="day",
        )  # fmt: skip
        assert results(sheet, "Capacity charge") == [D("1200.00"), D("3000.00"), D("3000.00"), D("387.10")]

    def test_the_largest_excess_of_a_month_counts(self, work: Work) -> None:
        sheet = work(
            "over-capacity", start="2025-01-01", end="2025-03-01", parts="two",
            excess_kva=["100", "2025-01-20=150"], capacity_price=["30", "2025-02-01=32"],
        )  # fmt: skip
        assert results(sheet, "Capacity charge") == [D("4500.00"), D("4800.00")]

    @pytest.mark.parametrize("days", [OLD, NEW])
    def test_others_pay_50_a_kva_once(self, work: Work, days: dict[str, str]) -> None:
        sheet = work("over-capacity", **days, parts="single", excess_kva="80")
        assert (sheet.cny, sheet.penalty_min_cny, sheet.penalty_max_cny) == (0, D("4000.00"), D("4000.00"))

    def test_a_flat_sum_goes_by_the_largest_excess_of_the_days_that_count(self, work: Work) -> None:
        sheet = work(
            "over-capacity", **NEW, parts="single", excess_kva=["80", "2025-01-10=120", "2025-06-01=500"]
        )
        assert sheet.penalty_max_cny == D("6000.00")

    def test_demand_above_contract_with_unchanged_transformers_is_no_case(self, work: Work) -> None:
        values = {**NEW, "parts": "two", "excess_kva": "80", "capacity_price": "30", "demand_billed": True}
        assert (work("over-capacity", **values).cny, work("over-capacity", **values).penalty_max_cny) == (
            0,
            None,
        )
        assert any("105 %" in one.en for one in work("over-capacity", **values).warnings)
        assert work("over-capacity", **values, transformers_changed=True).cny == D("2400.00")

    def test_two_part_needs_a_price(self, work: Work) -> None:
        with pytest.raises(errors.DataError, match="--capacity-price"):
            work("over-capacity", **NEW, parts="two", excess_kva="80")


class TestSealed:
    def test_two_part_up_to_twice(self, work: Work) -> None:
        sheet = work("sealed", **NEW, parts="two", capacity_kva="315", capacity_price="20")
        assert (sheet.cny, sheet.penalty_min_cny, sheet.penalty_max_cny) == (D("6300.00"), 0, D("12600.00"))

    def test_others_pay_30_a_kva_each_time(self, work: Work) -> None:
        sheet = work("sealed", **NEW, parts="single", capacity_kva="80", times="3")
        assert (sheet.penalty_min_cny, sheet.penalty_max_cny) == (D("7200.00"), D("7200.00"))

    def test_sealed_for_excess_names_the_other_liability(self, work: Work) -> None:
        sheet = work("sealed", **NEW, parts="single", capacity_kva="80", sealed_for_excess=True)
        assert any("WY2" in one.en for one in sheet.warnings)


class TestFlatSums:
    @pytest.mark.parametrize(
        ("kind", "times", "sum_"), [("residential", "1", "500.00"), ("other", "2", "10000.00")]
    )
    def test_equipment_moved(self, work: Work, kind: str, times: str, sum_: str) -> None:
        for day in ("2024-05-31", "2024-06-01"):
            sheet = work("moved", on=day, customer_kind=kind, times=times)
            assert (sheet.penalty_min_cny, sheet.penalty_max_cny) == (D(sum_), D(sum_))

    def test_own_source(self, work: Work) -> None:
        assert work("private-connection", on="2025-01-01", source_kw="30").penalty_max_cny == D("15000.00")


class TestTheft:
    def test_a_direct_meter_of_20_a_at_unknown_time_is_28_433_kwh(self, work: Work) -> None:
        for end in ("2024-05-01", "2026-01-01"):
            sheet = work("theft", end=end, current_a="20", price="0.6")
            assert [round(power, 2) for power in results(sheet, "Capacity P") if power] == [D("13.16")]
            assert sheet.act.days == 180
            assert sheet.kwh == D("28433.35")
            assert round(sheet.kwh) == 28433

    def test_penalty_is_three_times_before_and_up_to_three_times_since(self, work: Work) -> None:
        old, new = (
            work("theft", end=end, current_a="20", price="0.6") for end in ("2024-05-01", "2026-01-01")
        )
        assert old.cny == new.cny == D("17060.01")
        assert (old.penalty_min_cny, old.penalty_max_cny) == (D("51180.03"), D("51180.03"))
        assert (new.penalty_min_cny, new.penalty_max_cny) == (D("0.00"), D("51180.03"))

    def test_time_over_the_change_of_law_is_split(self, work: Work) -> None:
        sheet = work("theft", end="2024-08-01", current_a="20", price="0.6")
        assert [part.period.days for part in sheet.parts] == [119, 61]
        assert sum(part.kwh for part in sheet.parts if part.kwh) == D("28433.35")
        assert sheet.penalty_min_cny == 3 * (sheet.parts[0].cny or 0)

    @pytest.mark.parametrize(
        ("values", "kwh"),
        [
            ({"current_a": "10", "phases": "single", "use": "lighting"}, "2376.00"),  # 2.2 × 180 × 6
            ({"load_kw": "5"}, "10800.00"),  # 5 × 180 × 12
            ({"load_kw": "5", "hours_per_day": "24"}, "21600.00"),
            ({"load_kw": "5", "hours": "100"}, "500.00"),
            ({"current_a": "5", "ct_ratio": "20", "phases": "single"}, "47520.00"),  # 22 × 180 × 12
            ({"current_a": "5", "ct_ratio": "10", "phases": "hv", "voltage_kv": "10"}, "1870614.87"),
            ({"load_kw": "50", "limit_kw": "30"}, "64800.00"),
            ({"proved_kwh": "1234.5"}, "1234.50"),
        ],
    )
    def test_the_ways_to_an_energy(self, work: Work, values: dict[str, str], kwh: str) -> None:
        assert work("theft", end="2026-01-01", **values).kwh == D(kwh)

    def test_known_days_count_by_themselves(self, work: Work) -> None:
        assert work("theft", start="2025-12-01", end="2025-12-31", load_kw="5").kwh == D("1800.00")

    def test_unknown_time_ends_where_supply_began_or_all_was_well(self, work: Work) -> None:
        sheet = work(
            "theft", end="2026-01-01", load_kw="5", supplied_since="2025-11-01", clean_on="2025-12-01"
        )
        assert (sheet.act.days, sheet.kwh) == (31, D("1860.00"))

    def test_metered_energy_is_deducted_unless_told_otherwise(self, work: Work) -> None:
        values = {"end": "2026-01-01", "load_kw": "5", "metered_kwh": "800"}
        assert work("theft", **values).kwh == D("10000.00")
        assert work("theft", **values, keep_metered=True).kwh == D("10800.00")
        assert work("theft", **{**values, "metered_kwh": "20000"}).kwh == 0

    @pytest.mark.parametrize(
        ("values", "said"),
        [
            ({}, "none or several"),
            ({"load_kw": "1", "current_a": "5"}, "none or several"),
            ({"proved_kwh": "1", "load_kw": "5"}, "stands beside"),
            ({"current_a": "5", "phases": "hv"}, "--voltage-kv"),
            ({"load_kw": "5", "hours_per_day": "25"}, "out of bounds"),
            ({"load_kw": "5", "hours": "5000"}, "more than 180 days"),
            ({"load_kw": "5", "clean_on": "2026-01-01"}, "nothing is left"),
        ],
    )
    def test_what_cannot_be_is_refused(self, work: Work, values: dict[str, str], said: str) -> None:
        with pytest.raises(errors.DataError) as told:
            work("theft", end="2026-01-01", **values)
        assert said in told.value.what


class TestLateFee:
    def test_others_cross_the_year(self, work: Work) -> None:
        # 11 days of 2023 at 2 ‰, 31 days of January at 3 ‰
        sheet = work(
            "late-fee", unpaid_cny="1000", due_on="2023-12-20", paid_on="2024-01-31", customer_kind="other"
        )
        assert results(sheet, "Fee") == [D("22.00"), D("93.00")]
        assert sheet.back_cny == D("115.00")

    def test_residential_is_one_permille_across_the_year(self, work: Work) -> None:
        sheet = work(
            "late-fee",
            unpaid_cny="1000",
            due_on="2023-12-20",
            paid_on="2024-01-31",
            customer_kind="residential",
        )
        assert sheet.back_cny == D("42.00")

    def test_from_the_day_after_the_due_day_to_the_day_of_payment(self, work: Work) -> None:
        sheet = work(
            "late-fee", unpaid_cny="5000", due_on="2025-03-10", paid_on="2025-03-11", customer_kind="other"
        )
        assert (sheet.act.days, sheet.back_cny) == (1, D("10.00"))

    def test_payments_in_part_lessen_what_follows(self, work: Work) -> None:
        # 10 days on 1000, then 10 days on 400
        sheet = work(
            "late-fee", unpaid_cny="1000", due_on="2025-03-01", paid_on="2025-03-21", customer_kind="other",
            paid="2025-03-11=600",
        )  # fmt: skip
        assert results(sheet, "Fee") == [D("20.00"), D("8.00")]

    def test_the_minimum_of_1996_and_its_end(self, work: Work) -> None:
        values = {"unpaid_cny": "100", "customer_kind": "residential"}
        assert work("late-fee", due_on="2023-03-01", paid_on="2023-03-04", **values).back_cny == D("1.00")
        assert work("late-fee", due_on="2025-03-01", paid_on="2025-03-04", **values).back_cny == D("0.30")

    def test_a_rate_agreed_in_the_contract(self, work: Work) -> None:
        values = {
            "unpaid_cny": "1000",
            "due_on": "2025-03-01",
            "paid_on": "2025-03-11",
            "customer_kind": "other",
        }
        assert work("late-fee", **values, agreed_permille="1.5").back_cny == D("15.00")
        with pytest.raises(errors.DataError, match="outside what may be agreed"):
            work("late-fee", **values, agreed_permille="5")

    def test_a_payment_in_time_owes_nothing_and_is_told(self, work: Work) -> None:
        with pytest.raises(errors.DataError, match="not after"):
            work("late-fee", unpaid_cny="1", due_on="2025-03-01", paid_on="2025-03-01", customer_kind="other")
