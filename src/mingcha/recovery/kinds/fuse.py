"""PT fuse blown: by K where it can be calculated, else by a normal month; the article speaks of recovering only.

1996 article 81(2) and its successor.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from mingcha.recovery import asking, fallback, kfactor, settle
from mingcha.recovery.asking import bad, number, word
from mingcha.recovery.kinds import wiring
from mingcha.recovery.model import Words, Worksheet
from mingcha.recovery.sheet import Sheet

KIND = "fuse"
TITLE = Words("电压互感器熔断器熔断补收", "Blown PT fuse")
TOPIC = "fuse"
NOT_COVERED = (
    Words("熔断后残余电压：K 表假定该相电压为零（V 相为两元件分担）；残压明显时用 lost-voltage 曲线法", "residual voltage after the fuse has blown: the table assumes none (phase V: shared); use lost-voltage with curves where there is some"),
    Words("退费：条文只规定补收", "refunds: the article speaks of recovering only"),
    Words("无功电量与功率因数调整电费的更正", "correction of reactive energy and of the power-factor adjustment"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Given(asking.Normal):
    """The days by reading records or loss-of-voltage recorder, recorded energy, and which fuse had blown."""

    fuse: str | None = word(
        "熔断相别",
        "which fuse; without it a normal month decides",
        choices={code: kfactor.BY_CODE[code].name.zh for code in kfactor.FUSES},
        default=None,
    )
    power_factor: Decimal | None = number(
        "平均功率因数", "mean cos φ of the load, inductive", "", default=None, positive=True, most=Decimal(1)
    )


def compute(given: Given, sheet: Sheet) -> Worksheet:
    """Return the worksheet, by K or by a normal month; never a refund."""
    window = sheet.look_back(given)
    rows = given.recorded
    energy = settle.recorded(sheet, rows, act=given.act, window=window)
    k = _factor(given, sheet)
    if k is None:
        total = fallback.by_normal_month(sheet, given, window=window, recorded=energy)
        rows = (asking.Spell(given.act, Decimal(given.act.days)),)
    else:
        total = fallback.by_factor(sheet, k, energy)
    total = fallback.recovery_only(sheet, total)
    sheet.until_settled(TOPIC, given.found)
    parts = settle.settle(sheet, topic=TOPIC, total=total, window=window, rows=rows, prices=given.price)
    return sheet.finish(act=given.act, window=window, parts=parts, not_covered=NOT_COVERED)


def _factor(given: Given, sheet: Sheet) -> Decimal | None:
    if given.fuse is None:
        return None
    fault = kfactor.BY_CODE[given.fuse]
    if fault.needs_factor and given.power_factor is None:
        raise bad(
            f"--power-factor is not given; K of {fault.code} is {fault.formula}",
            "give the mean cos φ of the load",
        )
    return wiring.table_step(sheet, fault, power_factor=given.power_factor)
