"""Other inaccuracy that is nobody's doing: judged by a normal month. 1996 article 80(3) and its successor."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from mingcha.recovery import asking, fallback, settle
from mingcha.recovery.model import Words, Worksheet
from mingcha.recovery.sheet import Sheet

KIND = "normal-month"
TITLE = Words("按正常月电量退补", "By the energy of a normal month")
TOPIC = "normal_month"
NOT_COVERED = (
    Words("负荷的季节变化与生产变化：应选取同季、同产的正常月", "seasons and changes of production: choose normal months alike in both"),
    Words("功率因数、分时、阶梯随电量变化的部分", "what follows from the energy in power factor, time of use and tiers"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Given(asking.Normal):
    """The days by meter-reading records, what was recorded, and a normal month."""


def compute(given: Given, sheet: Sheet) -> Worksheet:
    """Return the worksheet: normal energy of the days less what was recorded, both signs."""
    window = sheet.look_back(given)
    rows = given.recorded
    energy = settle.recorded(sheet, rows, act=given.act, window=window)
    total = fallback.by_normal_month(sheet, given, window=window, recorded=energy)
    sheet.until_settled(TOPIC, given.found)
    by_days = (asking.Spell(given.act, Decimal(given.act.days)),)
    parts = settle.settle(sheet, topic=TOPIC, total=total, window=window, rows=by_days, prices=given.price)
    return sheet.finish(act=given.act, window=window, parts=parts, not_covered=NOT_COVERED)
