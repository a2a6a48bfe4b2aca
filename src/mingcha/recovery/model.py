"""A worksheet: what was asked, by which law, how it was worked out, what is owed, what it leaves open.

Energy is kWh, money CNY, both Decimal; every step says how its result was rounded. Days form half-open
periods. Nothing here computes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from mingcha.kernel.periods import Period
from mingcha.recovery import names

#: How results are rounded, by the name printed on the sheet.
ROUNDINGS: dict[str, tuple[str, str]] = {
    "": ("不舍入", "exact"),
    "kwh": ("四舍五入至 0.01 kWh", "half up to 0.01 kWh"),
    "fen": ("四舍五入至 0.01 元", "half up to 0.01 CNY"),
    "eight": ("四舍五入至 8 位小数", "half up to 8 decimals"),
    "rest": ("末段取余数", "the last part takes what is left"),
}


@dataclass(frozen=True, slots=True)
class Words:
    """One meaning in both languages."""

    zh: str
    en: str

    def of(self, language: str) -> str:
        """Return the Chinese words for `zh`, the English ones for anything else."""
        return self.zh if language == "zh" else self.en


def same(text: str) -> Words:
    """Return words that read alike in both languages: a formula, a number."""
    return Words(text, text)


@dataclass(frozen=True, slots=True)
class Citation:
    """A fact of the law of recovery: its value, the document and clause it stands in, its grade."""

    name: str
    value: str
    unit: str
    document: Words
    number: str
    clause: str
    evidence: str
    provisional: bool
    in_force_from: date
    in_force_to: date | None

    @property
    def decimal(self) -> Decimal:
        """Return the value as a number; the book has been checked to hold one."""
        return Decimal(self.value)

    @property
    def is_article(self) -> bool:
        """Return whether the fact is an article of law rather than a figure."""
        return self.name.startswith("law.article.")

    def label(self, language: str) -> str:
        """Return how a person would cite it, with its grade and 待核 where it is still to be verified."""
        grade = self.evidence + (to_verify(language) if self.provisional else "")
        if self.is_article:
            return f"{self._article(language)} {grade}"
        said = names.value_of(self.value, self.unit, language)
        name = names.name_of(self.name, language)
        if language == "zh":
            return f"{name}：{said}（{self.document.zh}）{grade}"
        return f"{name}: {said} ({self.document.en}) {grade}"

    def _article(self, language: str) -> str:
        article, _, item = self.value.rstrip(")").partition("(")
        if language == "zh":
            number = "条号待核" if article == "?" else f"第{article}条" + (f"第{item}项" if item else "")
            return f"《{self.document.zh}》{number}"
        number = (
            "article to be verified"
            if article == "?"
            else f"article {article}" + (f"({item})" if item else "")
        )
        return f"{self.document.en}, {number}"


def to_verify(language: str) -> str:
    """Return the mark of what is still to be verified."""
    return "待核" if language == "zh" else " to be verified"


@dataclass(frozen=True, slots=True)
class Input:
    """One thing the calculation was given, with unit and where it comes from."""

    key: str
    name: Words
    value: Words
    unit: str
    source: Words


@dataclass(frozen=True, slots=True)
class Step:
    """One line of working: formula, the same with numbers, result, how it was rounded, by which fact."""

    name: Words
    formula: Words
    working: Words
    result: Decimal | None = None
    unit: str = ""
    rounding: str = ""
    law: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """What falls under one version of the law: its days, its article, its working and its sums.

    `kwh` and `cny` are positive where the customer owes and negative where the utility refunds; `cny` is None
    where no price was given, the penalties are None where the article knows none.
    """

    period: Period
    article: Citation
    steps: tuple[Step, ...]
    kwh: Decimal | None = None
    cny: Decimal | None = None
    penalty_min_cny: Decimal | None = None
    penalty_max_cny: Decimal | None = None
    penalty_own_cny: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Worksheet:
    """The whole calculation. Back payment and refund are never both above zero; a penalty is a range.

    The four sums are None where they were not computed (no price) or do not exist (no penalty).
    """

    kind: str
    title: Words
    customer: str | None
    case: str | None
    act: Period
    window: Period
    inputs: tuple[Input, ...]
    steps: tuple[Step, ...]
    parts: tuple[Part, ...]
    not_covered: tuple[Words, ...]
    charged: Words = Words("应追补电费", "Back payment")
    provisional: tuple[Citation, ...] = ()
    warnings: tuple[Words, ...] = ()
    made_on: date | None = None
    version: str = ""

    @property
    def kwh(self) -> Decimal | None:
        """Return the signed energy: positive owed, negative refunded; None without any."""
        return _sum([part.kwh for part in self.parts])

    @property
    def cny(self) -> Decimal | None:
        """Return the signed money without penalty; None where no price was given."""
        return _sum([part.cny for part in self.parts])

    @property
    def back_kwh(self) -> Decimal | None:
        """Return the energy to be charged, kWh, never negative."""
        return _above(self.kwh)

    @property
    def refund_kwh(self) -> Decimal | None:
        """Return the energy to be refunded, kWh, never negative."""
        return _above(None if self.kwh is None else -self.kwh)

    @property
    def back_cny(self) -> Decimal | None:
        """Return the money to be charged without penalty, never negative."""
        return _above(self.cny)

    @property
    def refund_cny(self) -> Decimal | None:
        """Return the money to be refunded, never negative."""
        return _above(None if self.cny is None else -self.cny)

    @property
    def penalty_min_cny(self) -> Decimal | None:
        """Return the least penalty the law knows for the act; 0 where the law says "not more than"."""
        return _sum([part.penalty_min_cny for part in self.parts])

    @property
    def penalty_max_cny(self) -> Decimal | None:
        """Return the most that may be demanded on top of the back payment."""
        return _sum([part.penalty_max_cny for part in self.parts])

    @property
    def penalty_own_cny(self) -> Decimal | None:
        """Return the penalty at the organisation's own multiple, where it named one."""
        return _sum([part.penalty_own_cny for part in self.parts])

    @property
    def articles(self) -> tuple[Citation, ...]:
        """Return the articles the parts rest on, in order, each once."""
        return tuple(dict.fromkeys(part.article for part in self.parts))

    def as_json(self) -> dict[str, Any]:
        """Return plain values for one JSON document; Decimals keep their digits."""
        return {
            "kind": self.kind,
            "title": _words(self.title),
            "customer": self.customer,
            "case": self.case,
            "act": _period(self.act),
            "window": _period(self.window),
            "inputs": [
                {
                    "key": one.key,
                    "name": _words(one.name),
                    "value": one.value.en,
                    "unit": one.unit,
                    "source": _words(one.source),
                }
                for one in self.inputs
            ],
            "articles": [_citation(one) for one in self.articles],
            "steps": [_step(step) for step in self.steps],
            "parts": [_part(part) for part in self.parts],
            "charged": _words(self.charged),
            "back_kwh": self.back_kwh,
            "back_cny": self.back_cny,
            "penalty_min_cny": self.penalty_min_cny,
            "penalty_max_cny": self.penalty_max_cny,
            "penalty_own_cny": self.penalty_own_cny,
            "refund_kwh": self.refund_kwh,
            "refund_cny": self.refund_cny,
            "not_covered": [_words(one) for one in self.not_covered],
            "provisional": [_citation(one) for one in self.provisional],
            "warnings": [_words(one) for one in self.warnings],
            "made_on": self.made_on,
            "version": self.version,
        }


def _sum(values: list[Decimal | None]) -> Decimal | None:
    known = [value for value in values if value is not None]
    return sum(known, Decimal(0)) if known else None


def _above(value: Decimal | None) -> Decimal | None:
    return None if value is None else max(value, Decimal(0))


def _words(words: Words) -> dict[str, str]:
    return {"zh": words.zh, "en": words.en}


def _period(period: Period) -> dict[str, Any]:
    return {"from": period.start, "to": period.end}


def _citation(one: Citation) -> dict[str, Any]:
    return {
        "name": one.name,
        "value": one.value,
        "unit": one.unit,
        "document": _words(one.document),
        "number": one.number,
        "clause": one.clause,
        "evidence": one.evidence,
        "provisional": one.provisional,
        "in_force_from": one.in_force_from,
        "in_force_to": one.in_force_to,
        "label": {"zh": one.label("zh"), "en": one.label("en")},
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "name": _words(step.name),
        "formula": _words(step.formula),
        "working": _words(step.working),
        "result": step.result,
        "unit": step.unit,
        "rounding": dict(zip(("zh", "en"), ROUNDINGS[step.rounding], strict=True)),
        "law": [_citation(one) for one in step.law],
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "period": _period(part.period),
        "article": _citation(part.article),
        "steps": [_step(step) for step in part.steps],
        "kwh": part.kwh,
        "cny": part.cny,
        "penalty_min_cny": part.penalty_min_cny,
        "penalty_max_cny": part.penalty_max_cny,
        "penalty_own_cny": part.penalty_own_cny,
    }
