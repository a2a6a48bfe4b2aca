"""Every rule over ordinary books: a finding fails unless the list of known alarms defends it."""

from __future__ import annotations

import csv
from importlib import resources

import pytest

from .conftest import Screened

pytestmark = pytest.mark.slow


def known_alarms() -> list[dict[str, str]]:
    file = resources.files("mingcha.rulebook") / "known_alarms.csv"
    return list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))


def test_every_row_is_accepted(screened: Screened) -> None:
    assert screened.delivered.quarantined == 0
    assert screened.delivered.delivered > 500_000
    assert screened.delivered.orphans == ()


def test_the_data_date_is_the_last_day_delivered(screened: Screened) -> None:
    assert str(screened.delivered.data_date) == "2026-04-10"


def test_every_rule_runs_and_looks_at_somebody(screened: Screened) -> None:
    assert screened.record.rules_skipped == ()
    assert screened.record.rules_failed == ()
    assert screened.record.rules_run >= 26


def test_no_finding_but_the_known_alarms(screened: Screened) -> None:
    known = {(line["rule_id"], line["subject_id"]) for line in known_alarms()}
    assert [row for row in screened.findings if (row[0], row[1]) not in known] == []


def test_every_known_alarm_still_rings_and_says_why(screened: Screened) -> None:
    found = {(rule, subject) for rule, subject, _, _ in screened.findings}
    stale = [line for line in known_alarms() if (line["rule_id"], line["subject_id"]) not in found]
    assert stale == []
    assert all(line["reason"].strip() for line in known_alarms())
