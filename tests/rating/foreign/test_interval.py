"""Energy and demand out of intervals, on days small enough to add up by hand."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from mingcha.contract import ddl
from mingcha.contract import load as contract
from mingcha.kernel.periods import BillingMonth
from mingcha.rating import engine, sections
from mingcha.rating import tables as rating
from mingcha.store import dialect, duck

JUNE = BillingMonth(2026, 6)
#: Two working days and a Saturday: 4, 5 and 6 June 2026.
FIRST, LAST = date(2026, 6, 4), date(2026, 6, 7)


def put(con: duckdb.DuckDBPyConnection, table: str, **row: Any) -> None:
    names = ", ".join(f'"{name}"' for name in row)
    con.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(row))})", list(row.values()))


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    """One point on a tariff with peak 8 to 20 on working days, valley else; on rest days peak 10 to 12."""
    made = duck.connect(threads=1)
    for table in contract.contract().tables.values():
        made.execute(f"CREATE TEMP TABLE {duck.name(table.name)} AS {ddl.empty_relation(table=table)}")
    for name in (*rating.BOOK, *rating.QUANTITIES):
        made.execute(rating.create(name))
    since = date(2026, 1, 1)
    put(made, "rt_tariff", tariff_id="T", tariff_code="T", book="t", programme_id="t/h", in_force_from=since)
    put(made, "rt_price", tariff_id="T", component="energy", period="p0", in_force_from=since)
    put(made, "tb_demand_programme", tariff_code="T", programme_id="t/h")
    hours = [("any", 0, 8, "valley"), ("any", 8, 20, "peak"), ("any", 20, 24, "valley")]
    hours += [("rest", 0, 10, "valley"), ("rest", 10, 12, "peak"), ("rest", 12, 24, "valley")]
    for kind, start, end, period in hours:
        put(made, "tb_programme", programme_id="t/h", moy=6, day_kind=kind, minute_from=start * 60,
            minute_to=end * 60, period=period, in_force_from=since)  # fmt: skip
    put(made, "rt_settlement", sid=1, customer_id="C", billing_period="2026-06", seq=1, last=True,
        started_on=FIRST, read_on=LAST, month_start=JUNE.start, month_end=JUNE.end)  # fmt: skip
    put(made, "rt_point", sid=1, usage_point_id="P", main=True, tariff_id="T")
    made.execute(
        'CREATE TEMP TABLE rt_interval (sid BIGINT, usage_point_id VARCHAR, "at" TIMESTAMP, minutes INTEGER,'
        " kwh DECIMAL(18,4))"
    )
    made.execute("CREATE TEMP TABLE rt_day AS SELECT DATE '2026-06-04' + i::INTEGER AS day, CASE WHEN i = 2"
                 " THEN 'rest' ELSE 'workday' END AS kind FROM range(3) AS r(i)")  # fmt: skip
    return made


def fill(con: duckdb.DuckDBPyConnection, *, minutes: int = 60, **kwh: str) -> None:
    """Intervals of 1 kWh all along; `t0604_09="5"` sets those that begin in an hour."""
    moment = datetime.combine(FIRST, datetime.min.time())
    while moment.date() < LAST:
        value = kwh.get(moment.strftime("t%m%d_%H"), "1")
        put(con, "rt_interval", sid=1, usage_point_id="P", at=moment, minutes=minutes, kwh=Decimal(value))
        moment += timedelta(minutes=minutes)


def run(con: duckdb.DuckDBPyConnection) -> None:
    engine.run(con, period=JUNE, names=("interval",))


def energy(con: duckdb.DuckDBPyConnection) -> dict[tuple[int, str], str]:
    rows = con.execute("SELECT seg, period, kwh FROM rt_energy WHERE usage_point_id = 'P'").fetchall()
    return {(seg, period): str(kwh) for seg, period, kwh in rows}


def demand(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    return {period: str(kw) for period, kw in con.execute("SELECT period, kw FROM rt_demand").fetchall()}


def test_hours_of_working_days_and_of_a_saturday(con: duckdb.DuckDBPyConnection) -> None:
    fill(con)
    run(con)
    assert energy(con) == {(1, "peak"): "26.0000", (1, "valley"): "46.0000"}
    assert con.execute("SELECT * FROM rt_gap").fetchall() == []


def test_the_highest_power_of_each_period(con: duckdb.DuckDBPyConnection) -> None:
    fill(con, t0604_09="5.125", t0605_21="7", t0606_15="9")
    run(con)
    assert demand(con) == {"all": "9.0000", "peak": "5.1300", "valley": "9.0000"}


def test_a_quarter_of_an_hour_is_four_times_its_energy(con: duckdb.DuckDBPyConnection) -> None:
    fill(con, minutes=15)
    run(con)
    assert demand(con)["all"] == "4.0000"
    assert energy(con)[1, "peak"] == "104.0000"


def test_a_new_price_cuts_the_days(con: duckdb.DuckDBPyConnection) -> None:
    put(con, "rt_price", tariff_id="T", component="energy", in_force_from=date(2026, 6, 5))
    fill(con)
    run(con)
    assert energy(con) == {
        (1, "peak"): "12.0000", (1, "valley"): "12.0000", (2, "peak"): "14.0000", (2, "valley"): "34.0000",
    }  # fmt: skip


def test_a_holiday_named_in_the_programme(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("UPDATE rt_day SET kind = 'holiday' WHERE day = DATE '2026-06-05'")
    put(con, "tb_programme", programme_id="t/h", moy=6, day_kind="holiday", minute_from=0, minute_to=1440,
        period="valley", in_force_from=date(2026, 1, 1))  # fmt: skip
    fill(con)
    run(con)
    assert energy(con) == {(1, "peak"): "14.0000", (1, "valley"): "58.0000"}


def test_missing_intervals_are_no_bill(con: duckdb.DuckDBPyConnection) -> None:
    fill(con)
    con.execute("DELETE FROM rt_interval WHERE \"at\" = TIMESTAMP '2026-06-05 03:00:00'")
    run(con)
    gaps = con.execute("SELECT sid, reason, detail FROM rt_gap").fetchall()
    assert gaps == [(1, "no_reading", "P has intervals for 4260 of 4320 minutes")]


def test_intervals_that_do_not_divide_an_hour(con: duckdb.DuckDBPyConnection) -> None:
    fill(con, minutes=45)
    run(con)
    assert con.execute("SELECT reason FROM rt_gap").fetchall() == [("unsupported",)]


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("rt_point", {"usage_point_id": "Q", "main": False}),
        ("rt_loss", {"usage_point_id": "P", "kind": "transformer", "kwh": Decimal(3)}),
    ],
)
def test_sub_meters_and_losses_are_not_for_intervals(
    con: duckdb.DuckDBPyConnection, table: str, row: dict[str, Any]
) -> None:
    put(con, table, sid=1, **row)
    fill(con)
    run(con)
    assert con.execute("SELECT reason FROM rt_gap").fetchall() == [("unsupported",)]


def test_points_without_intervals_keep_their_registers(con: duckdb.DuckDBPyConnection) -> None:
    put(con, "rt_energy", sid=2, usage_point_id="Q", seg=1, tariff_id="T", period="all", kwh=Decimal(3))
    put(con, "rt_demand", sid=2, period="all", kw=Decimal(8))
    fill(con)
    run(con)
    assert con.execute("SELECT kwh FROM rt_energy WHERE sid = 2").fetchall() == [(Decimal("3.0000"),)]
    assert con.execute("SELECT kw FROM rt_demand WHERE sid = 2").fetchall() == [(Decimal("8.0000"),)]


def test_load_curves_become_intervals(con: duckdb.DuckDBPyConnection) -> None:
    put(con, "usage_point", usage_point_id="P", effective_from=date(2020, 1, 1), multiplier=Decimal(40))
    put(
        con,
        "load_curve",
        usage_point_id="P",
        at=datetime.fromisoformat("2026-06-04 09:15:00"),
        p_kw=Decimal("0.5"),
    )
    put(
        con,
        "load_curve",
        usage_point_id="P",
        at=datetime.fromisoformat("2026-06-07 00:00:00"),
        p_kw=Decimal("0.5"),
    )
    put(con, "calendar_day", day=date(2026, 6, 4), kind="holiday")
    engine.run(con, period=JUNE, names=("interval_input",), keep=True)
    rows = con.execute('SELECT "at", minutes, kwh FROM rt_interval').fetchall()
    assert rows == [(datetime.fromisoformat("2026-06-04 09:15:00"), 15, Decimal("5.0000"))]
    assert con.execute("SELECT kind FROM rt_day").fetchall() == [("holiday",)]


@pytest.mark.parametrize(
    "section",
    [one for step in ("interval_input", "interval") for one in sections.of(step)],
    ids=lambda one: f"{one.step}-{one.name}",
)
def test_every_section_translates_to_spark(section: sections.Section, con: duckdb.DuckDBPyConnection) -> None:
    fill(con)
    kept = {}
    for step in ("interval_input", "interval"):
        for one in sections.of(step):
            if not one.is_gap:
                con.execute(f"CREATE OR REPLACE TEMP TABLE {one.name} AS {one.sql}")
    for table, column, kind in con.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal"
    ).fetchall():
        kept.setdefault(table, {})[column] = kind
    assert dialect.to_spark(section.sql, schema=kept)


def test_the_multiplier_of_the_day(con: duckdb.DuckDBPyConnection) -> None:
    change = date(2026, 6, 5)
    put(con, "usage_point", usage_point_id="P", effective_from=date(2020, 1, 1), effective_to=change,
        multiplier=Decimal(40))  # fmt: skip
    put(con, "usage_point", usage_point_id="P", effective_from=change, multiplier=Decimal(80))
    for day in (4, 5):
        at = datetime.fromisoformat(f"2026-06-{day:02d} 00:00:00")
        put(con, "load_curve", usage_point_id="P", at=at, p_kw=Decimal(1))
    engine.run(con, period=JUNE, names=("interval_input",), keep=True)
    assert con.execute("SELECT kwh FROM rt_interval ORDER BY kwh").fetchall() == [(10,), (20,)]


def test_days_the_calendar_does_not_name(con: duckdb.DuckDBPyConnection) -> None:
    put(con, "usage_point", usage_point_id="P", effective_from=date(2020, 1, 1), multiplier=Decimal(1))
    for day in (4, 5, 6):
        at = datetime.fromisoformat(f"2026-06-{day:02d} 00:00:00")
        put(con, "load_curve", usage_point_id="P", at=at, p_kw=Decimal(1))
    engine.run(con, period=JUNE, names=("interval_input",), keep=True)
    kinds = con.execute("SELECT kind FROM rt_day ORDER BY day").fetchall()
    assert kinds == [("workday",), ("workday",), ("rest",)]
