"""What stands on a sheet and in which order, in one language; the renderers only draw it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from mingcha.kernel.periods import Period
from mingcha.recovery import figures, names
from mingcha.recovery.model import ROUNDINGS, Part, Step, Words, Worksheet

_W = {
    "case": Words("案号", "Case"),
    "customer": Words("用户", "Customer"),
    "act": Words("行为期间", "Days of the act"),
    "window": Words("计入期间", "Days counted"),
    "made": Words("制表日期", "Made on"),
    "result": Words("结果", "Result"),
    "inputs": Words("输入", "Inputs"),
    "working": Words("共同计算步骤", "Working common to all parts"),
    "part": Words("分段", "Part"),
    "articles": Words("适用条款", "Articles"),
    "not_covered": Words("本单不包括", "Not covered by this sheet"),
    "provisional": Words("待核事项", "To be verified"),
    "warnings": Words("提示", "Please note"),
    "back_kwh": Words("应追补电量", "Energy to be charged"),
    "refund_kwh": Words("应退电量", "Energy to be refunded"),
    "refund_cny": Words("应退电费", "Refund"),
    "penalty": Words("违约使用电费", "Penalty"),
    "own": Words("违约使用电费（本单位裁量）", "Penalty at the organisation's own multiple"),
    "to": Words("至", "to"),
    "cny": Words("元", "CNY"),
    "item": Words("项目", "Item"),
    "value": Words("数值", "Value"),
    "unit": Words("单位", "Unit"),
    "source": Words("来源", "Source"),
    "formula": Words("公式", "Formula"),
    "numbers": Words("代入", "With numbers"),
    "outcome": Words("得", "Result"),
    "rounding": Words("舍入", "Rounding"),
    "law": Words("依据", "By"),
    "subtotal": Words("本段合计", "This part"),
    "foot": Words(
        "本单为计算书，不是法律意见；金额以核准的处理决定为准。",
        "A calculation, not legal advice; what is charged is what an approved decision says.",
    ),
    "signed": Words(
        "制表：____________    审核：____________    用户：____________",
        "Made by: ____________    Checked by: ____________    Customer: ____________",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One step as it is printed: number, name, formula, numbers, result, rounding, articles and facts."""

    number: str
    name: str
    formula: str
    working: str
    result: str
    rounding: str
    law: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with steps below it and a line of sums."""

    heading: str
    rows: tuple[Row, ...]
    sums: tuple[tuple[str, str], ...] = ()
    article: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A whole sheet in one language."""

    language: str
    title: str
    facts: tuple[tuple[str, str], ...]
    result: tuple[tuple[str, str], ...]
    inputs: tuple[tuple[str, str, str, str], ...]
    sections: tuple[Section, ...]
    articles: tuple[str, ...]
    not_covered: tuple[str, ...]
    provisional: tuple[str, ...]
    warnings: tuple[str, ...]
    foot: str
    signed: str

    def word(self, key: str) -> str:
        """Return a heading or label in the language of the page."""
        return _W[key].of(self.language)


def page(sheet: Worksheet, language: str) -> Page:
    """Return the page of a worksheet in `zh` or `en`."""

    def said(words: Words) -> str:
        return words.of(language)

    facts = [(_W["customer"], sheet.customer), (_W["case"], sheet.case)]
    found = [(said(name), value) for name, value in facts if value]
    found.append((said(_W["act"]), _days(sheet.act, language)))
    if sheet.window != sheet.act:
        found.append((said(_W["window"]), _days(sheet.window, language)))
    if sheet.made_on is not None:
        found.append((said(_W["made"]), sheet.made_on.isoformat()))
    return Page(
        language=language,
        title=said(Words("退补电费计算书", "Recovery worksheet")) + " · " + said(sheet.title),
        facts=tuple(found),
        result=tuple(_result(sheet, language)),
        inputs=tuple(
            (said(i.name), said(i.value), names.unit_of(i.unit, language), said(i.source))
            for i in sheet.inputs
        ),
        sections=tuple(_sections(sheet, language)),
        articles=tuple(one.label(language) + _clause(one.clause, language) for one in sheet.articles),
        not_covered=tuple(said(one) for one in sheet.not_covered),
        provisional=tuple(one.label(language) for one in sheet.provisional),
        warnings=tuple(said(one) for one in sheet.warnings),
        foot=f"{said(_W['foot'])} Mingcha {sheet.version}".strip(),
        signed=said(_W["signed"]),
    )


def _result(sheet: Worksheet, language: str) -> list[tuple[str, str]]:
    """Return the sums; a penalty as a range, every sum marked while a fact behind it is to be verified."""
    mark = (" 【待核】" if language == "zh" else " [to be verified 待核]") if sheet.provisional else ""
    cny = _W["cny"].of(language)
    found: list[tuple[Words, str]] = []
    for key, energy in (("back_kwh", sheet.back_kwh), ("refund_kwh", sheet.refund_kwh)):
        if energy is not None and (energy or key == "back_kwh"):
            found.append((_W[key], f"{figures.money(energy)} kWh"))
    if sheet.back_cny or (sheet.back_cny is not None and not sheet.penalty_max_cny):
        found.append((sheet.charged, f"{figures.money(sheet.back_cny)} {cny}{mark}"))
    least, most = sheet.penalty_min_cny, sheet.penalty_max_cny
    if least is not None and most is not None:
        span = f"{figures.money(least)} {_W['to'].of(language)} " if least != most else ""
        found.append((_W["penalty"], f"{span}{figures.money(most)} {cny}{mark}"))
    if sheet.penalty_own_cny is not None:
        found.append((_W["own"], f"{figures.money(sheet.penalty_own_cny)} {cny}{mark}"))
    if sheet.refund_cny:
        found.append((_W["refund_cny"], f"{figures.money(sheet.refund_cny)} {cny}{mark}"))
    return [(name.of(language), value) for name, value in found]


def _sections(sheet: Worksheet, language: str) -> list[Section]:
    numbers = iter(range(1, 10_000))
    found = []
    if sheet.steps:
        rows = tuple(_row(step, next(numbers), language) for step in sheet.steps)
        found.append(Section(heading=_W["working"].of(language), rows=rows))
    for place, part in enumerate(sheet.parts, start=1):
        rows = tuple(_row(step, next(numbers), language) for step in part.steps)
        heading = f"{_W['part'].of(language)} {place}: {_days(part.period, language)}"
        article = part.article.label(language)
        found.append(
            Section(heading=heading, rows=rows, sums=tuple(_sums(part, sheet, language)), article=article)
        )
    return found


def _sums(part: Part, sheet: Worksheet, language: str) -> list[tuple[str, str]]:
    cny = _W["cny"].of(language)
    found = []
    if part.kwh is not None:
        found.append(("ΔW", f"{figures.money(part.kwh)} kWh"))
    if part.cny is not None:
        found.append((sheet.charged.of(language), f"{figures.money(part.cny)} {cny}"))
    if part.penalty_min_cny is not None and part.penalty_max_cny is not None:
        span = ""
        if part.penalty_min_cny != part.penalty_max_cny:
            span = f"{figures.money(part.penalty_min_cny)} {_W['to'].of(language)} "
        found.append((_W["penalty"].of(language), f"{span}{figures.money(part.penalty_max_cny)} {cny}"))
    return found


def _row(step: Step, number: int, language: str) -> Row:
    return Row(
        number=str(number),
        name=step.name.of(language),
        formula=step.formula.of(language),
        working=step.working.of(language),
        result=_number(step.result, step.unit, language),
        rounding=ROUNDINGS[step.rounding][language != "zh"] if step.rounding else "",
        law=tuple(one.label(language) for one in step.law),
    )


def _number(value: Decimal | None, unit: str, language: str) -> str:
    if value is None:
        return ""
    text = (
        figures.money(value)
        if unit in ("CNY", "kWh") and value == figures.cents(value)
        else figures.shown(value)
    )
    return f"{text} {names.unit_of(unit, language)}".strip()


def _days(period: Period, language: str) -> str:
    if language == "zh":
        return f"{period.start} 起，至 {period.end} 前，共 {period.days} 天"
    return f"{period.start} to {period.end} (not counted), {period.days} days"


def _clause(clause: str, language: str) -> str:
    return f"：{clause}" if clause and language == "zh" else ""
