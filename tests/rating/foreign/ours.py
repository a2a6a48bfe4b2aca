"""Our engine over many rates at once: every rate is a customer with hourly intervals, month after month."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from mingcha.contract import ddl
from mingcha.contract import load as contract
from mingcha.kernel.periods import BillingMonth
from mingcha.rating import engine
from mingcha.rating import tables as rating
from mingcha.store import duck
from mingcha.tariffbook import load, tables, urdb


@dataclass(frozen=True)
class Bill:
    """One bill by kind of charge: sums of lines not rounded and as billed, and how many lines there are."""

    exact: dict[str, Decimal]
    amount: dict[str, Decimal]
    lines: dict[str, int]


def as_json(rate: dict[str, Any]) -> str:
    """Return a rate as the service of the database would send it."""
    return json.dumps({"items": [rate]}, default=_Number)


class _Number(float):
    """A decimal that JSON writes with its own digits."""

    def __new__(cls, value: Decimal) -> _Number:
        made = super().__new__(cls, value)
        made.text = str(value)
        return made

    def __repr__(self) -> str:
        return self.text


def books(rates: Iterable[dict[str, Any]], folder: Path) -> tuple[load.Books, list[urdb.Imported]]:
    """Return the rates imported, written to files and loaded again."""
    imported, paths = [], []
    for rate in rates:
        one = urdb.read(as_json(rate), source=str(rate["label"]))
        imported.append(one)
        paths.append(folder / f"{rate['label']}.yaml")
        paths[-1].write_text(one.text, encoding="utf-8")
    return load.only(paths), imported


def connect(made: load.Books, codes: Sequence[str]) -> duckdb.DuckDBPyConnection:
    """Return a connection with the books, every contract table empty, and each tariff known by its code."""
    con = duck.connect(memory_limit="2GiB", threads=2)
    tables.install(con, made, codes=[(code, code) for code in codes])
    for table in contract.contract().tables.values():
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW {duck.name(table.name)} AS {ddl.empty_relation(table=table)}"
        )
    return con


def year(
    con: duckdb.DuckDBPyConnection,
    *,
    customers: Sequence[tuple[str, int]],
    loads: Sequence[Sequence[Decimal]],
    begins: int,
) -> dict[tuple[int, int], Bill]:
    """Return bills by (place of the customer, month); `customers` are (tariff code, number of the load)."""
    con.register(
        "made_load",
        pa.table(
            {
                "load": pa.array([n for n, kwh in enumerate(loads) for _ in kwh], pa.int32()),
                "hour": pa.array([hour for kwh in loads for hour in range(len(kwh))], pa.int32()),
                "kwh": pa.array([value for kwh in loads for value in kwh], pa.decimal128(18, 4)),
            }
        ),
    )
    con.execute("CREATE OR REPLACE TEMP TABLE made_customer (sid BIGINT, code VARCHAR, load INTEGER)")
    con.executemany(
        "INSERT INTO made_customer VALUES (?, ?, ?)",
        [(place, code, number) for place, (code, number) in enumerate(customers)],
    )
    con.execute(
        "CREATE OR REPLACE TEMP VIEW customer AS SELECT CAST(sid AS VARCHAR) AS customer_id,"
        " CAST(NULL AS DATE) AS opened_on, CAST(NULL AS DATE) AS closed_on FROM made_customer"
    )
    bills: dict[tuple[int, int], Bill] = {}
    for month in range(1, 13):
        period = BillingMonth(begins, month)
        _month(con, period)
        engine.run(con, period=period, names=("prices", "interval", *engine.CHARGES))
        bills |= _bills(con, month)
    return bills


def _month(con: duckdb.DuckDBPyConnection, period: BillingMonth) -> None:
    """Make the rt_* tables of the month that quantity steps would make."""
    for name in rating.QUANTITIES:
        con.execute(rating.create(name))
    first = date(period.year, 1, 1)
    start, end = f"DATE '{period.start}'", f"DATE '{period.end}'"
    con.execute(f"""
        INSERT INTO rt_settlement
        SELECT sid, CAST(sid AS VARCHAR), '{period}', 1, true, 'B' || sid, 'B' || sid, 1, {start}, {end},
            {start}, {end}
        FROM made_customer""")
    con.execute("""
        INSERT INTO rt_point
        SELECT sid, 'P' || sid, NULL, true, NULL, 'meter', NULL, code FROM made_customer""")
    con.execute(f"""
        INSERT INTO rt_contract BY NAME
        SELECT sid, {start} AS seg_from, {end} AS seg_to, code AS tariff_id,
            'demand_actual' AS basic_charge_method, 'retail' AS purchase_mode, t.book
        FROM made_customer
        JOIN (SELECT DISTINCT tariff_code AS code, book FROM tb_tariff) AS t USING (code)""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE rt_interval AS
        SELECT sid, 'P' || sid AS usage_point_id, TIMESTAMP '{first}' + to_hours(hour) AS at,
            CAST(60 AS INTEGER) AS minutes, kwh
        FROM made_customer JOIN made_load USING (load)
        WHERE TIMESTAMP '{first}' + to_hours(hour) >= {start}
            AND TIMESTAMP '{first}' + to_hours(hour) < {end}""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE rt_day AS
        SELECT CAST(day AS DATE) AS day, CASE WHEN isodow(day) > 5 THEN 'rest' ELSE 'workday' END AS kind
        FROM range({start}, {end}, INTERVAL 1 DAY) AS r(day)""")


def _bills(con: duckdb.DuckDBPyConnection, month: int) -> dict[tuple[int, int], Bill]:
    twice = con.execute("SELECT sid, line_no FROM rt_line GROUP BY ALL HAVING count(*) > 1").fetchall()
    assert twice == [], twice[:5]
    gaps = con.execute("SELECT * FROM rt_gap").fetchall()
    assert gaps == [], gaps[:5]
    found: dict[tuple[int, int], Bill] = {}
    rows = con.execute("""
        SELECT sid, CASE component WHEN 'basic_demand' THEN 'demand' WHEN 'other' THEN 'fixed'
            ELSE component END, sum(exact), sum(amount), count(*)
        FROM rt_line GROUP BY ALL""").fetchall()
    for sid, kind, exact, amount, lines in rows:
        bill = found.setdefault((sid, month), Bill({}, {}, {}))
        bill.exact[kind], bill.amount[kind], bill.lines[kind] = exact, amount, lines
    return found
