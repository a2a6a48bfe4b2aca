"""What stands in a tariff book file, as strict frozen records; the shape only, meaning is judged in `checks`.

Prices and quantities are quoted texts in the file and Decimal here; a day or a month is a half-open
interval `[in_force_from, in_force_to)`; an hour of the day is a number of minutes since midnight.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

Evidence = Literal["[O]", "[S]", "[D]", "[K+]", "[K?]"]
#: From the strongest to the weakest; the last two print as "to be verified" wherever money is printed.
EVIDENCE: tuple[str, ...] = ("[O]", "[S]", "[D]", "[K+]", "[K?]")
PROVISIONAL = frozenset({"[K+]", "[K?]"})
UsageCategory = Literal[
    "residential", "general", "large_industrial", "agriculture", "school", "ev_charging", "wholesale", "other"
]
Entitlement = Literal[
    "many_members", "low_income", "shared_meter", "public_welfare", "farm_irrigation", "ev_charging",
    "fund_exempt", "surcharge_listed", "other",
]  # fmt: skip
Component = Literal[
    "energy", "transmission", "grid_loss", "system", "fund", "basic_capacity", "basic_demand", "tier",
    "feed_in", "fixed", "surcharge",
]  # fmt: skip
#: What a component may be priced per.
MEASURES: dict[str, tuple[str, ...]] = {
    "basic_capacity": ("kVA·month", "kW·month"),
    "basic_demand": ("kW·month", "kVA·month"),
    "fixed": ("month", "day"),
    **dict.fromkeys(
        ("energy", "transmission", "grid_loss", "system", "fund", "tier", "feed_in", "surcharge"), ("kWh",)
    ),
}
DayKind = Literal["any", "workday", "rest", "holiday"]
#: The kinds a calendar knows; `any` stands for those a season does not name.
DAY_KINDS: tuple[str, ...] = ("workday", "rest", "holiday")
#: The period of a price that does not depend on the hour.
ALL = "all"
FULL_DAY = 24 * 60
#: Prices are kept with eight decimals and ten digits before the point, quantities with four and fourteen.
PRICE_DIGITS = (10, 8)
QUANTITY_DIGITS = (14, 4)
VOLTAGE_DIGITS = (8, 4)
FACTOR_DIGITS = (1, 2)
PERCENT_DIGITS = (5, 4)

NUMBER = re.compile(r"^-?[0-9]+(\.[0-9]+)?\Z")
_CLOCK = re.compile(r"^([01]?\d|2[0-4]):([0-5]\d)$")
_NUMBER_SCHEMA = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}


def _number(value: object, digits: tuple[int, int], what: str) -> Decimal:
    if isinstance(value, Decimal) or (isinstance(value, int) and not isinstance(value, bool)):
        raise ValueError(f'{what} {value} stands without quotes → put it in quotes: "{value}"')
    if not isinstance(value, str) or not NUMBER.match(value):
        raise ValueError(
            f'{value!r} is not {what} → write digits with a point, in quotes, for example "0.5580"'
        )
    whole, _, fraction = value.lstrip("-").partition(".")
    if len(whole) > digits[0] or len(fraction) > digits[1]:
        raise ValueError(
            f"{value} has more digits than are kept → give at most {digits[0]} before the point "
            f"and {digits[1]} after it"
        )
    return Decimal(value)


def _price(value: object) -> Decimal:
    return _number(value, PRICE_DIGITS, "the price")


def _reader(digits: tuple[int, int]) -> BeforeValidator:
    return BeforeValidator(lambda value: _number(value, digits, "the number"))


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _day(value: object) -> object:
    if type(value) is date:
        return value
    raise ValueError(
        f"{value!r} is not a day → write it without quotes as YYYY-MM-DD, for example 2026-08-01"
    )


def _text_value(value: object) -> object:
    if isinstance(value, str) and value.strip():
        if NUMBER.match(value):
            _number(value, PRICE_DIGITS, "the value")
        return value
    raise ValueError(f'the value {value} stands without quotes → put it in quotes: "{value}"')


def _minutes(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 24:
        return value * 60
    match = _CLOCK.match(value) if isinstance(value, str) else None
    if match is not None and (minutes := int(match[1]) * 60 + int(match[2])) <= FULL_DAY:
        return minutes
    raise ValueError(f'{value!r} is not an hour → write 0 to 24, or in quotes with minutes: "6:30"')


def _span(value: object) -> tuple[int, int]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError(f"{value!r} is not from and to → write two hours: [8, 12]")
    start, end = _minutes(value[0]), _minutes(value[1])
    if end <= start:
        raise ValueError(
            f"the hours {value} do not run forward → divide them at midnight: [23, 7] is [23, 24] and [0, 7]"
        )
    return start, end


Quantity = Annotated[Decimal, _reader(QUANTITY_DIGITS), WithJsonSchema(_NUMBER_SCHEMA)]
Voltage = Annotated[Decimal, _reader(VOLTAGE_DIGITS), WithJsonSchema(_NUMBER_SCHEMA)]
Factor = Annotated[Decimal, _reader(FACTOR_DIGITS), WithJsonSchema(_NUMBER_SCHEMA)]
Percent = Annotated[Decimal, _reader(PERCENT_DIGITS), WithJsonSchema(_NUMBER_SCHEMA)]
Day = Annotated[date, BeforeValidator(_day)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
#: An id of the same book, or `book/id` of another one.
Reference = Annotated[str, StringConstraints(pattern=r"^([a-z][a-z0-9_.-]*/)?[A-Za-z0-9][A-Za-z0-9_.-]*$")]
Period = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Filled = Annotated[str, StringConstraints(pattern=r"^\S(.*\S)?$")]
TextValue = Annotated[str, BeforeValidator(_text_value)]
Month = Annotated[int, Field(ge=1, le=12)]
Months = Annotated[tuple[Month, ...], Field(min_length=1), BeforeValidator(_tuple)]
Span = Annotated[
    tuple[int, int],
    BeforeValidator(_span),
    WithJsonSchema(
        {
            "type": "array", "minItems": 2, "maxItems": 2,
            "items": {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 24},
                                {"type": "string", "pattern": _CLOCK.pattern}]},
        }
    ),
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Value:
    """A price as written: one price, one per period, one per tier, or one per period and tier."""

    prices: tuple[tuple[str, tuple[Decimal, ...]], ...]
    tiered: bool

    @property
    def periods(self) -> tuple[str, ...]:
        """Return the periods that have a price; `("all",)` where the hour does not matter."""
        return tuple(period for period, _ in self.prices)

    @property
    def tiers(self) -> int:
        """Return the number of tiers, 0 without tiers."""
        return max(len(steps) for _, steps in self.prices) if self.tiered else 0

    def cells(self) -> Iterator[tuple[str, int, Decimal]]:
        """Yield (period, tier, price); tier is 0 without tiers and counts from 1 with them."""
        for period, steps in self.prices:
            for tier, price in enumerate(steps, start=1 if self.tiered else 0):
                yield period, tier, price


def _value(value: object) -> Value:
    if not isinstance(value, dict):
        return Value(prices=((ALL, _steps(value)),), tiered=isinstance(value, list))
    if not value:
        raise ValueError("no price → give at least one")
    bad = next((period for period in value if not _is_period(period)), None)
    if bad is not None:
        raise ValueError(
            f"{bad!r} is not the name of a period → name periods with small letters (peak, flat, valley); "
            "a price for all hours is written alone"
        )
    tiered = {isinstance(steps, list) for steps in value.values()}
    if len(tiered) > 1:
        raise ValueError("some periods have tiers and some have not → give every period as many prices")
    prices = tuple((period, _steps(steps)) for period, steps in value.items())
    if len({len(steps) for _, steps in prices}) > 1:
        raise ValueError("the periods have different numbers of tiers → give every period as many prices")
    return Value(prices=prices, tiered=tiered == {True})


def _is_period(name: object) -> bool:
    return isinstance(name, str) and name != ALL and re.fullmatch(r"[a-z][a-z0-9_]*", name) is not None


def _steps(value: object) -> tuple[Decimal, ...]:
    if isinstance(value, list):
        if not value:
            raise ValueError("an empty list of tiers → give the price of each tier")
        return tuple(_price(step) for step in value)
    return (_price(value),)


_STEPS_SCHEMA: dict[str, Any] = {
    "anyOf": [_NUMBER_SCHEMA, {"type": "array", "minItems": 1, "items": _NUMBER_SCHEMA}]
}
PriceValue = Annotated[
    Value,
    BeforeValidator(_value),
    WithJsonSchema(
        {
            "description": "one price in quotes, a list of prices per tier, or either by period",
            "anyOf": [
                *_STEPS_SCHEMA["anyOf"],
                {"type": "object", "minProperties": 1, "additionalProperties": _STEPS_SCHEMA},
            ],
        }
    ),
]


class Strict(BaseModel):
    """Base of every record: immutable, no conversion, no unknown key."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Words(Strict):
    """One meaning in both languages."""

    zh: Filled
    en: Filled

    def of(self, language: str) -> str:
        """Return the Chinese words for `zh`, the English ones for anything else."""
        return self.zh if language == "zh" else self.en


class Document(Strict):
    """A document that facts cite: what is printed on it, who knew it when, and how well it was read."""

    id: Identifier
    number: Filled
    title: Words
    issuer: Words | None = None
    issued_on: Day | None = None
    known_on: Day
    evidence: Evidence
    still_valid_on: Day | None = None
    note: Words | None = None


class Dated(Strict):
    """Something in force on the days `[in_force_from, in_force_to)`; an open end is null."""

    in_force_from: Day
    in_force_to: Day | None = None

    def holds(self, day: date) -> bool:
        """Return whether it is in force on `day`."""
        return self.in_force_from <= day and (self.in_force_to is None or day < self.in_force_to)


class Cited(Dated):
    """Something dated that a document says; `evidence` overrules the document's grade."""

    document: Identifier
    clause: str = ""
    evidence: Evidence | None = None
    note: Words | None = None


class ParameterEntry(Cited):
    """One dated value of a parameter, a quoted text, with its unit."""

    value: TextValue
    unit: Filled


class Parameter(Strict):
    """A named single value that changes with the law."""

    name: Identifier
    entries: Annotated[tuple[ParameterEntry, ...], Field(min_length=1), BeforeValidator(_tuple)]


class PriceEntry(Cited):
    """One dated version of a price table: prices by key."""

    values: Annotated[dict[Identifier, PriceValue], Field(min_length=1)]


class PriceTable(Strict):
    """A table of prices of one component, referred to by tariffs with a key."""

    id: Identifier
    component: Component
    item: str = ""
    unit: Filled
    entries: Annotated[tuple[PriceEntry, ...], Field(min_length=1), BeforeValidator(_tuple)]


def _spans(value: object) -> object:
    return {key: _tuple(spans) for key, spans in value.items()} if isinstance(value, dict) else value


class Season(Strict):
    """The hours of each period on one kind of day in some months."""

    months: Months
    days: DayKind = "any"
    hours: Annotated[dict[Period, tuple[Span, ...]], BeforeValidator(_spans)]


class ProgrammeEntry(Cited):
    """One dated version of a programme of hours."""

    ratios: dict[Period, Quantity] | None = None
    floats: Annotated[tuple[Component, ...], BeforeValidator(_tuple)] = ()
    rest: Period | None = None
    seasons: Annotated[tuple[Season, ...], Field(min_length=1), BeforeValidator(_tuple)]

    @property
    def periods(self) -> frozenset[str]:
        """Return the periods that have at least one minute somewhere in the year."""
        return frozenset(period for season in self.seasons for period, _, _ in self.spans(season))

    def spans(self, season: Season) -> list[tuple[str, int, int]]:
        """Return (period, first minute, end minute) of a season in order, `rest` filled in."""
        listed = sorted(
            (start, end, period) for period, spans in season.hours.items() for start, end in spans
        )
        found: list[tuple[str, int, int]] = []
        reached = 0
        for start, end, period in [*listed, (FULL_DAY, FULL_DAY, "")]:
            if self.rest is not None and start > reached:
                found.append((self.rest, reached, start))
            if period:
                found.append((period, start, end))
            reached = max(reached, end)
        return found


class Programme(Strict):
    """A programme of hours (time of use)."""

    id: Identifier
    entries: Annotated[tuple[ProgrammeEntry, ...], Field(min_length=1), BeforeValidator(_tuple)]


class Limit(Strict):
    """Upper ends of the tiers but the last, in kWh: per year (annual) or per month (monthly)."""

    months: Months
    period: Period = ALL
    upto: Annotated[tuple[Quantity, ...], BeforeValidator(_tuple)]


class Household(Strict):
    """What a large household gets on top of every limit."""

    members: Annotated[int, Field(ge=1, le=20)]
    add_kwh: Quantity
    per: Literal["month", "year"] = "month"


class TierEntry(Cited):
    """One dated version of a ladder of tiers."""

    basis: Literal["annual", "monthly"]
    measure: Literal["total", "period"] = "total"
    limits: Annotated[tuple[Limit, ...], Field(min_length=1), BeforeValidator(_tuple)]
    household: Household | None = None

    @property
    def tiers(self) -> int:
        """Return the number of tiers of the season that has most."""
        return max(len(limit.upto) for limit in self.limits) + 1


class Tiers(Strict):
    """A ladder of tiers."""

    id: Identifier
    entries: Annotated[tuple[TierEntry, ...], Field(min_length=1), BeforeValidator(_tuple)]


class PartEntry(Cited):
    """One dated price of a component written inside a tariff."""

    values: PriceValue


class Part(Strict):
    """A component of a tariff: a table (of this book, or `book/id`) and a key, or its own dated prices."""

    price: Reference | None = None
    key: Identifier | None = None
    component: Component | None = None
    item: str = ""
    unit: Filled | None = None
    entries: Annotated[tuple[PartEntry, ...], BeforeValidator(_tuple)] = ()

    @model_validator(mode="after")
    def _one_way(self) -> Part:
        own = (self.component, self.unit, self.entries or None)
        if self.price is not None and self.key is not None and own == (None, None, None) and not self.item:
            return self
        if self.price is None and self.key is None and None not in own:
            return self
        raise ValueError(
            "a component is either price and key, or component, unit and entries → keep one of the two"
        )


class Tariff(Dated):
    """What a customer is billed by: components, hours and tiers under one code."""

    code: Identifier
    title: Words
    known_as: Annotated[tuple[Filled, ...], BeforeValidator(_tuple)] = ()
    usage_categories: Annotated[tuple[UsageCategory, ...], Field(min_length=1), BeforeValidator(_tuple)]
    voltage_kv: Annotated[tuple[Voltage, Voltage | None], BeforeValidator(_tuple)]
    parts: Literal["single", "two"]
    programme: Reference | None = None
    demand_programmes: Annotated[tuple[Reference, ...], BeforeValidator(_tuple)] = ()
    """Programmes whose periods have a maximum demand each, priced under basic_demand by period."""
    tiers: Reference | None = None
    power_factor_base: Annotated[tuple[Component, ...] | None, BeforeValidator(_tuple)] = None
    entitlement: Entitlement | None = None
    price_basis: Literal["regulated", "agent", "market", "utility"]
    components: Annotated[tuple[Part, ...], Field(min_length=1), BeforeValidator(_tuple)]


def _pairs(value: object) -> object:
    if not isinstance(value, dict):
        return value
    return {
        standard: tuple(_tuple(row) for row in rows) if isinstance(rows, list) else rows
        for standard, rows in value.items()
    }


class PowerFactorEntry(Dated):
    """One dated table of the power-factor adjustment: per standard, (power factor, per cent) rows."""

    standards: Annotated[
        dict[str, tuple[tuple[Factor, Percent], ...]], BeforeValidator(_pairs), Field(min_length=1)
    ]


class PowerFactor(Strict):
    """The table of power-factor adjustment: all power factors 0.00 to 1.00 of each standard."""

    document: Identifier
    clause: str = ""
    evidence: Evidence | None = None
    entries: Annotated[tuple[PowerFactorEntry, ...], Field(min_length=1), BeforeValidator(_tuple)]


TransformerRow = Annotated[
    tuple[Filled, Quantity, Quantity, Quantity, Quantity | None, Quantity | None], BeforeValidator(_tuple)
]


class Transformers(Strict):
    """Typical losses: series, kVA, no-load kW, load kW, no-load current %, impedance %."""

    document: Identifier
    clause: str = ""
    evidence: Evidence | None = None
    rows: Annotated[tuple[TransformerRow, ...], Field(min_length=1), BeforeValidator(_tuple)]


class Book(Strict):
    """One file of the tariff book."""

    book: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.-]*$")]
    title: Words
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    fictional: bool = False
    documents: Annotated[tuple[Document, ...], Field(min_length=1), BeforeValidator(_tuple)]
    parameters: Annotated[tuple[Parameter, ...], BeforeValidator(_tuple)] = ()
    prices: Annotated[tuple[PriceTable, ...], BeforeValidator(_tuple)] = ()
    programmes: Annotated[tuple[Programme, ...], BeforeValidator(_tuple)] = ()
    tiers: Annotated[tuple[Tiers, ...], BeforeValidator(_tuple)] = ()
    tariffs: Annotated[tuple[Tariff, ...], BeforeValidator(_tuple)] = ()
    power_factor: PowerFactor | None = None
    transformers: Transformers | None = None

    def document(self, document_id: str) -> Document:
        """Return a document of the book; that it is there has been checked."""
        return next(document for document in self.documents if document.id == document_id)
