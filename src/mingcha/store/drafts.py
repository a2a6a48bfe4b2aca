"""A snapshot in the making: rows are added, then one commit makes all of it visible at once."""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from mingcha.kernel import errors
from mingcha.store import atomic, catalogue, duck, locks, manifests, merge, parquet, trouble, views
from mingcha.store.workspace import Workspace

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Merge:
    """What became of delivered rows: rows = added + corrected + unchanged.

    `files` are those of the table now, `files_shared` the ones among them that the parent has too.
    """

    rows: int
    added: int
    corrected: int
    unchanged: int
    files: int
    files_shared: int


class Newest:
    """Stands for the snapshot that is newest when the writer's lock has been taken."""


NEWEST: Final = Newest()


class Draft:
    """A snapshot in the making, on top of the newest one; the writer's lock is held while it is open.

    Use as a context manager. Leaving without `commit`, for whatever reason, leaves nothing behind.
    """

    def __init__(
        self,
        ws: Workspace,
        *,
        made_at: datetime.datetime,
        as_of: datetime.date | None = None,
        parent: catalogue.Snapshot | Newest | None = NEWEST,
    ) -> None:
        """Plan a snapshot. `made_at` is recorded, not hashed; `as_of` states D.

        `parent` is the snapshot to build on, by default the newest; naming one (or None for a first
        delivery) only asserts that it is still the newest when the lock is taken.
        """
        self._ws = ws
        self._made_at = made_at
        self._as_of = as_of
        self._expected = parent
        self._parent: catalogue.Snapshot | None = None
        self._lock = locks.WriterLock(lake=ws.lake)
        self._scratch: locks.Scratch | None = None
        self._files: dict[str, list[merge.Placed]] = {}
        self._columns: dict[str, tuple[str, ...]] = {}
        self._last_days: dict[str, datetime.date | None] = {}
        self._inherited: Set[str] = frozenset()
        self._merges: dict[str, Merge] = {}
        self._quarantine: dict[str, tuple[Path, int]] = {}

    def __enter__(self) -> Draft:
        """Take the writer's lock and sweep leftovers; raises SetupError when another process writes."""
        with trouble.explained(self._ws.lake):
            self._lock.__enter__()
        try:
            self._parent = catalogue.latest(self._ws)
            self._check_parent()
            with trouble.explained(self._ws.lake):
                locks.sweep(lake=self._ws.lake)
                self._scratch = locks.Scratch(lake=self._ws.lake, purpose="snapshot")
            self._inherit()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what was not committed and free the lock."""
        if self._scratch is not None:
            self._scratch.close()
            self._scratch = None
        self._lock.__exit__(None, None, None)

    @property
    def parent(self) -> catalogue.Snapshot | None:
        """Return the snapshot this one builds on, None for a first delivery."""
        return self._parent

    def add_rows(
        self,
        *,
        table: str,
        source: str | Path,
        con: duckdb.DuckDBPyConnection,
        assumed: Set[str] = frozenset(),
    ) -> Merge:
        """Merge delivered rows into the table by key and return what became of them.

        `source` is a SELECT that `con` can run, or a Parquet file. It yields any contract columns of the
        table, the key and partition columns among them; those it yields count as delivered, but for the
        `assumed` ones, which hold a placeholder nobody delivered. Keys must be unique in it. May be called
        again for the same table: later rows correct earlier ones. Raises DataError for columns the contract
        does not have and for rows without key or partition.
        """
        spec = catalogue.table_of(table, derived=False)
        folder = self._folder("rows")
        sql = source if isinstance(source, str) else f"SELECT * FROM {duck.scan([source])}"
        current = self._files.get(table, [])
        for entry, place in current:
            views.demand(place, entry)
        with trouble.explained(self._ws.lake), trouble.fitting(table):
            incoming = parquet.take(
                con,
                table=spec,
                source=sql,
                folder=folder / "stage",
                not_after=self._made_at.date(),
                compared=bool(current),
            )
            result = merge.merge(con, incoming=incoming, current=current, folder=folder)
            shutil.rmtree(folder / "stage", ignore_errors=True)
        self._files[table] = result.files
        told = {*self._columns.get(table, ()), *(set(incoming.columns) - assumed)}
        self._columns[table] = tuple(n for n in spec.column_names if n in told)
        self._last_days[table] = _later(self._last_days.get(table), incoming.last_day)
        made = Merge(
            rows=incoming.rows,
            added=result.added,
            corrected=result.corrected,
            unchanged=result.unchanged,
            files=len(result.files),
            files_shared=sum(entry.path in self._inherited for entry, _ in result.files),
        )
        self._merges[table] = _sum(self._merges.get(table), made)
        return made

    def add_quarantine(self, *, table: str, source: str, con: duckdb.DuckDBPyConnection) -> int:
        """Keep the rows of the SELECT as quarantined rows of the table; return how many they are.

        Columns: file, line, column, reason, value, row. Called again for a table, it replaces the rows.
        """
        catalogue.table_of(table, derived=False)
        place = self._folder("quarantine") / f"{table}.parquet"
        casts = ", ".join(
            f"CAST({duck.name(name)} AS {kind}) AS {duck.name(name)}" for name, kind in views.QUARANTINE
        )
        select = (
            f'SELECT {duck.literal(table)} AS "table", {casts} FROM ({source}) ORDER BY file, line, "column"'
        )
        with trouble.explained(self._ws.lake):
            con.execute(f"COPY ({select}) TO {duck.literal(str(place))} (FORMAT parquet, COMPRESSION zstd)")
        count = con.execute(f"SELECT count(*) FROM {duck.scan([place])}").fetchall()[0][0]
        self._quarantine[table] = (place, int(count))
        return int(count)

    def commit(
        self,
        *,
        delivery: Mapping[str, Any] | None = None,
        deliveries: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> catalogue.Snapshot:
        """Make the snapshot visible, all at once, and return it.

        `delivery` says where it came from (source, mapping digest …); `deliveries` says per table what
        was delivered, accepted and quarantined and why; added, corrected and unchanged rows are put in.
        """
        scratch = self._open()
        manifest = self._manifest(dict(delivery or {}), dict(deliveries or {}))
        folder = scratch.path / manifest.snapshot_id
        with trouble.explained(self._ws.lake):
            for placed in self._files.values():
                for entry, place in placed:
                    if entry.path not in self._inherited:
                        atomic.publish_file(place, self._ws.lake / entry.path)
            folder.mkdir()
            if self._quarantine:
                self._folder("quarantine").rename(folder / "quarantine")
            atomic.write_text(folder / manifests.FILE, manifests.text(manifest))
            atomic.publish_folder(folder, self._ws.lake / "snapshots" / manifest.snapshot_id)
        scratch.close()
        self._scratch = None
        return catalogue.Snapshot(lake=self._ws.lake, manifest=manifest)

    def _manifest(
        self, delivery: dict[str, Any], deliveries: dict[str, Mapping[str, Any]]
    ) -> manifests.SnapshotManifest:
        parent = self._parent
        draft = manifests.SnapshotManifest(
            format=manifests.FORMAT,
            snapshot_id="",
            parent=parent.id if parent else None,
            sequence=parent.sequence + 1 if parent else 1,
            as_of=self._as_of,
            data_date=self._data_date(),
            made_at=self._made_at.isoformat(),
            delivery=_plain(delivery),
            tables={name: self._entry(name) for name in sorted(self._columns)},
            deliveries=self._deliveries(deliveries),
            quarantine={},
        )
        quarantine = {
            name: manifests.DataFile(
                path=name,
                partition=parquet.WHOLE,
                rows=rows,
                bytes=place.stat().st_size,
                sha256=parquet.sha256(place),
                checksum="0",
                columns=("table", *(column for column, _ in views.QUARANTINE)),
            )
            for name, (place, rows) in sorted(self._quarantine.items())
        }
        named = draft.model_copy(update={"quarantine": quarantine})
        snapshot_id = named.expected_id
        placed = {
            name: file.model_copy(update={"path": f"snapshots/{snapshot_id}/quarantine/{name}.parquet"})
            for name, file in quarantine.items()
        }
        return named.model_copy(update={"snapshot_id": snapshot_id, "quarantine": placed})

    def _entry(self, table: str) -> manifests.TableEntry:
        files = sorted((entry for entry, _ in self._files.get(table, [])), key=lambda file: file.path)
        return manifests.TableEntry(
            rows=sum(file.rows for file in files),
            columns_delivered=self._columns[table],
            last_day=self._last_days.get(table),
            files=tuple(files),
        )

    def _deliveries(self, reported: dict[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
        result = {name: _plain(dict(values)) for name, values in reported.items()}
        for name, made in self._merges.items():
            result.setdefault(name, {}).update(
                added=made.added, corrected=made.corrected, unchanged=made.unchanged
            )
        return dict(sorted(result.items()))

    def _data_date(self) -> datetime.date | None:
        """Return D: as stated, else the last day any delivery reported on; it never goes back."""
        if self._as_of is not None:
            return self._as_of
        days = [day for day in self._last_days.values() if day is not None]
        if self._parent is not None and self._parent.data_date is not None:
            days.append(self._parent.data_date)
        return max(days, default=None)

    def _check_parent(self) -> None:
        if isinstance(self._expected, Newest):
            return
        expected = self._expected.id if self._expected else None
        newest = self._parent.id if self._parent else None
        if expected != newest:
            raise errors.SetupError(
                f"{self._ws.path}: {newest or 'no snapshot'} is the newest, not {expected or 'none'}",
                why="building on an older state would undo what was delivered since",
                mend="start again; the newest snapshot is then built on",
            )

    def _inherit(self) -> None:
        for name, entry in (self._parent.manifest.tables if self._parent else {}).items():
            self._files[name] = [(file, self._ws.lake / file.path) for file in entry.files]
            self._columns[name] = entry.columns_delivered
            self._last_days[name] = entry.last_day
            self._inherited |= {file.path for file in entry.files}

    def _folder(self, name: str) -> Path:
        folder = self._open().path / name
        folder.mkdir(exist_ok=True)
        return folder

    def _open(self) -> locks.Scratch:
        if self._scratch is None:
            raise RuntimeError("a draft is written inside `with snapshots.Draft(…)`, and committed once")
        return self._scratch


def _later(known: datetime.date | None, found: datetime.date | None) -> datetime.date | None:
    return max((day for day in (known, found) if day is not None), default=None)


def _sum(before: Merge | None, made: Merge) -> Merge:
    if before is None:
        return made
    return Merge(
        rows=before.rows + made.rows,
        added=before.added + made.added,
        corrected=before.corrected + made.corrected,
        unchanged=before.unchanged + made.unchanged,
        files=made.files,
        files_shared=made.files_shared,
    )


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values as JSON knows them: moments, days and decimals as text."""
    plain: dict[str, Any] = json.loads(json.dumps(values, default=str))
    return plain
