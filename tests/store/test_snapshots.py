"""Deliveries become snapshots: merged by key, sharing what did not change, all at once or not at all."""

from __future__ import annotations

import datetime
import errno
import os
from pathlib import Path
from typing import Any

import duckdb
import pytest

from mingcha.contract import load as contract_load
from mingcha.kernel import errors
from mingcha.store import atomic, snapshots, upkeep, workspace

from .conftest import MADE_AT, Row, deliver, reading, seen, values


def energies(con: duckdb.DuckDBPyConnection, snapshot: snapshots.Snapshot) -> dict[str, Any]:
    return {key: int(energy) for key, energy in seen(con, snapshot, "reading", "reading_id", "energy")}


class TestFirstDelivery:
    def test_divides_rows_by_month_and_sorts_them(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        rows = [reading(number, month) for number in (3, 1, 2) for month in ("2026-02", "2026-01")]
        for number, row in enumerate(rows):
            row["reading_id"] = f"R{number}"

        snapshot = deliver(ws, con, reading=rows)

        names = [path.name[:8] for path in snapshot.files("reading")]
        assert names == ["2026-01-", "2026-02-"]
        for path in snapshot.files("reading"):
            points = con.execute("SELECT usage_point_id FROM read_parquet(?)", [str(path)]).fetchall()
            assert points == [("P1",), ("P2",), ("P3",)]

    def test_is_numbered_and_recorded(self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection) -> None:
        with snapshots.Draft(ws, made_at=MADE_AT, as_of=datetime.date(2026, 4, 10)) as draft:
            made = draft.add_rows(table="reading", source=values([reading(1), reading(2)]), con=con)
            snapshot = draft.commit(
                delivery={"source": "抄表.csv", "on": datetime.date(2026, 4, 11)},
                deliveries={"reading": {"delivered": 3, "accepted": 2, "quarantined": 1}},
            )

        assert made == snapshots.Merge(rows=2, added=2, corrected=0, unchanged=0, files=1, files_shared=0)
        assert snapshot.id.startswith("s0001-")
        assert snapshot.data_date == datetime.date(2026, 4, 10)
        again = snapshots.get(ws, snapshot.id)
        assert again == snapshot
        assert again.manifest.delivery == {"source": "抄表.csv", "on": "2026-04-11"}
        assert again.manifest.deliveries["reading"] == {
            "delivered": 3, "accepted": 2, "quarantined": 1, "added": 2, "corrected": 0, "unchanged": 0,
        }  # fmt: skip

    def test_keeps_an_empty_table_apart_from_one_not_delivered(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        snapshot = deliver(ws, con, reading=values([reading(1)]) + " WHERE false")

        assert snapshot.tables == ("reading",)
        assert snapshot.rows("reading") == 0
        assert "energy" in snapshot.columns_delivered("reading")
        assert snapshot.columns_delivered("bill") == ()
        assert snapshot.table_digest("reading") != snapshot.table_digest("bill")
        assert seen(con, snapshot, "reading", "*") == []

    def test_keeps_a_delivery_of_nothing(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        snapshot = deliver(ws, con)

        assert snapshots.latest(ws) == snapshot
        assert snapshot.tables == ()
        assert snapshot.data_date is None

    def test_does_not_count_assumed_columns_as_delivered(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        with snapshots.Draft(ws, made_at=MADE_AT) as draft:
            draft.add_rows(table="reading", source=values([reading(1)]), con=con, assumed={"register"})
            snapshot = draft.commit()

        assert "register" not in snapshot.columns_delivered("reading")
        assert seen(con, snapshot, "reading", "register") == [("active",)]

    def test_reads_a_parquet_file_in_place(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection, tmp_path: Path
    ) -> None:
        source = tmp_path / "交 费's.parquet"
        con.execute(f"COPY ({values([reading(1)])}) TO '{str(source).replace(chr(39), chr(39) * 2)}'")

        with snapshots.Draft(ws, made_at=MADE_AT) as draft:
            draft.add_rows(table="reading", source=source, con=con)
            snapshot = draft.commit()

        assert energies(con, snapshot) == {"R1": 1}

    def test_runs_an_expensive_query_only_once(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        con.execute("CREATE SEQUENCE asked")
        rows = f"({values(reading(n, f'2026-{n:02d}') for n in range(1, 13))})"

        # DISTINCT makes it more than a scan; the sequence tells how often it was run.
        with snapshots.Draft(ws, made_at=MADE_AT) as draft:
            draft.add_rows(
                table="reading",
                source=f"SELECT * REPLACE (nextval('asked') AS energy) FROM (SELECT DISTINCT * FROM {rows})",
                con=con,
            )
            snapshot = draft.commit()

        assert sorted(energies(con, snapshot).values()) == list(range(1, 13))
        assert con.execute("SELECT nextval('asked')").fetchall() == [(13,)]

    def test_takes_many_months_at_once(self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection) -> None:
        months = [f"{2000 + n // 12}-{n % 12 + 1:02d}" for n in range(40)]
        rows = [reading(n, month, energy=n) for n, month in enumerate(months)]

        snapshot = deliver(ws, con, reading=rows)

        assert len(snapshot.files("reading")) == 40
        assert energies(con, snapshot) == {f"R{n}": n for n in range(40)}

    def test_gives_every_column_its_exact_type(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        snapshot = deliver(ws, con, reading=[reading(1, reader_staff_id=None)])

        snapshots.attach(con, snapshot)
        for table in contract_load.contract().tables.values():
            found = [row[:2] for row in con.execute(f'DESCRIBE "{table.name}"').fetchall()]
            assert found == [(column.name, column.sql_type) for column in table.columns]


class TestRefusals:
    @pytest.mark.parametrize(
        ("rows", "words"),
        [
            ([reading(1, typo=1)], "unknown columns typo"),
            ([{"reading_id": "R1", "energy": 1}], "missing columns billing_period"),
            ([{"billing_period": "2026-01", "energy": 1}], "missing columns reading_id"),
            ([reading(1) | {"reading_id": None}], r"1 rows without a value in the key \(reading_id\)"),
            ([reading(1, "2026/01")], "billing_period is 2026/01, which is not a month"),
            ([reading(1) | {"billing_period": None}], "billing_period is empty, which is not a month"),
            ([reading(1) | {"energy": 10**15}], "rows for reading"),
            ([reading(1) | {"energy": "many"}], "rows for reading"),
        ],
    )
    def test_refuses_rows_that_cannot_be_kept(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection, rows: list[Row], words: str
    ) -> None:
        with pytest.raises(errors.DataError, match=words):
            deliver(ws, con, reading=rows)

        assert snapshots.latest(ws) is None
        assert not list((ws.lake / "tmp").glob("snapshot-*"))

    def test_refuses_months_that_are_not_months_in_a_query_run_once(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        rows = [reading(1, "2026/01"), reading(2, "..")]

        with pytest.raises(errors.DataError, match="which is not a month"):
            deliver(ws, con, reading=f"SELECT DISTINCT * FROM ({values(rows)})")

    def test_refuses_a_table_the_contract_does_not_have(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        with pytest.raises(errors.DataError, match="there is no table readings"):
            deliver(ws, con, readings=[reading(1)])

    def test_refuses_to_build_on_a_snapshot_that_is_no_longer_the_newest(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        first = deliver(ws, con, reading=[reading(1)])
        second = deliver(ws, con, reading=[reading(2)])

        with (
            pytest.raises(errors.SetupError, match=f"{second.id} is the newest, not {first.id}"),
            snapshots.Draft(ws, made_at=MADE_AT, parent=first),
        ):
            pass
        with (
            pytest.raises(errors.SetupError, match=f"{second.id} is the newest, not none"),
            snapshots.Draft(ws, made_at=MADE_AT, parent=None),
        ):
            pass
        with snapshots.Draft(ws, made_at=MADE_AT, parent=second) as draft:
            assert draft.parent == second

    def test_refuses_a_source_that_changes_while_it_is_read(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        con.execute("CREATE SEQUENCE asked")
        source = f"{values([reading(1)])} WHERE nextval('asked') = 1"

        with pytest.raises(errors.DataError, match="1 were counted and then 0 read"):
            deliver(ws, con, reading=source)

    @pytest.mark.parametrize(
        ("number", "words"), [(errno.ENOSPC, "make room on that disk"), (errno.EACCES, "the right to write")]
    )
    def test_leaves_the_state_before_when_the_disk_fails_in_the_commit(
        self,
        ws: workspace.Workspace,
        con: duckdb.DuckDBPyConnection,
        monkeypatch: pytest.MonkeyPatch,
        number: int,
        words: str,
    ) -> None:
        first = deliver(ws, con, reading=[reading(1)])

        def fail(*_: object) -> None:
            raise OSError(number, os.strerror(number))

        with monkeypatch.context() as patched:
            # The data files are in place by then, the manifest is not.
            patched.setattr(atomic, "publish_folder", fail)
            with pytest.raises(errors.SetupError, match="cannot be written") as raised:
                deliver(ws, con, reading=[reading(2, "2026-02")])

        assert words in raised.value.mend
        assert snapshots.every(ws) == [first]
        assert len(upkeep.unused(ws).files) == 1
        assert not list((ws.lake / "tmp").glob("snapshot-*"))
        second = deliver(ws, con, reading=[reading(2, "2026-02")])
        assert energies(con, second) == {"R1": 1, "R2": 1}
        assert upkeep.unused(ws).files == ()

    def test_commits_once(self, ws: workspace.Workspace) -> None:
        with snapshots.Draft(ws, made_at=MADE_AT) as draft:
            draft.commit()
            with pytest.raises(RuntimeError, match="committed once"):
                draft.commit()

    def test_says_so_when_memory_does_not_suffice(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        con.execute("SET temp_directory = ''")
        con.execute("SET memory_limit = '20MB'")
        rows = (
            "SELECT 'R' || i AS reading_id, '2026-01' AS billing_period, 'P' || hash(i) AS usage_point_id"
            " FROM range(2000000) r(i)"
        )

        with pytest.raises(errors.SetupError, match="memory") as raised:
            deliver(ws, con, reading=f"SELECT DISTINCT * FROM ({rows})")

        assert "engine.memory_limit" in raised.value.mend
        assert snapshots.latest(ws) is None


class TestLaterDelivery:
    def test_adds_and_corrects_by_key(self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection) -> None:
        first = deliver(ws, con, reading=[reading(n, energy=n) for n in (1, 2, 3)])
        with snapshots.Draft(ws, made_at=MADE_AT) as draft:
            made = draft.add_rows(
                table="reading",
                source=values([reading(2, energy=20), reading(3, energy=3), reading(4, energy=4)]),
                con=con,
            )
            second = draft.commit()

        assert (made.added, made.corrected, made.unchanged) == (1, 1, 1)
        assert energies(con, second) == {"R1": 1, "R2": 20, "R3": 3, "R4": 4}
        assert energies(con, first) == {"R1": 1, "R2": 2, "R3": 3}
        assert second.manifest.parent == first.id

    def test_shares_the_files_of_months_that_did_not_change(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        first = deliver(ws, con, reading=[reading(n, f"2026-{n:02d}") for n in range(1, 7)], bill=_bills(3))

        second = deliver(ws, con, reading=[reading(2, "2026-02", energy=9), reading(7, "2026-07")])

        common = set(first.files("reading")) & set(second.files("reading"))
        assert {path.name[:7] for path in common} == {"2026-01", "2026-03", "2026-04", "2026-05", "2026-06"}
        assert second.files("bill") == first.files("bill")
        assert second.table_digest("bill") == first.table_digest("bill")

    def test_shares_every_file_when_the_same_rows_come_again_in_another_order(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        rows = [reading(n, f"2026-{n % 3 + 1:02d}") for n in range(30)]
        first = deliver(ws, con, reading=rows)

        second = deliver(ws, con, reading=list(reversed(rows)))

        assert second.files("reading") == first.files("reading")
        assert second.content_digest == first.content_digest
        assert second.id != first.id
        assert second.manifest.deliveries["reading"] == {"added": 0, "corrected": 0, "unchanged": 30}

    def test_adds_a_file_beside_the_old_one_when_no_row_of_it_changes(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        first = deliver(ws, con, reading=[reading(1), reading(2)])

        second = deliver(ws, con, reading=[reading(2), reading(3)])
        again = deliver(ws, con, reading=[reading(3), reading(2)])

        assert set(first.files("reading")) < set(second.files("reading"))
        assert energies(con, second) == {"R1": 1, "R2": 1, "R3": 1}
        assert again.files("reading") == second.files("reading")

    def test_knows_a_day_delivered_again_by_its_file(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        days = [
            [{"usage_point_id": f"P{n}", "day": f"2026-01-0{day}", "import_kwh": n} for n in range(5)]
            for day in (1, 2)
        ]
        for rows in days:
            last = deliver(ws, con, daily_energy=rows)

        again = deliver(ws, con, daily_energy=days[0])

        assert len(last.files("daily_energy")) == 2
        assert again.files("daily_energy") == last.files("daily_energy")
        assert again.data_date == datetime.date(2026, 1, 2)

    def test_writes_a_month_anew_when_it_has_too_many_files(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        counts = []
        for day in range(1, 13):
            rows = [
                {"usage_point_id": f"P{n}", "day": f"2026-01-{day:02d}", "import_kwh": n} for n in range(5)
            ]
            last = deliver(ws, con, daily_energy=[*rows, {"usage_point_id": "P0", "day": "2026-02-01"}])
            counts.append(sum(path.name.startswith("2026-01") for path in last.files("daily_energy")))

        assert counts == [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4]
        assert len(seen(con, last, "daily_energy", "day", "usage_point_id", "import_kwh")) == 61
        assert upkeep.verify(last) == ()

    def test_moves_a_row_whose_month_is_corrected(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        deliver(ws, con, reading=[reading(1, "2026-01"), reading(2, "2026-01"), reading(3, "2026-02")])

        moved = deliver(ws, con, reading=[reading(1, "2026-02"), reading(3, "2026-03")])

        rows = seen(con, moved, "reading", "reading_id", "billing_period")
        assert rows == [("R1", "2026-02"), ("R2", "2026-01"), ("R3", "2026-03")]
        assert moved.manifest.deliveries["reading"] == {"added": 0, "corrected": 2, "unchanged": 0}
        assert [path.name[:7] for path in moved.files("reading")] == ["2026-01", "2026-02", "2026-03"]

    def test_drops_a_month_that_lost_its_last_row(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        deliver(ws, con, reading=[reading(1, "2026-01"), reading(2, "2026-02")])

        moved = deliver(ws, con, reading=[reading(1, "2026-02")])

        assert [path.name[:7] for path in moved.files("reading")] == ["2026-02", "2026-02"]
        assert energies(con, moved) == {"R1": 1, "R2": 1}

    def test_keeps_columns_that_are_not_delivered_again(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        first = deliver(ws, con, reading=[reading(n, reader_staff_id=f"S{n}") for n in (1, 2)])

        second = deliver(ws, con, reading=[reading(1, energy=7, method="manual"), reading(3)])

        rows = seen(con, second, "reading", "reading_id", "energy::INT", "reader_staff_id", '"method"')
        assert rows == [("R1", 7, "S1", "manual"), ("R2", 1, "S2", None), ("R3", 1, None, None)]
        assert set(second.columns_delivered("reading")) - set(first.columns_delivered("reading")) == {
            "method"
        }
        assert "reader_staff_id" in second.columns_delivered("reading")

    def test_keeps_them_when_the_row_moves_to_another_month(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        deliver(ws, con, reading=[reading(1, "2026-01", reader_staff_id="S1"), reading(2, "2026-02")])

        moved = deliver(ws, con, reading=[reading(1, "2026-02")])

        rows = seen(con, moved, "reading", "reading_id", "billing_period", "reader_staff_id")
        assert rows == [("R1", "2026-02", "S1"), ("R2", "2026-02", None)]

    def test_empties_a_column_that_is_delivered_empty(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        deliver(ws, con, reading=[reading(1, reader_staff_id="S1")])

        emptied = deliver(ws, con, reading=[reading(1, reader_staff_id=None)])

        assert seen(con, emptied, "reading", "reader_staff_id") == [(None,)]

    def test_replaces_rows_of_a_table_kept_whole(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        first = deliver(ws, con, customer=[{"customer_id": f"C{n}", "name": "甲"} for n in (1, 2)])

        second = deliver(ws, con, customer=[{"customer_id": "C2", "name": "乙"}])

        assert seen(con, second, "customer", "customer_id", "name") == [("C1", "甲"), ("C2", "乙")]
        assert seen(con, first, "customer", "customer_id", "name") == [("C1", "甲"), ("C2", "甲")]

    def test_merges_several_calls_for_one_table(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        with snapshots.Draft(ws, made_at=MADE_AT) as draft:
            draft.add_rows(table="reading", source=values([reading(1), reading(2)]), con=con)
            made = draft.add_rows(table="reading", source=values([reading(2, energy=5), reading(3)]), con=con)
            snapshot = draft.commit()

        assert (made.added, made.corrected) == (1, 1)
        assert energies(con, snapshot) == {"R1": 1, "R2": 5, "R3": 1}
        assert snapshot.manifest.deliveries["reading"] == {"added": 3, "corrected": 1, "unchanged": 0}
        assert upkeep.verify(snapshot) == ()
        assert upkeep.unused(ws).files == ()

    def test_runs_several_expensive_queries_for_one_table(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        with snapshots.Draft(ws, made_at=MADE_AT) as draft:
            for rows in ([reading(1), reading(2)], [reading(2, energy=5), reading(3)]):
                source = f"SELECT DISTINCT * FROM ({values(rows)})"
                made = draft.add_rows(table="reading", source=source, con=con)
            snapshot = draft.commit()

        assert (made.added, made.corrected) == (1, 1)
        assert energies(con, snapshot) == {"R1": 1, "R2": 5, "R3": 1}

    def test_leaves_no_table_behind_in_the_connection(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection
    ) -> None:
        deliver(ws, con, reading=[reading(1)])
        deliver(ws, con, reading=[reading(1, energy=2)])

        assert con.execute("SHOW TABLES").fetchall() == []


def _bills(count: int) -> list[Row]:
    return [{"bill_id": f"B{n}", "customer_id": f"C{n}", "billing_period": "2026-01"} for n in range(count)]
