"""The price of a claim taken from the tariff book: all that a kWh costs, dated, with its documents.

The components per kWh of a tariff (energy, network, losses, system, funds, surcharges) are added; of a
time-of-use tariff one period is taken, flat unless told otherwise, of a ladder the first tier.
"""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from mingcha.kernel import errors
from mingcha.recovery import names
from mingcha.recovery.asking import Dated, bad, tariff_fields
from mingcha.recovery.figures import shown
from mingcha.recovery.model import Citation, Step, Words, same

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mingcha.recovery.asking import Labels
    from mingcha.recovery.sheet import Sheet
    from mingcha.tariffbook import facts, load

Given = TypeVar("Given", bound="Labels")
#: Without a first day the versions of the year before the end are printed.
_SHOWN = timedelta(days=366)


def fill(given: Given, sheet: Sheet, books: load.Books) -> Given:
    """Return the inputs with prices of the tariffs they name; raises DataError for what has no price."""
    for tariff, price in tariff_fields(type(given)):
        code = getattr(given, tariff)
        if code is None:
            continue
        if getattr(given, price):
            raise bad(
                f"a price stands beside the tariff {code}",
                "give the price, or the tariff it is to be taken from",
            )
        filled: dict[str, Any] = {price: _prices(given, sheet, books, code)}
        given = dataclasses.replace(given, **filled)
    return given


def _prices(given: Labels, sheet: Sheet, books: load.Books, code: str) -> tuple[Dated, ...]:
    """Return the dated prices of a tariff up to the end of the act; those of its days are printed."""
    tariff = books.tariff(code)
    end: date = getattr(given, "end")  # noqa: B009 - every input with a price has an end
    first = getattr(given, "start") or end - _SHOWN  # noqa: B009
    period: str = getattr(given, "tariff_period")  # noqa: B009
    listed = [
        price for price in books.prices(code) if price.component in names.COMPONENTS and price.tier <= 1
    ]
    if books.book_of(code).fictional:
        sheet.warn(
            "电价取自虚构的演示电价簿", "the price is taken from a fictional book, made for demonstration"
        )
    if tariff.tiers is not None:
        sheet.warn("阶梯电价按第一档取价", "of the ladder of prices the first tier is taken")
    edges = {tariff.in_force_from, *(price.in_force_from for price in listed)}
    starts = sorted(day for day in edges if day < end)
    if not starts:
        raise _none(code, end - timedelta(days=1))
    found = []
    for day, until in zip(starts, [*starts[1:], end], strict=True):
        held = [price for price in listed if price.holds(day)]
        taken = _taken(held, period, code, day)
        total = sum((price.price for price in taken), Decimal(0))
        found.append(Dated(total, day))
        if until > first:
            sheet.add(_step(sheet, code, day, taken, total))
            _tell(sheet, taken)
    return tuple(found)


def _tell(sheet: Sheet, taken: list[facts.Price]) -> None:
    """Say where the price of one period was taken for all hours."""
    for price in taken:
        if price.period != "all":
            sheet.warn(
                f"分时电价按 {price.period} 时段取价；时段已知的应分时段计算",
                f"of the prices by hours that of {price.period} is taken; known hours are counted apart",
            )


def _taken(held: Sequence[facts.Price], period: str, code: str, on: date) -> list[facts.Price]:
    """Return one price of each component and item: for all hours, else of the period."""
    if not any(price.component == "energy" for price in held):
        raise _none(code, on)
    taken = []
    for part in dict.fromkeys((price.component, price.item) for price in held):
        own = {price.period: price for price in held if (price.component, price.item) == part}
        chosen = own.get("all") or own.get(period)
        if chosen is None:
            raise bad(
                f"{code} has no {period} price of {part[0]} on {on}",
                f"name one of its periods with --tariff-period: {', '.join(own)}",
            )
        taken.append(chosen)
    return taken


def _step(sheet: Sheet, code: str, day: date, taken: list[facts.Price], total: Decimal) -> Step:
    one_period = next((price.period for price in taken if price.period != "all"), "")
    period = f" {one_period}" if one_period else ""
    cited = [_citation(price) for price in taken]
    return Step(
        name=Words(f"电价 {code}{period}（{day} 起）", f"Price of {code}{period} since {day}"),
        formula=Words(
            "p = " + " + ".join(names.COMPONENTS[price.component] for price in taken),
            "p = " + " + ".join(price.component for price in taken),
        ),
        working=same(" + ".join(shown(price.price) for price in taken)),
        result=total,
        unit="CNY/kWh",
        law=tuple(dict.fromkeys(sheet.cite(one) for one in cited)),
    )


def _citation(price: facts.Price) -> Citation:
    return Citation(
        name=f"tariff.{price.component}" + (f".{price.item}" if price.item else ""),
        value=shown(price.price),
        unit=price.unit,
        document=Words(price.document.title.zh, price.document.title.en),
        number=price.document.number,
        clause=price.clause,
        evidence=price.evidence,
        provisional=price.provisional,
        in_force_from=price.in_force_from,
        in_force_to=price.in_force_to,
    )


def _none(code: str, on: date) -> errors.DataError:
    return errors.DataError(
        f"the tariff {code} holds no energy price for {on}",
        why="every kWh has the price of its day; a market customer's stands in his settlement",
        mend="give --price, or name a tariff in force on those days; `mingcha tariffs list` shows them",
    )
