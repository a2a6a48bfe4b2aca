"""Theft of electricity: proved energy, else capacity × hours × days; penalty up to thrice.

Capacity is that of the equipment where it was tapped or by-passed, else what the meter's current points to:
0.22·I single phase, √3·0.38·I three phase, √3·U·I at high voltage, each × CT ratio. Unknown time: 180 days of
12 hours (power) or 6 (lighting). 1996 articles 101 to 103 and their successors. A direct meter of 20 A, three
phase, power use, unknown time gives 13.16 kW and 28,433 kWh.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from mingcha.kernel.periods import Period
from mingcha.recovery import asking, figures, kfactor, settle
from mingcha.recovery.asking import bad, day, flag, number, word
from mingcha.recovery.figures import shown
from mingcha.recovery.model import Citation, Step, Words, Worksheet, same
from mingcha.recovery.sheet import Sheet

KIND = "theft"
TITLE = Words("窃电追补", "Theft of electricity")
TOPIC = "theft"
NOT_COVERED = (
    Words("行政罚款（电力管理部门另行决定）与刑事责任：数额较大的移送", "administrative fines, which the authority sets, and criminal liability: refer where large"),
    Words("是否构成窃电的认定与证据：本单只计算", "whether it was theft, and its evidence: the sheet only computes"),
    Words("分时电价：时段不明的按平段价，由使用者给定电价", "time of use: unknown hours go by the flat price, which the user gives"),
    Words("损坏设备的赔偿与停复电费用", "damaged equipment and the cost of cutting off and restoring"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Given(asking.Priced):
    """The days as far as known, and proved energy, equipment capacity or meter current."""

    use: str = word(
        "用电性质",
        "use; decides the hours of a day",
        choices={"power": "电力", "lighting": "照明"},
        default="power",
    )
    proved_kwh: Decimal | None = number(
        "查实电量", "energy proved by balance or curve", "kWh", default=None, positive=True
    )
    load_kw: Decimal | None = number(
        "设备容量",
        "rated capacity of the equipment tapped or by-passed (1 kVA = 1 kW)",
        "kW",
        default=None,
        positive=True,
    )
    current_a: Decimal | None = number(
        "电能表电流",
        "current of the meter; the basic current Ib unless told otherwise",
        "A",
        default=None,
        positive=True,
    )
    current_basis: str | None = word(
        "电流取值",
        "which current was given; default: the book's",
        choices={"Ib": "标定电流 Ib", "Imax": "最大电流 Imax"},
        default=None,
    )
    phases: str = word(
        "相别",
        "kind of supply; hv is high voltage with CT and PT",
        choices={"single": "单相", "three": "三相", "hv": "高压"},
        default="three",
    )
    voltage_kv: Decimal | None = number(
        "线电压", "line voltage at high voltage", "kV", default=None, positive=True
    )
    ct_ratio: Decimal = number(
        "CT 变比", "ratio of the CTs, 1 for a direct meter", "", default=Decimal(1), positive=True
    )
    limit_kw: Decimal | None = number(
        "容量上限",
        "most the supply can carry (limiter, breaker, transformer)",
        "kW",
        default=None,
        positive=True,
    )
    hours: Decimal | None = number("查实小时数", "hours proved in all", "h", default=None, positive=True)
    hours_per_day: Decimal | None = number(
        "每日小时数", "hours of a day, where known", "h/d", default=None, positive=True, most=Decimal(24)
    )
    supplied_since: date | None = day(
        "供电起始日", "first day of supply; unknown time does not reach before it", default=None
    )
    clean_on: date | None = day(
        "上次检查无异常日", "last check without finding; unknown time does not reach before it", default=None
    )
    metered_kwh: Decimal | None = number(
        "同期已交费电量", "energy metered and paid in the same days", "kWh", default=None, least=Decimal(0)
    )
    keep_metered: bool = flag("不扣减已交费电量", "do not deduct the metered energy")
    multiple: Decimal | None = number(
        "本单位裁量倍数",
        "the organisation's own multiple of the penalty",
        "times",
        default=None,
        least=Decimal(0),
    )


def compute(given: Given, sheet: Sheet) -> Worksheet:
    """Return the worksheet; without --from the time counts as unknown."""
    given = _started(given, sheet)
    window = sheet.look_back(given)
    if given.proved_kwh is not None:
        energy = _proved(given, sheet, window)
    else:
        energy = _by_capacity(given, sheet, window)
    energy = _deducted(given, sheet, window, energy)
    rows = (asking.Spell(given.act, Decimal(given.act.days)),)
    parts = settle.settle(
        sheet,
        topic=TOPIC,
        total=energy,
        window=window,
        rows=rows,
        prices=given.price,
        penalty=settle.Penalty("theft", given.multiple),
    )
    return sheet.finish(act=given.act, window=window, parts=parts, not_covered=NOT_COVERED)


def _started(given: Given, sheet: Sheet) -> Given:
    if given.start is not None:
        return given
    last = given.end - timedelta(days=1)
    days = sheet.fact("theft.days", last)
    start = given.end - timedelta(days=int(days.decimal))
    working = f"{given.end} − {shown(days.decimal)} d = {start}"
    floors = [one for one in (given.supplied_since, given.clean_on) if one is not None and one > start]
    if floors:
        start = max(floors)
        working += f" → {start}"
    if start >= given.end:
        raise bad(f"nothing is left between {start} and {given.end}", "check --supplied-since and --clean-on")
    sheet.add(
        Step(
            name=Words("窃电时间（无法查明）", "Time of theft (unknown)"),
            formula=Words(
                "查获日前推规定天数，不早于供电起始日与上次检查无异常日",
                "the end less the days of the article, not before supply began or the last check without finding",
            ),
            working=same(working),
            result=Decimal((given.end - start).days),
            unit="d",
            law=(days, sheet.article("theft_quantity", last)),
        )
    )
    if sheet.law.fact("theft.days_basis", last).value == "at_least" and not floors:
        sheet.warn(
            "天数为“至少”：查明更长时间的，以查明为准",
            'the days are "at least": where a longer time is proved, that counts',
        )
    return dataclasses.replace(given, start=start)


def _proved(given: Given, sheet: Sheet, window: Period) -> Decimal:
    assert given.proved_kwh is not None
    if given.load_kw is not None or given.current_a is not None:
        raise bad(
            "--proved-kwh stands beside --load-kw or --current-a", "proved energy comes first: give it alone"
        )
    energy = figures.cents(given.proved_kwh * window.days / given.act.days)
    sheet.add(
        Step(
            name=Words("查实电量 E", "Energy proved E"),
            formula=Words("查实电量 × 计入天数 ÷ 全部天数", "energy proved × days counted ÷ days of the act"),
            working=same(f"{shown(given.proved_kwh)} × {window.days} ÷ {given.act.days}"),
            result=energy,
            unit="kWh",
            rounding="kwh",
            law=(sheet.article("theft_quantity", figures.last_day(window)),),
        )
    )
    return energy


def _by_capacity(given: Given, sheet: Sheet, window: Period) -> Decimal:
    last = figures.last_day(window)
    article = sheet.article("theft_quantity", last)
    power = _limited(given, sheet, _power(given, sheet, last))
    law: tuple[Citation, ...] = (article,)
    if given.hours is not None:
        hours = figures.eight(given.hours * window.days / given.act.days)
        if given.hours > 24 * given.act.days:
            raise bad(
                f"--hours {shown(given.hours)} are more than {given.act.days} days have",
                "correct the hours or the days",
            )
        working, formula = f"{shown(power)} × {shown(hours)}", "E = P × h"
    else:
        if given.hours_per_day is None:
            fact = sheet.fact(f"theft.hours.{given.use}", last)
            law, hour = (article, fact), fact.decimal
        else:
            hour = given.hours_per_day
        hours = hour * window.days
        working, formula = f"{shown(power)} × {window.days} × {shown(hour)}", "E = P × days × h"
    energy = figures.cents(power * hours)
    sheet.add(Step(Words("窃电量 E", "Energy E"), same(formula), same(working), energy, "kWh", "kwh", law))
    return energy


def _power(given: Given, sheet: Sheet, on: date) -> Decimal:
    if (given.load_kw is None) == (given.current_a is None):
        raise bad(
            "none or several of --proved-kwh, --load-kw and --current-a are given",
            "give the energy proved, or the equipment's capacity (tapped, by-passed), or the meter's current",
        )
    if given.load_kw is not None:
        sheet.add(
            Step(
                Words("计算容量 P", "Capacity P"), Words("私接或绕越设备的额定容量（1 kVA = 1 kW）", "rated capacity of the equipment (1 kVA = 1 kW)"),
                same(f"{shown(given.load_kw)} kW"), given.load_kw, "kW",
            )
        )  # fmt: skip
        return given.load_kw
    assert given.current_a is not None
    basis = sheet.fact("theft.current_basis", on)
    if given.current_basis not in (None, basis.value):
        sheet.warn(
            f"按 {given.current_basis} 计算，而条文口径为 {basis.value}",
            f"computed with {given.current_basis}, while the text speaks of {basis.value}",
        )
    formula, numbers, factor, law = _form(given, sheet, on)
    power = figures.eight(factor * given.current_a * given.ct_ratio)
    sheet.add(
        Step(
            name=Words("计算容量 P（计费表电流所指容量）", "Capacity P the meter's current points to"),
            formula=same(formula),
            working=same(f"{numbers} × {shown(given.current_a)} × {shown(given.ct_ratio)}"),
            result=power,
            unit="kW",
            rounding="eight",
            law=(*law, basis),
        )
    )
    return power


def _form(given: Given, sheet: Sheet, on: date) -> tuple[str, str, Decimal, tuple[Citation, ...]]:
    """Return the formula of the capacity, its numbers, the factor on I × CT, the facts."""
    if given.phases == "hv":
        if given.voltage_kv is None:
            raise bad("--voltage-kv is not given", "give the line voltage for --phases hv, for example 10")
        return "P = √3 × U × I × CT", f"√3 × {shown(given.voltage_kv)}", kfactor.ROOT3 * given.voltage_kv, ()
    fact = sheet.fact(f"theft.phase_kv.{given.phases}", on)
    if given.phases == "single":
        return "P = U × I × CT", shown(fact.decimal), fact.decimal, (fact,)
    return "P = √3 × U × I × CT", f"√3 × {shown(fact.decimal)}", kfactor.ROOT3 * fact.decimal, (fact,)


def _limited(given: Given, sheet: Sheet, power: Decimal) -> Decimal:
    if given.limit_kw is None or power <= given.limit_kw:
        return power
    sheet.add(
        Step(
            Words("容量封顶", "Capped"), Words("P 不超过供电所能承载的容量", "P is not above what the supply can carry"),
            same(f"min({shown(power)}, {shown(given.limit_kw)})"), given.limit_kw, "kW",
        )
    )  # fmt: skip
    return given.limit_kw


def _deducted(given: Given, sheet: Sheet, window: Period, energy: Decimal) -> Decimal:
    if given.metered_kwh is None:
        return energy
    switch = sheet.law.fact("theft.deduct_metered", figures.last_day(window))
    if given.keep_metered or switch.value != "true":
        sheet.warn("同期已交费电量未扣减", "energy metered and paid in the same days was not deducted")
        return energy
    sheet.cite(switch)
    metered = figures.cents(given.metered_kwh * window.days / given.act.days)
    left = max(energy - metered, Decimal("0.00"))
    sheet.add(
        Step(
            name=Words("扣减同期已交费电量", "Less energy paid already"),
            formula=Words("max(E − 已交费电量, 0)", "max(E − energy paid, 0)"),
            working=same(f"{shown(energy)} − {shown(metered)}"),
            result=left,
            unit="kWh",
            rounding="kwh",
            law=(switch,),
        )
    )
    return left
