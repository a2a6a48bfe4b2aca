"""Every table of the contract has rows, with its types, keys, closed sets and references in order."""

from __future__ import annotations

import pytest

from mingcha.contract import load, model

from .conftest import Books

TABLES = load.contract().tables


def test_every_table_of_the_contract_has_rows(clean: Books) -> None:
    assert clean.tables == set(TABLES)
    assert [name for name in TABLES if clean.one(f"SELECT count(*) FROM {name}") == 0] == []


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
class TestTable:
    def test_has_the_columns_and_types_of_the_contract(self, clean: Books, table: model.Table) -> None:
        described = clean.rows(f"SELECT column_name, column_type FROM (DESCRIBE {table.name})")
        assert described == [(column.name, column.sql_type) for column in table.columns]

    def test_has_no_key_twice(self, clean: Books, table: model.Table) -> None:
        key = ", ".join(f'"{name}"' for name in table.key)
        assert clean.rows(f"SELECT {key} FROM {table.name} GROUP BY {key} HAVING count(*) > 1 LIMIT 3") == []

    def test_keeps_closed_sets_and_fills_what_must_not_be_null(
        self, clean: Books, table: model.Table
    ) -> None:
        wrong = []
        for column in table.columns:
            if not column.nullable and clean.one(
                f'SELECT count(*) FROM {table.name} WHERE "{column.name}" IS NULL'
            ):
                wrong.append(f"{column.name} is null")
            if column.enum:
                allowed = ", ".join(f"'{value}'" for value in column.enum)
                name = f'"{column.name}"'
                found = clean.rows(
                    f"SELECT DISTINCT {name} FROM {table.name} WHERE {name} NOT IN ({allowed})"
                )
                wrong += [f"{column.name} = {value}" for (value,) in found]
        assert wrong == []

    def test_refers_to_rows_that_are_there(self, clean: Books, table: model.Table) -> None:
        lost = {}
        for column in table.columns:
            if column.ref is None:
                continue
            there, key = column.ref.split(".")
            count = clean.one(
                f'SELECT count(*) FROM {table.name} t WHERE t."{column.name}" IS NOT NULL '
                f'AND NOT EXISTS (SELECT 1 FROM {there} r WHERE r."{key}" = t."{column.name}")'
            )
            if count:
                lost[column.name] = count
        assert lost == {}


def test_the_planted_utility_fits_too(planted: Books) -> None:
    for table in TABLES.values():
        described = planted.rows(f"SELECT column_name, column_type FROM (DESCRIBE {table.name})")
        assert described == [(column.name, column.sql_type) for column in table.columns]
        key = ", ".join(f'"{name}"' for name in table.key)
        assert (
            planted.rows(f"SELECT {key} FROM {table.name} GROUP BY {key} HAVING count(*) > 1 LIMIT 3") == []
        )
