"""One rule as text for a terminal."""

from __future__ import annotations

from mingcha.cli import console
from mingcha.findings import wording
from mingcha.rules import book as books
from mingcha.rules import model

_WORDS = {
    "expected": ("应当", "Expected"),
    "found": ("发现", "Found"),
    "matters": ("影响", "Why it matters"),
    "reasons": ("原因代码", "Reasons"),
    "bands": ("处置档", "Bands"),
    "parameters": ("参数", "Parameters"),
    "evidence": ("证据", "Evidence"),
    "needs": ("所需数据", "Needs"),
    "optional": ("可缺的数据", "May do without"),
    "exclusions": ("排除条件", "Exclusions"),
    "yields": ("让位于", "Yields to"),
    "money": ("金额", "Money"),
    "remedy": ("处理", "Remedy"),
    "checklist": ("核查步骤", "Checklist"),
    "basis": ("依据", "Basis"),
    "history": ("所需历史（月）", "History in months"),
    "place": ("位置", "Place"),
}


def card(*, rule: books.Rule, version: int | None, book: books.Book, language: str) -> str:
    """Return everything a person wants to know about a rule."""
    sheet = rule.sheet
    state = f"v{version}" if version else "not locked"
    lines = [
        f"{sheet.id}  {sheet.title.of(language)}",
        f"{sheet.area} · {sheet.subject} · {sheet.severity} · {sheet.priority} · {sheet.status} · {state}",
        "",
        *(
            f"{_say(name, language)}: {getattr(sheet.explain, name).of(language)}"
            for name in ("expected", "found", "matters")
        ),
    ]
    lines += _block("reasons", [(code, text.of(language)) for code, text in sheet.reasons.items()], language)
    lines += _block("bands", [(band, text.of(language)) for band, text in sheet.bands.items()], language)
    lines += _block(
        "parameters", [_parameter(name, one, language) for name, one in sheet.parameters.items()], language
    )
    lines += _block(
        "evidence",
        [
            (one.name, f"{one.zh if language == 'zh' else one.en} {one.unit}".rstrip())
            for one in sheet.evidence
        ],
        language,
    )
    lines += _block("needs", [(name, ", ".join(columns)) for name, columns in sheet.needs.items()], language)
    lines += _more(sheet, book, language)
    lines += ["", f"{_say('place', language)}: {rule.folder}"]
    return "\n".join(lines)


def _more(sheet: model.RuleSheet, book: books.Book, language: str) -> list[str]:
    lines: list[str] = []
    if sheet.history_months:
        lines.append(f"{_say('history', language)}: {sheet.history_months}")
    for name, items in (
        ("optional", sheet.optional),
        ("exclusions", sheet.exclusions),
        ("yields", sheet.yields_to),
    ):
        if items:
            lines.append(f"{_say(name, language)}: {', '.join(items)}")
    if sheet.money.formula or sheet.money.note:
        note = sheet.money.note.of(language) if sheet.money.note else ""
        lines.append(f"{_say('money', language)}: {sheet.money.formula or ''} {note}".rstrip())
    lines.append(f"{_say('remedy', language)}: {sheet.remedy.of(language)}")
    lines += ["", _say("checklist", language), *(f"  - {step.of(language)}" for step in sheet.checklist)]
    for topic in (book.law[name] for name in sheet.basis if name in book.law):
        lines += ["", f"{_say('basis', language)}: {topic.title.of(language)}"]
        for entry in topic.entries:
            lines.append(f"  {entry.in_force_from}  {entry.document.of(language)} {entry.article}")
            lines.append(f"    {entry.summary.of(language)}")
    return ["", *lines]


def _parameter(name: str, one: model.Parameter, language: str) -> tuple[str, str]:
    bounds = f" [{one.min} … {one.max}]" if one.min is not None else ""
    value = wording.value(one.default, unit=one.unit, language=language, plain=True)
    return name, f"{value}{bounds}  {one.reason.of(language)}"


def _block(name: str, pairs: list[tuple[str, str]], language: str) -> list[str]:
    if not pairs:
        return []
    size = max(console.width(head) for head, _ in pairs)
    return [
        "",
        _say(name, language),
        *(f"  {head}{' ' * (size - console.width(head))}  {text}" for head, text in pairs),
    ]


def _say(name: str, language: str) -> str:
    return _WORDS[name][0 if language == "zh" else 1]
