"""The words of the rulebook in the shape the findings floor tells stories with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from mingcha.findings import words
from mingcha.rules import book as books
from mingcha.rules import model


def all_rules(*, book: books.Book) -> dict[str, words.RuleWords]:
    """Return the words of every rule of the book by id."""
    return {rule_id: of_rule(rule=rule) for rule_id, rule in book.rules.items()}


def of_rule(*, rule: books.Rule) -> words.RuleWords:
    """Return the words of one rule."""
    sheet = rule.sheet
    return words.RuleWords(
        rule_id=sheet.id,
        title=_text(sheet.title),
        area=sheet.area,
        severity=sheet.severity,
        status=sheet.status,
        expected=_text(sheet.explain.expected),
        found=_text(sheet.explain.found),
        matters=_text(sheet.explain.matters),
        evidence={
            column.name: words.Label(words.Text(column.zh, column.en), column.unit, column.type)
            for column in sheet.evidence
        },
        parameters={
            name: words.Label(words.Text(name, name), parameter.unit, parameter.type)
            for name, parameter in sheet.parameters.items()
        },
        reasons={name: _text(text) for name, text in sheet.reasons.items()},
        bands={name: _text(text) for name, text in sheet.bands.items()},
        remedy=_text(sheet.remedy),
        checklist=tuple(_text(step) for step in sheet.checklist),
        money_formula=sheet.money.formula,
        money_note=_text(sheet.money.note) if sheet.money.note else None,
        basis=sheet.basis,
    )


def articles(*, book: books.Book, topics: Iterable[str], day: date | None) -> tuple[words.Article, ...]:
    """Return what the law says on `day` about each topic, newest document first; none without a day."""
    if day is None:
        return ()
    return tuple(
        words.Article(
            topic=_text(topic.title),
            document=_text(entry.document),
            article=entry.article,
            summary=_text(entry.summary),
            in_force_from=entry.in_force_from.isoformat(),
        )
        for topic in (book.law[name] for name in topics if name in book.law)
        for entry in topic.at(day)
    )


def unknown(*, rule_id: str) -> words.RuleWords:
    """Return words for a rule that cannot be read any more, so that its findings can still be told."""
    gone = words.Text(
        "规则已不在规则库中，或无法读取", "the rule is not in the book any more, or cannot be read"
    )
    return words.RuleWords(
        rule_id=rule_id,
        title=gone,
        area="",
        severity="",
        status="retired",
        expected=gone,
        found=gone,
        matters=gone,
        evidence={},
        parameters={},
        reasons={},
        bands={},
        remedy=gone,
        checklist=(),
    )


def _text(text: model.Text) -> words.Text:
    return words.Text(text.zh, text.en)
