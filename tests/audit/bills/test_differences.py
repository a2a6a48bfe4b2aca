"""Bills compared: sums, lists and exports that agree with each other."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path

import pytest
import python_calamine

from mingcha.audit import differences
from mingcha.findings import jsontext
from mingcha.kernel import errors
from mingcha.kernel.periods import BillingMonth
from mingcha.store import workspace

from .conftest import MADE_AT, deliver

TOLERANCE = Decimal("0.10")


def test_sums_lists_and_counts_agree(faulty: workspace.Workspace) -> None:
    with differences.opened(workspace=faulty, made_at=MADE_AT) as found:
        lines = list(found.lines(Decimal(0)))
        bills = list(found.bills(Decimal(0)))
        sums = found.by_cause(Decimal(0))
        assert found.count(Decimal(0)) == len(bills) == found.months[0].differing
        assert sum(row["difference"] for row in sums) == sum(row["difference"] for row in lines)
        assert sum(row["difference"] for row in bills) == sum(row["difference"] for row in lines)
        assert sum(row["too_much"] - row["too_little"] for row in sums) == sum(r["difference"] for r in sums)
        whole = found.months[0].billed_amount - found.months[0].amount
        # The bill's own total was not altered, only its lines.
        assert whole == 0
        assert {row["cause"] for row in sums} >= {"wrong_price", "missing_component"}


def test_the_tolerance_cuts_both_ways(faulty: workspace.Workspace) -> None:
    with differences.opened(workspace=faulty, made_at=MADE_AT) as found:
        sizes = sorted(abs(row["difference"]) for row in found.bills(Decimal(0)))
        middle = sizes[len(sizes) // 2]
        every, some = found.count(Decimal(0)), found.count(middle)
        assert 0 < some < every
        assert len(list(found.bills(middle))) == some
        assert found.count(Decimal(10**9)) == 0
        assert len(list(found.bills(Decimal(0), limit=2))) == 2


def test_largest_first_with_the_cause_that_matters(faulty: workspace.Workspace) -> None:
    with differences.opened(workspace=faulty, made_at=MADE_AT) as found:
        bills = list(found.bills(TOLERANCE))
    sizes = [abs(row["difference"]) for row in bills]
    assert sizes == sorted(sizes, reverse=True)
    assert all(row["cause"] not in ("follows", "rounding") for row in bills)


def test_exports_hold_the_same_rows(faulty: workspace.Workspace, tmp_path: Path) -> None:
    with differences.opened(workspace=faulty, made_at=MADE_AT) as found:
        rows = list(found.lines(TOLERANCE))
        asked = {"tolerance": TOLERANCE, "language": "zh"}
        for kind in differences.FORMATS:
            written = found.export(target=tmp_path / f"d.{kind}", kind=kind, **asked)  # type: ignore[arg-type]
            assert written == len(rows) > 10
    told = jsontext.loads((tmp_path / "d.json").read_text(encoding="utf-8"))
    assert [row["difference"] for row in told] == [row["difference"] for row in rows]
    text = (tmp_path / "d.csv").read_text(encoding="utf-8-sig")
    read = list(csv.DictReader(io.StringIO(text)))
    assert [row["bill_id"] for row in read] == [row["bill_id"] for row in rows]
    assert [Decimal(row["difference"]) for row in read] == [row["difference"] for row in rows]
    book = python_calamine.CalamineWorkbook.from_path(str(tmp_path / "d.xlsx"))
    head, *sheet = book.get_sheet_by_name("账单差异").to_python()
    assert head[0] == "账单编号"
    assert len(sheet) == len(rows)
    assert "单价有误" in {row[head.index("疑似原因")] for row in sheet}


def test_bills_without_lines_cannot_be_compared(books: Path, tmp_path: Path) -> None:
    place = workspace.Workspace.create(tmp_path / "w")
    deliver(place, books, without=("bill_line",))
    with (
        pytest.raises(errors.Refusal, match="bill_line not delivered"),
        differences.opened(workspace=place, made_at=MADE_AT),
    ):
        pass


class TestOfCustomers:
    def test_some_customers_are_rated_alone_as_among_all(self, honest: workspace.Workspace) -> None:
        with differences.opened(workspace=honest, made_at=MADE_AT) as found:
            wanted = found.con.execute(
                "SELECT customer_id, amount FROM rerated_bill ORDER BY hash(customer_id) LIMIT 5"
            ).fetchall()
        alone = differences.of_customers(
            workspace=honest, customers=[name for name, _ in wanted], periods=[BillingMonth(2026, 3)]
        )
        assert sorted((row["customer_id"], row["rerated_amount"]) for row in alone) == sorted(wanted)

    def test_one_that_is_not_there(self, honest: workspace.Workspace) -> None:
        with pytest.raises(errors.Refusal, match="no customer C-none"):
            differences.of_customers(workspace=honest, customers=["C-none"], periods=[])
