"""Questions about findings over all runs: the latest record of each, when it was first and last seen.

Every function reads a relation with the columns of `columns.RUN_COLUMNS`, one row per finding and run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from mingcha.findings import columns, model
from mingcha.kernel import errors

if TYPE_CHECKING:
    import duckdb

RELATION = "every_finding"
_BATCH = 5_000
_NUMBER = "CAST(substr(split_part({}, '-', 1), 2) AS INTEGER)"
_RANKS = "CASE band WHEN 'urgent' THEN 0 WHEN 'order' THEN 1 ELSE 2 END"
# What to correct comes first; a penalty is an upper limit and an exposure no recovery at all.
_AT_STAKE = "coalesce(back_cny, 0) + coalesce(refund_cny, 0)"
GRAVEST_FIRST = f"{_RANKS}, {_AT_STAKE} DESC, coalesce(exposed_cny, 0) DESC, rule_id, finding_id"
BY_RULE = "rule_id, subject_id, period_start, finding_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which findings: any of the rule globs, one run (the latest record of each when None), and so on."""

    rules: tuple[str, ...] = ()
    run_id: str | None = None
    bands: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    org_id: str | None = None
    customer_id: str | None = None
    finding_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """How many findings and how much money, the four amounts apart.

    `amounts` are in CNY; None where no finding states that amount, which is not the same as zero.
    """

    key: str
    findings: int
    bands: dict[str, int]
    amounts: dict[str, Decimal | None]
    customers: int = 0


@dataclass(frozen=True, slots=True)
class Query:
    """An SQL text and the values of its question marks."""

    sql: str
    values: list[Any] = field(default_factory=list)


def select(*, where: Filter, order: str = BY_RULE, relation: str = RELATION, limit: int = 0) -> Query:
    """Return the query for the findings in the columns of the export; limit 0 means all."""
    source = _source(where=where, relation=relation)
    names = ", ".join(f"f.{name}" if name not in _SEEN else f"s.{name}" for name in columns.export_names())
    tail = f" LIMIT {limit:d}" if limit else ""
    return Query(f"SELECT {names} {source.sql} ORDER BY {order}{tail}", source.values)


def find(*, con: duckdb.DuckDBPyConnection, query: Query) -> Iterator[model.Finding]:
    """Yield the findings of a query made by `select`."""
    cursor = con.execute(query.sql, query.values)
    names = columns.export_names()
    while rows := cursor.fetchmany(_BATCH):
        for row in rows:
            yield model.from_record(dict(zip(names, row, strict=True)))


def one(*, con: duckdb.DuckDBPyConnection, finding_id: str, relation: str = RELATION) -> model.Finding:
    """Return one finding by id or by the beginning of it; raises Refusal when it is not exactly one."""
    names = columns.export_names()
    known = con.execute(
        f"SELECT DISTINCT finding_id FROM {relation} WHERE starts_with(finding_id, ?) ORDER BY 1 LIMIT 5",
        [finding_id],
    ).fetchall()
    if len(known) != 1:
        raise _not_one(finding_id, [row[0] for row in known])
    query = select(where=Filter(finding_ids=(known[0][0],)), relation=relation)
    row = con.execute(query.sql, query.values).fetchone()
    assert row is not None
    return model.from_record(dict(zip(names, row, strict=True)))


def count(*, con: duckdb.DuckDBPyConnection, where: Filter, relation: str = RELATION) -> int:
    """Return how many findings a filter leaves."""
    source = _source(where=where, relation=relation)
    row = con.execute(f"SELECT count(*) {source.sql}", source.values).fetchone()
    assert row is not None
    return int(row[0])


def totals(
    *, con: duckdb.DuckDBPyConnection, where: Filter, by: str | None = None, relation: str = RELATION
) -> list[Total]:
    """Return findings and money per value of column `by`, most findings first; one total without it.

    `last_month` is the month the finding's period ends in, written YYYY-MM.
    """
    source = _source(where=where, relation=relation)
    key = _KEYS.get(by or "", f"coalesce(f.{by}, '')") if by else "''"
    sums = ", ".join(f"CAST(sum({name}) AS DECIMAL(18,2)) AS {name}" for name in columns.MONEY_COLUMNS)
    bands = ", ".join(f"count(*) FILTER (WHERE band = '{band}')" for band in columns.BANDS)
    rows = con.execute(
        f"SELECT {key}, count(*), count(DISTINCT customer_id), {bands}, {sums} {source.sql} "
        "GROUP BY 1 ORDER BY 2 DESC, 1",
        source.values,
    ).fetchall()
    return [_total(row) for row in rows]


def nothing() -> Total:
    """Return the total of no findings."""
    return Total(
        key="",
        findings=0,
        bands=dict.fromkeys(columns.BANDS, 0),
        amounts=dict.fromkeys(columns.MONEY_COLUMNS),
    )


_KEYS = {"last_month": "coalesce(strftime(f.period_end - INTERVAL 1 DAY, '%Y-%m'), '')"}
_SEEN = ("first_seen_run", "last_seen_run")


def _source(*, where: Filter, relation: str) -> Query:
    """Return FROM … WHERE …: `f` the records, `s` when each finding was seen."""
    number = _NUMBER.format("run_id")
    seen = (
        f"(SELECT finding_id, arg_min(run_id, {number}) AS first_seen_run, "
        f"arg_max(run_id, {number}) AS last_seen_run FROM {relation} GROUP BY finding_id)"
    )
    conditions = ["f.run_id = ?" if where.run_id else "f.run_id = s.last_seen_run"]
    values: list[Any] = [where.run_id] if where.run_id else []
    for name, wanted in (
        ("band", where.bands),
        ("severity", where.severities),
        ("finding_id", where.finding_ids),
    ):
        _among(f"f.{name}", wanted, conditions, values)
    for name, value in (("org_id", where.org_id), ("customer_id", where.customer_id)):
        _among(f"f.{name}", (value,) if value else (), conditions, values)
    if where.rules:
        conditions.append("(" + " OR ".join("f.rule_id GLOB ?" for _ in where.rules) + ")")
        values += where.rules
    joined = f"{relation} AS f JOIN {seen} AS s ON f.finding_id = s.finding_id"
    return Query(f"FROM {joined} WHERE {' AND '.join(conditions)}", values)


def _among(name: str, wanted: Sequence[str], conditions: list[str], values: list[Any]) -> None:
    if wanted:
        conditions.append(f"{name} IN ({', '.join('?' for _ in wanted)})")
        values += wanted


def _total(row: tuple[Any, ...]) -> Total:
    key, found, customers, *rest = row
    bands, money = rest[: len(columns.BANDS)], rest[len(columns.BANDS) :]
    return Total(
        key=key,
        findings=found,
        customers=customers,
        bands=dict(zip(columns.BANDS, bands, strict=True)),
        amounts=dict(zip(columns.MONEY_COLUMNS, money, strict=True)),
    )


def _not_one(finding_id: str, known: list[str]) -> errors.Refusal:
    if known:
        return errors.Refusal(
            f"{finding_id} begins the ids of several findings: {', '.join(known)}",
            why="the story of one finding is asked for",
            mend="give more of the id",
        )
    return errors.Refusal(
        f"there is no finding {finding_id}",
        why="only findings of the runs of this workspace can be shown",
        mend="list them with `mingcha findings list`, or name the right workspace with -w DIR",
    )
