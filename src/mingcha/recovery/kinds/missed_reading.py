"""A reading that was missed, estimated or altered: register energy less what was billed. 1996 article 83."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from mingcha.recovery import asking, fallback, figures, settle
from mingcha.recovery.asking import number, whole
from mingcha.recovery.figures import shown
from mingcha.recovery.kinds import multiplier
from mingcha.recovery.model import Step, Words, Worksheet, same
from mingcha.recovery.sheet import Sheet

KIND = "missed-reading"
TITLE = Words("漏抄、估抄、错抄退补", "Missed, estimated or wrong reading")
TOPIC = "missed_reading"
NOT_COVERED = (
    Words("阶梯电价的分月归属：漏抄电量按天均摊，居民阶梯须按应抄月份重算账单", "which month's tiers the energy falls into: it is spread by days; re-rate residential bills by the months missed"),
    Words("分时各时段：每一时段示数各算一单", "periods of the day: one sheet for each register"),
    Words("抄表人员责任与违约金减免", "who is answerable for the reading, and waiving of late fees"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Given(asking.Priced):
    """From the last true reading to the next: both indexes, the multiplier, what was billed in between."""

    units: Decimal | None = number("示数差", "units the register moved", "", default=None, least=Decimal(0))
    start_index: Decimal | None = number(
        "上次真实示数", "index of the last true reading", "", default=None, least=Decimal(0)
    )
    end_index: Decimal | None = number(
        "本次真实示数", "index of the next true reading", "", default=None, least=Decimal(0)
    )
    digits: int = whole(
        "整数位数",
        "whole digits of the register, for a roll-over",
        "",
        default=6,
        least=Decimal(1),
        most=Decimal(12),
    )
    multiplier: Decimal = number("综合倍率", "multiplier", "", default=Decimal(1), positive=True)
    billed_kwh: Decimal = number("已计费电量", "energy billed in between", "kWh", default=Decimal(0))


def compute(given: Given, sheet: Sheet) -> Worksheet:
    """Return the worksheet, both signs."""
    window = sheet.look_back(given)
    units = multiplier.register_units(
        sheet, units=given.units, start=given.start_index, end=given.end_index, digits=given.digits
    )
    owed = figures.cents(units * given.multiplier - given.billed_kwh)
    working = f"{shown(units)} × {shown(given.multiplier)} − {shown(given.billed_kwh)}"
    fallback.difference(sheet, "ΔW = units × k − W_billed", working, owed)
    total = owed
    if window != given.act:
        total = figures.cents(owed * window.days / given.act.days)
        sheet.add(
            Step(
                Words("追溯期限内电量", "Energy inside the look-back limit"), Words("按天分摊", "by days"),
                same(f"{shown(owed)} × {window.days} ÷ {given.act.days}"), total, "kWh", "kwh",
            )
        )  # fmt: skip
    rows = (asking.Spell(given.act, Decimal(given.act.days)),)
    parts = settle.settle(sheet, topic=TOPIC, total=total, window=window, rows=rows, prices=given.price)
    return sheet.finish(act=given.act, window=window, parts=parts, not_covered=NOT_COVERED)
