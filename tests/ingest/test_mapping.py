"""Mapping files: what they can do from end to end, and every mistake they can hold."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from mingcha.ingest.mapping import expressions, model, names, reading
from mingcha.kernel import errors

if TYPE_CHECKING:
    from ingest.conftest import Intake

HEAD = "mapping: 1\n"
LEDGER_COLUMNS = """
      entry_id: 编号
      posted_on: {column: 日期, date_format: "%d/%m/%Y"}
      org_id: {constant: O1}
      account: {column: 科目, values: {银行: bank, 现金: cash, "*": other}}
      side: {constant: debit}
      amount: {column: 万元, factor: "10000", strip: [万, 万元]}
      source: {column: 来源, values: {"": manual, 1: bill, 2: receipt}}
"""


def table(report: Any, name: str) -> Any:
    return next(item for item in report.tables if item.table == name)


class TestColumns:
    def test_renamed_mapped_multiplied_dated_filled(self, intake: Intake) -> None:
        intake.put(
            "流水.csv",
            '编号,日期,科目,万元,来源\nE1,31/12/2025,银行,0.123456,1\nE2,1/1/2026,别的,"1,000",\n'
            "E3,1/1/2026,现金,2 万元,2\nE4,2026-01-01,现金,2,2\n",
        )
        report = intake.deliver(
            mapping=f"{HEAD}tables:\n  - from: 流水\n    to: ledger_entry\n    columns:{LEDGER_COLUMNS}"
        )
        assert intake.rows("ledger_entry", "entry_id, posted_on, org_id, account, side, amount, source") == [
            ("E1", datetime.date(2025, 12, 31), "O1", "bank", "debit", Decimal("1234.56"), "bill"),
            ("E2", datetime.date(2026, 1, 1), "O1", "other", "debit", Decimal("10000000"), "manual"),
            ("E3", datetime.date(2026, 1, 1), "O1", "cash", "debit", Decimal("20000"), "receipt"),
        ]
        assert table(report, "ledger_entry").reasons == {"bad_date": 1}

    def test_an_expression_that_fails_for_a_row_puts_that_row_aside(self, intake: Intake) -> None:
        intake.put("u.csv", "no,n\n1,5\n2,x\n3,\n")
        intake.deliver(
            mapping=HEAD + "tables: [{from: u, to: org_unit, columns: {org_id: {expr: \"'O' || no\"},"
            ' name: {expr: "CAST(CAST(n AS INTEGER) + 1 AS VARCHAR)"}}}]'
        )
        assert intake.rows("org_unit", "org_id, name") == [("O1", "6")]
        assert intake.aside() == [
            ("u.csv", 3, "name", "bad_type", None),
            ("u.csv", 4, "name", "null_not_allowed", None),
        ]

    def test_file_and_line_may_be_used(self, intake: Intake) -> None:
        intake.put("u.csv", "n\na\nb\n")
        intake.deliver(
            mapping=HEAD
            + "tables: [{from: u, to: org_unit, columns: {org_id: {expr: \"_file || ':' || _line\"},"
            " name: n}}]"
        )
        assert intake.rows("org_unit", "org_id") == [("u.csv:2",), ("u.csv:3",)]

    def test_names_of_the_contract_are_matched_unless_told_otherwise(self, intake: Intake) -> None:
        intake.put("u.csv", "no,name,级别\n1,a,city\n")
        entry = "tables: [{from: u, to: org_unit, columns: {org_id: no}"
        from mingcha.contract import load

        title = load.contract().tables["org_unit"].by_name["level"].zh
        intake.put("u.csv", f"no,name,{title}\n1,a,city\n")
        assert table(intake.deliver(mapping=f"{HEAD}{entry}}}]"), "org_unit").columns_not_delivered == (
            "parent_id",
        )
        bare = table(intake.deliver(mapping=f"{HEAD}{entry}, match_names: false}}]"), "org_unit")
        assert bare.columns_not_delivered == ("name", "parent_id", "level")

    def test_words_for_empty_may_be_added(self, intake: Intake) -> None:
        intake.put("org_unit.csv", "org_id,name,parent_id,level\nO1,a,无,city\n")
        report = intake.deliver(mapping=HEAD + "source: {empty_words: [无, '-']}\n")
        assert report.orphans == ()
        assert intake.rows("org_unit", "parent_id") == [(None,)]


class TestTables:
    def test_one_wide_source_fills_several_tables(self, intake: Intake) -> None:
        intake.put(
            "宽表.csv",
            "户,名,单位,单位名,电费1,电费2\nC1,张三,O1,东城,10.00,1.00\nC1,张三,O1,东城,20.00,\nC2,李四,O1,东城,30.00,3.00\n",
        )
        report = intake.deliver(
            mapping=HEAD
            + """
match_names: false
tables:
  - from: 宽表
    to: org_unit
    distinct: true
    columns: {org_id: 单位, name: 单位名, level: {constant: county}}
  - from: 宽表
    to: customer
    distinct: true
    columns: {customer_id: 户, name: 名, org_id: 单位}
  - from: 宽表
    to: bill_line
    columns:
      bill_id: {expr: "'B' || _line"}
      line_no: {constant: 1}
      component: {constant: energy}
      amount: 电费1
  - from: 宽表
    to: bill_line
    where: "电费2 <> ''"
    columns:
      bill_id: {expr: "'B' || _line"}
      line_no: {constant: 2}
      component: {constant: fund}
      amount: 电费2
"""
        )
        units = table(report, "org_unit")
        assert (units.delivered, units.accepted, units.reasons) == (3, 1, {"merged": 2})
        customers = table(report, "customer")
        assert (customers.delivered, customers.accepted, customers.reasons) == (3, 2, {"merged": 1})
        lines = table(report, "bill_line")
        assert (lines.delivered, lines.accepted, lines.filtered) == (5, 5, 1)
        assert intake.rows("bill_line", "bill_id, line_no, amount")[:2] == [
            ("B2", 1, Decimal("10.00")),
            ("B2", 2, Decimal("1.00")),
        ]

    def test_merging_stops_where_rows_differ(self, intake: Intake) -> None:
        intake.put("a.csv", "户,名\nC1,张三\nC1,张三\nC1,章三\nC1,章三\n")
        report = intake.deliver(
            mapping=HEAD + "match_names: false\ntables: [{from: a, to: staff, distinct: true,"
            " columns: {staff_id: 户, name: 名}}]"
        )
        entry = table(report, "staff")
        assert (entry.delivered, entry.accepted) == (4, 1)
        assert entry.reasons == {"merged": 2, "duplicate_key": 1}
        assert intake.aside() == [("a.csv", 4, None, "duplicate_key", "C1 → a.csv:2")]

    def test_several_sources_fill_one_table(self, intake: Intake) -> None:
        intake.put("east.csv", "no,n\n1,a\n2,b\n")
        intake.put("west_1.csv", "no,n,more\n3,c,x\n")
        intake.put("west_2.csv", "no,n,more\n1,d,x\n")
        intake.deliver(
            mapping=HEAD + "tables: [{from: [east, 'WEST*'], to: org_unit, columns: {org_id: no, name: n}}]"
        )
        assert intake.rows("org_unit", "org_id, name") == [("1", "a"), ("2", "b"), ("3", "c")]
        assert intake.aside() == [("west_2.csv", 2, None, "duplicate_key", "1 → east.csv:2")]

    def test_broken_rows_count_once_for_each_table_they_feed(self, intake: Intake) -> None:
        intake.put("a.csv", "户,名\nC1,张三\nC2\n")
        report = intake.deliver(
            mapping=HEAD + "match_names: false\ntables:\n"
            "  - {from: a, to: staff, columns: {staff_id: 户, name: 名}}\n"
            "  - {from: a, to: org_unit, columns: {org_id: 户, name: 名}}\n"
            "  - {from: a, to: org_unit, columns: {org_id: {expr: \"'X' || 户\"}, name: 名}}\n"
        )
        assert (table(report, "staff").delivered, table(report, "staff").accepted) == (2, 1)
        assert (table(report, "org_unit").delivered, table(report, "org_unit").accepted) == (3, 2)

    def test_a_condition_that_cannot_be_decided_puts_the_row_aside(self, intake: Intake) -> None:
        intake.put("a.csv", "户,名,n\nC1,a,1\nC2,b,x\nC3,c,\nC4,d,9\n")
        report = intake.deliver(
            mapping=HEAD
            + "match_names: false\ntables: [{from: a, to: staff, where: 'CAST(n AS INTEGER) < 5',"
            " columns: {staff_id: 户, name: 名}}]"
        )
        entry = table(report, "staff")
        assert (entry.delivered, entry.accepted, entry.filtered) == (2, 1, 2)  # an empty n is not below 5
        assert [row[:4] for row in intake.aside()] == [("a.csv", 3, "(where)", "bad_type")]


class TestJoins:
    BILLS = "票.csv", "票号,户\nE1,C1\nE2, C2\nE3,C9\n"
    UNITS = "户表.csv", "户号,单位\nC1,O1\nC2,O2\nC3,O3\n"

    def mapping(self, more: str = "") -> str:
        return f"""{HEAD}
match_names: false
tables:
  - from: 票
    to: staff
    join: [{{source: 户表, as: c, on: {{户: 户号}}{more}}}]
    columns: {{staff_id: 票号, org_id: c.单位, name: {{expr: "coalesce(c.单位, 'none') || 票号"}}}}
"""

    def test_look_up_a_second_source(self, intake: Intake) -> None:
        intake.put(*self.BILLS)
        intake.put(*self.UNITS)
        report = intake.deliver(mapping=self.mapping())
        assert intake.rows("staff", "staff_id, org_id, name") == [("E1", "O1", "O1E1"), ("E2", "O2", "O2E2")]
        assert table(report, "staff").reasons == {"null_not_allowed": 1}
        assert [file.file for file in report.files] == ["户表.csv", "票.csv"]

    def test_several_rows_for_a_key_are_refused_unless_allowed(self, intake: Intake) -> None:
        intake.put(*self.BILLS)
        intake.put("户表.csv", self.UNITS[1] + "C1 ,O5\n")
        error = intake.refuse(mapping=self.mapping())
        assert "户表.csv has several rows for one 户号, for example C1" in error.what
        assert "many: first" in error.mend
        intake.deliver(mapping=self.mapping(", many: first"))
        assert intake.rows("staff", "org_id")[0] == ("O1",)


class TestReadingOptions:
    def test_of_all_and_of_single_files(self, intake: Intake) -> None:
        intake.put("org_unit.csv", "電費\norg_id|name\nO1|臺北\n".encode("big5"))
        intake.put("staff.csv", "staff_id;name;org_id\nS1;a;O1\n")
        intake.deliver(
            mapping=HEAD + "source: {delimiter: '|', header_line: 2, encoding: big5}\n"
            "files: {staff*: {delimiter: ;, header_line: 1, encoding: utf-8}}\n"
        )
        assert intake.rows("org_unit", "name") == [("臺北",)]
        assert intake.rows("staff", "name") == [("a",)]

    def test_the_date_format_of_all(self, intake: Intake) -> None:
        intake.put("calendar_day.csv", "day,kind\n05.03.2026,holiday\n")
        intake.deliver(mapping=HEAD + "source: {date_format: '%d.%m.%Y'}\n")
        assert intake.rows("calendar_day", "day") == [(datetime.date(2026, 3, 5),)]


class TestMistakes:
    def test_are_listed_all_at_once_with_near_names(self, intake: Intake) -> None:
        intake.put("票.csv", "bill_no,cust,amt\n1,C1,2\n")
        error = intake.refuse(
            mapping=HEAD
            + """
tables:
  - from: 漂
    to: bill
  - from: 票
    to: bil
  - from: 票
    to: staff
    join: [{source: 票, as: m, on: {cust: cust}}, {source: 无, as: c, on: {x: y}}]
    where: "amt"
    columns:
      staff_id: bill_noo
      nam: cust
      org_id: {expr: "read_text('/etc/passwd')"}
      post: {column: cust, values: {a: reader, b: raeder}}
      phone: {expr: "cust + 1 +"}
      left_on: {constant: yesterday}
  - from: 票
    to: bill_line
    columns:
      bill_id: {column: bill_no, factor: "2"}
      component: {expr: "year(cust)"}
      amount: {column: amt, date_format: "%Y"}
"""
        )
        assert isinstance(error, errors.BookError)
        for words in (
            "the source has no 漂; there is 票",
            "no table bil; did you mean bill",
            "the alias m is taken",
            "the source has no 无",
            "where gives VARCHAR",
            "unknown column bill_noo; did you mean bill_no?",
            "staff has no column nam; did you mean name",
            "read_text(), which is not allowed",
            "post does not take the value 'raeder'; did you mean reader?",
            "phone: the expression is not an SQL expression",
            "left_on does not take the value 'yesterday'",
            "bill_id is of type id: factor and strip are for numbers",
            "amount is of type money: date_format is for dates",
            "component: the expression does not fit the columns",
            "nothing gives line_no",
        ):
            assert words in error.what, words
        assert "mistakes:" in error.what

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("mapping: 2\n", "mapping"),
            ("mapping: 1\nsorce: {}\n", "did you mean source?"),
            (
                "mapping: 1\ntables: [{from: a, to: b, columns: {x: {column: a, expr: b}}}]\n",
                "exactly one of",
            ),
            ("mapping: 1\ntables: [{from: a, to: b, columns: {x: {}}}]\n", "exactly one of"),
            ("mapping: 1\ntables: [{to: b}]\n", "from: is missing"),
            ("mapping: 1\ntables: [{from: a, to: b, columns: {x: {column: a, factor: 1.5}}}]\n", "in quotes"),
            (
                "mapping: 1\ntables: [{from: a, to: b, columns: {x: {column: a, factor: '0'}}}]\n",
                "other than 0",
            ),
            ("mapping: 1\ntables: [{from: a, to: b, columns: {x: {colum: a}}}]\n", "did you mean column?"),
            ("mapping: 1\nsource: {encoding: utf-9}\n", "is not an encoding"),
            ("mapping: 1\nsource: {delimiter: ab}\n", "one character"),
            ("mapping: 1\nsource: {timezone: Mars/Base}\n", "not a time zone"),
            ("mapping: 1\nmapping: 1\n", "stands twice"),
            ("mapping: [1\n", "mapping.yaml:"),
            ("- a\n", "mapping"),
        ],
    )
    def test_of_shape(self, intake: Intake, text: str, words: str) -> None:
        intake.put("a.csv", "a\n1\n")
        error = intake.refuse(mapping=text)
        assert isinstance(error, errors.BookError)
        assert words in error.what

    def test_a_mapping_that_is_not_there(self, intake: Intake) -> None:
        with pytest.raises(errors.BookError, match="cannot be read"):
            reading.read(intake.source / "none.yaml")


ROOT = Path(__file__).parents[2]

SCOPE = expressions.Scope(
    main={name: ("m", name) for name in ("a", "户号", "n", "d")},
    joined={"c": {"x": ("c", "X"), "a": ("c", "a")}},
)


class TestExpressions:
    @pytest.mark.parametrize(
        "text",
        ["a || '-' || 户号", "CASE WHEN a = '1' THEN n ELSE 0 END", "TRY_CAST(a AS DECIMAL(18,2)) * 1000",
         "strptime(a, '%d/%m/%Y')", "d - INTERVAL 3 MONTH", "d + INTERVAL (CAST(a AS INTEGER)) MONTH",
         "substr(a, 1, 4)", "lpad(a, 8, '0')", "regexp_extract(a, '([0-9]+)', 1)",
         "md5(concat_ws('-', a, 户号))",
         "a IN ('1', '2') AND n BETWEEN 1 AND 2", "coalesce(nullif(a, ''), x)", "c.x", "a::INTEGER % 7",
         "CAST(date_trunc('month', d) AS DATE)", "a ILIKE '%x%' OR NOT (n IS NULL)", "round(n, 2)"],
    )  # fmt: skip
    def test_over_one_row_are_allowed_and_run(self, text: str) -> None:
        compiled = expressions.compile_expression(text=text, scope=SCOPE)
        assert compiled.mistakes == ()
        con = duckdb.connect()
        con.execute("CREATE TABLE m (a VARCHAR, 户号 VARCHAR, n DECIMAL(18,2), d TIMESTAMP)")
        con.execute('CREATE TABLE c ("X" VARCHAR, a VARCHAR)')
        con.execute(f"SELECT {compiled.sql} FROM m, c")

    @pytest.mark.parametrize(
        "text",
        ["(SELECT 1)", "read_text('/etc/passwd')", "getenv('HOME')", "current_date", "now()", "count(*)",
         "row_number() OVER ()", "a; DROP TABLE m", "a, n", "SELECT a FROM m", "*", "?", ":x", "[1, 2]",
         "{'a': 1}", "a IN (SELECT 1)", "EXISTS (SELECT 1)", "list_transform([1], x -> x)", "CAST(a AS JSON)",
         "random()", "'open", "", "((a", "COLUMNS('a')", "PRAGMA version", "ATTACH 'x'", "a IN n", "m.a",
         "zz.a", "repeat(a, 1000000)", "format('{}', a)", "nextval('x')", "a AS b", "(" * 2000 + "a"],
    )  # fmt: skip
    def test_anything_else_is_a_mistake(self, text: str) -> None:
        assert expressions.compile_expression(text=text, scope=SCOPE).mistakes

    def test_a_column_name_cannot_break_out_of_its_quotes(self) -> None:
        evil = 'x" FROM m; DROP TABLE m; --'
        scope = expressions.Scope(main={evil.lower(): ("m", evil)}, joined={})
        quoted = '"' + evil.replace('"', '""') + '"'
        compiled = expressions.compile_expression(text=f"{quoted} || 'a'", scope=scope)
        assert compiled.mistakes == ()
        con = duckdb.connect()
        con.execute(f"CREATE TABLE m ({quoted} VARCHAR)")
        con.execute("INSERT INTO m VALUES ('q')")
        assert con.execute(f"SELECT {compiled.sql} FROM m").fetchall() == [("qa",)]


class TestNames:
    @pytest.mark.parametrize(
        ("name", "found"),
        [("bill", "bill"), ("BILL", "bill"), ("bill_2026-03", "bill"), ("电费账单", "bill"),
         ("电费账单(2)", "bill"),
         ("reading.part3", "reading"), ("bill_line", "bill_line"), ("bills", None), ("2026", None)],
    )  # fmt: skip
    def test_of_tables(self, name: str, found: str | None) -> None:
        from mingcha.contract import load

        table = names.table_for([name], contract=load.contract())
        assert (table.name if table else None) == found

    def test_of_columns(self) -> None:
        from mingcha.contract import load

        spec = load.contract().tables["daily_energy"]
        title = spec.by_name["import_kwh"].zh
        assert names.columns_for(["USAGE_POINT_ID", f"{title}（kWh）", "x"], table=spec) == {
            "usage_point_id": "USAGE_POINT_ID",
            "import_kwh": f"{title}（kWh）",
        }


def test_the_schema_for_editors_takes_what_the_reader_takes() -> None:
    schema = model.json_schema()
    assert schema["additionalProperties"] is False
    assert {"from", "to", "where", "join", "columns", "distinct", "orphans"} <= set(
        schema["$defs"]["TableRule"]["properties"]
    )
    assert schema["$defs"]["ColumnRule"]["anyOf"][0] == {"type": "string"}
    kept = Path(model.__file__).with_name(model.SCHEMA_FILE).read_text(encoding="utf-8")
    assert kept == model.schema_text(), "run python -m mingcha.ingest.mapping"


@pytest.mark.parametrize("page", ["map-your-data.md", "map-your-data.zh.md"])
def test_the_example_of_the_how_to_is_a_mapping(page: str) -> None:
    text = (ROOT / "docs" / "howto" / page).read_text(encoding="utf-8")
    example = text.split("```yaml\n")[1].split("```")[0].replace("columns: {…}", "columns: {}")
    read = reading.parse(text=example, source=page)
    assert [rule.to for rule in read.tables] == ["reading", "contract"]
    assert read.tables[0].join[0].alias == "m"


def test_the_mappings_that_ship_can_be_read() -> None:
    shipped = sorted((ROOT / "mappings").glob("*.yaml"))
    assert shipped
    for path in shipped:
        assert reading.read(path).tables
