"""What a run says about itself: per rule its exits, hits, money and time; what was skipped, and why."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from mingcha.rules import coverage, harvest, model
from mingcha.rules.asking import Answer
from mingcha.rules.stage import Built

if TYPE_CHECKING:
    import duckdb

ZERO = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Skipped:
    """A rule that did not run, and why."""

    rule_id: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one rule did; money in CNY, NULL amounts counted as nothing."""

    rule_id: str
    version: int
    status: str
    title: dict[str, str]
    severity: str
    hits: int
    findings: int
    known_upstream: int
    bands: dict[str, int]
    examined: int
    clear: int
    exits: dict[str, int]
    money: dict[str, Decimal]
    energy_kwh: Decimal
    parameters: tuple[dict[str, Any], ...]
    not_applied: tuple[str, ...]
    notes: tuple[str, ...]
    from_cache: bool
    seconds: float

    @property
    def amount_cny(self) -> Decimal:
        """Return what is to be set right: charged back plus refunded, without penalties and exposure."""
        return self.money["back_cny"] + self.money["refund_cny"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run, told in full."""

    run_id: str
    snapshot_id: str
    periods: tuple[str, ...]
    data_date: date
    asked: tuple[str, ...]
    rules_skipped: tuple[Skipped, ...]
    rules_failed: tuple[Skipped, ...]
    per_rule: tuple[Entry, ...]
    relations: tuple[Built, ...] = field(default=())
    derived: dict[str, str] = field(default_factory=dict)
    seconds: float

    @property
    def rules_run(self) -> int:
        """Return how many rules ran."""
        return len(self.per_rule)

    @property
    def live(self) -> tuple[Entry, ...]:
        """Return the entries of live rules: those on trial are counted apart."""
        return tuple(entry for entry in self.per_rule if entry.status == "live")

    @property
    def findings(self) -> int:
        """Return how many findings the live rules made."""
        return sum(entry.findings for entry in self.live)

    @property
    def amount_cny(self) -> Decimal:
        """Return back payments plus refunds of the live rules."""
        return sum((entry.amount_cny for entry in self.live), ZERO)

    @property
    def money(self) -> dict[str, Decimal]:
        """Return the four amounts of the live rules, kept apart."""
        return {name: sum((entry.money[name] for entry in self.live), ZERO) for name in model.MONEY}

    def with_id(self, run_id: str) -> RunRecord:
        """Return the record under the id it was written with."""
        return replace(self, run_id=run_id)

    def as_json(self) -> dict[str, Any]:
        """Return the record as plain values, in the words of `mingcha rules run --json`."""
        return {
            "run_id": self.run_id,
            "snapshot_id": self.snapshot_id,
            "periods": list(self.periods),
            "data_date": self.data_date,
            "asked": list(self.asked),
            "rules_run": self.rules_run,
            "rules_skipped": [{"rule_id": s.rule_id, "because": s.because} for s in self.rules_skipped],
            "rules_failed": [{"rule_id": s.rule_id, "because": s.because} for s in self.rules_failed],
            "findings": self.findings,
            "trial_findings": sum(entry.findings for entry in self.per_rule) - self.findings,
            "amount_cny": self.amount_cny,
            "money": self.money,
            "derived": self.derived,
            "seconds": self.seconds,
            "per_rule": [_entry_json(entry) for entry in self.per_rule],
            "relations": [
                {
                    "name": b.name,
                    "materialised": b.materialised,
                    "rows": b.rows,
                    "seconds": round(b.seconds, 3),
                }
                for b in self.relations
            ],
        }


def _entry_json(entry: Entry) -> dict[str, Any]:
    return {
        "rule_id": entry.rule_id,
        "version": entry.version,
        "status": entry.status,
        "title": entry.title,
        "severity": entry.severity,
        "hits": entry.hits,
        "findings": entry.findings,
        "known_upstream": entry.known_upstream,
        "bands": entry.bands,
        "examined": entry.examined,
        "clear": entry.clear,
        "exits": entry.exits,
        "amount_cny": entry.amount_cny,
        "money": entry.money,
        "energy_kwh": entry.energy_kwh,
        "parameters": [_plain(values) for values in entry.parameters],
        "not_applied": list(entry.not_applied),
        "notes": list(entry.notes),
        "from_cache": entry.from_cache,
        "seconds": round(entry.seconds, 3),
    }


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def _oddities(con: duckdb.DuckDBPyConnection, answer: Answer) -> list[str]:
    """Return what the rows should not have held: told, since such rows make no finding of their own."""
    nameless, twice = con.execute(
        "SELECT count(*) FILTER (WHERE subject_id IS NULL), "
        "count(subject_id) - count(DISTINCT CASE WHEN subject_id IS NOT NULL THEN period || subject_id END) "
        f"FROM {answer.table} WHERE exit = 'hit'"
    ).fetchall()[0]
    notes = [f"{nameless} hits without a subject left out"] if nameless else []
    return notes + ([f"{twice} hits on a subject hit already, told with it"] if twice else [])


def entry(
    *, con: duckdb.DuckDBPyConnection, answer: Answer, verdict: coverage.Verdict, version: int
) -> Entry:
    """Return what a rule did, counted from its answer and its findings of this run."""
    sheet = answer.rule.sheet
    exits = dict(con.execute(f"SELECT exit, count(*) FROM {answer.table} GROUP BY exit").fetchall())
    table = harvest.TRIAL if sheet.status == "trial" else harvest.FINDINGS
    sums = ", ".join(f"coalesce(CAST(sum({name}) AS DECIMAL(18,2)), 0)" for name in model.MONEY)
    found, upstream, energy, *amounts = con.execute(
        "SELECT count(*), count(*) FILTER (WHERE known_upstream), "
        f"coalesce(CAST(sum(energy_kwh) AS DECIMAL(18,4)), 0), {sums} FROM {table} WHERE rule_id = ?",
        [sheet.id],
    ).fetchall()[0]
    bands = dict(
        con.execute(
            f"SELECT band, count(*) FROM {table} WHERE rule_id = ? GROUP BY band", [sheet.id]
        ).fetchall()
    )
    return Entry(
        rule_id=sheet.id,
        version=version,
        status=sheet.status,
        title={"zh": sheet.title.zh, "en": sheet.title.en},
        severity=sheet.severity,
        hits=exits.get("hit", 0),
        findings=found,
        known_upstream=upstream,
        bands={band: bands[band] for band in model.BANDS if band in bands},
        examined=answer.examined,
        clear=max(0, answer.examined - sum(exits.values())),
        exits={name: exits[name] for name in model.EXITS if name in exits},
        money=dict(zip(model.MONEY, (Decimal(amount) for amount in amounts), strict=True)),
        energy_kwh=Decimal(energy),
        parameters=tuple(answer.sets),
        not_applied=verdict.not_applied,
        notes=(*verdict.notes, *_oddities(con, answer)),
        from_cache=answer.from_cache,
        seconds=answer.seconds,
    )
