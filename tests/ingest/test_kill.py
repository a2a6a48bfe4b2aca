"""A process killed (-9) anywhere in an intake leaves the state before or the state after, nothing between."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from mingcha.store import snapshots

if TYPE_CHECKING:
    from ingest.conftest import Intake

KILLS = 30
ROWS = 12_000
VICTIM = """
import datetime, sys
from pathlib import Path
from mingcha.ingest import deliver
from mingcha.store.workspace import Workspace
moment = datetime.datetime(2026, 4, 10, tzinfo=datetime.UTC)
deliver.deliver(
    workspace=Workspace.open(Path(sys.argv[1])), source=Path(sys.argv[2]), made_at=moment,
    progress=lambda message: print(message, flush=True),
)
"""


def fill(intake: Intake, note: str) -> None:
    """Write a delivery: a table with faults and repeated keys, one whose rows differ by `note`."""
    rows = "".join(
        f"E{n % (ROWS - 9)},2026-03-{n % 28 + 1:02d},O1,cash,debit,{n}.25,bill\n" for n in range(ROWS)
    )
    head = "entry_id,posted_on,org_id,account,side,amount,source\n"
    intake.put("ledger_entry.csv", head + rows + f"X{note},2026-04-01,O1,gold,debit,1,bill\n")
    intake.put("org_unit.csv", f"org_id,name,level\nO1,{note},city\n")


def digest(intake: Intake) -> str:
    """Return the content of the newest snapshot, having opened every one there is."""
    every = snapshots.every(intake.workspace)
    con = intake.workspace.connect()
    snapshots.attach(con, every[-1])
    held = con.execute(
        "SELECT (SELECT count(*) FROM ledger_entry), (SELECT count(*) FROM org_unit)"
    ).fetchall()
    con.close()
    assert held == [(ROWS - 9, 1)]
    return every[-1].content_digest


def start(intake: Intake) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", VICTIM, str(intake.workspace.path), str(intake.source)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


@pytest.mark.slow
def test_killed_anywhere(make_intake: Callable[[], Intake]) -> None:
    calm, struck = make_intake(), make_intake()
    for intake in (calm, struck):
        fill(intake, "first")
        intake.deliver()
    before = digest(calm)
    assert digest(struck) == before
    for intake in (calm, struck):
        fill(intake, "second")
    calm.deliver()
    after = digest(calm)
    assert after != before

    chance = random.Random(20260410)
    killed = 0
    for _ in range(KILLS):
        victim = start(struck)
        assert victim.stdout is not None
        for _ in range(chance.randrange(12)):
            if not victim.stdout.readline():
                break
        time.sleep(chance.random() * 0.15)
        victim.send_signal(signal.SIGKILL)
        victim.stdout.close()
        killed += victim.wait() == -signal.SIGKILL
        assert digest(struck) in (before, after)
        if digest(struck) == after:
            fill(struck, "first")
            struck.deliver()
            fill(struck, "second")
    assert killed >= KILLS // 2
    struck.deliver()
    assert digest(struck) == after
    left = [path.name for path in (struck.workspace.lake / "tmp").iterdir() if path.suffix != ".lock"]
    assert [name for name in left if not name.startswith("spill")] == []
