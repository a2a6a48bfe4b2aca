"""Excel and Parquet: values exact, rows numbered as people see them, and files made to do harm."""

from __future__ import annotations

import contextlib
import datetime
import zipfile
import zoneinfo
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
import xlsxwriter

from mingcha.ingest.sources import texts, xlsx
from mingcha.kernel import errors
from mingcha.store import snapshots

if TYPE_CHECKING:
    from ingest.conftest import Intake

LEDGER = ["entry_id", "posted_on", "org_id", "account", "side", "amount", "source"]


def table(report: Any, name: str) -> Any:
    return next(item for item in report.tables if item.table == name)


def workbook(path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    """Write a workbook; days and moments become Excel dates."""
    with xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy/m/d"}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                for place, value in enumerate(row):
                    if isinstance(value, datetime.date):
                        sheet.write_datetime(number, place, value)
                    elif value is not None:
                        sheet.write(number, place, value)
    return path


class TestExcel:
    def test_values_come_through_exactly(self, intake: Intake) -> None:
        workbook(
            intake.source / "账 册.xlsx",
            {
                "ledger_entry": [
                    LEDGER,
                    ["E1", datetime.date(2026, 3, 5), 1001, "cash", "debit", 0.1 + 0.2, "bill"],
                    [],
                    ["0012", "2026年3月5日", "O1", "cash", "debit", 1234567.89, "bill"],
                    ["E3", 46086, "O1", "cash", "debit", "1,000", "bill"],
                    ["E4", datetime.date(2026, 3, 5), "O1", "cash", "debit", 10.005, "bill"],
                ],
            },
        )
        report = intake.deliver()
        day = datetime.date(2026, 3, 5)
        assert intake.rows("ledger_entry", "entry_id, posted_on, org_id, amount") == [
            ("0012", day, "O1", Decimal("1234567.89")),
            ("E1", day, "1001", Decimal("0.30")),
            ("E3", day, "O1", Decimal("1000")),
        ]
        assert intake.aside() == [("账 册.xlsx[ledger_entry]", 6, "amount", "bad_type", "10.005")]
        assert report.files[0].facts["sheet"] == "ledger_entry"

    def test_the_only_sheet_may_be_named_by_its_file(self, intake: Intake) -> None:
        workbook(intake.source / "org_unit.xlsx", {"Sheet1": [["org_id", "name"], ["O1", "a"]]})
        assert table(intake.deliver(), "org_unit").accepted == 1

    def test_unused_pages_of_our_template_are_not_delivered(self, intake: Intake) -> None:
        from mingcha.contract import load, templates

        tables = list(load.contract().tables.values())
        templates.excel_template(path=intake.source / "t.xlsx", tables=tables, header="zh")
        assert "holds nothing" in intake.refuse().what
        intake.put("org_unit.csv", "org_id,name\nO1,a\n")
        report = intake.deliver()
        assert [item.table for item in report.tables] == ["org_unit"]
        assert sum(remark.code == "only_header" for remark in report.remarks) == len(tables)

    def test_a_title_above_the_header(self, intake: Intake) -> None:
        workbook(intake.source / "org_unit.xlsx", {"s": [["2026年单位表"], ["org_id", "name"], ["O1", "a"]]})
        intake.deliver(mapping="mapping: 1\nsource: {header_line: 2}\n")
        assert intake.rows("org_unit", "org_id") == [("O1",)]

    def test_a_table_that_does_not_begin_in_the_corner(self, intake: Intake) -> None:
        rows = [
            [None] * 3,
            [None] * 3,
            [None, None, "org_id", "name"],
            [None, None, "O1", "a"],
            [None, None, None, "b"],
        ]
        workbook(intake.source / "org_unit.xlsx", {"s": rows})
        intake.deliver()
        assert intake.aside() == [("org_unit.xlsx[s]", 5, "org_id", "missing_key", None)]

    def test_cells_beyond_the_header_put_the_row_aside(self, intake: Intake) -> None:
        workbook(
            intake.source / "org_unit.xlsx", {"s": [["org_id", "name"], ["O1", "a", None, "x"], ["O2", "b"]]}
        )
        intake.deliver()
        assert [row[:4] for row in intake.aside()] == [("org_unit.xlsx[s]", 2, None, "wrong_field_count")]

    def test_hidden_sheets_and_lock_files_are_left_alone(self, intake: Intake) -> None:
        path = intake.source / "org_unit.xlsx"
        with xlsxwriter.Workbook(str(path)) as book:
            book.add_worksheet("org_unit").write_column(0, 0, ["org_id", "O1"])
            hidden = book.add_worksheet("staff")
            hidden.write_column(0, 0, ["staff_id", "S1"])
            hidden.hide()
        intake.put("~$org_unit.xlsx", b"lock")
        assert [item.table for item in intake.deliver().tables] == ["org_unit"]


class TestHarmfulExcel:
    def bomb(self, path: Path, *, size: int, lie: bool = False) -> None:
        """Write a workbook whose sheet unpacks to `size` bytes; its directory may lie about that."""
        workbook(path, {"org_unit": [["org_id"], ["O1"]]})
        with zipfile.ZipFile(path) as archive:
            entries = {name: archive.read(name) for name in archive.namelist()}
        sheet = "xl/worksheets/sheet1.xml"
        head, tail = entries[sheet].split(b"<sheetData>")
        entries[sheet] = head + b" " * size + b"<sheetData>" + tail
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in entries.items():
                archive.writestr(name, content)
        if lie:
            data = path.read_bytes()
            truth = len(entries[sheet]).to_bytes(4, "little")
            assert data.count(truth) >= 2
            path.write_bytes(data.replace(truth, (500).to_bytes(4, "little")))

    @pytest.mark.parametrize("lie", [False, True])
    def test_a_zip_bomb_is_refused_unopened(self, intake: Intake, lie: bool, monkeypatch: Any) -> None:
        self.bomb(intake.source / "org_unit.xlsx", size=80 * 1024 * 1024, lie=lie)
        monkeypatch.setattr(xlsx.python_calamine, "CalamineWorkbook", None)  # opening it would fail
        error = intake.refuse()
        assert "unpacks to more than" in error.what
        assert "CSV" in error.mend

    def test_the_limit_may_be_set(self, intake: Intake) -> None:
        self.bomb(intake.source / "org_unit.xlsx", size=3 * 1024 * 1024)
        assert "2 MiB" in intake.refuse(mapping="mapping: 1\nsource: {max_unpacked_mib: 2}\n").what

    @pytest.mark.parametrize("quote", ['"', "'"])
    def test_a_cell_at_the_end_of_the_world_is_refused_unopened(
        self, intake: Intake, quote: str, monkeypatch: Any
    ) -> None:
        path = workbook(intake.source / "org_unit.xlsx", {"org_unit": [["org_id"], ["O1"]]})
        with zipfile.ZipFile(path) as archive:
            entries = {name: archive.read(name) for name in archive.namelist()}
        cell = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'.replace(
            '"', quote
        ).encode()
        sheet = "xl/worksheets/sheet1.xml"
        entries[sheet] = entries[sheet].replace(b"</sheetData>", cell)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in entries.items():
                archive.writestr(name, content)
        monkeypatch.setattr(xlsx.python_calamine, "CalamineWorkbook", None)
        error = intake.refuse()
        assert "row 1048576, column 16384" in error.what

    def test_a_wide_sheet_of_few_rows_is_read(self, intake: Intake) -> None:
        rows = [["org_id", "name", *[f"x{n}" for n in range(300)]], ["O1", "a", *range(300)]]
        workbook(intake.source / "org_unit.xlsx", {"s": rows})
        assert table(intake.deliver(), "org_unit").accepted == 1

    def test_damage_anywhere_is_told_and_never_a_crash(self, intake: Intake) -> None:
        import random

        whole = workbook(
            intake.source / "org_unit.xlsx", {"s": [["org_id", "name"], ["O1", "a"]]}
        ).read_bytes()
        chance = random.Random(7)
        for _ in range(60):
            data = bytearray(whole)
            for _ in range(chance.randint(1, 4)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            intake.put(
                "org_unit.xlsx", bytes(data[: chance.choice([len(data), chance.randrange(20, len(data))])])
            )
            with contextlib.suppress(errors.DataError):  # anything else fails the test
                intake.deliver()


class TestTexts:
    ZONE = zoneinfo.ZoneInfo("Asia/Shanghai")

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (None, None), ("x ", "x "), (True, "true"), (7, "7"), (46023.0, "46023"), (0.1 + 0.2, "0.3"),
            (1e-05, "0.00001"), (12345678901234.5, "12345678901234.5"), (float("nan"), "nan"),
            (Decimal("1E+3"), "1000"), (Decimal("1.50"), "1.50"), (b"\x01", "1"), ("电".encode(), "电"),
            (b"\xff\xfe", "fffe"), (datetime.date(2026, 3, 5), "2026-03-05"),
            (datetime.datetime.fromisoformat("2026-03-05 08:30"), "2026-03-05 08:30:00"),
            (datetime.datetime(2026, 3, 5, 0, 30, tzinfo=datetime.UTC), "2026-03-05 08:30:00"),
        ],
    )  # fmt: skip
    def test_read_back_as_the_same_value(self, value: object, text: str | None) -> None:
        assert texts.text_of(value, zone=self.ZONE) == text


class TestParquet:
    def write(self, intake: Intake, name: str, sql: str) -> Path:
        path = intake.source / name
        path.parent.mkdir(exist_ok=True)
        duckdb.connect().execute(f"COPY ({sql}) TO '{path}'")
        return path

    LEDGER = (
        "SELECT 'E' || i AS entry_id, DATE '2026-03-05' AS posted_on, 'O1' AS org_id, 'cash' AS account,"
        " 'debit' AS side, (i * 0.25)::DECIMAL(18,2) AS amount, 'bill' AS source FROM range(5000) r(i)"
    )

    def test_of_the_contracts_types_is_passed_on_as_it_is(self, intake: Intake, monkeypatch: Any) -> None:
        from mingcha.ingest.checks import tables

        self.write(intake, "ledger_entry/1.parquet", self.LEDGER)
        self.write(intake, "ledger_entry/2.parquet", self.LEDGER.replace("'E'", "'F'"))
        monkeypatch.setattr(tables.Checker, "_general", None)  # taking the general way would fail
        assert table(intake.deliver(), "ledger_entry").accepted == 10_000

    @pytest.mark.parametrize(
        ("change", "aside"),
        [
            (
                ("'cash'", "CASE WHEN i = 7 THEN 'gold' ELSE 'cash' END"),
                (8, "account", "unknown_enum", "gold"),
            ),
            (("'O1'", "CASE WHEN i <> 7 THEN 'O1' END"), (8, "org_id", "null_not_allowed", None)),
            (("'E' || i", "CASE WHEN i <> 7 THEN 'E' || i END"), (8, "entry_id", "missing_key", None)),
            (
                ("'E' || i", "'E' || CASE WHEN i = 7 THEN 3 ELSE i END"),
                (8, None, "duplicate_key", "E3 → ledger_entry.parquet:4"),
            ),
            (
                ("DATE '2026-03-05'", "DATE '2026-03-05' - CASE WHEN i = 7 THEN 99999 ELSE 0 END"),
                (8, "posted_on", "out_of_range", "1752-05-21"),
            ),
        ],
    )
    def test_a_single_fault_is_found_with_its_row(
        self, intake: Intake, change: tuple[str, str], aside: tuple[Any, ...]
    ) -> None:
        self.write(intake, "ledger_entry.parquet", self.LEDGER.replace(*change))
        report = intake.deliver()
        assert table(report, "ledger_entry").accepted == 4999
        assert intake.aside() == [("ledger_entry.parquet", *aside)]

    def test_padded_keys_are_trimmed(self, intake: Intake) -> None:
        self.write(intake, "ledger_entry.parquet", self.LEDGER.replace("'E' || i", "rpad('E' || i, 9, ' ')"))
        intake.deliver()
        assert intake.rows("ledger_entry", "entry_id")[0] == ("E0",)

    def test_other_types_are_converted(self, intake: Intake) -> None:
        self.write(
            intake,
            "ledger_entry.parquet",
            "SELECT 1001 AS entry_id, TIMESTAMP '2026-03-05 08:00:00' AS posted_on, 7.0::DOUBLE AS org_id,"
            " 'cash'::BLOB AS account, 'debit'::ENUM('debit', 'credit') AS side, 12.30::DOUBLE AS amount,"
            " 'bill' AS source, [1, 2] AS nested",
        )
        report = intake.deliver()
        assert intake.rows("ledger_entry", "entry_id, posted_on, org_id, account, side, amount") == [
            ("1001", datetime.date(2026, 3, 5), "7", "cash", "debit", Decimal("12.30"))
        ]
        assert ("nested_column", "nested") in {(r.code, r.detail) for r in report.remarks}

    def test_files_of_different_shape_together(self, intake: Intake) -> None:
        self.write(intake, "ledger_entry_1.parquet", self.LEDGER)
        self.write(intake, "ledger_entry_2.parquet", "SELECT 'X1' AS entry_id, '2026/3/6' AS posted_on")
        intake.put("ledger_entry_3.csv", "entry_id,posted_on\nE1,2026-01-01\nX2,2026-01-01\n")
        report = intake.deliver()
        assert table(report, "ledger_entry").accepted == 5002
        assert intake.aside() == [
            ("ledger_entry_3.csv", 2, None, "duplicate_key", "E1 → ledger_entry_1.parquet:2")
        ]

    def test_names_that_number_rows_are_taken(self, intake: Intake) -> None:
        self.write(
            intake, "ledger_entry.parquet", self.LEDGER.replace("AS source", "AS source, 1 AS File_Index")
        )
        assert "File_Index".lower() in intake.refuse().what

    def test_collisions_of_hashes_cost_no_row(self, intake: Intake, monkeypatch: Any) -> None:
        from mingcha.ingest.checks import duplicates

        self.write(intake, "ledger_entry.parquet", self.LEDGER)
        monkeypatch.setattr(duplicates, "_hash", lambda key: f"length({key[0]})")
        assert table(intake.deliver(), "ledger_entry").accepted == 5000
        newest = snapshots.latest(intake.workspace)
        assert newest is not None
        assert newest.rows("ledger_entry") == 5000
