"""Held-back rows: every one with file, line, column, reason and value, in every format."""

import csv
import io
import json
from pathlib import Path

import pytest
import python_calamine

from mingcha.audit import quarantine
from mingcha.kernel import errors

from .conftest import Screened


class TestQuarantine:
    def test_counts_and_rows(self, screened: Screened) -> None:
        with quarantine.opened(workspace=screened.workspace) as held:
            assert held.counts() == [quarantine.Count("bill", "bad_date", "due_on", 2)]
            rows = list(held.rows())
        assert [(row["table"], row["file"], row["line"], row["value"]) for row in rows] == [
            ("bill", "bill.csv", 7, "2026-02-30"),
            ("bill", "bill.csv", 9, "昨天"),
        ]

    def test_of_another_table_is_empty(self, screened: Screened) -> None:
        with quarantine.opened(workspace=screened.workspace, table="reading") as held:
            assert held.count() == 0
            assert held.counts() == []

    def test_of_a_table_nobody_knows_is_refused(self, screened: Screened) -> None:
        with (
            pytest.raises(errors.Refusal, match="invoices"),
            quarantine.opened(workspace=screened.workspace, table="invoices"),
        ):
            pass

    def test_is_written_in_three_formats(self, screened: Screened, tmp_path: Path) -> None:
        with quarantine.opened(workspace=screened.workspace) as held:
            for kind in quarantine.FORMATS:
                assert held.write(target=tmp_path / f"q.{kind}", kind=kind) == 2
            with pytest.raises(errors.Refusal, match="pdf"):
                held.write(target=tmp_path / "q.pdf", kind="pdf")
        text = (tmp_path / "q.csv").read_bytes().decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text)))
        assert list(rows[0]) == list(quarantine.COLUMNS)
        assert rows[1]["value"] == "昨天"
        assert json.loads((tmp_path / "q.json").read_text(encoding="utf-8"))[0]["line"] == 7
        book = python_calamine.CalamineWorkbook.from_path(str(tmp_path / "q.xlsx"))
        assert len(book.get_sheet_by_index(0).to_python()) == 3

    def test_too_many_rows_for_a_sheet_are_refused(
        self, screened: Screened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(quarantine, "MOST_SHEET_ROWS", 1)
        with quarantine.opened(workspace=screened.workspace) as held, pytest.raises(errors.Refusal):
            held.write(target=tmp_path / "q.xlsx", kind="xlsx")
        assert list(tmp_path.iterdir()) == []
