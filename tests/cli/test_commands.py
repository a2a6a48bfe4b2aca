"""Commands that need no data: workspace, contract, rulebook, mapping proposals."""

import csv
import io
import json
import shutil
import tomllib
from pathlib import Path

import pytest
import python_calamine

from mingcha import rulebook
from mingcha.cli import console

from .conftest import Run, three_parts


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A rulebook of one area and what it needs, to be changed at will."""
    folder = tmp_path / "book"
    for name in ("relations", "law", "reading"):
        shutil.copytree(rulebook.ROOT / name, folder / name)
    return folder


class TestInit:
    def test_writes_settings_that_explain_themselves(self, workspace: Path) -> None:
        text = (workspace / "mingcha.toml").read_text(encoding="utf-8")
        assert tomllib.loads(text)["organisation"]["language"] == "zh"
        assert (workspace / "lake").is_dir()

    def test_makes_the_workspace_of_the_common_option_too(self, mingcha: Run, tmp_path: Path) -> None:
        ran = mingcha("init", "-w", tmp_path / "w", "--json")
        assert Path(ran.document["settings"]).is_file()

    def test_refuses_a_workspace_that_is_there(self, mingcha: Run, workspace: Path) -> None:
        ran = mingcha("init", workspace)
        assert ran.code == 2
        assert three_parts(ran.err)


class TestContract:
    def test_lists_all_tables(self, mingcha: Run) -> None:
        out = mingcha("data", "contract").out
        assert "usage_point" in out
        assert "计量点" in out

    def test_of_one_table_as_page_json_and_template(self, mingcha: Run) -> None:
        assert "### `bill` " in mingcha("data", "contract", "--table", "bill", "--lang", "en").out
        document = mingcha("data", "contract", "--table", "bill", "--json").document
        assert [table["table"] for table in document["tables"]] == ["bill"]
        template = mingcha("data", "contract", "--table", "bill", "--format", "csv-template").out
        (header,) = csv.reader(io.StringIO(template.strip()))
        assert header[0] == "bill_id"

    def test_templates_of_all_tables(self, mingcha: Run, tmp_path: Path) -> None:
        assert mingcha("data", "contract", "--format", "csv-template", "--out", tmp_path / "t").code == 0
        names = {path.stem for path in (tmp_path / "t").iterdir()}
        document = mingcha("--json", "data", "contract").document
        delivered = {table["table"] for table in document["tables"] if not table["derived"]}
        assert names == delivered
        assert len(delivered) < len(document["tables"])
        assert (
            mingcha("data", "contract", "--format", "xlsx-template", "--out", tmp_path / "t.xlsx").code == 0
        )
        workbook = python_calamine.CalamineWorkbook.from_path(str(tmp_path / "t.xlsx"))
        assert names <= set(workbook.sheet_names)

    def test_no_template_of_what_is_calculated(self, mingcha: Run, tmp_path: Path) -> None:
        assert "复算明细" in mingcha("data", "contract", "--table", "rerated_line").out
        ran = mingcha("data", "contract", "--table", "rerated_line", "--format", "csv-template")
        assert ran.code == 2
        assert three_parts(ran.err)

    def test_a_template_is_a_file_that_can_be_delivered(
        self, mingcha: Run, workspace: Path, tmp_path: Path
    ) -> None:
        books = tmp_path / "books"
        books.mkdir()
        file = books / "calendar_day.csv"
        assert (
            mingcha(
                "data", "contract", "--table", "calendar_day", "--format", "csv-template", "--out", file
            ).code
            == 0
        )
        with file.open("a", encoding="utf-8") as lines:
            lines.write("2026-05-01,holiday\n")
        ran = mingcha("data", "ingest", books, "-w", workspace, "--json")
        assert ran.document["tables"][0]["accepted"] == 1


class TestRules:
    def test_list_and_show(self, mingcha: Run) -> None:
        listed = mingcha("rules", "list", "--json").document["rules"]
        assert {"MET-001", "REA-003"} <= {rule["rule_id"] for rule in listed}
        assert "漏抄" in mingcha("rules", "list", "--area", "reading").out
        assert "Not read" in mingcha("rules", "show", "REA-003", "--lang", "en").out
        assert "SELECT" in mingcha("rules", "show", "REA-003", "--json").document["query"]

    def test_a_new_rule_is_sound_from_the_start_and_then_locked(self, mingcha: Run, book: Path) -> None:
        new = (
            "rules",
            "new",
            "REA-901",
            "energy_above_limit",
            "--title-zh",
            "电量超限",
            "--title-en",
            "High",
        )
        ran = mingcha(*new, "--table", "reading", "--column", "energy", "--limit", "5000", "--book", book)
        assert ran.code == 0, ran.err
        assert (book / "reading" / "energy_above_limit" / "query.sql").is_file()
        assert mingcha("rules", "lint", "REA-901", "--book", book).out == "no mistakes\n"
        assert mingcha("rules", "test", "REA-901", "--book", book).code == 0
        assert mingcha("rules", "lock", "--check", "--book", book).code == 1
        assert mingcha("rules", "lock", "--book", book).code == 0
        assert mingcha("rules", "lock", "--check", "--book", book).code == 0
        assert mingcha(*new, "--book", book).code == 2

    def test_a_new_rule_without_titles_is_refused_where_nobody_can_be_asked(
        self, mingcha: Run, book: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO())
        ran = mingcha("rules", "new", "REA-902", "x", "--book", book)
        assert ran.code == 2
        assert three_parts(ran.err)

    def test_a_mistake_is_found_with_1_and_a_failing_example_too(self, mingcha: Run, book: Path) -> None:
        mingcha(
            "rules", "new", "REA-901", "x", "--title-zh", "某", "--title-en", "x",
            "--table", "reading", "--column", "energy", "--limit", "5000", "--book", book,
        )  # fmt: skip
        query = book / "reading" / "x" / "query.sql"
        query.write_text(
            query.read_text(encoding="utf-8").replace("> :limit_value", ">= :limit_value"), "utf-8"
        )
        failed = mingcha("rules", "test", "REA-901", "--book", book, "--json")
        assert failed.code == 1
        assert failed.document["failures"][0]["example"] == "exactly on the limit"
        query.write_text("SELECT * FROM reading", "utf-8")
        linted = mingcha("rules", "lint", "REA-901", "--book", book, "--json")
        assert linted.code == 1
        assert linted.document["mistakes"] == len(linted.document["problems"]) > 0

    def test_a_broken_sheet_stops_what_needs_the_book_with_2(self, mingcha: Run, book: Path) -> None:
        sheet = next((book / "reading").glob("*/rule.yaml"))
        sheet.write_text("id: nonsense\n", encoding="utf-8")
        assert mingcha("rules", "lint", "--book", book).code == 1
        ran = mingcha("rules", "list", "--book", book)
        assert ran.code == 2
        assert three_parts(ran.err)

    @pytest.mark.parametrize("command", ["lint", "test"])
    def test_a_pattern_that_fits_nothing_is_refused(self, mingcha: Run, command: str) -> None:
        ran = mingcha("rules", command, "XYZ-*")
        assert ran.code == 2
        assert three_parts(ran.err)


class TestMapSuggest:
    def test_writes_a_mapping_that_can_be_used(self, mingcha: Run, workspace: Path, tmp_path: Path) -> None:
        books = tmp_path / "他们的 数据"
        books.mkdir()
        text = "单位编号,单位名称,级别\nO1,市公司,city\n"
        (books / "单位.csv").write_text(text, encoding="gb18030")
        target = tmp_path / "map.yaml"
        ran = mingcha("data", "map-suggest", books, "--out", target)
        assert ran.code == 0, ran.err
        assert "org_unit" in target.read_text(encoding="utf-8")
        document = mingcha("data", "map-suggest", books, "--json").document
        assert document["mapping"] == target.read_text(encoding="utf-8")
        taken = mingcha("data", "ingest", books, "--mapping", target, "-w", workspace, "--json")
        assert taken.code == 0, taken.err
        assert taken.document["tables"][0]["table"] == "org_unit"


class TestConsole:
    def test_chinese_takes_two_columns(self) -> None:
        assert console.width("漏抄 x") == 6
        assert console.cut("漏抄而未发", 6) == "漏抄…"
        text = console.table(["规则", "n"], [["漏抄", "1"], ["x", "12"]], right=[1])
        assert text.splitlines() == ["规则   n", "----  --", "漏抄   1", "x     12"]


def test_documents_are_json_even_of_chinese(mingcha: Run) -> None:
    out = mingcha("rules", "list", "--json").out
    assert json.loads(out)["rules"]
    assert "\\u" not in out
