"""Days: the look-back limit, the split by law, energy by reading period, dated prices."""

from datetime import date
from decimal import Decimal

import pytest

from mingcha.kernel import errors
from mingcha.kernel.periods import Period
from mingcha.recovery import figures
from mingcha.recovery.asking import FileText

from .conftest import Work, results

D = Decimal
METER = {"error_pct": "-10", "meter_class": "2"}


class TestLookBack:
    def test_three_years_for_others(self, work: Work) -> None:
        # 1461 days recorded, 1096 of them after 2022-01-01
        sheet = work("wiring", start="2021-01-01", end="2025-01-01", recorded_kwh="14610", k="2")
        assert sheet.window == Period(date(2022, 1, 1), date(2025, 1, 1))
        assert sheet.act.start == date(2021, 1, 1)
        assert sheet.kwh == D("10960.00")
        assert results(sheet, "Look-back") == [D(365)]
        assert any("cut 365 days" in one.en for one in sheet.warnings)

    def test_twelve_months_in_the_market_since_october_2025(self, work: Work) -> None:
        days = {"start": "2024-01-01", "end": "2025-11-01", "recorded_kwh": "6700", "k": "2"}
        assert work("wiring", **days, market=True).window.start == date(2024, 11, 1)
        assert work("wiring", **days).window.start == date(2024, 1, 1)

    def test_before_that_the_market_knew_no_limit_of_its_own(self, work: Work) -> None:
        sheet = work("wiring", start="2023-01-01", end="2025-09-01", recorded_kwh="1", k="2", market=True)
        assert sheet.window == sheet.act

    def test_one_looks_back_from_the_day_it_was_found(self, work: Work) -> None:
        sheet = work(
            "wiring", start="2021-01-01", end="2022-01-01", found_on="2024-07-01", recorded_kwh="365", k="2"
        )
        assert (sheet.window.start, sheet.kwh) == (date(2021, 7, 1), D("184.00"))

    def test_a_limit_of_ones_own_and_none(self, work: Work) -> None:
        days = {"start": "2015-01-01", "end": "2025-01-01", "recorded_kwh": "3653", "k": "2"}
        assert work("wiring", **days, lookback_months="6").window.start == date(2024, 7, 1)
        assert work("wiring", **days, lookback_months="0").kwh == D("3653.00")

    def test_an_act_wholly_beyond_the_limit_is_refused(self, work: Work) -> None:
        with pytest.raises(errors.Refusal, match="more than 36 months"):
            work(
                "wiring", start="2019-01-01", end="2020-01-01", found_on="2024-07-01", recorded_kwh="1", k="2"
            )

    def test_the_half_of_a_meter_error_is_taken_after_the_cut_and_that_is_told(self, work: Work) -> None:
        sheet = work("meter-error", start="2021-01-01", end="2025-01-01", recorded_kwh="14610", **METER)
        # ½ × 10960 × (1/0.9 − 1)
        assert sheet.kwh == D("608.89")
        assert any("half first would give more" in one.en for one in sheet.warnings)


class TestLaw:
    def test_the_text_of_the_day_decides(self, work: Work) -> None:
        for end, value in (("2024-06-01", "81(1)"), ("2024-06-02", "82(1)")):
            sheet = work("wiring", start="2024-05-01", end=end, recorded_kwh="100", k="2")
            assert sheet.articles[-1].value == value

    def test_before_1996_there_is_no_text(self, work: Work) -> None:
        with pytest.raises(errors.Refusal, match="no law for 1996-10-07"):
            work("moved", on="1996-10-07", customer_kind="other")

    def test_articles_to_be_verified_and_figures_are_listed(self, work: Work) -> None:
        sheet = work("theft", end="2026-01-01", load_kw="5", price="1")
        names = {one.name for one in sheet.provisional}
        assert {"law.article.theft", "theft.days", "theft.hours.power", "theft.multiple"} <= names
        sure = work("moved", on="2025-01-01", customer_kind="residential")
        assert sure.provisional == ()

    def test_a_figure_of_the_lowest_grade_makes_an_estimate(self, work: Work) -> None:
        def estimate(**values: str) -> bool:
            sheet = work("theft", end="2026-01-01", **values)
            return any("may not be charged" in one.en for one in sheet.warnings)

        assert estimate(current_a="20")  # whether basic or maximum current is meant in 2024 is not known
        assert not estimate(load_kw="20")


class TestEnergyByPeriods:
    ROWS = "from,to,kwh\n2025-01-01,2025-02-01,310\n2025-02-01,2025-03-01,2800\n"

    def test_parts_follow_the_energy_and_not_the_days(self, work: Work) -> None:
        days = {"start": "2025-01-01", "end": "2025-03-01", "k": "2", "price": ["0.5", "2025-02-01=0.6"]}
        sheet = work("wiring", **days, energy=FileText("e.csv", self.ROWS))
        assert results(sheet, "Energy [") == [D("310.00"), D("2800.00")]
        assert sheet.cny == D("155.00") + D("1680.00")

    def test_days_inside_a_row_share_it_evenly(self, work: Work) -> None:
        sheet = work(
            "wiring", start="2025-01-22", end="2025-02-15", k="2", energy=FileText("e.csv", self.ROWS)
        )
        assert sheet.kwh == D("100.00") + D("1400.00")

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("from,to,kwh\n2025-01-01,2025-02-01,310\n", "no energy for 2025-02-01"),
            ("from,to,kwh\n2025-01-05,2025-03-01,310\n", "no energy for 2025-01-01"),
            ("from,to,kwh\n2025-01-01,2025-02-02,1\n2025-02-01,2025-03-01,1\n", "two rows hold 2025-02-01"),
            ("from,to,kwh\n2025-02-01,2025-02-01,1\n", "e.csv:2: 2025-02-01 to 2025-02-01 holds no day"),
            ("from,until,kwh\n", "the column to is missing"),
            ("from,to,kwh\n2025-01-01,2025-02-01,1e5\n", "'1e5' is not a number"),
        ],
    )
    def test_rows_that_cannot_be_used_are_told(self, work: Work, text: str, said: str) -> None:
        with pytest.raises(errors.DataError) as told:
            work("wiring", start="2025-01-01", end="2025-03-01", k="2", energy=FileText("e.csv", text))
        assert said in told.value.what

    def test_energy_is_given_once(self, work: Work) -> None:
        for energy in ({}, {"recorded_kwh": "1", "energy": FileText("e.csv", self.ROWS)}):
            with pytest.raises(errors.DataError, match="twice or not at all"):
                work("wiring", start="2025-01-01", end="2025-03-01", k="2", **energy)

    def test_the_last_part_takes_the_rest_and_says_so(self, work: Work) -> None:
        sheet = work("wiring", start="2024-05-01", end="2024-07-01", k="2", recorded_kwh="100.01")
        last = sheet.parts[-1].steps[0]
        assert (last.rounding, last.working.en) == ("rest", "100.01 − 50.82")
        assert [part.kwh for part in sheet.parts] == [D("50.82"), D("49.19")]


class TestPrices:
    def test_without_a_price_there_is_energy_and_no_money(self, work: Work) -> None:
        sheet = work("wiring", start="2025-01-01", end="2025-03-01", k="2", recorded_kwh="100")
        assert (sheet.back_kwh, sheet.back_cny, sheet.refund_cny) == (D("100.00"), None, None)

    def test_a_day_without_a_price_is_told(self, work: Work) -> None:
        with pytest.raises(errors.DataError, match="no price for 2025-01-01"):
            work(
                "wiring",
                start="2025-01-01",
                end="2025-03-01",
                k="2",
                recorded_kwh="100",
                price="2025-02-01=0.6",
            )


class TestFigures:
    def test_months_end_where_they_end(self) -> None:
        assert figures.add_months(date(2024, 3, 31), -1) == date(2024, 2, 29)
        assert figures.add_months(date(2025, 12, 31), -36) == date(2022, 12, 31)
        assert figures.add_months(date(2024, 11, 30), 3) == date(2025, 2, 28)

    @pytest.mark.parametrize(
        ("value", "said"),
        [("-0.00", "0"), ("1200", "1200"), ("0.650", "0.65"), ("1E+3", "1000"), ("-10", "-10")],
    )
    def test_numbers_are_written_plainly(self, value: str, said: str) -> None:
        assert figures.shown(D(value)) == said
