"""A query of the portable subset, tree by tree, from what it means on DuckDB to the same on Spark.

Most of SQL is alike. What differs in silence is rewritten here:

- a DOUBLE becomes a DECIMAL by scaling and rounding on DuckDB, by its printed digits on Spark;
- a DECIMAL or DOUBLE becomes a whole number by rounding on DuckDB, by cutting on Spark;
- `/` gives DOUBLE on DuckDB, DECIMAL for a DECIMAL on Spark;
- `date_diff` counts boundaries crossed on DuckDB, whole units elapsed on Spark;
- a day plus an interval is a TIMESTAMP on DuckDB, a DATE on Spark;
- a day minus a day is a number on DuckDB, an interval on Spark;
- `arg_max` and `arg_min` pass over rows whose value is NULL on DuckDB, and give that NULL on Spark.

All of it rests on types, so what has a type that cannot be told is refused rather than guessed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import UnsupportedError
from sqlglot.optimizer import annotate_types

Schema = Mapping[str, Mapping[str, str]]

GIVES: dict[str, exp.DType] = {
    "ym_add": exp.DType.VARCHAR, "ym_start": exp.DType.DATE, "ym_end": exp.DType.DATE,
    "days_in_ym": exp.DType.INT, "period_of": exp.DType.VARCHAR, "safe_div": exp.DType.DOUBLE,
    "money": exp.DType.DECIMAL, "kwh": exp.DType.DECIMAL,
}  # fmt: skip
"""What the shared functions give, which SQLGlot cannot know."""

_FLOATS = (exp.DType.DOUBLE, exp.DType.FLOAT)
_EXACT = (exp.DType.DECIMAL, exp.DType.BIGDECIMAL)
_WHOLE = (exp.DType.BIGINT, exp.DType.INT, exp.DType.SMALLINT, exp.DType.TINYINT, exp.DType.INT128)
_TEXTS = (exp.DType.VARCHAR, exp.DType.TEXT, exp.DType.CHAR)
SCALES = {"money": 2, "kwh": 4}
_EITHER_WAY = (exp.Min, exp.Max, exp.Sum, exp.Count, exp.LogicalOr, exp.LogicalAnd)
_MONTHLY = ("MONTH", "QUARTER", "YEAR")
_PARTS = ("YEAR", "QUARTER", "MONTH", "DAY", "HOUR", "MINUTE")


def typed(tree: exp.Expr, *, schema: Schema) -> exp.Expr:
    """Return the qualified tree annotated with the classes of types DuckDB gives.

    Precision and scale are left out on purpose: with them, SQLGlot takes the product of a DOUBLE and a
    DECIMAL(18,4) for a DECIMAL(18,4).
    """
    bare: dict[str, object] = {
        table: {column: _bare(kind) for column, kind in columns.items()} for table, columns in schema.items()
    }
    metadata: dict[Any, Any] = {**DuckDB.EXPRESSION_METADATA, **_OWN_TYPES}
    return annotate_types.annotate_types(tree, schema=bare, expression_metadata=metadata, dialect="duckdb")


@functools.cache
def _bare(kind: str) -> exp.DataType:
    return exp.DataType(this=exp.DataType.build(kind, dialect="duckdb").this)


def _as(kind: exp.DType) -> dict[str, Any]:
    return {"returns": kind}


def _literal(annotator: Any, node: exp.Literal) -> exp.Expr:
    if node.is_string:
        kind = exp.DType.VARCHAR
    elif node.is_int:
        kind = exp.DType.INT
    else:
        kind = exp.DType.DOUBLE if "e" in node.name.lower() else exp.DType.DECIMAL
    return _set(annotator, node, kind)


def _set(annotator: Any, node: exp.Expr, kind: Any) -> exp.Expr:
    typed_node: exp.Expr = annotator._set_type(node, kind)
    return typed_node


_OWN_TYPES: dict[type[exp.Expr], dict[str, Any]] = {
    exp.Anonymous: {"annotator": lambda a, e: _set(a, e, GIVES.get(e.name.lower()))},
    exp.Cast: {"annotator": lambda a, e: _set(a, e, e.to.this)},
    exp.TryCast: {"annotator": lambda a, e: _set(a, e, e.to.this)},
    exp.Literal: {"annotator": _literal},
    exp.Floor: {"annotator": lambda a, e: _set(a, e, e.this.type)},
    exp.Ceil: {"annotator": lambda a, e: _set(a, e, e.this.type)},
    exp.Round: {"annotator": lambda a, e: _set(a, e, e.this.type)},
    exp.ArgMax: {"annotator": lambda a, e: _set(a, e, e.this.type)},
    exp.ArgMin: {"annotator": lambda a, e: _set(a, e, e.this.type)},
    exp.Div: _as(exp.DType.DOUBLE),
    exp.Avg: _as(exp.DType.DOUBLE),
}


def translate(tree: exp.Expr) -> exp.Expr:
    """Return the typed tree rewritten to mean on Spark what it means on DuckDB; the tree given is used up.

    Raises UnsupportedError for what has no counterpart, or a type that cannot be told where it matters.
    """
    # Innermost first, so that what is taken into a new node has been rewritten already.
    for node in reversed(list(tree.walk())):
        rewrite = _REWRITES.get(type(node))
        fresh = rewrite(node) if rewrite else node
        if fresh is not node:
            fresh.type = node.type
            tree = _put(node, fresh, tree)
    for select in list(tree.find_all(exp.Select)):
        if select.args.get("qualify"):
            tree = _put(select, _without_qualify(select), tree)
    return tree


def _put(node: exp.Expr, fresh: exp.Expr, tree: exp.Expr) -> exp.Expr:
    """Put `fresh`, which may hold a copy of `node`, in its place; return the root."""
    if node is tree:
        return fresh
    node.replace(fresh)
    return tree


def _without_qualify(select: exp.Select) -> exp.Select:
    """Return the SELECT as one around another that tells of each row whether it is kept.

    SQLGlot's own way loses track of columns that only QUALIFY names.
    """
    inner = select.copy()
    kept = inner.args["qualify"].this
    outer = exp.Select(expressions=[_through(item) for item in inner.selects])
    for name in ("with_", "distinct"):
        outer.set(name, inner.args.get(name))
        inner.set(name, None)
    inner.set("qualify", None)
    inner.append("expressions", exp.alias_(kept, "_kept"))
    return outer.from_(inner.subquery("_rows")).where(exp.column("_kept", table="_rows"))


def _through(item: exp.Expr) -> exp.Expr:
    name = item.args["alias"] if isinstance(item, exp.Alias) else item.this
    return exp.alias_(exp.column(name.copy(), table="_rows"), name.copy())


def _cast(node: exp.Cast) -> exp.Expr:
    source, target = node.this, node.to
    if target.is_type(*_EXACT) and _is(source, *_FLOATS):
        return _scaled(source, target, node)
    if target.is_type(*_WHOLE) and _is(source, *_FLOATS):
        return _like(node, exp.Anonymous(this="RINT", expressions=[source.copy()]))
    if target.is_type(*_WHOLE) and _is(source, *_EXACT):
        return _like(node, exp.Round(this=source.copy()))
    if target.is_type(*_TEXTS) and _is(source, *_FLOATS):
        raise UnsupportedError(f"a DOUBLE as text looks different on Spark: {_said(node)}; cast to DECIMAL")
    return node


def _like(node: exp.Cast, source: exp.Expr, target: exp.DataType | None = None) -> exp.Cast:
    """Return a cast of `source` that fails as `node` does: with an error, or with NULL for TRY_CAST."""
    return type(node)(this=source, to=(target or node.to).copy(), safe=node.args.get("safe"))


def _scaled(source: exp.Expr, target: exp.DataType, node: exp.Cast) -> exp.Expr:
    """Return the DOUBLE as DuckDB makes it a DECIMAL: times ten to the scale, rounded half away from zero."""
    width, scale = (int(part.name) for part in target.expressions) if target.expressions else (18, 3)
    if width > 18:
        raise UnsupportedError(f"a DOUBLE fits DECIMAL(18, n) at most: {_said(source)}")
    times = exp.Mul(this=_paren(source), expression=exp.Literal.number(f"1e{scale}"))
    whole = _like(node, exp.Round(this=times), exp.DType.BIGINT.into_expr())
    unit = "1" if scale == 0 else f"0.{'1':0>{scale}}"
    one = exp.cast(exp.Literal.string(unit), f"DECIMAL({scale + 1}, {scale})")
    exact = exp.Mul(this=whole, expression=one)
    return _like(node, exact, target)


def _paren(node: exp.Expr) -> exp.Expr:
    return exp.Paren(this=node.copy())


def _shim(node: exp.Anonymous) -> exp.Expr:
    """Return a shared function spelled out: Spark's own functions in SQL fail in some aggregates."""
    name = node.name.lower()
    if name in SCALES:
        kind = exp.DataType.build(f"DECIMAL(18, {SCALES[name]})")
        return _cast(exp.Cast(this=node.expressions[0].copy(), to=kind))
    spell = _SPELLED.get(name)
    return spell(*(part.copy() for part in node.expressions)) if spell else node


def _month(period: exp.Expr) -> exp.Expr:
    day = exp.DPipe(this=exp.Paren(this=period), expression=exp.Literal.string("-01"), safe=True)
    return exp.cast(day, exp.DType.DATE)


def _call(name: str, *parts: exp.Expr | str | int) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=[exp.convert(part) for part in parts])


def _double(node: exp.Expr) -> exp.Expr:
    return exp.cast(node, exp.DType.DOUBLE)


_SPELLED: dict[str, Callable[..., exp.Expr]] = {
    "ym_start": _month,
    "ym_end": lambda period: _call("ADD_MONTHS", _month(period), 1),
    "ym_add": lambda period, n: _call(
        "DATE_FORMAT", _call("ADD_MONTHS", _month(period), exp.cast(n, exp.DType.INT)), "yyyy-MM"
    ),
    "days_in_ym": lambda period: _call("DAY", _call("LAST_DAY", _month(period))),
    "period_of": lambda moment: _call("DATE_FORMAT", moment, "yyyy-MM"),
    "safe_div": lambda a, b: _call("TRY_DIVIDE", _double(a), _double(b)),
}


def _division(node: exp.Div) -> exp.Expr:
    if _is(node.this, *_FLOATS):
        return node
    return exp.Div(
        this=exp.cast(node.this.copy(), exp.DType.DOUBLE), expression=node.expression.copy(), typed=True
    )


def _down_up(node: exp.Floor | exp.Ceil) -> exp.Expr:
    """Return floor and ceil of a DOUBLE as a DOUBLE, which Spark makes a BIGINT."""
    return exp.cast(node.copy(), exp.DType.DOUBLE) if _is(node.this, *_FLOATS) else node


def _sign(node: exp.Sign) -> exp.Expr:
    return exp.cast(node.copy(), exp.DType.INT)


def _whole_division(node: exp.IntDiv) -> exp.Expr:
    if not (_is(node.this, *_WHOLE) and _is(node.expression, *_WHOLE)):
        raise UnsupportedError(f"// of anything but whole numbers differs: {_said(node)}")
    return node


def _plus_minus(node: exp.Binary) -> exp.Expr:
    left, right = node.this, node.expression
    if _is_interval(right) and _is(left, exp.DType.DATE):
        return type(node)(this=_moment(left), expression=right.copy())
    if _is_interval(left) and _is(right, exp.DType.DATE):
        return type(node)(this=left.copy(), expression=_moment(right))
    if _is_interval(left) or _is_interval(right) or not left.is_type(exp.DType.DATE):
        return node
    if isinstance(node, exp.Sub) and _is(right, exp.DType.DATE):
        return exp.cast(exp.DateDiff(this=left.copy(), expression=right.copy()), exp.DType.BIGINT)
    return node


def _is_interval(node: exp.Expr) -> bool:
    return isinstance(node.unnest(), exp.Interval | exp.ToDays) or _named(node.unnest(), "make_dt_interval")


def _named(node: exp.Expr, name: str) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.lower() == name


def _moment(node: exp.Expr) -> exp.Expr:
    return exp.cast(node.copy(), exp.DType.TIMESTAMPNTZ)


def _days(node: exp.ToDays) -> exp.Expr:
    return exp.Anonymous(this="MAKE_DT_INTERVAL", expressions=[node.this.copy()])


def _date_diff(node: exp.DateDiff) -> exp.Expr:
    """Return the boundaries crossed as the whole units between the beginnings of the units."""
    unit = node.text("unit").upper()
    if not unit:  # made here, from a day minus a day
        return node
    later, earlier = node.this, node.expression

    def begin(moment: exp.Expr) -> exp.Expr:
        if unit == "DAY":
            return exp.cast(moment.copy(), exp.DType.DATE)
        if unit in _MONTHLY:
            return exp.Anonymous(this="TRUNC", expressions=[moment.copy(), exp.Literal.string(unit)])
        return _truncated(moment, unit)

    if unit not in ("DAY", "HOUR", "MINUTE", *_MONTHLY):
        raise UnsupportedError(f"date_diff of {unit} is counted differently: {_said(node)}")
    return exp.DateDiff(this=begin(later), expression=begin(earlier), unit=exp.Var(this=unit))


def _truncation(node: exp.TimestampTrunc | exp.DateTrunc) -> exp.Expr:
    return _truncated(node.this, node.text("unit"))


def _truncated(moment: exp.Expr, unit: str) -> exp.Expr:
    cut = exp.Anonymous(this="DATE_TRUNC", expressions=[exp.Literal.string(unit.upper()), moment.copy()])
    return exp.cast(cut, exp.DType.TIMESTAMPNTZ)


def _extraction(node: exp.Extract) -> exp.Expr:
    if node.name.upper() not in _PARTS:
        raise UnsupportedError(f"extract({node.name}) is counted differently; allowed: {', '.join(_PARTS)}")
    return node


def _best(node: exp.ArgMax | exp.ArgMin) -> exp.Expr:
    known = exp.Is(this=_paren(node.this), expression=exp.Null()).not_()
    by = exp.Case(ifs=[exp.If(this=known, true=node.expression.copy())])
    return type(node)(this=node.this.copy(), expression=by)


def _window(node: exp.Window) -> exp.Expr:
    """Return a window from the current row to the end as one from the beginning, in the opposite order.

    Spark adds the former up anew for every row: a month of load curve would take it minutes.
    """
    spec, order = node.args.get("spec"), node.args.get("order")
    if spec is None or order is None or not isinstance(node.this, _EITHER_WAY):
        return node
    bounds = (spec.text("kind"), spec.text("start"), spec.text("end"), spec.text("end_side"))
    if tuple(bound.upper() for bound in bounds) != ("ROWS", "CURRENT ROW", "UNBOUNDED", "FOLLOWING"):
        return node
    turned = node.copy()
    for item in turned.args["order"].expressions:
        item.set("desc", not item.args.get("desc"))
        item.set("nulls_first", not item.args.get("nulls_first"))
    turned.args["spec"].set("start", "UNBOUNDED")
    turned.args["spec"].set("start_side", "PRECEDING")
    turned.args["spec"].set("end", "CURRENT ROW")
    turned.args["spec"].set("end_side", None)
    return turned


def _is(node: exp.Expr, *kinds: exp.DType) -> bool:
    """Return whether the node is of one of the kinds; raises UnsupportedError when nobody can tell."""
    if isinstance(node.unnest(), exp.Null):
        return False
    if node.type is None or node.is_type(exp.DType.UNKNOWN):
        raise UnsupportedError(f"the type of {_said(node)} cannot be told; write CAST({_said(node)} AS …)")
    return bool(node.is_type(*kinds))


def _said(node: exp.Expr) -> str:
    return str(node.sql(dialect="duckdb", comments=False))


_REWRITES: dict[type[exp.Expr], Callable[[Any], exp.Expr]] = {
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Anonymous: _shim,
    exp.Div: _division,
    exp.IntDiv: _whole_division,
    exp.Floor: _down_up,
    exp.Ceil: _down_up,
    exp.Sign: _sign,
    exp.Add: _plus_minus,
    exp.Sub: _plus_minus,
    exp.ToDays: _days,
    exp.DateDiff: _date_diff,
    exp.TimestampTrunc: _truncation,
    exp.DateTrunc: _truncation,
    exp.Extract: _extraction,
    exp.ArgMax: _best,
    exp.ArgMin: _best,
    exp.Window: _window,
}
