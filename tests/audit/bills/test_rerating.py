"""Months calculated anew: every live bill accounted for, kept by what it depends on, made when rules want."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mingcha.audit import casebook, rerating, screening
from mingcha.findings import queries
from mingcha.kernel import errors
from mingcha.kernel.periods import BillingMonth
from mingcha.rules import book as books_of_rules
from mingcha.rules import moments, scaffold
from mingcha.store import derived, snapshots, workspace

from .conftest import MADE_AT, copy, deliver

MARCH = BillingMonth(2026, 3)


def snapshot_of(place: workspace.Workspace) -> snapshots.Snapshot:
    snapshot = snapshots.latest(place)
    assert snapshot is not None
    return snapshot


class TestRerate:
    def test_an_honest_utility_billed_what_is_calculated(self, honest: workspace.Workspace) -> None:
        made = rerating.rerate(workspace=honest, made_at=MADE_AT, every=True)

        assert [month.period for month in made.months] == ["2026-01", "2026-02", "2026-03"]
        for month in made.months:
            assert month.bills > 150
            assert (month.rated, month.not_rated, month.differing) == (month.bills, 0, 0)
            assert month.amount == month.billed_amount > 0

    def test_the_last_complete_month_by_default_and_what_was_made_is_taken_as_it_is(
        self, honest: workspace.Workspace
    ) -> None:
        rerating.rerate(workspace=honest, made_at=MADE_AT)
        told: list[str] = []
        again = rerating.rerate(workspace=honest, made_at=MADE_AT, progress=told.append)

        assert [(month.period, month.kept) for month in again.months] == [("2026-03", True)]
        assert told == []

    def test_other_prices_are_another_result_and_back_again_the_first(
        self, honest: workspace.Workspace, tmp_path: Path
    ) -> None:
        place = copy(honest, tmp_path / "w")
        first = rerating.rerate(workspace=place, made_at=MADE_AT)
        (place.path / "tariffs").mkdir()
        codes = place.path / "tariffs" / "codes.csv"
        codes.write_text("tariff_id,tariff_code\nRES,demo.yunling.single.10.tou\n", encoding="utf-8")
        other = rerating.rerate(workspace=place, made_at=MADE_AT)
        codes.unlink()
        back = rerating.rerate(workspace=place, made_at=MADE_AT)

        assert not other.months[0].kept
        assert other.entries[0].key != first.entries[0].key
        assert other.months[0].not_rated > 0
        assert back.months[0].kept
        assert back.entries == first.entries

    def test_a_void_bill_is_none_and_an_altered_one_differs(self, faulty: workspace.Workspace) -> None:
        (month,) = rerating.rerate(workspace=faulty, made_at=MADE_AT).months

        assert month.bills == month.rated + month.not_rated
        assert 10 < month.differing < month.bills / 2
        assert month.not_rated == 0

    @pytest.mark.parametrize("missing", ["reading", "contract"])
    def test_nothing_is_rated_without_what_it_follows_from(
        self, books: Path, tmp_path: Path, missing: str
    ) -> None:
        place = workspace.Workspace.create(tmp_path / "w")
        snapshot = deliver(place, books, without=(missing,))

        with pytest.raises(errors.Refusal, match=f"not delivered: {missing}"):
            rerating.rerate(workspace=place, made_at=MADE_AT)
        given = rerating.ensure(workspace=place, snapshot=snapshot, periods=[MARCH], made_at=MADE_AT)
        assert given == moments.Rerated(because=f"cannot be re-rated: not delivered: {missing}")

    def test_what_is_only_assumed_is_not_rated_on(self, books: Path, tmp_path: Path) -> None:
        place = workspace.Workspace.create(tmp_path / "w")
        altered = {"usage_point": "SELECT * EXCLUDE (multiplier) FROM {source}"}
        deliver(place, books, altered=altered)

        with pytest.raises(errors.Refusal, match=r"not delivered: usage_point\.multiplier"):
            rerating.rerate(workspace=place, made_at=MADE_AT)

    def test_what_was_taken_as_empty_is_said(self, books: Path, tmp_path: Path) -> None:
        place = workspace.Workspace.create(tmp_path / "w")
        altered = {"usage_point": "SELECT * EXCLUDE (loss_billed) FROM {source}"}
        snapshot = deliver(place, books, without=("entitlement",), altered=altered)

        made = rerating.rerate(workspace=place, made_at=MADE_AT)
        assert made.without == ("usage_point.loss_billed", "entitlement")
        found = rerating.found(workspace=place, snapshot=snapshot, periods=[MARCH])
        assert found.without == made.without

    def test_bills_without_lines_are_rated_and_not_compared(self, books: Path, tmp_path: Path) -> None:
        place = workspace.Workspace.create(tmp_path / "w")
        snapshot = deliver(place, books, without=("bill_line",))

        given = rerating.ensure(workspace=place, snapshot=snapshot, periods=[MARCH], made_at=MADE_AT)

        assert "rerated_line" in given.tables
        assert "bill_difference" not in given.tables
        assert given.because == "cannot be compared: bill_line not delivered"

    def test_a_broken_book_of_the_workspace_stops_the_command_and_is_told_to_rules(
        self, honest: workspace.Workspace, tmp_path: Path
    ) -> None:
        place = copy(honest, tmp_path / "w")
        snapshot = snapshot_of(place)
        (place.path / "tariffs").mkdir()
        (place.path / "tariffs" / "own.yaml").write_text("book: x\ncolour: red\n", encoding="utf-8")

        with pytest.raises(errors.BookError):
            rerating.rerate(workspace=place, made_at=MADE_AT)
        for given in (
            rerating.ensure(workspace=place, snapshot=snapshot, periods=[MARCH], made_at=MADE_AT),
            rerating.found(workspace=place, snapshot=snapshot, periods=[MARCH]),
        ):
            assert given.entries == ()
            assert given.because.startswith("cannot be re-rated: ")

    def test_a_lack_of_memory_is_told_as_one(
        self, honest: workspace.Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import duckdb

        from mingcha.rating import engine

        def short(*_: Any, **__: Any) -> None:
            lack = duckdb.OutOfMemoryException("failed to allocate data of size 1 GiB")
            raise errors.BookError("a step", why="it failed", mend="correct it") from lack

        place = copy(honest, tmp_path / "w")
        monkeypatch.setattr(engine, "rate", short)
        with pytest.raises(errors.SetupError, match="the memory the workspace allows does not suffice"):
            rerating.rerate(workspace=place, made_at=MADE_AT)
        assert derived.every(place) == []

    def test_the_number_of_threads_changes_nothing(
        self, honest: workspace.Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kept = rerating.rerate(workspace=honest, made_at=MADE_AT).entries
        monkeypatch.setattr(rerating, "key_of", lambda *_: "ab" * 32)
        monkeypatch.setattr(workspace.Workspace, "connect", _with_one_thread(workspace.Workspace.connect))
        again = rerating.rerate(workspace=honest, made_at=MADE_AT).entries

        for table in ("rerated_bill", "rerated_line", "rerated_gap", "bill_difference", "rerated_feed_in"):
            assert derived.digest(kept, table=table) == derived.digest(again, table=table)
        assert kept[0].rows("rerated_line") > 400


def _with_one_thread(connect: Any) -> Any:
    return lambda place, **_: connect(place, threads=1)


class TestFound:
    def test_is_what_was_made_and_nothing_before(self, honest: workspace.Workspace, tmp_path: Path) -> None:
        place = copy(honest, tmp_path / "w")
        snapshot = snapshot_of(place)

        assert rerating.found(workspace=place, snapshot=snapshot, periods=[MARCH]) == moments.Rerated()
        made = rerating.ensure(workspace=place, snapshot=snapshot, periods=[MARCH], made_at=MADE_AT)
        found = rerating.found(workspace=place, snapshot=snapshot, periods=[MARCH])
        assert found == made
        assert found.keys == {"2026-03": made.entries[0].key}
        both = [MARCH, MARCH.add(-1)]
        assert rerating.found(workspace=place, snapshot=snapshot, periods=both) == moments.Rerated()


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> books_of_rules.Book:
    """A rulebook of two rules: one on differences, one on bills."""
    root = tmp_path / "rules"
    for rule_id, table, column in (
        ("PRI-903", "bill_difference", "difference"),
        ("PRI-904", "bill", "amount"),
    ):
        plan = scaffold.Plan(
            rule_id=rule_id, name=table, title_zh="规则", title_en=f"On {table}", table=table, column=column,
            limit="1",
        )  # fmt: skip
        sheet = scaffold.new(plan=plan, root=root) / "rule.yaml"
        sheet.write_text(sheet.read_text(encoding="utf-8").replace("status: draft", "status: live"), "utf-8")
    book = books_of_rules.load(root=root)
    monkeypatch.setattr(books_of_rules, "load", lambda **_: book)
    return book


class TestScreening:
    def test_rates_first_what_a_rule_wants_and_tells_it(
        self, faulty: workspace.Workspace, tmp_path: Path, rules: books_of_rules.Book
    ) -> None:
        place = copy(faulty, tmp_path / "w")
        told: list[str] = []

        plain = screening.screen(workspace=place, made_at=MADE_AT, rules=["PRI-904"])
        assert (plain.derived, derived.every(place)) == ({}, [])
        before = {one.rule_id: one for one in screening.coverage_of(workspace=place).rules}
        made = screening.screen(workspace=place, made_at=MADE_AT, progress=told.append)
        after = {one.rule_id: one for one in screening.coverage_of(workspace=place).rules}

        assert list(made.derived) == ["2026-03"]
        assert any(text.startswith("re-rating 2026-03 settlements") for text in told)
        found = {entry.rule_id: entry.findings for entry in made.per_rule}
        assert found["PRI-903"] > 5
        assert before["PRI-903"].because == (f"table bill_difference {moments.NOT_YET}",)
        assert after["PRI-903"].runs

    def test_a_finding_shows_its_derived_rows_also_when_the_month_was_rated_anew(
        self, faulty: workspace.Workspace, tmp_path: Path, rules: books_of_rules.Book
    ) -> None:
        place = copy(faulty, tmp_path / "w")
        made = screening.screen(workspace=place, made_at=MADE_AT, rules=["PRI-903"])

        with casebook.opened(workspace=place) as cases:
            finding = next(iter(cases.findings(where=queries.Filter(run_id=made.run_id))))
            story = cases.story(finding_id=finding.finding_id, language="en")
        (row,) = story.rows
        assert row.table == "bill_difference"
        assert {cell.column for cell in row.cells} >= {"billed_amount", "rerated_amount", "cause"}

    def test_rules_say_why_where_nothing_can_be_rated(
        self, books: Path, tmp_path: Path, rules: books_of_rules.Book
    ) -> None:
        place = workspace.Workspace.create(tmp_path / "w")
        deliver(place, books, without=("reading",))

        made = screening.screen(workspace=place, made_at=MADE_AT)

        (skipped,) = [one for one in made.rules_skipped if one.rule_id == "PRI-903"]
        assert skipped.because == "table bill_difference cannot be re-rated: not delivered: reading"
        assert [entry.rule_id for entry in made.per_rule] == ["PRI-904"]
