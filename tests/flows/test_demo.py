"""The demo: from nothing to findings, the faults it planted, and a report; twice without a difference."""

import csv
import json
from pathlib import Path

import pytest

from .conftest import Done, Mingcha, ran

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    folder = tmp_path_factory.mktemp("演示 demo")
    done = ran(["demo", "build", "d", "--customers", "3000", "--json"], folder=folder)
    assert done.code == 0, done.err
    return folder / "d", done


class TestDemo:
    def test_finds_what_was_planted_and_accuses_nobody_else(self, built: tuple[Path, Done]) -> None:
        scores = built[1].document["recall"]
        assert len(scores) > 10
        assert [one for one in scores if one["found"] < one["planted"] or one["accused"]] == []

    def test_the_document_has_the_published_keys(self, built: tuple[Path, Done]) -> None:
        run = built[1].document["run"]
        for key in (
            "run_id",
            "snapshot_id",
            "rules_run",
            "rules_skipped",
            "findings",
            "amount_cny",
            "seconds",
        ):
            assert key in run
        assert {"rule_id", "hits", "seconds", "amount_cny"} <= set(run["per_rule"][0])
        assert run["rules_failed"] == []
        assert Path(built[1].document["report"]).is_file()

    def test_a_second_build_screens_again_and_finds_the_same(self, built: tuple[Path, Done]) -> None:
        folder = built[0]
        before = ran(["findings", "list", "--json", "-w", str(folder)], folder=folder).document
        again = ran(["demo", "build", "d", "--customers", "3000", "--json"], folder=folder.parent)
        after = ran(["findings", "list", "--json", "-w", str(folder)], folder=folder).document
        assert again.code == 0
        assert again.document["run"]["snapshot_id"] == built[1].document["run"]["snapshot_id"]
        assert [one["finding_id"] for one in after] == [one["finding_id"] for one in before]
        assert {one["first_seen_run"] for one in after} == {built[1].document["run"]["run_id"]}
        assert {one["last_seen_run"] for one in after} == {again.document["run"]["run_id"]}

    def test_another_order_in_the_same_folder_is_refused(self, built: tuple[Path, Done]) -> None:
        done = ran(["demo", "build", "d", "--customers", "4000"], folder=built[0].parent)
        assert done.code == 2
        assert "another demo" in done.err

    def test_the_same_books_elsewhere_give_the_same_ids(
        self, built: tuple[Path, Done], mingcha: Mingcha
    ) -> None:
        mingcha("init", "ws")
        assert mingcha("data", "ingest", built[0] / "utility", "-w", "ws").code == 0
        ran_ = mingcha("rules", "run", "--json", "-w", "ws")
        assert ran_.document["snapshot_id"] == built[1].document["run"]["snapshot_id"]
        here = {one["finding_id"] for one in mingcha("findings", "list", "--json", "-w", "ws").document}
        there = ran(["findings", "list", "--json", "-w", str(built[0])], folder=built[0]).document
        assert here == {one["finding_id"] for one in there}

    def test_one_rule_alone_finds_the_same(self, built: tuple[Path, Done], mingcha: Mingcha) -> None:
        every = built[1].document["run"]["per_rule"]
        wanted = next(entry for entry in every if entry["rule_id"] == "REA-003")
        alone = mingcha("rules", "run", "--rules", "REA-003", "--json", "-w", built[0]).document
        assert [entry["findings"] for entry in alone["per_rule"]] == [wanted["findings"]]

    def test_exports_agree_and_the_json_and_csv_have_the_columns(
        self, built: tuple[Path, Done], mingcha: Mingcha, tmp_path: Path
    ) -> None:
        for kind in ("csv", "json", "parquet", "xlsx"):
            done = mingcha("findings", "export", "--out", f"f.{kind}", "--json", "-w", built[0])
            assert done.document["format"] == kind
            assert done.document["findings"] == built[1].document["run"]["findings"]
        piped = mingcha("findings", "export", "--format", "csv", "--rule", "MET-*", "-w", built[0])
        rows = list(csv.DictReader(piped.out.removeprefix("\ufeff").splitlines()))
        assert {row["rule_id"][:3] for row in rows} == {"MET"}
        held = json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))
        assert list(held[0]) == list(rows[0])

    def test_show_tells_a_story_in_both_languages(self, built: tuple[Path, Done], mingcha: Mingcha) -> None:
        first = mingcha("findings", "list", "--limit", "1", "--json", "-w", built[0]).document[0]
        chinese = mingcha("findings", "show", first["finding_id"], "-w", built[0])
        english = mingcha("findings", "show", first["finding_id"][:12], "--lang", "en", "-w", built[0])
        assert "原始记录" in chinese.out
        assert "Source rows" in english.out
        document = mingcha("findings", "show", first["finding_id"], "--json", "-w", built[0]).document
        assert document["story"]["rows"]
        assert document["finding_id"] == first["finding_id"]
