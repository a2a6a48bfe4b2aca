"""Looking after a lake: proving that its files are what their manifests say, and removing what none names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mingcha.kernel import errors
from mingcha.store import catalogue, derived, locks, manifests, parquet, runs, views
from mingcha.store.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Unused:
    """Files that no snapshot names."""

    files: tuple[Path, ...]
    bytes: int


def verify(snapshot: catalogue.Snapshot) -> tuple[errors.SetupError, ...]:
    """Return what is wrong with the files of the snapshot, one message each; nothing when all is whole.

    Every file is read and hashed again.
    """
    entries = [file for table in snapshot.manifest.tables.values() for file in table.files]
    return _verify(snapshot.lake, [*entries, *snapshot.manifest.quarantine.values()])


def verify_run(run: runs.Run) -> tuple[errors.SetupError, ...]:
    """Return what is wrong with the files of the run, one message each; nothing when all is whole."""
    return _verify(run.lake, run.manifest.tables.values())


def verify_derived(entry: derived.Entry) -> tuple[errors.SetupError, ...]:
    """Return what is wrong with the files of derived tables, one message each; nothing when all is whole."""
    return _verify(entry.lake, entry.manifest.tables.values())


def unused(ws: Workspace) -> Unused:
    """Return the files nobody needs: what a killed delivery left behind, and outlived derived tables.

    Derived tables are needed as long as their snapshot is there and they are its newest, or a run names them.
    """
    named = {path for snapshot in catalogue.every(ws) for path in _paths(snapshot)}
    found = sorted(path for path in (ws.lake / "files").rglob("*") if path.is_file() and path not in named)
    found += sorted(path for entry in _outlived(ws) for path in entry.folder.iterdir())
    return Unused(files=tuple(found), bytes=sum(path.stat().st_size for path in found))


def collect(ws: Workspace) -> Unused:
    """Remove the files that nobody names and leftovers of ended processes; return the files.

    Takes the writer's lock: raises SetupError while a delivery is being taken in.
    """
    with locks.WriterLock(lake=ws.lake):
        locks.sweep(lake=ws.lake)
        found = unused(ws)
        outlived = _outlived(ws)
        for entry in outlived:
            derived.remove(ws, entry)
        for path in found.files:
            path.unlink(missing_ok=True)
        return found


def _outlived(ws: Workspace) -> list[derived.Entry]:
    named = [
        (str(run.snapshot_id), period, key)
        for run in runs.every(ws)
        for period, key in run.record.get("derived", {}).items()
    ]
    return derived.superseded(ws, named=named)


def _paths(snapshot: catalogue.Snapshot) -> Iterable[Path]:
    return (path for table in snapshot.tables for path in snapshot.files(table))


def _verify(lake: Path, files: Iterable[manifests.DataFile]) -> tuple[errors.SetupError, ...]:
    found = []
    for file in files:
        path = lake / file.path
        try:
            views.demand(path, file)
            if parquet.sha256(path) != file.sha256:
                raise _altered(path)
        except errors.SetupError as error:
            found.append(error)
    return tuple(found)


def _altered(path: Path) -> errors.SetupError:
    return errors.SetupError(
        f"{path} was altered: its content does not have the hash its manifest states",
        why="findings are proven by the data they were drawn from; altered data proves nothing",
        mend="restore the file from a backup, or ingest that delivery again into a new workspace",
    )
