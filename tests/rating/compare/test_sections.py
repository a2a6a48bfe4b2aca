"""The steps of the comparison are portable SQL, and say where they fail."""

from __future__ import annotations

import pytest

from mingcha.contract import load as contract
from mingcha.kernel import errors
from mingcha.rating import compare, sections, tables
from mingcha.store import dialect, duck

from .hand import PERIOD, Hand


def test_every_section_translates_to_spark() -> None:
    hand = Hand()
    schema = {
        **contract.lint_schema(),
        **{name: dict(columns) for name, columns in {**tables.BOOK, **tables.KEPT}.items()},
    }
    values = compare.constants(PERIOD)
    translated = 0
    hand.compare()
    for step in compare.STEPS:
        for section in sections.of(step, folder=compare.FOLDER):
            sql = sections.bind(section, values)
            assert dialect.to_spark(sql, schema=schema)
            described = hand.con.execute(f"DESCRIBE {sql}").fetchall()
            schema[section.name] = {str(row[0]): str(row[1]) for row in described}
            translated += 1
    assert translated > 15


def test_the_derived_tables_have_the_columns_of_the_contract() -> None:
    hand = Hand()
    hand.compare()
    for name, table in contract.contract().derived.items():
        described = hand.con.execute(f"DESCRIBE {compare.KEPT}{name}").fetchall()
        assert [str(row[0]) for row in described] == list(table.column_names), name


def test_a_month_that_was_not_rated_cannot_be_compared() -> None:
    with pytest.raises(
        errors.BookError, match=r"rating/compare/lines.sql, section cmp_bill: .*rt_settlement"
    ):
        compare.run(duck.connect(), period=PERIOD)
