"""How one column of the contract is made from one value of a source: SQL for the value and for its faults.

A conversion takes what is given by the source, and goes by steps, each SQL over the names of those before:
the value read (cleaned, its codes translated), for numbers their plain form, and last the typed value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal

from mingcha.contract import model
from mingcha.store import duck

#: Money, prices and multipliers are not rounded on the way in: a fen that vanishes is a wrong book.
EXACT = frozenset({"money", "price", "ratio"})
ZONED = "TIMESTAMP WITH TIME ZONE"
MOMENTS = frozenset({"DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"})
INTEGERS = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
     "UHUGEINT"}
)  # fmt: skip
#: Earlier days are the zeros of programs (1899-12-30, 0001-01-01), not days of a utility.
FIRST_DAY = "1900-01-01"
_TEXTS = frozenset({"id", "text", "enum", "list"})
_DAYS = frozenset({"date", "timestamp", "billing_period"})
#: What a double may differ from a decimal and still be that decimal.
_NOISE = "4e-15"
#: Values that are multiplied first: 20 whole digits, 9 decimals.
_WIDE = "DECIMAL(29,9)"
_PRODUCT = "DECIMAL(38,18)"


@dataclass(frozen=True, slots=True)
class Origin:
    """The value a column is made from: SQL, its DuckDB type, and what the mapping says about it."""

    sql: str
    type: str
    values: tuple[tuple[str, str | None], ...] | None = None
    factor: Decimal | None = None
    strip: tuple[str, ...] = ()
    date_format: str | None = None
    checked: str | None = None
    """SQL that is NULL exactly when computing the value fails; None when it cannot fail."""
    header: str = ""
    """The source column as people know it."""

    @property
    def plain(self) -> bool:
        """Whether the value is taken as it is."""
        said = self.values is not None or self.factor is not None or self.strip or self.date_format
        return not said and self.checked is None


@dataclass(slots=True)
class Conversion:
    """Steps and faults of one column; `raw` and `typed` are the names of the value read and the result."""

    column: model.Column
    place: int
    given: list[tuple[str, str]] = field(default_factory=list)
    """Names and SQL over the source itself."""
    steps: list[tuple[str, str]] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)
    """(reason code, condition), in the order they are looked for."""
    rounded: str | None = None
    """Condition under which decimals were lost; for exact columns that is a fault instead."""
    raw: str = ""
    typed: str = ""

    def give(self, letter: str, sql: str) -> str:
        """Add a value of the source and return its name."""
        name = f"{letter}{self.place}"
        self.given.append((name, sql))
        return name

    def step(self, letter: str, sql: str) -> str:
        """Add a step and return its name."""
        name = f"{letter}{self.place}"
        self.steps.append((name, sql))
        return name

    def fault(self, code: str, condition: str | None) -> None:
        """Add a fault, unless the condition cannot arise (None)."""
        if condition is not None:
            self.faults.append((code, condition))


def conversion(
    *, column: model.Column, origin: Origin, place: int, zone: str, required: bool, key: bool
) -> Conversion:
    """Return how `column` is made from `origin`; `place` makes its names unique among those of a row.

    `required` says that it must not be null, `key` that it is part of the table's key.
    """
    made = Conversion(column=column, place=place)
    text = _read(made, origin)
    if column.type in ("id", "text"):
        made.typed = made.raw
        made.fault("bad_type", f"mc_mangled({made.raw})" if column.type == "id" else None)
    elif column.type in ("enum", "list"):
        _coded(made)
    elif column.type == "bool":
        made.typed = made.step("t", f"mc_bool({made.raw})" if text else made.raw)
        made.fault("bad_type", _unread(made))
    elif column.type in _DAYS:
        _moment(made, origin, text=text, zone=duck.literal(zone))
    else:
        _number(made, origin, text=text)
    _range(made)
    if key or required:
        nothing = f"{made.raw} IS NULL AND {made.typed} IS NULL"
        made.fault("missing_key" if key else "null_not_allowed", nothing)
    return made


def is_number(kind: str) -> bool:
    """Return whether a DuckDB type is numeric."""
    return kind in INTEGERS or kind in ("DOUBLE", "FLOAT") or kind.startswith("DECIMAL")


def decimal_shape(kind: str) -> tuple[int, int] | None:
    """Return width and scale of a DECIMAL type, None for another type."""
    match = re.fullmatch(r"DECIMAL\((\d+),\s*(\d+)\)", kind)
    return (int(match.group(1)), int(match.group(2))) if match else None


def _unread(made: Conversion) -> str:
    return f"{made.raw} IS NOT NULL AND {made.typed} IS NULL"


# ── the value read ───────────────────────────────────────────────────────────────────────────────────


def _read(made: Conversion, origin: Origin) -> bool:
    """Add the steps up to the value read; return whether it is text (and not a typed value)."""
    sql, kind = origin.sql, origin.type
    given = made.give("g", f"TRY(decode({sql}))" if kind == "BLOB" else sql)
    if kind == "BLOB":
        made.fault("bad_encoding", f"{given} IS NULL AND {made.give('b', sql)} IS NOT NULL")
    if origin.checked is not None:
        made.fault("bad_type", f"{made.give('e', origin.checked)} IS NULL")
    if not _is_text(made.column, origin):
        made.raw = given
        return False
    if is_number(kind):
        given = made.step("h", f"mc_name_of_number({_whole(given, kind)})")
    elif kind not in ("VARCHAR", "BLOB"):
        given = made.step("h", f"CAST({given} AS VARCHAR)")
    made.raw = made.step("r", f"mc_clean({given})")
    if origin.strip:
        words = duck.literal(r"\s*(" + "|".join(re.escape(word) for word in origin.strip) + ")$")
        made.raw = made.step("s", f"regexp_replace({made.raw}, {words}, '')")
    if origin.values is not None:
        made.raw = made.step("v", _mapped(made.raw, dict(origin.values)))
    return True


def _is_text(column: model.Column, origin: Origin) -> bool:
    kind = origin.type
    if origin.values is not None or origin.strip or origin.date_format or kind == "FLOAT":
        return True
    if is_number(kind):
        return column.type in _TEXTS or column.type in _DAYS or column.type == "bool"
    if kind in MOMENTS or kind == ZONED:
        return column.type not in _DAYS
    return not (kind == "BOOLEAN" and column.type == "bool")


def _whole(sql: str, kind: str) -> str:
    """Return SQL in which a whole double is an integer, so that it is written without an exponent."""
    if kind not in ("DOUBLE", "FLOAT"):
        return sql
    whole = f"CASE WHEN {sql} = trunc({sql}) AND abs({sql}) < 9e15 THEN CAST({sql} AS BIGINT) END"
    return f"coalesce(CAST({whole} AS VARCHAR), CAST({sql} AS VARCHAR))"


def _mapped(raw: str, values: dict[str, str | None]) -> str:
    branches = [
        f"WHEN {raw} = {duck.literal(key)} THEN {_literal(value)}"
        for key, value in values.items()
        if key not in ("*", "")
    ]
    other = _literal(values["*"]) if "*" in values else raw
    return f"CASE WHEN {raw} IS NULL THEN {_literal(values.get(''))} {' '.join(branches)} ELSE {other} END"


def _literal(value: str | None) -> str:
    return "CAST(NULL AS VARCHAR)" if value is None else duck.literal(value)


# ── the typed value ──────────────────────────────────────────────────────────────────────────────────


def _coded(made: Conversion) -> None:
    raw, column = made.raw, made.column
    codes = ", ".join(duck.literal(code) for code in column.enum)
    if column.type == "list":
        made.typed = made.step("t", rf"regexp_replace({raw}, '\s*[,，、;；]\s*', ',', 'g')")
        known = f"list_filter(string_split({made.typed}, ','), lambda v: v NOT IN ({codes}))"
        made.fault("unknown_enum", f"len({known}) > 0" if codes else None)
        return
    titles = [
        f"WHEN {duck.literal(title)} THEN {duck.literal(code)}" for title, code in titles_of(column).items()
    ]
    named = f"CASE {raw} {' '.join(titles)} END" if titles else "NULL"
    made.typed = made.step("t", f"CASE WHEN {raw} IN ({codes}) THEN {raw} ELSE {named} END")
    made.fault("unknown_enum", _unread(made))


def titles_of(column: model.Column) -> dict[str, str]:
    """Return the Chinese words that stand for exactly one code of an enum column, and that code."""
    words: dict[str, list[str]] = {}
    for code, label in column.labels.items():
        words.setdefault(label.zh, []).append(code)
    return {word: codes[0] for word, codes in words.items() if len(codes) == 1 and word not in column.labels}


def _moment(made: Conversion, origin: Origin, *, text: bool, zone: str) -> None:
    raw, column = made.raw, made.column
    month = column.type == "billing_period"
    if not text:
        value = f"timezone({zone}, {raw})" if origin.type == ZONED else raw
    elif origin.date_format is not None:
        value = f"try_strptime(mc_plain({raw}), {duck.literal(origin.date_format)})"
    else:
        plain = made.step("p", f"mc_plain({raw})")
        value = f"mc_month_of({plain}, {zone})" if month else f"mc_moment_of({plain}, {zone})"
    if month and text and origin.date_format is None:
        made.typed = made.step("t", value)
    elif month:
        made.typed = made.step("t", f"strftime({value}, '%Y-%m')")
    else:
        made.typed = made.step("t", f"TRY_CAST({value} AS {column.sql_type})")
    made.fault("bad_date", _unread(made))
    if not month:
        last = "9999-12-31" if column.type == "date" else "9999-12-31 23:59:59.999999"
        made.fault("out_of_range", f"{made.typed} NOT BETWEEN '{FIRST_DAY}' AND '{last}'")
    else:
        made.fault("out_of_range", f"{made.typed} NOT BETWEEN '1900-01' AND '9999-12'")


def _number(made: Conversion, origin: Origin, *, text: bool) -> None:
    column, number = made.column, made.raw
    if text:
        number = made.step("n", f"mc_number_of({made.step('p', f'mc_plain({made.raw})')})")
        made.fault("bad_type", f"{made.raw} IS NOT NULL AND {number} IS NULL")
    elif not is_number(origin.type):  # a moment or a yes is no number
        number = made.step("n", "CAST(NULL AS DECIMAL(18,2))")
        made.fault("bad_type", f"{made.raw} IS NOT NULL")
    elif origin.type == "DOUBLE":
        made.fault("bad_type", f"isnan({number}) OR isinf({number})")
    finite = f"isfinite({number})" if origin.type == "DOUBLE" and not text else f"{number} IS NOT NULL"
    if origin.factor is not None:
        number = _multiplied(made, number, origin.factor, text=text)
    scale = column.scale or 0
    cast = f"TRY_CAST({number} AS DECIMAL(28,9))" if column.scale is None else number
    made.typed = made.step("t", f"TRY_CAST({cast} AS {column.sql_type})")
    made.fault("out_of_range", f"{finite} AND {made.typed} IS NULL")
    inexact = _inexact(made, number, origin, text=text, scale=scale)
    if column.type in EXACT or column.scale is None:
        made.fault("bad_type", inexact)
    else:
        made.rounded = inexact


def _multiplied(made: Conversion, number: str, factor: Decimal, *, text: bool) -> str:
    _, digits, exponent = factor.as_tuple()
    assert isinstance(exponent, int)
    scale = max(0, -exponent)
    width = max(len(digits) + max(0, exponent), scale + 1)
    if text:
        made.fault("bad_type", rf"regexp_matches({number}, '\.\d{{9}}\d*[1-9]')")
    factor_sql = f"CAST('{format(factor, 'f')}' AS DECIMAL({width},{scale}))"
    product = f"TRY(CAST({number} AS {_WIDE}) * {factor_sql})"
    return made.step("m", f"TRY_CAST({product} AS {_PRODUCT})")


def _inexact(made: Conversion, number: str, origin: Origin, *, text: bool, scale: int) -> str | None:
    """Return the condition under which the typed value is not exactly the number given."""
    if origin.factor is not None:
        return f"{number} <> CAST({made.typed} AS {_PRODUCT})"
    if text:
        tail = rf"\.\d{{{scale}}}\d*[1-9]"
        return f"regexp_matches({number}, '{tail}')"
    if origin.type == "DOUBLE":
        return f"abs(CAST({made.typed} AS DOUBLE) - {number}) > abs({number}) * {_NOISE}"
    shape = decimal_shape(origin.type)
    if shape is not None and shape[1] > scale:
        return f"{number} <> CAST({made.typed} AS DECIMAL(38,{shape[1]}))"
    return None


def _range(made: Conversion) -> None:
    """Add the faults of values outside what the contract calls plausible."""
    column, typed = made.column, made.typed
    if column.allowed:
        values = ", ".join(format(value, "f") for value in column.allowed)
        made.fault("out_of_range", f"{typed} NOT IN ({values})")
        return
    if column.lower is not None:
        made.fault("out_of_range", f"{typed} < {format(column.lower, 'f')}")
    if column.upper is not None:
        made.fault("out_of_range", f"{typed} > {format(column.upper, 'f')}")
