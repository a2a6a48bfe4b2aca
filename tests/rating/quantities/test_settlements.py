"""Which bills and which readings make one settlement."""

from __future__ import annotations

from datetime import date

from tests.rating.bench import Bench

D = date


def parts(bench: Bench) -> list[tuple[object, ...]]:
    bench.quantities()
    return bench.rows("rt_settlement", "customer_id, seq, last, bill_ids, bills, started_on, read_on")


def test_a_plain_home_is_one_settlement_of_its_bill_and_reading(bench: Bench) -> None:
    bench.home()
    bench.reading(start="1000", end="1123.45")
    assert parts(bench) == [("C1", 1, True, "B000001", 1, D(2026, 3, 1), D(2026, 4, 1))]
    assert bench.energy() == {"all": "123.45"}
    assert bench.gaps() == set()
    assert bench.rows("rt_point", "usage_point_id, main, tariff_id") == [("P1", True, "T")]


def test_settlements_are_numbered_by_customer(bench: Bench) -> None:
    for number in ("C3", "C1", "C2"):
        bench.home(number, f"P{number}")
        bench.reading(f"P{number}")
    bench.quantities()
    assert bench.rows("rt_settlement", "sid, customer_id") == [(1, "C1"), (2, "C2"), (3, "C3")]


def test_two_settlements_a_month(bench: Bench) -> None:
    bench.home()
    bench.bill()
    bench.reading(end="60", read_on=D(2026, 3, 16))
    bench.reading(start="60", end="100", started_on=D(2026, 3, 16))
    assert parts(bench) == [
        ("C1", 1, False, "B000001", 1, D(2026, 3, 1), D(2026, 3, 16)),
        ("C1", 2, True, "B000002", 1, D(2026, 3, 16), D(2026, 4, 1)),
    ]
    assert bench.rows("rt_energy", "sid, seg, kwh") == [(1, 1, "60"), (2, 1, "40")]


def test_one_bill_for_two_readings_is_one_settlement(bench: Bench) -> None:
    bench.home()
    bench.reading(end="60", read_on=D(2026, 3, 16))
    bench.reading(start="0", end="40", started_on=D(2026, 3, 16), meter_id="M2")
    assert parts(bench) == [("C1", 1, True, "B000001", 1, D(2026, 3, 1), D(2026, 4, 1))]
    assert bench.rows("rt_energy", "seg, kwh") == [(1, "60"), (2, "40")]


def test_a_duplicate_bill_shares_the_settlement_of_the_one_reading(bench: Bench) -> None:
    bench.home()
    bench.bill()
    bench.reading()
    assert parts(bench) == [("C1", 1, True, "B000001,B000002", 2, D(2026, 3, 1), D(2026, 4, 1))]
    assert bench.rows("rt_settlement", "bill_id") == [("B000002",)]
    assert bench.energy() == {"all": "100"}


def test_overlapping_readings_do_not_make_two_settlements(bench: Bench) -> None:
    bench.home()
    bench.bill()
    bench.reading(end="60", read_on=D(2026, 3, 20))
    bench.reading(start="60", end="100", started_on=D(2026, 3, 16))
    assert [row[:2] for row in parts(bench)] == [("C1", 1)]
    assert bench.gaps() == {"unsupported"}


def test_a_reissued_bill_stands_for_the_voided_one(bench: Bench) -> None:
    bench.home()
    bench.bill(kind="void", original_bill_id="B000001", bill_id="V1", status="void")
    bench.bill(kind="reissue", original_bill_id="B000001", bill_id="N1")
    bench.reading()
    assert [row[3] for row in parts(bench)] == ["N1"]


def test_bills_that_do_not_stand_make_no_settlement(bench: Bench) -> None:
    bench.customer()
    bench.point()
    bench.reading()
    bench.bill(status="void")
    bench.bill(kind="supplementary")
    bench.bill(kind="refund")
    bench.bill(billing_period="2026-02")
    bench.bill(bill_id="X")
    bench.bill(kind="void", original_bill_id="X", bill_id="Y", billing_period="2026-04")
    assert parts(bench) == []


def test_without_reading_the_settlement_is_the_month_in_service(bench: Bench) -> None:
    bench.home(opened_on=D(2026, 3, 10), closed_on=D(2026, 3, 25))
    assert [row[-2:] for row in parts(bench)] == [(D(2026, 3, 10), D(2026, 3, 25))]
    assert bench.gaps() == {"no_reading"}
