"""The answer sheet: every rule of the issue, at least three faults and three innocents, all of them there."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from mingcha.synth import generate

from .conftest import Books

RULES = (
    *("CON-002", "CON-006", "CON-011", "CON-025"),
    *("MET-001", "MET-002", "MET-015", "MET-016", "MET-017", "MET-020"),
    *("REA-001", "REA-003", "REA-005", "REA-006", "REA-007", "REA-008", "REA-009", "REA-018"),
    *("PRI-001", "PRI-002", "PRI-004", "PRI-010", "PRI-017", "PRI-031", "PRI-041", "PRI-042"),
    *("PRI-055", "PRI-057", "PRI-065", "PRI-075", "PRI-086"),
    *("PRI-079", "PRI-080", "PRI-082", "COL-002", "COL-003", "COL-007", "CTL-001", "DAT-009"),
    *("CON-301", "COL-010", "COL-012", "COL-019", "SRV-007"),
)
HOME = {
    "ticket": ("ticket", "ticket_id"),
    "point": ("usage_point", "usage_point_id"),
    "customer": ("customer", "customer_id"),
    "reading": ("reading", "reading_id"),
    "meter": ("meter", "meter_id"),
    "bill": ("bill", "bill_id"),
    "adjustment": ("adjustment", "adjustment_id"),
    "receipt": ("receipt", "receipt_id"),
    "staff": ("staff", "staff_id"),
    "contract": ("contract", "contract_id"),
    "transformer": ("transformer", "transformer_id"),
    "district": ("district", "district_id"),
}


@pytest.fixture(scope="module")
def sheet(planted: Books) -> list[dict[str, str]]:
    with (planted.folder / "truth.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("kind", ["planted", "innocent"])
def test_every_rule_has_at_least_three(sheet: list[dict[str, str]], kind: str) -> None:
    count = Counter(case["rule_id"] for case in sheet if case["kind"] == kind)
    assert {rule: count[rule] for rule in RULES if count[rule] < 3} == {}


def test_no_subject_is_both_guilty_and_innocent(sheet: list[dict[str, str]]) -> None:
    seen = Counter((case["rule_id"], case["subject_id"]) for case in sheet)
    assert [pair for pair, times in seen.items() if times > 1] == []


def test_every_case_id_is_its_own(sheet: list[dict[str, str]]) -> None:
    assert len({case["case_id"] for case in sheet}) == len(sheet)


def test_every_case_stands_in_the_screened_month_with_words(sheet: list[dict[str, str]]) -> None:
    assert {case["period"] for case in sheet} == {"2026-03"}
    assert all(case["reason"] and case["note"] for case in sheet)


def test_subjects_are_in_the_books(planted: Books, sheet: list[dict[str, str]]) -> None:
    # a reading that was never taken and a bill that was never issued are named by point and customer
    lost = []
    for case in sheet:
        if case["subject_kind"] == "table":
            assert (planted.folder / f"{case['subject_id']}.parquet").exists()
            continue
        table, key = HOME[case["subject_kind"]]
        if not planted.one(f"SELECT count(*) FROM {table} WHERE {key} = '{case['subject_id']}'"):
            lost.append((case["case_id"], case["subject_id"]))
    assert lost == []


def test_customers_named_are_in_the_books(planted: Books, sheet: list[dict[str, str]]) -> None:
    known = {row[0] for row in planted.rows("SELECT customer_id FROM customer")}
    assert {case["customer_id"] for case in sheet if case["customer_id"]} <= known


def test_the_clean_utility_has_an_empty_sheet(clean: Books) -> None:
    with (clean.folder / "truth.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.DictReader(file)) == []


@pytest.mark.slow
@pytest.mark.parametrize("end", ["2025-12", "2025-07"])
def test_faults_are_planted_whatever_the_last_month(tmp_path: Path, end: str) -> None:
    # in December a home's first tier is used up, in July the hours of the sharp period differ
    generate.generate(out=tmp_path / "books", customers=2500, months=12, seed=1, end_month=end)

    truth = (tmp_path / "books" / "truth.csv").read_text(encoding="utf-8")
    assert f"{end},wrong_tier" in truth
