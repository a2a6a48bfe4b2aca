"""Which episode a hit belongs to, so that the same fact found again extends it and never makes a second one.

Hits of one run are first joined into unbroken stretches; a stretch then takes the key of the earlier
finding it continues, found again in former runs, or else a key of its own: the first month or day.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mingcha.kernel.periods import BillingMonth
from mingcha.rules.asking import Answer
from mingcha.store import runs as store_runs

if TYPE_CHECKING:
    import duckdb

    from mingcha.store.workspace import Workspace

_MONTHS = r'"_periods":\["(\d{4}-\d{2})","(\d{4}-\d{2})"\]'
_INDEX = "(CAST(substr({0}, 1, 4) AS INTEGER) * 12 + CAST(substr({0}, 6, 2) AS INTEGER))"


def month_index(column: str) -> str:
    """Return SQL for a month's number, so that months one after the other differ by one."""
    return _INDEX.format(column)


def load_former(*, con: duckdb.DuckDBPyConnection, workspace: Workspace, periods: list[BillingMonth]) -> None:
    """Make the temporary tables `former` (findings of earlier runs near these periods) and `screened`.

    `former` has one row per finding and run with its first and last month hit; `screened` says which run
    was the last to screen a rule for a month.
    """
    near = [run for run in store_runs.every(workspace) if _touches(run.record.get("periods"), periods)]
    scans = [
        f"SELECT {run.sequence} AS run, rule_id, subject_id, episode_key, period_start, period_end, "
        f"regexp_extract(evidence, '{_MONTHS}', 1) AS first_month, "
        f"regexp_extract(evidence, '{_MONTHS}', 2) AS last_month FROM ({run.select(table)})"
        for run in near
        for table in ("findings", "trial")
        if run.rows(table)
    ]
    empty = (
        "SELECT 0 AS run, '' AS rule_id, '' AS subject_id, '' AS episode_key, "
        "DATE '2000-01-01' AS period_start, DATE '2000-01-01' AS period_end, "
        "'2000-01' AS first_month, '2000-01' AS last_month WHERE FALSE"
    )
    union = " UNION ALL ".join([empty, *scans])
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE former AS SELECT *, {month_index('first_month')} AS first_index, "
        f"{month_index('last_month')} AS last_index FROM ({union})"
    )
    con.execute("CREATE OR REPLACE TEMP TABLE screened (rule_id VARCHAR, month INTEGER, run INTEGER)")
    rows = [row for run in near for row in _screened_by(run)]
    if rows:
        con.executemany("INSERT INTO screened VALUES (?, ?, ?)", rows)
        con.execute(
            "CREATE OR REPLACE TEMP TABLE screened AS "
            "SELECT rule_id, month, max(run) AS run FROM screened GROUP BY rule_id, month"
        )


def _screened_by(run: store_runs.Run) -> Iterable[tuple[str, int, int]]:
    for entry in run.record.get("per_rule", []):
        for period in run.record.get("periods", []):
            month = BillingMonth.parse(period)
            yield entry["rule_id"], month.year * 12 + month.month, run.sequence


def _touches(recorded: Any, periods: list[BillingMonth]) -> bool:
    # A finding of the month before is continued; anything further away belongs to another episode.
    first, last = str(periods[0].add(-1)), str(periods[-1].add(1))
    return any(first <= str(period) <= last for period in recorded or ())


def resolve(*, con: duckdb.DuckDBPyConnection, answer: Answer, periods: list[BillingMonth]) -> None:
    """Make the temporary table `episode`: for each hit (subject_id, period) its key, months and days.

    Columns: subject_id, period, episode_key, first_period, last_period, starts, ends.
    """
    kind = answer.rule.sheet.episode.kind
    if kind == "row":
        sql = _row_sql(answer)
    elif kind == "month":
        sql = _month_sql(answer, periods)
    else:
        sql = _day_sql(answer)
    con.execute(f"CREATE OR REPLACE TEMP TABLE episode AS {sql}")


def _row_sql(answer: Answer) -> str:
    return (
        "SELECT subject_id, period, subject_id AS episode_key, min(period) OVER s AS first_period, "
        "max(period) OVER s AS last_period, period_start AS starts, period_end AS ends "
        f"FROM {answer.table} WHERE exit = 'hit' WINDOW s AS (PARTITION BY subject_id)"
    )


def _month_sql(answer: Answer, periods: list[BillingMonth]) -> str:
    """Stretches of months, each with the key of the former finding it overlaps or touches."""
    here = ", ".join(str(month.year * 12 + month.month) for month in periods)
    return f"""
        WITH hits AS (
            SELECT subject_id, period, period_start, period_end, {month_index("period")} AS month
            FROM {answer.table} WHERE exit = 'hit'
        ), marked AS (
            SELECT *, month - row_number() OVER (PARTITION BY subject_id ORDER BY month) AS stretch FROM hits
        ), stretches AS (
            SELECT subject_id, stretch, min(month) AS first_index, max(month) AS last_index,
                min(period) AS first_period, max(period) AS last_period,
                min(period_start) AS starts, max(period_end) AS ends
            FROM marked GROUP BY subject_id, stretch
        ), same AS (
            -- found before in one of these months: the newest run that knew it decides
            SELECT s.subject_id, s.stretch, f.episode_key FROM stretches AS s
            JOIN former AS f ON f.subject_id = s.subject_id AND f.rule_id = '{answer.rule.id}'
                AND f.first_index <= s.last_index AND f.last_index >= s.first_index
            QUALIFY rank() OVER (PARTITION BY s.subject_id, s.stretch ORDER BY f.run DESC) = 1
        ), next_to AS (
            -- hit in the month just before or after, as far as the last run that screened that month knows
            SELECT s.subject_id, s.stretch, f.episode_key FROM stretches AS s
            JOIN former AS f ON f.subject_id = s.subject_id AND f.rule_id = '{answer.rule.id}'
            JOIN screened AS c ON c.rule_id = f.rule_id AND c.run = f.run
                AND c.month IN (s.first_index - 1, s.last_index + 1) AND c.month NOT IN ({here})
                AND f.first_index <= c.month AND f.last_index >= c.month
        ), keys AS (
            SELECT subject_id, stretch, min(episode_key) AS episode_key, 1 AS preference
            FROM same GROUP BY ALL
            UNION ALL
            SELECT subject_id, stretch, min(episode_key), 2 FROM next_to GROUP BY ALL
        ), chosen AS (
            SELECT s.*, {_own_key("s.first_period")} AS episode_key FROM stretches AS s
            LEFT JOIN (SELECT * FROM keys QUALIFY row_number() OVER (
                PARTITION BY subject_id, stretch ORDER BY preference) = 1) AS k
                ON k.subject_id = s.subject_id AND k.stretch = s.stretch
        )
        SELECT m.subject_id, m.period, c.episode_key, c.first_period, c.last_period,
            least(c.starts, coalesce(b.starts, c.starts)) AS starts,
            greatest(c.ends, coalesce(b.ends, c.ends)) AS ends
        FROM marked AS m
        JOIN chosen AS c ON c.subject_id = m.subject_id AND c.stretch = m.stretch
        LEFT JOIN ({_before(answer)}) AS b
            ON b.subject_id = c.subject_id AND b.episode_key = c.episode_key
    """


def _day_sql(answer: Answer) -> str:
    """Stretches of days with gaps of at most `gap_days` clean days."""
    gap = answer.rule.sheet.episode.gap_days or 0
    return f"""
        WITH hits AS (
            SELECT subject_id, period, period_start, period_end, max(period_end) OVER (
                PARTITION BY subject_id ORDER BY period_start, period
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS so_far
            FROM {answer.table} WHERE exit = 'hit'
        ), marked AS (
            SELECT *, sum(CASE WHEN so_far IS NULL OR period_start > so_far + {gap} THEN 1 ELSE 0 END) OVER (
                PARTITION BY subject_id ORDER BY period_start, period) AS stretch FROM hits
        ), stretches AS (
            SELECT subject_id, stretch, min(period) AS first_period, max(period) AS last_period,
                min(period_start) AS starts, max(period_end) AS ends
            FROM marked GROUP BY subject_id, stretch
        ), keys AS (
            SELECT s.subject_id, s.stretch, f.episode_key FROM stretches AS s
            JOIN former AS f ON f.subject_id = s.subject_id AND f.rule_id = '{answer.rule.id}'
                AND f.period_start <= s.ends + {gap} AND s.starts <= f.period_end + {gap}
            QUALIFY rank() OVER (PARTITION BY s.subject_id, s.stretch ORDER BY f.run DESC) = 1
        ), chosen AS (
            SELECT s.*, {_own_key("CAST(s.starts AS VARCHAR)")} AS episode_key FROM stretches AS s
            LEFT JOIN (
                SELECT subject_id, stretch, min(episode_key) AS episode_key FROM keys GROUP BY ALL
            ) AS k
                ON k.subject_id = s.subject_id AND k.stretch = s.stretch
        )
        SELECT m.subject_id, m.period, c.episode_key, c.first_period, c.last_period,
            least(c.starts, coalesce(b.starts, c.starts)) AS starts,
            greatest(c.ends, coalesce(b.ends, c.ends)) AS ends
        FROM marked AS m
        JOIN chosen AS c ON c.subject_id = m.subject_id AND c.stretch = m.stretch
        LEFT JOIN ({_before(answer)}) AS b
            ON b.subject_id = c.subject_id AND b.episode_key = c.episode_key
    """


def _own_key(begin: str) -> str:
    """Return SQL for a stretch's key: the one it continues, unless an earlier stretch continues the same."""
    first = "row_number() OVER (PARTITION BY s.subject_id, k.episode_key ORDER BY s.starts) = 1"
    return f"CASE WHEN k.episode_key IS NOT NULL AND {first} THEN k.episode_key ELSE {begin} END"


def _before(answer: Answer) -> str:
    return (
        "SELECT subject_id, episode_key, min(period_start) AS starts, max(period_end) AS ends "
        f"FROM former WHERE rule_id = '{answer.rule.id}' GROUP BY subject_id, episode_key"
    )
