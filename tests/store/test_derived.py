"""Derived tables: written whole, found under their key, shown month by month, removed when outlived."""

from __future__ import annotations

import datetime
import shutil
from decimal import Decimal

import duckdb
import pytest

from mingcha.contract import load as contract_load
from mingcha.kernel import errors
from mingcha.kernel.periods import BillingMonth
from mingcha.store import derived, runs, snapshots, upkeep, workspace

from .conftest import MADE_AT, deliver, reading

KEY = "ab" * 32
OTHER = "cd" * 32


@pytest.fixture
def snapshot(ws: workspace.Workspace, con: duckdb.DuckDBPyConnection) -> snapshots.Snapshot:
    return deliver(ws, con, reading=[reading(1), reading(2, "2026-02")])


def gaps(month: str, *customers: str) -> str:
    """Return SQL of rows of rerated_gap."""
    rows = ", ".join(
        f"('{name}', '{month}', 1, 'no_price', 'B{name}', 'B{name}', 1, 3.5, NULL)" for name in customers
    )
    names = ", ".join(contract_load.contract().derived["rerated_gap"].column_names)
    return f"SELECT * FROM (VALUES {rows}) AS t({names})"


def table(pct: str) -> str:
    """Return SQL of the one row of a power-factor table."""
    return f"SELECT 0.9 AS standard, 0.85 AS pf, {pct} AS pct"


class Writer:
    """Writes entries of one snapshot."""

    def __init__(
        self, ws: workspace.Workspace, con: duckdb.DuckDBPyConnection, snapshot: snapshots.Snapshot
    ) -> None:
        self.ws, self.con, self.snapshot = ws, con, snapshot

    def write(
        self, month: str, *, key: str = KEY, minute: int = 0, tables: dict[str, str] | None = None
    ) -> derived.Entry:
        made = tables or {"rerated_gap": gaps(month, "C1"), "power_factor_table": table("2.5")}
        return derived.write(
            self.ws,
            con=self.con,
            snapshot=self.snapshot,
            period=BillingMonth.parse(month),
            key=key,
            made_at=MADE_AT + datetime.timedelta(minutes=minute),
            tables=made,
            record={"settlements": 1},
        )


@pytest.fixture
def writer(ws: workspace.Workspace, con: duckdb.DuckDBPyConnection, snapshot: snapshots.Snapshot) -> Writer:
    return Writer(ws, con, snapshot)


class TestWritten:
    def test_is_found_under_its_key_and_no_other(self, writer: Writer) -> None:
        entry = writer.write("2026-01")
        asked = {"snapshot": writer.snapshot, "period": BillingMonth(2026, 1)}

        assert derived.find(writer.ws, key=KEY, **asked) == entry  # type: ignore[arg-type]
        assert derived.find(writer.ws, key=OTHER, **asked) is None  # type: ignore[arg-type]
        assert entry.record == {"settlements": 1}
        assert (entry.rows("rerated_gap"), entry.rows("rerated_line")) == (1, 0)
        assert upkeep.verify_derived(entry) == ()

    def test_writing_it_again_gives_the_one_that_is_there(self, writer: Writer) -> None:
        first = writer.write("2026-01")
        again = writer.write("2026-01", minute=5)

        assert again.manifest == first.manifest
        assert len(derived.every(writer.ws)) == 1

    def test_a_value_that_does_not_fit_leaves_nothing(self, writer: Writer) -> None:
        wrong = gaps("2026-01", "C1").replace("3.5", "'many'")

        with pytest.raises(errors.DataError, match="rerated_gap"):
            writer.write("2026-01", tables={"rerated_gap": wrong})

        assert derived.every(writer.ws) == []

    def test_a_delivered_table_is_refused(self, writer: Writer) -> None:
        with pytest.raises(errors.DataError, match="bill is no derived table"):
            writer.write("2026-01", tables={"bill": "SELECT 1"})
        with (
            pytest.raises(errors.DataError, match="no table rerated_gap"),
            snapshots.Draft(writer.ws, made_at=MADE_AT) as draft,
        ):
            draft.add_rows(table="rerated_gap", source=gaps("2026-01", "C1"), con=writer.con)

    def test_a_damaged_manifest_is_told(self, writer: Writer) -> None:
        entry = writer.write("2026-01")
        shutil.copytree(entry.folder, entry.folder.with_name(f"2026-02-{KEY[:16]}"))

        with pytest.raises(errors.SetupError, match="does not belong to 2026-02"):
            derived.find(writer.ws, snapshot=writer.snapshot, period=BillingMonth(2026, 2), key=KEY)


class TestAttached:
    def test_shows_the_union_of_the_months_and_the_last_of_what_has_none(self, writer: Writer) -> None:
        first = writer.write("2026-01")
        second = writer.write(
            "2026-02",
            tables={"rerated_gap": gaps("2026-02", "C1", "C2"), "power_factor_table": table("3")},
        )

        derived.attach(writer.con, [first, second])

        rows = writer.con.execute("SELECT billing_period, customer_id FROM rerated_gap ORDER BY ALL")
        assert rows.fetchall() == [("2026-01", "C1"), ("2026-02", "C1"), ("2026-02", "C2")]
        assert writer.con.execute("SELECT pct FROM power_factor_table").fetchall() == [(Decimal("3.0000"),)]

    def test_every_derived_table_is_there_with_its_types_without_any_entry(self, writer: Writer) -> None:
        derived.attach(writer.con, [])

        for name, shape in contract_load.contract().derived.items():
            described = writer.con.execute(f"DESCRIBE {name}").fetchall()
            assert {row[0]: row[1] for row in described} == {c.name: c.sql_type for c in shape.columns}
            assert writer.con.execute(f"SELECT count(*) FROM {name}").fetchall() == [(0,)]

    def test_a_file_that_is_gone_is_told(self, writer: Writer) -> None:
        entry = writer.write("2026-01")
        (entry.folder / "rerated_gap.parquet").unlink()

        with pytest.raises(errors.SetupError, match="is missing"):
            derived.attach(writer.con, [entry])
        assert len(upkeep.verify_derived(entry)) == 1

    def test_the_digest_follows_the_rows_not_the_key(self, writer: Writer) -> None:
        first = writer.write("2026-01")
        same = writer.write("2026-01", key=OTHER)
        other = writer.write("2026-01", key="ef" * 32, tables={"rerated_gap": gaps("2026-01", "C9")})

        told = [derived.digest([entry], table="rerated_gap") for entry in (first, same, other)]
        assert told[0] == told[1]
        assert told[0] != told[2]
        assert derived.digest([], table="rerated_gap") not in told


class TestOutlived:
    def test_goes_when_a_later_one_is_there_and_no_run_names_it(self, writer: Writer) -> None:
        old, named, new = (
            writer.write("2026-01", key=key, minute=minute)
            for minute, key in enumerate(("11" * 32, "22" * 32, "33" * 32))
        )
        runs.write(
            writer.ws,
            con=writer.con,
            snapshot=writer.snapshot,
            made_at=MADE_AT,
            content={},
            record={"derived": {"2026-01": named.key}},
            tables={},
        )

        removed = upkeep.collect(writer.ws)

        assert {path.parent for path in removed.files} == {old.folder}
        assert derived.every(writer.ws) == [named, new]
        assert upkeep.unused(writer.ws).files == ()

    def test_goes_with_its_snapshot(self, writer: Writer) -> None:
        entry = writer.write("2026-01")
        shutil.rmtree(writer.ws.lake / "snapshots" / writer.snapshot.id)

        upkeep.collect(writer.ws)

        assert not entry.folder.exists()
        assert derived.every(writer.ws) == []
