"""Late-payment fee: unpaid × rate × days, simple, from the day after the due day to the day of payment.

Residential 1 ‰; others 2 ‰ in the year of the arrears and 3 ‰ on days after 31 December; split at 1 January.
1996 article 98 and its successor.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from mingcha.kernel.periods import Period
from mingcha.recovery import asking, figures, settle
from mingcha.recovery.asking import Dated, bad, dated, day, number, word
from mingcha.recovery.figures import shown
from mingcha.recovery.model import Citation, Part, Step, Words, Worksheet, same
from mingcha.recovery.sheet import Sheet

KIND = "late-fee"
TITLE = Words("电费违约金", "Late-payment fee")
TOPIC = "late_fee"
NOT_COVERED = (
    Words("减免及其审批；因供电企业原因的逾期", "waiving and its approval; lateness the utility caused"),
    Words("违约金计入收入的账务处理", "how the fee is booked"),
    Words("欠费停电的程序", "the procedure of cutting off for arrears"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Given(asking.Labels):
    """What was unpaid, when it was due, when it was paid."""

    unpaid_cny: Decimal = number("欠费金额", "sum unpaid on the due day", "CNY", positive=True)
    due_on: date = day("交费期限", "last day to pay in time")
    paid_on: date = day("交清日", "day it was paid in full, or the day to compute up to")
    customer_kind: str = word(
        "用户类别", "kind of customer", choices={"residential": "居民", "other": "其他"}
    )
    paid: tuple[Dated, ...] = dated("部分付款", "paid in part in between, several as 2024-05-03=100", "CNY")
    agreed_permille: Decimal | None = number(
        "合同约定比例",
        "rate per day agreed in the contract, instead of the book's",
        "‰",
        default=None,
        positive=True,
    )


def compute(given: Given, sheet: Sheet) -> Worksheet:
    """Return the worksheet, one line per year, rate and unpaid sum."""
    if given.paid_on <= given.due_on:
        raise bad(
            f"--paid-on {given.paid_on} is not after --due-on {given.due_on}", "a payment in time owes no fee"
        )
    _check_payments(given)
    act = Period(given.due_on + timedelta(days=1), given.paid_on + timedelta(days=1))
    sheet.add(
        Step(
            name=Words("逾期天数", "Days late"),
            formula=Words("期限次日起至交清日止", "from the day after the due day to the day of payment"),
            working=same(f"{act.start} … {given.paid_on}"),
            result=Decimal(act.days),
            unit="d",
        )
    )
    names = ("law.article.late_fee", "late_fee.residential", "late_fee.current_year", "late_fee.carried")
    parts = [_part(given, sheet, span) for span in sheet.law.split(act, names)]
    parts[-1] = _raised(sheet, parts, given.paid_on)
    return sheet.finish(act=act, window=act, parts=parts, not_covered=NOT_COVERED, charged=TITLE)


def _check_payments(given: Given) -> None:
    for one in given.paid:
        if one.since is None or not given.due_on < one.since <= given.paid_on or one.value <= 0:
            raise bad(
                f"--paid {shown(one.value)} has no day between {given.due_on} and {given.paid_on}, or is not above 0",
                "write day and sum, as 2024-05-03=100",
            )
    if sum((one.value for one in given.paid), Decimal(0)) > given.unpaid_cny:
        raise bad("--paid sums to more than --unpaid-cny", "correct the payments")


def _part(given: Given, sheet: Sheet, span: Period) -> Part:
    steps = []
    amounts = []
    for line, unpaid in _lines(given, span):
        rate, law = _rate(given, sheet, line.start)
        amount = figures.cents(unpaid * rate * line.days)
        working = f"{shown(unpaid)} × {shown(rate)} × {line.days}"
        name = Words(f"违约金 {figures.days(line)}", f"Fee {figures.days(line)}")
        formula = Words("欠费 × 日比例 × 天数", "unpaid × rate per day × days")
        steps.append(Step(name, formula, same(working), amount, "CNY", "fen", law))
        amounts.append(amount)
    return Part(
        period=span,
        article=sheet.article(TOPIC, span.start),
        steps=tuple(steps),
        cny=sum(amounts, Decimal("0.00")),
    )


def _lines(given: Given, span: Period) -> Iterator[tuple[Period, Decimal]]:
    assert span.end is not None
    years = tuple(Dated(Decimal(0), date(year, 1, 1)) for year in range(span.start.year, span.end.year + 1))
    # A payment ends the fee on its own day, so the smaller sum holds from the next.
    changes = tuple(Dated(one.value, _after(one)) for one in given.paid)
    for line in settle.by_price(span, years, changes):
        paid = sum(
            (one.value for one in changes if one.since is not None and one.since <= line.start), Decimal(0)
        )
        yield line, given.unpaid_cny - paid


def _after(one: Dated) -> date:
    assert one.since is not None
    return one.since + timedelta(days=1)


def _rate(given: Given, sheet: Sheet, on: date) -> tuple[Decimal, tuple[Citation, ...]]:
    if given.agreed_permille is not None:
        least, most = sheet.fact("late_fee.agreed_least", on), sheet.fact("late_fee.agreed_most", on)
        rate = given.agreed_permille / 1000
        if not least.decimal <= rate <= most.decimal:
            raise bad(
                f"--agreed-permille {shown(given.agreed_permille)} lies outside what may be agreed",
                f"a contract may agree {shown(least.decimal * 1000)} to {shown(most.decimal * 1000)} ‰ a day",
            )
        return rate, (least, most)
    if given.customer_kind == "residential":
        name = "late_fee.residential"
    else:
        name = "late_fee.current_year" if on.year == given.due_on.year else "late_fee.carried"
    fact = sheet.fact(name, on)
    return fact.decimal, (fact,)


def _raised(sheet: Sheet, parts: list[Part], on: date) -> Part:
    """Return the last part, raised to the minimum of the law where the whole fee is below it."""
    total = sum((part.cny for part in parts if part.cny is not None), Decimal(0))
    last = parts[-1]
    minimum = sheet.law.fact("late_fee.minimum", on)
    if minimum.decimal == 0 and total < 1:
        sheet.cite(minimum)
    if total >= minimum.decimal or last.cny is None:
        return last
    sheet.cite(minimum)
    added = minimum.decimal - total
    step = Step(
        Words("不足最低额", "Minimum"), Words("总额不足最低额的，按最低额", "a fee below the minimum counts as the minimum"),
        same(f"{shown(minimum.decimal)} − {shown(total)}"), added, "CNY", "fen", (minimum,),
    )  # fmt: skip
    return dataclasses.replace(last, steps=(*last.steps, step), cny=last.cny + added)
