"""Deliveries from end to end: what is accepted, what is put aside and why, and that nothing vanishes."""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mingcha.ingest import reasons
from mingcha.store import snapshots

if TYPE_CHECKING:
    from tests.ingest.conftest import Intake

ORG = "org_id,name,parent_id,level\n"
LEDGER = "entry_id,posted_on,org_id,account,side,amount,source\n"


def table(report: Any, name: str) -> Any:
    return next(item for item in report.tables if item.table == name)


def codes(report: Any) -> set[str]:
    return {remark.code for remark in report.remarks}


class TestAccepting:
    def test_names_of_the_contract(self, intake: Intake) -> None:
        intake.put("org_unit.csv", ORG + "O1,省公司,,province\nO2,市公司,O1,city\n")
        report = intake.deliver()
        assert table(report, "org_unit").accepted == 2
        assert intake.rows("org_unit", "org_id, name, parent_id, level") == [
            ("O1", "省公司", None, "province"),
            ("O2", "市公司", "O1", "city"),
        ]

    def test_chinese_titles_words_and_forms(self, intake: Intake) -> None:
        text = (
            "分录编号,记账日期,单位编号,会计科目,借贷方向,金额(元),来源类型\n"
            'E1,2026年3月5日,O1,receivable,debit,"1,234.50",bill\n'
        )
        titles = {"entry_id", "posted_on", "org_id", "account", "side", "amount", "source"}
        from mingcha.contract import load

        spec = load.contract().tables["ledger_entry"]
        header = [spec.by_name[name].zh for name in
                  ("entry_id", "posted_on", "org_id", "account", "side", "amount", "source")]  # fmt: skip
        header[5] += "（元）"
        text = ",".join(header) + "\n" + text.split("\n")[1] + "\n"
        intake.put(f"{spec.title.zh}_2026-03.csv", text.encode("gb18030"))
        report = intake.deliver()
        assert table(report, "ledger_entry").accepted == 1
        assert set(table(report, "ledger_entry").columns_not_delivered).isdisjoint(titles)
        assert intake.rows("ledger_entry", "posted_on, amount") == [
            (datetime.date(2026, 3, 5), Decimal("1234.50"))
        ]

    def test_chinese_words_of_codes(self, intake: Intake) -> None:
        from mingcha.contract import load

        words = load.contract().tables["org_unit"].by_name["level"].labels
        intake.put("org_unit.csv", ORG + f"O1,x,,{words['city'].zh}\n")
        intake.deliver()
        assert intake.rows("org_unit", "level") == [("city",)]

    def test_parts_of_a_table_in_files_and_folders(self, intake: Intake) -> None:
        intake.put("org_unit_1.csv", ORG + "O1,a,,city\n")
        intake.put("org_unit/2026-03.csv", ORG + "O2,b,,city\n")
        intake.put("各单位/组织单位(2).csv", ORG + "O3,c,,city\n")
        report = intake.deliver()
        assert table(report, "org_unit").accepted == 3
        assert {file.file for file in report.files} == {
            "org_unit_1.csv", "org_unit/2026-03.csv", "各单位/组织单位(2).csv",
        }  # fmt: skip

    def test_what_is_not_read_is_said(self, intake: Intake) -> None:
        intake.put("org_unit.csv", "org_id,name,level,remark\nO1,a,city,x\n")
        intake.put("something.csv", "a,b\n1,2\n")
        intake.put("notes.docx", b"PK")
        intake.put("deep/deeper/org_unit.csv", ORG)
        intake.put(".hidden.csv", "a\n")
        report = intake.deliver()
        said = {(remark.code, remark.subject, remark.detail) for remark in report.remarks}
        assert ("ignored_columns", "org_unit.csv", "remark") in said
        assert ("unknown_table", "something.csv", "") in said
        assert ("unknown_format", "notes.docx", "") in said
        assert ("too_deep", "deep/deeper/", "") in said
        assert all(remark.say("zh") and remark.say("en") for remark in report.remarks)

    def test_columns_left_out_are_named_and_rows_accepted(self, intake: Intake) -> None:
        intake.put("org_unit.csv", "org_id\nO1\n")
        report = intake.deliver()
        assert table(report, "org_unit").accepted == 1
        assert table(report, "org_unit").columns_not_delivered == ("name", "parent_id", "level")
        assert "missing_columns" in codes(report)
        assert snapshots.latest(intake.workspace).columns_delivered("org_unit") == ("org_id",)  # type: ignore[union-attr]

    def test_a_header_without_rows_is_a_table_without_rows(self, intake: Intake) -> None:
        intake.put("org_unit.csv", ORG)
        report = intake.deliver()
        assert table(report, "org_unit").delivered == 0
        assert "no_rows" in codes(report)

    def test_a_single_file(self, intake: Intake) -> None:
        path = intake.put("org_unit.csv", ORG + "O1,a,,city\n")
        assert table(intake.deliver(path), "org_unit").accepted == 1

    def test_the_report_in_plain_values(self, intake: Intake) -> None:
        import json

        intake.put("org_unit.csv", ORG + "O1,a,,city\nO1,b,,city\n")
        plain = json.loads(json.dumps(intake.deliver(as_of=datetime.date(2026, 3, 31)).as_json()))
        assert plain["tables"][0]["reasons"] == {"duplicate_key": 1}
        assert plain["data_date"] == "2026-03-31"
        assert plain["snapshot_id"].startswith("s0001-")


class TestPuttingAside:
    def test_every_reason_with_file_line_column_and_value(self, intake: Intake) -> None:
        intake.put(
            "ledger_entry.csv",
            LEDGER.encode()
            + "E1,2026-03-05,O1,cash,debit,10.00,bill\n"
            ",2026-03-05,O1,cash,debit,10.00,bill\n"
            "E3,2026-03-05,,cash,debit,10.00,bill\n"
            "E4,5/3/2026,O1,cash,debit,10.00,bill\n"
            "E5,1899-12-30,O1,cash,debit,10.00,bill\n"
            "E6,2026-03-05,O1,gold,debit,10.00,bill\n"
            "E7,2026-03-05,O1,cash,debit,10.005,bill\n"
            "E8,2026-03-05,O1,cash,debit,10元,bill\n"
            "E9,2026-03-05,O1,cash,debit\n".encode()
            + b"E10,2026-03-05,\xff,cash,debit,10.00,bill\n"
            + b"E1,2026-03-05,O1,cash,debit,10.00,bill\n"
            + b"E1,2026-03-05,O1,cash,debit,11.00,bill\n"
            + b'E13,2026-03-05,O1,cash,debit,10.00,"bill',
        )
        report = intake.deliver()
        name = "ledger_entry.csv"
        assert intake.aside() == [
            (name, 3, "entry_id", "missing_key", None),
            (name, 4, "org_id", "null_not_allowed", None),
            (name, 5, "posted_on", "bad_date", "5/3/2026"),
            (name, 6, "posted_on", "out_of_range", "1899-12-30"),
            (name, 7, "account", "unknown_enum", "gold"),
            (name, 8, "amount", "bad_type", "10.005"),
            (name, 9, "amount", "bad_type", "10元"),
            (name, 10, None, "wrong_field_count", "5 ≠ 7"),
            (name, 11, "org_id", "bad_encoding", r"\xff"),
            (name, 12, None, "duplicate_identical", "E1 → ledger_entry.csv:2"),
            (name, 13, None, "duplicate_key", "E1 → ledger_entry.csv:2"),
            (name, 14, None, "truncated", None),
        ]
        entry = table(report, "ledger_entry")
        assert (entry.delivered, entry.accepted) == (13, 1)
        for row in intake.quarantine():
            for language in ("zh", "en"):
                sentence = reasons.say(
                    row["reason"], column=row["column"], value=row["value"], language=language
                )
                assert sentence
                assert "{" not in sentence

    def test_the_row_is_kept_as_delivered_with_its_other_faults(self, intake: Intake) -> None:
        intake.put("ledger_entry.csv", LEDGER + "E1,never, O1 ,gold,debit,x,bill\n")
        intake.deliver()
        (row,) = intake.quarantine()
        assert row["row"]["org_id"] == " O1 "
        assert row["row"]["amount"] == "x"
        assert row["row"]["_more"] == ["account: unknown_enum gold", "amount: bad_type x"]

    def test_the_first_of_two_files_keeps_a_key(self, intake: Intake) -> None:
        intake.put("org_unit_1.csv", ORG + "O1,first,,city\n")
        intake.put("org_unit_2.csv", ORG + "O1,second,,city\nO2,x,,city\nO1,first,,city\n")
        intake.deliver()
        assert intake.rows("org_unit", "org_id, name") == [("O1", "first"), ("O2", "x")]
        assert intake.aside() == [
            ("org_unit_2.csv", 2, None, "duplicate_key", "O1 → org_unit_1.csv:2"),
            ("org_unit_2.csv", 4, None, "duplicate_identical", "O1 → org_unit_1.csv:2"),
        ]

    def test_a_bad_row_does_not_hold_its_key(self, intake: Intake) -> None:
        intake.put("org_unit.csv", ORG + "O1,bad,,galaxy\nO1,good,,city\n")
        intake.deliver()
        assert intake.rows("org_unit", "name") == [("good",)]

    def test_keys_of_several_columns(self, intake: Intake) -> None:
        intake.put(
            "daily_energy.csv",
            "usage_point_id,day,import_kwh\nP1,2026-03-01,1\nP1,2026-03-02,1\nP1,2026/3/2,2\nP2,2026-03-01,1\n",
        )
        intake.deliver()
        assert intake.aside() == [
            ("daily_energy.csv", 4, None, "duplicate_key", "P1/2026-03-02 → daily_energy.csv:3")
        ]

    def test_everything_bad_leaves_an_empty_table(self, intake: Intake) -> None:
        intake.put("org_unit.csv", ORG + "O1,a,,galaxy\n")
        report = intake.deliver()
        assert table(report, "org_unit").accepted == 0
        assert intake.rows("org_unit") == []

    def test_rounded_measures_are_accepted_and_counted(self, intake: Intake) -> None:
        intake.put(
            "daily_energy.csv",
            "usage_point_id,day,import_kwh,export_kwh\nP1,2026-03-01,1.00005,2\nP2,2026-03-01,1.0000,3\n",
        )
        report = intake.deliver()
        assert table(report, "daily_energy").rounded == {"import_kwh": 1}
        assert intake.rows("daily_energy", "import_kwh")[-1] == (Decimal("1.0001"),)
        assert "rounded" in codes(report)


class TestReferences:
    CUSTOMERS = "org_unit.csv", ORG + "O1,a,,city\n"
    STAFF = "staff.csv", "staff_id,name,org_id\nS1,x,O1\nS2,y,O9\nS3,z,O8\nS4,z,O9\n"

    def test_orphans_are_kept_and_counted(self, intake: Intake) -> None:
        intake.put(*self.CUSTOMERS)
        intake.put(*self.STAFF)
        report = intake.deliver()
        assert table(report, "staff").accepted == 4
        (found,) = [item for item in report.orphans if item.table == "staff"]
        assert (found.column, found.refers_to, found.rows, found.values) == (
            "org_id",
            "org_unit.org_id",
            3,
            2,
        )
        assert found.examples == ("O8", "O9")

    def test_orphans_are_put_aside_where_the_policy_says_so(self, intake: Intake) -> None:
        intake.put(*self.CUSTOMERS)
        intake.put(*self.STAFF)
        intake.put("staff_role.csv", "staff_id,role,granted_on\nS1,bill,2026-01-01\nS2,bill,2026-01-01\n")
        report = intake.deliver(mapping="mapping: 1\norphans: quarantine\n")
        assert table(report, "staff").reasons == {"orphan": 3}
        assert intake.rows("staff", "staff_id") == [("S1",)]
        # S2 was put aside, so whoever refers to S2 refers to nobody
        assert table(report, "staff_role").reasons == {"orphan": 1}
        assert ("staff.csv", 3, "org_id", "orphan", "O9") in intake.aside()

    def test_rows_of_the_snapshot_before_count(self, intake: Intake) -> None:
        intake.put(*self.CUSTOMERS)
        intake.deliver()
        (intake.source / "org_unit.csv").unlink()
        intake.put(*self.STAFF)
        report = intake.deliver()
        assert [item.rows for item in report.orphans] == [3]

    def test_what_cannot_be_judged_is_said(self, intake: Intake) -> None:
        intake.put(*self.STAFF)
        report = intake.deliver()
        assert report.orphans == ()
        assert "orphans_not_judged" in codes(report)

    def test_a_table_may_refer_to_itself(self, intake: Intake) -> None:
        intake.put("org_unit.csv", ORG + "O1,a,O2,city\nO2,b,,city\nO3,c,O7,city\n")
        report = intake.deliver(mapping="mapping: 1\norphans: quarantine\n")
        assert table(report, "org_unit").reasons == {"orphan": 1}


class TestRepeating:
    def test_later_deliveries_add_and_correct(self, intake: Intake) -> None:
        intake.put("org_unit.csv", ORG + "O1,a,,city\nO2,b,,city\n")
        first = intake.deliver()
        intake.put("org_unit.csv", ORG + "O2,b2,,city\nO3,c,,city\n")
        entry = table(intake.deliver(), "org_unit")
        assert (entry.added, entry.corrected, entry.unchanged) == (1, 1, 0)
        assert intake.rows("org_unit", "org_id, name") == [("O1", "a"), ("O2", "b2"), ("O3", "c")]
        before = snapshots.get(intake.workspace, first.snapshot_id)
        assert before.rows("org_unit") == 2

    def test_the_same_delivery_gives_the_same_content(self, intake: Intake) -> None:
        intake.put("org_unit.csv", ORG + "O1,a,,city\nO1,b,,city\n")
        intake.deliver()
        first = snapshots.latest(intake.workspace)
        intake.deliver()
        second = snapshots.latest(intake.workspace)
        assert first is not None
        assert second is not None
        assert first.content_digest == second.content_digest


class TestRefusals:
    def test_nothing_there(self, intake: Intake) -> None:
        assert "holds nothing" in intake.refuse().what
        assert "is not there" in intake.refuse(intake.source / "无").what

    def test_nothing_known(self, intake: Intake) -> None:
        intake.put("org_unut.csv", "a,b\n1,2\n")
        error = intake.refuse()
        assert "org_unut.csv" in error.what
        assert "did you mean org_unit" in error.what
        assert "map-suggest" in error.mend

    def test_a_table_without_its_key(self, intake: Intake) -> None:
        intake.put("org_unit.csv", "name,level\nx,city\n")
        intake.put("bill.csv", "bill_id\nB1\n")
        error = intake.refuse()
        assert "org_id" in error.what
        assert "billing_period" in error.what

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("org_unit.csv", b""),
            ("org_unit.csv", b"org_id,name,org_id\n1,2,3\n"),
            ("org_unit.csv", ("org_id,name\n" + "O1,王小明\n" * 9).encode("utf-16-le")),
            ("org_unit.parquet", b"PAR1 no parquet PAR1"),
            ("org_unit.parquet", b""),
            ("org_unit.xlsx", b"PK\x03\x04 no workbook"),
            ("org_unit.csv.gz", b"\x1f\x8b\x08\x00cut"),
        ],
    )
    def test_files_that_cannot_be_read_stop_the_delivery(
        self, intake: Intake, name: str, content: bytes
    ) -> None:
        intake.put("staff.csv", "staff_id,name,org_id\nS1,x,O1\n")
        intake.deliver()
        intake.put(name, content)
        assert intake.refuse().what.startswith("org_unit")

    def test_a_parquet_file_cut_inside_its_data(self, intake: Intake) -> None:
        path = intake.source / "org_unit.parquet"
        con = duckdb.connect()
        con.execute(
            "COPY (SELECT 'O' || i AS org_id, md5(i::VARCHAR) AS name, 'city' AS level FROM range(9000) r(i))"
            f" TO '{path}'"
        )
        data = bytearray(path.read_bytes())
        data[2000:30000] = b"\x00" * 28000
        path.write_bytes(data)
        assert "org_unit.parquet cannot be read as a Parquet file" in intake.refuse().what

    def test_a_file_name_that_is_no_text(self, intake: Intake) -> None:
        import os

        name = os.fsencode(intake.source) + b"/\xb5\xe7\xb7\xd1.csv"
        with open(name, "w") as out:  # noqa: PTH123 - a name of bytes
            out.write("org_id\nO1\n")
        error = intake.refuse()
        assert r"\xb5\xe7" in error.what
        assert "GB18030" in error.mend

    def test_a_busy_workspace(self, intake: Intake) -> None:
        intake.put("org_unit.csv", ORG + "O1,a,,city\n")
        with snapshots.Draft(intake.workspace, made_at=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)):
            assert "is writing" in intake.refuse().what


cells = st.sampled_from(
    ["E1", "E2", "E3", "", " ", "NULL", "2026-03-05", "2026/3/5", "1", "1.5", "1,000.00", "x", "cash",
     "debit", "bill", "O1", "10.005", '"', "a,b", "王", "2026年3月5日", "1e5", "line\nend", "'",
     "99999999999999999999"]
)  # fmt: skip
good = st.tuples(
    st.sampled_from(["E1", "E2", "E3", "E4"]), st.just("2026-03-05"), st.just("O1"), st.just("cash"),
    st.just("debit"), st.sampled_from(["1.00", "2.00"]), st.just("bill"),
).map(list)  # fmt: skip
dirty = st.lists(cells, min_size=5, max_size=8)


class TestNothingVanishes:
    @settings(
        max_examples=25,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(files=st.lists(st.lists(good | dirty, max_size=12), min_size=1, max_size=3), data=st.data())
    def test_delivered_is_accepted_plus_quarantined(
        self, make_intake: Callable[[], Intake], files: list[list[list[str]]], data: st.DataObject
    ) -> None:
        intake = make_intake()
        plain = 0
        for number, rows in enumerate(files):
            out = io.StringIO()
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(LEDGER.strip().split(","))
            writer.writerows(rows)
            encoding = data.draw(st.sampled_from(["utf-8", "gb18030"]))
            intake.put(f"ledger_entry_{number}.csv", out.getvalue().encode(encoding))
            plain += len(rows)
        entry = table(intake.deliver(), "ledger_entry")  # `deliver` checks the equation
        # a broken row that spans lines counts once for each line it covers
        assert entry.delivered >= plain - sum(not any(row) for rows in files for row in rows)
        keys = [row[0] for row in intake.rows("ledger_entry", "entry_id")]
        assert len(keys) == len(set(keys)) == entry.accepted


def test_a_table_larger_than_the_memory_allowed(intake: Intake, tmp_path: Path) -> None:
    rows = 400_000
    settings_file = intake.workspace.path / "mingcha.toml"
    text = settings_file.read_text().replace('memory_limit = "4GiB"', 'memory_limit = "150MiB"')
    settings_file.write_text(text)
    from mingcha.store.workspace import Workspace

    intake.workspace = Workspace.open(intake.workspace.path)
    with (intake.source / "ledger_entry.csv").open("w") as out:
        out.write(LEDGER)
        for number in range(rows):
            out.write(f"E{number:09d},2026-03-05,O{number % 7},cash,debit,{number}.25,bill\n")
        out.write("E000000001,2026-03-05,O1,cash,debit,1.25,bill\n")
    entry = table(intake.deliver(), "ledger_entry")
    assert (entry.delivered, entry.accepted) == (rows + 1, rows)
    assert entry.reasons == {"duplicate_identical": 1}
