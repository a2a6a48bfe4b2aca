"""Rules on derived tables: skipped with the cure until the months are re-rated, then judged on those rows."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from mingcha.contract import load as contract_load
from mingcha.kernel.periods import BillingMonth
from mingcha.rules import book as books
from mingcha.rules import coverage, lint, moments, proving, run, scaffold
from mingcha.store import derived, runs, snapshots

from .conftest import MADE_AT, Utility, bill, customer

NOT_YET = "table bill_difference not re-rated yet; run `mingcha bills rerate`"
MARCH = BillingMonth(2026, 3)


@pytest.fixture(scope="module")
def differences(tmp_path_factory: pytest.TempPathFactory) -> books.Book:
    """A book with one live rule: a difference above 10 CNY."""
    root = tmp_path_factory.mktemp("book")
    plan = scaffold.Plan(
        rule_id="PRI-903",
        name="big_difference",
        title_zh="差额过大",
        title_en="Big difference",
        table="bill_difference",
        column="difference",
        limit="10",
    )
    sheet = scaffold.new(plan=plan, root=root) / "rule.yaml"
    text = sheet.read_text(encoding="utf-8")
    sheet.write_text(text.replace("status: draft", "status: live"), encoding="utf-8")
    assert [str(problem) for problem in lint.lint(root=root)] == []
    return books.load(root=root)


@pytest.fixture
def works(utility: Utility, differences: books.Book) -> Iterator[Utility]:
    utility.book = differences
    utility.deliver({"customer": [customer("C1")], "bill": [bill("B1")]})
    return utility


def rerated(utility: Utility, *, difference: str, key: str, month: str = "2026-03") -> moments.Rerated:
    """Return derived tables of a month with one difference."""
    names = contract_load.contract().derived["bill_difference"].column_names
    row = f"'C1', '{month}', 1, 'energy', 'B1', 50, 0, {difference}, NULL, NULL, NULL, NULL, 'other'"
    snapshot = snapshots.latest(utility.workspace)
    assert snapshot is not None
    con = utility.workspace.connect()
    entry = derived.write(
        utility.workspace,
        con=con,
        snapshot=snapshot,
        period=BillingMonth.parse(month),
        key=key * 16,
        made_at=MADE_AT,
        tables={"bill_difference": f"SELECT * FROM (VALUES ({row})) AS t({', '.join(names)})"},
        record={},
    )
    con.close()
    return moments.Rerated((entry,))


def test_its_examples_hold(differences: books.Book) -> None:
    failures = proving.prove_all(book=differences, rules=differences.rules.values())
    assert [str(failure) for found in failures.values() for failure in found] == []


def test_is_skipped_with_the_cure_until_the_month_is_rerated(works: Utility) -> None:
    result = works.screen()

    assert [(skip.rule_id, skip.because) for skip in result.rules_skipped] == [("PRI-903", NOT_YET)]
    assert result.derived == {}


def test_is_skipped_with_the_reason_where_nothing_can_be_rerated(works: Utility) -> None:
    result = works.screen(rerated=moments.Rerated(because="cannot be re-rated: table reading not delivered"))

    (skipped,) = result.rules_skipped
    assert skipped.because == "table bill_difference cannot be re-rated: table reading not delivered"


def test_finds_on_the_derived_rows_and_names_their_keys(works: Utility) -> None:
    made = rerated(works, difference="50", key="aaaa")

    result = works.screen(rerated=made)

    (row,) = works.rows(result.run_id)
    assert '"measured":50.00' in row["evidence"]
    assert result.derived == {"2026-03": "aaaa" * 16}
    assert runs.get(works.workspace, result.run_id).record["derived"] == result.derived


def test_the_cache_follows_the_derived_rows(works: Utility) -> None:
    first = works.screen(rerated=rerated(works, difference="50", key="aaaa"))
    same = works.screen(rerated=rerated(works, difference="50", key="bbbb"))
    other = works.screen(rerated=rerated(works, difference="70", key="cccc"))

    assert [made.per_rule[0].from_cache for made in (first, same, other)] == [False, True, False]
    (row,) = works.rows(other.run_id)
    assert '"measured":70.00' in row["evidence"]


def test_coverage_counts_derived_tables_where_they_are(works: Utility) -> None:
    snapshot = snapshots.latest(works.workspace)
    assert snapshot is not None
    asked = {"snapshot": snapshot, "book": works.book, "period": MARCH}

    (without,) = coverage.coverage(**asked)
    (with_them,) = coverage.coverage(**asked, rerated=rerated(works, difference="50", key="aaaa"))

    assert without.because == (NOT_YET,)
    assert with_them.runs


def test_what_the_rating_did_without_is_noted(works: Utility) -> None:
    made = rerated(works, difference="50", key="aaaa")
    result = works.screen(rerated=moments.Rerated(made.entries, without=("entitlement",)))
    assert result.per_rule[0].notes == ("bills re-rated without: entitlement",)


def test_rules_that_read_nothing_derived_do_not_care(utility: Utility) -> None:
    utility.deliver({"customer": [customer("C1")], "bill": [bill("B1", amount="1000.01")]})
    result: run.RunRecord = utility.screen(rules=["PRI-901"])
    assert result.rules_run == 1
    assert utility.rows(result.run_id)[0]["refund_cny"] == Decimal("0.01")
