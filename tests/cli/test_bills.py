"""`mingcha bills`: months re-rated, one bill explained, all compared, in both languages and as JSON."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path

import pytest

from audit.bills.conftest import ALTERED, deliver
from mingcha.store import workspace as workspaces
from mingcha.synth import generate

from .conftest import Run, three_parts


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A utility of two months whose bills of March have wrong prices here and there."""
    folder = tmp_path_factory.mktemp("bills")
    books = folder / "books"
    generate.generate(out=books, customers=150, months=3, seed=11, clean=True, file_format="parquet")
    place = workspaces.Workspace.create(folder / "工作区")
    deliver(place, books, altered=ALTERED)
    return place.path


class TestRerate:
    def test_says_that_every_live_bill_is_accounted_for(self, mingcha: Run, works: Path) -> None:
        ran = mingcha("bills", "rerate", "-w", works)
        assert ran.code == 0
        assert "2026-03: 现行账单 " in ran.out
        assert " + 未能复算 0；" in ran.out
        english = mingcha("bills", "rerate", "-w", works, "--lang", "en").out
        assert "= rated " in english
        assert "(made before)" in english

    def test_several_months_as_json(self, mingcha: Run, works: Path) -> None:
        ran = mingcha("bills", "rerate", "-w", works, "--period", "2026-02", "--period", "2026-03", "--json")
        months = ran.document["months"]
        assert [month["period"] for month in months] == ["2026-02", "2026-03"]
        for month in months:
            assert month["bills"] == month["rated"] + month["not_rated"] > 100
            assert month["difference_cny"] == month["billed_cny"] - month["amount_cny"]
        assert mingcha("bills", "rerate", "-w", works, "--all", "--json").document["months"][1:] != []

    def test_one_customer_is_shown_and_not_kept(self, mingcha: Run, works: Path) -> None:
        bill = mingcha("bills", "compare", "-w", works, "--json").document["bills"][0]
        asked = ("bills", "rerate", "-w", works, "--customer", bill["customer_id"])
        (row,) = mingcha(*asked, "--json").document["bills"]
        assert row["bill_ids"] == bill["bill_id"]
        assert row["rerated_amount"] == bill["rerated_amount"]
        assert bill["customer_id"] in mingcha(*asked, "--lang", "en").out

    @pytest.mark.parametrize(
        "more",
        [
            ("--all", "--period", "2026-03"),
            ("--period", "2026-3"),
            ("--customer", "C-none"),
            ("--snapshot", "s0009-00000000"),
        ],
    )
    def test_refuses_what_contradicts_itself_or_is_not_there(
        self, mingcha: Run, works: Path, more: tuple[str, ...]
    ) -> None:
        ran = mingcha("bills", "rerate", "-w", works, *more)
        assert ran.code == 2
        assert three_parts(ran.err)

    def test_an_empty_workspace_has_nothing_to_rate(self, mingcha: Run, workspace: Path) -> None:
        ran = mingcha("bills", "rerate", "-w", workspace)
        assert ran.code == 2
        assert "nothing was delivered" in ran.err


class TestExplain:
    def test_tells_the_whole_bill_in_both_languages_and_as_json(self, mingcha: Run, works: Path) -> None:
        bill = mingcha("bills", "compare", "-w", works, "--json").document["bills"][0]
        chinese = mingcha("bills", "explain", bill["bill_id"], "-w", works)
        english = mingcha("bills", "explain", bill["bill_id"], "-w", works, "--lang", "en")
        document = mingcha("bills", "explain", bill["bill_id"], "-w", works, "--json").document

        assert (chinese.code, english.code) == (0, 0)
        assert "逐项计算，旁列账单" in chinese.out
        assert "Line by line, the bill beside" in english.out
        assert f"{bill['rerated_amount']:,.2f}" in chinese.out
        assert document["totals"]["amount"] == bill["rerated_amount"]
        assert sum(line["amount"] for line in document["lines"]) == bill["rerated_amount"]
        assert document["lines"][0]["prices"][0]["document"]

    def test_refuses_a_bill_that_is_not_there(self, mingcha: Run, works: Path) -> None:
        ran = mingcha("bills", "explain", "B-none", "-w", works)
        assert ran.code == 2
        assert three_parts(ran.err)


class TestCompare:
    def test_sums_by_cause_and_lists_bills(self, mingcha: Run, works: Path) -> None:
        ran = mingcha("bills", "compare", "-w", works, "--limit", "1")
        assert ran.code == 0
        assert "单价有误" in ran.out
        assert "--limit 0 shows all" in ran.err
        assert "Wrong price" in mingcha("bills", "compare", "-w", works, "--lang", "en").out

    def test_json_and_files_agree(self, mingcha: Run, works: Path, tmp_path: Path) -> None:
        document = mingcha("bills", "compare", "-w", works, "--tolerance", "0", "--json").document
        target = tmp_path / "d.csv"
        written = mingcha("bills", "compare", "-w", works, "--tolerance", "0", "--out", target, "--json")
        rows = list(csv.DictReader(io.StringIO(target.read_text(encoding="utf-8-sig"))))

        assert written.document == {"out": str(target), "format": "csv", "rows": len(rows)}
        assert len(document["bills"]) == document["over_tolerance"] == document["months"][0]["differing"]
        assert sum(Decimal(row["difference"]) for row in rows) == sum(
            group["difference"] for group in document["by_cause"]
        )
        streamed = mingcha("bills", "compare", "-w", works, "--tolerance", "0", "--format", "json").document
        assert len(streamed) == len(rows)
        sheet = mingcha("bills", "compare", "-w", works, "--out", tmp_path / "d.xlsx")
        assert (sheet.code, (tmp_path / "d.xlsx").is_file()) == (0, True)

    @pytest.mark.parametrize(
        "more",
        [
            ("--tolerance", "much"),
            ("--tolerance", "-1"),
            ("--format", "pdf"),
            ("--format", "xlsx"),
            ("--format", "table", "--out", "t.txt"),
        ],
    )
    def test_refuses_what_it_cannot_write(self, mingcha: Run, works: Path, more: tuple[str, ...]) -> None:
        ran = mingcha("bills", "compare", "-w", works, *more)
        assert ran.code == 2
        assert three_parts(ran.err)
