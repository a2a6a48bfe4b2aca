"""Exports: whole files, exact numbers, Chinese that Excel opens, a workbook to be read."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import python_calamine

from mingcha.findings import columns, export, queries, words, workbook
from mingcha.kernel import errors

EVERYTHING = queries.Filter()


def written(
    con: duckdb.DuckDBPyConnection, target: Path, kind: str, rules: dict[str, words.RuleWords] | None = None
) -> int:
    return export.write(con=con, where=EVERYTHING, target=target, kind=kind, rules=rules or {}, language="zh")


class TestCsv:
    def test_opens_in_excel_and_reads_back_whole(
        self, con: duckdb.DuckDBPyConnection, tmp_path: Path
    ) -> None:
        target = tmp_path / "异常 清单.csv"
        assert written(con, target, "csv") == 2
        text = target.read_bytes().decode("utf-8")
        assert text.startswith("\ufeff")
        rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
        assert list(rows[0]) == list(columns.export_names())
        assert rows[0]["back_cny"] == "15.00"
        assert rows[0]["penalty_cny"] == ""
        assert json.loads(rows[1]["evidence"]) == {"note": '引号" 和, 逗号\n换行'}


class TestJson:
    def test_keeps_every_digit(self, con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
        written(con, tmp_path / "f.json", "json")
        text = (tmp_path / "f.json").read_text(encoding="utf-8")
        records = json.loads(text, parse_float=Decimal)
        assert [list(record) for record in records] == [list(columns.export_names())] * 2
        assert records[0]["back_cny"] == Decimal("15.00")
        assert records[0]["evidence"]["archive_multiplier"] == Decimal("40.000000")
        assert '"archive_multiplier":40.000000' in text
        assert records[0]["period_start"] == "2026-03-01"

    def test_of_nothing_is_an_empty_list(self, con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
        export.write(
            con=con,
            where=queries.Filter(rules=("XXX-*",)),
            target=tmp_path / "f.json",
            kind="json",
            rules={},
            language="zh",
        )
        assert json.loads((tmp_path / "f.json").read_text(encoding="utf-8")) == []


class TestParquet:
    def test_keeps_types(self, con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
        written(con, tmp_path / "f'q.parquet", "parquet")
        path = str(tmp_path / "f'q.parquet")
        rows = con.execute("SELECT back_cny, period_start FROM read_parquet(?)", [path]).fetchall()
        assert rows[0][0] == Decimal("15.00")
        types = con.execute("DESCRIBE SELECT * FROM read_parquet(?)", [path]).fetchall()
        assert [(row[0], row[1]) for row in types] == [
            (column.name, column.sql_type) for column in columns.EXPORT_COLUMNS
        ]


class TestWorkbook:
    def test_has_three_sheets_with_titles_words_and_unfolded_evidence(
        self, con: duckdb.DuckDBPyConnection, rule: words.RuleWords, tmp_path: Path
    ) -> None:
        written(con, tmp_path / "f.xlsx", "xlsx", {"MET-001": rule})
        book = python_calamine.CalamineWorkbook.from_path(str(tmp_path / "f.xlsx"))
        assert book.sheet_names == ["异常清单", "按规则汇总", "说明"]
        head, *rows = book.get_sheet_by_name("异常清单").to_python()
        assert head[1] == "规则编号\nRule"
        named = [dict(zip(head, row, strict=True)) for row in rows]
        told = next(row for row in named if row["规则编号\nRule"] == "MET-001")
        assert told["规则名称\nTitle"] == "档案倍率与互感器不符"
        assert told["处置档\nBand"] == "派单"
        assert told["证据\nEvidence"].startswith("档案倍率：40；")
        assert told["应追补（元）\nBack payment (CNY)"] == 15
        assert told["应退补（元）\nRefund (CNY)"] == ""
        _, *summary = book.get_sheet_by_name("按规则汇总").to_python()
        assert [row[0] for row in summary] == ["MET-001", "REA-003"]

    def test_refuses_more_than_a_sheet_is_good_for(
        self, con: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(workbook, "MOST_ROWS", 1)
        with pytest.raises(errors.Refusal, match="2 findings") as caught:
            written(con, tmp_path / "f.xlsx", "xlsx")
        assert "--format csv" in caught.value.mend
        assert list(tmp_path.iterdir()) == []


class TestWholeFile:
    def test_a_broken_export_leaves_the_old_file_and_no_draft(self, tmp_path: Path) -> None:
        target = tmp_path / "f.csv"
        target.write_text("old", encoding="utf-8")

        def broken() -> None:
            with export.whole_file(target) as draft:
                draft.write_text("half", encoding="utf-8")
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            broken()
        assert target.read_text(encoding="utf-8") == "old"
        assert [path.name for path in tmp_path.iterdir()] == ["f.csv"]

    def test_a_folder_that_is_not_there_is_told(self, con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
        with pytest.raises(errors.SetupError, match="cannot be written"):
            written(con, tmp_path / "no" / "f.csv", "csv")

    def test_an_unknown_format_is_refused(self, con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
        with pytest.raises(errors.Refusal, match="pdf"):
            written(con, tmp_path / "f.pdf", "pdf")
