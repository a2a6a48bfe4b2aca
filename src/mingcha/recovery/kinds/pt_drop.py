"""Voltage drop of PT leads beyond its limit: corrected from the allowed drop, over the whole window.

ΔW = W × (|δ| − |δ₀|)/(1 − |δ|). 1996 article 80(2) and its successor; the form is derived.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from mingcha.recovery import asking, fallback, figures, settle
from mingcha.recovery.asking import number
from mingcha.recovery.figures import shown
from mingcha.recovery.model import Citation, Step, Words, Worksheet, same
from mingcha.recovery.sheet import Sheet

KIND = "pt-drop"
TITLE = Words("电压互感器二次压降超限退补", "Voltage drop of PT leads")
TOPIC = "pt_drop"
NOT_COVERED = (
    Words("压降的角差部分：δ 按比差取值", "the angle part of the drop: δ is the ratio part"),
    Words("电能表、互感器本身的误差（另用 meter-error）", "errors of meter and transformers themselves (use meter-error)"),
    Words("功率因数、分时、阶梯随电量变化的部分", "what follows from the energy in power factor, time of use and tiers"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Given(asking.Recorded):
    """From commissioning of the lead, or growth of the load, to correction."""

    drop_pct: Decimal = number(
        "实测压降 δ", "measured drop, as a positive number", "%", least=Decimal(0), most=Decimal(50)
    )
    allowed_pct: Decimal | None = number(
        "允许压降 δ₀", "allowed drop; default: the book's", "%", default=None, least=Decimal(0)
    )


def compute(given: Given, sheet: Sheet) -> Worksheet:
    """Return the worksheet; nothing is owed while the drop is inside its limit."""
    window = sheet.look_back(given)
    law: tuple[Citation, ...] = (
        () if given.allowed_pct is not None else (sheet.fact("pt_drop.allowed_pct", given.found),)
    )
    allowed = given.allowed_pct if given.allowed_pct is not None else law[0].decimal
    over = given.drop_pct > allowed
    sheet.add(
        Step(
            name=Words("压降限值", "Limit of the drop"),
            formula=same("δ > δ₀ ?"),
            working=same(f"{shown(given.drop_pct)} % {'>' if over else '≤'} {shown(allowed)} %"),
            law=law,
        )
    )
    energy = settle.recorded(sheet, given.recorded, act=given.act, window=window)
    total = Decimal("0.00")
    if over:
        drop, limit = given.drop_pct / 100, allowed / 100
        sheet.fact("window_share.pt_drop", given.found)
        total = figures.cents(energy * (drop - limit) / (1 - drop))
        working = f"{shown(energy)} × ({shown(drop)} − {shown(limit)}) ÷ (1 − {shown(drop)})"
        fallback.difference(sheet, "ΔW = W × (δ − δ₀) ÷ (1 − δ)", working, total)
    else:
        sheet.warn("压降未超限，不退不补", "the drop is inside its limit: nothing is charged")
    sheet.until_settled(TOPIC, given.found)
    parts = settle.settle(
        sheet, topic=TOPIC, total=total, window=window, rows=given.recorded, prices=given.price
    )
    return sheet.finish(act=given.act, window=window, parts=parts, not_covered=NOT_COVERED)
