"""What a query gives: the columns every finding has, then the evidence, each of the right type."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mingcha.rules import graph, model
from mingcha.rules.bench import Bench

FIXED: tuple[tuple[str, str], ...] = (
    ("subject_id", "VARCHAR"),
    ("customer_id", "VARCHAR"),
    ("org_id", "VARCHAR"),
    ("period_start", "DATE"),
    ("period_end", "DATE"),
    ("exit", "VARCHAR"),
    ("band", "VARCHAR"),
    ("reason", "VARCHAR"),
    ("energy_kwh", "DECIMAL(18,4)"),
    ("back_cny", "DECIMAL(18,2)"),
    ("penalty_cny", "DECIMAL(18,2)"),
    ("refund_cny", "DECIMAL(18,2)"),
    ("exposed_cny", "DECIMAL(18,2)"),
)
# A bare NULL is the plainest way to say "not estimated"; the engine gives it its type.
MAY_BE_BARE = ("customer_id", "org_id", "band", "energy_kwh", *model.MONEY)
BARE = '"NULL"'
INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")

Complaint = tuple[str, str]


def described(*, bench: Bench, sql: str, source: str) -> dict[str, str]:
    """Return {column: DuckDB type} of a query over empty tables; raises BookError when DuckDB refuses it."""
    rows = bench.rows(f"DESCRIBE {sql}", source)
    return {str(row["column_name"]): str(row["column_type"]) for row in rows}


def complaints(*, sheet: model.RuleSheet, given: dict[str, str]) -> Iterator[Complaint]:
    """Yield what is wrong with a rule's output columns `given`, and how to mend it."""
    wanted = [*FIXED, *((column.name, _family(column.type)) for column in sheet.evidence)]
    names = [name for name, _ in wanted]
    missing = [name for name in names if name not in given]
    surplus = [name for name in given if name not in names]
    if missing:
        yield f"does not give {', '.join(missing)}", "select every output column and every evidence column"
    if surplus:
        yield (
            f"gives {', '.join(surplus)}, which nobody asked for",
            "declare them under evidence, or drop them",
        )
    if not missing and not surplus and list(given) != names:
        yield "gives its columns in another order", f"order them: {', '.join(names)}"
    for name, kind in wanted:
        bare = name in MAY_BE_BARE and given.get(name) == BARE
        if name in given and not bare and not fits(kind, given[name]):
            yield f"column {name} is {given[name]}, not {kind}", f"write CAST(… AS {_cast(kind)}) AS {name}"


def relation_complaints(*, sheet: model.RelationSheet, given: dict[str, str]) -> Iterator[Complaint]:
    """Yield what is wrong with a relation's output columns, and how to mend it."""
    declared = [column.name for column in sheet.columns]
    if list(given) != declared:
        yield f"gives {', '.join(given)} but declares {', '.join(declared)}", "make both lists the same"
    for column in sheet.columns:
        kind = graph.sql_type(column.type)
        exact = kind if column.type != "decimal" else "DECIMAL"
        if column.name in given and not fits(exact, given[column.name]):
            yield f"column {column.name} is {given[column.name]}, not {kind}", f"write CAST(… AS {kind})"


def fits(wanted: str, given: str) -> bool:
    """Return whether a DuckDB type is the one wanted; `DECIMAL` alone means any of at most 18 digits."""
    if wanted == "INTEGER":
        return given in INTEGERS
    if wanted == "DECIMAL":
        match = _DECIMAL.fullmatch(given)
        return bool(match) and int(match.group(1)) <= 18 if match else False
    return wanted == given


def _family(kind: str) -> str:
    return model.SQL_FAMILY[kind]


def _cast(kind: str) -> str:
    return "DECIMAL(18, 6)" if kind == "DECIMAL" else kind
