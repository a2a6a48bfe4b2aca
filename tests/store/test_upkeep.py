"""Proving a lake whole, and removing what nothing names."""

from __future__ import annotations

import duckdb
import pytest

from mingcha.kernel import errors
from mingcha.store import locks, snapshots, upkeep, workspace

from .conftest import deliver, reading, seen


class TestVerify:
    def test_finds_nothing_in_a_whole_snapshot(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        assert upkeep.verify(deliver(ws, con, reading=[reading(1)])) == ()

    def test_names_each_file_that_is_gone_or_altered(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        rows = [reading(n, f"2026-0{n}") for n in (1, 2, 3)]
        snapshot = deliver(ws, con, reading=rows)
        gone, altered, _ = snapshot.files("reading")
        gone.unlink()
        content = bytearray(altered.read_bytes())
        content[30] ^= 1
        altered.write_bytes(content)

        found = upkeep.verify(snapshot)

        assert [problem.what.removeprefix(str(ws.lake)) for problem in found] == [
            f"{str(gone).removeprefix(str(ws.lake))} is missing",
            f"{str(altered).removeprefix(str(ws.lake))} was altered: its content does not have the hash its"
            " manifest states",
        ]
        assert all(problem.why and problem.mend for problem in found)


class TestCollect:
    def test_removes_what_no_snapshot_names_and_nothing_else(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        first = deliver(ws, con, reading=[reading(1), reading(2)])
        second = deliver(ws, con, reading=[reading(1, energy=5)])
        stray = ws.lake / "files" / "reading" / "2026-01-0123456789abcdef.parquet"
        stray.write_bytes(b"left by a killed delivery")

        assert upkeep.unused(ws).files == (stray,)
        removed = upkeep.collect(ws)

        assert removed == upkeep.Unused(files=(stray,), bytes=25)
        assert not stray.exists()
        for snapshot in (first, second):
            assert upkeep.verify(snapshot) == ()
            assert len(seen(con, snapshot, "reading", "*")) == 2

    def test_removes_nothing_when_a_manifest_cannot_be_read(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        first = deliver(ws, con, reading=[reading(1)])
        deliver(ws, con, reading=[reading(1, energy=5)])
        (ws.lake / "snapshots" / first.id / "manifest.json").write_text("{")

        with pytest.raises(errors.SetupError, match="manifest cannot be read"):
            upkeep.collect(ws)

        assert all(path.is_file() for path in first.files("reading"))

    def test_waits_for_no_writer(self, ws: workspace.Workspace) -> None:
        with locks.WriterLock(lake=ws.lake), pytest.raises(errors.SetupError, match="is writing"):
            upkeep.collect(ws)


def test_an_earlier_snapshot_outlives_many_later_ones(
    ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
) -> None:
    first = deliver(ws, con, reading=[reading(n) for n in range(5)])
    for energy in range(2, 6):
        deliver(ws, con, reading=[reading(n, energy=energy) for n in range(5)])
    upkeep.collect(ws)

    reopened = snapshots.get(workspace.Workspace.open(ws.path), first.id)

    assert seen(con, reopened, "reading", "energy::INT") == [(1,)] * 5
