"""Tables calculated from a snapshot: kept per billing month, under a key made of all they depend on.

    entry = derived.find(ws, snapshot=snapshot, period=period, key=key)          # None: not made yet
    entry = derived.write(ws, con=con, snapshot=snapshot, period=period, key=key, made_at=now,
                          tables={"rerated_bill": "SELECT …"}, record={"settlements": 12})
    derived.attach(con, [entry, …])          # one TEMP VIEW per derived table, the union of the months

An entry is a folder that one rename makes visible, as a run is. It is never changed: other prices or another
engine give another key. Losing an entry costs time, never truth.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mingcha.contract import load as contract_load
from mingcha.kernel import errors, ids
from mingcha.kernel.periods import BillingMonth
from mingcha.store import atomic, catalogue, duck, locks, manifests, parquet, trouble, views
from mingcha.store.workspace import Workspace

if TYPE_CHECKING:
    import duckdb

    from mingcha.contract import model

_KEY = re.compile(r"^[0-9a-f]{16,64}$")
_NAME = re.compile(r"^\d{4}-\d{2}-[0-9a-f]{16}$")
_SHOWN = 16
"""So many digits of the key stand in the name of its folder."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The derived tables of one snapshot and one month."""

    lake: Path
    manifest: manifests.DerivedManifest

    @property
    def period(self) -> BillingMonth:
        """Return the billing month."""
        return BillingMonth.parse(self.manifest.period)

    @property
    def key(self) -> str:
        """Return the key it was written under."""
        return self.manifest.key

    @property
    def record(self) -> dict[str, Any]:
        """Return what was recorded when it was made, as JSON values."""
        return self.manifest.record

    @property
    def folder(self) -> Path:
        """Return the folder it lies in."""
        return _place(self.lake, self.manifest.snapshot_id, self.manifest.period, self.key)

    @property
    def made(self) -> frozenset[str]:
        """Return the names of the tables that were written, those without rows too."""
        return frozenset(self.manifest.made)

    def rows(self, table: str) -> int:
        """Return the number of rows of a table."""
        file = self.manifest.tables.get(table)
        return file.rows if file else 0

    def files(self, table: str) -> tuple[manifests.DataFile, ...]:
        """Return the entry of the table's file; none when the table has no rows."""
        file = self.manifest.tables.get(table)
        return (file,) if file else ()


def find(ws: Workspace, *, snapshot: catalogue.Snapshot, period: BillingMonth, key: str) -> Entry | None:
    """Return the entry written under the key, or None; raises SetupError when its manifest is damaged."""
    folder = _place(ws.lake, snapshot.id, str(period), key)
    return _open(ws.lake, folder) if folder.is_dir() else None


def get(ws: Workspace, *, snapshot_id: str, period: str, key: str) -> Entry | None:
    """Return the entry a run recorded, or None when it was removed since."""
    folder = _place(ws.lake, snapshot_id, period, key)
    return _open(ws.lake, folder) if folder.is_dir() else None


def every(ws: Workspace) -> list[Entry]:
    """Return all entries, those made first before the others."""
    root = ws.lake / "derived"
    folders = [path for path in root.glob("*/*") if _NAME.match(path.name)] if root.is_dir() else []
    return sorted(
        (_open(ws.lake, folder) for folder in folders),
        key=lambda entry: (entry.manifest.made_at, entry.manifest.period, entry.key),
    )


def write(
    ws: Workspace,
    *,
    con: duckdb.DuckDBPyConnection,
    snapshot: catalogue.Snapshot,
    period: BillingMonth,
    key: str,
    made_at: datetime.datetime,
    tables: Mapping[str, str],
    record: Mapping[str, Any],
) -> Entry:
    """Write the derived tables of a month and return them: `tables` are SELECTs that `con` can run, by name.

    Nothing is visible before all of it is on the disk. Where an entry of that key is there already, made by
    another process meanwhile, that one is returned. Raises DataError for a table that is not derived or a
    value that does not fit its column.
    """
    assert _KEY.match(key)
    target = _place(ws.lake, snapshot.id, str(period), key)
    with trouble.explained(ws.lake), locks.Scratch(lake=ws.lake, purpose="derived") as scratch:
        folder = scratch.path / target.name
        folder.mkdir()
        files = {}
        for name, sql in tables.items():
            file = _write_table(con, table=_derived(name), sql=sql, folder=folder, target=target)
            if file is not None:
                files[name] = file
        manifest = manifests.DerivedManifest(
            format=manifests.FORMAT,
            snapshot_id=snapshot.id,
            period=str(period),
            key=key,
            made_at=made_at.isoformat(),
            record=json.loads(json.dumps(dict(record), default=str)),
            made=tuple(sorted(tables)),
            tables=files,
        )
        atomic.write_text(folder / manifests.FILE, manifests.text(manifest))
        with locks.ShortLock(path=ws.lake / "derived.lock"):
            if not target.exists():
                atomic.publish_folder(folder, target)
    return _open(ws.lake, target)


def attach(
    con: duckdb.DuckDBPyConnection, entries: Sequence[Entry], *, tables: Iterable[str] | None = None
) -> None:
    """Make a TEMP VIEW per derived table (or the named ones): the rows of all entries, none without entries.

    A table that is not kept by month is taken from the last entry. Raises SetupError when a file is gone.
    """
    for name in contract_load.contract().derived if tables is None else tables:
        files = _meant(entries, name)
        lake = entries[0].lake if entries else Path()
        for file in files:
            views.demand(lake / file.path, file)
        sql = views.relation(_derived(name), files=files, lake=lake)
        con.execute(f"CREATE OR REPLACE TEMP VIEW {duck.name(name)} AS {sql}")


def paths(entries: Sequence[Entry], *, table: str) -> list[Path]:
    """Return the files whose rows `attach` shows of a table; raises SetupError when one is gone or cut."""
    files = _meant(entries, table)
    lake = entries[0].lake if entries else Path()
    for file in files:
        views.demand(lake / file.path, file)
    return [lake / file.path for file in files]


def digest(entries: Sequence[Entry], *, table: str) -> str:
    """Return a digest that changes exactly when the rows `attach` shows of the table change."""
    meant = entries if _derived(table).partition is not None else entries[-1:]
    found = [[str(entry.period), file.rows, file.checksum] for entry in meant for file in entry.files(table)]
    return ids.digest(found)


def _meant(entries: Sequence[Entry], name: str) -> list[manifests.DataFile]:
    meant = entries if _derived(name).partition is not None else entries[-1:]
    return [file for entry in meant for file in entry.files(name)]


def superseded(ws: Workspace, *, named: Iterable[tuple[str, str, str]]) -> list[Entry]:
    """Return the entries no one needs: their snapshot is gone, or a later one is there and no run names them.

    `named` are (snapshot id, period, key) as the runs recorded them.
    """
    snapshots = {str(snapshot.id) for snapshot in catalogue.every(ws)}
    entries = every(ws)
    newest = {(entry.manifest.snapshot_id, entry.manifest.period): entry.key for entry in entries}
    kept = {(*place, key) for place, key in newest.items()} | set(named)
    return [
        entry
        for entry in entries
        if entry.manifest.snapshot_id not in snapshots
        or (entry.manifest.snapshot_id, entry.manifest.period, entry.key) not in kept
    ]


def remove(ws: Workspace, entry: Entry) -> None:
    """Remove an entry, at once or not at all."""
    with locks.Scratch(lake=ws.lake, purpose="derived") as scratch:
        entry.folder.rename(scratch.path / entry.folder.name)


def _write_table(
    con: duckdb.DuckDBPyConnection, *, table: model.Table, sql: str, folder: Path, target: Path
) -> manifests.DataFile | None:
    columns = ", ".join(
        f"CAST({duck.name(column.name)} AS {column.sql_type}) AS {duck.name(column.name)}"
        for column in table.columns
    )
    with trouble.fitting(table.name):
        written = parquet.write(
            con,
            table=table,
            columns=table.column_names,
            select=f"SELECT {columns} FROM ({sql})",
            label=parquet.WHOLE,
            folder=folder,
        )
    if written is None:
        return None
    entry, draft = written
    name = f"{table.name}.parquet"
    draft.replace(folder / name)
    return entry.model_copy(update={"path": f"derived/{target.parent.name}/{target.name}/{name}"})


def _derived(name: str) -> model.Table:
    tables = contract_load.contract().derived
    if name not in tables:
        raise errors.DataError(
            f"{name} is no derived table of the contract",
            why="delivered tables hold what a utility stated; nothing calculated may be mixed in",
            mend=f"use one of: {', '.join(tables)}",
        )
    return tables[name]


def _place(lake: Path, snapshot_id: str, period: str, key: str) -> Path:
    return lake / "derived" / snapshot_id / f"{period}-{key[:_SHOWN]}"


def _open(lake: Path, folder: Path) -> Entry:
    path = folder / manifests.FILE
    entry = Entry(lake=lake, manifest=manifests.read(path, model=manifests.DerivedManifest))
    if entry.folder != folder:
        raise manifests.broken(path, f"its content does not belong to {folder.name}")
    return entry
