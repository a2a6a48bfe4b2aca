"""Locks that end with their process, and folders swept once their owner is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mingcha.kernel import errors
from mingcha.store import locks, snapshots, workspace

from .conftest import MADE_AT

_HOLD = """
import pathlib, sys, time
from mingcha.store import locks
lake = pathlib.Path(sys.argv[1])
lock, scratch = locks.WriterLock(lake=lake), locks.Scratch(lake=lake, purpose="other")
lock.__enter__()
(scratch.path / "half").write_text("written")
print("holds", flush=True)
time.sleep(60)
"""


@pytest.fixture
def holder(ws: workspace.Workspace) -> subprocess.Popen[str]:
    """Another process that writes to the workspace."""
    process = subprocess.Popen([sys.executable, "-c", _HOLD, str(ws.lake)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "holds\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


class TestWriterLock:
    def test_names_the_process_that_holds_it(
        self, ws: workspace.Workspace, holder: subprocess.Popen[str]
    ) -> None:
        draft = snapshots.Draft(ws, made_at=MADE_AT)

        with pytest.raises(errors.SetupError, match=rf"process {holder.pid} is writing"):
            draft.__enter__()

    def test_is_free_when_the_process_was_killed(
        self, ws: workspace.Workspace, holder: subprocess.Popen[str]
    ) -> None:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()

        with locks.WriterLock(lake=ws.lake):
            assert (ws.lake / "lock").read_text() == f"{os.getpid()}\n"

    def test_holds_within_one_process_too(self, ws: workspace.Workspace) -> None:
        with (
            snapshots.Draft(ws, made_at=MADE_AT),
            pytest.raises(errors.SetupError, match=rf"process {os.getpid()} is writing"),
            snapshots.Draft(ws, made_at=MADE_AT),
        ):
            pass

    def test_is_freed_when_the_draft_fails(self, ws: workspace.Workspace) -> None:
        with pytest.raises(ZeroDivisionError), snapshots.Draft(ws, made_at=MADE_AT):
            raise ZeroDivisionError

        with snapshots.Draft(ws, made_at=MADE_AT) as draft:
            assert draft.commit().sequence == 1

    def test_says_so_when_the_lake_cannot_be_written(self, tmp_path: Path) -> None:
        ws = workspace.Workspace.create(tmp_path)
        (ws.lake / "lock").mkdir()

        with (
            pytest.raises(errors.SetupError, match="cannot be written"),
            snapshots.Draft(ws, made_at=MADE_AT),
        ):
            pass


class TestSweep:
    def test_leaves_what_a_living_process_works_on(
        self, ws: workspace.Workspace, holder: subprocess.Popen[str]
    ) -> None:
        with locks.Scratch(lake=ws.lake, purpose="mine") as mine:
            swept = locks.sweep(lake=ws.lake)

            assert swept == 0
            assert mine.path.is_dir()
            assert len(list((ws.lake / "tmp").glob(f"other-{holder.pid}-*/half"))) == 1

    def test_removes_what_killed_processes_and_older_versions_left(
        self, ws: workspace.Workspace, holder: subprocess.Popen[str]
    ) -> None:
        holder.kill()
        holder.wait()
        (ws.lake / "tmp" / "file").write_text("left")
        (ws.lake / "tmp" / "orphan.lock").write_text("")

        swept = locks.sweep(lake=ws.lake)

        assert swept == 3
        assert not list((ws.lake / "tmp").iterdir())

    def test_is_done_by_the_next_delivery(
        self, ws: workspace.Workspace, holder: subprocess.Popen[str]
    ) -> None:
        holder.kill()
        holder.wait()

        with snapshots.Draft(ws, made_at=MADE_AT) as draft:
            draft.commit()

        assert not list((ws.lake / "tmp").iterdir())


_FORK = """
import os, pathlib, sys
from mingcha.store import locks
with locks.Scratch(lake=pathlib.Path(sys.argv[1]), purpose="mine") as scratch:
    child = os.fork()
    if child == 0:
        scratch.close()
        os._exit(0)
    os.waitpid(child, 0)
    print(scratch.path.is_dir())
print(scratch.path.is_dir())
"""


class TestScratch:
    def test_survives_the_end_of_a_fork_and_not_its_own(self, ws: workspace.Workspace) -> None:
        done = subprocess.run(
            [sys.executable, "-c", _FORK, str(ws.lake)], capture_output=True, text=True, check=True
        )

        assert done.stdout == "True\nFalse\n"
