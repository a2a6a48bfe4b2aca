"""The snapshots of a workspace: listing them, opening one, seeing its tables as views."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from mingcha.contract import load as contract_load
from mingcha.kernel import errors, ids
from mingcha.store import manifests
from mingcha.store.workspace import Workspace

if TYPE_CHECKING:
    from mingcha.contract import model

_NAME = re.compile(r"^s(\d{4,})-[0-9a-f]{8}$")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An immutable, dated state of all delivered tables."""

    lake: Path
    manifest: manifests.SnapshotManifest

    @property
    def id(self) -> ids.SnapshotId:
        """Return the id, for example s0001-1a2b3c4d."""
        return ids.SnapshotId(self.manifest.snapshot_id)

    @property
    def sequence(self) -> int:
        """Return the place in the sequence of snapshots, from 1."""
        return self.manifest.sequence

    @property
    def data_date(self) -> date | None:
        """Return D, the last day delivered; None when no delivered column tells it."""
        return self.manifest.data_date

    @property
    def content_digest(self) -> str:
        """Return the digest of what it holds: equal for equal rows, delivered columns and dates."""
        return self.manifest.content_digest

    @property
    def tables(self) -> tuple[str, ...]:
        """Return the names of the delivered tables, in the order of the alphabet."""
        return tuple(sorted(self.manifest.tables))

    def files(self, table: str) -> list[Path]:
        """Return the Parquet files of a table; none when it was not delivered or is empty."""
        entry = self.manifest.tables.get(table)
        return [self.lake / file.path for file in entry.files] if entry else []

    def rows(self, table: str) -> int:
        """Return the number of rows of a table; 0 when it was not delivered."""
        entry = self.manifest.tables.get(table)
        return entry.rows if entry else 0

    def columns_delivered(self, table: str) -> tuple[str, ...]:
        """Return the contract columns some delivery held; none when the table was not delivered."""
        entry = self.manifest.tables.get(table)
        return entry.columns_delivered if entry else ()

    def table_digest(self, table: str) -> str:
        """Return a digest that changes exactly when rows or delivered columns of the table change."""
        entry = self.manifest.tables.get(table)
        return entry.digest if entry else "not delivered"


def every(ws: Workspace) -> list[Snapshot]:
    """Return all snapshots, oldest first."""
    return [_open(ws, folder) for folder in _folders(ws)]


def latest(ws: Workspace) -> Snapshot | None:
    """Return the newest snapshot, or None before the first delivery."""
    folders = _folders(ws)
    return _open(ws, folders[-1]) if folders else None


def get(ws: Workspace, snapshot_id: str) -> Snapshot:
    """Return the snapshot of that id; raises SetupError naming the known ones when there is none."""
    known = _folders(ws)
    for folder in known:
        if folder.name == snapshot_id:
            return _open(ws, folder)
    names = ", ".join(folder.name for folder in known[-5:]) or "none yet"
    raise errors.SetupError(
        f"{ws.path}: there is no snapshot {snapshot_id}",
        why="what is asked for is read from one named snapshot",
        mend=f"name one that is there (newest: {names}), or ingest a delivery first",
    )


def _folders(ws: Workspace) -> list[Path]:
    root = ws.lake / "snapshots"
    found = [folder for folder in root.iterdir() if _NAME.match(folder.name)] if root.is_dir() else []
    return sorted(found, key=lambda folder: (int(folder.name[1:].split("-")[0]), folder.name))


def _open(ws: Workspace, folder: Path) -> Snapshot:
    path = folder / manifests.FILE
    manifest = manifests.read(path, model=manifests.SnapshotManifest)
    if manifest.snapshot_id != folder.name or manifest.expected_id != folder.name:
        raise manifests.broken(path, f"its content does not belong to {folder.name}")
    return Snapshot(lake=ws.lake, manifest=manifest)


def table_of(name: str, *, derived: bool = True) -> model.Table:
    """Return the contract's table; raises DataError for a name the contract does not have.

    Without `derived` only tables that are delivered count.
    """
    contract = contract_load.contract()
    tables = contract.every if derived else contract.tables
    if name not in tables:
        raise errors.DataError(
            f"there is no table {name} in the contract",
            why="only tables whose meaning is written down can be checked and screened",
            mend="use a name of `mingcha data contract`",
        )
    return tables[name]
