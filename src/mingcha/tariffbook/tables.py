"""The tariff book as flat tables `tb_*`, the only form in which prices are read by calculations.

Identifiers of programmes and tiers are qualified `book/id`. Days are half-open, hours are minutes
since midnight, prices are per `unit` with eight decimals.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from mingcha.tariffbook import facts, model
from mingcha.tariffbook.load import Books

if TYPE_CHECKING:
    import duckdb

_DAYS = {"in_force_from": "DATE", "in_force_to": "DATE"}
_CITED = {"document": "VARCHAR", "clause": "VARCHAR", "evidence": "VARCHAR"}
#: {table: {column: DuckDB type}}, columns in order.
COLUMNS: dict[str, dict[str, str]] = {
    "tb_tariff": {
        "tariff_code": "VARCHAR", "book": "VARCHAR", "currency": "VARCHAR", "title_zh": "VARCHAR",
        "title_en": "VARCHAR", **_DAYS, "usage_category": "VARCHAR", "parts": "VARCHAR",
        "voltage_kv_from": "DECIMAL(12,4)", "voltage_kv_to": "DECIMAL(12,4)", "programme_id": "VARCHAR",
        "tier_id": "VARCHAR", "tier_basis": "VARCHAR", "tier_measure": "VARCHAR", "pf_base": "VARCHAR",
        "entitlement": "VARCHAR", "price_basis": "VARCHAR",
    },
    "tb_price": {
        "tariff_code": "VARCHAR", "component": "VARCHAR", "item": "VARCHAR", "period": "VARCHAR",
        "tier": "INTEGER", **_DAYS, "known_on": "DATE", "price": "DECIMAL(18,8)", "unit": "VARCHAR", **_CITED,
    },
    "tb_tier": {
        "tier_id": "VARCHAR", "period": "VARCHAR", "tier": "INTEGER", "moy": "INTEGER",
        "upto_kwh": "DECIMAL(18,4)", **_DAYS, "members": "INTEGER", "member_kwh": "DECIMAL(18,4)",
    },
    "tb_programme": {
        "programme_id": "VARCHAR", "moy": "INTEGER", "day_kind": "VARCHAR", "minute_from": "INTEGER",
        "minute_to": "INTEGER", "period": "VARCHAR", **_DAYS,
    },
    "tb_demand_programme": {"tariff_code": "VARCHAR", "programme_id": "VARCHAR"},
    "tb_parameter": {
        "book": "VARCHAR", "name": "VARCHAR", "value": "VARCHAR", "number": "DECIMAL(18,8)",
        "unit": "VARCHAR", **_DAYS, **_CITED,
    },
    "tb_pf": {
        "standard": "DECIMAL(4,2)", "pf": "DECIMAL(4,2)", "pct": "DECIMAL(9,4)", **_DAYS,
        "document": "VARCHAR", "evidence": "VARCHAR",
    },
    "tb_transformer": {
        "series": "VARCHAR", "capacity_kva": "DECIMAL(18,4)", "no_load_loss_kw": "DECIMAL(18,4)",
        "load_loss_kw": "DECIMAL(18,4)", "no_load_current_pct": "DECIMAL(18,4)",
        "impedance_pct": "DECIMAL(18,4)", "document": "VARCHAR", "evidence": "VARCHAR",
    },
    "tb_code": {"tariff_id": "VARCHAR", "tariff_code": "VARCHAR"},
}  # fmt: skip
#: Counted up when the same books give other tables.
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Table:
    """A table as rows in the order of its columns; `columns` gives each its DuckDB type."""

    columns: dict[str, str]
    rows: list[tuple[Any, ...]]


def rows(books: Books, *, codes: Iterable[tuple[str, str]] = ()) -> dict[str, Table]:
    """Return all tables of the books by name; `codes` are (utility's tariff id, tariff code) pairs."""
    made: dict[str, Iterator[tuple[Any, ...]]] = {
        "tb_tariff": (row for book in books for row in _tariffs(books, book)),
        "tb_price": (row for code in books.codes for row in _prices(books, code)),
        "tb_tier": (row for book in books for row in _ladders(book)),
        "tb_programme": (row for book in books for row in _programmes(book)),
        "tb_demand_programme": (
            (tariff.code, _qualified(book, name))
            for book in books
            for tariff in book.tariffs
            for name in tariff.demand_programmes
        ),
        "tb_parameter": (row for book in books for row in _parameters(books, book)),
        "tb_pf": (row for book in books for row in _power_factors(book)),
        "tb_transformer": (row for book in books for row in _transformers(book)),
        "tb_code": iter(sorted(set(codes))),
    }
    return {name: Table(columns=COLUMNS[name], rows=list(found)) for name, found in made.items()}


def install(con: duckdb.DuckDBPyConnection, books: Books, *, codes: Iterable[tuple[str, str]] = ()) -> None:
    """Make the `tb_*` tables of the books in a DuckDB connection, in place of any that are there."""
    create(con, rows(books, codes=codes))


def create(con: duckdb.DuckDBPyConnection, tables: Mapping[str, Table]) -> None:
    """Make tables, given by name, in a DuckDB connection, in place of any that are there."""
    import pyarrow as pa

    for name, table in tables.items():
        arrays = [
            pa.array([row[place] for row in table.rows], type=_arrow_type(kind))
            for place, kind in enumerate(table.columns.values())
        ]
        con.register("tb_coming", pa.table(arrays, names=list(table.columns)))
        casts = ", ".join(f"CAST({column} AS {kind}) AS {column}" for column, kind in table.columns.items())
        con.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT {casts} FROM tb_coming")
        con.unregister("tb_coming")


def _arrow_type(kind: str) -> Any:
    import pyarrow as pa

    digits = re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", kind)
    if digits is not None:
        return pa.decimal128(int(digits[1]), int(digits[2]))
    return {"VARCHAR": pa.string(), "DATE": pa.date32(), "INTEGER": pa.int32()}[kind]


def digest(books: Books) -> str:
    """Return a hash of everything the tables of the books hold: other prices, another digest."""
    told = hashlib.sha256(f"format {_FORMAT}\n".encode())
    for name, table in rows(books).items():
        told.update(f"{name}\n".encode())
        for row in sorted(repr(row) for row in table.rows):
            told.update(row.encode() + b"\n")
    return told.hexdigest()


def match(
    books: Books, *, tariffs: Iterable[tuple[str, str | None]], listed: Iterable[tuple[str, str]] = ()
) -> list[tuple[str, str]]:
    """Return (utility's tariff id, tariff code) pairs: those listed, then those that follow by themselves.

    `tariffs` are (tariff id, document) as the utility holds them. A tariff follows by itself when its
    document is one of a book and that book knows the id (`known_as`). An id that several books know
    under its document follows none: which province is meant is not guessed.
    """
    pairs = set(listed)
    decided = {tariff_id for tariff_id, _ in pairs}
    numbers = [(number, book) for book in books for number in _numbers(book)]
    candidates: dict[str, dict[str, list[str]]] = {}
    for tariff_id, document in tariffs:
        text = plain(document or "")
        for number, book in numbers:
            if tariff_id not in decided and text.startswith(number):
                known = [tariff.code for tariff in book.tariffs if tariff_id in tariff.known_as]
                if known:
                    candidates.setdefault(tariff_id, {})[book.book] = known
    for tariff_id, by_book in candidates.items():
        if len(by_book) == 1:
            pairs |= {(tariff_id, code) for known in by_book.values() for code in known}
    return sorted(pairs)


def plain(number: str) -> str:
    """Return the number of a document as compared: no spaces, one kind of bracket, one width.

    >>> plain("发改价格（2026） 1077号") == plain("发改价格〔2026〕1077号")
    True
    """
    text = re.sub(r"\s+", "", unicodedata.normalize("NFKC", number))
    return re.sub(r"[〔〕【】\[\]()]", "|", text)


def _numbers(book: model.Book) -> set[str]:
    return {plain(document.number) for document in book.documents}


def _tariffs(books: Books, book: model.Book) -> Iterator[tuple[Any, ...]]:
    for tariff in book.tariffs:
        steps = facts.ladder(books.books, book, tariff.tiers) if tariff.tiers is not None else None
        ladder = steps.entries[0] if steps else None
        base = tariff.power_factor_base
        for category in dict.fromkeys(tariff.usage_categories):
            yield (
                tariff.code, book.book, book.currency, tariff.title.zh, tariff.title.en,
                tariff.in_force_from, tariff.in_force_to, category, tariff.parts, *tariff.voltage_kv,
                _qualified(book, tariff.programme), _qualified(book, tariff.tiers),
                ladder.basis if ladder else None, ladder.measure if ladder else None,
                None if base is None else ",".join(base), tariff.entitlement, tariff.price_basis,
            )  # fmt: skip


def _qualified(book: model.Book, name: str | None) -> str | None:
    return name if name is None or "/" in name else f"{book.book}/{name}"


def _prices(books: Books, code: str) -> Iterator[tuple[Any, ...]]:
    for price in books.prices(code):
        yield (
            code, price.component, price.item, price.period, price.tier, price.in_force_from,
            price.in_force_to, price.known_on, price.price, price.unit, price.document.number,
            price.clause, price.evidence,
        )  # fmt: skip


def _ladders(book: model.Book) -> Iterator[tuple[Any, ...]]:
    for ladder in book.tiers:
        for entry in ladder.entries:
            members, more = _household(entry.household)
            for limit in entry.limits:
                months: Sequence[int] = (0,) if entry.basis == "annual" else limit.months
                for month in months:
                    for tier, upto in enumerate((*limit.upto, None), start=1):
                        yield (
                            f"{book.book}/{ladder.id}", limit.period, tier, month, upto,
                            entry.in_force_from, entry.in_force_to, members, more,
                        )  # fmt: skip


def _household(household: model.Household | None) -> tuple[int | None, Decimal | None]:
    """Return the number of members and the kWh added per month."""
    if household is None:
        return None, None
    months = 12 if household.per == "year" else 1
    return household.members, (household.add_kwh / months).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def _programmes(book: model.Book) -> Iterator[tuple[Any, ...]]:
    for programme in book.programmes:
        for entry in programme.entries:
            for season in entry.seasons:
                for month in season.months:
                    for period, start, end in entry.spans(season):
                        yield (
                            f"{book.book}/{programme.id}", month, season.days, start, end, period,
                            entry.in_force_from, entry.in_force_to,
                        )  # fmt: skip


def _parameters(books: Books, book: model.Book) -> Iterator[tuple[Any, ...]]:
    for parameter in book.parameters:
        for fact in books.parameter_versions(parameter.name, book=book.book):
            yield (
                fact.book, fact.name, fact.value, facts.as_number(fact.value), fact.unit,
                fact.in_force_from, fact.in_force_to, fact.document.number, fact.clause, fact.evidence,
            )  # fmt: skip


def _power_factors(book: model.Book) -> Iterator[tuple[Any, ...]]:
    table = book.power_factor
    if table is None:
        return
    document, grade = _cited(book, table.document, table.evidence)
    for entry in table.entries:
        for standard, steps in entry.standards.items():
            for factor, pct in steps:
                days: tuple[date, date | None] = (entry.in_force_from, entry.in_force_to)
                yield Decimal(standard), factor, pct, *days, document, grade


def _transformers(book: model.Book) -> Iterator[tuple[Any, ...]]:
    table = book.transformers
    if table is None:
        return
    cited = _cited(book, table.document, table.evidence)
    for row in table.rows:
        yield (*row, *cited)


def _cited(book: model.Book, document_id: str, evidence: str | None) -> tuple[str, str]:
    document = book.document(document_id)
    return document.number, evidence or document.evidence
