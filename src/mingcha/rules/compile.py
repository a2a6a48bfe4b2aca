"""From a rule's query with named placeholders to plain SQL with typed literals, nothing else changed.

The author's text stays as it is around the literals: the query that ran is the query people read.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token, TokenType

from mingcha.kernel import errors
from mingcha.kernel.periods import BillingMonth
from mingcha.rules import model

RULE_CONTEXT = ("period", "period_start", "period_end", "data_date", "history_period", "history_start")
RELATION_CONTEXT = ("history_period", "history_start", "data_date", "first_period", "last_period")


@dataclass(frozen=True, slots=True)
class Moment:
    """When a query is asked: screened period, data date, months of history, last period of the run."""

    period: BillingMonth
    data_date: date
    history_months: int = 0
    last_period: BillingMonth | None = None

    def rule_values(self) -> dict[str, str]:
        """Return the literals of the run context a rule may name."""
        history = self.period.add(-self.history_months)
        return {
            "period": literal(str(self.period)),
            "period_start": literal(self.period.start),
            "period_end": literal(self.period.end),
            "data_date": literal(self.data_date),
            "history_period": literal(str(history)),
            "history_start": literal(history.start),
        }

    def relation_values(self) -> dict[str, str]:
        """Return the literals of the run context a relation may name."""
        history = self.period.add(-self.history_months)
        return {
            "history_period": literal(str(history)),
            "history_start": literal(history.start),
            "data_date": literal(self.data_date),
            "first_period": literal(str(self.period)),
            "last_period": literal(str(self.last_period or self.period)),
        }


def literal(value: Any) -> str:
    """Return a value as an SQL literal of its type; a tuple becomes the inside of `IN (…)`.

    Decimals always carry a fraction, so that a parameter set to 1 keeps the type of one set to 1.5.
    """
    if isinstance(value, tuple):
        # An empty list matches nothing, also under NOT IN, where (NULL) would match everything's opposite.
        return ", ".join(literal(item) for item in value) or "SELECT CAST(NULL AS VARCHAR) WHERE FALSE"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return f"({value})" if value < 0 else str(value)
    if isinstance(value, Decimal):
        text = f"{value:f}"
        text = text if "." in text else f"{text}.0"
        return f"({text})" if value < 0 else text
    if isinstance(value, date):
        return f"DATE '{value.isoformat()}'"
    assert isinstance(value, str), value
    return "'" + value.replace("'", "''") + "'"


def parameter_literals(
    parameters: Mapping[str, model.Parameter], values: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """Return one literal per declared parameter: the value given, else the default."""
    given = values or {}
    return {name: literal(given.get(name, declared.default)) for name, declared in parameters.items()}


def placeholders(sql: str, *, source: str) -> set[str]:
    """Return the names of all `:name` placeholders; strings and comments do not count."""
    return {name for _, _, name in _spots(sql, source)}


def bind(sql: str, *, values: Mapping[str, str], source: str) -> str:
    """Return the query with each `:name` replaced by its literal.

    Raises BookError naming a placeholder for which there is no value.
    """
    parts, at = [], 0
    for start, end, name in _spots(sql, source):
        if name not in values:
            raise errors.BookError(
                f"{source}: `:{name}` is neither a parameter of the rule nor a value of the run",
                why="a query with an unknown placeholder cannot run",
                mend=f"declare it under `parameters`, or use one of: {', '.join(sorted(values))}",
            )
        parts += [sql[at:start], values[name]]
        at = end
    return "".join([*parts, sql[at:]]).strip().removesuffix(";")


@functools.lru_cache(maxsize=4096)
def _spots(sql: str, source: str) -> tuple[tuple[int, int, str], ...]:
    """Return where the placeholders stand; kept, since a run asks again for every month and set of values."""
    return tuple(_find_spots(sql, source))


def _find_spots(sql: str, source: str) -> Iterator[tuple[int, int, str]]:
    tokens = _tokens(sql, source)
    for colon, name in itertools.pairwise(tokens):
        touching = colon.end + 1 == name.start
        if colon.token_type == TokenType.COLON and touching and name.text.replace("_", "a").isalnum():
            if name.text[0].isdigit():
                continue
            yield colon.start, name.end + 1, name.text


def _tokens(sql: str, source: str) -> list[Token]:
    try:
        return DuckDB().tokenize(sql)
    except TokenError as error:
        raise errors.BookError(
            f"{source}: cannot be read as SQL: {str(error).splitlines()[0]}",
            why="the engine must know where the placeholders are",
            mend="close the open string or comment",
        ) from error


def rule_sql(
    *, sheet: model.RuleSheet, sql: str, moment: Moment, values: Mapping[str, Any] | None = None
) -> str:
    """Return a rule's query, ready to run, for one period and one set of parameter values."""
    literals = moment.rule_values() | parameter_literals(sheet.parameters, values)
    return bind(sql, values=literals, source=f"{sheet.id} query.sql")


def relation_sql(*, sheet: model.RelationSheet, sql: str, moment: Moment) -> str:
    """Return a relation's query, ready to run."""
    literals = moment.relation_values() | parameter_literals(sheet.parameters)
    return bind(sql, values=literals, source=f"relation {sheet.name} query.sql")


def population_sql(
    *, sheet: model.RuleSheet, moment: Moment, values: Mapping[str, Any] | None = None, what: str = "count(*)"
) -> str:
    """Return the query over what the rule judges; it counts unless `what` asks for something else."""
    population = sheet.population
    sql = f"SELECT {what} FROM {population.source} WHERE {population.where}"
    literals = moment.rule_values() | parameter_literals(sheet.parameters, values)
    return bind(sql, values=literals, source=f"{sheet.id} rule.yaml population")
