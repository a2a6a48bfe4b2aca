"""A rule shown to a person: what it looks for, with what values, on what ground, and how it was proven."""

from __future__ import annotations

from datetime import date
from typing import Any

from mingcha.rules import model
from mingcha.rules.book import Book, Rule

KINDS = {
    "hit": ("命中", "hit"),
    "near_miss": ("差一点", "near miss"),
    "innocent": ("无辜", "innocent"),
    "exclusion": ("排除", "exclusion"),
    "lacking": ("缺数据", "lacking data"),
}
SEVERITY = {"H": ("高", "high"), "M": ("中", "medium"), "L": ("低", "low")}
STATUS = {
    "draft": ("草稿", "draft"),
    "trial": ("试运行", "on trial"),
    "live": ("在用", "live"),
    "retired": ("停用", "retired"),
}


def markdown(*, rule: Rule, book: Book, language: str, day: date, version: int | None = None) -> str:
    """Return the rule's card in `language` (zh or en); law articles are those in force on `day`."""
    card = _Card(rule, book, language, day)
    parts = [
        card.heading(version),
        card.guide(),
        card.story(),
        card.parameters(),
        card.reasons(),
        card.needs(),
        card.action(),
        card.basis(),
        card.examples(),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


class _Card:
    def __init__(self, rule: Rule, book: Book, language: str, day: date) -> None:
        self.rule, self.sheet, self.book, self.language, self.day = rule, rule.sheet, book, language, day

    def word(self, zh: str, en: str) -> str:
        return zh if self.language == "zh" else en

    def text(self, text: model.Text) -> str:
        return text.of(self.language)

    def pair(self, table: dict[str, tuple[str, str]], key: str) -> str:
        return self.word(*table[key])

    def heading(self, version: int | None) -> str:
        sheet = self.sheet
        facts = [
            (self.word("对象", "Subject"), sheet.subject),
            (self.word("严重度", "Severity"), self.pair(SEVERITY, sheet.severity)),
            (self.word("状态", "Status"), self.pair(STATUS, sheet.status)),
            (self.word("优先级", "Priority"), sheet.priority),
            (self.word("金额公式", "Money formula"), sheet.money.formula or "–"),
            (self.word("需要历史(月)", "Months of history"), str(sheet.history_months)),
        ]
        if version is not None:
            facts.append((self.word("版本", "Version"), str(version)))
        lines = [
            f"# {sheet.id} {self.text(sheet.title)}",
            "",
            *(f"- {name}: {value}" for name, value in facts),
        ]
        return "\n".join(lines)

    def guide(self) -> str:
        text = self.rule.guides.get(self.language, "").strip()
        # The card has its own heading in place of the guide's.
        lines = [line for line in text.splitlines() if not line.startswith("# ")]
        return "\n".join(lines).strip()

    def story(self) -> str:
        explain = self.sheet.explain
        rows = [
            (self.word("应当", "Expected"), explain.expected),
            (self.word("实际", "Found"), explain.found),
            (self.word("要紧之处", "Why it matters"), explain.matters),
        ]
        head = self.word("## 说明", "## Story")
        return "\n".join([head, "", *(f"- **{name}** {self.text(text)}" for name, text in rows)])

    def parameters(self) -> str:
        if not self.sheet.parameters:
            return ""
        head = self.word(
            "## 参数\n\n| 参数 | 默认值 | 单位 | 范围 | 归口 | 理由 |",
            "## Parameters\n\n| parameter | default | unit | bounds | owner | reason |",
        )
        lines = [head, "| --- | --- | --- | --- | --- | --- |"]
        for name, parameter in self.sheet.parameters.items():
            bounds = "–" if parameter.min is None else f"{parameter.min} … {parameter.max}"
            cells = [
                f"`{name}`",
                _shown(parameter.default),
                parameter.unit or "–",
                bounds,
                parameter.owner,
                self.text(parameter.reason),
            ]
            lines.append(_row(cells))
        return "\n".join(lines)

    def reasons(self) -> str:
        head = self.word("## 原因与处置档", "## Reasons and bands")
        lines = [f"- `{name}` {self.text(text)}" for name, text in self.sheet.reasons.items()]
        lines += [f"- **{name}** {self.text(text)}" for name, text in self.sheet.bands.items()]
        return "\n".join([head, "", *lines])

    def needs(self) -> str:
        head = self.word("## 所需数据", "## Data needed")
        lines = []
        for name, columns in self.sheet.needs.items():
            spare = self.word("（可缺）", " (may be missing)") if name in self.sheet.optional else ""
            lines.append(f"- `{name}`{spare}: {', '.join(columns) or '–'}")
        if self.sheet.exclusions:
            lines.append(f"- {self.word('排除', 'Exclusions')}: {', '.join(self.sheet.exclusions)}")
        if self.sheet.yields_to:
            lines.append(f"- {self.word('让位于', 'Yields to')}: {', '.join(self.sheet.yields_to)}")
        return "\n".join([head, "", *lines])

    def action(self) -> str:
        head = self.word("## 处理", "## What to do")
        steps = [f"- {self.text(step)}" for step in self.sheet.checklist]
        return "\n".join([head, "", self.text(self.sheet.remedy), "", *steps])

    def basis(self) -> str:
        lines = []
        for name in self.sheet.basis:
            topic = self.book.law[name]
            for article in topic.at(self.day):
                where = f"{self.text(article.document)} {article.article}".strip()
                lines.append(f"- **{self.text(topic.title)}** {where}: {self.text(article.summary)}")
        if not lines:
            return ""
        head = self.word(f"## 依据（{self.day} 有效）", f"## Basis (in force on {self.day})")
        return "\n".join([head, "", *lines])

    def examples(self) -> str:
        head = self.word("## 例证", "## Examples")
        lines = [
            f"- {self.pair(KINDS, example.kind)}: {example.name}" for example in self.rule.examples.examples
        ]
        return "\n".join([head, "", *lines])


def _shown(value: Any) -> str:
    return ", ".join(str(item) for item in value) if isinstance(value, tuple) else str(value)


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
