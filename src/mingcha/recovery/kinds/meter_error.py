"""Meter or instrument-transformer error beyond its limit: corrected to zero error, half of the window.

ΔW = share × W × (1/(1+ε) − 1), both signs. 1996 article 80(1) and its successor; a class 2 meter found 10 %
slow over 900 000 kWh gives +50 000 kWh.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from mingcha.recovery import asking, fallback, figures, settle
from mingcha.recovery.asking import bad, number, word
from mingcha.recovery.figures import shown, signed
from mingcha.recovery.model import Citation, Step, Words, Worksheet, same
from mingcha.recovery.sheet import Sheet

KIND = "meter-error"
TITLE = Words("计量装置误差退补", "Error of meter or instrument transformers")
TOPIC = "meter_error"
NOT_COVERED = (
    Words("功率因数、分时、阶梯、变损与线损随电量变化的部分：按改正后的电量重算账单", "what follows from the energy in power factor, time of use, tiers and losses: re-rate the bills with the corrected energy"),
    Words("检定费、换表费，以及非计量误差（接线、熔断、倍率）造成的差错", "fees of testing and exchange, and faults other than error (wiring, fuse, multiplier)"),
    Words("ε 取检定证书的单一误差；负荷点误差的加权由检定机构给出", "one verified error ε is used; weighting errors over load points is for the verifying body"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Given(asking.Recorded):
    """From last verification or installation to correction: recorded energy and verified errors."""

    error_pct: Decimal = number(
        "电能表误差 ε", "verified error of the meter, slow is negative", "%", least=Decimal("-99.999999")
    )
    ct_error_pct: Decimal = number("CT 误差", "verified error of the CTs", "%", default=Decimal(0))
    pt_error_pct: Decimal = number("PT 误差", "verified error of the PTs", "%", default=Decimal(0))
    drop_error_pct: Decimal = number(
        "PT 二次压降误差", "error by the drop of the PT leads", "%", default=Decimal(0)
    )
    meter_class: str | None = word(
        "电能表等级", "accuracy class of the meter", choices=("0.2S", "0.5S", "1", "2", "3"), default=None
    )
    transformer_class: str = word(
        "互感器等级", "accuracy class of CTs and PTs", choices=("0.2S", "0.2", "0.5S", "0.5"), default="0.5S"
    )
    tolerance_pct: Decimal | None = number(
        "允许误差", "limit of the meter's error instead of its class's", "%", default=None, least=Decimal(0)
    )


def compute(given: Given, sheet: Sheet) -> Worksheet:
    """Return the worksheet; nothing is owed while every error is inside its limit."""
    window = sheet.look_back(given)
    rows = given.recorded
    beyond = _beyond(given, sheet)
    error = _combined(given, sheet)
    energy = settle.recorded(sheet, rows, act=given.act, window=window)
    total = _difference(given, sheet, energy, error) if beyond else Decimal("0.00")
    sheet.until_settled(TOPIC, given.found)
    parts = settle.settle(sheet, topic=TOPIC, total=total, window=window, rows=rows, prices=given.price)
    return sheet.finish(act=given.act, window=window, parts=parts, not_covered=NOT_COVERED)


def _beyond(given: Given, sheet: Sheet) -> bool:
    """Print the errors against their limits and return whether one of them is beyond."""
    if given.tolerance_pct is None and given.meter_class is None:
        raise bad(
            "neither --meter-class nor --tolerance-pct is given", "give the class of the meter, for example 2"
        )
    law: tuple[Citation, ...] = (
        ()
        if given.tolerance_pct is not None
        else (sheet.fact(f"tolerance.meter.{given.meter_class}", given.found),)
    )
    limit = given.tolerance_pct if given.tolerance_pct is not None else law[0].decimal
    checked = [(Words("电能表", "the meter"), given.error_pct, limit, law)]
    others = ((Words("CT", "the CTs"), given.ct_error_pct), (Words("PT", "the PTs"), given.pt_error_pct))
    for name, error in others:
        if error:
            own = sheet.fact(f"tolerance.transformer.{given.transformer_class}", given.found)
            checked.append((name, error, own.decimal, (own,)))
    found = False
    for name, error, most, cited in checked:
        over = abs(error) > most
        found = found or over
        sheet.add(
            Step(
                name=Words(f"误差限：{name.zh}", f"Limit of {name.en}"),
                formula=same("|ε| > limit ?"),
                working=Words(
                    f"|{shown(error)} %| {'>' if over else '≤'} {shown(most)} %：{'超差' if over else '未超差'}",
                    f"|{shown(error)} %| {'>' if over else '≤'} {shown(most)} %: {'beyond' if over else 'inside'}",
                ),
                law=cited,
            )
        )
    if not found:
        sheet.warn(
            "误差均在允许范围内，不退不补", "every error is inside its limit: nothing is charged or refunded"
        )
    return found


def _combined(given: Given, sheet: Sheet) -> Decimal:
    errors = (given.error_pct, given.ct_error_pct, given.pt_error_pct, given.drop_error_pct)
    total = sum(errors, Decimal(0))
    if any(errors[1:]):
        sheet.add(
            Step(
                name=Words("综合误差 ε", "Combined error ε"),
                formula=Words("ε = ε_表 + ε_CT + ε_PT + ε_压降（小角近似，待核）", "ε = ε_meter + ε_CT + ε_PT + ε_drop (small-angle form, to be verified)"),
                working=same(" + ".join(signed(one) for one in errors)),
                result=total,
                unit="%",
            )
        )  # fmt: skip
    if total <= -100:
        raise bad(
            f"the combined error of {shown(total)} % leaves no energy to correct",
            "use normal-month: the meter stood still",
        )
    return total


def _difference(given: Given, sheet: Sheet, energy: Decimal, error: Decimal) -> Decimal:
    share = sheet.fact("window_share.meter_error", given.found)
    ratio = error / 100
    true = figures.cents(energy / (1 + ratio))
    sheet.add(
        Step(
            Words("实际电量", "True energy"), same("W_true = W ÷ (1 + ε)"),
            same(f"{shown(energy)} ÷ (1 + {signed(ratio)})"), true, "kWh", "kwh",
        )
    )  # fmt: skip
    sheet.cite(share)
    if any(step.unit == "d" and step.result for step in sheet.steps):
        sheet.warn(
            "先按追溯期限截断，再取二分之一；若先取二分之一，结果较大",
            "the look-back cut comes first and the half is taken of what is left; half first would give more",
        )
    total = figures.cents(share.decimal * energy * (1 / (1 + ratio) - 1))
    working = f"{shown(share.decimal)} × {shown(energy)} × (1 ÷ (1 + {signed(ratio)}) − 1)"
    return fallback.difference(sheet, "ΔW = ½ × W × (1 ÷ (1 + ε) − 1)", working, total)
