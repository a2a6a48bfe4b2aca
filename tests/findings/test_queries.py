"""Findings over all runs: latest record, first and last seen, filters, totals."""

from decimal import Decimal

import duckdb
import pytest

from mingcha.findings import columns, queries
from mingcha.kernel import errors

from .conftest import FIRST_RUN, SECOND_RUN, fill, record

EXPECTED_ORDER = (
    "finding_id, rule_id, rule_version, subject_kind, subject_id, customer_id, org_id, "
    "period_start, period_end, band, reason, severity, energy_kwh, back_cny, penalty_cny, refund_cny, "
    "exposed_cny, evidence, "
    "first_seen_run, last_seen_run, snapshot_id, run_id"
)


def listed(con: duckdb.DuckDBPyConnection, where: queries.Filter, order: str = queries.BY_RULE) -> list[str]:
    query = queries.select(where=where, order=order)
    return [finding.finding_id for finding in queries.find(con=con, query=query)]


def test_the_export_has_the_published_columns_in_order() -> None:
    assert ", ".join(columns.export_names()) == EXPECTED_ORDER


class TestLatest:
    def test_a_finding_of_two_runs_is_listed_once_with_its_latest_values(
        self, con: duckdb.DuckDBPyConnection
    ) -> None:
        found = list(queries.find(con=con, query=queries.select(where=queries.Filter(rules=("MET-*",)))))
        assert len(found) == 1
        assert found[0].back_cny == Decimal("15.00")
        assert (found[0].first_seen_run, found[0].last_seen_run) == (FIRST_RUN, SECOND_RUN)
        assert found[0].run_id == SECOND_RUN

    def test_runs_are_ordered_by_number_and_not_by_text(self, con: duckdb.DuckDBPyConnection) -> None:
        runs = ("r9999-aaaaaaaa", "r10000-aaaaaaaa")
        fill(con, tuple(record(run_id=run) for run in runs), "many_runs")
        found = queries.one(con=con, finding_id="F0", relation="many_runs")
        assert (found.first_seen_run, found.last_seen_run) == runs

    def test_one_run_shows_its_own_record(self, con: duckdb.DuckDBPyConnection) -> None:
        query = queries.select(where=queries.Filter(run_id=FIRST_RUN))
        found = list(queries.find(con=con, query=query))
        assert [(finding.back_cny, finding.last_seen_run) for finding in found] == [
            (Decimal("12.30"), SECOND_RUN)
        ]


class TestFilter:
    @pytest.mark.parametrize(
        ("where", "numbers"),
        [
            (queries.Filter(), "12"),
            (queries.Filter(rules=("REA-*", "MET-9*")), "2"),
            (queries.Filter(bands=("order", "watch")), "1"),
            (queries.Filter(severities=("M",)), "2"),
            (queries.Filter(org_id="O2"), "2"),
            (queries.Filter(customer_id="C1"), "1"),
            (queries.Filter(org_id="O2", customer_id="C1"), ""),
        ],
    )
    def test_leaves(self, con: duckdb.DuckDBPyConnection, where: queries.Filter, numbers: str) -> None:
        assert "".join(finding_id[-1] for finding_id in listed(con, where)) == numbers
        assert queries.count(con=con, where=where) == len(numbers)

    def test_gravest_first(self, con: duckdb.DuckDBPyConnection) -> None:
        assert [one[-1] for one in listed(con, queries.Filter(), queries.GRAVEST_FIRST)] == ["2", "1"]


class TestOne:
    def test_takes_the_beginning_of_an_id(self, con: duckdb.DuckDBPyConnection) -> None:
        fill(con, (record(finding_id="FAB1"), record(finding_id="FAC2")), "hand_made")
        assert queries.one(con=con, finding_id="FAC", relation="hand_made").finding_id == "FAC2"

    @pytest.mark.parametrize(("wanted", "says"), [("F00", "several"), ("F9", "no finding")])
    def test_refuses_what_is_not_one(self, con: duckdb.DuckDBPyConnection, wanted: str, says: str) -> None:
        with pytest.raises(errors.Refusal, match=says):
            queries.one(con=con, finding_id=wanted)


class TestTotals:
    def test_keep_the_four_amounts_apart(self, con: duckdb.DuckDBPyConnection) -> None:
        (total,) = queries.totals(con=con, where=queries.Filter())
        assert total.findings == total.customers == 2
        assert total.bands == {"urgent": 1, "order": 1, "watch": 0}
        assert total.amounts == {
            "back_cny": Decimal("15.00"),
            "penalty_cny": None,
            "refund_cny": Decimal("99.99"),
            "exposed_cny": None,
        }

    def test_by_unit(self, con: duckdb.DuckDBPyConnection) -> None:
        by_unit = queries.totals(con=con, where=queries.Filter(), by="org_id")
        assert {total.key: total.findings for total in by_unit} == {"O1": 1, "O2": 1}
