"""Wrong category or cheaper line used (WY1): energy × (right price − price paid), penalty up to twice.

Start unknown: three months before the end. 1996 article 100(1), 2024 article 101(1).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from decimal import Decimal

from mingcha.kernel.periods import Period
from mingcha.recovery import asking, figures, settle
from mingcha.recovery.asking import Dated, dated, flag, number, word
from mingcha.recovery.figures import shown
from mingcha.recovery.model import Part, Step, Words, Worksheet
from mingcha.recovery.sheet import Sheet

KIND = "category"
TITLE = Words("擅自改变用电类别、高价低接（WY1）", "Wrong category (WY1)")
TOPIC = "category"
NOT_COVERED = (
    Words("供电企业自身归类错误：加 --utility-fault，只退补差价，不计违约使用电费", "a category the utility itself got wrong: --utility-fault, price difference only and no penalty"),
    Words("功率因数调整、基本电费随类别变化的部分：按应执行类别重算账单", "power-factor adjustment and basic charges that change with the category: re-rate the bills"),
    Words("混合用电的比例核定", "how much of a mixed use belongs to which category"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Given(asking.Window):
    """The days of the wrong category, energy, and both prices with funds."""

    recorded_kwh: Decimal | None = number(
        "该类别用电量", "energy used in the wrong category, spread evenly over the days", "kWh", default=None
    )
    energy: tuple[asking.Spell, ...] = asking.spells("分段用电量", "energy by reading period")
    right_price: tuple[Dated, ...] = dated(
        "应执行电价", "right price with funds; several as 2024-07-01=0.68", "CNY/kWh"
    )
    paid_price: tuple[Dated, ...] = dated(
        "已执行电价", "price paid, with funds; several as 2024-07-01=0.55", "CNY/kWh"
    )
    right_tariff: str | None = word(
        "应执行电价代码",
        "tariff of the book to take the right price from",
        default=None,
        prices="right_price",
    )
    paid_tariff: str | None = word(
        "已执行电价代码", "tariff of the book to take the price paid from", default=None, prices="paid_price"
    )
    tariff_period: str = word(
        "时段", "period of a time-of-use tariff; flat where it is not known", default="flat", label=True
    )
    start_unknown: bool = flag("起始日无法确定", "the first day is unknown: months of the book before --to")
    utility_fault: bool = flag("供电企业责任", "the utility's own mistake: no penalty")
    multiple: Decimal | None = number(
        "本单位裁量倍数",
        "the organisation's own multiple of the penalty",
        "times",
        default=None,
        least=Decimal(0),
    )


def compute(given: Given, sheet: Sheet) -> Worksheet:
    """Return the worksheet; a right price below the paid one is a refund without penalty."""
    if not given.right_price or not given.paid_price:
        raise asking.bad(
            "--right-price or --paid-price is not given",
            "give both prices, with funds, or --right-tariff and --paid-tariff",
        )
    given = _started(given, sheet)
    window = sheet.look_back(given)
    rows = asking.recorded(given.recorded_kwh, given.energy, given.act)
    total = settle.recorded(sheet, rows, act=given.act, window=window)
    penalty = None if given.utility_fault else settle.Penalty("category", given.multiple)

    def money(line: Period, kwh: Decimal) -> tuple[Decimal | None, str, str]:
        right, paid = (settle.price_on(one, line.start) for one in (given.right_price, given.paid_price))
        if right is None or paid is None:
            raise settle.no_price(line.start)
        working = f"{shown(kwh)} × ({shown(right)} − {shown(paid)})"
        return figures.cents(kwh * (right - paid)), "W × (p_right − p_paid)", working

    both = tuple(one for one in (*given.right_price, *given.paid_price))
    parts = settle.settle(
        sheet, topic=TOPIC, total=total, window=window, rows=rows, prices=both, penalty=penalty, money=money
    )
    if any(part.cny is not None and part.cny < 0 for part in parts):
        sheet.warn(
            "应执行电价低于已执行电价：为退费，不属违约用电",
            "the right price is below the price paid: a refund, not a breach of contract",
        )
    return sheet.finish(act=given.act, window=window, parts=_no_energy(parts), not_covered=NOT_COVERED)


def _no_energy(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Return the parts without energy of their own: it has been billed already, only its price differs."""
    return tuple(dataclasses.replace(part, kwh=None) for part in parts)


def _started(given: Given, sheet: Sheet) -> Given:
    if not given.start_unknown:
        return given
    if given.start is not None:
        raise asking.bad(
            "--start-unknown stands beside --from", "give the first day, or say that it is unknown"
        )
    months = sheet.fact("category.months_unknown", given.end)
    start = figures.add_months(given.end, -int(months.decimal))
    sheet.add(
        Step(
            name=Words("起始日", "First day"),
            formula=Words(
                "起讫日期难以确定：止日前推规定月数", "unknown: the end less the months of the article"
            ),
            working=Words(
                f"{given.end} 前推 {shown(months.decimal)} 个月 = {start}",
                f"{given.end} − {shown(months.decimal)} months = {start}",
            ),
            law=(months,),
        )
    )
    return dataclasses.replace(given, start=start)
