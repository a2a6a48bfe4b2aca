"""What was planted is found, decoys stay silent, and nothing else is accused."""

from __future__ import annotations

from decimal import Decimal

import pytest

from .conftest import Screened, pair

pytestmark = pytest.mark.slow

RULES = (
    *("CON-002", "CON-006", "CON-011", "CON-025"),
    *("MET-001", "MET-002", "MET-015", "MET-016", "MET-017", "MET-020"),
    *("REA-001", "REA-003", "REA-005", "REA-006", "REA-007", "REA-008", "REA-009", "REA-018"),
    *("PRI-001", "PRI-002", "PRI-004", "PRI-010", "PRI-017", "PRI-031", "PRI-041", "PRI-042"),
    *("PRI-055", "PRI-057", "PRI-065", "PRI-075", "PRI-086"),
    *("PRI-079", "PRI-080", "PRI-082", "COL-002", "COL-003", "COL-007", "CTL-001", "DAT-009"),
    *("MET-401", "MET-402", "USE-001", "USE-005", "USE-101", "USE-401"),
    *("LOS-001", "LOS-002", "LOS-004", "LOS-006", "LOS-010"),
    *("CON-301", "COL-010", "COL-012", "COL-019", "SRV-007"),
)


COMPONENTS = {
    "energy", "transmission", "system", "fund", "tier", "basic_capacity", "basic_demand", "power_factor",
    "transformer_loss", "other",
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_every_planted_fault_is_found(screened: Screened, rule: str) -> None:
    planted = [case for case in screened.of("planted") if case["rule_id"] == rule]
    assert len(planted) >= 3
    missed = [f"{case['subject_id']}: {case['note']}" for case in planted if pair(case) not in screened.found]
    assert missed == []


@pytest.mark.parametrize("rule", RULES)
def test_every_decoy_stays_silent(screened: Screened, rule: str) -> None:
    decoys = [case for case in screened.of("innocent") if case["rule_id"] == rule]
    assert len(decoys) >= 3
    accused = [
        f"{case['subject_id']}: {case['note']} → {screened.found[pair(case)]}"
        for case in decoys
        if pair(case) in screened.found
    ]
    assert accused == []


def test_the_reason_found_is_the_reason_planted(screened: Screened) -> None:
    other = [
        f"{case['case_id']}: planted {case['reason']}, found {screened.found[pair(case)]}"
        for case in screened.of("planted")
        if pair(case) in screened.found and screened.found[pair(case)] != case["reason"]
    ]
    assert other == []


def test_nothing_is_accused_that_the_sheet_does_not_name(screened: Screened) -> None:
    named = {pair(case) for case in screened.sheet if case["kind"] != "innocent"}
    assert sorted(found for found in screened.found if found not in named) == []


def test_each_wrong_bill_differs_under_its_component_by_the_fen(screened: Screened) -> None:
    cases = [case for case in screened.of("planted") if case["component"]]
    assert {case["component"] for case in cases} >= COMPONENTS
    wrong = []
    for case in cases:
        rows = {
            component: (cause, amount)
            for (bill, component), (cause, amount) in screened.differences.items()
            if bill == case["subject_id"]
        }
        if case["component"] == "transformer_loss":
            # loss has no amount of its own: it is priced inside the other components
            told = sum((amount for name, (_, amount) in rows.items() if name != "power_factor"), Decimal(0))
            causes = {cause for cause, _ in rows.values()}
            fits = case["reason"] in causes
        else:
            cause, told = rows.get(case["component"], ("", Decimal(0)))
            fits = cause == case["reason"]
        if not fits or told != Decimal(case["amount_cny"]):
            wrong.append((case["note"], case["reason"], case["amount_cny"], rows))
    assert wrong == []


def test_no_bill_differs_but_the_spoilt_ones(screened: Screened) -> None:
    # a bill issued twice is PRI-079's
    named = {case["subject_id"] for case in screened.sheet if case["rule_id"] in ("PRI-075", "PRI-079")}
    assert {bill for bill, _ in screened.differences if bill not in named} == set()
