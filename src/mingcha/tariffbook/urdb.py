"""A rate of the American Utility Rate Database (JSON of the OpenEI service) as a tariff book.

Covers energy by hour, season and monthly tier, demand of the month and by hour and season, and the fixed
charge. What a rate says beyond that is named: `blocking` where bills of energy or demand would be wrong
without it, else `not_covered`. Nothing is left out silently.

Conventions. `rate` and `adj` of a tier are added. Tier limits count the month's kWh of all hours together;
with prices by hour the energy of a tier is shared over the hours by kWh. Schedules are 12 months × 24 hours;
the weekend's schedule also holds on holidays, since the database does not speak of holidays. Demand is the
highest of the month within the hours of a period. Moments are days in UTC, an end is the first day after.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from mingcha.kernel import errors
from mingcha.tariffbook import writing

_CENTS = Decimal("0.00000001")
_KWH = Decimal("0.0001")
_SECTORS = {"residential": "residential", "commercial": "general", "industrial": "large_industrial"}
_YEAR = tuple(range(1, 13))
_DOCUMENT = "rate"
#: Keys that change a bill and are stated by the schedules, tables and charges below.
_MINIMA = ("minmonthlycharge", "annualmincharge", "mincharge")
_RATCHETS = ("demandratchetpercentage", "lookbackpercent", "lookbackrange")

Row = tuple[int, ...]
Schedule = tuple[Row, ...]
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A rate as the text of a tariff book, and what the text does not say."""

    code: str
    name: str
    text: str
    blocking: tuple[str, ...]
    not_covered: tuple[str, ...]


@dataclass
class _Notes:
    """What was found that cannot be stated."""

    blocking: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)


def read(
    text: str, *, source: str, label: str | None = None, item: int | None = None, since: date | None = None
) -> Imported:
    """Return one rate of a file: the only one, the one of that label, or the item-th from 1.

    `since` stands in for a start the rate does not give. Raises DataError for text that is no such JSON,
    Refusal when it is not clear which rate is meant or since when it is in force.
    """
    rate = _chosen(_rates(text, source), source, label, item)
    notes = _Notes()
    name = str(rate.get("name") or rate.get("label") or "rate").strip()
    start = _day(rate.get("startdate")) or since
    if start is None:
        raise errors.Refusal(
            f"{source}: {name} does not say since when it is in force (startdate)",
            why="prices are chosen by the day",
            mend="give the day: --from YYYY-MM-DD",
        )
    book = _book(rate, source, name, start, notes)
    left = tuple(dict.fromkeys(notes.blocking + notes.other))
    if left:
        said = "Not covered: " + "; ".join(left) + "."
        book["documents"][0]["note"] = writing.words(said)
    head = [
        f"{name}: {rate.get('utility', '')}, from the Utility Rate Database.",
        *(f"Not covered: {w}" for w in left),
    ]
    return Imported(
        code=book["tariffs"][0]["code"],
        name=name,
        text=writing.text(book, head=head),
        blocking=tuple(dict.fromkeys(notes.blocking)),
        not_covered=left,
    )


def _rates(text: str, source: str) -> list[Json]:
    try:
        data = json.loads(text, parse_float=Decimal)
    except (json.JSONDecodeError, RecursionError) as error:
        raise _unreadable(source, f"is not JSON: {error}") from error
    found = data.get("items", [data]) if isinstance(data, dict) else data
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found) or not found:
        raise _unreadable(source, "holds no rates")
    return found


def _unreadable(source: str, what: str) -> errors.DataError:
    return errors.DataError(
        f"{source}: {what}",
        why="a rate is read from the JSON of the rate database",
        mend="save the answer of its service (format=json, detail=full) and name that file",
    )


def _chosen(rates: list[Json], source: str, label: str | None, item: int | None) -> Json:
    if label is not None:
        fitting = [one for one in rates if one.get("label") == label]
    elif item is not None:
        fitting = rates[item - 1 : item]
    else:
        fitting = rates
    if len(fitting) == 1:
        return fitting[0]
    there = ", ".join(
        f"{n}: {one.get('label')} {one.get('name')}" for n, one in enumerate(rates[:5], start=1)
    )
    raise errors.Refusal(
        f"{source}: {len(fitting)} rates fit; it holds {len(rates)} ({there})",
        why="one rate becomes one tariff",
        mend="choose with --label ID or --item N",
    )


def _day(value: object) -> date | None:
    """Return the day of a moment in seconds since 1970, or of a text that begins with YYYY-MM-DD."""
    if isinstance(value, int | Decimal):
        return datetime.fromtimestamp(int(value), tz=UTC).date()
    match = re.match(r"\d{4}-\d\d-\d\d", value) if isinstance(value, str) else None
    return date.fromisoformat(match[0]) if match else None


def _book(rate: Json, source: str, name: str, start: date, notes: _Notes) -> dict[str, Any]:
    """Return the book of one tariff; what cannot be stated is added to `notes`."""
    label = _slug(str(rate.get("label") or name), ".") or "rate"
    end = _day(rate.get("enddate"))
    revisions = [day for one in rate.get("revisions") or () if (day := _day(one))]
    utility = str(rate.get("utility") or "").strip()
    document = {
        "id": _DOCUMENT,
        "number": f"URDB {rate.get('label') or label}",
        "title": writing.words(name),
        **({"issuer": writing.words(utility)} if utility else {}),
        "known_on": min([start, *revisions]),
        "evidence": "[S]" if rate.get("approved") else "[K+]",
    }
    cited = _Cited(since=start, until=end if end is None or end > start else None)
    parts, sections = _parts(rate, source, cited, notes)
    _others(rate, notes)
    demand = any(part["component"] == "basic_demand" for part in parts)
    tariff = {
        "code": f"us.urdb.{label}",
        "title": writing.words(name),
        "known_as": [str(rate["label"])] if rate.get("label") else [],
        "usage_categories": [_SECTORS.get(str(rate.get("sector") or "").lower(), "other")],
        "voltage_kv": _voltage(rate),
        "parts": "two" if demand else "single",
        "in_force_from": cited.since,
        "in_force_to": cited.until,
        **sections.pop("tariff"),
        "price_basis": "utility",
        "components": parts,
    }
    return {
        "book": f"us.urdb.{label}",
        "title": writing.words(f"{utility} {name}".strip()),
        "country": "US",
        "currency": "USD",
        "documents": [document],
        **{key: value for key, value in sections.items() if value},
        "tariffs": [tariff],
    }


@dataclass(frozen=True)
class _Cited:
    """The days of the rate, for its dated entries."""

    since: date
    until: date | None

    def entry(self, clause: str, **values: Any) -> dict[str, Any]:
        """Return one dated entry."""
        return {**writing.dated(self.since, self.until, _DOCUMENT, clause), **values}

    def component(self, component: str, item: str, unit: str, clause: str, values: Any) -> dict[str, Any]:
        """Return one component with one dated price."""
        named = {"component": component, **({"item": item} if item else {}), "unit": f"USD/{unit}"}
        return {**named, "entries": [self.entry(clause, values=values)]}


def _parts(
    rate: Json, source: str, cited: _Cited, notes: _Notes
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    programmes: list[dict[str, Any]] = []
    tiers: list[dict[str, Any]] = []
    named: dict[str, Any] = {}
    energy = _table(rate, "energyratestructure", source)
    if energy:
        schedules = _schedules(rate, "energy", len(energy), source, notes)
        used = _used(schedules)
        labels = _names(used, rate.get("energytoulabels"), "p")
        priced = _energy(energy, schedules, labels, notes)
        if len(used) > 1:
            programmes.append(_programme("hours", cited, "energy schedules", schedules, labels))
            named["programme"] = "hours"
        if priced.limits:
            ladder = cited.entry(
                "energyratestructure", basis="monthly", measure="total", limits=priced.limits
            )
            tiers.append({"id": "monthly", "entries": [ladder]})
            named["tiers"] = "monthly"
        parts.append(cited.component("energy", "", "kWh", "energyratestructure", priced.values))
    else:
        notes.blocking.append("no price of energy is given")
    demand = [*_flat_demand(rate, source, cited, notes), *_period_demand(rate, source, cited, notes)]
    for part, programme in demand:
        parts.append(part)
        if programme is not None:
            programmes.append(programme)
            named.setdefault("demand_programmes", []).append(programme["id"])
    parts.extend(_fixed(rate, cited, notes))
    return parts, {"programmes": programmes, "tiers": tiers, "tariff": named}


@dataclass(frozen=True)
class _Energy:
    """Prices of energy as the book holds them, and the limits of the tiers."""

    values: Any
    limits: list[dict[str, Any]]


def _energy(
    table: list[list[Json]], schedules: tuple[Schedule, Schedule], labels: dict[int, str], notes: _Notes
) -> _Energy:
    for tier in (tier for period in labels for tier in table[period]):
        if str(tier.get("unit") or "kWh") != "kWh":
            notes.blocking.append(f"energy priced per {tier['unit']}, not per kWh of the month")
            break
    ends = {period: _ends(table[period]) for period in labels}
    count = max(len(end) for end in ends.values()) + 1
    limits = _limits(schedules, ends, notes) if count > 1 else []
    prices: dict[str, Any] = {}
    for period, name in labels.items():
        steps = [_price(tier) for tier in table[period]]
        prices[name] = [*steps, *[steps[-1]] * (count - len(steps))] if count > 1 else steps[0]
    return _Energy(values=prices if len(prices) > 1 else next(iter(prices.values())), limits=limits)


def _ends(tiers: list[Json]) -> tuple[Decimal, ...]:
    """Return the upper ends of the tiers but the last, kWh per month."""
    return tuple(_decimal(tier.get("max")).quantize(_KWH, ROUND_HALF_UP) for tier in tiers[:-1])


def _limits(
    schedules: tuple[Schedule, Schedule], ends: dict[int, tuple[Decimal, ...]], notes: _Notes
) -> list[dict[str, Any]]:
    """Return limits by season; periods with one price take those of the others in their months."""
    by_ends: dict[tuple[Decimal, ...], list[int]] = {}
    for month in _YEAR:
        present = {period for schedule in schedules for period in schedule[month - 1]}
        different = {ends[period] for period in present if ends[period]}
        if len(different) > 1:
            notes.blocking.append(f"different tier limits by the hour in month {month}")
        by_ends.setdefault(min(different, default=()), []).append(month)
    return [
        {"months": months, "upto": [writing.number(end) for end in upto]} for upto, months in by_ends.items()
    ]


def _flat_demand(
    rate: Json, source: str, cited: _Cited, notes: _Notes
) -> Iterator[tuple[dict[str, Any], dict[str, Any] | None]]:
    """Yield the charge on the month's highest demand, its price by month."""
    table = _table(rate, "flatdemandstructure", source)
    if not table:
        return
    months = _whole(rate.get("flatdemandmonths") or [0] * 12, 12, len(table), "flatdemandmonths", source)
    prices = {period: _demand_price(table[period], rate, "flatdemand", notes) for period in set(months)}
    if not any(prices.values()):
        return
    if len(set(months)) == 1:
        values: Any = prices[months[0]]
        yield cited.component("basic_demand", "flat", "kW·month", "flatdemandstructure", values), None
        return
    schedule = tuple((period,) * 24 for period in months)
    labels = {period: f"f{period}" for period in sorted(prices)}
    values = {labels[period]: price for period, price in sorted(prices.items()) if price}
    yield (
        cited.component("basic_demand", "flat", "kW·month", "flatdemandstructure", values),
        _programme("demand_months", cited, "flatdemandmonths", (schedule, schedule), labels),
    )


def _period_demand(
    rate: Json, source: str, cited: _Cited, notes: _Notes
) -> Iterator[tuple[dict[str, Any], dict[str, Any] | None]]:
    """Yield the charge on the highest demand within the hours of each period."""
    table = _table(rate, "demandratestructure", source)
    if not table:
        return
    schedules = _schedules(rate, "demand", len(table), source, notes)
    used = _used(schedules)
    prices = {period: _demand_price(table[period], rate, "demand", notes) for period in used}
    if not any(prices.values()):
        return
    labels = _names(used, rate.get("demandlabels"), "d")
    values = {labels[period]: price for period, price in prices.items() if price}
    yield (
        cited.component("basic_demand", "hours", "kW·month", "demandratestructure", values),
        _programme("demand_hours", cited, "demand schedules", schedules, labels),
    )


def _demand_price(tiers: list[Json], rate: Json, kind: str, notes: _Notes) -> Decimal:
    unit = str(rate.get(f"{kind}unit") or rate.get(f"{kind}rateunit") or "kW")
    if len(tiers) > 1:
        notes.blocking.append(f"{kind}: tiers of demand")
    if unit != "kW":
        notes.blocking.append(f"{kind}: demand in {unit}, not in kW")
    return _price(tiers[0])


def _fixed(rate: Json, cited: _Cited, notes: _Notes) -> Iterator[dict[str, Any]]:
    charge = _decimal(rate.get("fixedchargefirstmeter") or rate.get("fixedmonthlycharge"))
    unit = str(rate.get("fixedchargeunits") or "$/month")
    if not charge:
        return
    if unit == "$/year":
        charge, unit = charge / 12, "$/month"
    if unit not in ("$/month", "$/day"):
        notes.blocking.append(f"fixed charge {charge} {unit}")
        return
    value = charge.quantize(_CENTS, ROUND_HALF_UP)
    yield cited.component(
        "fixed", "", unit.removeprefix("$/"), "fixedchargefirstmeter", writing.number(value)
    )


def _others(rate: Json, notes: _Notes) -> None:
    """Name what else is given and would change a bill."""
    for key in _RATCHETS:
        if _any_number(rate.get(key)):
            notes.blocking.append(f"demand also counts earlier months ({key})")
    if _any_number(_numbers(rate.get("fueladjustmentsmonthly"))):
        notes.blocking.append("adjustments of the energy price by month (fueladjustmentsmonthly)")
    if any(_price(tier) for period in rate.get("coincidentratestructure") or () for tier in period):
        notes.blocking.append("demand at the hour of the system's peak (coincidentratestructure)")
    for key in _MINIMA:
        if amount := _decimal(rate.get(key)):
            unit = {"minmonthlycharge": "$/month", "annualmincharge": "$/year"}.get(key) or rate.get(
                "minchargeunits"
            )
            notes.other.append(f"a minimum bill of {amount:f} {unit or '$'} ({key})")
    if amount := _decimal(rate.get("demandreactivepowercharge")):
        notes.other.append(f"a charge on reactive power of {amount:f} $/kvar (demandreactivepowercharge)")
    if amount := _decimal(rate.get("fixedchargeeaaddl")):
        notes.other.append(f"{amount:f} for each further meter (fixedchargeeaaddl)")
    sold = (tier.get("sell") for period in rate.get("energyratestructure") or () for tier in period)
    if rate.get("usenetmetering") or rate.get("dgrules") or _any_number(sold):
        notes.other.append("energy sold back to the utility (dgrules, sell)")
    if _by_weekend(rate, "energy") or _by_weekend(rate, "demand"):
        notes.other.append("holidays: the rate names none; they are taken as weekends")


def _table(rate: Json, key: str, source: str) -> list[list[Json]]:
    found = rate.get(key) or []
    good = isinstance(found, list) and all(
        isinstance(period, list) and period and all(isinstance(tier, dict) for tier in period)
        for period in found
    )
    if not good:
        raise _unreadable(source, f"{key} is not a list of periods with tiers")
    return list(found)


def _schedules(rate: Json, kind: str, periods: int, source: str, notes: _Notes) -> tuple[Schedule, Schedule]:
    """Return the schedules of weekdays and weekends, 12 × 24 numbers of periods."""
    keys = (f"{kind}weekdayschedule", f"{kind}weekendschedule")
    if rate.get(keys[0]) is None and rate.get(keys[1]) is None:
        if periods > 1:
            notes.blocking.append(f"the hours of the {periods} {kind} periods are not given")
        row = tuple((0,) * 24 for _ in _YEAR)
        return row, row
    one, other = (rate.get(key) if rate.get(key) is not None else rate.get(keys[0]) for key in keys)
    weekday = one if one is not None else other
    return _grid(weekday, keys[0], periods, source), _grid(other, keys[1], periods, source)


def _grid(value: object, key: str, periods: int, source: str) -> Schedule:
    if not isinstance(value, list) or len(value) != 12:
        raise _unreadable(source, f"{key} has not one row for each of 12 months")
    return tuple(_whole(row, 24, periods, key, source) for row in value)


def _whole(value: object, size: int, periods: int, key: str, source: str) -> Row:
    numbers = value if isinstance(value, list) else []
    if len(numbers) != size or not all(type(one) is int and 0 <= one < periods for one in numbers):
        raise _unreadable(source, f"{key} is not {size} numbers of periods below {periods}")
    return tuple(numbers)


def _used(schedules: tuple[Schedule, Schedule]) -> list[int]:
    return sorted({period for schedule in schedules for row in schedule for period in row})


def _by_weekend(rate: Json, kind: str) -> bool:
    return bool(rate.get(f"{kind}weekendschedule")) and rate.get(f"{kind}weekendschedule") != rate.get(
        f"{kind}weekdayschedule"
    )


def _names(used: Iterable[int], labels: object, letter: str) -> dict[int, str]:
    """Return names of periods: the database's own words where they tell all periods apart."""
    own = {
        period: _slug(str(labels[period]), "_")
        for period in used
        if isinstance(labels, list) and period < len(labels)
    }
    fit = all(re.fullmatch(r"[a-z][a-z0-9_]*", name) and name != "all" for name in own.values())
    if own and fit and len(own) == len(list(used)) == len(set(own.values())):
        return own
    return {period: f"{letter}{period}" for period in used}


def _programme(
    name: str, cited: _Cited, clause: str, schedules: tuple[Schedule, Schedule], labels: dict[int, str]
) -> dict[str, Any]:
    seasons: list[dict[str, Any]] = []
    by_rows: dict[tuple[Row, Row], list[int]] = {}
    for month, rows in zip(_YEAR, zip(*schedules, strict=True), strict=True):
        by_rows.setdefault(rows, []).append(month)
    for (weekday, weekend), months in by_rows.items():
        seasons.append({"months": months, "days": "any", "hours": _hours(weekday, labels)})
        if weekend != weekday:
            for kind in ("rest", "holiday"):
                seasons.append({"months": months, "days": kind, "hours": _hours(weekend, labels)})
    return {"id": name, "entries": [cited.entry(clause, seasons=seasons)]}


def _hours(row: Row, labels: dict[int, str]) -> dict[str, list[list[int]]]:
    found: dict[str, list[list[int]]] = {}
    start = 0
    for hour in range(1, 25):
        if hour == 24 or row[hour] != row[start]:
            found.setdefault(labels[row[start]], []).append([start, hour])
            start = hour
    return found


def _voltage(rate: Json) -> list[Decimal | None]:
    low = _decimal(rate.get("voltageminimum")) / 1000
    high = _decimal(rate.get("voltagemaximum")) / 1000
    return [writing.number(low.quantize(_KWH)), writing.number(high.quantize(_KWH)) if high > low else None]


def _price(tier: Json) -> Decimal:
    """Return rate + adj with eight decimals."""
    whole = _decimal(tier.get("rate")) + _decimal(tier.get("adj"))
    return writing.number(whole.quantize(_CENTS, ROUND_HALF_UP))


def _decimal(value: object) -> Decimal:
    return Decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else Decimal(0)


def _numbers(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else [value]


def _any_number(value: object) -> bool:
    """Return whether there is a number other than 0 in a value or in lists of values."""
    if isinstance(value, list | Iterator):
        return any(_any_number(one) for one in value)
    return bool(_decimal(value))


def _slug(text: str, sign: str) -> str:
    """Return small letters and digits of a name, `sign` between them.

    >>> _slug("Super Off-Peak", "_")
    'super_off_peak'
    """
    return re.sub(r"[^a-z0-9]+", sign, text.lower()).strip(sign)
