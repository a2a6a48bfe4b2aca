"""What the shared relations leave out, join and compute, on a handful of rows each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from mingcha.kernel.periods import BillingMonth
from mingcha.rules import bench as benches
from mingcha.rules import book as books
from mingcha.rules import compile as compiler
from mingcha.rules import graph as graphs

MOMENT = compiler.Moment(period=BillingMonth(2026, 3), data_date=date(2026, 4, 10), history_months=2)
Asked = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def bench() -> Iterator[benches.Bench]:
    book, _ = books.read()
    made = benches.Bench(graphs.Graph(book))
    made.relations(made.graph.relations_of(book.relations), MOMENT)
    yield made
    made.close()


@pytest.fixture
def asked(bench: benches.Bench) -> Iterator[Asked]:
    bench.con.execute("BEGIN")

    def ask(relation: str, **tables: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for table, rows in tables.items():
            bench.fill(table, rows)
        return bench.rows(f"SELECT * FROM {relation} ORDER BY ALL", relation)

    yield ask
    bench.con.execute("ROLLBACK")


POINT = {
    "usage_point_id": "P1", "effective_from": "2024-01-01", "customer_id": "C1", "rated_voltage_v": "220",
}  # fmt: skip
DIRECT = {**POINT, "multiplier": "1"}
CUSTOMER = {"customer_id": "C1", "org_id": "O1", "contract_capacity_kva": "10", "voltage_kv": "0.22"}


def curve_row(quarter: int, **values: str) -> dict[str, Any]:
    moment = f"2026-03-10 {quarter // 4:02d}:{quarter % 4 * 15:02d}:00"
    return {"usage_point_id": "P1", "at": moment, **values}


class TestCurve:
    def test_drops_a_power_above_three_times_capacity_and_keeps_one_at_it(self, asked: Asked) -> None:
        rows = [curve_row(0, p_kw="30"), curve_row(1, p_kw="30.0001")]
        found = asked("curve", customer=[CUSTOMER], usage_point=[DIRECT], load_curve=rows)
        assert [row["p_kw"] for row in found] == [Decimal("30.0000")]

    def test_drops_a_voltage_above_one_and_a_half_times_rated(self, asked: Asked) -> None:
        rows = [curve_row(0, u_a="330"), curve_row(1, u_a="330.1")]
        found = asked("curve", customer=[CUSTOMER], usage_point=[DIRECT], load_curve=rows)
        assert [row["u_a"] for row in found] == [Decimal("330.0000")]

    @pytest.mark.parametrize(("points", "kept"), [(23, 23), (24, 0)])
    def test_drops_six_hours_of_one_value(self, asked: Asked, points: int, kept: int) -> None:
        rows = [curve_row(quarter, p_kw="2") for quarter in range(points)]
        found = asked("curve", customer=[CUSTOMER], usage_point=[DIRECT], load_curve=rows)
        assert len(found) == kept

    def test_keeps_a_day_without_load(self, asked: Asked) -> None:
        rows = [curve_row(quarter, p_kw="0") for quarter in range(30)]
        found = asked("curve", customer=[CUSTOMER], usage_point=[DIRECT], load_curve=rows)
        assert len(found) == 30

    def test_current_follows_the_current_ratio_and_power_the_whole_multiplier(self, asked: Asked) -> None:
        (row,) = asked(
            "curve",
            customer=[{**CUSTOMER, "voltage_kv": "10", "contract_capacity_kva": "1000"}],
            usage_point=[{**POINT, "multiplier": "3000", "rated_voltage_v": "100"}],
            load_curve=[curve_row(0, p_kw="0.03", q_kvar="0.04", i_a="2", u_a="100")],
        )
        assert (row["p_kw"], row["q_kvar"], row["kva"]) == (90, 120, 150)
        assert (row["i_a"], row["i2_a"], row["u_a"]) == (60, 2, 100)

    def test_apparent_power_without_reactive_power(self, asked: Asked) -> None:
        rows = [curve_row(0, p_kw="-4", pf="0.8"), curve_row(1, p_kw="9")]
        found = asked("curve", customer=[CUSTOMER], usage_point=[DIRECT], load_curve=rows)
        assert [row["kva"] for row in found] == [5, 10]


def event_row(event_id: str, **values: Any) -> dict[str, Any]:
    return {
        "event_id": event_id, "meter_id": "M1", "usage_point_id": None, "kind": "fly", "phase": None,
        "started_at": "2026-03-10 10:00:00", "ended_at": None, "received_at": None, **values,
    }  # fmt: skip


INSTALL = {
    "meter_id": "M1", "usage_point_id": "P1", "installed_at": "2026-03-01 09:00:00", "removed_at": None,
}  # fmt: skip


class TestEvent:
    def test_finds_the_point_through_the_installation(self, asked: Asked) -> None:
        (row,) = asked("event", meter_event=[event_row("E1")], meter_install=[INSTALL])
        assert row["usage_point_id"] == "P1"

    def test_drops_what_cannot_be(self, asked: Asked) -> None:
        bad = [
            event_row("E2"),  # the same moment, kind and meter again
            event_row("E3", started_at="2026-02-27 10:00:00"),
            event_row("E4", started_at="2026-03-11 10:00:00", ended_at="2026-03-11 09:00:00"),
            event_row("E5", started_at="2026-03-12 10:00:00", received_at="2026-03-12 09:00:00"),
            event_row("E6", started_at="2026-04-12 00:00:00"),
        ]
        found = asked("event", meter_event=[event_row("E1"), *bad], meter_install=[INSTALL])
        assert [row["event_id"] for row in found] == ["E1"]


class TestExclusions:
    def test_an_outage_reaches_the_points_of_its_narrowest_scope(self, asked: Asked) -> None:
        points = [
            {**POINT, "usage_point_id": f"P{n}", "customer_id": f"C{n}", "district_id": district}
            for n, district in enumerate(["D1", "D1", "D2"])
        ]
        outage = {"started_at": "2026-03-10 08:00:00", "ended_at": "2026-03-10 09:00:00", "feeder_id": "F1"}
        found = asked(
            "excl_outage",
            usage_point=points,
            district=[{"district_id": "D1", "feeder_id": "F1"}, {"district_id": "D2", "feeder_id": "F2"}],
            outage=[
                {**outage, "outage_id": "X1", "customer_id": "C0", "district_id": "D1"},
                {**outage, "outage_id": "X2", "district_id": "D2"},
                {**outage, "outage_id": "X3"},
            ],
        )
        assert [row["usage_point_id"] for row in found] == ["P0", "P0", "P1", "P2"]
        assert {(str(row["from_at"]), str(row["to_at"])) for row in found} == {
            ("2026-03-10 07:00:00", "2026-03-10 10:00:00")
        }

    def test_a_ticket_excuses_until_a_cycle_after_completion(self, asked: Asked) -> None:
        ticket = {"kind": "meter_change", "customer_id": "C1", "accepted_at": "2026-03-01 09:00:00"}
        found = asked(
            "excl_change",
            ticket=[
                {**ticket, "ticket_id": "T1", "status": "completed", "completed_at": "2026-03-05 09:00:00"},
                {**ticket, "ticket_id": "T2", "status": "open"},
                {**ticket, "ticket_id": "T3", "status": "cancelled"},
            ],
        )
        assert {row["ticket_id"]: row["to_day"] for row in found} == {
            "T1": date(2026, 4, 9),
            "T2": date(2026, 5, 15),
        }

    def test_a_holiday_takes_its_neighbours(self, asked: Asked) -> None:
        days = [{"day": "2026-05-01", "kind": "holiday"}, {"day": "2026-05-02", "kind": "holiday"}]
        found = asked("excl_holiday", calendar_day=[*days, {"day": "2026-05-09", "kind": "workday"}])
        assert [row["day"].day for row in found] == [30, 1, 2, 3]

    def test_only_approved_adjustments_settle(self, asked: Asked) -> None:
        adjustment = {"customer_id": "C1", "cause": "multiplier", "applied_at": "2026-03-09 09:00:00"}
        found = asked(
            "excl_fix",
            adjustment=[
                {**adjustment, "adjustment_id": "J1", "approved_by": "S1", "billing_period": "2026-02"},
                {**adjustment, "adjustment_id": "J2", "approved_by": "S1"},
                {**adjustment, "adjustment_id": "J3"},
            ],
        )
        assert [(row["adjustment_id"], row["from_day"], row["to_day"]) for row in found] == [
            ("J1", date(2026, 2, 1), date(2026, 3, 1)),
            ("J2", date(2026, 3, 9), date(2026, 3, 10)),
        ]


BILL = {"customer_id": "C1", "billing_period": "2026-03", "kind": "regular", "status": "open"}


class TestBills:
    def test_a_voided_bill_is_not_live_and_its_replacement_is(self, asked: Asked) -> None:
        found = asked(
            "live_bill",
            bill=[
                {**BILL, "bill_id": "B1"},
                {**BILL, "bill_id": "B2", "kind": "void", "original_bill_id": "B1"},
                {**BILL, "bill_id": "B3", "kind": "reissue", "original_bill_id": "B1"},
                {**BILL, "bill_id": "B4", "status": "void"},
                {**BILL, "bill_id": "B5", "kind": "supplementary"},
            ],
        )
        assert [row["bill_id"] for row in found] == ["B3"]

    def test_the_price_is_of_energy_and_funds_not_of_capacity(self, asked: Asked) -> None:
        line = {"bill_id": "B1", "quantity": "100"}
        (row,) = asked(
            "cust_month",
            bill=[{**BILL, "bill_id": "B1", "energy_kwh": "100", "amount": "90.00"}],
            bill_line=[
                {**line, "line_no": 1, "component": "energy", "amount": "50.00"},
                {**line, "line_no": 2, "component": "fund", "amount": "4.00"},
                {**line, "line_no": 3, "component": "basic_capacity", "amount": "36.00"},
            ],
        )
        assert (row["p"], row["p_basis"], row["basic_amt"]) == (Decimal("0.54"), "lines", 36)

    @pytest.mark.parametrize(("kwh", "price", "basis"), [("100", Decimal("0.9"), "bill"), ("0", None, None)])
    def test_without_lines_the_price_is_of_the_bill(
        self, asked: Asked, kwh: str, price: Decimal | None, basis: str | None
    ) -> None:
        bill = {**BILL, "bill_id": "B1", "energy_kwh": kwh, "amount": "90.00"}
        (row,) = asked("cust_month", bill=[bill])
        assert (row["p"], row["p_basis"]) == (price, basis)


class TestPoints:
    def test_a_day_meets_the_archive_row_in_force_that_day(self, asked: Asked) -> None:
        found = asked(
            "point_day",
            customer=[CUSTOMER],
            usage_point=[
                {**POINT, "effective_to": "2026-03-11", "role": "sale"},
                {**POINT, "effective_from": "2026-03-11", "customer_id": "C2", "role": "sale"},
            ],
            daily_energy=[
                {"usage_point_id": "P1", "day": day, "import_kwh": "5", "export_kwh": "2"}
                for day in ("2026-03-10", "2026-03-11", "2023-12-31")
            ],
        )
        assert [(row["day"].day, row["customer_id"], row["org_id"], row["net_kwh"]) for row in found] == [
            (10, "C1", "O1", 3),
            (11, "C2", None, 3),
        ]

    def test_overlapping_archive_rows_give_one_point(self, asked: Asked) -> None:
        rows = [{**POINT, "multiplier": "1"}, {**POINT, "effective_from": "2025-01-01", "multiplier": "2"}]
        found = asked("point_now", customer=[CUSTOMER], usage_point=rows)
        assert [(row["usage_point_id"], row["multiplier"]) for row in found] == [("P1", 2)]

    def test_a_reading_knows_its_predecessor_and_its_roll_over(self, asked: Asked) -> None:
        reading = {"usage_point_id": "P1", "meter_id": "M9", "register": "active", "multiplier": "2"}
        found = asked(
            "reading_step",
            customer=[CUSTOMER],
            usage_point=[{**POINT, "multiplier": "3"}],
            reading=[
                {**reading, "reading_id": "R1", "billing_period": "2026-02", "start_value": "9000",
                 "end_value": "9990", "started_on": "2026-02-01", "read_on": "2026-03-01"},
                {**reading, "reading_id": "R2", "billing_period": "2026-03", "start_value": "9990",
                 "end_value": "10", "started_on": "2026-03-01", "read_on": "2026-04-01"},
            ],
        )  # fmt: skip
        row = next(row for row in found if row["reading_id"] == "R2")
        assert (row["prev_reading_id"], row["prev_end_value"], row["digits"]) == ("R1", 9990, 4)
        assert (row["rolled_over"], row["step_energy"], row["archive_multiplier"]) == (True, 40, 3)


class TestPriceOfCategory:
    def test_a_bill_of_millions_is_weighed_without_overflow(self, asked: Asked) -> None:
        bill = {**BILL, "billing_period": "2026-03"}
        rows = asked(
            "price_of_category",
            customer=[{**CUSTOMER, "usage_category": "general", "voltage_kv": "10"}],
            bill=[{**bill, "bill_id": "B1", "energy_kwh": "90000000", "amount": "54000000.00"}],
        )
        assert [(row["usage_category"], row["low_voltage"], row["p"]) for row in rows] == [
            ("general", False, Decimal("0.6"))
        ]


class TestRunningCapacity:
    def test_stretches_follow_the_status_and_hot_standby_runs(self, asked: Asked) -> None:
        own = {"kind": "dedicated", "customer_id": "C1"}
        rows = asked(
            "kva_run",
            transformer=[
                {**own, "transformer_id": "T1", "capacity_kva": "630"},
                {**own, "transformer_id": "T2", "capacity_kva": "400"},
                {**own, "transformer_id": "T3", "capacity_kva": "250"},
            ],
            transformer_status=[
                {"transformer_id": "T1", "effective_from": "2025-01-01", "status": "running"},
                {"transformer_id": "T2", "effective_from": "2025-01-01", "status": "standby_hot"},
                {"transformer_id": "T2", "effective_from": "2026-03-11", "status": "sealed"},
            ],
        )
        assert [
            (str(row["from_day"]), str(row["to_day"]), row["kva"], row["status_unknown"]) for row in rows
        ] == [
            ("2025-01-01", "2026-03-11", 1030, 1),
            ("2026-03-11", "9999-12-31", 630, 1),
        ]


class TestSpans:
    @pytest.mark.parametrize(
        ("code", "digits", "section"),
        [
            ("C3011", "3011", "C"),
            ("3011", "3011", "C"),
            ("f52", "52", "F"),
            ("A", None, "A"),
            (None, None, None),
        ],
    )
    def test_an_industry_is_read_with_or_without_its_letter(
        self, asked: Asked, code: str | None, digits: str | None, section: str | None
    ) -> None:
        (row,) = asked(
            "contract_span",
            customer=[{**CUSTOMER, "industry_code": code}],
            contract=[{"contract_id": "K1", "effective_from": "2024-01-01", "customer_id": "C1"}],
        )
        assert (row["industry"], row["industry_section"]) == (digits, section)

    def test_a_version_ends_where_the_next_begins(self, asked: Asked) -> None:
        rows = asked(
            "point_span",
            usage_point=[
                {**POINT, "multiplier": "1", "role": "sale"},
                {**POINT, "multiplier": "1", "role": "sale", "effective_from": "2026-03-11"},
            ],
        )
        assert [str(row["effective_until"]) for row in rows] == ["2026-03-11", "9999-12-31"]


def receipt(receipt_id: str, kind: str, amount: str, **values: str) -> dict[str, Any]:
    return {
        "receipt_id": receipt_id, "customer_id": "C1", "received_at": "2026-03-10 10:00:00", "kind": kind,
        "amount": amount, **values,
    }  # fmt: skip


class TestBillReceipt:
    def test_what_is_undone_is_taken_from_the_bill_whatever_its_sign(self, asked: Asked) -> None:
        rows = asked(
            "bill_receipt",
            receipt=[
                receipt("R1", "payment", "60", bill_id="B1"),
                receipt("R2", "reversal", "-60", reversed_receipt_id="R1"),
                receipt("R3", "prepayment_use", "60", bill_id="B1"),
                receipt("R4", "refund", "10", bill_id="B1"),
            ],
        )
        assert [(row["receipt_id"], row["bill_id"], row["amount"]) for row in rows] == [
            ("R1", "B1", Decimal("60.00")),
            ("R2", "B1", Decimal("-60.00")),
            ("R3", "B1", Decimal("60.00")),
            ("R4", "B1", Decimal("-10.00")),
        ]

    def test_a_late_fee_undone_takes_nothing_from_the_bill(self, asked: Asked) -> None:
        rows = asked(
            "bill_receipt",
            receipt=[
                receipt("R1", "late_fee", "3", bill_id="B1"),
                receipt("R2", "reversal", "-3", bill_id="B1", reversed_receipt_id="R1"),
                receipt("R3", "deposit", "100"),
            ],
        )
        assert rows == []

    def test_what_came_after_the_data_date_is_not_there_yet(self, asked: Asked) -> None:
        late = {**receipt("R1", "payment", "60", bill_id="B1"), "received_at": "2026-04-11 00:00:00"}
        assert asked("bill_receipt", receipt=[late]) == []


class TestDeliveredTable:
    def test_an_empty_table_is_absent(self, asked: Asked) -> None:
        rows = asked(
            "delivered_table", customer=[CUSTOMER], usage_point=[DIRECT, {**DIRECT, "usage_point_id": "P2"}]
        )
        assert [(row["table_name"], row["row_count"]) for row in rows] == [
            ("customer", 1),
            ("usage_point", 2),
        ]
