"""Errors of metering: the published vectors, and each calculator against numbers worked out by hand."""

from decimal import Decimal

import pytest

from mingcha.kernel import errors

from .conftest import Work, results

YEAR = {"start": "2022-01-01", "end": "2023-01-01"}
D = Decimal


class TestMeterError:
    def test_ten_per_cent_slow_over_900_000_kwh_owes_50_000(self, work: Work) -> None:
        sheet = work(
            "meter-error", **YEAR, recorded_kwh="900000", error_pct="-10", meter_class="2", price="0.5"
        )
        assert results(sheet, "True energy") == [D("1000000.00")]
        assert (sheet.back_kwh, sheet.refund_kwh) == (D("50000.00"), D(0))
        assert (sheet.back_cny, sheet.refund_cny) == (D("25000.00"), D(0))
        assert sheet.penalty_max_cny is None
        assert [one.label("zh") for one in sheet.articles] == ["《供电营业规则（1996）》第80条第1项 [S]"]

    def test_a_fast_meter_is_refunded(self, work: Work) -> None:
        # ½ × 110000 × (1/1.1 − 1) = −5000
        sheet = work(
            "meter-error", **YEAR, recorded_kwh="110000", error_pct="10", meter_class="2", price="0.5"
        )
        assert (sheet.back_kwh, sheet.refund_kwh) == (D(0), D("5000.00"))
        assert (sheet.back_cny, sheet.refund_cny) == (D(0), D("2500.00"))

    @pytest.mark.parametrize(
        ("error", "beyond"), [("-2", False), ("2", False), ("-2.01", True), ("2.01", True)]
    )
    def test_the_class_is_the_limit_and_the_limit_is_inside(
        self, work: Work, error: str, beyond: bool
    ) -> None:
        sheet = work("meter-error", **YEAR, recorded_kwh="100000", error_pct=error, meter_class="2")
        assert (sheet.kwh != 0) is beyond
        assert any("inside its limit" in one.en for one in sheet.warnings) is not beyond

    def test_it_is_corrected_to_zero_error_not_to_the_limit(self, work: Work) -> None:
        # ½ × 97500 × (1/0.975 − 1) = 1250, and not the half per cent beyond the limit
        sheet = work("meter-error", **YEAR, recorded_kwh="97500", error_pct="-2.5", meter_class="2")
        assert sheet.kwh == D("1250.00")

    def test_errors_of_transformers_are_combined_and_judged_by_their_own_class(self, work: Work) -> None:
        # The meter is good, the CT is not: ε = −0.5 − 2.5 − 0.1 − 0.4 = −3.5 %
        sheet = work(
            "meter-error", **YEAR, recorded_kwh="965000", error_pct="-0.5", meter_class="1",
            ct_error_pct="-2.5", pt_error_pct="-0.1", drop_error_pct="-0.4",
        )  # fmt: skip
        assert results(sheet, "Combined error") == [D("-3.5")]
        assert sheet.kwh == D("17500.00")

    def test_act_over_the_change_of_law_is_split_and_both_articles_are_named(self, work: Work) -> None:
        sheet = work(
            "meter-error", start="2024-05-02", end="2024-07-01", recorded_kwh="900000", error_pct="-10",
            meter_class="2", price="0.6",
        )  # fmt: skip
        assert [(part.period.start.isoformat(), part.kwh) for part in sheet.parts] == [
            ("2024-05-02", D("25000.00")),
            ("2024-06-01", D("25000.00")),
        ]
        assert [one.value for one in sheet.articles] == ["80(1)", "81(1)"]
        assert [one.provisional for one in sheet.articles] == [False, True]

    def test_without_a_class_it_is_not_judged(self, work: Work) -> None:
        with pytest.raises(errors.DataError, match="--meter-class"):
            work("meter-error", **YEAR, recorded_kwh="1", error_pct="-10")


class TestPtDrop:
    def test_only_what_is_beyond_the_allowed_drop_is_owed(self, work: Work) -> None:
        # 99200 × (0.008 − 0.002) ÷ 0.992 = 600, the whole window
        sheet = work("pt-drop", **YEAR, recorded_kwh="99200", drop_pct="0.8", price="1")
        assert (sheet.kwh, sheet.cny) == (D("600.00"), D("600.00"))
        assert sheet.articles[0].value == "80(2)"

    def test_a_drop_at_the_limit_owes_nothing(self, work: Work) -> None:
        assert work("pt-drop", **YEAR, recorded_kwh="99200", drop_pct="0.2").kwh == 0


class TestWiring:
    @pytest.mark.parametrize(
        ("fault", "recorded", "owed"),
        [
            ("3p4w-one-lost", "10000", "5000.00"),
            ("3p4w-two-lost", "10000", "20000.00"),
            ("3p4w-one-ct-reversed", "10000", "20000.00"),
            ("3p4w-two-ct-reversed", "-10000", "40000.00"),
            ("3p4w-three-ct-reversed", "-10000", "20000.00"),
            ("3p3w-v-fuse", "10000", "10000.00"),
            ("3p3w-both-reversed", "-10000", "20000.00"),
        ],
    )
    def test_energy_recorded_times_k_less_one(self, work: Work, fault: str, recorded: str, owed: str) -> None:
        sheet = work("wiring", **YEAR, recorded_kwh=recorded, fault=fault, price="0.5")
        assert sheet.kwh == D(owed)
        assert sheet.cny == D(owed) / 2

    def test_k_by_power_factor(self, work: Work) -> None:
        # cos φ = 0.8, tan φ = 0.75: K = 2√3 ÷ (√3 + 0.75) = 1.39566104
        sheet = work("wiring", **YEAR, recorded_kwh="100000", fault="3p3w-u-fuse", power_factor="0.8")
        assert results(sheet, "Correction factor K") == [D("1.39566104")]
        assert sheet.kwh == D("39566.10")

    def test_k_of_ct_ratios(self, work: Work) -> None:
        # billed with 30, one CT is 40: K = (3/30) ÷ (2/30 + 1/40) = 12/11
        sheet = work(
            "wiring", **YEAR, recorded_kwh="110000", fault="3p4w-ct-ratio", ct_billed="30", ct_true="40"
        )
        assert sheet.kwh == D("10000.00")

    def test_a_standing_meter_falls_back_on_a_normal_month_and_says_why(self, work: Work) -> None:
        sheet = work(
            "wiring", start="2023-01-01", end="2023-03-02", recorded_kwh="100", fault="3p3w-currents-swapped",
            normal_kwh="3100", normal_days="31",
        )  # fmt: skip
        assert sheet.kwh == D("5900.00")
        assert any("stands still" in one.en for one in sheet.warnings)

    def test_a_standing_meter_without_a_normal_month_is_refused(self, work: Work) -> None:
        with pytest.raises(errors.DataError, match="--normal-kwh"):
            work("wiring", **YEAR, recorded_kwh="100", fault="3p3w-currents-swapped")

    def test_a_sign_that_contradicts_k_is_refused(self, work: Work) -> None:
        with pytest.raises(errors.DataError, match="negative energy"):
            work("wiring", **YEAR, recorded_kwh="10000", fault="3p4w-two-ct-reversed")

    def test_k_measured_on_site(self, work: Work) -> None:
        assert work("wiring", **YEAR, recorded_kwh="1000", k="0.8").refund_kwh == D("200.00")


class TestFuse:
    def test_by_k_of_the_table(self, work: Work) -> None:
        sheet = work("fuse", **YEAR, recorded_kwh="10000", fuse="3p4w-one-lost", price="0.5")
        assert (sheet.kwh, sheet.cny) == (D("5000.00"), D("2500.00"))
        assert sheet.articles[0].value == "81(2)"

    def test_by_a_normal_month_where_k_cannot_be_calculated(self, work: Work) -> None:
        sheet = work(
            "fuse",
            start="2023-04-01",
            end="2023-05-01",
            recorded_kwh="2000",
            normal_kwh="3100",
            normal_days="31",
        )
        assert sheet.kwh == D("1000.00")

    def test_it_never_refunds(self, work: Work) -> None:
        sheet = work(
            "fuse",
            start="2023-04-01",
            end="2023-05-01",
            recorded_kwh="4000",
            normal_kwh="3100",
            normal_days="31",
        )
        assert (sheet.kwh, sheet.refund_kwh) == (0, 0)
        assert any("recovering only" in one.en for one in sheet.warnings)


class TestCtPtFailure:
    def test_a_head_of_its_own_since_2024(self, work: Work) -> None:
        old = work("ct-pt-failure", **YEAR, recorded_kwh="6000", missing_pct="25")
        new = work(
            "ct-pt-failure", start="2025-01-01", end="2025-02-01", recorded_kwh="6000", missing_pct="25"
        )
        # s ÷ (1 − s) = 1/3
        assert old.kwh == new.kwh == D("2000.00")
        assert (old.articles[0].value, new.articles[0].value) == ("80(3)", "82")

    def test_by_k_and_by_a_normal_month(self, work: Work) -> None:
        assert work("ct-pt-failure", **YEAR, recorded_kwh="6000", k="1.5").kwh == D("3000.00")
        month = work(
            "ct-pt-failure", start="2025-01-01", end="2025-02-01", recorded_kwh="4000", normal_kwh="3000",
            normal_days="30",
        )  # fmt: skip
        assert month.refund_kwh == D("900.00")


class TestNormalMonth:
    def test_both_signs(self, work: Work) -> None:
        days = {"start": "2025-03-01", "end": "2025-03-31", "normal_kwh": "3100", "normal_days": "31"}
        assert work("normal-month", **days, recorded_kwh="2500").back_kwh == D("500.00")
        assert work("normal-month", **days, recorded_kwh="3500").refund_kwh == D("500.00")


class TestMultiplier:
    def test_units_times_difference_of_ratios(self, work: Work) -> None:
        sheet = work(
            "multiplier", **YEAR, used="40", true="60", start_index="100", end_index="350", price="0.6"
        )
        assert (sheet.kwh, sheet.cny) == (D("5000.00"), D("3000.00"))

    def test_a_multiplier_too_large_is_refunded(self, work: Work) -> None:
        assert work("multiplier", **YEAR, used="60", true="40", units="250").refund_kwh == D("5000.00")

    def test_a_register_that_rolled_over(self, work: Work) -> None:
        sheet = work(
            "multiplier", **YEAR, used="1", true="2", start_index="99950", end_index="50", digits="5"
        )
        assert sheet.kwh == D("100.00")

    def test_a_register_that_falls_is_refused(self, work: Work) -> None:
        with pytest.raises(errors.DataError, match="falls from 500 to 400"):
            work("multiplier", **YEAR, used="1", true="2", start_index="500", end_index="400")


class TestMissedReading:
    def test_what_the_register_moved_less_what_was_billed(self, work: Work) -> None:
        sheet = work(
            "missed-reading", **YEAR, start_index="1000", end_index="1500", multiplier="20",
            billed_kwh="7500", price="0.5",
        )  # fmt: skip
        assert (sheet.kwh, sheet.cny) == (D("2500.00"), D("1250.00"))

    def test_an_estimate_too_high_is_refunded(self, work: Work) -> None:
        assert work("missed-reading", **YEAR, units="300", billed_kwh="500").refund_kwh == D("200.00")
