"""A process that writes to a workspace and is killed: `python victim.py WORKSPACE WORK [CALL]`.

WORK is `deliver`, `run` or `derive`. With CALL, the process kills itself with SIGKILL just before its
CALL-th call of a function that makes something lasting; without, it says `started` and can be killed from
outside. At the end it prints how many such calls it made.
"""

from __future__ import annotations

import datetime
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mingcha.kernel.periods import BillingMonth
from mingcha.store import derived, runs, snapshots, workspace

MADE_AT = datetime.datetime(2026, 5, 2)  # noqa: DTZ001 - local time of the utility
ROWS = 20_000
calls = 0


def readings(*, first: int, factor: int) -> str:
    """Return SQL for readings of six months: three delivered before, three new, some keys in both."""
    return (
        f"SELECT 'R' || i AS reading_id, 'P' || hash(i) % 5000 AS usage_point_id, 'active' AS register,"
        f" '2026-' || lpad(CAST(i % 6 + {first} AS VARCHAR), 2, '0') AS billing_period,"
        f" CAST(i * {factor} AS DECIMAL(18,4)) AS energy FROM range({ROWS}) r(i)"
    )


def bills(count: int) -> str:
    """Return SQL for bills of one month."""
    return (
        "SELECT 'B' || i AS bill_id, 'C' || i AS customer_id, '2026-04' AS billing_period,"
        f" CAST(i AS DECIMAL(18,2)) AS amount FROM range({count}) r(i)"
    )


def before(ws: workspace.Workspace) -> snapshots.Snapshot:
    """Commit the state that must survive."""
    con = ws.connect(memory_limit="300MB", threads=1)
    with snapshots.Draft(ws, made_at=MADE_AT) as draft:
        draft.add_rows(table="reading", source=readings(first=1, factor=1), con=con)
        draft.add_rows(table="bill", source=bills(3000), con=con)
        snapshot = draft.commit()
    con.close()
    return snapshot


def deliver(ws: workspace.Workspace) -> snapshots.Snapshot:
    """Commit the delivery under test: months corrected and moved, new ones, a new table, a quarantine."""
    con = ws.connect(memory_limit="300MB", threads=1)
    with snapshots.Draft(ws, made_at=MADE_AT) as draft:
        draft.add_rows(table="reading", source=f"{readings(first=2, factor=2)} WHERE i % 6 < 3", con=con)
        draft.add_rows(table="bill", source=bills(4000), con=con)
        draft.add_rows(table="customer", source="SELECT 'C1' AS customer_id, '甲' AS name", con=con)
        draft.add_quarantine(
            table="bill",
            source="SELECT 'b.csv' AS file, 1 AS line, 'amount' AS \"column\", 'bad_type' AS reason,"
            " 'x' AS value, '' AS \"row\"",
            con=con,
        )
        snapshot = draft.commit()
    con.close()
    return snapshot


def run(ws: workspace.Workspace) -> runs.Run:
    """Write the run under test."""
    con = ws.connect(memory_limit="300MB", threads=1)
    snapshot = snapshots.latest(ws)
    assert snapshot is not None
    findings = "SELECT 'F' || i AS finding_id, '' AS run_id FROM range(2000) r(i)"
    made = runs.write(
        ws,
        con=con,
        snapshot=snapshot,
        made_at=MADE_AT,
        content={"period": "2026-03"},
        record={"hits": 2000},
        tables={"findings": findings, "exits": "SELECT 1 AS n"},
    )
    con.close()
    return made


def derive(ws: workspace.Workspace) -> derived.Entry:
    """Write the derived tables under test."""
    con = ws.connect(memory_limit="300MB", threads=1)
    snapshot = snapshots.latest(ws)
    assert snapshot is not None
    difference = (
        "SELECT 'C' || i AS customer_id, '2026-04' AS billing_period, 1 AS seq, 'energy' AS component,"
        " 'B' || i AS bill_id, 1 AS billed_amount, 0 AS rerated_amount, 1 AS difference,"
        " NULL AS billed_quantity, NULL AS rerated_quantity, NULL AS billed_price, NULL AS rerated_price,"
        " 'other' AS cause FROM range(2000) r(i)"
    )
    made = derived.write(
        ws,
        con=con,
        snapshot=snapshot,
        period=BillingMonth(2026, 4),
        key="0123456789abcdef" * 4,
        made_at=MADE_AT,
        tables={
            "bill_difference": difference,
            "power_factor_table": "SELECT 0.9 AS standard, 0.85 AS pf, 2.5 AS pct",
        },
        record={"settlements": 2000},
    )
    con.close()
    return made


def _counted(function: Callable[..., Any], fatal: int | None) -> Callable[..., Any]:
    def counted(*arguments: Any, **named: Any) -> Any:
        global calls  # noqa: PLW0603 - one process, one count
        calls += 1
        if calls == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **named)

    return counted


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    path, work, *rest = sys.argv[1:]
    fatal = int(rest[0]) if rest else None
    for name in ("fsync", "rename", "replace", "unlink", "mkdir", "rmdir", "ftruncate"):
        setattr(os, name, _counted(getattr(os, name), fatal))
    _say("started")
    {"deliver": deliver, "run": run, "derive": derive}[work](workspace.Workspace.open(Path(path)))
    _say(str(calls))


if __name__ == "__main__":
    main()
