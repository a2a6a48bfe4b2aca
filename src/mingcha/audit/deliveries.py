"""Which snapshot is meant, and what the delivery behind it brought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mingcha.kernel import errors
from mingcha.store import snapshots
from mingcha.store.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class TableReport:
    """What a delivery brought of one table; delivered = accepted + quarantined."""

    table: str
    delivered: int
    accepted: int
    quarantined: int
    reasons: dict[str, int]


def chosen(*, workspace: Workspace, snapshot_id: str | None = None) -> snapshots.Snapshot:
    """Return the snapshot named, else the newest; raises SetupError when there is none."""
    if snapshot_id:
        return snapshots.get(workspace, snapshot_id)
    snapshot = snapshots.latest(workspace)
    if snapshot is None:
        raise errors.SetupError(
            f"{workspace.path}: nothing was delivered yet",
            why="everything is judged on what was delivered",
            mend=f"take in a delivery: mingcha data ingest SOURCE -w {workspace.path}",
        )
    return snapshot


def reports(*, snapshot: snapshots.Snapshot) -> tuple[TableReport, ...]:
    """Return what the delivery that made the snapshot brought, table by table."""
    return tuple(
        TableReport(
            table=table,
            delivered=_count(entry, "delivered"),
            accepted=_count(entry, "accepted"),
            quarantined=_count(entry, "quarantined"),
            reasons={code: int(rows) for code, rows in (entry.get("reasons") or {}).items()},
        )
        for table, entry in sorted(snapshot.manifest.deliveries.items())
    )


def _count(entry: dict[str, Any], name: str) -> int:
    return int(entry.get(name) or 0)
