"""Suspended or sealed equipment used (WY3): its capacity charge and up to twice that, or a flat sum each time.

Sealed because of WY2: the liability of WY2 comes on top. 1996 article 100, 2024 article 101.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from mingcha.recovery import asking, capacity, figures
from mingcha.recovery.asking import Dated, dated, flag, number, whole, word
from mingcha.recovery.figures import shown
from mingcha.recovery.model import Words, Worksheet
from mingcha.recovery.sheet import Sheet

KIND = "sealed"
TITLE = Words("擅自使用暂停或封存设备（WY3）", "Sealed equipment used (WY3)")
TOPIC = "sealed"
NOT_COVERED = (
    Words("因私增容量被封存的设备：另负 WY2 责任，另出一单（over-capacity）", "equipment sealed because of added capacity: WY2 comes on top, on a sheet of its own (over-capacity)"),
    Words("暂停期不足十五天、累计超期的基本电费：属账单重算", "capacity charges of suspensions below fifteen days or beyond the yearly limit: re-rate the bills"),
    Words("电量部分：电量已经计量", "the energy: it has been metered"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Given(asking.Window):
    """The days the equipment was used, its capacity, and how the customer is billed."""

    parts: str = word("电价制", "two-part tariff, or single", choices={"two": "两部制", "single": "单一制"})
    capacity_kva: tuple[Dated, ...] = dated("擅自使用的容量", "kVA (kW) of the equipment used", "kVA")
    capacity_price: tuple[Dated, ...] = dated(
        "容（需）量电价", "capacity price of two-part customers; several as 2024-07-01=33", "CNY/kVA·month"
    )
    unit: str | None = word(
        "计算单位",
        "count months or days; default: the book's",
        choices={"month": "月", "day": "天"},
        default=None,
    )
    times: int = whole(
        "次数", "how many times (customers not on two-part tariffs)", "occasions", default=1, least=Decimal(1)
    )
    sealed_for_excess: bool = flag(
        "因私增容量被封存", "the equipment was sealed because capacity had been added (WY2)"
    )
    multiple: Decimal | None = number(
        "本单位裁量倍数",
        "the organisation's own multiple of the penalty",
        "times",
        default=None,
        least=Decimal(0),
    )


def compute(given: Given, sheet: Sheet) -> Worksheet:
    """Return the worksheet: charges and penalty range, or a flat sum per time."""
    if not given.capacity_kva or any(one.value <= 0 for one in given.capacity_kva):
        raise asking.bad("--capacity-kva is not given, or not above 0", "give the kVA of the equipment used")
    window = sheet.look_back(given)
    if given.sealed_for_excess:
        sheet.warn(
            "设备因私增容量被封存：WY2 责任另计（over-capacity）",
            "sealed because capacity had been added: the liability of WY2 comes on top (over-capacity)",
        )
    if given.parts == "two":
        lines = capacity.charges(
            sheet,
            topic=TOPIC,
            unit=given.unit,
            window=window,
            capacity=given.capacity_kva,
            prices=capacity.need_price(given.capacity_price),
        )
        parts = capacity.parts(sheet, topic=TOPIC, window=window, lines=lines, own_multiple=given.multiple)
    else:
        most = capacity.largest(given.capacity_kva, window)

        def count(per: Decimal) -> tuple[Words, str, Decimal]:
            working = f"{shown(most)} × {shown(per)} × {given.times}"
            return (
                Words("千伏安数 × 每次每千伏安 × 次数", "kVA × CNY/(kVA·time) × times"),
                working,
                figures.cents(most * per * given.times),
            )

        parts = capacity.flat(sheet, topic=TOPIC, window=window, name="sealed.flat", count=count)
    return sheet.finish(
        act=given.act,
        window=window,
        parts=parts,
        not_covered=NOT_COVERED,
        charged=Words("应补交基本电费", "Capacity charge due"),
    )
