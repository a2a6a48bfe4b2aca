"""SQL between dialects: a few functions of our own, and translation to Spark.

Rules call the functions: macros on DuckDB, spelled out on the way to Spark (`sparksql`), so the same rule
text runs on both engines and gives the same values. Functions, with NULL in giving NULL out:

- `ym_add(period, n)`   the billing month `n` months later, as YYYY-MM
- `ym_start(period)`    its first day
- `ym_end(period)`      the day after its last day
- `days_in_ym(period)`  its number of days
- `period_of(day)`      the month of a date or timestamp, as YYYY-MM
- `safe_div(a, b)`      a / b as DOUBLE; NULL when b is 0
- `money(x)`            a DECIMAL rounded half up to DECIMAL(18,2); never give it a DOUBLE
- `kwh(x)`              a DECIMAL as DECIMAL(18,4), rounded half up
"""

from __future__ import annotations

from collections.abc import Mapping

from mingcha.kernel import errors

SHIM: tuple[str, ...] = (
    "CREATE OR REPLACE MACRO ym_start(period) AS CAST(period || '-01' AS DATE)",
    "CREATE OR REPLACE MACRO ym_add(period, n) AS"
    " strftime(CAST(period || '-01' AS DATE) + to_months(CAST(n AS INTEGER)), '%Y-%m')",
    "CREATE OR REPLACE MACRO ym_end(period) AS CAST(CAST(period || '-01' AS DATE) + to_months(1) AS DATE)",
    "CREATE OR REPLACE MACRO days_in_ym(period) AS"
    " CAST(day(last_day(CAST(period || '-01' AS DATE))) AS INTEGER)",
    "CREATE OR REPLACE MACRO period_of(moment) AS strftime(moment, '%Y-%m')",
    "CREATE OR REPLACE MACRO safe_div(a, b) AS"
    " CASE WHEN b <> 0 THEN CAST(a AS DOUBLE) / CAST(b AS DOUBLE) END",
    "CREATE OR REPLACE MACRO money(x) AS CAST(x AS DECIMAL(18,2))",
    "CREATE OR REPLACE MACRO kwh(x) AS CAST(x AS DECIMAL(18,4))",
)
"""Statements that define the functions in DuckDB; `duck.connect` runs them."""

FUNCTIONS: tuple[str, ...] = (
    "ym_add", "ym_start", "ym_end", "days_in_ym", "period_of", "safe_div", "money", "kwh",
)  # fmt: skip
"""The names of the functions, for the lint."""


def to_spark(sql: str, *, schema: Mapping[str, Mapping[str, str]]) -> str:
    """Return a query of the portable subset as Spark SQL that gives the same rows.

    `schema` gives table -> column -> DuckDB type of everything the query reads. The session must have the
    settings of `store.spark`. Raises BookError for text that is not SQL, columns that are not in the
    schema, and constructs known to have no counterpart in Spark. SQLGlot lets some others pass: the fence
    of the rules' lint keeps them out.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.optimizer import qualify

    from mingcha.store import sparksql

    try:
        tree = sqlglot.parse_one(sql, read="duckdb")
        for node in tree.find_all(exp.Join, exp.Pivot):
            if isinstance(node, exp.Pivot) or str(node.args.get("method")).upper() == "ASOF":
                raise sqlglot.errors.UnsupportedError(f"Spark has no {node.sql(dialect='duckdb')}")
        tree = qualify.qualify(tree, schema=dict(schema), dialect="duckdb", quote_identifiers=False)
        tree = sparksql.translate(sparksql.typed(tree, schema=schema))
        return tree.sql(dialect="spark", unsupported_level=sqlglot.ErrorLevel.RAISE, pretty=True)
    except sqlglot.errors.SqlglotError as error:
        raise errors.BookError(
            f"the query cannot be translated to Spark SQL: {error}",
            why="a rule must give the same findings on one machine and on a cluster",
            mend="write it in the portable subset of the rule book",
        ) from None
