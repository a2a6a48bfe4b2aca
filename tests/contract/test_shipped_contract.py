"""The contract that is shipped: complete in both languages, coherent, executable, fast to read."""

from __future__ import annotations

import re
import time
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from mingcha.contract import ddl, load, model

CONTRACT = load.contract()
TABLES = tuple(CONTRACT.every.values())
COLUMNS = tuple((table, column) for table in TABLES for column in table.columns)
HAN = re.compile(r"[\u4e00-\u9fff]")


def columns_of(kind: str) -> list[str]:
    return [f"{table.name}.{column.name}" for table, column in COLUMNS if column.type == kind]


def test_all_tables_and_columns_of_the_published_contract_are_there() -> None:
    assert len(CONTRACT.tables) == 62
    assert sum(len(table.columns) for table in CONTRACT.tables.values()) == 628
    assert [group for group in CONTRACT.groups if CONTRACT.in_group(group)] == list(model.GROUPS)


def test_derived_tables_stand_apart_from_what_is_delivered() -> None:
    assert set(CONTRACT.derived) == {
        "rerated_bill", "rerated_line", "rerated_gap", "bill_difference", "rerated_feed_in",
        "power_factor_table",
    }  # fmt: skip
    assert set(CONTRACT.derived).isdisjoint(CONTRACT.tables)
    assert all(table.derived and table.group == "derived" for table in CONTRACT.derived.values())
    assert set(load.lint_schema()) == {*CONTRACT.tables, *CONTRACT.derived}
    assert CONTRACT.table("rerated_line") is CONTRACT.derived["rerated_line"]


def test_documented_order_starts_with_the_organisation_and_keeps_groups_together() -> None:
    groups = [table.group for table in TABLES]
    assert groups == sorted(groups, key=model.GROUPS.index)
    assert TABLES[0].name == "org_unit"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_word_of_a_table_stands_in_both_languages(table: model.Table) -> None:
    words = [table.title, table.description]
    words += [column.note for column in table.columns if column.note]
    chinese = [pair.zh for pair in words] + [column.zh for column in table.columns]
    english = [pair.en for pair in words] + [column.en for column in table.columns]
    for column in table.columns:
        chinese += [label.zh for label in column.labels.values()]
        english += [label.en for label in column.labels.values()]
    assert [text for text in chinese if not HAN.search(text)] == []
    assert [text for text in english if HAN.search(text)] == []


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_table_is_created_and_takes_its_own_example_row_in_duckdb(table: model.Table) -> None:
    connection = duckdb.connect()
    connection.execute(ddl.create_table(table=table))
    casts = ", ".join(f"CAST(? AS {column.sql_type})" for column in table.columns)
    name = ddl.quote(table.name)
    connection.execute(f"INSERT INTO {name} SELECT {casts}", [column.example for column in table.columns])
    described = {row[0]: row[1] for row in connection.execute(f"DESCRIBE {name}").fetchall()}
    assert described == {column.name: column.sql_type for column in table.columns}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_empty_relation_has_the_columns_and_types_and_no_row(table: model.Table) -> None:
    relation = duckdb.connect().sql(ddl.empty_relation(table=table))
    assert relation.columns == list(table.column_names)
    assert [str(kind) for kind in relation.types] == [column.sql_type for column in table.columns]
    assert relation.fetchall() == []


def test_created_table_refuses_a_second_row_with_the_same_key_and_a_missing_value() -> None:
    connection = duckdb.connect()
    connection.execute(ddl.create_table(table=CONTRACT.table("staff_customer"), name="linked"))
    connection.execute("INSERT INTO linked VALUES ('S1', 'C1', 'self')")
    with pytest.raises(duckdb.ConstraintException, match="Duplicate key"):
        connection.execute("INSERT INTO linked VALUES ('S1', 'C1', 'family')")
    with pytest.raises(duckdb.ConstraintException, match="NOT NULL"):
        connection.execute("INSERT INTO linked VALUES ('S1', 'C2', NULL)")


def test_examples_of_references_name_rows_the_examples_describe() -> None:
    """A row made of examples joins with the examples of the tables it refers to."""
    examples = {f"{table.name}.{column.name}": column.example for table, column in COLUMNS}
    strays = {
        f"{table.name}.{column.name}"
        for table, column in COLUMNS
        if column.ref and column.example != examples[column.ref]
    }
    # Staff act in different posts, and a predecessor, parent or counterpart is another row of the same table.
    others = {
        name
        for table, column in COLUMNS
        for name in [f"{table.name}.{column.name}"]
        if column.ref == "staff.staff_id" or (column.ref or "").startswith(f"{table.name}.")
    }
    assert strays - others == {"receipt.counterpart_customer_id"}


def test_reading_example_is_arithmetically_right() -> None:
    reading = {column.name: column.example for column in CONTRACT.table("reading").columns}
    energy = (Decimal(reading["end_value"]) - Decimal(reading["start_value"])) * Decimal(
        reading["multiplier"]
    )
    assert energy == Decimal(reading["energy"])
    assert reading["started_on"].startswith(reading["billing_period"])


def test_bill_line_example_is_quantity_times_price_and_makes_the_bill() -> None:
    line = {column.name: column.example for column in CONTRACT.table("bill_line").columns}
    amount = Decimal(line["quantity"]) * Decimal(line["price"])
    assert amount == Decimal(line["amount"]) == Decimal(CONTRACT.table("bill").column("amount").example)


@pytest.mark.parametrize(
    ("name", "kind", "sql_type"),
    [
        ("bill.amount", "money", "DECIMAL(18,2)"),
        ("tariff_price.price", "price", "DECIMAL(18,8)"),
        ("reading.energy", "energy", "DECIMAL(18,4)"),
        ("reading.end_value", "register", "DECIMAL(18,4)"),
        ("reading_change.old_value", "register", "DECIMAL(18,4)"),
        ("archive_change.old_value", "text", "VARCHAR"),
        ("bill_line.quantity", "number", "DECIMAL(18,4)"),
        ("bill_line.line_no", "int", "INTEGER"),
        ("usage_point.multiplier", "ratio", "DECIMAL(18,6)"),
        ("contract.power_factor_standard", "ratio", "DECIMAL(18,6)"),
        ("load_curve.at", "timestamp", "TIMESTAMP"),
        ("prepayment_balance.as_of", "date", "DATE"),
        ("inspection_record.night", "bool", "BOOLEAN"),
        ("inspection_record.inspector_ids", "list", "VARCHAR"),
        ("meter.class_active", "enum", "VARCHAR"),
    ],
)
def test_type_of(name: str, kind: str, sql_type: str) -> None:
    table, column = name.split(".")
    found = CONTRACT.table(table).column(column)
    assert (found.type, found.sql_type) == (kind, sql_type)
    assert load.lint_schema()[table][column] == sql_type


def test_names_tell_the_type() -> None:
    odd = {
        f"{table.name}.{column.name}: {column.type}"
        for table, column in COLUMNS
        for ending, kind in (("_at", "timestamp"), ("_on", "date"), ("_id", "id"), ("_kva", "capacity"))
        if column.name.endswith(ending) and column.type != kind
    }
    assert odd == set()


def test_no_decimal_is_wider_than_eighteen_digits() -> None:
    widths = [int(match) for kind in model.SQL_TYPES.values() for match in re.findall(r"\((\d+),", kind)]
    assert max(widths) == 18


def test_secret_columns_are_identity_numbers_and_bank_accounts() -> None:
    secret = {f"{table.name}.{column.name}" for table, column in COLUMNS if column.privacy == "secret"}
    assert secret == {"customer.id_number", "receipt.payer_account", "pv_settlement.payee_account"}


def test_no_column_with_a_name_phone_or_place_of_a_person_is_open() -> None:
    telling = re.compile(r"(payer|payee|buyer)_name|phone|address|^l(on|at)$|household")
    found = {
        f"{table.name}.{column.name}"
        for table, column in COLUMNS
        if telling.search(column.name) and column.privacy == "none"
    }
    assert found == set()


def test_amounts_energy_and_percentages_are_never_bounded() -> None:
    bounded = {column.type for _, column in COLUMNS if column.min is not None or column.max is not None}
    assert bounded == {"int", "ratio", "number", "degree"}


def test_allowed_numbers_bound_a_column() -> None:
    standard = CONTRACT.table("contract").column("power_factor_standard")
    assert (standard.min, standard.max) == (Decimal("0.80"), Decimal("0.90"))
    assert standard.enum == ()


def test_shared_sets_are_the_same_wherever_they_stand() -> None:
    customer = CONTRACT.table("customer").column("usage_category").labels
    for table, column in (("ticket", "requested_category"), ("usage_point", "category")):
        assert CONTRACT.table(table).column(column).labels == customer


def test_partition_columns() -> None:
    partitions = {
        table.name: (table.partition, table.partition_column) for table in TABLES if table.partition
    }
    assert partitions["reading"] == ("billing_period", "billing_period")
    assert partitions["load_curve"] == ("month(at)", "at")
    assert "bill_line" not in partitions
    assert CONTRACT.table("bill_line").partition_column is None


def test_reading_the_whole_contract_is_quick() -> None:
    """Every file is read on every start of a command; the limit leaves room for a busy machine."""
    load.read(folder=load.FOLDER)
    start = time.process_time()
    load.read(folder=load.FOLDER)
    assert time.process_time() - start < 0.25


def test_contract_is_read_once_per_process() -> None:
    assert load.contract() is load.contract()


def test_first_line_of_every_file_names_the_schema_for_editors() -> None:
    files = sorted(Path(load.FOLDER, "tables").glob("*.yaml"))
    assert len(files) == len(TABLES)
    for file in files:
        first = file.read_text(encoding="utf-8").splitlines()[0]
        assert first == "# yaml-language-server: $schema=../table.schema.json", file.name
