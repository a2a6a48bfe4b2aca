"""The data date D: up to which day the delivered rows report on what happened."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Final

from mingcha.store import duck

_COLUMNS: Final[Mapping[str, tuple[str, int]]] = {
    # A reading's end value is the index at 00:00 of `read_on`: the day before is the last it covers.
    "reading": ("read_on", 1),
    "daily_energy": ("day", 0),
    "load_curve": ("at", 0),
    "ami_collection": ("day", 0),
    "charger_energy": ("day", 0),
    "meter_event": ("started_at", 0),
    "bill": ("issued_at", 0),
    "receipt": ("received_at", 0),
    "ledger_entry": ("posted_on", 0),
    "prepayment_balance": ("as_of", 0),
    "archive_change": ("changed_at", 0),
    "privileged_operation": ("at", 0),
    "service_request": ("received_at", 0),
}
"""Table -> the column that says when a row's fact happened, and how many days before it the row ends.

Only facts count: due dates, validities and plans lie in the future on purpose.
"""


def day_sql(*, table: str, columns: Collection[str], not_after: date) -> str:
    """Return SQL for the day a row of the table reports on: NULL when the delivered columns do not say.

    Days after `not_after`, the day of the delivery, are slips of the pen and give NULL.
    """
    column, before = _COLUMNS.get(table, ("", 0))
    if column not in columns:
        return "CAST(NULL AS DATE)"
    day = f"(CAST({duck.name(column)} AS DATE) - {before})"
    return f"CASE WHEN {day} <= DATE '{not_after.isoformat()}' THEN {day} END"
