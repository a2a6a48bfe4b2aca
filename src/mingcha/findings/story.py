"""The story of a finding: what was expected, what is there, why it matters, and everything it rests on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mingcha.findings import columns, masking, model, sources, wording, words

_NOT_ESTIMATED = words.Text("未估算", "not estimated")


@dataclass(frozen=True, slots=True)
class Fact:
    """A named value as shown: its name in the books, its title and its text."""

    name: str
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A finding told to a person in one language; texts are ready to be shown."""

    finding: model.Finding
    language: str
    title: str
    subject: str
    period: str
    band: str
    severity: str
    reason: str
    expected: str
    found: str
    matters: str
    evidence: tuple[Fact, ...]
    money: tuple[Fact, ...]
    money_note: str
    parameters: tuple[Fact, ...]
    rows: tuple[sources.SourceRow, ...]
    articles: tuple[words.Article, ...]
    remedy: str
    checklist: tuple[str, ...]
    not_applied: tuple[str, ...]

    @property
    def rule(self) -> str:
        """Return the rule's id and version as one writes them."""
        return f"{self.finding.rule_id} v{self.finding.rule_version}"


def tell(
    *,
    finding: model.Finding,
    rule: words.RuleWords,
    language: str,
    rows: Sequence[sources.SourceRow] = (),
    articles: Sequence[words.Article] = (),
    private: Collection[str] = (),
) -> Story:
    """Return the story in `language`; evidence named in `private` is masked."""
    values = _values(finding, private=private, language=language)
    units = {name: label.unit for name, label in (*rule.evidence.items(), *rule.parameters.items())}
    units |= dict.fromkeys(columns.MONEY_COLUMNS, "CNY") | {"energy_kwh": "kWh"}

    def told(text: words.Text) -> str:
        return wording.fill(text.of(language), values, units=units, language=language)

    return Story(
        finding=finding,
        language=language,
        title=rule.title.of(language),
        subject=_subject(finding, language),
        period=_period(finding, language),
        band=words.text_of(words.BANDS, finding.band, language),
        severity=words.text_of(words.SEVERITIES, finding.severity, language),
        reason=told(rule.reasons[finding.reason]) if finding.reason in rule.reasons else finding.reason,
        expected=told(rule.expected),
        found=told(rule.found),
        matters=told(rule.matters),
        evidence=_facts(_shown(finding, values), rule.evidence, language),
        money=_money(finding, language),
        money_note=told(rule.money_note) if rule.money_note else "",
        parameters=_facts(finding.parameters, rule.parameters, language),
        rows=tuple(rows),
        articles=tuple(articles),
        remedy=told(rule.remedy),
        checklist=tuple(told(step) for step in rule.checklist),
        not_applied=tuple(words.text_of(words.EXCLUSIONS, code, language) for code in finding.not_applied),
    )


def evidence_text(
    *, finding: model.Finding, rule: words.RuleWords | None, language: str, private: Collection[str]
) -> str:
    """Return the evidence as one line of `title: value` pairs, for a cell of a sheet."""
    values = _values(finding, private=private, language=language)
    labels = rule.evidence if rule else {}
    facts = _facts(_shown(finding, values), labels, language)
    joint, colon = ("；", "：") if language == words.ZH else ("; ", ": ")
    return joint.join(f"{fact.title}{colon}{fact.text}" for fact in facts)


def _values(finding: model.Finding, *, private: Collection[str], language: str) -> dict[str, Any]:
    record = finding.record()
    del record["evidence"]
    evidence = {
        name: masking.masked(item, privacy="personal" if name in private else "none", language=language)
        for name, item in finding.values.items()
    }
    return {**finding.parameters, **record, **evidence}


def _shown(finding: model.Finding, values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in finding.values if name != "known_upstream"}


def _facts(values: Mapping[str, Any], labels: Mapping[str, words.Label], language: str) -> tuple[Fact, ...]:
    facts = []
    for name, item in values.items():
        label = labels.get(name) or words.Label(words.Text(name, name))
        facts.append(
            Fact(name, label.title.of(language), wording.value(item, unit=label.unit, language=language))
        )
    return tuple(facts)


def _money(finding: model.Finding, language: str) -> tuple[Fact, ...]:
    stated = finding.money
    facts = [
        Fact(
            name,
            words.MONEY[name].of(language),
            wording.value(stated[name], unit="CNY", language=language)
            if name in stated
            else _NOT_ESTIMATED.of(language),
        )
        for name in columns.MONEY_COLUMNS
    ]
    energy = words.Text("电量", "energy").of(language)
    if finding.energy_kwh is not None:
        facts.insert(
            0, Fact("energy_kwh", energy, wording.value(finding.energy_kwh, unit="kWh", language=language))
        )
    return tuple(facts)


def _subject(finding: model.Finding, language: str) -> str:
    parts = [f"{words.text_of(words.SUBJECTS, finding.subject_kind, language)} {finding.subject_id}"]
    if finding.customer_id and finding.customer_id != finding.subject_id:
        parts.append(f"{words.Text('用户', 'customer').of(language)} {finding.customer_id}")
    if finding.org_id and finding.org_id != finding.subject_id:
        parts.append(f"{words.Text('单位', 'unit').of(language)} {finding.org_id}")
    return " · ".join(parts)


def _period(finding: model.Finding, language: str) -> str:
    start, end = finding.period_start, finding.period_end
    if start is None or end is None:
        return wording.value(start or end, language=language)
    joint = words.Text("{} 至 {}（不含）", "{} to {} (not included)").of(language)
    return joint.format(start.isoformat(), end.isoformat())
