"""Lost voltage: the integral over the curve with the healthy phases as reference, else a share, else a normal month.

ΔW = Σ (U_ref − U) · I · cosφ · Δt; U_ref is the mean of the healthy phases at that moment, Un where none is.
Four-wire metering. 1996 article 81(2) and its successor.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from mingcha.recovery import asking, curves, fallback, settle
from mingcha.recovery.figures import shown
from mingcha.recovery.model import Step, Words, Worksheet, same
from mingcha.recovery.sheet import Sheet

KIND = "lost-voltage"
TITLE = Words("失压退补", "Lost voltage")
TOPIC = "lost_voltage"
NOT_COVERED = (
    Words("三相三线接线：两元件电压相互影响，用 wiring 的 K 表", "three-wire metering: its two elements share voltages, use the K table of wiring"),
    Words("曲线缺点与全失压：缺点不补，全失压取额定电压，须另以变电站侧或线损佐证", "points missing in the curve are not filled; with all voltages lost the rated one is taken, to be supported by the supply side or by losses"),
    Words("无功电量与功率因数调整电费的更正", "correction of reactive energy and of the power-factor adjustment"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Given(curves.Curved):
    """The days of the loss, and a curve, a missing share or a normal month."""


def compute(given: Given, sheet: Sheet) -> Worksheet:
    """Return the worksheet by the best of the three ways that was given."""
    window = sheet.look_back(given)
    if given.curve:
        criteria = _criteria(given, sheet)
        total, rows = curves.integral(sheet, given, window=window, criteria=criteria, voltage=True)
    else:
        total, rows = fallback.without_curve(sheet, given, window=window, missing_pct=given.missing_pct)
    sheet.until_settled(TOPIC, given.found)
    parts = settle.settle(sheet, topic=TOPIC, total=total, window=window, rows=rows, prices=given.price)
    return sheet.finish(act=given.act, window=window, parts=parts, not_covered=NOT_COVERED)


def _criteria(given: Given, sheet: Sheet) -> curves.Criteria:
    rated_u, rated_i = curves.needed(given)
    low = sheet.fact("lost_voltage.u_share", given.found)
    running = sheet.fact("lost_voltage.i_share", given.found)
    volts, amperes = rated_u * low.decimal, rated_i * running.decimal
    sheet.add(
        Step(
            name=Words("失压判据与参考电压", "Criterion and reference"),
            formula=Words("U < 低限 且 I > 启动；U_ref = 正常相电压平均值，无正常相取 Un", "U < low and I > start; U_ref = mean of the healthy phases, Un without any"),
            working=same(
                f"U < {shown(low.decimal)} × {shown(rated_u)} = {shown(volts)} V, "
                f"I > {shown(running.decimal)} × {shown(rated_i)} = {shown(amperes)} A"
            ),
            law=(low, running),
        )
    )  # fmt: skip

    def lost(reading: asking.Reading, phase: int) -> bool:
        return reading.volts[phase] < volts and abs(reading.amperes[phase]) > amperes

    def reference(reading: asking.Reading, phase: int, lost_phases: frozenset[int]) -> Decimal:
        healthy = [
            reading.volts[one] for one in range(3) if one not in lost_phases and reading.volts[one] >= volts
        ]
        return curves.mean(healthy) if healthy else rated_u

    return curves.Criteria(lost=lost, reference=reference, symbol="U")
