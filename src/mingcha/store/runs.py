"""Runs of the rules: written whole or not at all, read one by one or all together.

    run = runs.write(ws, con=con, snapshot=snapshot, made_at=now, content={…what was run…}, record={…},
                     tables={"findings": "SELECT …", "trial": "SELECT …", "exits": "SELECT …"})
    runs.latest(ws); runs.get(ws, run_id); runs.every(ws) -> oldest first
    runs.relation(con, ws, table="findings") -> SELECT over that table of all runs, with run_sequence

A table's `run_id` and `snapshot_id` columns, where it has them, are filled in here: a run has its id only
when it is committed. `content` decides the id: leave out moments, seconds and anything else that differs
between two runs of the same thing.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mingcha.kernel import errors, ids
from mingcha.store import atomic, catalogue, duck, locks, manifests, parquet, trouble, views
from mingcha.store.workspace import Workspace

if TYPE_CHECKING:
    import duckdb

_NAME = re.compile(r"^r(\d{4,})-[0-9a-f]{8}$")
_TABLE = re.compile(r"^[a-z][a-z_]*$")


@dataclass(frozen=True, slots=True)
class Run:
    """A run: what it recorded, and the tables it wrote."""

    lake: Path
    manifest: manifests.RunManifest

    @property
    def id(self) -> ids.RunId:
        """Return the id, for example r0001-1a2b3c4d."""
        return ids.RunId(self.manifest.run_id)

    @property
    def sequence(self) -> int:
        """Return the place in the sequence of runs, from 1."""
        return self.manifest.sequence

    @property
    def snapshot_id(self) -> ids.SnapshotId:
        """Return the id of the snapshot that was screened."""
        return ids.SnapshotId(self.manifest.snapshot_id)

    @property
    def record(self) -> dict[str, Any]:
        """Return what the run recorded about itself, as JSON values."""
        return self.manifest.record

    def rows(self, table: str) -> int:
        """Return the number of rows of a table of the run; 0 when it has none of that name."""
        file = self.manifest.tables.get(table)
        return file.rows if file else 0

    def path(self, table: str) -> Path:
        """Return the file of a table of the run; raises SetupError when it is gone or cut."""
        file = self.manifest.tables[table]
        path = self.lake / file.path
        views.demand(path, file)
        return path

    def select(self, table: str) -> str:
        """Return SQL for the rows of a table of the run; raises SetupError when its file is gone or cut."""
        return f"SELECT * FROM {duck.scan([self.path(table)])}"


def write(
    ws: Workspace,
    *,
    con: duckdb.DuckDBPyConnection,
    snapshot: catalogue.Snapshot,
    made_at: datetime.datetime,
    content: Any,
    record: Mapping[str, Any],
    tables: Mapping[str, str],
) -> Run:
    """Write a run and return it: `tables` are SELECTs that `con` can run, by name.

    Nothing is visible before all of it is on the disk. Runs may be written while a delivery is taken in.
    """
    assert all(_TABLE.match(name) for name in tables)
    with (
        trouble.explained(ws.lake),
        locks.Scratch(lake=ws.lake, purpose="run") as scratch,
        locks.ShortLock(path=ws.lake / "runs.lock"),
    ):
        sequence = max((_sequence(folder) for folder in _folders(ws)), default=0) + 1
        digest = ids.digest([snapshot.id, content])
        run_id = ids.run_id(sequence=sequence, content=digest)
        folder = scratch.path / run_id
        folder.mkdir()
        known = {"run_id": str(run_id), "snapshot_id": str(snapshot.id)}
        files = {
            name: _write_table(con, folder=folder, table=name, sql=sql, known=known)
            for name, sql in tables.items()
        }
        manifest = manifests.RunManifest(
            format=manifests.FORMAT,
            run_id=run_id,
            sequence=sequence,
            snapshot_id=snapshot.id,
            made_at=made_at.isoformat(),
            content=digest,
            record=json.loads(json.dumps(dict(record), default=str)),
            tables=files,
        )
        atomic.write_text(folder / manifests.FILE, manifests.text(manifest))
        atomic.publish_folder(folder, ws.lake / "runs" / run_id)
    return Run(lake=ws.lake, manifest=manifest)


def every(ws: Workspace) -> list[Run]:
    """Return all runs, oldest first."""
    return [_open(ws, folder) for folder in _folders(ws)]


def latest(ws: Workspace) -> Run | None:
    """Return the newest run, or None before the first."""
    folders = _folders(ws)
    return _open(ws, folders[-1]) if folders else None


def get(ws: Workspace, run_id: str) -> Run:
    """Return the run of that id; raises SetupError naming the newest ones when there is none."""
    known = _folders(ws)
    for folder in known:
        if folder.name == run_id:
            return _open(ws, folder)
    names = ", ".join(folder.name for folder in known[-5:]) or "none yet"
    raise errors.SetupError(
        f"{ws.path}: there is no run {run_id}",
        why="findings are read from the run that made them",
        mend=f"name one that is there (newest: {names}), or screen first: mingcha rules run",
    )


def relation(con: duckdb.DuckDBPyConnection, ws: Workspace, *, table: str = "findings") -> str | None:
    """Return SQL for that table of all runs, with `run_sequence` to order them by; None before the first run.

    A column that an older run did not have is NULL for it. Raises SetupError when a file is gone or cut.
    """
    layouts: dict[tuple[str, ...], list[Path]] = {}
    for run in every(ws):
        if table in run.manifest.tables:
            layouts.setdefault(run.manifest.tables[table].columns, []).append(run.path(table))
    # The number stands in the name of the run's folder: one scan for many runs.
    number = f"CAST(regexp_extract(_file, 'r([0-9]+)-[0-9a-f]+/{table}.parquet$', 1) AS INTEGER)"
    scans = [
        f"SELECT {', '.join(map(duck.name, names))}, {number} AS run_sequence"
        f" FROM {duck.scan(paths, place='_file')}"
        for names, paths in layouts.items()
    ]
    return " UNION ALL BY NAME ".join(scans) or None


def _write_table(
    con: duckdb.DuckDBPyConnection, *, folder: Path, table: str, sql: str, known: dict[str, str]
) -> manifests.DataFile:
    names = tuple(str(row[0]) for row in con.execute(f"DESCRIBE {sql}").fetchall())
    values = ", ".join(
        f"{duck.literal(known[name])} AS {duck.name(name)}" if name in known else duck.name(name)
        for name in names
    )
    place = folder / f"{table}.parquet"
    con.execute(
        f"COPY (SELECT {values} FROM ({sql}) ORDER BY ALL) TO {duck.literal(str(place))}"
        " (FORMAT parquet, COMPRESSION zstd)"
    )
    rows = con.execute(f"SELECT count(*) FROM {duck.scan([place])}").fetchall()[0][0]
    return manifests.DataFile(
        path=f"runs/{folder.name}/{table}.parquet",
        partition=parquet.WHOLE,
        rows=int(rows),
        bytes=place.stat().st_size,
        sha256=parquet.sha256(place),
        checksum="0",
        columns=names,
    )


def _folders(ws: Workspace) -> list[Path]:
    root = ws.lake / "runs"
    found = [folder for folder in root.iterdir() if _NAME.match(folder.name)] if root.is_dir() else []
    return sorted(found, key=lambda folder: (_sequence(folder), folder.name))


def _sequence(folder: Path) -> int:
    return int(folder.name[1:].split("-")[0])


def _open(ws: Workspace, folder: Path) -> Run:
    path = folder / manifests.FILE
    manifest = manifests.read(path, model=manifests.RunManifest)
    if manifest.run_id != ids.run_id(sequence=_sequence(folder), content=manifest.content) or (
        manifest.run_id != folder.name
    ):
        raise manifests.broken(path, f"its content does not belong to {folder.name}")
    return Run(lake=ws.lake, manifest=manifest)
