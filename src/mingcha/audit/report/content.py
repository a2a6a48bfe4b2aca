"""What the report of a run says, gathered from the run, its snapshot and the rulebook; no layout here."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from mingcha.audit import casebook, deliveries
from mingcha.findings import columns, queries, story, words
from mingcha.store import runs, snapshots
from mingcha.store.workspace import Workspace

TOP_FINDINGS = 12
PER_RULE = 2
_SEARCHED = 2_000
MOST_UNITS = 20
MOST_SLOW = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a table of findings: a unit, an area or a month."""

    key: str
    title: str
    total: queries.Total


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLine:
    """What one rule did in the run."""

    rule_id: str
    title: str
    area: str
    severity: str
    trial: bool
    total: queries.Total
    examined: int
    insufficient: int
    suspect: int
    seconds: float
    cached: bool
    not_applied: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A rule that did not judge, and why."""

    rule_id: str
    title: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Everything the report shows, in one language."""

    language: str
    utility: str
    run_id: str
    snapshot_id: str
    periods: tuple[str, ...]
    data_date: str
    made_at: str
    seconds: float
    customers: int
    rows: int
    total: queries.Total
    trial_findings: int
    areas: tuple[Line, ...]
    units: tuple[Line, ...]
    more_units: int
    months: tuple[Line, ...]
    rules: tuple[RuleLine, ...]
    top: tuple[story.Story, ...]
    skipped: tuple[Silence, ...]
    failed: tuple[Silence, ...]
    delivered: tuple[deliveries.TableReport, ...]
    table_titles: dict[str, str]
    kept: dict[str, int]

    @property
    def slowest(self) -> tuple[RuleLine, ...]:
        """Return the rules that took longest, slowest first."""
        asked = [line for line in self.rules if not line.cached]
        return tuple(sorted(asked, key=lambda line: -line.seconds)[:MOST_SLOW])

    @property
    def silent(self) -> tuple[RuleLine, ...]:
        """Return the rules that ran and found nothing."""
        return tuple(line for line in self.rules if line.total.findings == 0)


def gather(*, cases: casebook.Casebook, run: runs.Run, language: str) -> Content:
    """Return the content of the report of `run`."""
    workspace = cases.workspace
    snapshot = snapshots.get(workspace, run.snapshot_id)
    where = queries.Filter(run_id=run.id)
    record = run.record
    rules = _rules(cases, record, where, language)
    units, more = _units(cases, snapshot, where, language)
    return Content(
        language=language,
        utility=workspace.settings.organisation.name or workspace.path.name,
        run_id=run.id,
        snapshot_id=run.snapshot_id,
        periods=tuple(record["periods"]),
        data_date=str(record["data_date"]),
        made_at=run.manifest.made_at[:16].replace("T", " "),
        seconds=record["seconds"],
        customers=snapshot.rows("customer"),
        rows=sum(snapshot.rows(table) for table in snapshot.tables),
        total=cases.total(where=where),
        trial_findings=record["trial_findings"],
        areas=_areas(rules, language),
        units=units,
        more_units=more,
        months=_months(cases, where, tuple(record["periods"])),
        rules=rules,
        top=_top(cases, where, language),
        skipped=_silences(cases, record["rules_skipped"], language),
        failed=_silences(cases, record["rules_failed"], language),
        delivered=deliveries.reports(snapshot=snapshot),
        table_titles=_table_titles(language),
        kept={table: snapshot.rows(table) for table in snapshot.tables},
    )


def chosen_run(*, workspace: Workspace, run_id: str | None) -> runs.Run:
    """Return the run named, else the newest; raises SetupError when nothing was screened yet."""
    wanted = casebook.run_id_of(workspace, run_id or "latest")
    assert wanted is not None
    return runs.get(workspace, wanted)


def _rules(
    cases: casebook.Casebook, record: dict[str, Any], where: queries.Filter, language: str
) -> tuple[RuleLine, ...]:
    totals = {total.key: total for total in cases.totals(where=where, by="rule_id")}
    lines = []
    for entry in record["per_rule"]:
        rule = cases.rules.get(entry["rule_id"])
        exits = entry["exits"]
        lines.append(
            RuleLine(
                rule_id=entry["rule_id"],
                title=entry["title"][language],
                area=rule.area if rule else "",
                severity=entry["severity"],
                trial=entry["status"] == "trial",
                total=totals.get(entry["rule_id"]) or queries.nothing(),
                examined=entry["examined"],
                insufficient=exits.get("insufficient_data", 0),
                suspect=exits.get("mapping_suspect", 0),
                seconds=entry["seconds"],
                cached=entry["from_cache"],
                not_applied=tuple(entry["not_applied"]),
                notes=tuple(entry["notes"]),
            )
        )
    return tuple(sorted(lines, key=lambda line: (-line.total.findings, line.rule_id)))


def _areas(rules: tuple[RuleLine, ...], language: str) -> tuple[Line, ...]:
    """Return the sums by area; customers are not summed, one customer may be in several rules."""
    found: dict[str, list[queries.Total]] = {}
    for line in rules:
        found.setdefault(line.area, []).append(line.total)
    lines = [
        Line(key=area, title=words.text_of(words.AREAS, area, language), total=_sum(area, totals))
        for area, totals in found.items()
    ]
    return tuple(sorted(lines, key=lambda line: -line.total.findings))


def _sum(key: str, totals: list[queries.Total]) -> queries.Total:
    return queries.Total(
        key=key,
        findings=sum(total.findings for total in totals),
        bands={band: sum(total.bands[band] for total in totals) for band in columns.BANDS},
        amounts={name: _added([total.amounts[name] for total in totals]) for name in columns.MONEY_COLUMNS},
    )


def _added(amounts: list[Decimal | None]) -> Decimal | None:
    stated = [amount for amount in amounts if amount is not None]
    return sum(stated, Decimal("0.00")) if stated else None


def _units(
    cases: casebook.Casebook, snapshot: snapshots.Snapshot, where: queries.Filter, language: str
) -> tuple[tuple[Line, ...], int]:
    totals = cases.totals(where=where, by="org_id")
    snapshots.attach(cases.con, snapshot, tables=["org_unit"])
    names = dict(cases.con.execute("SELECT org_id, name FROM org_unit").fetchall())
    nobody = words.Text("未归属单位", "no unit").of(language)
    lines = tuple(
        Line(key=total.key, title=names.get(total.key) or total.key or nobody, total=total)
        for total in totals[:MOST_UNITS]
    )
    return lines, max(0, len(totals) - MOST_UNITS)


def _months(cases: casebook.Casebook, where: queries.Filter, periods: tuple[str, ...]) -> tuple[Line, ...]:
    """Return findings by the month they end in, for a run over several months; nothing for one month."""
    if len(periods) < 2:
        return ()
    totals = cases.totals(where=where, by="last_month")
    held = {total.key: total for total in totals}
    return tuple(
        Line(key=period, title=period, total=held.get(period) or queries.nothing()) for period in periods
    )


def _top(cases: casebook.Casebook, where: queries.Filter, language: str) -> tuple[story.Story, ...]:
    """Return the gravest findings, at most PER_RULE of one rule: a report of one rule teaches little."""
    chosen: list[Any] = []
    seen: dict[str, int] = {}
    for finding in list(cases.findings(where=where, limit=_SEARCHED)):
        if seen.get(finding.rule_id, 0) < PER_RULE and len(chosen) < TOP_FINDINGS:
            seen[finding.rule_id] = seen.get(finding.rule_id, 0) + 1
            chosen.append(finding)
    return tuple(cases.tell(finding=finding, language=language, with_rows=False) for finding in chosen)


def _silences(cases: casebook.Casebook, entries: list[dict[str, str]], language: str) -> tuple[Silence, ...]:
    return tuple(
        Silence(
            rule_id=entry["rule_id"],
            title=cases.rules[entry["rule_id"]].title.of(language) if entry["rule_id"] in cases.rules else "",
            because=entry["because"],
        )
        for entry in entries
    )


def _table_titles(language: str) -> dict[str, str]:
    from mingcha.contract import load

    tables = load.contract().tables
    return {
        name: table.title.zh if language == words.ZH else table.title.en for name, table in tables.items()
    }
