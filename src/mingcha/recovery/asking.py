"""What a calculator asks for: fields with words, unit and kind, and the reading of texts into them.

A calculator declares a frozen dataclass whose fields are made by `number`, `day`, `word` …; the same
declaration gives the options of the command line, the keys of an input file and the inputs on the sheet.
"""

from __future__ import annotations

import csv
import dataclasses
import inspect
import io
import itertools
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from mingcha.kernel import errors
from mingcha.kernel.periods import Period
from mingcha.recovery.model import Words

_NUMBER = re.compile(r"^[+-]?\d{1,15}(\.\d{1,12})?$")
_YEARS = (1900, 2199)
_WHY = "a worksheet is shown to a customer; an input that is not understood is not guessed"
Asked = TypeVar("Asked")


@dataclass(frozen=True, slots=True)
class About:
    """What one field is: its key on the outside, words, unit, kind, and what it may be."""

    key: str
    name: Words
    kind: str
    unit: str
    required: bool
    choices: dict[str, str] = dataclasses.field(default_factory=dict)
    many: bool = False
    least: Decimal | None = None
    most: Decimal | None = None
    label: bool = False
    #: The field whose prices are taken from the tariff named here.
    prices: str = ""

    @property
    def option(self) -> str:
        """Return the name of the command-line option."""
        return "--" + self.key.replace("_", "-")


@dataclass(frozen=True, slots=True)
class FileText:
    """A file as it was read: its name for messages, its text."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Dated:
    """A value that holds from a day on; without a day, from the beginning."""

    value: Decimal
    since: date | None = None


@dataclass(frozen=True, slots=True)
class Spell:
    """Energy of some days, kWh, from a reading or a bill."""

    period: Period
    kwh: Decimal


@dataclass(frozen=True, slots=True)
class Reading:
    """The curve of one moment: volts and amperes by phase, power factors by phase or one for all."""

    at: datetime
    volts: tuple[Decimal, Decimal, Decimal]
    amperes: tuple[Decimal, Decimal, Decimal]
    factors: tuple[Decimal, Decimal, Decimal] | None


def number(zh: str, en: str, unit: str, **more: Any) -> Any:
    """Declare a number; `positive=True` refuses zero and less, `least` and `most` bound it."""
    if more.pop("positive", False):
        more["least"] = Decimal("0.000000000001")
    return _field("number", zh, en, unit, more)


def whole(zh: str, en: str, unit: str, **more: Any) -> Any:
    """Declare a whole number."""
    return _field("whole", zh, en, unit, more)


def day(zh: str, en: str, **more: Any) -> Any:
    """Declare a day, YYYY-MM-DD."""
    return _field("day", zh, en, "", more)


def flag(zh: str, en: str, **more: Any) -> Any:
    """Declare a yes or no, no by default."""
    return _field("flag", zh, en, "", {"default": False, **more})


def word(zh: str, en: str, **more: Any) -> Any:
    """Declare a word, one of `choices` where given."""
    return _field("word", zh, en, "", more)


def dated(zh: str, en: str, unit: str, **more: Any) -> Any:
    """Declare values that hold from a day on: `0.65`, or several `2024-07-01=0.68`."""
    return _field("dated", zh, en, unit, {"default": (), "many": True, **more})


def spells(zh: str, en: str, **more: Any) -> Any:
    """Declare a CSV file of energy by days: columns from, to, kwh."""
    return _field("spells", zh, en, "CSV from,to,kwh", {"default": (), **more})


def curve(zh: str, en: str, **more: Any) -> Any:
    """Declare a CSV file of the curve: columns time, ua, ub, uc, ia, ib, ic and pf, or pfa, pfb, pfc."""
    return _field("curve", zh, en, "CSV time,ua,ub,uc,ia,ib,ic[,pf]", {"default": (), **more})


def _field(kind: str, zh: str, en: str, unit: str, more: dict[str, Any]) -> Any:
    default = more.pop("default", MISSING)
    choices = more.pop("choices", {})
    # Choices are code → Chinese word; a plain list of codes is said alike in both languages.
    said = choices if isinstance(choices, dict) else {code: code for code in choices}
    about = {"kind": kind, "name": Words(zh, en), "unit": unit, "choices": said, **more}
    if default is MISSING:
        return dataclasses.field(metadata=about, kw_only=True)
    return dataclasses.field(default=default, metadata=about, kw_only=True)


def fields(asked: type[Any]) -> tuple[tuple[str, About], ...]:
    """Return (attribute, what it is) of every field of a calculator's dataclass, its own ones first."""
    found = []
    for one in dataclasses.fields(asked):
        about = dict(one.metadata)
        about.setdefault("key", one.name)
        found.append((one.name, About(required=one.default is MISSING, **about)))
    own = set(inspect.get_annotations(asked))
    return tuple([one for one in found if one[0] in own] + [one for one in found if one[0] not in own])


def tariff_fields(asked: type[Any]) -> tuple[tuple[str, str], ...]:
    """Return (attribute naming a tariff, attribute its prices go to) of a calculator's dataclass."""
    return tuple((name, about.prices) for name, about in fields(asked) if about.prices)


def read(asked: type[Asked], values: Mapping[str, Any], *, where: str) -> Asked:
    """Return the dataclass filled from values by outside key: texts, numbers, days, lists, FileText.

    `where` names their origin in messages. Raises DataError for a missing, unknown or unreadable value;
    a value of None counts as not given.
    """
    known = {about.key: (name, about) for name, about in fields(asked)}
    given = {key: value for key, value in values.items() if value is not None}
    for key in given:
        if key not in known:
            raise bad(f"{where}: unknown input {key}", f"the inputs are {', '.join(sorted(known))}")
    missing = [about for key, (_, about) in known.items() if about.required and key not in given]
    if missing:
        wanted = ", ".join(f"{one.option} ({one.name.en} {one.name.zh})" for one in missing)
        raise bad(
            f"{where}: not given: {wanted}", "give them as options, or as keys of the file named by --input"
        )
    return asked(**{known[key][0]: _value(known[key][1], value, where) for key, value in given.items()})


def _value(about: About, value: Any, where: str) -> Any:
    place = f"{where}: {about.option}"
    if about.kind == "dated":
        return tuple(
            _dated(about, one, place) for one in (value if isinstance(value, list | tuple) else [value])
        )
    if about.kind == "curve":
        return tuple(_readings(_file(value, place)))
    if about.kind == "spells":
        return tuple(_spells(_file(value, place)))
    return _READERS[about.kind](about, value, place)


def _number(about: About, value: Any, place: str) -> Decimal:
    text = (
        str(value).strip() if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else ""
    )
    if not _NUMBER.match(text):
        raise bad(
            f"{place} {value!r} is not a number",
            f"write digits with a point and without separators, in {about.unit or 'plain numbers'}",
        )
    found = Decimal(text)
    if (about.least is not None and found < about.least) or (about.most is not None and found > about.most):
        least = "above 0" if about.least == Decimal("0.000000000001") else f"at least {about.least}"
        bounds = [least] if about.least is not None else []
        bounds += [f"at most {about.most}"] if about.most is not None else []
        raise bad(f"{place} {text} is out of bounds", f"give a value {' and '.join(bounds)}")
    return found


def _text(value: Any) -> str:
    """Return a text or number as text without blanks around, nothing for a value of another kind."""
    plain = isinstance(value, str | int | Decimal) and not isinstance(value, bool)
    return str(value).strip() if plain else ""


def _whole(about: About, value: Any, place: str) -> int:
    found = _number(about, value, place)
    if found != found.to_integral_value():
        raise bad(
            f"{place} {value} is not a whole number", f"write a whole number of {about.unit or 'pieces'}"
        )
    return int(found)


def _day(about: About, value: Any, place: str) -> date:
    try:
        # ISO knows other ways to write a day; only this one is read.
        text = value if isinstance(value, str) and len(value) == 10 else ""
        found = value if type(value) is date else date.fromisoformat(text)
    except ValueError:
        raise bad(
            f"{place} {value!r} is not a day", "write it as YYYY-MM-DD, for example 2024-06-01"
        ) from None
    if not _YEARS[0] <= found.year <= _YEARS[1]:
        raise bad(f"{place} {found} is not a day of our time", "check the year")
    return found


def _flag(about: About, value: Any, place: str) -> bool:
    if isinstance(value, bool):
        return value
    raise bad(f"{place} {value!r} is neither true nor false", "write true or false")


def _word(about: About, value: Any, place: str) -> str:
    text = (
        str(value).strip() if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else ""
    )
    if not text or (about.choices and text not in about.choices):
        raise bad(
            f"{place} {value!r} is not a choice" if about.choices else f"{place} is not a text",
            f"choose one of {', '.join(about.choices)}" if about.choices else "write a text",
        )
    if any(unicodedata.category(sign).startswith("C") for sign in text):
        raise bad(f"{place} holds a sign that cannot be printed", "write the text without control characters")
    return text


_READERS: dict[str, Callable[[About, Any, str], Any]] = {
    "number": _number,
    "whole": _whole,
    "day": _day,
    "flag": _flag,
    "word": _word,
}


def _dated(about: About, value: Any, place: str) -> Dated:
    if isinstance(value, Mapping):
        if set(value) != {"since", "value"}:
            raise bad(f"{place} {dict(value)} is not a dated value", 'write "2024-07-01=0.68"')
        return Dated(_number(about, value["value"], place), _day(about, value["since"], place))
    since, sign, rest = str(value).partition("=")
    if not sign:
        return Dated(_number(about, value, place))
    return Dated(_number(about, rest, place), _day(about, since.strip(), place))


def _file(value: Any, place: str) -> FileText:
    if isinstance(value, FileText):
        return value
    raise bad(f"{place} {value!r} is not a file that was read", "name a CSV file")


def _rows(file: FileText, needed: tuple[str, ...]) -> list[tuple[str, dict[str, str]]]:
    try:
        return _table(file, needed)
    except csv.Error as error:
        raise bad(f"{file.name} is not CSV: {error}", "save it as CSV with commas, in UTF-8") from None


def _table(file: FileText, needed: tuple[str, ...]) -> list[tuple[str, dict[str, str]]]:
    reader = csv.DictReader(io.StringIO(file.text.removeprefix("\ufeff")))
    heads = [head.strip().lower() for head in reader.fieldnames or []]
    lacking = [name for name in needed if name not in heads]
    if lacking:
        raise bad(
            f"{file.name}: the column {lacking[0]} is missing", f"the first line names {', '.join(needed)}"
        )
    reader.fieldnames = heads
    found = []
    for row in reader:
        place = f"{file.name}:{reader.line_num}"
        if None in row or any(row[name] is None for name in needed):
            raise bad(f"{place} has not as many values as the first line", "give one value per column")
        found.append((place, {key: (value or "").strip() for key, value in row.items()}))
    if not found:
        raise bad(f"{file.name} has no rows", "write one row per reading below the first line")
    return found


def _spells(file: FileText) -> list[Spell]:
    about = About(key="kwh", name=Words("电量", "energy"), kind="number", unit="kWh", required=True)
    found = []
    for place, row in _rows(file, ("from", "to", "kwh")):
        start, end = _day(about, row["from"], place), _day(about, row["to"], place)
        if end <= start:
            raise bad(f"{place}: {start} to {end} holds no day", "to is the day after the last one")
        found.append(Spell(Period(start, end), _number(about, row["kwh"], place)))
    found.sort(key=lambda one: one.period.start)
    for one, other in itertools.pairwise(found):
        if one.period.end is not None and other.period.start < one.period.end:
            raise bad(
                f"{file.name}: two rows hold {other.period.start}", "each day may stand in one row only"
            )
    return found


def _readings(file: FileText) -> list[Reading]:
    about = About(key="", name=Words("", ""), kind="number", unit="V, A or plain numbers", required=True)
    found: list[Reading] = []
    for place, row in _rows(file, ("time", "ua", "ub", "uc", "ia", "ib", "ic")):
        try:
            # The zone is dropped: days are those of the meter's own clock.
            at = datetime.fromisoformat(row["time"]).replace(tzinfo=None)
        except ValueError:
            raise bad(f"{place}: {row['time']!r} is not a moment", "write it as 2024-05-01 00:15") from None
        if found and at <= found[-1].at:
            raise bad(f"{place}: {at} does not come after the row before", "sort the rows by time, each once")
        found.append(
            Reading(
                at=at,
                volts=_three(about, row, ("ua", "ub", "uc"), place),
                amperes=_three(about, row, ("ia", "ib", "ic"), place),
                factors=_factors(about, row, place),
            )
        )
    return found


def _three(about: About, row: dict[str, str], names: tuple[str, str, str], place: str) -> Any:
    return tuple(_number(about, row[name], f"{place}: {name}") for name in names)


def _factors(about: About, row: dict[str, str], place: str) -> Any:
    if "pfa" in row:
        found = _three(about, row, ("pfa", "pfb", "pfc"), place)
    elif row.get("pf"):
        found = (_number(about, row["pf"], f"{place}: pf"),) * 3
    else:
        return None
    if any(not -1 <= one <= 1 for one in found):
        raise bad(f"{place}: a power factor lies outside -1 to 1", "give cos φ, not per cent")
    return found


def bad(what: str, mend: str) -> errors.DataError:
    """Return the error for an input that cannot be used: what is wrong, how to put it right."""
    return errors.DataError(what, why=_WHY, mend=mend)


@dataclass(frozen=True, kw_only=True)
class Labels:
    """What every sheet may carry: whom and which case it is about."""

    customer: str | None = word("用户", "customer, printed on the sheet", default=None, label=True)
    case: str | None = word("案号", "number of the case, printed on the sheet", default=None, label=True)


@dataclass(frozen=True, kw_only=True)
class Window(Labels):
    """The days of the act, when it was found, and how far back one may go."""

    start: date | None = day("起始日", "first day of the act", key="from", default=None)
    end: date = day("更正日", "first day that is right again, not counted", key="to")
    found_on: date | None = day("发现日", "day it was found; default: the day given as --to", default=None)
    market: bool = flag("市场化用户", "the customer buys in the market (look-back of 12 months)")
    lookback_months: int | None = whole(
        "追溯月数", "look-back in months instead of the book's; 0 for no limit", "months", default=None,
        least=Decimal(0),
    )  # fmt: skip

    def __post_init__(self) -> None:
        if self.start is None:
            return
        if self.end <= self.start:
            raise bad(
                f"--from {self.start} --to {self.end} holds no day",
                "give the first day and the day after the last one",
            )
        if self.found_on is not None and self.found_on < self.start:
            raise bad(f"--found-on {self.found_on} lies before the act began", "give the day it was found")

    @property
    def act(self) -> Period:
        """Return the days of the act; raises DataError without a first day."""
        if self.start is None:
            raise bad("--from is not given", "give the first day of the act, YYYY-MM-DD")
        return Period(self.start, self.end)

    @property
    def found(self) -> date:
        """Return the day from which one looks back: found, else the end of the act."""
        return self.found_on or self.end


@dataclass(frozen=True, kw_only=True)
class Priced(Window):
    """A window whose energy has a price, given or taken from a tariff of the book."""

    price: tuple[Dated, ...] = dated(
        "电价",
        "price with funds; several as 2024-07-01=0.68; without it only energy is computed",
        "CNY/kWh",
    )
    tariff: str | None = word(
        "电价代码", "tariff of the tariff book to take the price from", default=None, prices="price"
    )
    tariff_period: str = word(
        "时段", "period of a time-of-use tariff; flat where it is not known", default="flat", label=True
    )


@dataclass(frozen=True, kw_only=True)
class Recorded(Priced):
    """A priced window with recorded energy, as one number or by days."""

    recorded_kwh: Decimal | None = number(
        "期间抄见电量", "energy recorded in the window, spread evenly over its days", "kWh", default=None
    )
    energy: tuple[Spell, ...] = spells("分段抄见电量", "recorded energy by reading period")

    @property
    def recorded(self) -> tuple[Spell, ...]:
        """Return the recorded energy by days; raises DataError unless it was given in exactly one way."""
        return recorded(self.recorded_kwh, self.energy, self.act)


def recorded(total: Decimal | None, rows: tuple[Spell, ...], act: Period) -> tuple[Spell, ...]:
    """Return energy given as one number or as rows; raises DataError unless given in exactly one way."""
    if (total is None) == (not rows):
        raise bad(
            "the recorded energy was given twice or not at all",
            "give either --recorded-kwh or --energy FILE (CSV from,to,kwh)",
        )
    if total is not None:
        return (Spell(act, total),)
    _covers(rows, act)
    return rows


def _covers(rows: tuple[Spell, ...], act: Period) -> None:
    """Raise DataError when a day of the act has no energy."""
    reached = act.start
    for row in rows:
        if row.period.start > reached:
            break
        reached = max(reached, row.period.end or reached)
    if act.end is not None and reached < act.end:
        raise bad(
            f"--energy has no energy for {reached}", f"give rows for every day from {act.start} to {act.end}"
        )


@dataclass(frozen=True, kw_only=True)
class Normal(Recorded):
    """Recorded energy, and a normal month to fall back upon."""

    normal_kwh: Decimal | None = number(
        "正常月电量",
        "energy of a normal month (or normal months together)",
        "kWh",
        default=None,
        least=Decimal(0),
    )
    normal_days: Decimal | None = number(
        "正常月天数", "days of that month (or of those months together)", "d", default=None, positive=True
    )
