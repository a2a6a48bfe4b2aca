"""Findings as text for a terminal and as plain values for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mingcha.cli import console
from mingcha.findings import model, queries, sources, story, wording, words

_LABELS = {
    "found": words.Text("发现", "Found"),
    "expected": words.Text("应当", "Expected"),
    "matters": words.Text("影响", "Why it matters"),
    "reason": words.Text("原因", "Reason"),
    "evidence": words.Text("证据", "Evidence"),
    "money": words.Text("金额（四项分列，不可相加）", "Money (four amounts, not to be added up)"),
    "rows": words.Text("原始记录", "Source rows"),
    "parameters": words.Text("规则参数", "Parameters"),
    "articles": words.Text("依据", "Basis"),
    "remedy": words.Text("处理", "Remedy"),
    "checklist": words.Text("核查步骤", "Checklist"),
    "not_applied": words.Text("因缺数据未能排除", "Not ruled out, because data is missing"),
    "rule": words.Text("规则", "Rule"),
    "severity": words.Text("严重度", "severity"),
    "runs": words.Text("批次", "Runs"),
    "upstream": words.Text("上游已发现同一事实", "Another desk already knows the same fact"),
    "gone": words.Text("快照中已没有这一行", "the snapshot does not hold this row"),
    "unmasked": words.Text(
        "个人信息已遮盖；本版本不提供解除遮盖。", "Personal data is masked; this version cannot unmask it."
    ),
}
_HEADS = (
    words.Text("异常编号", "Finding"),
    words.Text("规则", "Rule"),
    words.Text("名称", "Title"),
    words.Text("对象", "Subject"),
    words.Text("用户", "Customer"),
    words.Text("档", "Band"),
    words.Text("应追补", "Back"),
    words.Text("违约上限", "Penalty ≤"),
    words.Text("应退补", "Refund"),
    words.Text("敞口", "Exposed"),
)


def listing(found: Sequence[model.Finding], *, rules: Mapping[str, words.RuleWords], language: str) -> str:
    """Return findings as a table, amounts in CNY, blank where not estimated."""
    rows = [
        [
            finding.finding_id,
            finding.rule_id,
            console.cut(rules[finding.rule_id].title.of(language), 28) if finding.rule_id in rules else "",
            console.cut(finding.subject_id, 24),
            console.cut(finding.customer_id or "", 16),
            words.text_of(words.BANDS, finding.band, language),
            *_amounts(finding),
        ]
        for finding in found
    ]
    return console.table([head.of(language) for head in _HEADS], rows, right=range(6, 10))


def summary(total: queries.Total, *, language: str) -> str:
    """Return one line: how many findings and customers, and the four amounts."""
    money = ", ".join(
        f"{words.MONEY[name].of(language)} {wording.value(amount, unit='CNY', language=language)}"
        for name, amount in total.amounts.items()
        if amount is not None
    )
    counted = words.Text("{:,} 条异常，{:,} 个用户；{}", "{:,} findings, {:,} customers; {}")
    none = words.Text("金额均未估算", "no amount estimated").of(language)
    return counted.of(language).format(total.findings, total.customers, money or none)


def page(told: story.Story) -> str:
    """Return the whole story as text."""
    finding, say = told.finding, told.language
    lines = [
        f"{finding.finding_id}  {told.title}",
        f"{told.subject} · {told.period} · {told.band} · {_LABELS['severity'].of(say)} {told.severity}",
    ]
    if finding.known_upstream:
        lines.append(f"! {_LABELS['upstream'].of(say)}")
    for name in ("expected", "found", "reason", "matters"):
        lines += ["", f"{_LABELS[name].of(say)}: {getattr(told, name)}"]
    lines += _block("evidence", told.evidence, say)
    lines += _block("money", told.money, say)
    if told.money_note:
        lines.append(f"  {told.money_note}")
    lines += _rows(told)
    lines += _block("parameters", told.parameters, say)
    lines += _articles(told)
    lines += ["", f"{_LABELS['remedy'].of(say)}: {told.remedy}"]
    lines += _steps("checklist", told.checklist, say)
    lines += _steps("not_applied", told.not_applied, say)
    runs = f"{finding.first_seen_run} → {finding.last_seen_run} · {finding.snapshot_id}"
    lines += ["", f"{_LABELS['rule'].of(say)}: {told.rule} · {_LABELS['runs'].of(say)}: {runs}"]
    return "\n".join(lines)


def document(told: story.Story) -> dict[str, Any]:
    """Return the story as plain values: texts ready to be shown."""
    say = told.language
    return {
        "language": say,
        "title": told.title,
        "subject": told.subject,
        "period": told.period,
        "expected": told.expected,
        "found": told.found,
        "why_it_matters": told.matters,
        "reason": told.reason,
        "evidence": _facts(told.evidence),
        "money": _facts(told.money),
        "money_note": told.money_note,
        "parameters": _facts(told.parameters),
        "rows": [_row(row) for row in told.rows],
        "basis": [
            {
                "topic": article.topic.of(say),
                "document": article.document.of(say),
                "article": article.article,
                "summary": article.summary.of(say),
                "in_force_from": article.in_force_from,
            }
            for article in told.articles
        ],
        "remedy": told.remedy,
        "checklist": list(told.checklist),
        "exclusions_not_applied": list(told.not_applied),
        "rule": told.rule,
    }


def _row(row: sources.SourceRow) -> dict[str, Any]:
    values = {cell.column: cell.text for cell in row.cells}
    return {"table": row.table, "key": dict(row.key), "values": values}


def _amounts(finding: model.Finding) -> list[str]:
    amounts = (finding.back_cny, finding.penalty_cny, finding.refund_cny, finding.exposed_cny)
    return ["" if amount is None else wording.number(amount, places=2) for amount in amounts]


def _facts(facts: Sequence[story.Fact]) -> list[dict[str, str]]:
    return [{"name": fact.name, "title": fact.title, "text": fact.text} for fact in facts]


def _block(name: str, facts: Sequence[story.Fact], language: str) -> list[str]:
    if not facts:
        return []
    size = max(console.width(fact.title) for fact in facts)
    shown = [f"  {fact.title}{' ' * (size - console.width(fact.title))}  {fact.text}" for fact in facts]
    return ["", _LABELS[name].of(language), *shown]


def _steps(name: str, steps: Sequence[str], language: str) -> list[str]:
    return ["", _LABELS[name].of(language), *(f"  - {step}" for step in steps)] if steps else []


def _rows(told: story.Story) -> list[str]:
    lines: list[str] = []
    for row in told.rows:
        cells = "; ".join(f"{cell.title} {cell.text}" for cell in row.cells)
        key = ", ".join(f"{name}={item}" for name, item in row.key.items())
        lines.append(f"  {row.title} {row.table}({key})")
        lines.append(f"    {cells or _LABELS['gone'].of(told.language)}")
    if not lines:
        return []
    return ["", _LABELS["rows"].of(told.language), *lines, f"  {_LABELS['unmasked'].of(told.language)}"]


def _articles(told: story.Story) -> list[str]:
    say = told.language
    since = words.Text("自 {} 起施行", "in force from {}").of(say)
    lines = []
    for article in told.articles:
        lines.append(f"  {article.topic.of(say)}: {article.document.of(say)} {article.article}")
        lines.append(f"    {article.summary.of(say)} ({since.format(article.in_force_from)})")
    return ["", _LABELS["articles"].of(say), *lines] if lines else []
