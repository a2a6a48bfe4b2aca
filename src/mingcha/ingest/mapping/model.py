"""The shape of a mapping file. Strict: an unknown key is a mistake, not a remark."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from mingcha.ingest.sources import options as opts

OrphanPolicy = Literal["keep", "quarantine"]


def text_of(value: object) -> object:
    """Return a YAML scalar as the text a CSV file would hold; other values unchanged.

    >>> text_of(True), text_of(7), text_of(datetime.date(2026, 3, 1))
    ('true', '7', '2026-03-01')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, int | datetime.date):
        return str(value)
    return value


def _keys_as_text(value: object) -> object:
    if isinstance(value, dict):
        return {"" if key is None else text_of(key): text_of(item) for key, item in value.items()}
    return value


def _as_list(value: object) -> object:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(value)
    return (value,) if isinstance(value, str | dict) else value


def _decimal(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError('a factor stands in quotes, as in "1000"')
    try:
        factor = Decimal(value)
    except ArithmeticError:
        raise ValueError(f"{value!r} is not a number") from None
    exponent = factor.as_tuple().exponent
    if not factor.is_finite() or factor == 0 or not isinstance(exponent, int) or exponent < -9:
        raise ValueError("a factor is a number other than 0 with at most 9 decimals")
    return factor


Filled = Annotated[str, StringConstraints(min_length=1)]
Alias = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Names = Annotated[tuple[Filled, ...], BeforeValidator(_as_list), Field(min_length=1)]
Texts = Annotated[dict[str, str | None], BeforeValidator(_keys_as_text)]


class Strict(BaseModel):
    """Base of every part of a mapping."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class ColumnRule(Strict):
    """Where a column of the contract comes from: exactly one of column, expr, constant."""

    column: Filled | None = Field(default=None, description="source column; of a joined source: alias.column")
    expr: Filled | None = Field(
        default=None, description="scalar SQL expression over the columns of the source and of its joins"
    )
    constant: Annotated[str, BeforeValidator(text_of)] | None = Field(
        default=None, description="the same value for every row"
    )
    values: Texts | None = Field(
        default=None,
        description='source value: contract value; "*" stands for all others, "" for empty, null gives empty',
    )
    factor: Annotated[Decimal, BeforeValidator(_decimal)] | None = Field(
        default=None,
        description='what a number is multiplied by, in quotes: "1000" turns MWh into kWh',
        json_schema_extra={"type": "string"},
    )
    strip: Names | None = Field(
        default=None, description="words behind a number that are taken off, e.g. 元 or kWh"
    )
    date_format: Filled | None = Field(default=None, description="strptime format, e.g. %d/%m/%Y")
    assumed: bool = Field(
        default=False,
        description="the value only fills a column that may not be empty and that nobody delivered: "
        "the column counts as not delivered, and rules that need it do not run",
    )

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        """Read `energy: kwh` as `energy: {column: kwh}`."""
        return {"column": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_origin(self) -> ColumnRule:
        if sum(origin is not None for origin in (self.column, self.expr, self.constant)) != 1:
            raise ValueError("give exactly one of column, expr, constant")
        return self


class Join(Strict):
    """A second source whose columns are looked up for every row; rows without a match keep it empty."""

    source: Names = Field(description="name of the joined file, sheet or table")
    alias: Alias = Field(alias="as", description="short name for its columns: alias.column")
    on: dict[Filled, Filled] = Field(min_length=1, description="source column: column of the joined source")
    many: Literal["refuse", "first"] = Field(
        default="refuse", description="when the joined source has several rows for a key"
    )


class TableRule(Strict):
    """One entry: rows of a source become rows of a table. Several entries may fill one table."""

    source: Names = Field(alias="from", description="file stem, sheet or table; * and ? as in file names")
    to: Filled = Field(description="table of the contract")
    where: Filled | None = Field(
        default=None, description="condition over source columns; others are left out"
    )
    join: Annotated[tuple[Join, ...], BeforeValidator(_as_list)] = ()
    columns: dict[Filled, ColumnRule] = Field(default_factory=dict)
    distinct: bool = Field(
        default=False, description="several source rows may describe one row: equal ones are merged"
    )
    match_names: bool | None = Field(
        default=None, description="also take columns that bear a name or title of the contract"
    )
    orphans: OrphanPolicy | None = Field(
        default=None, description="rows that name a row which was not delivered: keep (default) or quarantine"
    )


class Mapping(Strict):
    """A mapping file."""

    mapping: Literal[1] = Field(description="version of this format")
    title: str | None = None
    source: opts.ReadOptions = Field(
        default_factory=opts.ReadOptions, description="how everything is read unless `files` says otherwise"
    )
    files: dict[Filled, opts.ReadOptions] = Field(
        default_factory=dict, description="how single files, sheets or tables are read, by name pattern"
    )
    match_names: bool = Field(
        default=True, description="also take tables and columns that bear a name or title of the contract"
    )
    orphans: OrphanPolicy | None = None
    tables: Annotated[tuple[TableRule, ...], BeforeValidator(_as_list)] = ()


#: The schema kept in the package; `python -m mingcha.ingest.mapping` writes it.
SCHEMA_FILE = "mapping.schema.json"
#: What holds without a mapping file: names and titles of the contract.
BY_NAME = Mapping(mapping=1)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a mapping file, for editors."""
    schema = Mapping.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Mingcha mapping file"
    definitions = schema["$defs"]
    text = {"type": "string"}
    for owner, name, one in (
        ("TableRule", "from", text),
        ("TableRule", "join", {"$ref": "#/$defs/Join"}),
        ("Join", "source", text),
        ("ColumnRule", "strip", text),
        ("ColumnRule", "constant", {"type": ["number", "boolean"]}),
    ):
        field = definitions[owner]["properties"][name]
        words = {"description": field.pop("description")} if "description" in field else {}
        definitions[owner]["properties"][name] = {**words, "anyOf": [one, *field.pop("anyOf", [field])]}
    rule = {key: value for key, value in definitions["ColumnRule"].items() if key != "title"}
    definitions["ColumnRule"] = {"anyOf": [text, rule], "title": "ColumnRule"}
    return schema


def schema_text() -> str:
    """Return the schema as the text kept in the package."""
    return json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n"
