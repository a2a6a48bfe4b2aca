"""Shared scans: seen in the query, never in the results."""

from __future__ import annotations

import math
from datetime import date

import pytest

from mingcha.kernel.periods import BillingMonth
from mingcha.rules import book as books
from mingcha.rules import fuse, graph, overlay, run, stage
from mingcha.store import snapshots

from .conftest import Utility, bill, customer

ALWAYS = run.Options(use_cache=False, fuse_from_rows=0, fuse_worth=math.inf)
NEVER = run.Options(use_cache=False, fuse=False)
MARCH = BillingMonth(2026, 3)


@pytest.fixture
def filled(utility: Utility) -> Utility:
    bills = [
        bill(f"B{number}-{month}", customer=f"C{number % 3}", period=month, amount=str(number * 700))
        for number in range(40)
        for month in ("2026-01", "2026-02", "2026-03")
    ]
    people = [customer(f"C{number}", org=f"O{number}") for number in range(3)]
    utility.deliver({"customer": people, "bill": bills})
    return utility


def fuser(utility: Utility, **more: float) -> fuse.Fuser:
    snapshot = snapshots.latest(utility.workspace)
    assert snapshot is not None
    setting = stage.Stage(
        con=utility.workspace.connect(),
        snapshot=snapshot,
        graph=graph.Graph(utility.book),
        periods=[MARCH],
        data_date=date(2026, 4, 10),
    )
    options = {"big_rows": 0, "worth": math.inf, **more}
    return fuse.Fuser(stage=setting, rules=utility.book.rules.values(), overlay=overlay.Overlay(), **options)


class TestScans:
    def test_are_those_by_a_condition_on_one_table_alone(self, book: books.Book) -> None:
        (scan,) = fuse.scans_of(rule=book.rules["PRI-901"], graph=graph.Graph(book))

        assert scan.table == "plain_bill"
        assert scan.condition == "billing_period = :period AND amount > :limit_cny"
        assert book.rules["PRI-901"].sql[scan.start : scan.end] == "plain_bill"
        assert "phone" not in scan.columns

    def test_are_not_those_with_joins_or_on_relations_already_written_out(self, book: books.Book) -> None:
        scans = fuse.scans_of(rule=book.rules["COL-901"], graph=graph.Graph(book))

        assert [scan.table for scan in scans] == ["excl_change"]


class TestRewriting:
    def test_reads_the_rows_any_rule_may_want(self, filled: Utility) -> None:
        shared = fuser(filled)

        sql = shared.rewrite(rule=filled.book.rules["PRI-902"], period=MARCH)

        assert 'FROM shared_plain_bill_2026_03 AS "plain_bill"' in sql
        rows = shared.stage.con.execute("SELECT count(*) FROM shared_plain_bill_2026_03").fetchone()
        assert rows == (38,)
        shared.close()

    def test_leaves_small_tables_alone(self, filled: Utility) -> None:
        rule = filled.book.rules["PRI-902"]

        assert fuser(filled, big_rows=121).rewrite(rule=rule, period=MARCH) == rule.sql

    def test_leaves_alone_what_would_copy_too_much(self, filled: Utility) -> None:
        rule = filled.book.rules["PRI-902"]

        assert fuser(filled, worth=0.31).rewrite(rule=rule, period=MARCH) == rule.sql
        assert fuser(filled, worth=0.32).rewrite(rule=rule, period=MARCH) != rule.sql

    def test_wants_at_least_two_rules(self, filled: Utility) -> None:
        rule = filled.book.rules["PRI-902"]

        assert fuser(filled, least=3).rewrite(rule=rule, period=MARCH) == rule.sql


class TestResults:
    @pytest.mark.parametrize(
        "own",
        [
            "[]",
            '- {rule: PRI-901, parameter: limit_cny, value: "100", org_id: O1, reason: r}',
            '- {rule: PRI-901, parameter: limit_cny, value: "650", from: 2026-02-01, reason: r}',
        ],
    )
    def test_are_the_same_with_and_without(self, filled: Utility, own: str) -> None:
        months = ("2026-01", "2026-02", "2026-03")
        values = filled.overlay(own)

        with_it = filled.screen(*months, options=ALWAYS, overlay=values)
        without = filled.screen(*months, options=NEVER, overlay=values)

        assert with_it.findings > 50
        for table in ("findings", "exits"):
            one, other = filled.rows(with_it.run_id, table), filled.rows(without.run_id, table)
            for row in (*one, *other):
                row.pop("run_id", None)
            assert one == other
        assert [entry.exits for entry in with_it.per_rule] == [entry.exits for entry in without.per_rule]
