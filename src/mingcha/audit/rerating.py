"""Re-rating: every live bill of a month calculated anew and compared, kept beside its snapshot.

    rerating.rerate(workspace=ws, made_at=now, periods=[BillingMonth(2026, 3)]) -> what came of each month
    rerating.ensure(workspace=ws, snapshot=s, periods=months, made_at=now) -> derived tables for a screening

A month is rated as a whole and by itself, so that memory holds one month. What was made once under the same
snapshot, tariff books and engine is taken as it is.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mingcha import rating
from mingcha.audit import deliveries, tariffs
from mingcha.kernel import errors, ids
from mingcha.kernel.periods import BillingMonth
from mingcha.rating import compare, engine
from mingcha.rules import moments
from mingcha.store import derived, snapshots, trouble
from mingcha.store.workspace import Workspace

if TYPE_CHECKING:
    import duckdb

Progress = Callable[[str], None]

#: Raised whenever what is kept of a month changes in a way the files of the engine do not show.
FORMAT = 1
NEEDED: Mapping[str, tuple[str, ...]] = {
    "bill": ("customer_id", "billing_period", "kind", "status", "amount", "issued_at"),
    "contract": ("customer_id", "effective_from", "tariff_id", "basic_charge_method"),
    "customer": ("customer_id",),
    "reading": ("billing_period", "register", "start_value", "end_value", "started_on", "read_on"),
    "usage_point": ("customer_id", "effective_from", "role", "metering_method", "multiplier"),
}
"""Without these tables and columns no bill can be rated: what is only assumed would accuse the innocent."""
WANTED: Mapping[str, tuple[str, ...]] = {
    "contract": (
        "capacity_kva", "contract_demand_kw", "power_factor_standard", "purchase_mode", "agent_factor",
        "line_loss_pct", "shift",
    ),
    "customer": ("voltage_kv", "opened_on", "contract_capacity_kva"),
    "usage_point": (
        "transformer_id", "parent_usage_point_id", "relation", "fixed_value", "metering_side", "loss_billed",
        "tariff_id",
    ),
    "entitlement": (),
    "meter": (),
    "transformer": (),
    "transformer_status": (),
}  # fmt: skip
"""Without these a bill is rated as if there were none of what they tell, which is said."""
COMPARED = "bill_line"
"""Without this one rated bills cannot be compared component by component."""
LIVE = (
    "b.kind IN ('regular', 'reissue') AND b.status <> 'void' AND NOT EXISTS (SELECT 1 FROM bill AS v"
    " WHERE v.kind = 'void' AND v.original_bill_id = b.bill_id)"
)
"""Which bills stand and must be accounted for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """What came of one month: live bills = rated + not rated; amounts in CNY of the rated ones."""

    period: str
    bills: int
    rated: int
    not_rated: int
    reasons: Mapping[str, int]
    amount: Decimal
    billed_amount: Decimal
    differing: int
    provisional: int
    own_prices: int
    seconds: float
    kept: bool

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values, in the words of `mingcha bills rerate --json`."""
        return {
            "period": self.period,
            "bills": self.bills,
            "rated": self.rated,
            "not_rated": self.not_rated,
            "reasons": dict(self.reasons),
            "amount_cny": self.amount,
            "billed_cny": self.billed_amount,
            "difference_cny": self.billed_amount - self.amount,
            "differing": self.differing,
            "provisional": self.provisional,
            "own_prices": self.own_prices,
            "seconds": self.seconds,
            "kept": self.kept,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a re-rating came to."""

    snapshot_id: str
    months: tuple[Month, ...]
    entries: tuple[derived.Entry, ...]
    without: tuple[str, ...] = ()
    """Tables and columns that were not delivered and were taken as empty."""


def default_month(snapshot: snapshots.Snapshot) -> BillingMonth:
    """Return the last complete billing month; raises Refusal when the snapshot shows none."""
    return moments.default_period(snapshot)


def rerate(
    *,
    workspace: Workspace,
    made_at: datetime,
    periods: Sequence[BillingMonth] = (),
    every: bool = False,
    snapshot_id: str | None = None,
    progress: Progress | None = None,
) -> Result:
    """Re-rate months of a snapshot (the newest by default) and keep the derived tables.

    `periods` defaults to the last complete month; `every` takes all months that have bills. Raises SetupError
    without a delivery, Refusal when tables without which nothing can be rated were not delivered, BookError
    for a mistake in a tariff book.
    """
    snapshot = deliveries.chosen(workspace=workspace, snapshot_id=snapshot_id)
    demand(snapshot)
    months = moments.months_of(snapshot, "bill") if every else sorted(set(periods))
    made = _make(
        workspace=workspace,
        snapshot=snapshot,
        periods=months or [moments.default_period(snapshot)],
        made_at=made_at,
        progress=progress,
    )
    return Result(
        snapshot_id=snapshot.id,
        months=tuple(_told(entry, kept=kept) for entry, kept in made),
        entries=tuple(entry for entry, _ in made),
        without=_without(snapshot),
    )


def ensure(
    *,
    workspace: Workspace,
    snapshot: snapshots.Snapshot,
    periods: Sequence[BillingMonth],
    made_at: datetime,
    progress: Progress | None = None,
) -> moments.Rerated:
    """Return the derived tables of the months, made where missing; without them, why they cannot be made."""
    lacking = _lacking(snapshot)
    if lacking:
        return moments.Rerated(because=f"cannot be re-rated: {lacking}")
    try:
        made = _make(
            workspace=workspace, snapshot=snapshot, periods=periods, made_at=made_at, progress=progress
        )
    except (errors.BookError, errors.DataError) as error:
        return moments.Rerated(because=f"cannot be re-rated: {error.what}")
    return _rerated(snapshot, [entry for entry, _ in made])


def found(
    *, workspace: Workspace, snapshot: snapshots.Snapshot, periods: Sequence[BillingMonth]
) -> moments.Rerated:
    """Return the derived tables of the months as far as they are there, without making any."""
    lacking = _lacking(snapshot)
    if lacking:
        return moments.Rerated(because=f"cannot be re-rated: {lacking}")
    try:
        with prepared(workspace=workspace, snapshot=snapshot, tables=("tariff",)) as (_, digest):
            entries = [
                derived.find(workspace, snapshot=snapshot, period=period, key=key_of(digest, period))
                for period in periods
            ]
    except errors.BookError as error:
        return moments.Rerated(because=f"cannot be re-rated: {error.what}")
    there = [entry for entry in entries if entry is not None]
    return _rerated(snapshot, there) if len(there) == len(entries) else moments.NOTHING_RERATED


@contextmanager
def prepared(
    *, workspace: Workspace, snapshot: snapshots.Snapshot, tables: Sequence[str] | None = None
) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
    """Give a connection with contract and `tb_*` tables, and the digest of the latter; close it after."""
    con = workspace.connect()
    try:
        snapshots.attach(con, snapshot, tables=tables)
        yield con, tariffs.prepare(con, folder=workspace.path).digest
    finally:
        con.close()


def demand(snapshot: snapshots.Snapshot) -> None:
    """Raise Refusal when a table without which nothing can be rated was not delivered."""
    lacking = _lacking(snapshot)
    if lacking:
        raise errors.Refusal(
            f"the bills of snapshot {snapshot.id} cannot be re-rated: {lacking}",
            why="a bill is calculated from readings, contract and usage points; a guess would prove nothing",
            mend="deliver what is missing, then run the command again",
        )


def key_of(digest: str, period: BillingMonth) -> str:
    """Return the key of a month's derived tables: prices, engine and month; the snapshot is their place."""
    import duckdb

    return ids.digest([FORMAT, duckdb.__version__, engine_digest(), digest, str(period)])


@cache
def engine_digest() -> str:
    """Return a digest of the files of the engine: another step, another key."""
    root = Path(rating.__file__).parent
    told = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.suffix in (".py", ".sql"):
            told.update(f"{path.relative_to(root)}\n".encode())
            told.update(path.read_bytes())
    return told.hexdigest()


def _lacking(snapshot: snapshots.Snapshot) -> str:
    missing = _undelivered(snapshot, NEEDED)
    return f"not delivered: {', '.join(missing)}" if missing else ""


def _without(snapshot: snapshots.Snapshot) -> tuple[str, ...]:
    return tuple(_undelivered(snapshot, WANTED))


def _undelivered(snapshot: snapshots.Snapshot, wanted: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return the tables, and the columns of delivered tables, that no delivery held."""
    missing = []
    for table, columns in wanted.items():
        there = snapshot.columns_delivered(table)
        missing += [f"{table}.{name}" for name in columns if name not in there] if there else [table]
    return missing


def _rerated(snapshot: snapshots.Snapshot, entries: list[derived.Entry]) -> moments.Rerated:
    compared = snapshot.columns_delivered(COMPARED)
    because = moments.NOT_YET if compared else f"cannot be compared: {COMPARED} not delivered"
    return moments.Rerated(tuple(entries), because, _without(snapshot))


def _make(
    *,
    workspace: Workspace,
    snapshot: snapshots.Snapshot,
    periods: Sequence[BillingMonth],
    made_at: datetime,
    progress: Progress | None,
) -> list[tuple[derived.Entry, bool]]:
    """Return, per month, its derived tables and whether they were there already."""
    made = []
    within = engine.Run()
    with (
        trouble.explained(workspace.lake),
        _unwrapped(),
        prepared(workspace=workspace, snapshot=snapshot) as (con, digest),
    ):
        for period in sorted(set(periods)):
            key = key_of(digest, period)
            entry = derived.find(workspace, snapshot=snapshot, period=period, key=key)
            kept = entry is not None
            if entry is None:
                tables, record = rate_month(
                    con,
                    period=period,
                    compared=bool(snapshot.columns_delivered(COMPARED)),
                    progress=progress,
                    within=within,
                )
                entry = derived.write(
                    workspace,
                    con=con,
                    snapshot=snapshot,
                    period=period,
                    key=key,
                    made_at=made_at,
                    tables=tables,
                    record=record,
                )
                _drop_temporary(con, keep=within.tables)
            made.append((entry, kept))
    return made


@contextmanager
def _unwrapped() -> Iterator[None]:
    """Let a lack of memory or disk be told as one: a step that failed for it is not wrong."""
    import duckdb

    try:
        yield
    except errors.BookError as error:
        if isinstance(error.__cause__, duckdb.OutOfMemoryException | duckdb.IOException):
            raise error.__cause__ from None
        raise


def rate_month(
    con: duckdb.DuckDBPyConnection,
    *,
    period: BillingMonth,
    compared: bool = True,
    progress: Progress | None = None,
    within: engine.Run | None = None,
) -> tuple[dict[str, str], dict[str, Any]]:
    """Rate and compare a month; return SELECTs of its derived tables, and what is recorded of it.

    Raises BookError when a live bill would be neither rated nor named as not rated.
    """
    tell = progress or (lambda _: None)

    def show(step: str, done: int, there: int) -> None:
        tell(f"{period} {step} ({done + 1} of {there + 1})" if step else f"{period} comparing")

    started = time.perf_counter()
    engine.rate(con, period=period, progress=show, within=within)
    names = compare.run(con, period=period)
    record = _record(con, period=period)
    record["seconds"] = round(time.perf_counter() - started, 3)
    wanted = [name for name in names if compared or name != "bill_difference"]
    return {name: f"SELECT * FROM {compare.KEPT}{name}" for name in wanted}, record


def _record(con: duckdb.DuckDBPyConnection, *, period: BillingMonth) -> dict[str, Any]:
    kept = compare.KEPT
    live = _one(con, f"SELECT count(*) FROM bill AS b WHERE b.billing_period = '{period}' AND {LIVE}")[0]
    rated, amount, billed, provisional, own = _one(
        con,
        "SELECT coalesce(sum(bills), 0), coalesce(sum(amount), 0), coalesce(sum(billed_amount), 0),"
        " count(*) FILTER (evidence IN ('[K+]', '[K?]')), count(*) FILTER (own_prices)"
        f" FROM {kept}rerated_bill",
    )
    left = _one(
        con,
        "SELECT coalesce(sum(bills), 0) FROM"
        f" (SELECT DISTINCT customer_id, seq, bills FROM {kept}rerated_gap)",
    )[0]
    if live != rated + left:
        raise errors.BookError(
            f"of {live} live bills of {period}, {rated} were rated and {left} named as not rated",
            why="a bill that is left out in silence would look as if it had been checked",
            mend="this is a mistake of the program: report it with the month and the version",
        )
    reasons = con.execute(
        f"SELECT reason, count(*) FROM {kept}rerated_gap GROUP BY reason ORDER BY reason"
    ).fetchall()
    differing = _one(
        con, f"SELECT count(*) FROM (SELECT DISTINCT customer_id, seq FROM {kept}bill_difference)"
    )[0]
    return {
        "bills": int(live),
        "rated": int(rated),
        "not_rated": int(left),
        "reasons": {str(reason): int(number) for reason, number in reasons},
        "amount": str(amount),
        "billed_amount": str(billed),
        "differing": int(differing),
        "provisional": int(provisional),
        "own_prices": int(own),
    }


def _told(entry: derived.Entry, *, kept: bool) -> Month:
    record = entry.record
    return Month(
        period=str(entry.period),
        bills=record["bills"],
        rated=record["rated"],
        not_rated=record["not_rated"],
        reasons=record["reasons"],
        amount=Decimal(record["amount"]),
        billed_amount=Decimal(record["billed_amount"]),
        differing=record["differing"],
        provisional=record["provisional"],
        own_prices=record["own_prices"],
        seconds=record["seconds"],
        kept=kept,
    )


def _drop_temporary(con: duckdb.DuckDBPyConnection, *, keep: Container[str]) -> None:
    """Give the memory of a month free before the next one is rated, but for what that one goes on from."""
    names = con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE temporary AND NOT starts_with(table_name, 'tb_')"
    ).fetchall()
    for (name,) in names:
        if name not in keep:
            con.execute(f'DROP TABLE IF EXISTS "{name}"')


def _one(con: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    row = con.execute(sql).fetchone()
    assert row is not None
    return row
