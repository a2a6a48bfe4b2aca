"""Tier limits learnt from real invoices kept beside the checkout (docs/explain/inferred-tariffs.md)."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest

from mingcha.audit import inferring
from mingcha.ingest import deliver
from mingcha.store import workspace

SHARED = Path(os.environ.get("MINGCHA_SHARED") or Path(__file__).parents[3] / "shared")
INVOICES = SHARED / "data" / "steg"
MAPPING = Path(__file__).parents[2] / "mappings" / "steg.yaml"
MADE_AT = datetime.fromisoformat("2026-04-11T08:30:00+08:00")

pytestmark = [pytest.mark.shared, pytest.mark.slow]


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[inferring.Learned]:
    if not INVOICES.is_dir():
        pytest.skip(f"the invoices are not at {INVOICES}; set MINGCHA_SHARED")
    folder = tmp_path_factory.mktemp("real")
    made = workspace.Workspace.create(folder / "utility")
    deliver.deliver(workspace=made, source=INVOICES, mapping=MAPPING, made_at=MADE_AT)
    con = made.connect()
    yield inferring.learn(workspace=made, con=con)
    con.close()
    shutil.rmtree(folder, ignore_errors=True)


def test_limits_and_the_days_they_changed(learned: inferring.Learned) -> None:
    spans = {
        tariff.tariff_id: [(span.since, tuple(map(int, span.ladder))) for span in tariff.spans]
        for tariff in learned.tariffs
    }
    new = (date(2014, 1, 1), (200, 300, 500))
    assert spans["11"] == [(None, ()), (date(2005, 7, 1), (300,)), new]
    assert spans["10"] == [(None, ()), (date(1988, 1, 1), (50,)), new]
    assert all(spans[tariff] == [(None, ())] for tariff in ("9", "12", "13", "14", "15", "29"))


def test_the_share_of_bills_reproduced(learned: inferring.Learned) -> None:
    assert (learned.bills, learned.without_lines) == (2_147_124, 160_815)
    assert (learned.judged, learned.reproduced) == (1_986_309, 1_980_153)


def test_the_exceptions_by_reason(learned: inferring.Learned) -> None:
    reasons: Counter[str] = Counter()
    for tariff in learned.tariffs:
        reasons.update(tariff.reasons)
    assert reasons == {
        "standing_index": 2138,
        "netted": 2053,
        "other_months": 614,
        "billed_less": 486,
        "not_divided": 236,
        "index_fell": 226,
        "no_reading": 210,
        "billed_more": 157,
        "whole_average": 35,
        "multiplier_not_applied": 1,
    }
