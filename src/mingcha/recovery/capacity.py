"""Capacity charges of months or days, line by line, and their split by the law of each month.

Unit month: every calendar month touched counts whole, with the largest capacity used in it. Unit day: price
of the month ÷ day base × days; the day base is 30 before 2024-06-01 and the calendar days of the month since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from mingcha.kernel import errors
from mingcha.kernel.periods import BillingMonth, Period
from mingcha.recovery import figures, settle
from mingcha.recovery.asking import Dated
from mingcha.recovery.figures import shown
from mingcha.recovery.model import Citation, Part, Step, Words, same
from mingcha.recovery.sheet import Sheet

_LINE = Words("基本电费", "Capacity charge")
#: From a sum per unit to formula, working and the whole sum.
Count = Callable[[Decimal], tuple[Words, str, Decimal]]


@dataclass(frozen=True, slots=True)
class Charge:
    """One line: the days it stands for, formula, working, amount, the fact it rests on."""

    period: Period
    step: Step
    amount: Decimal


def charges(
    sheet: Sheet,
    *,
    topic: str,
    unit: str | None,
    window: Period,
    capacity: tuple[Dated, ...],
    prices: tuple[Dated, ...],
) -> tuple[Charge, ...]:
    """Return the lines of capacity × price over the window; `unit` month or day, None for the book's."""
    found: list[Charge] = []
    for month in _months(window):
        days = month.period.clip(window)
        assert days is not None
        law = sheet.fact(f"{topic}.period_unit", days.start)
        by = unit or law.value
        cite = () if unit else (law,)
        make = _by_month if by == "month" else _by_day
        found += [
            Charge(
                period,
                Step(_named(month), formula, same(working), amount, "CNY", "fen", (*cite, *more)),
                amount,
            )
            for period, formula, working, amount, more in make(sheet, month, days, capacity, prices)
        ]
    return tuple(found)


def parts(
    sheet: Sheet, *, topic: str, window: Period, lines: tuple[Charge, ...], own_multiple: Decimal | None
) -> tuple[Part, ...]:
    """Return the lines as parts by version of the law, each with its penalty."""
    names = (f"law.article.{topic}", f"{topic}.multiple", f"{topic}.multiple_basis")
    found = []
    for span in sheet.law.split(window, names):
        own = [line for line in lines if span.holds(line.period.start)]
        total = sum((line.amount for line in own), Decimal(0))
        sums = settle.penalise(sheet, settle.Penalty(topic, own_multiple), total, span.start)
        found.append(
            Part(
                period=span,
                article=sheet.article(topic, span.start),
                steps=(*(line.step for line in own), *sums.steps),
                cny=total,
                penalty_min_cny=sums.least,
                penalty_max_cny=sums.most,
                penalty_own_cny=sums.own,
            )
        )
    return tuple(found)


def flat(
    sheet: Sheet,
    *,
    topic: str,
    window: Period,
    name: str,
    count: Count,
) -> tuple[Part, ...]:
    """Return the one part of a flat sum, by the law of the last day; `count` gives formula, working, sum."""
    assert window.end is not None
    last = figures.last_day(window)
    fact = sheet.fact(name, last)
    formula, working, amount = count(fact.decimal)
    step = Step(Words("违约使用电费", "Penalty"), formula, same(working), amount, "CNY", "fen", (fact,))
    return (
        Part(
            period=window,
            article=sheet.article(topic, last),
            steps=(step,),
            cny=Decimal("0.00"),
            penalty_min_cny=amount,
            penalty_max_cny=amount,
        ),
    )


def largest(capacity: tuple[Dated, ...], window: Period) -> Decimal:
    """Return the largest capacity on any day of the window; raises DataError for a day without one."""
    return max(_value(capacity, span, "the capacity") for span in settle.by_price(window, capacity))


def need_price(prices: tuple[Dated, ...]) -> tuple[Dated, ...]:
    """Return the prices; raises DataError when there is none."""
    if not prices:
        raise errors.DataError(
            "--capacity-price is not given",
            why="a two-part customer pays capacity used beyond the contract at the capacity price",
            mend="give the price per kVA (kW) and month of the customer's tariff",
        )
    return prices


def _months(window: Period) -> Iterator[BillingMonth]:
    return BillingMonth.of(window.start).through(BillingMonth.of(figures.last_day(window)))


def _named(month: BillingMonth) -> Words:
    return Words(f"{_LINE.zh} {month}", f"{_LINE.en} {month}")


def _value(listed: tuple[Dated, ...], period: Period, what: str) -> Decimal:
    found = settle.price_on(listed, period.start)
    if found is None:
        raise errors.DataError(
            f"{what} holds no value for {period.start}",
            why="every month is charged with the capacity and the price of its days",
            mend="give a value without a day, or one that holds from the first day of the window",
        )
    return found


def _by_month(
    _: Sheet, __: BillingMonth, days: Period, capacity: tuple[Dated, ...], prices: tuple[Dated, ...]
) -> Iterator[tuple[Period, Words, str, Decimal, tuple[()]]]:
    price = _value(prices, days, "--capacity-price")
    most = largest(capacity, days)
    formula = Words("kVA × 月单价 × 1 个月", "kVA × price of a month × 1 month")
    yield days, formula, f"{shown(most)} × {shown(price)} × 1", figures.cents(most * price), ()


def _by_day(
    sheet: Sheet, month: BillingMonth, days: Period, capacity: tuple[Dated, ...], prices: tuple[Dated, ...]
) -> Iterator[tuple[Period, Words, str, Decimal, tuple[Citation, ...]]]:
    for span in settle.by_price(days, capacity, prices):
        base = sheet.fact("basic.day_base", span.start)
        divisor = Decimal(month.days) if base.value == "calendar" else base.decimal
        price = _value(prices, span, "--capacity-price")
        used = _value(capacity, span, "the capacity")
        working = f"{shown(used)} × {shown(price)} × {span.days} ÷ {shown(divisor)}"
        amount = figures.cents(used * price * span.days / divisor)
        yield (
            span,
            Words("kVA × 月单价 × 天数 ÷ 日数基数", "kVA × price of a month × days ÷ day base"),
            working,
            amount,
            (base,),
        )
