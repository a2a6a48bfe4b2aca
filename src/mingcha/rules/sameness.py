"""One fact, one finding: rules that yield to others, and hits another desk has already reported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mingcha.rules.asking import Answer

if TYPE_CHECKING:
    import duckdb


def apply_yields(*, con: duckdb.DuckDBPyConnection, answers: Mapping[str, Answer]) -> dict[str, int]:
    """Turn hits into `not_applicable` where a rule yielded to hits too; return how many, by rule.

    What the other rule raised counts, even where it yields in turn: of A yielding to B yielding to C, all
    on one fact, only C reports. A rule on trial never silences a live one.
    """
    turned: dict[str, int] = {}
    for rule_id, answer in answers.items():
        for other_id in answer.rule.sheet.yields_to:
            other = answers.get(other_id)
            if other is None or (other.rule.sheet.status, answer.rule.sheet.status) == ("trial", "live"):
                continue
            same = f"other.raised AND other.period = mine.period AND {_same_fact(answer, other)}"
            found = con.execute(
                f"UPDATE {answer.table} AS mine SET exit = 'not_applicable', band = NULL, "
                f"reason = 'yields_to_{other_id}' WHERE exit = 'hit' "
                f"AND EXISTS (SELECT 1 FROM {other.table} AS other WHERE {same})"
            ).fetchall()
            turned[rule_id] = turned.get(rule_id, 0) + int(found[0][0])
    return turned


def _same_fact(mine: Answer, other: Answer) -> str:
    if mine.rule.sheet.subject == other.rule.sheet.subject:
        return "other.subject_id = mine.subject_id"
    # Different kinds of subject meet in the customer, and then only where their periods touch.
    return (
        "other.customer_id = mine.customer_id AND other.period_start < mine.period_end "
        "AND mine.period_start < other.period_end"
    )


def upstream_sql(*, findings: str) -> str:
    """Return a query for the finding ids in `findings` that an open `upstream_anomaly` matches.

    An anomaly of a point matches findings on that point; one of a customer, all findings of the customer;
    either only where its billing period, if it names one, touches the finding's period.
    """
    touches = (
        "(u.billing_period IS NULL OR (ym_start(u.billing_period) < f.period_end "
        "AND ym_end(u.billing_period) > f.period_start))"
    )
    return (
        "WITH u AS (SELECT customer_id, usage_point_id, billing_period FROM upstream_anomaly "
        "WHERE handled_at IS NULL AND coalesce(outcome, 'pending') = 'pending') "
        f"SELECT f.finding_id FROM {findings} AS f JOIN u ON u.usage_point_id = f.subject_id "
        f"WHERE f.subject_kind = 'point' AND {touches} "
        f"UNION SELECT f.finding_id FROM {findings} AS f JOIN u ON u.customer_id = f.customer_id "
        f"WHERE (u.usage_point_id IS NULL OR f.subject_kind <> 'point') AND {touches}"
    )
