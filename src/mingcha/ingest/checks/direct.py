"""The fast way: Parquet that already has the contract's types is looked at once and passed on as it is.

A column is direct when its stored type can be taken without loss. Conditions that must hold for no row are
then counted in a single pass; if one holds anywhere, the feed takes the general way instead, which reads
more, mends more, and says what is wrong with each row. Both ways accept the same values.
"""

from __future__ import annotations

from collections.abc import Mapping

from mingcha.contract import model
from mingcha.ingest.checks import feeds, sources
from mingcha.ingest.convert import conversion
from mingcha.ingest.mapping import plan
from mingcha.ingest.sources import parts
from mingcha.store import duck

#: Integers that fit DECIMAL(12,4) and wider ones; BIGINT is looked at.
_SMALL = {
    "TINYINT": 3,
    "UTINYINT": 3,
    "SMALLINT": 5,
    "USMALLINT": 5,
    "INTEGER": 10,
    "UINTEGER": 10,
    "BIGINT": 19,
}


def is_direct(feed: plan.Feed, *, table: model.Table, staged: Mapping[int, parts.Staged]) -> bool:
    """Return whether the feed's columns could be taken as they are stored."""
    if feed.where is not None or feed.joins or feed.distinct:
        return False
    if not all(staged[number].in_place for number in feed.parts):
        return False
    return all(
        origin.plain and _conditions(table.by_name[name], origin, "x") is not None
        for name, origin in feed.origins.items()
    )


def suspicion(feed: plan.Feed, *, table: model.Table) -> str:
    """Return the condition, over the feed's source, under which a row needs the general way."""
    found: list[str] = []
    for name, origin in feed.origins.items():
        column = table.by_name[name]
        value = duck.name(origin.header)
        found += _conditions(column, origin, value) or []
        if feeds.is_required(column, table):
            found.append(f"{value} IS NULL")
    return f"coalesce({' OR '.join(found)}, false)"


def source(feed: plan.Feed, *, staged: Mapping[int, parts.Staged]) -> str:
    """Return a SELECT of the feed's source columns under their own names, and the row number."""
    return sources.relation(columns=feed.columns, staged=[staged[number] for number in feed.parts])


def select(feed: plan.Feed, *, columns: tuple[str, ...], table: model.Table, paths: str) -> str:
    """Return a SELECT of the columns of the contract, straight from the files."""
    values = ", ".join(
        f"CAST({duck.name(feed.origins[name].header)} AS {table.by_name[name].sql_type}) AS {duck.name(name)}"
        if name in feed.origins
        else f"CAST(NULL AS {table.by_name[name].sql_type}) AS {duck.name(name)}"
        for name in columns
    )
    return f"SELECT {values} FROM read_parquet({paths})"


def _conditions(column: model.Column, origin: conversion.Origin, value: str) -> list[str] | None:
    """Return what must hold for no row, or None when the type needs converting."""
    kind = origin.type
    if column.sql_type == "VARCHAR":
        return _text(column, value) if kind == "VARCHAR" else None
    if column.type == "bool":
        return [] if kind == "BOOLEAN" else None
    if column.type in ("date", "timestamp"):
        if kind != column.sql_type:
            return None
        last = "9999-12-31" if column.type == "date" else "9999-12-31 23:59:59.999999"
        return [f"{value} NOT BETWEEN '{conversion.FIRST_DAY}' AND '{last}'"]
    return _number(column, kind, value)


def _text(column: model.Column, value: str) -> list[str] | None:
    if column.type == "list":
        return None
    if column.type == "enum":
        codes = ", ".join(duck.literal(code) for code in column.enum)
        return [f"{value} NOT IN ({codes})"]
    if column.type == "billing_period":
        # A cast is looked up once per distinct value; a regular expression is run for every row.
        first = f"coalesce(TRY_CAST({value} || '-01' AS DATE), DATE '0001-01-01')"
        known = f"{first} BETWEEN '{conversion.FIRST_DAY}' AND '9999-12-31'"
        return [f"{value} IS NOT NULL AND NOT {known}", f"strlen({value}) <> 7"]
    return [f"mc_dirty({value})", *([f"contains({value}, 'E+')"] if column.type == "id" else [])]


def _number(column: model.Column, kind: str, value: str) -> list[str] | None:
    shape = conversion.decimal_shape(column.sql_type) or (10, 0)
    whole, scale = shape[0] - shape[1], shape[1]
    given = conversion.decimal_shape(kind) or ((_SMALL[kind], 0) if kind in _SMALL else None)
    if given is None or given[1] > scale:
        return None
    found = []
    if given[0] - given[1] > whole or (
        column.scale is None and kind not in ("TINYINT", "SMALLINT", "INTEGER")
    ):
        found.append(f"TRY_CAST({value} AS {column.sql_type}) IS NULL AND {value} IS NOT NULL")
    if column.allowed:
        found.append(f"{value} NOT IN ({', '.join(format(item, 'f') for item in column.allowed)})")
    elif column.lower is not None:
        found.append(f"{value} < {format(column.lower, 'f')}")
    if not column.allowed and column.upper is not None:
        found.append(f"{value} > {format(column.upper, 'f')}")
    return found
