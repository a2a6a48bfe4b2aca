"""One bill explained: it follows from its own numbers, and is the bill the month was rated to."""

from __future__ import annotations

import dataclasses
import functools
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from mingcha.audit import billexplain, rerating
from mingcha.cli import billtext
from mingcha.contract import load as contract_load
from mingcha.findings import jsontext
from mingcha.kernel import errors
from mingcha.store import derived, snapshots, workspace

from .conftest import MADE_AT, copy

FEN = Decimal("0.01")
KEY = ("customer_id", "billing_period", "seq", "line_no")


def rows(place: workspace.Workspace, sql: str) -> list[dict[str, Any]]:
    """Return rows over the delivered tables and the derived ones of March."""
    con = _opened(place)
    result = con.execute(sql)
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


@functools.cache
def _opened(place: workspace.Workspace) -> duckdb.DuckDBPyConnection:
    made = rerating.rerate(workspace=place, made_at=MADE_AT)
    con = place.connect()
    snapshot = snapshots.latest(place)
    assert snapshot is not None
    snapshots.attach(con, snapshot)
    derived.attach(con, made.entries)
    return con


@functools.cache
def explained(place: workspace.Workspace) -> tuple[billexplain.Explained, ...]:
    """Return a bill explained for each set of components and number of points there is."""
    found = rows(
        place,
        "SELECT min(bill_id) AS bill_id FROM (SELECT bill_id, count(DISTINCT usage_point_id) AS points,"
        " string_agg(DISTINCT component, ',' ORDER BY component) AS kind FROM rerated_line GROUP BY bill_id)"
        " GROUP BY kind, points ORDER BY 1",
    )
    return tuple(billexplain.explain(workspace=place, bill_id=row["bill_id"]) for row in found)


class TestNumbers:
    def test_the_bill_of_the_month_is_the_one_explained(self, honest: workspace.Workspace) -> None:
        assert len(explained(honest)) > 8
        columns = contract_load.contract().table("rerated_line").column_names
        for told in explained(honest):
            bill_id = told.bill["bill_id"]
            kept = rows(honest, f"SELECT * FROM rerated_line WHERE bill_id = '{bill_id}' ORDER BY line_no")
            assert [row["line_no"] for row in told.lines] == [row["line_no"] for row in kept]
            for shown, line in zip(told.lines, kept, strict=True):
                names = [name for name in columns if name in shown]
                assert [shown[name] for name in names] == [line[name] for name in names]
            (bill,) = rows(honest, f"SELECT * FROM rerated_bill WHERE bill_id = '{bill_id}'")
            assert told.totals["amount"] == bill["amount"]
            assert told.totals["billed_amount"] == bill["billed_amount"]

    def test_every_line_can_be_checked_by_hand(self, honest: workspace.Workspace) -> None:
        for told in explained(honest):
            for line in told.lines:
                if line["component"] == "power_factor":
                    exact = line["base_amount"] * line["quantity"] / 100
                elif line["price"] is None:
                    assert line["amount"] == 0
                    continue
                elif line["days"] is not None and line["unit"] in ("kVA", "kW"):
                    continue
                else:
                    exact = line["quantity"] * line["price"]
                assert line["exact"] == exact, line
                assert line["amount"] == exact.quantize(FEN, ROUND_HALF_UP), line
            assert sum(line["amount"] for line in told.lines) == told.totals["amount"]

    def test_energy_follows_from_the_readings(self, honest: workspace.Workspace) -> None:
        checked = 0
        for told in explained(honest):
            for read in told.readings:
                units = read["end_value"] - read["start_value"] + read["rolled"]
                assert read["kwh"] == (units * read["multiplier"]).quantize(FEN, ROUND_HALF_UP)
            if len(told.points) == 1 and told.points[0]["metering_method"] == "meter":
                total = sum(read["kwh"] for read in told.readings if read["register"] == "active")
                lost = sum(loss["kwh"] for loss in told.losses)
                assert sum(part["kwh"] for part in told.energy) == total + lost
                checked += 1
        assert checked > 5

    def test_prices_name_their_document_and_days(self, honest: workspace.Workspace) -> None:
        told = explained(honest)[0]
        priced = [
            line for line in told.lines if line["component"] in ("energy", "fund", "transmission", "tier")
        ]
        assert priced
        for line in priced:
            assert sum(price["price"] for price in line["prices"]) == line["price"]
            assert all(price["document"] and price["in_force_from"] for price in line["prices"])

    def test_lines_stand_beside_those_of_the_bill(self, faulty: workspace.Workspace) -> None:
        (found,) = rows(
            faulty,
            "SELECT bill_id FROM bill_difference WHERE component = 'energy' AND cause = 'wrong_price'"
            " ORDER BY abs(difference) DESC LIMIT 1",
        )
        told = billexplain.explain(workspace=faulty, bill_id=found["bill_id"])
        pairs = list(billexplain.beside(told))
        assert sum(len(rated) for rated, _ in pairs) == len(told.lines)
        assert sum(len(billed) for _, billed in pairs) == len(told.billed)
        energy = next((r, b) for r, b in pairs if r and r[0]["component"] == "energy" and b)
        assert energy[1][0]["price"] - energy[0][0]["price"] == Decimal("0.1")
        assert told.differences[0]["cause"] == "wrong_price"

    def test_it_is_plain_json(self, faulty: workspace.Workspace) -> None:
        told = billexplain.explain(
            workspace=faulty, bill_id=rows(faulty, "SELECT bill_id FROM rerated_bill LIMIT 1")[0]["bill_id"]
        )
        assert jsontext.loads(jsontext.dumps(told.as_json()))["rated"] is True


class TestReasons:
    def test_a_bill_that_does_not_stand(self, faulty: workspace.Workspace) -> None:
        (void,) = rows(faulty, "SELECT min(bill_id) AS bill_id FROM bill WHERE status = 'void'")
        told = billexplain.explain(workspace=faulty, bill_id=void["bill_id"])
        assert (told.live, told.rated, told.lines) == (False, False, ())
        assert "不复算" in billtext.page(told, language="zh")
        assert "Not re-rated" in billtext.page(told, language="en")

    def test_a_bill_that_cannot_be_rated(self, honest: workspace.Workspace, tmp_path: Path) -> None:
        place = copy(honest, tmp_path / "w")
        (place.path / "tariffs").mkdir()
        (place.path / "tariffs" / "codes.csv").write_text(
            "tariff_id,tariff_code\nRES,demo.yunling.single.10.tou\n", encoding="utf-8"
        )
        (gap,) = rows(place, "SELECT * FROM rerated_gap ORDER BY ALL LIMIT 1")
        told = billexplain.explain(workspace=place, bill_id=gap["bill_id"])
        assert (told.live, told.rated, told.lines) == (True, False, ())
        assert told.gaps[0]["reason"] == gap["reason"]
        page = billtext.page(told, language="en")
        assert "Cannot be rated, because:" in page
        assert f"({gap['reason']})" in page
        assert told.readings

    def test_a_bill_nobody_delivered(self, honest: workspace.Workspace) -> None:
        with pytest.raises(errors.Refusal, match="no bill B-none"):
            billexplain.explain(workspace=honest, bill_id="B-none")


class TestText:
    @pytest.mark.parametrize("language", ["zh", "en"])
    def test_every_kind_of_bill_is_told_whole(self, honest: workspace.Workspace, language: str) -> None:
        for told in explained(honest):
            page = billtext.page(told, language=language)
            for line in told.lines:
                if line["price"] is not None:
                    assert f"{line['amount']:,.2f} CNY" in page
            for read in told.readings:
                assert read["meter_id"] in page
            for loss in told.losses:
                assert loss["formula"] in page
            assert f"{told.totals['amount']:,.2f}" in page

    def test_a_difference_is_told_with_its_cause(self, faulty: workspace.Workspace) -> None:
        (found,) = rows(
            faulty, "SELECT min(bill_id) AS bill_id FROM bill_difference WHERE cause = 'missing_component'"
        )
        told = billexplain.explain(workspace=faulty, bill_id=found["bill_id"])
        assert "Missing component (missing_component)" in billtext.page(told, language="en")
        assert "The lines of the bill add up to " in billtext.page(told, language="en")
        assert "漏收项目 (missing_component)" in billtext.page(told, language="zh")
        assert "账单无此项" in billtext.page(told, language="zh")

    def test_a_fact_to_be_verified_says_so(self, honest: workspace.Workspace) -> None:
        told = explained(honest)[0]
        first, *others = (line for line in told.lines if line["price"] is not None)
        doubted = {**first, "evidence": "[K+]", "provisional": True}
        told = dataclasses.replace(told, lines=(doubted, *others))
        assert "[K+] 待核" in billtext.page(told, language="zh")
        assert "[K+] to be verified" in billtext.page(told, language="en")
