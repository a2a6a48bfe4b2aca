"""The honest utility, taken in and screened by the whole book: once for all tests here."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from mingcha.audit import screening
from mingcha.ingest import deliver, report
from mingcha.kernel import periods
from mingcha.rules import record
from mingcha.store import runs, workspace
from mingcha.synth import generate

MADE_AT = datetime.datetime(2026, 4, 11, 8, 0, 0, tzinfo=datetime.timezone(datetime.timedelta(hours=8)))
MONTHS = ("2026-02", "2026-03")


@dataclass(frozen=True)
class Screened:
    """What came of the honest utility."""

    delivered: report.DeliveryReport
    record: record.RunRecord
    findings: list[tuple[str, str, str, str]]


@pytest.fixture(scope="session")
def screened(tmp_path_factory: pytest.TempPathFactory) -> Screened:
    folder = tmp_path_factory.mktemp("honest")
    # daily values from January on, so that both months screened have a month before them
    generate.generate(
        out=folder / "books", customers=3000, months=16, seed=20260401, clean=True, daily_days=100
    )
    return _screen(folder)


def _screen(folder: Path) -> Screened:
    place = workspace.Workspace.create(folder / "place")
    delivered = deliver.deliver(workspace=place, source=folder / "books", made_at=MADE_AT)
    done = screening.screen(
        workspace=place,
        made_at=MADE_AT,
        periods=[periods.BillingMonth.parse(month) for month in MONTHS],
    )
    with duckdb.connect() as con:
        source = runs.relation(con, place)
        rows = con.execute(
            f"SELECT rule_id, subject_id, reason, CAST(period_start AS VARCHAR) FROM ({source}) ORDER BY ALL"
        ).fetchall()
    return Screened(delivered, done, rows)
