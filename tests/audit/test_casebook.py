"""Findings of a workspace: the same books give the same ids, stories hold together, exports agree."""

import json
from pathlib import Path

import pytest

from mingcha.audit import casebook, screening
from mingcha.findings import queries
from mingcha.kernel import errors
from mingcha.store import runs, workspace

from .conftest import MADE_AT, Screened


class TestScreening:
    def test_the_faults_are_found_and_what_was_not_delivered_is_named(self, screened: Screened) -> None:
        found = {entry.rule_id: entry.findings for entry in screened.record.per_rule}
        assert found["MET-002"] > 0
        assert found["REA-006"] > 0
        skipped = {one.rule_id: one.because for one in screened.record.rules_skipped}
        assert "bank_statement" in skipped["COL-002"] or "receipt" in skipped["COL-002"]
        assert screened.record.rules_failed == ()

    def test_ids_are_stable_and_nothing_doubles_when_the_same_books_are_screened_again(
        self, screened: Screened
    ) -> None:
        first = _ids(screened.workspace)
        again = screening.screen(workspace=screened.workspace, made_at=MADE_AT, use_cache=False)
        assert _ids(screened.workspace) == first
        assert len(set(first)) == len(first) == screened.record.findings
        assert _ids(screened.workspace, run_id=again.run_id) == first

    def test_one_rule_alone_gives_what_it_gives_among_all(self, screened: Screened) -> None:
        alone = screening.screen(workspace=screened.workspace, made_at=MADE_AT, rules=["MET-*"])
        whole = _ids(screened.workspace, run_id=screened.record.run_id, rules=("MET-*",))
        assert _ids(screened.workspace, run_id=alone.run_id) == whole

    def test_an_empty_workspace_is_refused(self, tmp_path: Path) -> None:
        empty = workspace.Workspace.create(tmp_path / "empty")
        with pytest.raises(errors.SetupError, match="nothing was delivered"):
            screening.screen(workspace=empty, made_at=MADE_AT)
        assert runs.latest(empty) is None

    def test_progress_is_told_rule_by_rule(self, screened: Screened) -> None:
        told: list[str] = []
        screening.screen(
            workspace=screened.workspace, made_at=MADE_AT, rules=["MET-002"], progress=told.append
        )
        assert told[0].startswith("MET-002 ")
        assert told[0].endswith("(1 of 1)")


class TestCoverage:
    def test_names_the_missing_table(self, screened: Screened) -> None:
        covered = screening.coverage_of(workspace=screened.workspace)
        lacking = {one.rule_id: one for one in covered.rules}
        assert covered.period == "2026-03"
        assert not lacking["COL-002"].runs
        assert any("not delivered" in text for text in lacking["COL-002"].because)
        assert lacking["MET-002"].runs


class TestStory:
    def test_has_its_source_rows_as_the_snapshot_holds_them(self, cases: casebook.Casebook) -> None:
        finding = next(iter(list(cases.findings(where=queries.Filter(rules=("REA-006",)), limit=1))))
        told = cases.story(finding_id=finding.finding_id, language="en")
        reading = next(row for row in told.rows if row.table == "reading")
        cells = {cell.column: cell.text for cell in reading.cells}
        assert cells["reading_id"] == finding.subject_id
        assert "{" not in told.expected + told.found + told.matters

    def test_every_story_is_filled_in_both_languages(self, cases: casebook.Casebook) -> None:
        for finding in list(cases.findings(where=queries.Filter())):
            for language in ("zh", "en"):
                told = cases.tell(finding=finding, language=language, with_rows=False)
                texts = (told.expected, told.found, told.matters, told.reason, told.remedy, *told.checklist)
                assert not [text for text in texts if "{" in text], finding.rule_id
                assert told.reason != finding.reason

    def test_of_no_finding_is_refused(self, cases: casebook.Casebook) -> None:
        with pytest.raises(errors.Refusal, match="no finding FFFF"):
            cases.story(finding_id="FFFF", language="zh")


class TestExport:
    def test_formats_hold_the_same_findings(self, cases: casebook.Casebook, tmp_path: Path) -> None:
        where = queries.Filter()
        counts = {
            kind: cases.export(where=where, target=tmp_path / f"f.{kind}", kind=kind, language="zh")
            for kind in ("csv", "json", "parquet", "xlsx")
        }
        assert set(counts.values()) == {cases.count(where=where)}
        held = json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))
        assert [one["finding_id"] for one in held] == [
            finding.finding_id for finding in cases.findings(where=where, order=queries.BY_RULE)
        ]


def _ids(place: workspace.Workspace, *, run_id: str | None = None, rules: tuple[str, ...] = ()) -> list[str]:
    with casebook.opened(workspace=place) as opened:
        where = queries.Filter(run_id=run_id, rules=rules)
        return sorted(finding.finding_id for finding in opened.findings(where=where))
