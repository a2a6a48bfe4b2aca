"""Lost current: the integral over the curve with the healthy phases as reference, else a share, else a normal month.

ΔW = Σ (I_ref − I) · U · cosφ · Δt; I_ref follows from the healthy phases and the shares the phases had before
(a third each without them). 1996 article 81(1) and its successor.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from mingcha.recovery import asking, curves, fallback, settle
from mingcha.recovery.asking import bad, word
from mingcha.recovery.figures import shown
from mingcha.recovery.model import Step, Words, Worksheet, same
from mingcha.recovery.sheet import Sheet

KIND = "lost-current"
TITLE = Words("失流退补", "Lost current")
TOPIC = "lost_current"
NOT_COVERED = (
    Words("三相均失流：没有参考相，改用正常月或线损", "all currents lost: there is no reference, use a normal month or losses"),
    Words("分流（电流偏小但不为零）：须用 --phases 指明故障相并给出故障前份额", "shunted current (low, not zero): name the phase with --phases and give the shares before"),
    Words("无功电量与功率因数调整电费的更正", "correction of reactive energy and of the power-factor adjustment"),
)  # fmt: skip
_SHARES = re.compile(r"^\d+(\.\d+)?(,\d+(\.\d+)?){2}$")


@dataclass(frozen=True, kw_only=True)
class Given(curves.Curved):
    """The days of the loss, and a curve, a missing share or a normal month."""

    shares: str | None = word(
        "故障前三相电流份额",
        "shares of the currents before the fault, for example 0.30,0.35,0.35",
        default=None,
    )


def compute(given: Given, sheet: Sheet) -> Worksheet:
    """Return the worksheet by the best of the three ways that was given."""
    window = sheet.look_back(given)
    if given.curve:
        criteria = _criteria(given, sheet)
        total, rows = curves.integral(sheet, given, window=window, criteria=criteria, voltage=False)
    else:
        total, rows = fallback.without_curve(sheet, given, window=window, missing_pct=given.missing_pct)
    sheet.until_settled(TOPIC, given.found)
    parts = settle.settle(sheet, topic=TOPIC, total=total, window=window, rows=rows, prices=given.price)
    return sheet.finish(act=given.act, window=window, parts=parts, not_covered=NOT_COVERED)


def _shares(given: Given) -> tuple[Decimal, ...]:
    if given.shares is None:
        return (Decimal(1),) * 3
    text = given.shares.replace(" ", "")
    shares = tuple(Decimal(one) for one in text.split(",")) if _SHARES.match(text) else ()
    if not shares or min(shares) <= 0:
        raise bad(
            f"--shares {given.shares!r} are not three shares", "write them as 0.30,0.35,0.35, each above 0"
        )
    return shares


def _criteria(given: Given, sheet: Sheet) -> curves.Criteria:
    rated_u, rated_i = curves.needed(given)
    low = sheet.fact("lost_current.i_share", given.found)
    other = sheet.fact("lost_current.other_share", given.found)
    alive = sheet.fact("lost_current.u_share", given.found)
    start, running, volts = rated_i * low.decimal, rated_i * other.decimal, rated_u * alive.decimal
    shares = _shares(given)
    sheet.add(
        Step(
            name=Words("失流判据与参考电流", "Criterion and reference"),
            formula=Words("I < 启动 且 U > 低限 且 另一相 I > 门限；I_ref = Σ正常相 I × 份额 ÷ Σ正常相份额", "I < start and U > low and another phase I > limit; I_ref = Σ healthy I × share ÷ Σ healthy shares"),
            working=same(
                f"I < {shown(start)} A, U > {shown(volts)} V, I_other > {shown(running)} A; "
                f"{' : '.join(shown(one) for one in shares)}"
            ),
            law=(low, other, alive),
        )
    )  # fmt: skip

    def lost(reading: asking.Reading, phase: int) -> bool:
        others = (abs(reading.amperes[one]) for one in range(3) if one != phase)
        return abs(reading.amperes[phase]) < start and reading.volts[phase] > volts and max(others) > running

    def reference(reading: asking.Reading, phase: int, lost_phases: frozenset[int]) -> Decimal:
        healthy = [one for one in range(3) if one not in lost_phases]
        current = sum((abs(reading.amperes[one]) for one in healthy), Decimal(0))
        return current * shares[phase] / sum((shares[one] for one in healthy), Decimal(0))

    return curves.Criteria(lost=lost, reference=reference, symbol="I")
