"""Wrong wiring: recorded energy × (K − 1) over the whole window. 1996 article 81(1) and its successor.

K comes from the table by fault and power factor, or as measured. Where K is infinite the meter stood still
and a normal month decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from mingcha.recovery import asking, fallback, kfactor, settle
from mingcha.recovery.asking import bad, number, word
from mingcha.recovery.figures import shown
from mingcha.recovery.model import Step, Words, Worksheet, same
from mingcha.recovery.sheet import Sheet

KIND = "wiring"
TITLE = Words("接线错误退补", "Wrong wiring")
TOPIC = "wiring"
NOT_COVERED = (
    Words("K 表假定三相平衡、感性负载、正相序；不平衡时以现场实测 K 或曲线积分为准", "the table of K assumes a balanced inductive load in normal order; otherwise use a K measured on site or the integral of curves"),
    Words("电子式电能表对反向功率的处理（取绝对值、单向）因表而异，须先核实", "how the meter counts reverse power (absolute, one-way) differs and must be found out first"),
    Words("无功电量与功率因数调整电费的更正", "correction of reactive energy and of the power-factor adjustment"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Given(asking.Normal):
    """From last verification or installation to correction: recorded energy and what was wired wrongly."""

    fault: str | None = word(
        "接线错误",
        "fault of the K table",
        choices={code: fault.name.zh for code, fault in kfactor.BY_CODE.items()},
        default=None,
    )
    k: Decimal | None = number(
        "实测更正系数 K", "K measured on site instead of a fault of the table", "", default=None
    )
    power_factor: Decimal | None = number(
        "平均功率因数", "mean cos φ of the load, inductive", "", default=None, positive=True, most=Decimal(1)
    )
    ct_billed: Decimal | None = number(
        "计费变比 k", "CT ratio billed with (fault 3p4w-ct-ratio)", "", default=None, positive=True
    )
    ct_true: Decimal | None = number(
        "实际变比 k_a", "true ratio of the one CT (fault 3p4w-ct-ratio)", "", default=None, positive=True
    )


def compute(given: Given, sheet: Sheet) -> Worksheet:
    """Return the worksheet, by K or, where K is infinite, by a normal month with the reason."""
    window = sheet.look_back(given)
    rows = given.recorded
    energy = settle.recorded(sheet, rows, act=given.act, window=window)
    sheet.fact("window_share.wiring", given.found)
    k = measured(sheet, given.k) if given.k is not None else from_table(sheet, given)
    if k is None:
        total = fallback.by_normal_month(sheet, given, window=window, recorded=energy)
        rows = (asking.Spell(given.act, Decimal(given.act.days)),)
    else:
        total = fallback.by_factor(sheet, k, energy)
    sheet.until_settled(TOPIC, given.found)
    parts = settle.settle(sheet, topic=TOPIC, total=total, window=window, rows=rows, prices=given.price)
    return sheet.finish(act=given.act, window=window, parts=parts, not_covered=NOT_COVERED)


def measured(sheet: Sheet, k: Decimal) -> Decimal:
    """Print a K measured on site and return it."""
    sheet.add(
        Step(Words("更正系数 K", "Correction factor K"), Words("现场实测", "as measured"), same(shown(k)), k)
    )
    return k


def from_table(sheet: Sheet, given: Given) -> Decimal | None:
    """Return K of the table with its working, None where it is infinite; raises DataError for what is missing."""
    if given.fault is None:
        raise bad(
            "neither --fault nor --k is given", "name a fault of the table, or give the K measured on site"
        )
    fault = kfactor.BY_CODE[given.fault]
    if fault.needs_factor and given.power_factor is None:
        raise bad(
            f"--power-factor is not given; K of {fault.code} is {fault.formula}",
            "give the mean cos φ of the load",
        )
    if fault.needs_ratio and (given.ct_billed is None or given.ct_true is None):
        raise bad(
            f"--ct-billed or --ct-true is not given; K of {fault.code} is {fault.formula}", "give both ratios"
        )
    return table_step(
        sheet, fault, power_factor=given.power_factor, billed=given.ct_billed, true=given.ct_true
    )


def table_step(
    sheet: Sheet,
    fault: kfactor.Fault,
    *,
    power_factor: Decimal | None,
    billed: Decimal | None = None,
    true: Decimal | None = None,
) -> Decimal | None:
    """Print K of a fault with its formula and numbers and return it, None where it is infinite."""
    k = kfactor.factor(fault, power_factor=power_factor, billed=billed, true=true)
    working = fault.formula
    if fault.needs_factor and power_factor is not None:
        tangent = f"{kfactor.tan_of(power_factor):.8f}"
        working = f"cosφ = {shown(power_factor)}, tanφ = {tangent}: {fault.formula.replace('tanφ', tangent)}"
    if fault.needs_ratio and billed is not None and true is not None:
        working = f"k = {shown(billed)}, k_a = {shown(true)}: {fault.formula}"
    sheet.add(
        Step(
            name=Words(f"更正系数 K（{fault.name.zh}）", f"Correction factor K ({fault.name.en})"),
            formula=same(f"K = P_right ÷ P_wrong = {fault.formula}"),
            working=same(working if k is not None else f"{working}: P_wrong = 0"),
            result=k,
            rounding="eight",
        )
    )
    if k is None:
        sheet.warn(
            "错误接线下电能表停转（K = ∞），更正系数法不可用，改按正常月电量",
            "the meter stands still under this fault (K = ∞): no factor can be applied, a normal month decides",
        )
    return k
