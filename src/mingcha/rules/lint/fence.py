"""The fence around portable SQL: constructs that mean the same on every engine, and no others."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from mingcha.rules import graph
from mingcha.store import dialect

ALLOWED: tuple[type[exp.Expr], ...] = (
    # aggregates
    exp.Sum, exp.Count, exp.Min, exp.Max, exp.Avg, exp.ArgMax, exp.ArgMin, exp.LogicalOr, exp.LogicalAnd,
    exp.GroupConcat, exp.Stddev, exp.StddevSamp, exp.StddevPop, exp.Variance,
    # windows
    exp.RowNumber, exp.Rank, exp.DenseRank, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue,
    # choices and conversions
    exp.Case, exp.If, exp.Coalesce, exp.Nullif, exp.Cast, exp.TryCast, exp.Greatest, exp.Least, exp.Exists,
    # numbers
    exp.Abs, exp.Sign, exp.Round, exp.Floor, exp.Ceil, exp.Sqrt, exp.Pow, exp.Exp, exp.Ln,
    # texts
    exp.Upper, exp.Lower, exp.Trim, exp.Substring, exp.Left, exp.Right, exp.Length, exp.Concat, exp.Replace,
    exp.StartsWith, exp.Contains, exp.RegexpLike, exp.StrPosition, exp.Pad, exp.Repeat,
    # days
    exp.DateDiff, exp.Extract, exp.Year, exp.Month, exp.Day, exp.LastDay, exp.TimeToStr, exp.ToDays,
    exp.TimestampTrunc, exp.DateTrunc, exp.Hour, exp.Interval,
    # logic, which the parser also counts as functions
    exp.And, exp.Or,
)  # fmt: skip

FORBIDDEN: tuple[tuple[type[exp.Expr], str, str], ...] = (
    (exp.Pivot, "PIVOT", "write one CASE per column"),
    (exp.Lambda, "a lambda", "write plain columns"),
    (exp.Struct, "a struct", "write plain columns"),
    (exp.Array, "a list value", "write plain columns, or IN (…)"),
    (exp.Bracket, "an index into a list", "write plain columns"),
    (exp.Unnest, "unnest", "join a table instead"),
    (exp.Lateral, "LATERAL", "write a join or a window"),
    (exp.TableSample, "SAMPLE", "judge all rows: a sample finds something else each time"),
    (exp.Limit, "LIMIT", "number the rows with row_number() OVER (… ORDER BY …) and QUALIFY"),
    (exp.Placeholder, "a placeholder the engine does not fill", "write :name with a declared name"),
    (exp.Parameter, "a session variable", "declare a parameter and write :name"),
)
SHORTCUTS: tuple[tuple[type[exp.Expr], str, str, str], ...] = (
    (exp.Join, "using", "JOIN … USING", "write ON a.x = b.x: USING hides which side a column is of"),
    (exp.Group, "all", "GROUP BY ALL", "name the columns to group by"),
    (exp.SetOperation, "by_name", "UNION BY NAME", "write the columns in the same order on both sides"),
    (exp.Distinct, "on", "DISTINCT ON", "number the rows with row_number() OVER (… ORDER BY …) and QUALIFY"),
    (exp.With, "recursive", "WITH RECURSIVE", "write a bounded number of joins"),
)
CLOCK = (exp.CurrentDate, exp.CurrentTimestamp, exp.CurrentTime, exp.Localtimestamp, exp.Rand, exp.Uuid)
NEEDS_ORDER = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue)
FLOATS = (exp.DType.DOUBLE, exp.DType.FLOAT)

Complaint = tuple[str, str]


def complaints(*, tree: exp.Expr, typed: exp.Expr) -> Iterator[Complaint]:
    """Yield (what is wrong, how to mend it) for everything in a query that is outside the fence.

    `tree` is the query as parsed, `typed` the same qualified and annotated with types.
    """
    yield from _clauses(tree)
    yield from _functions(tree)
    yield from _doubtful_numbers(typed)
    yield from _doubtful_windows(tree)


def _clauses(tree: exp.Expr) -> Iterator[Complaint]:
    for kind, name, mend in FORBIDDEN:
        if tree.find(kind) is not None:
            yield f"uses {name}", mend
    for kind, flag, name, mend in SHORTCUTS:
        if any(node.args.get(flag) for node in tree.find_all(kind)):
            yield f"uses {name}", mend
    if any(not isinstance(star.parent, exp.Count) for star in tree.find_all(exp.Star)):
        yield "uses SELECT *", "name the columns: `needs` says exactly what is read"
    for join in tree.find_all(exp.Join):
        if join.method or str(join.kind).upper() in ("ASOF", "POSITIONAL"):
            yield f"uses {join.method or join.kind} JOIN", "write a join with ON and plain conditions"


def _functions(tree: exp.Expr) -> Iterator[Complaint]:
    told: set[str] = set()
    for function in tree.find_all(exp.Func):
        name = function.name.lower() if isinstance(function, exp.Anonymous) else function.sql_name().lower()
        if name in told or _is_known(function, name):
            continue
        told.add(name)
        if isinstance(function, CLOCK) or name in ("now", "today", "random", "get_current_timestamp"):
            yield f"asks the clock or chance: {name}", "use :data_date or :period; a rerun must find the same"
        else:
            shim = ", ".join(dialect.FUNCTIONS)
            yield f"uses function {name}, which is not allowed", f"use a portable one, or one of {shim}"


def _is_known(function: exp.Func, name: str) -> bool:
    if isinstance(function, exp.Anonymous):
        return name in dialect.FUNCTIONS
    return type(function) in ALLOWED


def tables(*, tree: exp.Expr, schema: graph.Schema) -> Iterator[Complaint]:
    """Yield a complaint for every name after FROM that is no table, relation or CTE of the query."""
    named = {cte.alias for cte in tree.find_all(exp.CTE)}
    for name in sorted({table.name for table in tree.find_all(exp.Table)}):
        if name not in named and name not in schema:
            yield (
                f"reads {name or 'a table function'}, which is neither a table nor a relation",
                ("correct the name; `mingcha data contract` lists the tables"),
            )
        if name in named and name in schema:
            yield f"names a CTE {name} like a table of the contract", "give the CTE its own name"


def _doubtful_numbers(typed: exp.Expr) -> Iterator[Complaint]:
    for rounding in typed.find_all(exp.Round):
        if rounding.this.is_type(*FLOATS):
            yield (
                "rounds a DOUBLE, whose halves differ between engines",
                ("cast to DECIMAL(18, n), or use money(…) on a DECIMAL"),
            )
    for average in typed.find_all(exp.Avg):
        if not average.this.is_type(*FLOATS):
            yield (
                "takes avg of an exact number, which is DOUBLE here and DECIMAL on Spark",
                "write safe_div(sum(x), count(x))",
            )
    for total in typed.find_all(exp.Sum, exp.Avg):
        if total.this.is_type(*FLOATS):
            yield (
                "adds up DOUBLEs, whose last digits then depend on the order of the rows",
                "cast to DECIMAL(18, n) first; for a mean write safe_div(sum(x), count(x))",
            )
    for division in typed.find_all(exp.Div):
        if not isinstance(division.expression.unnest(), exp.Literal):
            yield "divides by something that may be zero, which is an error on Spark", "use safe_div(a, b)"


def _doubtful_windows(tree: exp.Expr) -> Iterator[Complaint]:
    for window in tree.find_all(exp.Window):
        function = window.this.this if isinstance(window.this, exp.IgnoreNulls) else window.this
        if (
            isinstance(function, NEEDS_ORDER)
            and not window.args.get("order")
            and not window.args.get("alias")
        ):
            yield (
                f"{function.sql_name().lower()} without ORDER BY in its window",
                ("order by something unique, or two runs may differ"),
            )
    for joined in tree.find_all(exp.GroupConcat):
        if joined.find(exp.Order) is None:
            yield "string_agg without ORDER BY", "write string_agg(x, ',' ORDER BY x), or two runs may differ"
