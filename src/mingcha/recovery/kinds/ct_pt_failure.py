"""Failed CT or PT: by the rate of difference theory gives, else by a normal month.

A head of its own since 2024-06-01; before that it was other inaccuracy that is nobody's doing.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from mingcha.recovery import asking, fallback, settle
from mingcha.recovery.asking import bad, number
from mingcha.recovery.figures import shown
from mingcha.recovery.kinds import wiring
from mingcha.recovery.model import Step, Words, Worksheet, same
from mingcha.recovery.sheet import Sheet

KIND = "ct-pt-failure"
TITLE = Words("互感器故障退补", "Failed CT or PT")
TOPIC = "ct_pt_failure"
NOT_COVERED = (
    Words("互感器仍在工作但超差（用 meter-error）、变比不符（用 multiplier）", "a transformer that works but is beyond its limit (use meter-error) or of another ratio (use multiplier)"),
    Words("差错率的理论推导本身：本单采用给定的 K 或缺失份额", "the theory behind the rate: the sheet takes K or the missing share as given"),
    Words("功率因数、分时、阶梯随电量变化的部分", "what follows from the energy in power factor, time of use and tiers"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Given(asking.Normal):
    """The days of the failure, recorded energy, and K, the missing share or a normal month."""

    k: Decimal | None = number(
        "更正系数 K", "factor by theory, true ÷ recorded energy", "", default=None, positive=True
    )
    missing_pct: Decimal | None = number(
        "缺失份额 s",
        "share of the true energy not recorded",
        "%",
        default=None,
        least=Decimal(0),
        most=Decimal("99.999999"),
    )


def compute(given: Given, sheet: Sheet) -> Worksheet:
    """Return the worksheet, both signs."""
    if given.k is not None and given.missing_pct is not None:
        raise bad("--k and --missing-pct say the same thing twice", "give one of them")
    window = sheet.look_back(given)
    rows = given.recorded
    energy = settle.recorded(sheet, rows, act=given.act, window=window)
    if given.k is not None:
        total = fallback.by_factor(sheet, wiring.measured(sheet, given.k), energy)
    elif given.missing_pct is not None:
        total = fallback.by_share(sheet, given.missing_pct, energy)
    else:
        sheet.add(
            Step(
                Words("计算方法", "Method"), Words("不能按理论计算，取正常月与故障月之差", "no rate by theory: a normal month less the month of failure"),
                same(shown(energy) + " kWh"),
            )
        )  # fmt: skip
        total = fallback.by_normal_month(sheet, given, window=window, recorded=energy)
        rows = (asking.Spell(given.act, Decimal(given.act.days)),)
    sheet.until_settled(TOPIC, given.found)
    parts = settle.settle(sheet, topic=TOPIC, total=total, window=window, rows=rows, prices=given.price)
    return sheet.finish(act=given.act, window=window, parts=parts, not_covered=NOT_COVERED)
