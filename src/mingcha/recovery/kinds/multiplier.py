"""Wrong multiplier or nameplate ratio: register units × (true − used). 1996 article 81(3) and its successor."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from mingcha.kernel import energy
from mingcha.recovery import asking, fallback, figures, settle
from mingcha.recovery.asking import bad, number, whole
from mingcha.recovery.figures import shown
from mingcha.recovery.model import Step, Words, Worksheet, same
from mingcha.recovery.sheet import Sheet

KIND = "multiplier"
TITLE = Words("倍率差错退补", "Wrong multiplier")
TOPIC = "multiplier"
NOT_COVERED = (
    Words("需量与无功按倍率的更正：同法另算后重算账单", "demand and reactive energy under the wrong multiplier: correct them alike and re-rate the bills"),
    Words("变比不一致的三相（一只 CT 不同）：用 wiring 的 3p4w-ct-ratio", "phases of different ratios (one CT differs): use 3p4w-ct-ratio of wiring"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Given(asking.Priced):
    """From the first reading concerned: register units and both multipliers."""

    used: Decimal = number("计费倍率", "multiplier the bills were made with", "", positive=True)
    true: Decimal = number("实际倍率", "true multiplier", "", positive=True)
    units: Decimal | None = number("示数差", "units the register moved", "", default=None, least=Decimal(0))
    start_index: Decimal | None = number("起码", "index at the beginning", "", default=None, least=Decimal(0))
    end_index: Decimal | None = number("止码", "index at the end", "", default=None, least=Decimal(0))
    digits: int = whole(
        "整数位数",
        "whole digits of the register, for a roll-over",
        "",
        default=6,
        least=Decimal(1),
        most=Decimal(12),
    )


def compute(given: Given, sheet: Sheet) -> Worksheet:
    """Return the worksheet, both signs."""
    window = sheet.look_back(given)
    units = register_units(
        sheet, units=given.units, start=given.start_index, end=given.end_index, digits=given.digits
    )
    rows = (asking.Spell(given.act, units),)
    kept = figures.cents(settle.within(rows, window))
    if window != given.act:
        sheet.add(
            Step(
                Words("计入的示数差", "Units counted"), Words("按天分摊", "by days"),
                same(f"{shown(units)} × {window.days} ÷ {given.act.days}"), kept, "", "eight",
            )
        )  # fmt: skip
    else:
        kept = units
    total = figures.cents(kept * (given.true - given.used))
    working = f"{shown(kept)} × ({shown(given.true)} − {shown(given.used)})"
    fallback.difference(sheet, "ΔW = units × (k_true − k_used)", working, total)
    sheet.until_settled(TOPIC, given.found)
    parts = settle.settle(sheet, topic=TOPIC, total=total, window=window, rows=rows, prices=given.price)
    return sheet.finish(act=given.act, window=window, parts=parts, not_covered=NOT_COVERED)


def register_units(
    sheet: Sheet, *, units: Decimal | None, start: Decimal | None, end: Decimal | None, digits: int
) -> Decimal:
    """Return the units a register moved, as given or from two indexes, a roll-over included."""
    if units is not None:
        if start is not None or end is not None:
            raise bad("--units stands beside an index", "give the units, or both indexes")
        return units
    if start is None or end is None:
        raise bad(
            "neither --units nor both indexes are given", "give --units, or --start-index and --end-index"
        )
    step = energy.register_step(start=start, end=end, digits=digits)
    if step.units < 0:
        raise bad(
            f"the register falls from {start} to {end}", "check both indexes and the digits of the register"
        )
    rolled = f" + 10^{digits}" if step.rolled_over else ""
    sheet.add(
        Step(
            Words("示数差", "Register units"), same("units = end − start"),
            same(f"{shown(end)} − {shown(start)}{rolled}"), step.units,
        )
    )  # fmt: skip
    return step.units
