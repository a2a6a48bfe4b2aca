"""Two calculators that share no code agree to the fen on every bill of the clean utility."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from mingcha.contract import load as contracts
from mingcha.kernel import periods
from mingcha.rating import engine
from mingcha.store import dialect
from mingcha.tariffbook import load, tables

from .conftest import MONTHS, Books

LAST = periods.BillingMonth.parse("2026-03")
WINDOW = [LAST.add(-back) for back in range(MONTHS)]
# what was billed beside what the engine comes to, component by component
DIFFERENCES = """
WITH billed AS (
    SELECT s.sid, l.component, sum(l.amount) AS amount
    FROM rt_settlement s, unnest(string_split(s.bill_ids, ',')) u(bill_id)
    JOIN bill_line l ON l.bill_id = trim(u.bill_id) GROUP BY ALL
),
rated AS (SELECT sid, component, sum(amount) AS amount FROM rt_line GROUP BY ALL)
SELECT s.bill_id, component, coalesce(b.amount, 0) AS billed, coalesce(r.amount, 0) AS rated
FROM billed b FULL JOIN rated r USING (sid, component) JOIN rt_settlement s USING (sid)
WHERE sid NOT IN (SELECT sid FROM rt_gap) AND coalesce(b.amount, 0) <> coalesce(r.amount, 0) ORDER BY ALL
"""


@pytest.fixture(scope="module")
def desk(clean: Books) -> duckdb.DuckDBPyConnection:
    """Return a connection with the books of the utility and the tariff book, ready to rate."""
    con = duckdb.connect()
    for statement in dialect.SHIM:
        con.execute(statement)
    for name, table in contracts.contract().tables.items():
        file = clean.folder / f"{name}.parquet"
        if file.exists():
            con.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{file}')")
        else:
            empty = ", ".join(f'CAST(NULL AS {c.sql_type}) AS "{c.name}"' for c in table.columns)
            con.execute(f"CREATE VIEW {name} AS SELECT {empty} WHERE false")
    books = load.shipped()
    held: list[Any] = con.execute("SELECT DISTINCT tariff_id, document FROM tariff").fetchall()
    tables.install(con, books, codes=tables.match(books, tariffs=held))
    return con


@pytest.mark.parametrize("month", WINDOW, ids=str)
def test_every_bill_of_the_month_is_rated_to_the_same_fen(
    clean: Books, desk: duckdb.DuckDBPyConnection, month: periods.BillingMonth
) -> None:
    rated = engine.rate(desk, period=month)
    bills = clean.one(
        f"SELECT count(*) FROM bill WHERE kind IN ('regular', 'reissue') AND status <> 'void' "
        f"AND billing_period = '{month}'"
    )
    assert rated.settlements == bills
    assert desk.execute(DIFFERENCES).fetchall() == []


def test_only_a_year_begun_before_the_window_lacks_history(desk: duckdb.DuckDBPyConnection) -> None:
    gaps = []
    for month in (WINDOW[-1], LAST):
        engine.rate(desk, period=month)
        gaps.append({row[0] for row in desk.execute("SELECT DISTINCT reason FROM rt_gap").fetchall()})
    assert gaps == [{"history_short"}, set()]
