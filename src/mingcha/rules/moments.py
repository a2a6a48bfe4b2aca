"""What can be asked about: tables and columns, derived ones too, the last complete month, the history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from mingcha.contract import load as contract_load
from mingcha.kernel import errors
from mingcha.kernel.periods import BillingMonth
from mingcha.store import derived, snapshots

Delivered = Mapping[str, frozenset[str]]


NOT_YET = "not re-rated yet; run `mingcha bills rerate`"


@dataclass(frozen=True, slots=True)
class Rerated:
    """The derived tables of the screened months, one entry a month; `because` says why one is missing."""

    entries: tuple[derived.Entry, ...] = ()
    because: str = NOT_YET
    without: tuple[str, ...] = ()
    """Tables and columns that were not delivered and were taken as empty when bills were rated."""

    @property
    def tables(self) -> Delivered:
        """Return {derived table: columns} of those that every month has."""
        shapes = contract_load.contract().derived if self.entries else {}
        return {
            name: frozenset(table.column_names)
            for name, table in shapes.items()
            if all(name in entry.made for entry in self.entries)
        }

    @property
    def keys(self) -> dict[str, str]:
        """Return {month: key}, by which a finding's rows are found again."""
        return {str(entry.period): entry.key for entry in self.entries}


NOTHING_RERATED = Rerated()


def delivered(snapshot: snapshots.Snapshot, rerated: Rerated = NOTHING_RERATED) -> Delivered:
    """Return {table: columns} of what was delivered, and of what was derived from it."""
    there = {table: frozenset(snapshot.columns_delivered(table)) for table in snapshot.tables}
    return {**there, **rerated.tables}


def months_of(snapshot: snapshots.Snapshot, table: str) -> list[BillingMonth]:
    """Return the months a table has rows of, oldest first; none for a table kept whole or not delivered."""
    entry = snapshot.manifest.tables.get(table)
    if entry is None or contract_load.contract().every[table].partition is None:
        return []
    # A row whose month is empty lies in a partition that is no month.
    names = {file.partition for file in entry.files if file.rows and _is_month(file.partition)}
    return [BillingMonth.parse(name) for name in sorted(names)]


def _is_month(name: str) -> bool:
    return len(name) == 7 and name[4] == "-" and name[:4].isdigit() and name[5:].isdigit()


def default_period(snapshot: snapshots.Snapshot) -> BillingMonth:
    """Return the last complete billing month: over by the data date, with bills or readings.

    Raises Refusal when the snapshot shows no month at all.
    """
    months = {month for table in ("bill", "reading") for month in months_of(snapshot, table)}
    last = snapshot.data_date
    complete = [month for month in months if last is None or month.end <= last + timedelta(days=1)]
    if complete:
        return max(complete)
    if last is not None:
        month = BillingMonth.of(last + timedelta(days=1))
        return month.add(-1)
    raise errors.Refusal(
        f"snapshot {snapshot.id} shows no complete month",
        why="rules judge one billing month; without bills, readings or a data date there is none",
        mend="name the month: --period YYYY-MM",
    )


def data_date(snapshot: snapshots.Snapshot, period: BillingMonth) -> date:
    """Return D, the last day delivered; the last day of the screened period where nothing tells it."""
    return snapshot.data_date or period.end - timedelta(days=1)


def history(*, snapshot: snapshots.Snapshot, tables: Iterable[str], period: BillingMonth) -> dict[str, int]:
    """Return, per table that keeps months, how many months before `period` its rows begin."""
    found = {}
    for table in tables:
        months = months_of(snapshot, table)
        if months:
            first = months[0]
            found[table] = max(0, (period.year - first.year) * 12 + period.month - first.month)
    return found
