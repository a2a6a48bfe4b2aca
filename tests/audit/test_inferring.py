"""Limits learnt back from bills that were divided by known limits; a reason for every bill that was not."""

from __future__ import annotations

import csv
import io
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from mingcha.audit import inferredbook, inferring
from mingcha.contract import ddl
from mingcha.contract import load as contract
from mingcha.kernel import errors
from mingcha.kernel.periods import BillingMonth
from mingcha.rating import engine
from mingcha.rating import tables as rating
from mingcha.store import duck, snapshots, workspace
from mingcha.tariffbook import load, tables

MADE_AT = datetime.fromisoformat("2026-04-11T08:30:00+08:00")
CHANGE = date(2014, 1, 1)
OLD, NEW = (100,), (80, 150, 400)


@dataclass(frozen=True)
class Invoice:
    """One bill with its reading; `tiers` is what was billed."""

    number: int
    client: str
    read_on: date
    months: int
    start: int
    end: int
    tiers: tuple[int, ...]
    multiplier: int = 1
    tariff: str = "A"
    read: bool = True
    other_register: int = 0

    @property
    def started_on(self) -> date:
        months = self.read_on.year * 12 + self.read_on.month - 1 - self.months
        return date(months // 12, months % 12 + 1, self.read_on.day)


def divided(kwh: int, months: int, limits: tuple[int, ...]) -> tuple[int, ...]:
    """The energy of each tier."""
    ends = [0, *(limit * months for limit in limits), 10**9]
    return tuple(max(0, min(kwh, end) - start) for start, end in itertools.pairwise(ends))


def honest() -> list[Invoice]:
    """Sixty clients billed every two months for three years on A, some on B without tiers."""
    draw = random.Random(11)
    found: list[Invoice] = []
    for client in range(60):
        index = draw.randrange(90_000)
        for turn in range(18):
            month = 2 * turn
            day = date(2012 + month // 12, month % 12 + 1, 3 + client % 25)
            kwh = draw.choice([90, 190, 260, 420, 900, 1500]) + draw.randrange(40)
            limits = () if client >= 50 else OLD if day < CHANGE else NEW
            end = (index + kwh) % 100_000
            found.append(
                Invoice(len(found), f"C{client}", day, 2, index, end, divided(kwh, 2, limits),
                        tariff="B" if client >= 50 else "A")
            )  # fmt: skip
            index = end
    return found


#: The reason a changed bill must be given, and what is changed: bills of client C1 in the order of time.
WRONG = {
    "standing_index": lambda bill: replace(bill, end=bill.start),
    "billed_less": lambda bill: replace(bill, end=bill.end + 7),
    "billed_more": lambda bill: replace(bill, end=bill.end - 7),
    "index_fell": lambda bill: replace(bill, start=50_000, end=49_990),
    "multiplier_not_applied": lambda bill: replace(bill, multiplier=30),
    "other_months": lambda bill: replace(bill, start=1000, end=1900, tiers=divided(900, 4, NEW)),
    "not_divided": lambda bill: replace(bill, start=1000, end=1900, tiers=(900,)),
    "whole_average": lambda bill: replace(bill, start=1000, end=1301, tiers=(160, 141)),
    "other_span": lambda bill: replace(bill, start=1000, end=1901, tiers=divided(901, 2, OLD)),
    "unexplained": lambda bill: replace(bill, start=1000, end=1900, tiers=(11, 889)),
    "no_reading": lambda bill: replace(bill, read=False),
    "netted": lambda bill: replace(
        bill, start=1000, end=1900, tiers=divided(600, 2, NEW), other_register=300
    ),
}


@pytest.fixture(scope="module")
def invoices() -> list[Invoice]:
    bills = honest()
    late = [bill for bill in bills if bill.client == "C1" and bill.read_on >= CHANGE]
    late += [bill for bill in bills if bill.client == "C2" and bill.read_on >= CHANGE]
    for bill, (_, change) in zip(late, WRONG.items(), strict=False):
        bills[bill.number] = change(bill)
    return bills


def place(folder: Path, invoices: list[Invoice], *, tariffs: bool = True) -> workspace.Workspace:
    made = workspace.Workspace.create(folder)
    con = made.connect()
    con.execute(
        "CREATE TEMP TABLE invoice (n INTEGER, client VARCHAR, read_on DATE, started_on DATE, first INTEGER,"
        " last INTEGER, multiplier INTEGER, tariff VARCHAR, kwh INTEGER, tiers INTEGER[], read BOOLEAN,"
        " other INTEGER)"
    )
    con.executemany(
        "INSERT INTO invoice VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (one.number, one.client, one.read_on, one.started_on, one.start, one.end, one.multiplier,
             one.tariff, sum(one.tiers), list(one.tiers), one.read, one.other_register)
            for one in invoices
        ],
    )  # fmt: skip
    sources = {
        "bill": "SELECT 'B' || n AS bill_id, client AS customer_id,"
        " strftime(read_on, '%Y-%m') AS billing_period, 'regular' AS kind,"
        " CAST(read_on AS TIMESTAMP) AS issued_at, kwh AS energy_kwh, 0 AS amount,"
        " read_on AS due_on, 'open' AS status FROM invoice",
        "bill_line": "SELECT 'B' || n AS bill_id, tier AS line_no, client AS usage_point_id,"
        " 'energy' AS component, tier, quantity, 'kWh' AS unit, 0 AS amount"
        + (", tariff AS tariff_id" if tariffs else "")
        + " FROM (SELECT n, client, tariff, unnest(tiers) AS quantity, generate_subscripts(tiers, 1) AS tier"
        " FROM invoice) WHERE quantity > 0",
        "reading": "SELECT 'R' || n AS reading_id, client AS usage_point_id, 'M' || client AS meter_id,"
        " strftime(read_on, '%Y-%m') AS billing_period, 'active' AS register, first AS start_value,"
        " last AS end_value, multiplier, kwh AS energy, started_on, read_on, 'manual' AS method"
        " FROM invoice WHERE read UNION ALL SELECT 'S' || n, client, 'S' || client,"
        " strftime(read_on, '%Y-%m'), 'active', 0, other, 1, other, started_on, read_on, 'manual'"
        " FROM invoice WHERE other > 0",
    }
    with snapshots.Draft(made, made_at=MADE_AT) as draft:
        for table, source in sources.items():
            columns = {one.name: one.sql_type for one in contract.contract().tables[table].columns}
            names = [row[0] for row in con.execute(f"DESCRIBE {source}").fetchall()]
            typed = ", ".join(f"CAST({name} AS {columns[name]}) AS {name}" for name in names)
            draft.add_rows(table=table, source=f"SELECT {typed} FROM ({source})", con=con)
        draft.commit(delivery={"source": "test"}, deliveries={})
    con.close()
    return made


@dataclass(frozen=True)
class Result:
    """What was learnt, and the connection it was learnt on."""

    learned: inferring.Learned
    con: duckdb.DuckDBPyConnection


@pytest.fixture(scope="module")
def result(invoices: list[Invoice], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Result]:
    made = place(tmp_path_factory.mktemp("infer") / "utility", invoices)
    con = made.connect()
    yield Result(inferring.learn(workspace=made, con=con), con)
    con.close()


def test_limits_and_the_day_they_changed(result: Result) -> None:
    spans = {
        one.tariff_id: [(span.since, tuple(int(end) for end in span.ladder)) for span in one.spans]
        for one in result.learned.tariffs
    }
    assert spans == {"A": [(None, OLD), (CHANGE, NEW)], "B": [(None, ())]}


def test_every_other_bill_is_reproduced(result: Result, invoices: list[Invoice]) -> None:
    learned = result.learned
    assert learned.judged == learned.bills == len(invoices)
    assert learned.reproduced == len(invoices) - len(WRONG)


def test_each_exception_has_its_reason(result: Result) -> None:
    given = {row["bill_id"]: row["reason"] for row in inferring.exceptions(result.con)}
    assert sorted(given.values()) == sorted(WRONG)
    assert set(WRONG) < set(inferring.REASONS)


def test_an_exception_says_what_would_have_fitted(result: Result) -> None:
    fits = {row["reason"]: row["fits"] for row in inferring.exceptions(result.con)}
    assert fits["other_months"] == "4 months"
    assert fits["other_span"] == "100.0000"
    assert fits["billed_less"] is None


def test_registers_that_pass_their_top(result: Result) -> None:
    registers = result.learned.registers
    assert registers.fallen > registers.rolled_over > 0
    assert registers.multiplier_above_one == 1
    assert registers.of_these_not_multiplied == 1


def test_the_draft_loads_and_says_what_it_rests_on(result: Result, tmp_path: Path) -> None:
    path = tmp_path / "draft.yaml"
    path.write_text(
        inferredbook.draft(result.learned, book="my.utility", country="TN", currency="TND"), encoding="utf-8"
    )
    books = load.only([path])
    book = books.book("my.utility")
    assert {document.evidence for document in book.documents} == {"[D]"}
    assert books.tariff("my.utility.tA").known_as == ("A",)
    first, second = book.tiers[0].entries
    assert (first.limits[0].upto, second.in_force_from) == ((Decimal(100),), CHANGE)
    assert "changed after 2013-" in second.clause
    assert {price.evidence for price in books.prices("my.utility.tA")} == {"[K?]"}


def test_a_name_no_book_can_have(result: Result) -> None:
    with pytest.raises(errors.BookError, match="cannot be the name of a book"):
        inferredbook.draft(result.learned, book="My Utility", country="TN", currency="TND")


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_exceptions_written(result: Result, kind: str) -> None:
    stream = io.StringIO()
    assert inferredbook.write_exceptions(inferring.exceptions(result.con), stream, kind=kind) == len(WRONG)
    lines = stream.getvalue().splitlines()
    assert len(lines) == len(WRONG) + (kind == "csv")
    if kind == "csv":
        assert {row["reason"] for row in csv.DictReader(lines)} == set(WRONG)


def test_the_rating_engine_divides_as_was_learnt(result: Result, tmp_path: Path) -> None:
    """The draft through the tier step: energy from index × multiplier, lines per tier, bill by bill."""
    path = tmp_path / "draft.yaml"
    path.write_text(
        inferredbook.draft(result.learned, book="my.utility", country="TN", currency="TND"), encoding="utf-8"
    )
    con = result.con
    for table in contract.contract().tables.values():
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW {duck.name(table.name)} AS {ddl.empty_relation(table=table)}"
        )
    tables.install(con, load.only([path]), codes=inferredbook.codes(result.learned, book="my.utility"))
    for month in ("2013-09", "2014-03", "2014-11"):
        period = BillingMonth.parse(month)
        for name in rating.QUANTITIES:
            con.execute(rating.create(name))
        con.execute(f"""
            CREATE OR REPLACE TEMP TABLE mine AS SELECT row_number() OVER (ORDER BY bill_id) AS sid, *
            FROM inf_judged WHERE billing_period = '{month}' AND computed IS NOT NULL""")
        con.execute(f"""
            INSERT INTO rt_settlement SELECT sid, bill_id, billing_period, 1, true, bill_id, bill_id, 1,
                started_on, read_on, DATE '{period.start}', DATE '{period.end}' FROM mine""")
        con.execute("""
            INSERT INTO rt_point SELECT sid, usage_point_id, NULL, true, NULL, 'meter', NULL, tariff_id
            FROM mine""")
        con.execute("""
            INSERT INTO rt_energy SELECT sid, usage_point_id, 1, started_on, read_on, tariff_id, 'all',
                computed FROM mine""")
        engine.run(con, period=period, names=("prices", *engine.CHARGES))
        wrong = con.execute("""
            WITH line AS (SELECT sid, coalesce(tier, 1) AS tier, quantity FROM rt_line),
            rated AS (
                SELECT sid, coalesce(sum(quantity) FILTER (tier = 1), 0) AS e1,
                    coalesce(sum(quantity) FILTER (tier = 2), 0) AS e2,
                    coalesce(sum(quantity) FILTER (tier = 3), 0) AS e3,
                    coalesce(sum(quantity) FILTER (tier = 4), 0) AS e4
                FROM line GROUP BY sid)
            SELECT bill_id FROM mine LEFT JOIN rated USING (sid) WHERE exact
            AND (e1, e2, e3, e4) IS DISTINCT FROM (q1, q2, q3, q4)""").fetchall()
        assert con.execute("SELECT count(*) FILTER (exact) > 40 FROM mine").fetchone() == (True,)
        assert wrong == []


def test_lines_without_a_tariff(invoices: list[Invoice], tmp_path: Path) -> None:
    made = place(tmp_path / "utility", invoices[:30], tariffs=False)
    con = made.connect()
    with pytest.raises(errors.Refusal, match="no bill line names its tariff"):
        inferring.learn(workspace=made, con=con)
    con.close()


def test_a_workspace_without_a_delivery(tmp_path: Path) -> None:
    made = workspace.Workspace.create(tmp_path / "utility")
    con = made.connect()
    with pytest.raises(errors.SetupError, match="nothing was delivered yet"):
        inferring.learn(workspace=made, con=con)
    con.close()
