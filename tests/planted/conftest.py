"""The utility with planted faults, taken in and screened by the whole book: once for all tests here."""

from __future__ import annotations

import csv
import datetime
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from mingcha.audit import differences, screening
from mingcha.ingest import deliver
from mingcha.kernel import periods
from mingcha.store import runs, workspace
from mingcha.synth import generate

MADE_AT = datetime.datetime(2026, 4, 11, 8, 0, 0, tzinfo=datetime.timezone(datetime.timedelta(hours=8)))
MONTH = periods.BillingMonth.parse("2026-03")
Pair = tuple[str, str]


@dataclass(frozen=True)
class Screened:
    """The answer sheet, what was found (reason by rule and subject), and where bills and re-rating part.

    `differences` gives cause and amount by bill and component.
    """

    sheet: list[dict[str, str]]
    found: dict[Pair, str]
    differences: dict[Pair, tuple[str, Decimal]]

    def of(self, kind: str) -> list[dict[str, str]]:
        """Return the lines of the sheet of one kind."""
        return [case for case in self.sheet if case["kind"] == kind]


def pair(case: dict[str, str]) -> Pair:
    """Return what a line of the sheet and a finding share."""
    return case["rule_id"], case["subject_id"]


@pytest.fixture(scope="session")
def screened(tmp_path_factory: pytest.TempPathFactory) -> Screened:
    folder = tmp_path_factory.mktemp("planted")
    generate.generate(out=folder / "books", customers=3000, months=16, seed=20260401)
    found = _screen(folder)
    return Screened(_sheet(folder / "books" / "truth.csv"), found, _differences(folder))


def _sheet(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _differences(folder: Path) -> dict[Pair, tuple[str, Decimal]]:
    place = workspace.Workspace.open(folder / "place")
    with differences.opened(workspace=place, periods=[MONTH], made_at=MADE_AT) as made:
        rows = made.con.execute(
            "SELECT bill_id, component, cause, difference FROM bill_difference"
        ).fetchall()
    return {(bill, component): (cause, difference) for bill, component, cause, difference in rows}


def _screen(folder: Path) -> dict[Pair, str]:
    place = workspace.Workspace.create(folder / "place")
    deliver.deliver(workspace=place, source=folder / "books", made_at=MADE_AT)
    screening.screen(workspace=place, made_at=MADE_AT)
    with duckdb.connect() as con:
        source = runs.relation(con, place)
        rows = con.execute(f"SELECT rule_id, subject_id, reason FROM ({source})").fetchall()
    return {(rule, subject): reason for rule, subject, reason in rows}
