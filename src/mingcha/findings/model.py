"""A finding as a value: one rule's hit on one subject for one episode, with evidence and money."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any

from mingcha.findings import columns, jsontext
from mingcha.kernel import errors

RESERVED = ("_rows", "_parameters", "_not_applied")


@dataclass(frozen=True, slots=True)
class RowKey:
    """Where a source row stands in the snapshot: the contract table and the values of its key."""

    table: str
    key: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding as the export gives it; energies in kWh, amounts in CNY, None means not estimated."""

    finding_id: str
    rule_id: str
    rule_version: int
    subject_kind: str
    subject_id: str
    customer_id: str | None
    org_id: str | None
    period_start: date | None
    period_end: date | None
    band: str
    reason: str
    severity: str
    energy_kwh: Decimal | None
    back_cny: Decimal | None
    penalty_cny: Decimal | None
    refund_cny: Decimal | None
    exposed_cny: Decimal | None
    evidence: Mapping[str, Any]
    first_seen_run: str
    last_seen_run: str
    snapshot_id: str
    run_id: str

    @property
    def values(self) -> dict[str, Any]:
        """Return the evidence without the parts the platform added."""
        return {name: value for name, value in self.evidence.items() if not name.startswith("_")}

    @property
    def rows(self) -> tuple[RowKey, ...]:
        """Return the keys of the source rows."""
        entries: Iterable[Mapping[str, Any]] = self.evidence.get("_rows") or ()
        return tuple(RowKey(entry["table"], entry["key"]) for entry in entries)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Return the parameter values the run used."""
        return self.evidence.get("_parameters") or {}

    @property
    def not_applied(self) -> tuple[str, ...]:
        """Return the exclusions the run could not apply, because their tables were missing."""
        return tuple(self.evidence.get("_not_applied") or ())

    @property
    def known_upstream(self) -> bool:
        """Return whether another desk has already reported the same fact."""
        return bool(self.evidence.get("known_upstream"))

    @property
    def money(self) -> dict[str, Decimal]:
        """Return the stated amounts by name, those not estimated left out."""
        amounts = {name: getattr(self, name) for name in columns.MONEY_COLUMNS}
        return {name: amount for name, amount in amounts.items() if amount is not None}

    def record(self) -> dict[str, Any]:
        """Return the finding as a mapping in the order of the export, evidence as a mapping."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def from_record(record: Mapping[str, Any]) -> Finding:
    """Return the finding of one export row; raises DataError when its evidence is not an object."""
    values = {name: record[name] for name in columns.export_names()}
    values["evidence"] = read_evidence(values["evidence"], of=str(values["finding_id"]))
    return Finding(**values)


def read_evidence(text: str | None, *, of: str) -> dict[str, Any]:
    """Return the evidence object of finding `of`, numbers exact."""
    try:
        value = jsontext.loads(text or "{}")
    except ValueError as error:
        raise _unreadable(of) from error
    if not isinstance(value, dict):
        raise _unreadable(of)
    return value


def _unreadable(finding_id: str) -> errors.DataError:
    return errors.DataError(
        f"the evidence of finding {finding_id} is not a JSON object",
        why="a finding without its evidence proves nothing",
        mend="screen the snapshot again with `mingcha rules run`; the run's file may be damaged",
    )
