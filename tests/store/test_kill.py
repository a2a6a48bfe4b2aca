"""Kill -9 at any point: the state before is whole, nothing half is visible, a rerun gives the same result.

Half of the kills come just before each call that makes something lasting (flush, rename, removal), half at
random moments of the work.
"""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mingcha.store import derived, runs, snapshots, upkeep, workspace

from . import victim
from .conftest import seen

pytestmark = pytest.mark.slow
_SCRIPT = Path(victim.__file__)
_SEED = 20260305


@dataclass(frozen=True)
class Undisturbed:
    """A workspace before the work, what the work gives when nobody disturbs it, and its lasting calls."""

    path: Path
    first: snapshots.Snapshot
    delivered: snapshots.Snapshot
    seconds: float
    calls: dict[str, int]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    path = tmp_path_factory.mktemp("kill") / "工作区 a"
    first = victim.before(workspace.Workspace.create(path))
    _clean(path)
    calls, seconds = {}, {}
    for work in ("deliver", "run", "derive"):
        copy = shutil.copytree(path, path.with_name(f"undisturbed {work}"))
        child = _start(copy, work)
        started = time.monotonic()
        out, _ = child.communicate()
        seconds[work] = time.monotonic() - started
        calls[work] = int(out)
        assert child.returncode == 0
    delivered = snapshots.latest(workspace.Workspace.open(path.with_name("undisturbed deliver")))
    assert delivered is not None
    assert delivered.sequence == 2
    return Undisturbed(path, first, delivered, seconds["deliver"], calls)


def test_a_delivery_survives_a_kill_before_any_lasting_call(undisturbed: Undisturbed, tmp_path: Path) -> None:
    chosen = random.Random(_SEED)
    points = [*chosen.sample(range(1, undisturbed.calls["deliver"] - 8), 8)]
    # The last calls are those of the commit itself: all of them.
    points += range(undisturbed.calls["deliver"] - 8, undisturbed.calls["deliver"] + 1)

    for point in points:
        copy = shutil.copytree(undisturbed.path, tmp_path / f"k {point}")
        child = _start(copy, "deliver", str(point))
        child.communicate()

        assert child.returncode == -signal.SIGKILL, f"call {point} was not reached"
        _check_delivery(copy, undisturbed)


def test_a_delivery_survives_a_kill_at_any_moment(undisturbed: Undisturbed, tmp_path: Path) -> None:
    chosen = random.Random(_SEED)
    killed = 0

    for trial in range(10):
        copy = shutil.copytree(undisturbed.path, tmp_path / f"m {trial}")
        child = _start(copy, "deliver")
        time.sleep(chosen.uniform(0, undisturbed.seconds))
        child.send_signal(signal.SIGKILL)
        child.communicate()

        killed += child.returncode == -signal.SIGKILL
        _check_delivery(copy, undisturbed)

    assert killed >= 5


def test_a_run_survives_a_kill_before_any_lasting_call(undisturbed: Undisturbed, tmp_path: Path) -> None:
    for point in range(1, undisturbed.calls["run"] + 1):
        copy = shutil.copytree(undisturbed.path, tmp_path / f"r {point}")
        child = _start(copy, "run", str(point))
        child.communicate()

        assert child.returncode == -signal.SIGKILL, f"call {point} was not reached"
        ws = workspace.Workspace.open(copy)
        visible = runs.every(ws)
        assert [run.rows("findings") for run in visible] in ([], [2000])
        assert all(upkeep.verify_run(run) == () for run in visible)
        again = victim.run(ws)
        assert again.sequence == len(visible) + 1
        assert upkeep.verify_run(again) == ()
        assert {run.id[6:] for run in [*visible, again]} == {again.id[6:]}


def test_derived_tables_survive_a_kill_before_any_lasting_call(
    undisturbed: Undisturbed, tmp_path: Path
) -> None:
    for point in range(1, undisturbed.calls["derive"] + 1):
        copy = shutil.copytree(undisturbed.path, tmp_path / f"d {point}")
        child = _start(copy, "derive", str(point))
        child.communicate()

        assert child.returncode == -signal.SIGKILL, f"call {point} was not reached"
        ws = workspace.Workspace.open(copy)
        visible = derived.every(ws)
        assert [entry.rows("bill_difference") for entry in visible] in ([], [2000])
        assert all(upkeep.verify_derived(entry) == () for entry in visible)
        again = victim.derive(ws)
        assert upkeep.verify_derived(again) == ()
        assert derived.every(ws) == [again]
        upkeep.collect(ws)
        assert not list((ws.lake / "tmp").glob("derived-*"))


def _check_delivery(path: Path, undisturbed: Undisturbed) -> None:
    """Assert the promises: old state whole, nothing half visible, a rerun completes and is equal."""
    ws = workspace.Workspace.open(path)
    visible = snapshots.every(ws)
    assert [snapshot.id for snapshot in visible] in (
        [undisturbed.first.id],
        [undisturbed.first.id, undisturbed.delivered.id],
    )
    assert all(upkeep.verify(snapshot) == () for snapshot in visible)
    assert _sums(ws, visible[0]) == _sums(ws, undisturbed.first)
    again = victim.deliver(ws)
    assert again.content_digest == undisturbed.delivered.content_digest
    assert _names(again) == _names(undisturbed.delivered)
    assert upkeep.verify(again) == ()
    assert _sums(ws, again) == _sums(ws, undisturbed.delivered)
    assert not list((ws.lake / "tmp").glob("snapshot-*"))
    upkeep.collect(ws)
    assert upkeep.unused(ws).files == ()
    assert [upkeep.verify(snapshot) for snapshot in snapshots.every(ws)] == [()] * len(snapshots.every(ws))


def _sums(ws: workspace.Workspace, snapshot: snapshots.Snapshot) -> list[tuple[Any, ...]]:
    con = ws.connect(memory_limit="200MB", threads=1)
    rows = seen(con, snapshot, "reading", "billing_period", "reading_id", "energy")
    con.close()
    return rows


def _names(snapshot: snapshots.Snapshot) -> list[str]:
    return [path.name for table in snapshot.tables for path in snapshot.files(table)]


def _start(path: Path, *arguments: str) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, str(_SCRIPT), str(path), *arguments], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "started\n"
    return child


def _clean(path: Path) -> None:
    """Leave no folder of this process in the workspace that is copied."""
    shutil.rmtree(path / "lake" / "tmp")
