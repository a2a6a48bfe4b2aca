"""Values of spreadsheets and databases as text, exactly: what a careful clerk would have typed."""

from __future__ import annotations

import datetime
import math
from decimal import Decimal
from zoneinfo import ZoneInfo


def text_of(value: object, *, zone: ZoneInfo) -> str | None:
    """Return `value` as text that reads back as the same value; None stays None.

    Moments with an offset become local time of `zone`. Binary fractions are given with the 15 digits a
    spreadsheet shows and a double holds for certain: 0.1 + 0.2 is 0.3, and 12.3 stays 12.3.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, float):
        return _fraction(value)
    if isinstance(value, datetime.datetime):
        return _moment(value, zone)
    if isinstance(value, bytes | bytearray | memoryview):
        return _bytes(bytes(value))
    return str(value)  # whole numbers, days, times, identifiers: Python writes them as everybody does


def _fraction(value: float) -> str:
    """Return a double as a plain decimal.

    >>> _fraction(0.1 + 0.2), _fraction(46023.0), _fraction(1e-05)
    ('0.3', '46023', '0.00001')
    """
    if not math.isfinite(value):
        return str(value)
    text = format(Decimal(format(value, ".15g")), "f")
    return text.removesuffix(".0") if text.endswith(".0") else text


def _moment(value: datetime.datetime, zone: ZoneInfo) -> str:
    if value.tzinfo is not None:
        value = value.astimezone(zone).replace(tzinfo=None)
    return value.isoformat(sep=" ")


def _bytes(value: bytes) -> str:
    """Return one byte (a MySQL bit) as its number, other bytes as text if they are UTF-8, else as hex."""
    if len(value) == 1 and value[0] < 2:
        return str(value[0])
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.hex()
