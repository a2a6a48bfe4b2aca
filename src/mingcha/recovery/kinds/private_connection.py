"""Own or foreign source connected without leave (WY5): a flat sum per kW of that source. Articles 100 and 101."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from mingcha.kernel.periods import Period
from mingcha.recovery import asking, capacity, figures
from mingcha.recovery.asking import day, number, word
from mingcha.recovery.figures import shown
from mingcha.recovery.model import Words, Worksheet
from mingcha.recovery.sheet import Sheet

KIND = "private-connection"
TITLE = Words("擅自引入、供出电源或自备电源并网（WY5）", "Source connected without leave (WY5)")
TOPIC = "private_connection"
NOT_COVERED = (
    Words("当场拆除接线；转供电量的电价差额", "taking the connection down at once; price differences of energy passed on"),
    Words("在供电设施上私自接线用电：属窃电（theft）", "drawing from the utility's lines: that is theft (theft)"),
    Words("造成倒送电等事故的赔偿", "damages of accidents such as feeding back"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Given(asking.Labels):
    """The day it was found, what was connected and its capacity."""

    on: date = day("查获日", "day it was found")
    source_kw: Decimal = number("电源容量", "capacity of the source", "kW", positive=True)
    manner: str = word(
        "方式",
        "drawn in, supplied out, or own source connected",
        choices={"drawn-in": "引入", "supplied-out": "供出", "own-source": "自备电源并网"},
        default="own-source",
    )


def compute(given: Given, sheet: Sheet) -> Worksheet:
    """Return the worksheet: a flat sum, fixed under either version of the law."""
    act = Period(given.on, given.on + timedelta(days=1))

    def count(per: Decimal) -> tuple[Words, str, Decimal]:
        return (
            Words("千瓦数 × 每千瓦", "kW × CNY/kW"),
            f"{shown(given.source_kw)} × {shown(per)}",
            figures.cents(given.source_kw * per),
        )

    parts = capacity.flat(sheet, topic=TOPIC, window=act, name="private_connection.flat", count=count)
    return sheet.finish(act=act, window=act, parts=parts, not_covered=NOT_COVERED)
