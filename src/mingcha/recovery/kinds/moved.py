"""Metering or supply equipment moved, altered or operated (WY4): a flat sum each time. Articles 100 and 101."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from mingcha.kernel.periods import Period
from mingcha.recovery import asking, capacity, figures
from mingcha.recovery.asking import day, whole, word
from mingcha.recovery.figures import shown
from mingcha.recovery.model import Words, Worksheet
from mingcha.recovery.sheet import Sheet

KIND = "moved"
TITLE = Words("私自迁移、更动、操作计量或供电设施（WY4）", "Equipment moved or operated (WY4)")
TOPIC = "moved"
NOT_COVERED = (
    Words("以此窃电的：按窃电处理（theft），不按本条", "where it served theft: theft applies (theft), not this article"),
    Words("设备损坏的赔偿与恢复费用", "damages and the cost of putting the equipment back"),
    Words("因更动造成的少计电量", "energy not recorded because of it"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Given(asking.Labels):
    """The day, who the customer is, and how many times."""

    on: date = day("发生日", "day of the act")
    customer_kind: str = word(
        "用户类别", "kind of customer", choices={"residential": "居民", "other": "其他"}
    )
    times: int = whole("次数", "how many times", "occasions", default=1, least=Decimal(1))


def compute(given: Given, sheet: Sheet) -> Worksheet:
    """Return the worksheet: a flat sum, fixed under either version of the law."""
    act = Period(given.on, given.on + timedelta(days=1))

    def count(per: Decimal) -> tuple[Words, str, Decimal]:
        return (
            Words("每次 × 次数", "CNY/time × times"),
            f"{shown(per)} × {given.times}",
            figures.cents(per * given.times),
        )

    parts = capacity.flat(sheet, topic=TOPIC, window=act, name=f"moved.{given.customer_kind}", count=count)
    return sheet.finish(act=act, window=act, parts=parts, not_covered=NOT_COVERED)
