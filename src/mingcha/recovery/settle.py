"""From energy to money: recorded energy of a window, its split by law and price, penalties as ranges.

The energy owed or refunded is computed once for the window, half up to 0.01 kWh, then spread over the
versions of law and price in proportion to the recorded energy; each line of money is half up to 0.01 CNY.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from mingcha.kernel import errors
from mingcha.kernel.periods import Period
from mingcha.recovery import figures
from mingcha.recovery.asking import Dated, Spell
from mingcha.recovery.figures import shown, signed
from mingcha.recovery.model import Citation, Part, Step, Words, same
from mingcha.recovery.sheet import Sheet

_LINE = Words("电费", "Money")
#: Money of some days' energy, with its formula and working; None without a price.
Money = Callable[[Period, Decimal], tuple[Decimal | None, str, str]]


@dataclass(frozen=True, slots=True)
class Penalty:
    """A penalty on the back payment: the topic its multiple stands under, the organisation's own multiple."""

    topic: str
    own_multiple: Decimal | None


@dataclass(frozen=True, slots=True)
class _Share:
    """What falls on some days: its energy, the weight it was dealt by, and whether it took the rest."""

    days: Period
    kwh: Decimal
    weight: Decimal
    rest: bool = False


@dataclass(frozen=True, slots=True)
class Sums:
    """Least, most and own penalty of a part, with the working."""

    steps: tuple[Step, ...] = ()
    least: Decimal | None = None
    most: Decimal | None = None
    own: Decimal | None = None


def within(rows: Iterable[Spell], period: Period) -> Decimal:
    """Return the energy of the rows on the days of `period`, kWh, spread evenly inside a row, not rounded."""
    total = Decimal(0)
    for row in rows:
        shared = row.period.clip(period)
        if shared is not None:
            total += row.kwh if shared == row.period else row.kwh * shared.days / row.period.days
    return total


def recorded(sheet: Sheet, rows: tuple[Spell, ...], *, act: Period, window: Period) -> Decimal:
    """Return the recorded energy of the window, kWh half up to 0.01, and print how it was found."""
    found = figures.cents(within(rows, window))
    whole = within(rows, act)
    if window == act and len(rows) == 1 and rows[0].period == act:
        working = same(f"{shown(whole)} kWh")
    else:
        working = Words(
            f"{figures.days(window)} 内按天分摊合计 {shown(found)} kWh（全部 {shown(whole)} kWh）",
            f"on the days {figures.days(window)}, by days: {shown(found)} kWh (of {shown(whole)} kWh)",
        )
    sheet.add(
        Step(
            name=Words("期间抄见电量 W", "Recorded energy W"),
            formula=Words(
                "W = Σ 各段电量 × 计入天数 ÷ 该段天数", "W = Σ energy of a row × days counted ÷ its days"
            ),
            working=working,
            result=found,
            unit="kWh",
            rounding="kwh",
        )
    )
    return found


def price_on(prices: tuple[Dated, ...], on: date) -> Decimal | None:
    """Return the price that holds on a day; None where none does."""
    held = [one for one in prices if one.since is None or one.since <= on]
    return max(held, key=lambda one: one.since or date.min).value if held else None


def by_price(period: Period, *prices: tuple[Dated, ...]) -> tuple[Period, ...]:
    """Return the period cut at the days on which one of the price lists changes."""
    edges = {one.since for listed in prices for one in listed if one.since is not None}
    starts = [period.start, *sorted(day for day in edges if day > period.start and period.holds(day))]
    assert period.end is not None
    return tuple(Period(start, end) for start, end in zip(starts, [*starts[1:], period.end], strict=True))


def settle(
    sheet: Sheet,
    *,
    topic: str,
    total: Decimal,
    window: Period,
    rows: tuple[Spell, ...],
    prices: tuple[Dated, ...],
    penalty: Penalty | None = None,
    money: Money | None = None,
) -> tuple[Part, ...]:
    """Return the parts of an energy claim: `total` kWh spread by the energy of `rows`, priced line by line.

    `money` prices a line in another way than energy × price.
    """
    if len(rows) == 1:
        # Evenly spread energy is dealt by days, which is easier to follow on the sheet.
        rows = (Spell(rows[0].period, Decimal(rows[0].period.days)),)
    names = (f"law.article.{topic}", *(_penal(penalty.topic) if penalty else ()))
    spans = sheet.law.split(window, names)
    lines = [line for span in spans for line in by_price(span, prices)]
    weights = [within(rows, line) for line in lines]
    shares = figures.spread(total, weights)
    dealt = [
        _Share(line, kwh, weight, rest=line is lines[-1])
        for line, kwh, weight in zip(lines, shares, weights, strict=True)
    ]
    whole = (total, sum(weights, Decimal(0)))
    if not prices:
        sheet.warn("未提供电价：只计算电量，不计金额", "no price was given: energy only, no money")
    return tuple(
        _part(
            sheet,
            span=span,
            article=sheet.article(topic, span.start),
            shares=[one for one in dealt if span.holds(one.days.start)],
            of=whole if len(dealt) > 1 else None,
            money=money or (lambda line, kwh: priced(prices, line, kwh)),
            penalty=penalty,
        )
        for span in spans
    )


def priced(prices: tuple[Dated, ...], line: Period, kwh: Decimal) -> tuple[Decimal | None, str, str]:
    """Return the money of a line with its formula and working; no money without prices."""
    if not prices:
        return None, "", ""
    price = price_on(prices, line.start)
    if price is None:
        raise no_price(line.start)
    return figures.cents(kwh * price), "ΔW × p", f"{shown(kwh)} × {shown(price)}"


def no_price(on: date) -> errors.DataError:
    """Return the error for a day without a price."""
    return errors.DataError(
        f"--price holds no price for {on}",
        why="every kWh is charged or refunded at the price of its day",
        mend="give a price without a day, or one that holds from the first day of the window",
    )


def _part(
    sheet: Sheet,
    *,
    span: Period,
    article: Citation,
    shares: list[_Share],
    of: tuple[Decimal, Decimal] | None,
    money: Money,
    penalty: Penalty | None,
) -> Part:
    steps: list[Step] = []
    amounts: list[Decimal] = []
    for one in shares:
        if of is not None:
            steps.append(_share(one, *of))
        amount, formula, working = money(one.days, one.kwh)
        if amount is not None:
            steps.append(Step(_LINE, same(formula), same(working), amount, "CNY", "fen"))
            amounts.append(amount)
    cny = sum(amounts, Decimal(0)) if amounts else None
    sums = penalise(sheet, penalty, cny, span.start) if penalty else Sums()
    return Part(
        period=span,
        article=article,
        steps=(*steps, *sums.steps),
        kwh=sum((one.kwh for one in shares), Decimal(0)),
        cny=cny,
        penalty_min_cny=sums.least,
        penalty_max_cny=sums.most,
        penalty_own_cny=sums.own,
    )


def _share(one: _Share, total: Decimal, whole: Decimal) -> Step:
    dealt = f"{shown(total)} × {shown(figures.eight(one.weight))} ÷ {shown(figures.eight(whole))}"
    if one.rest:
        dealt = f"{shown(total)} − {signed(total - one.kwh)}"
    elif not whole:
        dealt = f"{shown(total)} ÷ n"
    return Step(
        name=Words(f"电量 {figures.days(one.days)}", f"Energy {figures.days(one.days)}"),
        formula=Words(
            "ΔW × 该段抄见电量（或天数）÷ 期间合计，末段取余数",
            "ΔW × energy (or days) of these days ÷ of the window; the last takes the rest",
        ),
        working=same(dealt),
        result=one.kwh,
        unit="kWh",
        rounding="rest" if one.rest else "kwh",
    )


def penalise(sheet: Sheet, penalty: Penalty, base: Decimal | None, on: date) -> Sums:
    """Return the penalty on a back payment by the law of a day: a sum where it is exact, else a range from 0.

    Nothing on a refund or without money. Raises DataError for an own multiple above the law's.
    """
    if base is None or base <= 0:
        return Sums()
    multiple = sheet.fact(f"{penalty.topic}.multiple", on)
    basis = sheet.fact(f"{penalty.topic}.multiple_basis", on)
    most = figures.cents(base * multiple.decimal)
    exact = basis.value == "exact"
    own_multiple = penalty.own_multiple
    if own_multiple is not None and own_multiple > multiple.decimal:
        raise errors.DataError(
            f"--multiple {shown(own_multiple)} is above the {shown(multiple.decimal)} times of the law",
            why="no more may be demanded than the article allows",
            mend=f"give a multiple from 0 to {shown(multiple.decimal)}",
        )
    least = most if exact else Decimal("0.00")
    own = None if own_multiple is None else most if exact else figures.cents(base * own_multiple)
    steps = [
        Step(
            name=Words(
                "违约使用电费" + ("" if exact else "（上限）"), "Penalty" + ("" if exact else " (at most)")
            ),
            formula=Words(
                "补交电费 × 倍数" if exact else "0 至 补交电费 × 倍数",
                "back payment × multiple" if exact else "0 to back payment × multiple",
            ),
            working=same(f"{shown(base)} × {shown(multiple.decimal)}"),
            result=most,
            unit="CNY",
            rounding="fen",
            law=(multiple, basis),
        )
    ]
    if own is not None and not exact:
        steps.append(
            Step(
                name=Words("按本单位裁量倍数", "At the organisation's own multiple"),
                formula=Words("补交电费 × 本单位倍数", "back payment × own multiple"),
                working=same(f"{shown(base)} × {signed(own_multiple or Decimal(0))}"),
                result=own,
                unit="CNY",
                rounding="fen",
            )
        )
    return Sums(tuple(steps), least, most, own)


def _penal(topic: str) -> tuple[str, str]:
    return f"{topic}.multiple", f"{topic}.multiple_basis"
