"""Expressions of mapping files: scalar SQL over the columns of one source, and nothing else.

A mapping may come from anywhere, so an expression must not read files, tables, settings or the clock.
It is parsed, every part of it is checked against a list of what is allowed, and it is written anew from
the parsed form with the names of real columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import errors as sqlglot_errors
from sqlglot import exp

from mingcha.ingest.mapping import reading
from mingcha.store import duck

#: Columns every source has: the file and line of the row.
LINE = "_line"
FILE = "_file"

_SHAPES: tuple[type[exp.Expr], ...] = (
    exp.Literal, exp.Null, exp.Boolean, exp.Column, exp.Identifier, exp.Paren,
    exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Neg, exp.DPipe,
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.In, exp.Between, exp.Like, exp.ILike,
    exp.Escape, exp.NullSafeEQ, exp.NullSafeNEQ, exp.And, exp.Or, exp.Not, exp.Case, exp.If,
    exp.DataType, exp.DataTypeParam, exp.Interval, exp.Var,
)  # fmt: skip
_FUNCTIONS: tuple[type[exp.Expr], ...] = (
    exp.Cast, exp.TryCast, exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least, exp.Abs, exp.Round, exp.Floor,
    exp.Ceil, exp.Concat, exp.ConcatWs, exp.Upper, exp.Lower, exp.Trim, exp.Substring, exp.Left, exp.Right,
    exp.Length, exp.Replace, exp.StrPosition, exp.StartsWith, exp.EndsWith, exp.SplitPart, exp.RegexpLike,
    exp.RegexpFullMatch, exp.RegexpExtract, exp.RegexpReplace, exp.Pad, exp.Translate, exp.Reverse, exp.MD5,
    exp.Contains, exp.StrToTime, exp.TimeToStr, exp.Year, exp.Month, exp.Day, exp.Extract, exp.DateTrunc,
    exp.TimestampTrunc, exp.LastDay, exp.DateAdd, exp.DateSub, exp.DateDiff, exp.DateFromParts,
    exp.TsOrDsToDate,
)  # fmt: skip
_TYPES = frozenset(
    {"VARCHAR", "TEXT", "BOOLEAN", "TINYINT", "SMALLINT", "INT", "BIGINT", "INT128", "DECIMAL", "DOUBLE",
     "DATE", "TIMESTAMP"}
)  # fmt: skip
FUNCTION_NAMES = tuple(sorted({kind.sql_name().lower() for kind in _FUNCTIONS}))  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Scope:
    """The columns an expression may name: of the main source, and of joined ones by their alias.

    Each maps the name in lower case to the alias of the relation and the name it has there.
    """

    main: Mapping[str, tuple[str, str]]
    joined: Mapping[str, Mapping[str, tuple[str, str]]]
    text: frozenset[tuple[str, str]] = frozenset()
    """The columns that hold text: an expression sees it trimmed, and NULL where it is empty or says so."""

    def find(self, name: str, alias: str = "") -> tuple[str, str] | None:
        """Return the place of a column, None when there is none or more than one of that name."""
        if alias:
            return self.joined.get(alias.lower(), {}).get(name.lower())
        if name.lower() in self.main:
            return self.main[name.lower()]
        found = [columns[name.lower()] for columns in self.joined.values() if name.lower() in columns]
        return found[0] if len(found) == 1 else None

    @property
    def names(self) -> list[str]:
        """All names, joined ones with their alias."""
        joined = [f"{alias}.{name}" for alias, columns in self.joined.items() for _, name in columns.values()]
        return [name for _, name in self.main.values()] + joined


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression as checked SQL, and what is wrong with it (then the SQL is not to be used)."""

    sql: str
    mistakes: tuple[str, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    """The places of the columns it names."""


def compile_expression(*, text: str, scope: Scope) -> Compiled:
    """Return the SQL of an expression with its columns resolved in `scope`, or its mistakes."""
    try:
        trees = sqlglot.parse(text, read="duckdb")
    except (sqlglot_errors.SqlglotError, RecursionError) as error:
        return Compiled("", (f"is not an SQL expression: {_first_line(error)}",))
    if len(trees) != 1 or trees[0] is None:
        return Compiled("", ("is not one SQL expression",))
    tree = trees[0]
    mistakes = [problem for node in tree.walk() if (problem := _forbidden(node)) is not None]
    if mistakes:
        return Compiled("", tuple(dict.fromkeys(mistakes)))

    columns: list[tuple[str, str]] = []

    def resolve(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Column):
            return node
        found = scope.find(node.name, node.table)
        if found is None:
            name = f"{node.table}.{node.name}" if node.table else node.name
            mistakes.append(f"names the unknown column {name}{reading.nearest(name, scope.names)}")
            return node
        columns.append(found)
        column = exp.column(found[1], table=found[0], quoted=True)
        return exp.Anonymous(this="mc_clean", expressions=[column]) if found in scope.text else column

    resolved = tree.transform(resolve)
    sql = "" if mistakes else resolved.sql(dialect="duckdb")
    return Compiled(sql, tuple(dict.fromkeys(mistakes)), tuple(columns))


def quoted(place: tuple[str, str]) -> str:
    """Return the SQL of a column by the alias of its relation and its name there."""
    return f"{duck.name(place[0])}.{duck.name(place[1])}"


def _forbidden(node: exp.Expr) -> str | None:
    """Return what is wrong with one part of an expression, None when it is allowed."""
    if isinstance(node, exp.Anonymous):
        near = reading.nearest(node.name, FUNCTION_NAMES)
        return f"uses the function {node.name}(), which is not allowed{near}"
    if isinstance(node, exp.Cast):
        kind = node.to.this
        name = getattr(kind, "name", str(kind))
        return None if name in _TYPES else f"casts to {node.to.sql(dialect='duckdb')}, which is not allowed"
    if isinstance(node, exp.In) and (
        node.args.get("query") or node.args.get("unnest") or node.args.get("field")
    ):
        return "uses IN with something other than a list of values"
    if type(node) in _SHAPES or type(node) in _FUNCTIONS:
        return None
    if isinstance(node, exp.Func):
        return f"uses the function {node.sql_name().lower()}(), which is not allowed"
    return f"uses {node.key.upper()}, which an expression over one row cannot"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].replace("\x1b[4m", "").replace("\x1b[0m", "")
