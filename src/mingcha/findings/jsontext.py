"""JSON with exact numbers: decimals are written and read digit by digit, never through a float."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any


def dumps(value: Any) -> str:
    """Return the JSON text of plain values; Decimals keep their digits, days and moments are ISO.

    >>> dumps({"amount": Decimal("12.30"), "on": date(2026, 3, 1), "none": None})
    '{"amount":12.30,"on":"2026-03-01","none":null}'
    """
    return "".join(_parts(value))


def loads(text: str) -> Any:
    """Return the value of a JSON text, fractions as Decimal.

    >>> loads('{"amount": 12.30}')
    {'amount': Decimal('12.30')}
    """
    return json.loads(text, parse_float=Decimal)


def _parts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return _joined("{", (_pair(key, item) for key, item in value.items()), "}")
    if isinstance(value, list | tuple):
        return _joined("[", (_parts(item) for item in value), "]")
    if isinstance(value, Decimal):
        return [_decimal(value)]
    if isinstance(value, datetime | date):
        return [json.dumps(value.isoformat())]
    return [json.dumps(value, ensure_ascii=False)]


def _pair(key: Any, item: Any) -> list[str]:
    return [json.dumps(str(key), ensure_ascii=False), ":", *_parts(item)]


def _joined(opening: str, items: Any, closing: str) -> list[str]:
    parts = [opening]
    for index, item in enumerate(items):
        if index:
            parts.append(",")
        parts.extend(item)
    parts.append(closing)
    return parts


def _decimal(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError(f"{value} has no place in JSON")
    return format(value, "f")
