"""Snapshots that stand: digests, data dates, quarantine, reading an old one, and damage told."""

from __future__ import annotations

import datetime
import json
import threading
from pathlib import Path
from typing import Any

import duckdb
import pytest

from mingcha.contract import load as contract_load
from mingcha.kernel import errors
from mingcha.store import parquet, snapshots, upkeep, workspace

from .conftest import MADE_AT, Row, deliver, reading, values


class TestDigests:
    def test_depend_on_rows_and_not_on_how_they_came(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection, tmp_path: Path
    ) -> None:
        other = workspace.Workspace.create(tmp_path / "other")
        together = deliver(ws, con, reading=[reading(n, f"2026-0{n % 2 + 1}") for n in range(9)])

        for n in range(9):
            one_by_one = deliver(other, con, reading=[reading(n, f"2026-0{n % 2 + 1}", energy=n + 7)])
        for n in range(9):
            one_by_one = deliver(other, con, reading=[reading(n, f"2026-0{n % 2 + 1}")])

        assert one_by_one.content_digest == together.content_digest
        assert one_by_one.table_digest("reading") == together.table_digest("reading")

    def test_give_the_same_snapshot_the_same_id_and_files_anywhere(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection, tmp_path: Path
    ) -> None:
        other = workspace.Workspace.create(tmp_path / "other")
        rows = [reading(n, f"2026-0{n % 2 + 1}") for n in range(200)]

        here = deliver(ws, con, reading=rows)
        there = deliver(other, other.connect(threads=2), reading=list(reversed(rows)))

        assert here.id == there.id
        assert [path.name for path in here.files("reading")] == [path.name for path in there.files("reading")]

    def test_change_with_a_single_value(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        rows = [reading(n) for n in range(50)]
        before = deliver(ws, con, reading=rows)

        after = deliver(ws, con, reading=[*rows[:49], reading(49, energy=2)])

        assert after.table_digest("reading") != before.table_digest("reading")
        assert after.content_digest != before.content_digest

    def test_tell_apart_values_swapped_between_rows(self, con: duckdb.DuckDBPyConnection) -> None:
        table = contract_load.contract().tables["reading"]
        straight = [reading(n, energy=n, reader_staff_id=f"S{n}") for n in range(8)]
        crossed = [{**row, "energy": 7 - n} for n, row in enumerate(straight)]
        expression = parquet.row_hash(table, held=straight[0])

        sums = [
            con.execute(f"SELECT sum({expression}) FROM ({values(rows)})").fetchall()
            for rows in (straight, crossed)
        ]

        assert sums[0] != sums[1]


class TestDataDate:
    @pytest.mark.parametrize(
        ("table", "row", "expected"),
        [
            ("reading", {"read_on": "2026-04-01"}, datetime.date(2026, 3, 31)),
            (
                "bill",
                {"bill_id": "B1", "billing_period": "2026-03", "issued_at": "2026-04-05 10:00:00"},
                datetime.date(2026, 4, 5),
            ),
            ("daily_energy", {"usage_point_id": "P1", "day": "2026-04-02"}, datetime.date(2026, 4, 2)),
            ("daily_energy", {"usage_point_id": "P1", "day": "2062-04-02"}, None),
            ("customer", {"customer_id": "C1", "opened_on": "2026-04-02"}, None),
        ],
    )
    def test_is_the_last_day_a_fact_happened(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection, table: str, row: Row, expected: object
    ) -> None:
        whole = reading(1) | row if table == "reading" else row

        assert deliver(ws, con, **{table: [whole]}).data_date == expected

    def test_never_goes_back(self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection) -> None:
        deliver(ws, con, reading=[reading(1, read_on="2026-04-01")])

        corrected = deliver(ws, con, reading=[reading(1, read_on="2026-03-01")])

        assert corrected.data_date == datetime.date(2026, 3, 31)

    def test_is_what_the_delivery_states(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        deliver(ws, con, reading=[reading(1, read_on="2026-04-01")])

        with snapshots.Draft(ws, made_at=MADE_AT, as_of=datetime.date(2026, 2, 1)) as draft:
            assert draft.commit().data_date == datetime.date(2026, 2, 1)


class TestQuarantine:
    def test_is_part_of_the_snapshot(self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection) -> None:
        refused = (
            "SELECT '抄表.csv' AS file, 7 AS line, 'energy' AS \"column\", 'bad_type' AS reason,"
            " '十二' AS value, '{}' AS \"row\""
        )
        with snapshots.Draft(ws, made_at=MADE_AT) as draft:
            draft.add_rows(table="reading", source=values([reading(1)]), con=con)
            assert draft.add_quarantine(table="reading", source=refused, con=con) == 1
            assert draft.add_quarantine(table="bill", source=f"{refused} UNION ALL {refused}", con=con) == 2
            snapshot = draft.commit()

        one = snapshots.quarantine(con, snapshot, table="reading").fetchall()
        assert one == [("reading", "抄表.csv", 7, "energy", "bad_type", "十二", "{}")]
        assert len(snapshots.quarantine(con, snapshot).fetchall()) == 3
        assert upkeep.verify(snapshot) == ()

    def test_is_empty_and_typed_when_nothing_was_refused(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        relation = snapshots.quarantine(con, deliver(ws, con, reading=[reading(1)]))

        assert relation.columns == ["table", "file", "line", "column", "reason", "value", "row"]
        assert relation.fetchall() == []

    def test_belongs_to_its_delivery_only(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        refused = (
            "SELECT NULL AS file, 1 AS line, NULL AS \"column\", 'r' AS reason, NULL AS value, '' AS \"row\""
        )
        with snapshots.Draft(ws, made_at=MADE_AT) as draft:
            draft.add_quarantine(table="reading", source=refused, con=con)
            first = draft.commit()

        second = deliver(ws, con, reading=[reading(1)])

        assert len(snapshots.quarantine(con, first).fetchall()) == 1
        assert snapshots.quarantine(con, second).fetchall() == []


class TestReading:
    def test_lists_all_snapshots_oldest_first(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        made = [deliver(ws, con, reading=[reading(n)]) for n in range(3)]

        assert snapshots.every(ws) == made
        assert snapshots.latest(ws) == made[-1]
        assert [snapshot.sequence for snapshot in made] == [1, 2, 3]

    def test_names_the_known_ones_when_asked_for_another(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        with pytest.raises(errors.SetupError, match="no snapshot s0009-00000000") as raised:
            snapshots.get(ws, "s0009-00000000")
        assert "none yet" in raised.value.mend

        made = deliver(ws, con, reading=[reading(1)])
        with pytest.raises(errors.SetupError) as raised:
            snapshots.get(ws, "s0009-00000000")
        assert made.id in raised.value.mend

    def test_sees_the_same_rows_while_others_commit(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        first = deliver(ws, con, reading=[reading(n) for n in range(100)])
        reader = ws.connect(memory_limit="200MB", threads=1)
        snapshots.attach(reader, first)
        sums: set[object] = set()
        done = threading.Event()

        def read() -> None:
            while not done.is_set():
                sums.update(reader.execute("SELECT sum(energy), count(*) FROM reading").fetchall())

        thread = threading.Thread(target=read)
        thread.start()
        try:
            for round_number in range(5):
                deliver(ws, con, reading=[reading(n, energy=round_number) for n in range(150)])
        finally:
            done.set()
            thread.join()

        assert sums == {(100, 100)}
        reader.close()

    def test_pushes_filters_down_to_the_files(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        deliver(ws, con, reading=[reading(n, reader_staff_id="S1") for n in range(9)])
        snapshot = deliver(ws, con, reading=[reading(n, "2026-02") for n in range(10, 19)])
        snapshots.attach(con, snapshot, tables=["reading"])

        plan = json.dumps(
            con.execute(
                "EXPLAIN (FORMAT json) SELECT energy FROM reading WHERE usage_point_id = 'P13'"
            ).fetchall()
        )

        assert plan.replace(" ", "").count("usage_point_id='P13'") == 2
        assert "entered_at" not in plan


class TestDamage:
    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (lambda text: text[: len(text) // 2], "manifest cannot be read"),
            (lambda text: text.replace('"rows": 1', '"rows": 2'), "does not belong to"),
            (lambda text: text.replace('"sequence"', '"sequenz"'), "sequence"),
            (lambda text: text.replace('"format": 1', '"format": 2'), "format is 2, this version reads 1"),
            (lambda text: "[]", "manifest cannot be read"),
            (lambda text: "\udcff", "manifest cannot be read"),
        ],
    )
    def test_of_a_manifest_is_reported(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection, change: Any, words: str
    ) -> None:
        snapshot = deliver(ws, con, reading=[reading(1)])
        path = ws.lake / "snapshots" / snapshot.id / "manifest.json"
        path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8", errors="surrogateescape")

        with pytest.raises(errors.SetupError, match=words) as raised:
            snapshots.latest(ws)

        assert str(path) in raised.value.what

    def test_of_a_manifest_that_is_gone_is_reported(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        snapshot = deliver(ws, con, reading=[reading(1)])
        (ws.lake / "snapshots" / snapshot.id / "manifest.json").unlink()

        with pytest.raises(errors.SetupError, match="the file is missing"):
            snapshots.get(ws, snapshot.id)

    def test_of_a_file_is_reported_before_it_is_read(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        snapshot = deliver(ws, con, reading=[reading(1)])
        path = snapshot.files("reading")[0]
        path.write_bytes(path.read_bytes()[:-1])

        with pytest.raises(errors.SetupError, match="bytes instead of") as raised:
            snapshots.attach(con, snapshot)
        assert str(path) in raised.value.what
        with pytest.raises(errors.SetupError, match="bytes instead of"):
            deliver(ws, con, reading=[reading(2)])
        assert snapshots.latest(ws) == snapshot
