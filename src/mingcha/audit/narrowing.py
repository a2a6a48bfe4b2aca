"""The tables of a connection cut down to what the bills of a few customers depend on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mingcha.contract import load as contract_load
from mingcha.contract import model as contract_model

if TYPE_CHECKING:
    import duckdb

_READ = frozenset(
    {"bill", "bill_line", "contract", "customer", "entitlement", "generator", "reading", "usage_point"}
)
"""The tables rating reads that hold rows of customers."""


def narrow(con: duckdb.DuckDBPyConnection, *, customers: Sequence[str]) -> None:
    """Leave in the connection only the rows that the bills of these customers depend on.

    These are their own, and those of points of others that are deducted from theirs.
    """
    con.execute(
        "CREATE OR REPLACE TEMP TABLE of_customer AS SELECT unnest(?) AS customer_id", [list(customers)]
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE of_point AS SELECT DISTINCT usage_point_id FROM usage_point"
        " WHERE customer_id IN (SELECT customer_id FROM of_customer) OR parent_usage_point_id IN (SELECT"
        " usage_point_id FROM usage_point WHERE customer_id IN (SELECT customer_id FROM of_customer))"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE of_bill AS SELECT bill_id FROM bill"
        " WHERE customer_id IN (SELECT customer_id FROM of_customer)"
    )
    for name, table in contract_load.contract().tables.items():
        column = _narrowed_by(table)
        if column is None:
            continue
        source = {"customer_id": "of_customer", "usage_point_id": "of_point", "bill_id": "of_bill"}[column]
        con.execute(
            f'CREATE OR REPLACE TEMP TABLE kept_rows AS SELECT * FROM "{name}"'
            f" WHERE {column} IN (SELECT {column} FROM {source})"
        )
        con.execute(f'DROP VIEW "{name}"')
        con.execute(f'ALTER TABLE kept_rows RENAME TO "{name}"')


def _narrowed_by(table: contract_model.Table) -> str | None:
    """Return the column that says whose a row is; points before customers: a point may be another's."""
    for column in ("usage_point_id", "customer_id", "bill_id"):
        if column in table.by_name and table.name in _READ:
            return column
    return None
