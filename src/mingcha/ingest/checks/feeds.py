"""The rows of one feed: typed, with what is wrong with each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mingcha.contract import model
from mingcha.ingest.checks import sources
from mingcha.ingest.convert import conversion
from mingcha.ingest.mapping import plan
from mingcha.ingest.sources import options as opts
from mingcha.ingest.sources import parts
from mingcha.store import duck

#: What the report calls the condition of an entry when it cannot be decided for a row.
WHERE = "(where)"
_CONDITION = "_mingcha_where"


@dataclass(frozen=True, slots=True)
class Rows:
    """SQL of a feed's rows after its condition, with values read and typed."""

    feed: plan.Feed
    conversions: tuple[conversion.Conversion, ...]
    sql: str
    """Yields `_row`, every step, and with a condition `_mingcha_where`."""

    @property
    def faults(self) -> list[tuple[str, str, str, str]]:
        """Return (column, reason code, condition, SQL of the value) in the order they are looked for."""
        found = (
            [(WHERE, "bad_type", f"{_CONDITION} IS NULL", "CAST(NULL AS VARCHAR)")] if self.feed.where else []
        )
        for made in self.conversions:
            value = f"CAST({made.raw} AS VARCHAR)"
            found += [(made.column.name, code, condition, value) for code, condition in made.faults]
        return found

    @property
    def bad(self) -> str:
        """Return the condition under which a row has a fault."""
        conditions = " OR ".join(f"({condition})" for _, _, condition, _ in self.faults)
        return f"coalesce({conditions}, false)" if conditions else "false"

    def typed(self, columns: Sequence[str], table: model.Table) -> str:
        """Return a SELECT of `_row`, the columns, `_bad`, `_rounded` (a bit a column), `_n` (rows merged)."""
        made = {item.column.name: item.typed for item in self.conversions}
        values = "".join(
            f", {made[name]} AS {duck.name(name)}"
            if name in made
            else f", CAST(NULL AS {table.by_name[name].sql_type}) AS {duck.name(name)}"
            for name in columns
        )
        rounded = " | ".join(
            f"CASE WHEN {item.rounded} THEN {1 << place} ELSE 0 END"
            for place, name in enumerate(columns)
            for item in self.conversions
            if item.column.name == name and item.rounded is not None
        )
        flags = f"{self.bad} AS _bad, CAST({rounded or '0'} AS BIGINT) AS _rounded"
        sql = f"SELECT _row{values}, {flags} FROM ({self.sql})"
        if not self.feed.distinct:
            return f"SELECT *, CAST(1 AS BIGINT) AS _n FROM ({sql})"
        names = "".join(f", {duck.name(name)}" for name in columns)
        return (
            f"SELECT min(_row) AS _row{names}, _bad, _rounded, count(*) AS _n FROM ({sql})"
            f" GROUP BY _bad, _rounded, CASE WHEN _bad THEN _row END{names}"
        )

    def found(self) -> str:
        """Return a SELECT of the rows with faults: `_row`, column, reason, value, and `more` faults."""
        listed = ", ".join(
            f"CASE WHEN {condition} THEN {{'c': {duck.literal(column)}, 'r': '{code}', 'v': {value}}} END"
            for column, code, condition, value in self.faults
        )
        faults = f"list_filter([{listed}], lambda f: f IS NOT NULL)"
        return (
            'SELECT _row, f[1].c AS "column", f[1].r AS reason, f[1].v AS value,'
            " list_transform(f[2:], lambda g: g.c || ': ' || g.r || coalesce(' ' || g.v, '')) AS more"
            f" FROM (SELECT _row, {faults} AS f FROM ({self.sql}) WHERE {self.bad})"
        )


def rows_of(feed: plan.Feed, *, table: model.Table, staged: Mapping[int, parts.Staged]) -> Rows:
    """Return the rows of a feed as SQL over its staged parts."""
    zone = feed.options.timezone or opts.TIMEZONE
    made = []
    for place, name in enumerate(name for name in table.column_names if name in feed.origins):
        column = table.by_name[name]
        made.append(
            conversion.conversion(
                column=column,
                origin=feed.origins[name],
                place=place,
                zone=zone,
                required=is_required(column, table),
                key=name in table.key,
            )
        )
    return Rows(feed, tuple(made), _layers(feed, made, staged))


def is_required(column: model.Column, table: model.Table) -> bool:
    """Return whether a delivered column must be filled: by the contract, or to know where the row is kept."""
    return not column.nullable or column.name in table.key or column.name == table.partition_column


def _layers(
    feed: plan.Feed, made: Sequence[conversion.Conversion], staged: Mapping[int, parts.Staged]
) -> str:
    given = [f"{plan.MAIN}.{parts.ROW} + {feed.entry} AS _row"]
    given += [f"{sql} AS {name}" for item in made for name, sql in item.given]
    source, condition = sources.of_feed(feed, staged=staged), ""
    if feed.where is not None:
        test = f"TRY(({feed.where}) IS TRUE)"
        given.append(f"{test} AS {_CONDITION}")
        condition = f" WHERE {test} IS DISTINCT FROM false"
    sql = f"SELECT {', '.join(given)} FROM {source}{condition}"
    deepest = max((len(item.steps) for item in made), default=0)
    for level in range(deepest):
        steps = [item.steps[level] for item in made if level < len(item.steps)]
        sql = f"SELECT *, {', '.join(f'{step} AS {name}' for name, step in steps)} FROM ({sql})"
    return sql
