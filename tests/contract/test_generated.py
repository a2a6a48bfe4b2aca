"""What is generated from the contract: templates, reference pages, the schema for editors."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from pathlib import Path

import pytest
import python_calamine

from mingcha.contract import __main__ as generate
from mingcha.contract import load, model, reference, schema, templates

CONTRACT = load.contract()
TABLES = tuple(CONTRACT.tables.values())
DOCS = Path(__file__).parents[2] / "docs" / "reference"
AGAIN = "run `python -m mingcha.contract` in the checkout"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_csv_template_reads_back_as_the_columns(table: model.Table) -> None:
    rows = list(csv.reader(io.StringIO(templates.csv_template(table=table))))
    assert rows == [list(table.column_names)]


def test_csv_template_with_chinese_titles() -> None:
    text = templates.csv_template(table=CONTRACT.table("staff_customer"), header="zh")
    assert text == "人员编号,户号,关联关系\r\n"


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("templates") / "contract.xlsx"
    templates.excel_template(path=path, tables=TABLES)
    return path


def test_excel_template_has_a_sheet_per_table_with_only_the_header(workbook: Path) -> None:
    book = python_calamine.CalamineWorkbook.from_path(workbook)
    shown = [
        sheet.name
        for sheet in book.sheets_metadata
        if sheet.visible == python_calamine.SheetVisibleEnum.Visible
    ]
    assert shown == list(CONTRACT.tables)
    for table in TABLES:
        assert book.get_sheet_by_name(table.name).to_python() == [list(table.column_names)]


def test_excel_template_offers_every_closed_set(workbook: Path) -> None:
    lists = python_calamine.CalamineWorkbook.from_path(workbook).get_sheet_by_name("_lists")
    columns = {
        tuple(str(value) for value in column if value) for column in zip(*lists.to_python(), strict=True)
    }
    sheets = _parts(workbook, r"xl/worksheets/sheet(\d+)\.xml")
    for number, table in enumerate(TABLES, start=1):
        offered = re.findall(r"<formula1>(.*?)</formula1>", sheets[str(number)])
        closed = [
            column for column in table.columns if column.enum or column.allowed or column.type == "bool"
        ]
        assert len(offered) == len(closed), table.name
        for column, formula in zip(closed, offered, strict=True):
            if column.enum and formula.startswith("_lists"):
                assert column.enum in columns
            elif column.enum:
                assert formula == f'"{",".join(column.enum)}"'


def test_excel_header_explains_its_column_in_both_languages(workbook: Path) -> None:
    reading = list(CONTRACT.tables).index("reading") + 1
    comments = _parts(workbook, r"xl/comments(\d+)\.xml")[str(reading)]
    assert "示数类型 / Register" in comments
    assert "demand = 最大需量 / Maximum demand" in comments
    assert "必填 / required" in comments


def test_excel_template_is_the_same_whenever_it_is_made(workbook: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.xlsx"
    templates.excel_template(path=again, tables=TABLES)
    assert again.read_bytes() == workbook.read_bytes()


def test_excel_template_with_chinese_titles(tmp_path: Path) -> None:
    path = tmp_path / "zh.xlsx"
    templates.excel_template(path=path, tables=[CONTRACT.table("bus")], header="zh")
    book = python_calamine.CalamineWorkbook.from_path(path)
    assert book.get_sheet_by_name("bus").to_python() == [["母线编号", "变电站编号", "母线电压"]]


def _parts(workbook: Path, pattern: str) -> dict[str, str]:
    found = {}
    with zipfile.ZipFile(workbook) as archive:
        for name in archive.namelist():
            match = re.fullmatch(pattern, name)
            if match:
                found[match.group(1)] = archive.read(name).decode("utf-8")
    return found


@pytest.mark.parametrize("name", sorted(reference.pages()))
def test_reference_on_disk_is_what_the_contract_generates(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == reference.pages()[name], AGAIN


def test_schema_in_the_package_is_what_the_models_generate() -> None:
    assert (load.FOLDER / schema.FILE_NAME).read_text(encoding="utf-8") == schema.text(), AGAIN


def test_generating_again_writes_the_pages(tmp_path: Path) -> None:
    generate.write(docs=tmp_path / "reference")
    assert sorted(path.name for path in (tmp_path / "reference").iterdir()) == [
        "contract.md",
        "contract.zh.md",
    ]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_link_of_the_index_has_its_heading(language: model.Language) -> None:
    page = reference.page(language=language)
    links = re.findall(r"\]\(#([^)]+)\)", page)
    titles = [line[4:].lower() for line in page.splitlines() if line.startswith("### ")]
    headings = [re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles]
    assert len(links) == len(CONTRACT.every)
    assert links == headings


def test_section_of_a_table_says_everything_about_a_column() -> None:
    section = reference.markdown(table=CONTRACT.table("contract"), language="en")
    assert "### `contract` Contract" in section
    assert (
        "Key: `contract_id`, `effective_from`. Kept as a whole, sorted by `contract_id`, `effective_from`."
        in section
    )
    assert "| `customer_id` | Customer ID | id |  | refers to `customer.customer_id` | `C0001` |" in section
    assert "| ratio | yes | one of `0.80`, `0.85`, `0.90` | `0.85` |" in section
    assert "`demand_contract` By contracted demand" in section


def test_every_type_is_explained() -> None:
    assert list(model.TYPE_WORDS) == list(model.SQL_TYPES)


def test_document_is_plain_json_with_everything_about_a_column() -> None:
    document = reference.document(tables=[CONTRACT.table("usage_point")])
    assert json.loads(json.dumps(document)) == document
    (table,) = document["tables"]
    assert table["key"] == ["usage_point_id", "effective_from"]
    found = {column["name"]: column for column in table["columns"]}
    assert found["multiplier"]["sql_type"] == "DECIMAL(18,6)"
    assert found["multiplier"]["min"] == "0.000001"
    assert found["loss_billed"]["enum"]["none"] == {"zh": "不计损耗", "en": "None"}
    assert found["tariff_id"]["ref"] == "tariff.tariff_id"


def test_chinese_section_has_chinese_units_and_privacy() -> None:
    bill = reference.markdown(table=CONTRACT.table("bill"), language="zh")
    assert "| `amount` | 应收金额 | money (元) |" in bill
    customer = reference.markdown(table=CONTRACT.table("customer"), language="zh")
    assert "居民身份证号或统一社会信用代码；敏感信息" in customer


def test_schema_demands_what_the_loader_demands() -> None:
    found = schema.json_schema()
    assert found["additionalProperties"] is False
    assert set(found["required"]) == {"table", "group", "title", "description", "storage", "key", "columns"}
    column = found["$defs"]["Column"]
    assert set(column["required"]) == {"name", "type", "nullable", "zh", "en", "example"}
    assert column["properties"]["min"]["anyOf"][0]["type"] == "string"
    assert {part["type"] for part in column["properties"]["enum"]["anyOf"]} == {"object", "string"}
    assert json.loads(schema.text()) == found
