"""What the contract's files must get right beyond their shape, each mistake in plain words."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

import pydantic

from mingcha.contract import model

#: A longer value is left out of a message: the place is enough to find it.
_SHOWN = 60
#: What pydantic's kinds of mistake are called here.
_SAID = {
    "extra_forbidden": "unknown key `{key}`",
    "missing": "`{key}` is missing",
    "model_type": "`{key}` is not a mapping of keys to values",
    "dict_type": "`{key}` is not a mapping of keys to values",
    "tuple_type": "`{key}` is not a list",
    "too_short": "`{key}` is empty",
}
_PATTERNS = {
    model.NAME_PATTERN: "not a name of small letters, digits and _ that begins with a letter",
    model.FILLED_PATTERN: "which is empty or has a space at an end",
}
_HAN = re.compile(r"[\u4e00-\u9fff]")
_PERIOD = re.compile(r"^\d{4}-(0[1-9]|1[0-2])$")
_PARTITION = re.compile(r"^(?:month\((?P<moment>[a-z0-9_]+)\)|(?P<period>[a-z0-9_]+))$")
_NUMERIC = frozenset(
    {name for name, sql_type in model.SQL_TYPES.items() if sql_type.startswith("DECIMAL")} | {"int"}
)


def shape_mistakes(*, error: pydantic.ValidationError, file: str, data: Any) -> list[str]:
    """Return one line per mistake of shape: unknown keys, missing keys, values of the wrong kind."""
    return [f"{file}: {_place(item['loc'], data)}{_words(item)}" for item in error.errors()]


def table_mistakes(*, table: model.Table, file: str) -> list[str]:
    """Return the mistakes inside one table: columns, key, storage, sets of values, examples, words."""
    found = []
    if file != f"{table.name}.yaml":
        found.append(f"the file is named {file} but describes the table `{table.name}`")
    if table.derived != (table.group == model.DERIVED):
        found.append("a table is `derived: true` exactly when its group is `derived`")
    found += _repeated(table)
    found += _key_mistakes(table)
    found += _storage_mistakes(table)
    found += _missing_chinese("title", table.title.zh)
    found += _missing_chinese("description", table.description.zh)
    for column in table.columns:
        found += [f"column {column.name}: {mistake}" for mistake in _column_mistakes(column)]
    return [f"{file}: {mistake}" for mistake in found]


def frame_mistakes(*, frame: model.Frame, tables: dict[str, model.Table], files: set[str]) -> list[str]:
    """Return where the groups of `contract.yaml`, the tables and the table `files` disagree.

    A table whose file could not be read has been reported already and is not reported as missing.
    """
    titles = Counter(words for table in tables.values() for words in (table.title.zh, table.title.en))
    listed = Counter(name for entry in frame.groups.values() for name in entry.tables)
    found = [f"the table `{name}` is listed {times} times" for name, times in listed.items() if times > 1]
    found += [f"the table title `{title}` stands {n} times" for title, n in titles.items() if n > 1]
    for group, entry in frame.groups.items():
        for name in entry.tables:
            if name not in files:
                found.append(f"group {group} lists `{name}`, which has no file in tables/")
            elif name in tables and tables[name].group != group:
                found.append(f"group {group} lists `{name}`, whose file says group {tables[name].group}")
    found += [f"no group lists the table `{name}`" for name in sorted(files) if name not in listed]
    return [f"contract.yaml: {mistake}" for mistake in found]


def reference_mistakes(*, tables: dict[str, model.Table], files: set[str]) -> list[str]:
    """Return the references that lead nowhere, or not to a part of a key.

    References into a table whose file could not be read are not judged.
    """
    return [
        f"{table.name}.yaml: column {column.name}: {mistake}"
        for table in tables.values()
        for column in table.columns
        if column.ref is not None
        for mistake in _ref_mistakes(column.ref, tables, files)
    ]


def _ref_mistakes(ref: str, tables: dict[str, model.Table], files: set[str]) -> list[str]:
    name, _, target = ref.partition(".")
    if not target:
        return [f"the reference `{ref}` is not written as table.column"]
    table = tables.get(name)
    if table is None:
        return [] if name in files else [f"the reference `{ref}` names an unknown table"]
    if target not in table.by_name:
        return [f"the reference `{ref}` names an unknown column"]
    if target not in table.key:
        return [f"the reference `{ref}` does not point to a key column"]
    return []


def _repeated(table: model.Table) -> list[str]:
    found = []
    for what, values in (
        ("column", [column.name for column in table.columns]),
        ("Chinese title", [column.zh for column in table.columns]),
        ("English title", [column.en.casefold() for column in table.columns]),
    ):
        found += [f"the {what} `{v}` stands {n} times" for v, n in Counter(values).items() if n > 1]
    return found


def _key_mistakes(table: model.Table) -> list[str]:
    found = []
    for name in table.key:
        column = table.by_name.get(name)
        if column is None:
            found.append(f"the key names the unknown column `{name}`")
        elif column.nullable:
            found.append(f"the key column `{name}` may not be null")
    return found + [f"the key names `{n}` twice" for n, times in Counter(table.key).items() if times > 1]


def _storage_mistakes(table: model.Table) -> list[str]:
    found = [f"storage sorts by the unknown column `{n}`" for n in table.sort if n not in table.by_name]
    if table.partition is None:
        return found
    match = _PARTITION.match(table.partition)
    column = table.by_name.get(table.partition_column or "")
    if match is None or column is None:
        return [*found, f"storage is partitioned by `{table.partition}`, which is no column or month(column)"]
    wanted = ("date", "timestamp") if match.group("moment") else ("billing_period",)
    if column.type not in wanted:
        found.append(f"the partition column `{column.name}` is {column.type}, not {' or '.join(wanted)}")
    if column.nullable:
        found.append(f"the partition column `{column.name}` may not be null")
    return found


def _column_mistakes(column: model.Column) -> Iterable[str]:
    if column.type == "enum" and not column.labels:
        yield "an enum needs its values under `enum`"
    for language in ("zh", "en"):
        words = Counter(getattr(label, language) for label in column.labels.values())
        yield from (f"the words `{word}` stand for {n} values" for word, n in words.items() if n > 1)
    if column.type != "enum" and column.labels:
        yield f"only an enum has values under `enum`, this is {column.type}"
    if column.type in model.MEASURED and column.unit is None:
        yield f"a value of type {column.type} needs a unit"
    bounded = column.allowed or column.lower is not None or column.upper is not None
    if bounded and column.type not in _NUMERIC:
        yield f"only a number has bounds or allowed values, this is {column.type}"
    if column.allowed and (column.lower is not None or column.upper is not None):
        yield "either allowed values or bounds, not both"
    if column.lower is not None and column.upper is not None and column.lower > column.upper:
        yield f"min {column.lower} is above max {column.upper}"
    yield from _missing_chinese("title", column.zh)
    if column.note is not None:
        yield from _missing_chinese("note", column.note.zh)
    problem = _example_problem(column)
    if problem:
        yield f"the example `{column.example}` {problem}"


def _missing_chinese(what: str, text: str) -> list[str]:
    return [] if _HAN.search(text) else [f"the Chinese {what} `{text}` has no Chinese in it"]


def _example_problem(column: model.Column) -> str | None:
    value = column.example
    if column.type == "enum":
        return None if value in column.labels else "is not one of its values"
    if column.type == "bool":
        return None if value in ("true", "false") else "is neither true nor false"
    if column.type == "billing_period":
        return None if _PERIOD.match(value) else "is not written as YYYY-MM"
    if column.type in ("date", "timestamp"):
        return _moment_problem(value, column.type)
    if column.type in _NUMERIC:
        return _number_problem(column, value)
    return None


def _moment_problem(value: str, kind: str) -> str | None:
    form = "%Y-%m-%d" if kind == "date" else "%Y-%m-%d %H:%M:%S"
    try:
        datetime.datetime.strptime(value, form)  # noqa: DTZ007 - local time of the organisation
    except ValueError:
        return "is not written as " + ("YYYY-MM-DD" if kind == "date" else "YYYY-MM-DD hh:mm:ss")
    return None


def _number_problem(column: model.Column, value: str) -> str | None:
    try:
        number = Decimal(value)
    except InvalidOperation:
        return "is not a number"
    if not number.is_finite() or not _fits(number, column):
        return f"does not fit {column.sql_type}"
    if column.allowed and number not in column.allowed:
        return "is not one of the allowed values"
    low, high = column.min, column.max
    if (low is not None and number < low) or (high is not None and number > high):
        return "lies outside its bounds"
    return None


def _fits(number: Decimal, column: model.Column) -> bool:
    exponent = number.as_tuple().exponent
    decimals = max(0, -exponent) if isinstance(exponent, int) else 0
    if column.scale is None:
        return decimals == 0 and abs(number) < 2**31
    width = int(column.sql_type.removeprefix("DECIMAL(").split(",", maxsplit=1)[0])
    return decimals <= column.scale and abs(number) < 10 ** (width - column.scale)


def _place(location: tuple[int | str, ...], data: Any) -> str:
    """Return "column multiplier: note: " for ("columns", 3, "note", "zh"); the last key is said in words."""
    parts, value = [], data
    for step in location[:-1]:
        value = _step(value, step)
        if isinstance(step, int):
            name = value.get("name") if isinstance(value, dict) else None
            parts.append(f"column {name}" if name else f"entry {step + 1}")
        elif step != "columns":
            parts.append(str(step))
    return "".join(f"{part}: " for part in parts)


def _step(value: Any, step: int | str) -> Any:
    try:
        return value[step]
    except (KeyError, IndexError, TypeError):
        return None


def _words(item: Any) -> str:
    key = item["loc"][-1] if item["loc"] else "the file"
    said = _SAID.get(item["type"])
    if said is not None:
        return said.format(key=key)
    if item["type"] == "literal_error":
        what = "the name" if key == "[key]" else f"`{key}`"
        return f"{what} is {item['input']!r}, not one of {item['ctx']['expected']}"
    if item["type"] == "string_pattern_mismatch":
        rule = _PATTERNS[item["ctx"]["pattern"]]
        return f"`{key}` is {item['input']!r}, {rule}"
    found = repr(item["input"])
    shown = f" (found {found})" if len(found) <= _SHOWN else ""
    return f"`{key}`: {str(item['msg']).removeprefix('Value error, ')}{shown}"
