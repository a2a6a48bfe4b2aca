"""A delivery taken in, from source to snapshot: nothing is visible before the last step, then all of it."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mingcha.contract import load as contract_load
from mingcha.ingest import remarks, report
from mingcha.ingest.checks import orphans as orphan_checks
from mingcha.ingest.checks import putaside, sources, tables
from mingcha.ingest.convert import macros
from mingcha.ingest.mapping import model, plan, reading, resolve
from mingcha.ingest.sources import discover, parquet, parts
from mingcha.ingest.sources import options as opts
from mingcha.kernel import errors, ids
from mingcha.store import duck, locks, snapshots
from mingcha.store.workspace import Workspace

if TYPE_CHECKING:
    import duckdb

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Said:
    """The mapping in force: its content and, when it comes from a file, the file's name."""

    mapping: model.Mapping
    name: str | None


def deliver(
    *,
    workspace: Workspace,
    source: str | Path,
    made_at: datetime.datetime,
    mapping: Path | None = None,
    as_of: datetime.date | None = None,
    progress: Progress | None = None,
) -> report.DeliveryReport:
    """Take in what `source` (folder, file or database URL) holds and return what became of every row.

    `mapping` is a mapping file (default: the one the workspace names, else names of the contract); `as_of`
    states the day the books stand at; `made_at` is recorded with the snapshot. `progress` is told what is
    being done. Raises BookError for a mapping with mistakes, DataError for data that cannot be read as a
    whole, SetupError for a busy workspace, a missing driver or a full disk. Then nothing has changed.
    """
    tell = progress or _silent
    said = _mapping(workspace, mapping)
    zone = workspace.settings.organisation.timezone
    with closing(workspace.connect()) as con, _explained():
        macros.install(con, empty_words=_empty_words(said.mapping))

        def options_of(names: tuple[str, ...]) -> opts.ReadOptions:
            return resolve.options_for(said.mapping, names, timezone=zone)

        with discover.opened(source, options_of=options_of) as opened:
            planned = resolve.resolve(
                mapping=said.mapping,
                mapping_name=said.name,
                parts=opened.parts,
                contract=contract_load.contract(),
                timezone=zone,
                orphans=workspace.settings.ingest.orphans,
                con=con,
            )
            with (
                snapshots.Draft(workspace, made_at=made_at, as_of=as_of) as draft,
                locks.Scratch(lake=workspace.lake, purpose="ingest") as scratch,
            ):
                staged = _stage(opened, planned, folder=scratch.path, tell=tell)
                delivery = _Delivery(con, draft, planned, staged, scratch.path, tell)
                return delivery.take_in(opened=opened, said=said)


class _Delivery:
    """The steps from staged parts to a snapshot."""

    def __init__(  # noqa: PLR0917 - private, called once
        self,
        con: duckdb.DuckDBPyConnection,
        draft: snapshots.Draft,
        planned: plan.Plan,
        staged: Mapping[int, parts.Staged],
        folder: Path,
        tell: Progress,
    ) -> None:
        self._con = con
        self._draft = draft
        self._plan = planned
        self._staged = staged
        self._folder = folder
        self._tell = tell
        self._checker = tables.Checker(con, staged=staged, folder=folder)
        self._orphans: list[orphan_checks.Orphans] = []
        self._unjudged: list[orphan_checks.Unjudged] = []

    def take_in(self, *, opened: discover.Source, said: _Said) -> report.DeliveryReport:
        """Check every table, write what is accepted, and make the snapshot visible."""
        sources.install_files(self._con, labels={n: part.label for n, part in self._staged.items()})
        with self._readable():
            checked = [self._check(table) for table in self._plan.tables]
            checked = self._judge_references(checked)
            reports = [self._write(table) for table in checked]
        self._tell("making the snapshot visible")
        mapping_digest = ids.digest(said.mapping.model_dump(mode="json"))
        snapshot = self._draft.commit(
            delivery={
                "source": opened.described,
                "mapping": said.name,
                "mapping_digest": mapping_digest,
                "files": {part.label: part.rows + part.broken_rows for part in self._staged.values()},
            },
            deliveries={item.table: _kept(item) for item in reports},
        )
        return report.DeliveryReport(
            snapshot_id=snapshot.id,
            source=opened.described,
            mapping=said.name,
            data_date=snapshot.data_date,
            tables=tuple(reports),
            files=tuple(
                report.FileReport(part.label, part.rows + part.broken_rows, part.broken_rows, part.facts)
                for part in self._staged.values()
            ),
            orphans=tuple(self._orphans),
            remarks=remarks.gather(
                opened=opened,
                planned=self._plan,
                staged=self._staged,
                checked=checked,
                orphans=self._orphans,
                unjudged=self._unjudged,
            ),
        )

    def _check(self, table: plan.TablePlan) -> tables.Checked:
        self._tell(f"checking {table.table.name}")
        return self._checker.check(table)

    def _judge_references(self, checked: list[tables.Checked]) -> list[tables.Checked]:
        """Find orphans; put them aside where the policy says so, referred tables before referring ones."""
        by_name = {item.table.name: item for item in checked}
        parent = self._draft.parent
        if parent is not None:
            snapshots.attach(self._con, parent, tables=parent.tables)
        for item in orphan_checks.in_order(checked):
            self._tell(f"following the references of {item.table.name}")
            known = self._known(by_name, parent)
            found, unjudged = orphan_checks.count(self._con, item, known=known)
            self._unjudged += unjudged
            if found and item.plan.orphans == "quarantine":
                by_name[item.table.name] = self._without(item, found, known)
            else:
                self._orphans += found
        return [by_name[item.table.name] for item in checked]

    def _without(
        self, item: tables.Checked, found: list[orphan_checks.Orphans], known: Mapping[str, str]
    ) -> tables.Checked:
        if item.numbered is None:
            item = self._checker.check(item.plan, by_row=True)
        rows = orphan_checks.list_rows(self._con, item, found, known=known)
        self._checker.put_aside_orphans(item, orphans=rows)
        return item

    def _known(
        self, checked: Mapping[str, tables.Checked], parent: snapshots.Snapshot | None
    ) -> dict[str, str]:
        """Return by "table.column" the values there are: delivered now, or in the snapshot before."""
        known: dict[str, str] = {}
        every = contract_load.contract().tables.values()
        for ref in sorted({column.ref for table in every for column in table.columns if column.ref}):
            table, name = ref.split(".")
            selects = []
            if table in checked and name in checked[table].plan.columns:
                selects.append(f"SELECT {duck.name(name)} AS v FROM ({checked[table].accepted})")
            if parent is not None and name in parent.columns_delivered(table):
                selects.append(f"SELECT {duck.name(name)} AS v FROM {duck.name(table)}")
            if selects:
                known[ref] = f"SELECT v FROM ({' UNION ALL '.join(selects)}) WHERE v IS NOT NULL"
        return known

    def _write(self, checked: tables.Checked) -> report.TableReport:
        name = checked.table.name
        self._tell(f"writing {name}")
        assumed = checked.plan.assumed
        made = self._draft.add_rows(table=name, source=checked.accepted, con=self._con, assumed=assumed)
        if checked.aside:
            self._draft.add_quarantine(table=name, source=putaside.select(checked.aside), con=self._con)
        delivered, accepted, quarantined = checked.delivered, made.rows, checked.quarantined
        if delivered != accepted + quarantined:
            raise AssertionError(f"{name}: {delivered} rows delivered ≠ {accepted} accepted + {quarantined}")
        return report.TableReport(
            table=name,
            delivered=delivered,
            accepted=accepted,
            quarantined=quarantined,
            reasons=dict(sorted(checked.reasons.items())),
            added=made.added,
            corrected=made.corrected,
            unchanged=made.unchanged,
            filtered=checked.filtered,
            rounded=dict(sorted(checked.rounded.items())),
            columns_not_delivered=tuple(
                column
                for column in checked.table.column_names
                if column not in checked.plan.columns or column in assumed
            ),
        )

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """When a query fails, look which Parquet file cannot be read to its end and name it."""
        import duckdb

        try:
            yield
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error:
            for part in self._staged.values():
                if part.in_place:
                    _read_through(part)
            raise


def _read_through(part: parts.Staged) -> None:
    import duckdb

    columns = f"bit_xor(hash({', '.join(duck.name(column.name) for column in part.columns)}))"
    with closing(duck.connect(threads=1)) as con:
        try:
            con.execute(f"SELECT {columns} FROM read_parquet({duck.paths([part.path])})").fetchall()
        except duckdb.Error as error:
            raise parquet.unreadable(part.label, error) from None


def _stage(
    opened: discover.Source, planned: plan.Plan, *, folder: Path, tell: Progress
) -> dict[int, parts.Staged]:
    staged: dict[int, parts.Staged] = {}
    numbers = planned.parts
    for place, number in enumerate(numbers, 1):
        part = opened.parts[number]
        tell(f"reading {part.label} ({place} of {len(numbers)})")
        staged[number] = part.stage(options=planned.options[number], folder=folder, number=number)
    return staged


def _mapping(workspace: Workspace, given: Path | None) -> _Said:
    path = given
    if path is None and workspace.settings.ingest.mapping is not None:
        path = workspace.path / workspace.settings.ingest.mapping
    if path is None:
        return _Said(model.BY_NAME, None)
    return _Said(reading.read(path), path.name)


def _empty_words(mapping: model.Mapping) -> tuple[str, ...]:
    every = [mapping.source, *mapping.files.values()]
    return tuple(dict.fromkeys(word for options in every for word in options.empty_words))


def _kept(item: report.TableReport) -> dict[str, object]:
    """Return what the manifest keeps of a table's report."""
    return {
        "delivered": item.delivered,
        "accepted": item.accepted,
        "quarantined": item.quarantined,
        "reasons": item.reasons,
        "filtered": item.filtered,
        "rounded": item.rounded,
    }


@contextmanager
def _explained() -> Iterator[None]:
    """Turn a full disk or memory into a message for people."""
    import duckdb

    try:
        yield
    except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as error:
        text = str(error).splitlines()[0]
        full = isinstance(error, duckdb.OutOfMemoryException) or "No space left" in str(error)
        if not full and not isinstance(error, OSError):
            raise
        raise errors.SetupError(
            f"the delivery could not be taken in: {text}",
            why="rows are staged on the disk of the workspace and checked within a limit of memory",
            mend="nothing has changed: free space on the disk of the workspace, or give more memory "
            "(memory_limit in mingcha.toml), and try again",
        ) from error


def _silent(_: str) -> None:
    """Take a message and do nothing."""
