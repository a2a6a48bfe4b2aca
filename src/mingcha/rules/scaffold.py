"""A new rule that works at once: it finds rows of a table whose value exceeds a limit, and proves it.

The author then changes query, words and examples step by step, with `mingcha rules test` saying each time
whether the rule still does what its examples promise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from mingcha import rulebook
from mingcha.contract import ddl
from mingcha.contract import load as contract_load
from mingcha.contract import model as contract_model
from mingcha.kernel import errors
from mingcha.rules import book as books
from mingcha.rules import graph, lock, model
from mingcha.rules.lint import needs

SUBJECT_OF = {
    "bill": "bill", "reading": "reading", "receipt": "receipt", "ticket": "ticket", "customer": "customer",
    "adjustment": "adjustment", "usage_point": "point", "meter": "meter", "transformer": "transformer",
    "contract": "contract", "tariff": "tariff", "outage": "outage", "inspection_record": "inspection",
    "violation_case": "case", "staff": "staff", "district": "district", "feeder": "feeder", "bus": "bus",
}  # fmt: skip
GUIDE_ZH = "# {title}\n\n{column}超过限额时提示。在此写下：为什么可疑、哪些情况无辜、现场看什么。\n"
GUIDE_EN = (
    "# {title}\n\nSays when the {column} exceeds the limit. Write down here: why that is suspect, "
    "what is innocent, what to look at on site.\n"
)
NUMBERS = frozenset(kind for kind, sql in contract_model.SQL_TYPES.items() if sql.startswith("DECIMAL"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a new rule begins with: rows of `table` whose `column` exceeds `limit` are hits."""

    rule_id: str
    name: str
    title_zh: str
    title_en: str
    table: str = "bill"
    column: str = "amount"
    limit: str = "1000000"
    severity: str = "M"
    priority: str = "P3"

    @property
    def area(self) -> str:
        """Return the area the id belongs to."""
        areas = {prefix: area for area, prefix in model.AREAS.items()}
        return areas[self.rule_id[:3]]

    @property
    def shape(self) -> contract_model.Table:
        """Return the contract's table."""
        return contract_load.contract().every[self.table]

    @property
    def measured(self) -> contract_model.Column:
        """Return the contract's column that is compared."""
        return self.shape.column(self.column)


def new(*, plan: Plan, root: Path | None = None) -> Path:
    """Write the rule's folder and return it; raises BookError when the plan cannot be carried out."""
    base = root or rulebook.ROOT
    _check(plan, base)
    folder = base / plan.area / plan.name
    folder.mkdir(parents=True)
    texts = {
        "rule.yaml": _sheet(plan),
        "query.sql": _query(plan),
        "examples.yaml": _examples(plan),
        "guide.zh.md": GUIDE_ZH.format(title=plan.title_zh, column=plan.measured.zh),
        "guide.en.md": GUIDE_EN.format(title=plan.title_en, column=plan.measured.en.lower()),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    book, _ = books.read(root=base)
    needs.write(folder / "rule.yaml", graph.Graph(book).rule_reads(book.rule(plan.rule_id)))
    return folder


def _check(plan: Plan, base: Path) -> None:
    book, _ = books.read(root=base)
    held = set(book.rules) | set(lock.versions(book))
    known = contract_load.contract().every
    if not re.fullmatch(r"[A-Z]{3}-\d{3}", plan.rule_id) or plan.rule_id[:3] not in model.AREAS.values():
        prefixes = ", ".join(model.AREAS.values())
        raise _refused(
            f"{plan.rule_id} is no rule id", f"write an area ({prefixes}) and three digits: MET-901"
        )
    if plan.rule_id in held:
        raise _refused(
            f"the id {plan.rule_id} is taken", f"choose another; next free: {free_id(plan.rule_id[:3], held)}"
        )
    if not re.fullmatch(r"[a-z][a-z0-9_]*", plan.name):
        raise _refused(
            f"{plan.name!r} is no folder name", "use small letters, digits and _: bill_above_limit"
        )
    if (base / plan.area / plan.name).exists():
        raise _refused(f"{plan.area}/{plan.name} exists already", "choose another name")
    if plan.table not in known:
        raise _refused(f"there is no table {plan.table}", "`mingcha data contract` lists the tables")
    column = known[plan.table].by_name.get(plan.column)
    if column is None or column.type not in NUMBERS:
        numbers = [column.name for column in known[plan.table].columns if column.type in NUMBERS]
        raise _refused(
            f"{plan.table}.{plan.column} is no number", f"choose of: {', '.join(numbers) or 'no column'}"
        )
    if not re.fullmatch(r"\d+(\.\d+)?", plan.limit):
        raise _refused(f"{plan.limit!r} is no limit", "write a number of zero or more: 1000.00")
    if not plan.title_zh.strip() or not plan.title_en.strip():
        raise _refused("a title is missing", "give one in Chinese and one in English")


def free_id(prefix: str, held: set[str]) -> str:
    """Return the first free id from 901 on, the numbers left to a utility's own rules."""
    number = next(number for number in range(901, 1000) if f"{prefix}-{number}" not in held)
    return f"{prefix}-{number}"


def _refused(what: str, mend: str) -> errors.BookError:
    return errors.BookError(what, why="a new rule must have its own id, place and data to judge", mend=mend)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _key_sql(plan: Plan) -> str:
    keys = [f"CAST(t.{name} AS VARCHAR)" for name in plan.shape.key]
    return f"t.{plan.shape.key[0]}" if len(keys) == 1 else " || '/' || ".join(keys)


def _when_sql(plan: Plan) -> str:
    partition, column = plan.shape.partition, plan.shape.partition_column
    if partition is None or column is None:
        return "TRUE"
    if column == "at":  # a keyword where a column may also stand
        column = ddl.quote(column)
    if not partition.startswith("month("):
        return f"{column} = :period"
    return f"{column} >= :period_start AND {column} < :period_end"


def _query(plan: Plan) -> str:
    has_customer = "customer_id" in plan.shape.by_name and plan.table != "customer"
    org = (
        "c.org_id"
        if has_customer
        else "t.org_id"
        if "org_id" in plan.shape.by_name
        else "CAST(NULL AS VARCHAR)"
    )
    customer = "t.customer_id" if "customer_id" in plan.shape.by_name else "CAST(NULL AS VARCHAR)"
    join = "\nLEFT JOIN customer AS c ON c.customer_id = t.customer_id" if has_customer else ""
    energy = f"t.{plan.column}" if plan.measured.type == "energy" and plan.measured.unit == "kWh" else "NULL"
    exposed = f"CAST(t.{plan.column} AS DECIMAL(18, 2))" if plan.measured.type == "money" else "NULL"
    when = "" if plan.shape.partition is None else "\n  AND t." + _when_sql(plan).replace(" AND ", " AND t.")
    keys = "".join(f"\n  t.{name} AS key_{name}," for name in plan.shape.key)
    return f"""\
-- One row per suspect. Read the conditions at the bottom first.
SELECT
  {_key_sql(plan)} AS subject_id,
  {customer} AS customer_id,
  {org} AS org_id,
  :period_start AS period_start,
  :period_end AS period_end,
  'hit' AS exit,
  'order' AS band,
  'above_limit' AS reason,
  CAST({energy} AS DECIMAL(18, 4)) AS energy_kwh,
  CAST(NULL AS DECIMAL(18, 2)) AS back_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS penalty_cny,
  CAST(NULL AS DECIMAL(18, 2)) AS refund_cny,
  CAST({exposed} AS DECIMAL(18, 2)) AS exposed_cny,{keys}
  t.{plan.column} AS measured
FROM {plan.table} AS t{join}
WHERE t.{plan.column} > :limit_value{when}
"""


def _evidence(plan: Plan) -> str:
    lines = []
    for name in plan.shape.key:
        column = plan.shape.column(name)
        words = f"zh: {_quoted(column.zh)}, en: {_quoted(column.en)}"
        lines.append(f"  - {{name: key_{name}, type: {_loose(column.type)}, {words}}}")
    unit = plan.measured.unit or "1"
    lines.append(
        f"  - {{name: measured, type: {_loose(plan.measured.type)}, unit: {_quoted(unit)}, "
        f"zh: {_quoted(plan.measured.zh)}, en: {_quoted(plan.measured.en)}}}"
    )
    return "\n".join(lines)


def _loose(kind: str) -> str:
    return kind if kind in model.SQL_FAMILY else "decimal"


def _sheet(plan: Plan) -> str:
    key = ", ".join(f"{name}: key_{name}" for name in plan.shape.key)
    bound = max(Decimal(plan.limit) * 10, Decimal(1))
    return f"""\
id: {plan.rule_id}
title: {{zh: {_quoted(plan.title_zh)}, en: {_quoted(plan.title_en)}}}
area: {plan.area}
subject: {SUBJECT_OF.get(plan.table, "table")}
severity: {plan.severity}
priority: {plan.priority}
status: draft
marks: {{source: P, codes: [], requirements: []}}
history_months: 0
episode: {{kind: row}}
parameters:
  limit_value:
    default: "{plan.limit}"
    type: decimal
    unit: {_quoted(plan.measured.unit or "1")}
    min: "0"
    max: "{bound:f}"
    owner: {plan.area}
    reason: {{zh: '起步值，请按历史数据调整。', en: 'A value to begin with; tune it on past months.'}}
needs: {{}}
optional: []
yields_to: []
exclusions: []
population: {{from: {plan.table}, where: {_quoted(_when_sql(plan))}}}
explain:
  expected: {{zh: '不超过 {{limit_value}}。', en: 'At most {{limit_value}}.'}}
  found: {{zh: '实际为 {{measured}}。', en: 'It is {{measured}}.'}}
  matters: {{zh: '说明为什么要紧。', en: 'Say why it matters.'}}
evidence:
{_evidence(plan)}
rows:
  - {{table: {plan.table}, key: {{{key}}}}}
money: {{formula: null}}
reasons:
  above_limit: {{zh: '超过限额', en: 'Above the limit'}}
bands:
  order: {{zh: '派单核实', en: 'Send somebody to check'}}
remedy: {{zh: '核实原始记录。', en: 'Check the original record.'}}
checklist:
  - {{zh: '原始记录与系统是否一致。', en: 'Do the original record and the system agree?'}}
basis: []
"""


def _examples(plan: Plan) -> str:
    limit = Decimal(plan.limit)
    step = Decimal(1).scaleb(-(plan.measured.scale or 0))
    when = f", {plan.shape.partition_column}: 2026-03" if plan.shape.partition == "billing_period" else ""
    if plan.shape.partition and plan.shape.partition.startswith("month("):
        when = f", {plan.shape.partition_column}: 2026-03-15"
    # A key of several columns takes the contract's examples; a single one is named, to be recognised.
    single = len(plan.shape.key) == 1
    lead = f"{plan.shape.key[0]}: a_1, " if single else ""
    named = "subject_id: a_1, " if single else ""

    def row(value: Decimal) -> str:
        return f'{{{plan.table}: [{{{lead}{plan.column}: "{value:f}"{when}}}]}}'

    return f"""\
defaults: {{period: 2026-03, data_date: 2026-04-10}}
examples:
  - name: just above the limit
    kind: hit
    given: {row(limit + step)}
    expect: [{{{named}band: order, reason: above_limit, measured: "{limit + step:f}"}}]
  - name: exactly on the limit
    kind: near_miss
    of: limit_value
    given: {row(limit)}
    expect: []
  - name: an ordinary value
    kind: innocent
    given: {row(limit / 2)}
    expect: []
  - name: the table was not delivered
    kind: lacking
    not_delivered: [{plan.table}]
    expect_skipped: [{plan.table}]
"""
