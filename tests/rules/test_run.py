"""What a run finds, what it says it did, and what it could not do."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mingcha.findings import jsontext
from mingcha.kernel import errors, ids
from mingcha.rules import run, stage
from mingcha.store import runs

from .conftest import Utility, bill, customer

PEOPLE = [customer("C1"), customer("C2", org="O2")]


def of_rule(rows: list[dict[str, Any]], rule_id: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["rule_id"] == rule_id]


class TestFindings:
    def test_carry_the_whole_story_with_exact_decimals(self, utility: Utility) -> None:
        snapshot = utility.deliver({"customer": PEOPLE, "bill": [bill('B"1', amount="1000.01")]})

        result = utility.screen(rules=["PRI-901"])

        (row,) = utility.rows(result.run_id)
        expected_id = ids.finding_id(
            rule_id="PRI-901", subject_kind="bill", subject_id='B"1', episode_key='B"1'
        )
        assert row["finding_id"] == expected_id
        assert row["customer_id"] == "C1"
        assert row["org_id"] == "O1"
        assert row["refund_cny"] == Decimal("0.01")
        assert row["back_cny"] is None
        assert row["severity"] == "M"
        assert row["snapshot_id"] == snapshot.id
        assert row["run_id"] == result.run_id
        assert '"amount":1000.01' in row["evidence"]
        assert jsontext.loads(row["evidence"]) == {
            "amount": Decimal("1000.01"),
            "over": Decimal("0.01"),
            "known_upstream": False,
            "_rows": [{"table": "bill", "key": {"bill_id": 'B"1'}}],
            "_parameters": {"limit_cny": 1000},
            "_not_applied": [],
            "_periods": ["2026-03", "2026-03"],
        }

    def test_subjects_with_control_characters_keep_the_id_of_the_kernel(self, utility: Utility) -> None:
        odd = "B\x1b户"
        utility.deliver({"customer": PEOPLE, "bill": [bill(odd, amount="2000")]})

        (row,) = utility.rows(utility.screen().run_id)

        assert row["finding_id"] == ids.finding_id(
            rule_id="PRI-901", subject_kind="bill", subject_id=odd, episode_key=odd
        )

    def test_yield_to_the_rule_that_tells_the_same_fact(self, utility: Utility) -> None:
        utility.deliver({"customer": PEOPLE, "bill": [bill("B1", amount="20000"), bill("B2", amount="2000")]})

        result = utility.screen()

        found = [(row["rule_id"], row["subject_id"]) for row in utility.rows(result.run_id)]
        assert found == [("PRI-901", "B2"), ("PRI-902", "B1")]
        (turned,) = of_rule(utility.rows(result.run_id, "exits"), "PRI-901")
        assert (turned["exit"], turned["reason"]) == ("not_applicable", "yields_to_PRI-902")

    def test_are_marked_where_another_desk_already_knows(self, utility: Utility) -> None:
        known = {"source": "centre", "source_id": "1", "customer_id": "C1", "kind": "other"}
        utility.deliver(
            {
                "customer": PEOPLE,
                "bill": [bill("B1", amount="2000"), bill("B2", customer="C2", amount="2000")],
                "upstream_anomaly": [
                    {**known, "billing_period": "2026-03"},
                    {**known, "source_id": "2", "customer_id": "C2", "billing_period": "2026-02"},
                    {**known, "source_id": "3", "customer_id": "C2", "handled_at": "2026-03-09"},
                ],
            }
        )

        result = utility.screen(rules=["PRI-901"])

        rows = utility.rows(result.run_id)
        assert [(row["subject_id"], row["known_upstream"]) for row in rows] == [("B1", True), ("B2", False)]
        assert [jsontext.loads(row["evidence"])["known_upstream"] for row in rows] == [True, False]
        assert result.per_rule[0].known_upstream == 1


class TestRecord:
    def test_counts_every_exit_of_the_population(self, utility: Utility) -> None:
        utility.deliver(
            {
                "customer": PEOPLE,
                "bill": [
                    bill("B1", amount="2000"),
                    bill("B2", amount="20000"),
                    bill("B3", amount="3000", energy_kwh="0"),
                    bill("B4"),
                    bill("B5", status="void", amount="9000"),
                ],
            }
        )

        entry = utility.screen(rules=["PRI-*"]).per_rule[0]

        assert entry.rule_id == "PRI-901"
        assert entry.examined == 4
        assert entry.exits == {"hit": 1, "insufficient_data": 1, "not_applicable": 1}
        assert entry.clear == 1
        assert entry.bands == {"order": 1}
        assert entry.money["refund_cny"] == Decimal("1000.00")
        assert entry.amount_cny == Decimal("1000.00")

    def test_is_written_with_the_run_and_speaks_the_interface(self, utility: Utility) -> None:
        utility.deliver({"customer": PEOPLE, "bill": [bill("B1", amount="2000")]})

        result = utility.screen()

        told = result.as_json()
        assert {
            "run_id",
            "snapshot_id",
            "rules_run",
            "rules_skipped",
            "findings",
            "amount_cny",
            "seconds",
        } <= set(told)
        assert {"rule_id", "hits", "seconds", "amount_cny"} <= set(told["per_rule"][0])
        kept = runs.get(utility.workspace, result.run_id).record
        assert kept["findings"] == told["findings"] == 1
        assert kept["amount_cny"] == "1000.00"

    def test_names_the_missing_table_and_who_asked_for_it(self, utility: Utility) -> None:
        utility.deliver({"customer": PEOPLE})

        result = utility.screen()

        because = {skip.rule_id: skip.because for skip in result.rules_skipped}
        assert because["PRI-901"] == "table bill not delivered (needed by relation plain_bill)"
        assert because["COL-901"] == (
            "table bill not delivered (needed by relation plain_bill of month_total)"
        )
        assert result.rules_run == 0
        assert utility.rows(result.run_id) == []

    def test_names_the_missing_column_only_where_it_is_needed(self, utility: Utility) -> None:
        rows = {"customer": PEOPLE, "bill": [bill("B1", amount="2000"), bill("B0", period="2026-02")]}
        utility.deliver(rows, without=("bill.energy_kwh", "customer.phone", "bill.issued_by"))

        result = utility.screen()

        because = {skip.rule_id: skip.because for skip in result.rules_skipped}
        assert because["PRI-901"] == "column bill.energy_kwh not delivered (needed by relation plain_bill)"
        assert set(because) == {"PRI-901", "PRI-902", "COL-901"}

    def test_does_not_ask_for_columns_of_a_relation_no_rule_reads(self, utility: Utility) -> None:
        utility.deliver(
            {"customer": PEOPLE, "bill": [bill("B1", amount="2000")]},
            without=("customer.phone", "bill.issued_by"),
        )

        assert [skip.rule_id for skip in utility.screen().rules_skipped] == ["COL-901"]

    def test_says_when_there_is_no_history_or_too_little(self, utility: Utility) -> None:
        utility.deliver({"customer": PEOPLE, "bill": [bill("B1")]})
        first = utility.screen(rules=["COL-901"])
        assert first.rules_skipped[0].because.startswith("no history: needs 1 months before")

        utility.deliver({"bill": [bill("B0", period="2026-02")]})
        second = utility.screen(rules=["COL-901"])

        assert second.rules_skipped == ()
        assert second.per_rule[0].notes == ()

    def test_lists_exclusions_that_could_not_be_applied(self, utility: Utility) -> None:
        utility.deliver(
            {"customer": PEOPLE, "bill": [bill("B0", period="2026-02"), bill("B1", energy_kwh="900")]}
        )

        result = utility.screen(rules=["COL-901"])

        assert result.per_rule[0].not_applied == ("excl_change",)
        (row,) = utility.rows(result.run_id)
        assert jsontext.loads(row["evidence"])["_not_applied"] == ["excl_change"]

    def test_tells_how_long_relations_took_and_builds_only_what_is_needed(self, utility: Utility) -> None:
        utility.deliver({"customer": PEOPLE, "bill": [bill("B0", period="2026-02"), bill("B1")]})

        names = [built.name for built in utility.screen(rules=["PRI-901"]).relations]
        everything = [(built.name, built.materialised) for built in utility.screen().relations]

        assert names == ["plain_bill"]
        assert ("month_total", True) in everything


class TestLargeRelations:
    def test_are_kept_in_files_and_find_the_same(
        self, utility: Utility, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bills = [bill("B0", period="2026-02"), bill("B1", energy_kwh="900"), bill("B2", customer="C2")]
        utility.deliver({"customer": PEOPLE, "bill": bills})
        small = utility.screen(rules=["COL-901"])
        monkeypatch.setattr(stage, "IN_MEMORY_ROWS", 0)

        large = utility.screen(rules=["COL-901"], options=run.Options(use_cache=False))

        assert large.findings == small.findings == 1
        assert [entry.exits for entry in large.per_rule] == [entry.exits for entry in small.per_rule]
        assert [b.rows for b in large.relations if b.materialised] == [3]
        assert list((utility.workspace.lake / "tmp").rglob("month_total*")) == []


class TestSelection:
    def test_takes_ids_globs_and_areas(self, utility: Utility) -> None:
        chosen, _ = run.select(book=utility.book, globs=("pricing", "COL-9*"))

        assert [rule.id for rule in chosen] == ["COL-901", "PRI-901", "PRI-902"]

    def test_refuses_a_glob_that_matches_nothing(self, utility: Utility) -> None:
        with pytest.raises(errors.BookError, match="no rule matches MET-001"):
            run.select(book=utility.book, globs=("MET-001",))
