"""All calculators by name, and the one door to them: values in, worksheet out."""

from __future__ import annotations

import dataclasses
import decimal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import mingcha
from mingcha.kernel import errors
from mingcha.recovery import asking, tariffprice
from mingcha.recovery.kinds import (
    category,
    ct_pt_failure,
    fuse,
    late_fee,
    lost_current,
    lost_voltage,
    meter_error,
    missed_reading,
    moved,
    multiplier,
    normal_month,
    over_capacity,
    private_connection,
    pt_drop,
    sealed,
    theft,
    wiring,
)
from mingcha.recovery.lawbook import Law
from mingcha.recovery.model import Words, Worksheet
from mingcha.recovery.sheet import Sheet

if TYPE_CHECKING:
    from mingcha.tariffbook import load


@dataclass(frozen=True)
class Calculator:
    """One kind of worksheet: its name, title, what it asks for, how it computes."""

    kind: str
    title: Words
    topic: str
    given: type[asking.Labels]
    compute: Callable[[Any, Sheet], Worksheet]
    not_covered: tuple[Words, ...]


#: In the order of the articles: errors of metering, readings, breaches of contract, theft, late payment.
_MODULES = (
    meter_error, pt_drop, normal_month, wiring, fuse, ct_pt_failure, lost_voltage, lost_current, multiplier,
    missed_reading, category, over_capacity, sealed, moved, private_connection, theft, late_fee,
)  # fmt: skip
CALCULATORS: dict[str, Calculator] = {
    module.KIND: Calculator(
        kind=module.KIND,
        title=module.TITLE,
        topic=module.TOPIC,
        given=module.Given,
        compute=module.compute,
        not_covered=module.NOT_COVERED,
    )
    for module in _MODULES
}


def calculator(kind: str) -> Calculator:
    """Return the calculator of that name; raises Refusal naming the ones there are."""
    if kind not in CALCULATORS:
        raise errors.Refusal(
            f"there is no calculator {kind}",
            why="each kind of claim has its own article and formula",
            mend=f"choose one of {', '.join(CALCULATORS)}",
        )
    return CALCULATORS[kind]


def work(
    kind: str,
    values: Mapping[str, Any],
    *,
    books: load.Books,
    where: str = "recover",
    sources: Mapping[str, str] | None = None,
    made_on: date | None = None,
) -> Worksheet:
    """Return the worksheet of a kind from values by outside key, as `asking.read` takes them.

    `sources` says for a key where its value comes from; `made_on` is printed. Raises DataError or Refusal for
    inputs that cannot be used, BookError for a law that is not in the book.
    """
    chosen = calculator(kind)
    given = asking.read(chosen.given, values, where=where)
    sheet = Sheet(kind=kind, title=chosen.title, given=given, law=Law(books), sources=sources or {})
    try:
        made = chosen.compute(tariffprice.fill(given, sheet, books), sheet)
    except decimal.InvalidOperation as error:
        raise errors.DataError(
            f"{where}: the numbers are too large to be computed to the cent",
            why="a result with more than 28 digits would be cut unseen",
            mend="check the units of the inputs: kWh, kVA, CNY",
        ) from error
    return dataclasses.replace(made, made_on=made_on, version=mingcha.__version__)
