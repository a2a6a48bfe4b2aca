"""Lost voltage and current from curves: integrals small enough to be worked out by hand."""

from decimal import Decimal

import pytest

from mingcha.kernel import errors
from mingcha.recovery.asking import FileText

from .conftest import Work, results

D = Decimal
DAY = {"start": "2025-03-01", "end": "2025-03-02", "rated_voltage": "220", "rated_current": "5"}


def curve(*rows: str, head: str = "time,ua,ub,uc,ia,ib,ic,pf") -> FileText:
    return FileText("curve.csv", "\n".join([head, *rows]))


class TestLostVoltage:
    def test_the_healthy_phases_are_the_reference(self, work: Work) -> None:
        # a lost: U_ref = (221+219)/2 = 220; (220−20)·3·0.9·15 min·80 ÷ 60000 = 10.8 kWh, twice; then healthy
        rows = curve(
            "2025-03-01 00:00,20,221,219,3,3,3,0.9",
            "2025-03-01 00:15,20,221,219,3,3,3,0.9",
            "2025-03-01 00:30,220,221,219,3,3,3,0.9",
        )
        sheet = work("lost-voltage", **DAY, curve=rows, multiplier="80", price="0.5")
        assert (sheet.kwh, sheet.cny) == (D("21.60"), D("10.80"))
        assert results(sheet, "Missing in phase a") == [D("21.6")]

    def test_without_a_healthy_phase_the_rated_voltage_counts(self, work: Work) -> None:
        # three phases at 20 V: 3 × (220−20)·2·1·60 ÷ 60000 = 1.2 kWh
        rows = curve("2025-03-01 00:00,20,20,20,2,2,2,1")
        sheet = work("lost-voltage", **DAY, curve=rows, minutes="60")
        assert sheet.kwh == D("1.20")

    def test_no_current_is_no_loss(self, work: Work) -> None:
        rows = curve("2025-03-01 00:00,20,220,220,0.02,3,3,1")
        sheet = work("lost-voltage", **DAY, curve=rows, minutes="60")
        assert sheet.kwh == 0
        assert any("no point" in one.en for one in sheet.warnings)

    def test_factors_by_phase_take_the_healthy_ones(self, work: Work) -> None:
        rows = curve(
            "2025-03-01 00:00,0,220,220,3,3,3,0.1,0.8,1.0", head="time,ua,ub,uc,ia,ib,ic,pfa,pfb,pfc"
        )
        # 220 · 3 · 0.9 · 60 ÷ 60000
        assert work("lost-voltage", **DAY, curve=rows, minutes="60").kwh == D("0.59")

    def test_the_loss_is_split_by_the_days_it_happened_on(self, work: Work) -> None:
        rows = curve(
            "2024-05-31 23:00,0,220,220,10,3,3,1",
            "2024-06-01 00:00,0,220,220,5,3,3,1",
        )
        days = {**DAY, "start": "2024-05-31", "end": "2024-06-02"}
        sheet = work("lost-voltage", **days, curve=rows, minutes="60")
        assert [part.kwh for part in sheet.parts] == [D("2.20"), D("1.10")]

    def test_holes_are_told_and_not_filled(self, work: Work) -> None:
        rows = curve(
            "2025-03-01 00:00,0,220,220,10,3,3,1",
            "2025-03-01 00:15,0,220,220,10,3,3,1",
            "2025-03-01 00:30,0,220,220,10,3,3,1",
            "2025-03-01 02:00,0,220,220,10,3,3,1",
        )
        sheet = work("lost-voltage", **DAY, curve=rows)
        assert sheet.kwh == D("2.20")
        assert any("1 gaps" in one.en for one in sheet.warnings)

    def test_a_zone_written_beside_the_time_changes_no_day(self, work: Work) -> None:
        rows = curve("2025-03-01 00:00,0,220,220,10,3,3,1", "2025-03-01 23:00+08:00,0,220,220,10,3,3,1")
        assert work("lost-voltage", **DAY, curve=rows, minutes="60").kwh == D("4.40")

    def test_readings_outside_the_days_do_not_count(self, work: Work) -> None:
        rows = curve("2025-02-28 23:00,0,220,220,10,3,3,1", "2025-03-01 00:00,220,220,220,10,3,3,1")
        assert work("lost-voltage", **DAY, curve=rows, minutes="60").kwh == 0

    def test_the_share_missing_and_the_normal_month_follow_where_there_is_no_curve(self, work: Work) -> None:
        days = {"start": "2025-03-01", "end": "2025-03-31"}
        assert work("lost-voltage", **days, recorded_kwh="2000", missing_pct="33.333333").kwh == D("1000.00")
        assert (
            work("lost-voltage", **days, recorded_kwh="2000", normal_kwh="100", normal_days="1").kwh == 1000
        )


class TestLostCurrent:
    def test_the_mean_of_the_healthy_phases_is_the_reference(self, work: Work) -> None:
        # I_ref = (4+2)/2 = 3; 3·220·0.5·60 ÷ 60000 = 0.33 kWh × 40
        rows = curve("2025-03-01 00:00,220,220,220,0,4,2,0.5")
        sheet = work("lost-current", **DAY, curve=rows, minutes="60", multiplier="40")
        assert sheet.kwh == D("13.20")

    def test_shares_before_the_fault(self, work: Work) -> None:
        # phase a carried 40 of 100, b and c 30 each: I_ref = 6 × 0.4 ÷ 0.6 = 4
        rows = curve("2025-03-01 00:00,220,220,220,0,3,3,1")
        sheet = work("lost-current", **DAY, curve=rows, minutes="60", shares="0.4,0.3,0.3")
        assert sheet.kwh == D("0.88")

    def test_a_shunted_phase_is_named(self, work: Work) -> None:
        rows = curve("2025-03-01 00:00,220,220,220,1,3,3,1")
        assert work("lost-current", **DAY, curve=rows, minutes="60").kwh == 0
        assert work("lost-current", **DAY, curve=rows, minutes="60", phases="a").kwh == D("0.44")

    @pytest.mark.parametrize("shares", ["1,2", "a,b,c", "0,1,1"])
    def test_shares_that_are_none_are_refused(self, work: Work, shares: str) -> None:
        with pytest.raises(errors.DataError, match="three shares"):
            work("lost-current", **DAY, curve=curve("2025-03-01 00:00,220,220,220,1,3,3,1"), shares=shares)


class TestBadCurves:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "the column time is missing"),
            ("time,ua,ub,uc,ia,ib,ic\n", "no rows"),
            ("time,ua,ub,uc,ia,ib\n", "the column ic is missing"),
            ("time,ua,ub,uc,ia,ib,ic\nyesterday,1,1,1,1,1,1\n", "curve.csv:2: 'yesterday' is not a moment"),
            ("time,ua,ub,uc,ia,ib,ic\n2025-03-01 00:00,1,1,1,x,1,1\n", "curve.csv:2: ia"),
            ("time,ua,ub,uc,ia,ib,ic\n2025-03-01 00:00,1,1,1\n", "curve.csv:2 has not as many values"),
            (
                "time,ua,ub,uc,ia,ib,ic\n2025-03-01 00:15,1,1,1,1,1,1\n2025-03-01 00:15,1,1,1,1,1,1\n",
                "does not come after",
            ),
            ("time,ua,ub,uc,ia,ib,ic,pf\n2025-03-01 00:00,1,1,1,1,1,1,95\n", "outside -1 to 1"),
            ("time,ua,ub,uc,ia,ib,ic\n" + "x" * 200_000 + "\n", "curve.csv is not CSV"),
            ("time,ua,ub,uc,ia,ib,ic\n2025-04-01 00:00,1,1,1,1,1,1\n", "no point on the days"),
        ],
    )
    def test_are_told_with_file_and_line(self, work: Work, text: str, said: str) -> None:
        with pytest.raises(errors.DataError, match=r"curve|factor|point|CSV") as told:
            work("lost-voltage", **DAY, curve=FileText("curve.csv", text), minutes="15")
        assert said in told.value.what

    def test_no_power_factor_anywhere_is_told(self, work: Work) -> None:
        rows = curve("2025-03-01 00:00,0,220,220,3,3,3", head="time,ua,ub,uc,ia,ib,ic")
        with pytest.raises(errors.DataError, match="cos φ"):
            work("lost-voltage", **DAY, curve=rows, minutes="15")
