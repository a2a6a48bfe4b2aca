"""The columns of a finding, once: the public export, and what a run keeps besides.

Whoever writes findings writes `RUN_COLUMNS`; whoever reads them from outside gets `EXPORT_COLUMNS`
in this order. `first_seen_run` and `last_seen_run` are not stored: they follow from all runs.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a finding: name, SQL type of the storage, titles, and the kind of value it shows."""

    name: str
    sql_type: str
    zh: str
    en: str
    kind: str = "text"


EXPORT_COLUMNS: tuple[Column, ...] = (
    Column("finding_id", "VARCHAR", "异常编号", "Finding"),
    Column("rule_id", "VARCHAR", "规则编号", "Rule"),
    Column("rule_version", "INTEGER", "规则版本", "Rule version", "int"),
    Column("subject_kind", "VARCHAR", "对象类型", "Subject kind"),
    Column("subject_id", "VARCHAR", "对象编号", "Subject"),
    Column("customer_id", "VARCHAR", "户号", "Customer"),
    Column("org_id", "VARCHAR", "单位编号", "Unit"),
    Column("period_start", "DATE", "起始日", "From (day in)", "date"),
    Column("period_end", "DATE", "截止日（不含）", "To (day out)", "date"),
    Column("band", "VARCHAR", "处置档", "Band"),
    Column("reason", "VARCHAR", "原因代码", "Reason"),
    Column("severity", "VARCHAR", "严重度", "Severity"),
    Column("energy_kwh", "DECIMAL(18,4)", "电量（kWh）", "Energy (kWh)", "energy"),
    Column("back_cny", "DECIMAL(18,2)", "应追补（元）", "Back payment (CNY)", "money"),
    Column("penalty_cny", "DECIMAL(18,2)", "违约使用电费上限（元）", "Penalty, upper limit (CNY)", "money"),
    Column("refund_cny", "DECIMAL(18,2)", "应退补（元）", "Refund (CNY)", "money"),
    Column("exposed_cny", "DECIMAL(18,2)", "风险敞口（元）", "Exposed (CNY)", "money"),
    Column("evidence", "VARCHAR", "证据", "Evidence", "json"),
    Column("first_seen_run", "VARCHAR", "首次发现批次", "First seen in run"),
    Column("last_seen_run", "VARCHAR", "最近发现批次", "Last seen in run"),
    Column("snapshot_id", "VARCHAR", "数据快照", "Snapshot"),
    Column("run_id", "VARCHAR", "筛查批次", "Run"),
)

_FOLLOWS_FROM_RUNS = {"first_seen_run", "last_seen_run"}

INTERNAL_COLUMNS: tuple[Column, ...] = (
    Column("episode_key", "VARCHAR", "异常时段键", "Episode"),
    Column("known_upstream", "BOOLEAN", "上游已知", "Known upstream", "bool"),
    Column("status", "VARCHAR", "规则状态", "Status of the rule"),
)

RUN_COLUMNS: tuple[Column, ...] = (
    *(column for column in EXPORT_COLUMNS if column.name not in _FOLLOWS_FROM_RUNS),
    *INTERNAL_COLUMNS,
)

MONEY_COLUMNS = ("back_cny", "penalty_cny", "refund_cny", "exposed_cny")
BANDS = ("urgent", "order", "watch")


def export_names() -> tuple[str, ...]:
    """Return the names of the export's columns in order."""
    return tuple(column.name for column in EXPORT_COLUMNS)


def empty_run_relation() -> str:
    """Return a SELECT that yields no row and has the columns a run keeps, typed."""
    fields = ", ".join(f"CAST(NULL AS {column.sql_type}) AS {column.name}" for column in RUN_COLUMNS)
    return f"SELECT {fields} WHERE false"
