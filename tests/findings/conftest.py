"""A relation of findings made by hand: two runs, one finding seen in both."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from mingcha.findings import columns, jsontext, queries, words
from mingcha.store import duck

FIRST_RUN = "r0001-aaaaaaaa"
SECOND_RUN = "r0010-bbbbbbbb"

BASE: dict[str, Any] = {
    "finding_id": "F0000000000000001",
    "rule_id": "MET-001",
    "rule_version": 2,
    "subject_kind": "point",
    "subject_id": "P1",
    "customer_id": "C1",
    "org_id": "O1",
    "period_start": "2026-03-01",
    "period_end": "2026-04-01",
    "band": "order",
    "reason": "multiplier_differs",
    "severity": "H",
    "energy_kwh": "1234.5",
    "back_cny": "12.30",
    "penalty_cny": None,
    "refund_cny": None,
    "exposed_cny": None,
    "evidence": jsontext.dumps(
        {
            "archive_multiplier": Decimal("40.000000"),
            "right_multiplier": Decimal("30"),
            "payer_name": "张三丰",
            "known_upstream": True,
            "_rows": [
                {"table": "usage_point", "key": {"usage_point_id": "P1", "effective_from": "2025-01-01"}}
            ],
            "_parameters": {"tol": Decimal("0.001")},
            "_not_applied": ["chg"],
        }
    ),
    "snapshot_id": "s0001-cccccccc",
    "run_id": FIRST_RUN,
    "episode_key": "2026-03",
    "known_upstream": True,
    "status": "live",
}


def record(**changes: Any) -> dict[str, Any]:
    assert changes.keys() <= BASE.keys()
    return BASE | changes


RECORDS = (
    record(),
    record(run_id=SECOND_RUN, back_cny="15.00", snapshot_id="s0002-dddddddd"),
    record(
        finding_id="F0000000000000002",
        rule_id="REA-003",
        subject_kind="reading",
        subject_id="R7",
        customer_id="C2",
        org_id="O2",
        band="urgent",
        severity="M",
        reason="falls",
        back_cny=None,
        refund_cny="99.99",
        evidence='{"note": "引号\\" 和, 逗号\\n换行"}',
        run_id=SECOND_RUN,
        episode_key="R7",
    ),
)


def fill(con: duckdb.DuckDBPyConnection, records: tuple[dict[str, Any], ...], name: str) -> None:
    con.execute(f"CREATE OR REPLACE TABLE {name} AS {columns.empty_run_relation()}")
    names = [column.name for column in columns.RUN_COLUMNS]
    for one in records:
        marks = ", ".join("?" for _ in names)
        con.execute(f"INSERT INTO {name} VALUES ({marks})", [one[column] for column in names])


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duck.connect()
    fill(connection, RECORDS, queries.RELATION)
    yield connection
    connection.close()


@pytest.fixture
def rule() -> words.RuleWords:
    return words.RuleWords(
        rule_id="MET-001",
        title=words.Text("档案倍率与互感器不符", "Multiplier differs from CT × PT"),
        area="metering",
        severity="H",
        status="live",
        expected=words.Text("应为 {right_multiplier} 倍", "expected {right_multiplier}"),
        found=words.Text(
            "实为 {archive_multiplier} 倍，容差 {tol}", "found {archive_multiplier}, tolerance {tol}"
        ),
        matters=words.Text("少收 {back_cny} 元", "{back_cny} CNY lost"),
        evidence={
            "archive_multiplier": words.Label(
                words.Text("档案倍率", "Multiplier in the archive"), "ratio", "ratio"
            ),
            "right_multiplier": words.Label(words.Text("应有倍率", "Right multiplier"), "", "ratio"),
            "payer_name": words.Label(words.Text("付款人", "Payer")),
        },
        parameters={"tol": words.Label(words.Text("容差", "Tolerance"), "percent")},
        reasons={"multiplier_differs": words.Text("倍率不符", "multiplier differs")},
        bands={"order": words.Text("派单", "order")},
        remedy=words.Text("核对互感器", "check the transformers"),
        checklist=(words.Text("看铭牌", "read the plate"),),
        money_formula="F7",
        money_note=words.Text("按 {tol} 计", "by {tol}"),
        basis=("multiplier_refund",),
    )
