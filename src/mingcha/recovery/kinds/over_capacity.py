"""Over contract capacity by equipment added or changed (WY2): capacity charge of the excess, penalty up to thrice.

Customers not on two-part tariffs: a flat sum per kVA. A customer billed by demand whose transformers were not
changed is no case of this; the 105 % rule bills him. 1996 article 100, 2024 article 101.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from mingcha.kernel.periods import Period
from mingcha.recovery import asking, capacity, figures
from mingcha.recovery.asking import Dated, dated, flag, number, word
from mingcha.recovery.figures import shown
from mingcha.recovery.model import Part, Step, Words, Worksheet
from mingcha.recovery.sheet import Sheet

KIND = "over-capacity"
TITLE = Words("私自超过合同容量用电（WY2）", "Use beyond contract capacity (WY2)")
TOPIC = "over_capacity"
NOT_COVERED = (
    Words("私增设备的拆除或补办增容手续，以及相应电量电价（电量已经计量）", "removing the equipment or applying for more capacity; the energy itself (it has been metered)"),
    Words("按需量计费且未更换变压器的超需量：按 105 % 规则计费，不属本条", "demand above contract with unchanged transformers: billed by the 105 % rule, not by this article"),
    Words("容量达到两部制门槛后电价类别的变更", "the change of tariff once a threshold of two-part prices is passed"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Given(asking.Window):
    """The days of excess, how much (largest kVA less contract kVA), and how the customer is billed."""

    parts: str = word("电价制", "two-part tariff, or single", choices={"two": "两部制", "single": "单一制"})
    excess_kva: tuple[Dated, ...] = dated(
        "超出合同的容量", "kVA (kW) beyond contract; several as 2024-04-01=80", "kVA"
    )
    capacity_price: tuple[Dated, ...] = dated(
        "容（需）量电价", "capacity price of two-part customers; several as 2024-07-01=33", "CNY/kVA·month"
    )
    unit: str | None = word(
        "计算单位",
        "count months or days; default: the book's",
        choices={"month": "月", "day": "天"},
        default=None,
    )
    demand_billed: bool = flag("按需量计费", "the customer is billed by demand")
    transformers_changed: bool = flag("更换或增加了变压器", "transformers were changed or added")
    multiple: Decimal | None = number(
        "本单位裁量倍数",
        "the organisation's own multiple of the penalty",
        "times",
        default=None,
        least=Decimal(0),
    )


def compute(given: Given, sheet: Sheet) -> Worksheet:
    """Return the worksheet: charges and penalty range, a flat sum, or nothing with the reason."""
    if not given.excess_kva:
        raise asking.bad("--excess-kva is not given", "give the kVA beyond contract")
    if any(one.value <= 0 for one in given.excess_kva):
        raise asking.bad(
            "--excess-kva is not above 0", "give the kVA beyond contract; without excess there is no case"
        )
    window = sheet.look_back(given)
    if given.demand_billed and not given.transformers_changed:
        parts = _demand_only(given, sheet, window)
    elif given.parts == "two":
        lines = capacity.charges(
            sheet,
            topic=TOPIC,
            unit=given.unit,
            window=window,
            capacity=given.excess_kva,
            prices=capacity.need_price(given.capacity_price),
        )
        parts = capacity.parts(sheet, topic=TOPIC, window=window, lines=lines, own_multiple=given.multiple)
    else:
        most = capacity.largest(given.excess_kva, window)

        def count(per: Decimal) -> tuple[Words, str, Decimal]:
            return (
                Words("千伏安数 × 每千伏安", "kVA × CNY/kVA"),
                f"{shown(most)} × {shown(per)}",
                figures.cents(most * per),
            )

        parts = capacity.flat(sheet, topic=TOPIC, window=window, name="over_capacity.flat", count=count)
    return sheet.finish(
        act=given.act,
        window=window,
        parts=parts,
        not_covered=NOT_COVERED,
        charged=Words("应补交基本电费", "Capacity charge due"),
    )


def _demand_only(given: Given, sheet: Sheet, window: Period) -> tuple[Part, ...]:
    share = sheet.fact("demand.over_share", given.found)
    words = Words(
        "按需量计费且未更换变压器：超需量按合同需量的 105 % 规则计费，不构成私增容量",
        "billed by demand and transformers unchanged: the excess is billed by the 105 % rule; no capacity was added",
    )
    sheet.add(Step(Words("是否属于本条", "Whether the article applies"), words, words, law=(share,)))
    sheet.warn(words.zh, words.en)
    last = figures.last_day(window)
    article = sheet.article(TOPIC, last)
    return (Part(period=window, article=article, steps=(), cny=Decimal("0.00")),)
