"""Overlays, results kept from earlier runs, rules on trial, rules that fail: the engine around a query."""

from __future__ import annotations

import re
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from mingcha.findings import jsontext
from mingcha.kernel import errors
from mingcha.rules import book as books
from mingcha.rules import run

from .conftest import BOOK, Utility, bill, customer

UNITS = [
    {"org_id": "O0", "name": "province", "level": "province"},
    {"org_id": "O1", "name": "city", "level": "city", "parent_id": "O0"},
    {"org_id": "O11", "name": "county", "level": "county", "parent_id": "O1"},
    {"org_id": "O2", "name": "other city", "level": "city", "parent_id": "O0"},
]
OVERLAY = """
- {rule: PRI-901, parameter: limit_cny, value: "500", org_id: O1, from: 2026-01-01, reason: tried out}
- rule: PRI-901
  parameter: limit_cny
  value: "700"
  org_id: O11
  from: 2026-03-01
  to: 2026-04-01
  reason: flood
"""


@pytest.fixture
def units(utility: Utility) -> Utility:
    orgs = ("O0", "O1", "O11", "O2", "O9")
    utility.deliver(
        {
            "org_unit": UNITS,
            "customer": [customer(f"C{org}", org=org) for org in orgs],
            "bill": [
                bill(f"B{org}-{month}", customer=f"C{org}", period=month, amount="600.00")
                for org in orgs
                for month in ("2026-02", "2026-03", "2026-04")
            ],
        }
    )
    return utility


class TestOverlay:
    def test_holds_for_an_organisation_and_those_below_the_nearest_first(self, units: Utility) -> None:
        own = units.overlay(OVERLAY)

        result = units.screen("2026-02", "2026-03", "2026-04", rules=["PRI-901"], overlay=own)

        found = {row["subject_id"] for row in units.rows(result.run_id)}
        assert found == {
            "BO1-2026-02", "BO1-2026-03", "BO1-2026-04",
            "BO11-2026-02", "BO11-2026-04",  # 700 in March lets the county's bill pass
        }  # fmt: skip

    def test_is_recorded_with_each_finding_and_counts_the_population_once(self, units: Utility) -> None:
        result = units.screen("2026-03", rules=["PRI-901"], overlay=units.overlay(OVERLAY))

        (row,) = units.rows(result.run_id)
        assert jsontext.loads(row["evidence"])["_parameters"] == {"limit_cny": 500}
        assert [values["limit_cny"] for values in result.per_rule[0].parameters] == [1000, 500, 700]
        assert result.per_rule[0].examined == 5
        assert result.per_rule[0].clear == 4

    def test_without_organisation_is_for_everybody(self, units: Utility) -> None:
        text = "- {rule: PRI-901, parameter: limit_cny, value: 599.99, reason: a strict year}"
        result = units.screen("2026-03", rules=["PRI-901"], overlay=units.overlay(text))

        rows = units.rows(result.run_id)
        assert len(rows) == 5
        assert {row["refund_cny"] for row in rows} == {Decimal("0.01")}

    @pytest.mark.parametrize(
        ("entry", "words"),
        [
            ("{rule: PRI-999, parameter: x, value: 1, reason: r}", "no rule PRI-999"),
            ("{rule: PRI-901, parameter: x, value: 1, reason: r}", "has no parameter x"),
            ('{rule: PRI-901, parameter: limit_cny, value: "0.5", reason: r}', "lies outside 1 to 100000"),
            ("{rule: PRI-901, parameter: limit_cny, value: cheap, reason: r}", "is not a decimal number"),
            ("{rule: PRI-901, parameter: limit_cny, value: 5}", "reason: missing"),
            ("{rule: PRI-901, parameter: limit_cny, value: 5, reason: r, organisation: O1}", "unknown key"),
            (
                "{rule: PRI-901, parameter: limit_cny, value: 5, reason: r, to: 0001-01-01}",
                "ends on 0001-01-01",
            ),
        ],
    )
    def test_is_read_strictly(self, utility: Utility, entry: str, words: str) -> None:
        with pytest.raises(errors.BookError, match=re.escape(words)):
            utility.overlay(f"- {entry}")

    def test_refuses_two_values_at_one_time(self, utility: Utility) -> None:
        twice = '- {rule: PRI-901, parameter: limit_cny, value: "5", org_id: O1, reason: r}\n'
        with pytest.raises(errors.BookError, match="two values for O1 at one time"):
            utility.overlay(twice + twice.replace("5", "6"))

    def test_names_every_mistake_at_once(self, utility: Utility) -> None:
        text = (
            "- {rule: PRI-999, parameter: x, value: 1, reason: r}\n"
            "- {rule: PRI-901, parameter: x, value: 1, reason: r}\n"
        )
        with pytest.raises(errors.BookError, match="2 mistakes"):
            utility.overlay(text)


class TestCache:
    def deliver(self, utility: Utility) -> None:
        utility.deliver(
            {
                "customer": [customer("C1")],
                "bill": [
                    bill("B0", period="2026-02"),
                    bill("B1", amount="2000", energy_kwh="900"),
                    bill("B2", amount="20000", energy_kwh="0"),
                ],
            }
        )

    def test_gives_the_same_findings_without_building_anything(self, utility: Utility) -> None:
        self.deliver(utility)
        first = utility.screen()

        second = utility.screen()

        assert second.relations == ()
        assert all(entry.from_cache for entry in second.per_rule)
        assert not any(entry.from_cache for entry in first.per_rule)
        drop = {"run_id"}
        assert [{k: v for k, v in row.items() if k not in drop} for row in utility.rows(first.run_id)] == [
            {k: v for k, v in row.items() if k not in drop} for row in utility.rows(second.run_id)
        ]
        assert [(e.examined, e.exits, e.money) for e in first.per_rule] == [
            (e.examined, e.exits, e.money) for e in second.per_rule
        ]

    def test_asks_again_when_data_or_parameters_change(self, utility: Utility) -> None:
        self.deliver(utility)
        utility.screen()
        own = utility.overlay('- {rule: PRI-901, parameter: limit_cny, value: "1500", reason: r}')

        by_overlay = utility.screen(overlay=own)
        utility.deliver({"bill": [bill("B3", amount="4000")]})
        by_data = utility.screen()

        assert [e.from_cache for e in by_overlay.per_rule] == [True, False, True]
        assert not any(entry.from_cache for entry in by_data.per_rule)

    def test_keeps_results_of_tables_that_did_not_change(self, utility: Utility) -> None:
        self.deliver(utility)
        utility.screen()
        utility.deliver({"meter": [{"meter_id": "M1"}]})

        assert all(entry.from_cache for entry in utility.screen().per_rule)

    def test_is_only_a_help(self, utility: Utility) -> None:
        self.deliver(utility)
        first = utility.screen()
        for path in (utility.workspace.lake / "cache").rglob("*.parquet"):
            path.write_bytes(b"PAR1 cut short")

        second = utility.screen()
        third = utility.screen(options=run.Options(use_cache=False))

        assert first.findings == second.findings == third.findings == 3
        assert not any(entry.from_cache for entry in (*second.per_rule, *third.per_rule))


def changed_book(tmp_path: Path, file: str, old: str, new: str) -> books.Book:
    root = tmp_path / "changed"
    if not root.exists():
        shutil.copytree(BOOK, root)
    path = root / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return books.load(root=root)


class TestTrial:
    def test_findings_lie_apart_and_silence_nobody(self, utility: Utility, tmp_path: Path) -> None:
        book = changed_book(
            tmp_path, "pricing/bill_far_above_limit/rule.yaml", "status: live", "status: trial"
        )
        utility.deliver({"customer": [customer("C1")], "bill": [bill("B1", amount="20000")]})

        result = utility.screen(book=book, rules=["PRI-*"])

        assert [row["rule_id"] for row in utility.rows(result.run_id)] == ["PRI-901"]
        assert [row["rule_id"] for row in utility.rows(result.run_id, "trial")] == ["PRI-902"]
        assert result.findings == 1
        assert result.as_json()["trial_findings"] == 1
        assert result.amount_cny == Decimal("19000.00")

    def test_drafts_are_named_as_skipped(self, utility: Utility, tmp_path: Path) -> None:
        book = changed_book(tmp_path, "pricing/bill_above_limit/rule.yaml", "status: live", "status: draft")
        utility.deliver({"customer": [customer("C1")], "bill": [bill("B1", amount="2000")]})

        result = utility.screen(book=book, rules=["PRI-*"])

        assert [(skip.rule_id, skip.because) for skip in result.rules_skipped] == [
            ("PRI-901", "it is a draft")
        ]
        assert result.rules_run == 1


class TestFailure:
    def test_of_one_rule_leaves_the_others_running(self, utility: Utility, tmp_path: Path) -> None:
        book = changed_book(
            tmp_path,
            "pricing/bill_above_limit/query.sql",
            "  amount,\n",
            "  CAST(amount * 99999999999 AS DECIMAL(18, 2)) AS amount,\n",
        )
        utility.deliver(
            {"customer": [customer("C1")], "bill": [bill("B1", amount="999999"), bill("B2", amount="2000")]}
        )

        result = utility.screen(book=book, rules=["PRI-*"])

        (failure,) = result.rules_failed
        assert failure.rule_id == "PRI-901"
        assert "Conversion Error" in failure.because
        assert [entry.rule_id for entry in result.per_rule] == ["PRI-902"]
        assert result.findings == 1
        assert result.as_json()["rules_failed"][0]["rule_id"] == "PRI-901"

    def test_two_hits_on_one_subject_become_one_finding(self, utility: Utility, tmp_path: Path) -> None:
        book = changed_book(
            tmp_path,
            "pricing/bill_far_above_limit/query.sql",
            "bill_id AS subject_id",
            "'same' AS subject_id",
        )
        bills = [bill("B1", amount="20000"), bill("B2", amount="30000")]
        utility.deliver({"customer": [customer("C1")], "bill": bills})

        result = utility.screen(book=book, rules=["PRI-902"])

        assert result.per_rule[0].hits == 2
        assert result.per_rule[0].notes == ("1 hits on a subject hit already, told with it",)
        assert len(utility.rows(result.run_id)) == 1

    def test_hits_without_a_subject_are_told(self, utility: Utility, tmp_path: Path) -> None:
        query = "pricing/bill_far_above_limit/query.sql"
        nobody = "CAST(NULL AS VARCHAR) AS subject_id"
        book = changed_book(tmp_path, query, "bill_id AS subject_id", nobody)
        utility.deliver({"customer": [customer("C1")], "bill": [bill("B1", amount="20000")]})

        result = utility.screen(book=book, rules=["PRI-902"])

        assert result.per_rule[0].notes == ("1 hits without a subject left out",)
        assert utility.rows(result.run_id) == []

    def test_of_a_relation_is_told_by_every_rule_on_it(self, utility: Utility, tmp_path: Path) -> None:
        book = changed_book(
            tmp_path,
            "relations/month_total/query.sql",
            "CAST(sum(energy_kwh) AS DECIMAL(18, 4))",
            "CAST(sum(energy_kwh) * 1000000000000000 AS DECIMAL(18, 4))",
        )
        bills = [bill("B0", period="2026-02"), bill("B1", amount="2000")]
        utility.deliver({"customer": [customer("C1")], "bill": bills})

        result = utility.screen(book=book)

        (failure,) = result.rules_failed
        assert failure.rule_id == "COL-901"
        assert failure.because.startswith("relation month_total: ")
        assert [entry.rule_id for entry in result.per_rule] == ["PRI-901", "PRI-902"]
