"""What can be ordered, and what is refused with words."""

from __future__ import annotations

import itertools
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mingcha.kernel import errors, periods
from mingcha.synth import generate
from mingcha.synth import plan as plans


def order(**changes: Any) -> plans.Plan:
    month = periods.BillingMonth.parse("2026-03")
    values: dict[str, Any] = {
        "out": Path("unused"),
        "customers": 5000,
        "months": 12,
        "seed": 1,
        "clean": False,
        "end_month": month,
        "data_date": plans.default_data_date(month),
        "daily_days": 31,
        "curve_share": Decimal("0.01"),
        "file_format": "parquet",
        "chunk_limit": plans.CHUNK,
    }
    return plans.Plan(**(values | changes))


class TestPlan:
    def test_window_ends_with_the_last_complete_month(self) -> None:
        plan = order(months=12)
        assert str(plan.first_month) == "2025-04"
        assert plan.data_date == date(2026, 4, 10)

    def test_daily_values_begin_with_a_month(self) -> None:
        assert order(daily_days=31).daily_from == date(2026, 3, 1)
        assert order(daily_days=69).daily_from == date(2026, 2, 1)

    def test_daily_values_never_begin_before_the_window(self) -> None:
        assert order(months=3, daily_days=900).daily_from == date(2026, 1, 1)

    def test_chunks_are_whole_cities_and_cover_every_customer_once(self) -> None:
        plan = order(customers=1_000_000)
        chunks = plan.chunks()
        assert chunks[0][0] == 1
        assert chunks[-1][1] == 1_000_001
        assert all(before[1] == after[0] for before, after in itertools.pairwise(chunks))
        assert all((low - 1) % plan.sizes.city == 0 for low, _ in chunks)

    @pytest.mark.parametrize(
        "changes",
        [
            {"customers": 99, "clean": True},
            {"customers": 2499},
            {"months": 2},
            {"months": 241},
            {"customers": 100_000_000},
            {"file_format": "xlsx"},
            {"curve_share": Decimal("1.1")},
            {"daily_days": 0},
            {"seed": -1},
        ],
    )
    def test_refuses_what_cannot_be_made_in_three_sentences(self, changes: dict[str, Any]) -> None:
        with pytest.raises(errors.SetupError) as refused:
            plans.check(order(**changes))
        assert refused.value.what
        assert refused.value.why
        assert refused.value.mend


class TestFolder:
    def test_a_folder_with_files_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
        with pytest.raises(errors.SetupError, match="not an empty folder"):
            generate.generate(out=tmp_path, customers=100, months=3, seed=1, clean=True)
        assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]

    def test_nothing_but_tables_and_the_answer_sheet_is_left(self, tmp_path: Path) -> None:
        made = generate.generate(out=tmp_path / "out", customers=100, months=3, seed=1, clean=True)
        names = {path.name for path in (tmp_path / "out").iterdir()}
        assert names == {f"{table}.parquet" for table in made.rows} | {"truth.csv"}

    def test_csv_holds_the_same_rows(self, tmp_path: Path) -> None:
        kinds = ("parquet", "csv")
        made = [
            generate.generate(
                out=tmp_path / kind, customers=120, months=3, seed=4, clean=True, file_format=kind
            )
            for kind in kinds
        ]
        assert made[0].rows == made[1].rows
        assert (tmp_path / "csv" / "bill.csv").read_text(encoding="utf-8").count("\n") == made[1].rows[
            "bill"
        ] + 1
