"""Values as people read them: numbers with separators and units, days, yes and no, nothing known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from mingcha.findings import words

UNKNOWN = "—"
_PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
_ISO_MOMENT = re.compile(r"^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(\.0+)?$")
_MONEY_UNITS = {"CNY", "元"}
_SPOKEN_UNITS = {"ratio", "count", "text", ""}
_UNITS_ZH = {
    "CNY": "元",
    "days": "天",
    "months": "个月",
    "hours": "小时",
    "minutes": "分钟",
    "periods": "期",
    "percent": "%",
    "CNY/kWh": "元/kWh",
}
_UNITS_EN = {"percent": "%"}


def value(item: Any, *, unit: str = "", language: str = words.ZH, plain: bool = False) -> str:
    """Return a value as a person reads it; `plain` leaves the thousands separators out.

    >>> value(Decimal("12345.6000"), unit="kWh")
    '12,345.6 kWh'
    >>> value(Decimal("8"), unit="CNY", language="en")
    '8.00 CNY'
    >>> value(None), value(True, language="en"), value("2026-03-01T08:00:00")
    ('—', 'yes', '2026-03-01 08:00:00')
    """
    if item is None:
        return UNKNOWN
    if isinstance(item, bool):
        return {True: words.Text("是", "yes"), False: words.Text("否", "no")}[item].of(language)
    text = _bare(item, money=unit in _MONEY_UNITS, plain=plain, language=language)
    return text + _spoken(unit, language)


def fill(template: str, values: Mapping[str, Any], *, units: Mapping[str, str], language: str) -> str:
    """Return a story text with `{names}` filled; a name nobody knows stays as it is, in braces.

    >>> fill("start {a}, end {b}", {"a": Decimal("12.50")}, units={"a": "kWh"}, language="en")
    'start 12.5, end {b}'
    """

    def one(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in values:
            return match.group(0)
        # The sentence itself states the unit where it wants one.
        money = units.get(name, "") in _MONEY_UNITS
        return _bare(values[name], money=money, plain=False, language=language)

    return _PLACEHOLDER.sub(one, template)


def number(item: Decimal | int, *, places: int | None = None) -> str:
    """Return a number with thousands separators; without `places` trailing zeros are dropped.

    >>> number(Decimal("1234567.50")), number(Decimal("1000.00")), number(Decimal("3"), places=2)
    ('1,234,567.5', '1,000', '3.00')
    """
    if places is not None:
        return f"{item:,.{places}f}"
    text = f"{Decimal(item):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _bare(item: Any, *, money: bool, plain: bool, language: str) -> str:
    if item is None or isinstance(item, bool):
        return value(item, language=language)
    if isinstance(item, Decimal | int):
        text = number(item, places=2 if money else None)
        return text.replace(",", "") if plain else text
    if isinstance(item, datetime):
        return item.isoformat(sep=" ", timespec="seconds")
    if isinstance(item, date):
        return item.isoformat()
    if isinstance(item, list | tuple):
        return ", ".join(_bare(each, money=money, plain=plain, language=language) for each in item) or UNKNOWN
    text = str(item)
    moment = _ISO_MOMENT.match(text)
    return f"{moment.group(1)} {moment.group(2)}" if moment else text


def _spoken(unit: str, language: str) -> str:
    if unit in _SPOKEN_UNITS:
        return ""
    spoken = (_UNITS_ZH if language == words.ZH else _UNITS_EN).get(unit, unit)
    return spoken if spoken == "%" else f" {spoken}"
