"""What `rules test` says about examples that do not hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mingcha.rules import book as books
from mingcha.rules import model, proving

MARCH = {"billing_period": "2026-03", "status": "open"}


@pytest.fixture(scope="module")
def prover() -> Iterator[proving.Prover]:
    from .conftest import BOOK

    prover = proving.Prover(books.load(root=BOOK))
    yield prover
    prover.bench.close()


def said(prover: proving.Prover, rule_id: str = "PRI-901", **example: Any) -> str:
    """Return everything said about an example of the rule."""
    bill = {"bill_id": "B1", "customer_id": "C1", "amount": "1500", "energy_kwh": "1", **MARCH}
    fields = {"name": "n", "kind": "hit", "given": {"bill": [bill]}, **example}
    shown = model.Example.model_validate(fields)
    failures = prover.prove_one(prover.graph.book.rules[rule_id], shown)
    return "\n".join(str(failure) for failure in failures)


class TestHolding:
    def test_compares_numbers_by_value_and_only_what_is_stated(self, prover: proving.Prover) -> None:
        assert said(prover, expect=[{"subject_id": "B1", "refund_cny": "500", "back_cny": None}]) == ""

    def test_takes_a_missing_table_as_not_delivered(self, prover: proving.Prover) -> None:
        assert said(prover, not_delivered=["customer.org_id"], expect_skipped=["customer.org_id"]) == ""


class TestFailing:
    def test_names_the_value_that_differs(self, prover: proving.Prover) -> None:
        told = said(prover, expect=[{"subject_id": "B1", "refund_cny": "500.01", "band": "order"}])

        assert "hits: subject B1: refund_cny: expected 500.01, got 500.00" in told

    def test_names_a_hit_that_did_not_come(self, prover: proving.Prover) -> None:
        assert "expected {subject_id: B2}" in said(
            prover, expect=[{"subject_id": "B1"}, {"subject_id": "B2"}]
        )

    def test_names_a_hit_nobody_expected(self, prover: proving.Prover) -> None:
        assert "hits: not expected, but came: {subject_id: B1" in said(prover, expect=[])

    def test_does_not_take_lacking_data_for_innocence(self, prover: proving.Prover) -> None:
        bill = {"bill_id": "B1", "customer_id": "C1", "amount": "1500", "energy_kwh": "0", **MARCH}

        told = said(prover, given={"bill": [bill]}, expect=[])

        assert "other exits: not expected, but came" in told
        assert "exit: insufficient_data" in told

    def test_says_when_it_was_skipped_against_expectation(self, prover: proving.Prover) -> None:
        assert "skipped because: table bill not delivered" in said(prover, not_delivered=["bill"], expect=[])

    def test_says_when_it_ran_against_expectation(self, prover: proving.Prover) -> None:
        assert "expected it to be skipped for want of meter; it ran" in said(prover, expect_skipped=["meter"])

    def test_names_an_output_column_that_does_not_exist(self, prover: proving.Prover) -> None:
        told = said(prover, expect=[{"subject_id": "B1", "refund": "500"}])

        assert "refund: the query gives no such column" in told

    def test_says_when_a_near_miss_is_no_miss(self, prover: proving.Prover) -> None:
        bill = {"bill_id": "B1", "customer_id": "C1", "amount": "3.99", "energy_kwh": "1", **MARCH}

        told = said(
            prover,
            kind="near_miss",
            of="limit_cny",
            parameters={"limit_cny": 100000},
            given={"bill": [{**bill, "status": "void"}]},
            expect=[],
        )

        assert "does not defend limit_cny" in told

    def test_refuses_two_rows_of_one_key(self, prover: proving.Prover) -> None:
        bill = {"bill_id": "B1", "amount": "1500", **MARCH}

        assert "two given rows of bill share the key bill_id" in said(
            prover, given={"bill": [bill, bill]}, expect=[]
        )

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({"bills": [{}]}, "there is no table bills"),
            ({"bill": [{"amout": "1"}]}, "table bill has no column amout"),
            ({"bill": [{"status": "odd"}]}, "bill.status cannot be 'odd'; one of: open, paid"),
            ({"bill": [{"amount": None}]}, "bill.amount may not be null"),
            ({"bill": [{"amount": "cheap"}]}, "cheap"),
        ],
    )
    def test_refuses_rows_the_contract_does_not_allow(
        self, prover: proving.Prover, given: dict[str, Any], words: str
    ) -> None:
        assert words in said(prover, given=given, expect=[])

    @pytest.mark.parametrize(
        ("parameters", "words"),
        [({"limit": 1}, "has no parameter limit"), ({"limit_cny": "0"}, "lies outside 1 to 100000")],
    )
    def test_refuses_parameters_that_are_not_allowed(
        self, prover: proving.Prover, parameters: dict[str, Any], words: str
    ) -> None:
        assert words in said(prover, parameters=parameters, expect=[])


def test_no_example_sees_rows_of_another(prover: proving.Prover) -> None:
    assert said(prover, expect=[{"subject_id": "B1"}]) == ""
    assert said(prover, given={}, expect=[]) == ""


def test_base_rows_give_way_to_given_rows_of_the_same_key(prover: proving.Prover) -> None:
    rule = prover.graph.book.rules["COL-901"]
    example = next(e for e in rule.examples.examples if e.name == "exactly twice")

    rows = proving.rows_of(rule, example)

    assert [(row["bill_id"], row["energy_kwh"]) for row in rows["bill"]] == [("B0", "100"), ("B1", "200")]


def test_examples_may_state_rows_of_derived_tables(prover: proving.Prover) -> None:
    rerated = {"rerated_line": [{"line_no": 1, "amount": "7.5"}], "rerated_gap": [{"reason": "no_price"}]}
    assert said(prover, given={**rerated, "bill": []}, kind="innocent", expect=[]) == ""
    prover.bench.con.execute("BEGIN")
    prover.bench.fill("bill_difference", [{"cause": "rounding", "difference": "0.01"}])
    assert prover.bench.rows("SELECT cause FROM bill_difference", "here") == [{"cause": "rounding"}]
    prover.bench.con.execute("ROLLBACK")


def test_refuses_rows_no_derived_table_can_hold(prover: proving.Prover) -> None:
    assert "cannot be 'bad'" in said(prover, given={"bill_difference": [{"cause": "bad"}]}, expect=[])
