"""The same fact found again extends its episode; a clean month closes it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from mingcha.findings import jsontext
from mingcha.rules import book as books

from .conftest import BOOK, Utility, bill, customer


def year(**kwh: str) -> list[dict[str, Any]]:
    """Return one bill a month of 2026 with the energies given as m01="100"."""
    return [
        bill(f"B{month[1:]}", period=f"2026-{month[1:]}", energy_kwh=energy) for month, energy in kwh.items()
    ]


def facts(utility: Utility, run_id: str) -> list[tuple[str, str, list[str]]]:
    return [
        (row["episode_key"], row["finding_id"], jsontext.loads(row["evidence"])["_periods"])
        for row in utility.rows(run_id)
    ]


@pytest.fixture
def growing(utility: Utility) -> Utility:
    """Energy doubles and more in February, March and April, rests in May, jumps again in June."""
    kwh = {"m01": "100", "m02": "300", "m03": "900", "m04": "2700", "m05": "2700", "m06": "9000"}
    utility.deliver({"customer": [customer("C1")], "bill": year(**kwh)})
    return utility


class TestMonthlyRule:
    def test_gives_the_same_ids_when_the_same_books_are_screened_twice(self, growing: Utility) -> None:
        first = growing.screen("2026-03", rules=["COL-901"])
        second = growing.screen("2026-03", rules=["COL-901"])

        assert facts(growing, first.run_id) == facts(growing, second.run_id)
        assert first.run_id != second.run_id

    def test_extends_the_episode_month_by_month(self, growing: Utility) -> None:
        ids = {
            facts(growing, growing.screen(month, rules=["COL-901"]).run_id)[0][:2]
            for month in ("2026-02", "2026-03", "2026-04")
        }

        assert {key for key, _ in ids} == {"2026-02"}
        assert len(ids) == 1
        (row,) = growing.rows(growing.screen("2026-04", rules=["COL-901"]).run_id)
        assert (str(row["period_start"]), str(row["period_end"])) == ("2026-02-01", "2026-05-01")

    def test_makes_one_finding_of_an_unbroken_stretch_in_one_run(self, growing: Utility) -> None:
        months = [f"2026-{month:02d}" for month in range(2, 7)]

        result = growing.screen(*months, rules=["COL-901"])

        found = facts(growing, result.run_id)
        assert sorted((key, periods) for key, _, periods in found) == [
            ("2026-02", ["2026-02", "2026-04"]),
            ("2026-06", ["2026-06", "2026-06"]),
        ]
        assert result.per_rule[0].hits == 4
        assert result.per_rule[0].findings == 2

    def test_finds_the_same_ids_in_one_go_and_month_by_month(self, growing: Utility, tmp_path: Path) -> None:
        months = [f"2026-{month:02d}" for month in range(2, 7)]
        at_once = facts(growing, growing.screen(*months, rules=["COL-901"]).run_id)
        shutil.rmtree(growing.workspace.lake / "runs")

        by_month = {
            (key, finding_id)
            for month in months
            for key, finding_id, _ in facts(growing, growing.screen(month, rules=["COL-901"]).run_id)
        }

        assert by_month == {(key, finding_id) for key, finding_id, _ in at_once}

    def test_starts_anew_after_a_clean_month(self, growing: Utility) -> None:
        for month in ("2026-04", "2026-05"):
            growing.screen(month, rules=["COL-901"])

        found = facts(growing, growing.screen("2026-06", rules=["COL-901"]).run_id)

        assert [key for key, _, _ in found] == ["2026-06"]

    def test_keeps_the_id_when_an_earlier_month_is_screened_later(self, growing: Utility) -> None:
        march = facts(growing, growing.screen("2026-03", rules=["COL-901"]).run_id)
        february = facts(growing, growing.screen("2026-02", rules=["COL-901"]).run_id)
        again = facts(growing, growing.screen("2026-03", rules=["COL-901"]).run_id)

        assert march[0][1] == february[0][1] == again[0][1]

    def test_believes_the_newest_screening_of_the_month_before(self, growing: Utility) -> None:
        growing.screen("2026-03", rules=["COL-901"])
        growing.deliver({"bill": year(m03="300", m04="900")})
        growing.screen("2026-03", rules=["COL-901"])

        april = facts(growing, growing.screen("2026-04", rules=["COL-901"]).run_id)

        assert [key for key, _, _ in april] == ["2026-04"]

    def test_never_gives_one_id_to_two_stretches_of_a_run(self, growing: Utility) -> None:
        months = ("2026-02", "2026-03", "2026-04")
        growing.screen(*months, rules=["COL-901"])
        growing.deliver({"bill": year(m03="300", m04="900")})

        found = facts(growing, growing.screen(*months, rules=["COL-901"]).run_id)

        assert sorted(key for key, _, _ in found) == ["2026-02", "2026-04"]


class TestRowRule:
    def test_names_the_row_whatever_run_finds_it(self, utility: Utility) -> None:
        utility.deliver({"customer": [customer("C1")], "bill": [bill("B1", amount="2000")]})

        alone = facts(utility, utility.screen("2026-03").run_id)
        among_others = facts(utility, utility.screen("2026-02", "2026-03", "2026-04").run_id)

        assert alone == among_others
        assert alone[0][0] == "B1"


@pytest.fixture
def daily(tmp_path: Path) -> Utility:
    """The rule on jumps turned into a daily one whose run of days is the first `amount` days of the month."""
    root = tmp_path / "book"
    shutil.copytree(BOOK, root)
    folder = root / "collection" / "month_jump"
    sheet = folder / "rule.yaml"
    sheet.write_text(sheet.read_text().replace("{kind: month}", "{kind: day, gap_days: 3}"))
    query = folder / "query.sql"
    text = query.read_text()
    days = "CAST(:period_start + to_days(CAST(c.amount AS INTEGER)) AS DATE)"
    query.write_text(
        text.replace(":period_start AS period_start", f"{days} AS period_start").replace(
            ":period_end AS period_end", f"CAST({days} + INTERVAL 2 DAY AS DATE) AS period_end"
        )
    )
    return Utility(tmp_path / "ws", books.load(root=root))


class TestDailyRule:
    def deliver(self, utility: Utility, *, april_day: str) -> None:
        bills = [
            bill("B2", period="2026-02", energy_kwh="100"),
            bill("B3", period="2026-03", energy_kwh="300", amount="28"),
            bill("B4", period="2026-04", energy_kwh="900", amount=april_day),
        ]
        utility.deliver({"customer": [customer("C1")], "bill": bills})

    @pytest.mark.parametrize(
        ("april_day", "keys"), [("2", {"2026-03-29"}), ("3", {"2026-03-29", "2026-04-04"})]
    )
    def test_joins_days_over_gaps_up_to_the_limit(
        self, daily: Utility, april_day: str, keys: set[str]
    ) -> None:
        self.deliver(daily, april_day=april_day)

        at_once = facts(daily, daily.screen("2026-03", "2026-04", rules=["COL-901"]).run_id)
        assert {key for key, _, _ in at_once} == keys

        shutil.rmtree(daily.workspace.lake / "runs")
        apart = [
            facts(daily, daily.screen(month, rules=["COL-901"]).run_id) for month in ("2026-03", "2026-04")
        ]
        assert {found[0][0] for found in apart} == keys
