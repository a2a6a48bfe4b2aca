"""Runs: numbered, whole or absent, readable alone and together."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from mingcha.kernel import errors
from mingcha.store import runs, snapshots, upkeep, workspace

from .conftest import MADE_AT, deliver, reading

_FINDINGS = "SELECT 'F1' AS finding_id, CAST('1.20' AS DECIMAL(18,2)) AS back_cny, '' AS run_id"


@pytest.fixture
def snapshot(ws: workspace.Workspace, con: duckdb.DuckDBPyConnection) -> snapshots.Snapshot:
    return deliver(ws, con, reading=[reading(1)])


def write(
    ws: workspace.Workspace, con: duckdb.DuckDBPyConnection, snapshot: snapshots.Snapshot, **more: Any
) -> runs.Run:
    arguments: dict[str, Any] = {
        "content": {"period": "2026-03"},
        "record": {"seconds": 1.5, "on": datetime.date(2026, 4, 1)},
        "tables": {"findings": _FINDINGS},
    } | more
    return runs.write(ws, con=con, snapshot=snapshot, made_at=MADE_AT, **arguments)


class TestWrite:
    def test_numbers_runs_and_fills_in_their_id(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection, snapshot: snapshots.Snapshot
    ) -> None:
        first = write(ws, con, snapshot)
        second = write(ws, con, snapshot, content={"period": "2026-04"})

        assert first.id.startswith("r0001-")
        assert second.id.startswith("r0002-")
        assert first.id[6:] != second.id[6:]
        assert con.execute(first.select("findings")).fetchall() == [("F1", Decimal("1.20"), first.id)]
        assert first.rows("findings") == 1
        assert first.rows("trial") == 0

    def test_gives_the_same_screening_the_same_hash_whatever_its_record(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection, snapshot: snapshots.Snapshot
    ) -> None:
        first = write(ws, con, snapshot)
        second = write(ws, con, snapshot, record={"seconds": 99})

        assert first.id[6:] == second.id[6:]

    def test_keeps_the_record(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection, snapshot: snapshots.Snapshot
    ) -> None:
        made = write(ws, con, snapshot)

        kept = runs.get(ws, made.id)
        assert kept == made
        assert kept.record == {"seconds": 1.5, "on": "2026-04-01"}
        assert kept.snapshot_id == snapshot.id

    def test_leaves_nothing_when_it_fails(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection, snapshot: snapshots.Snapshot
    ) -> None:
        with pytest.raises(duckdb.Error):
            write(ws, con, snapshot, tables={"findings": _FINDINGS, "exits": "SELECT error('no')"})

        assert runs.latest(ws) is None
        assert not list((ws.lake / "tmp").glob("run-*"))

    def test_works_while_a_delivery_is_taken_in(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection, snapshot: snapshots.Snapshot
    ) -> None:
        with snapshots.Draft(ws, made_at=MADE_AT) as draft:
            write(ws, con, snapshot)
            draft.commit()

        assert runs.latest(ws) is not None

    def test_does_not_depend_on_the_order_rows_come_in(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection, snapshot: snapshots.Snapshot
    ) -> None:
        rows = "SELECT i, i % 7 AS k FROM range(5000) r(i) ORDER BY hash(i{})"

        made = [write(ws, con, snapshot, tables={"findings": rows.format(seed)}) for seed in ("", " + 1")]

        assert len({run.manifest.tables["findings"].sha256 for run in made}) == 1


class TestRead:
    def test_lists_oldest_first(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection, snapshot: snapshots.Snapshot
    ) -> None:
        made = [write(ws, con, snapshot) for _ in range(3)]

        assert runs.every(ws) == made
        assert runs.latest(ws) == made[-1]

    def test_names_the_known_runs_when_asked_for_another(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection, snapshot: snapshots.Snapshot
    ) -> None:
        made = write(ws, con, snapshot)

        with pytest.raises(errors.SetupError, match="no run r0042-00000000") as raised:
            runs.get(ws, "r0042-00000000")

        assert made.id in raised.value.mend

    def test_puts_all_runs_together_in_order(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection, snapshot: snapshots.Snapshot
    ) -> None:
        assert runs.relation(con, ws) is None
        first = write(ws, con, snapshot)
        second = write(
            ws, con, snapshot, tables={"findings": _FINDINGS.replace("'' AS", "'new' AS band, '' AS")}
        )

        sql = runs.relation(con, ws)

        found = con.execute(
            f"SELECT finding_id, band, run_id, run_sequence FROM ({sql}) ORDER BY ALL"
        ).fetchall()
        assert found == [("F1", "new", second.id, 2), ("F1", None, first.id, 1)]
        assert runs.relation(con, ws, table="exits") is None

    def test_reports_an_altered_file(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection, snapshot: snapshots.Snapshot
    ) -> None:
        made = write(ws, con, snapshot)
        path = ws.lake / made.manifest.tables["findings"].path
        content = bytearray(path.read_bytes())
        content[20] ^= 1
        path.write_bytes(content)

        found = upkeep.verify_run(made)

        assert [str(path) in problem.what for problem in found] == [True]
        path.unlink()
        with pytest.raises(errors.SetupError, match="is missing"):
            runs.relation(con, ws)

    def test_refuses_a_manifest_that_was_changed(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection, snapshot: snapshots.Snapshot
    ) -> None:
        made = write(ws, con, snapshot)
        path = ws.lake / "runs" / made.id / "manifest.json"
        path.write_text(path.read_text().replace(made.manifest.content, "0" * 64))

        with pytest.raises(errors.SetupError, match="does not belong to"):
            runs.latest(ws)
