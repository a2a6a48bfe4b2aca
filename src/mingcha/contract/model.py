"""The shape of the data contract: tables, columns, types and what they mean.

Everything here is immutable and checked on reading. The files say what a utility may deliver; readers, SQL
types, templates, documentation and the schema that queries are linted against all follow from them.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

LogicalType = Literal[
    "id", "text", "enum", "list", "bool", "int", "date", "timestamp", "billing_period", "money", "price",
    "energy", "register", "power", "capacity", "voltage", "current", "ratio", "percent", "degree", "number",
]  # fmt: skip
Privacy = Literal["none", "personal", "secret"]
Group = Literal[
    "organisation", "network", "customer", "tariff", "metering", "reading", "billing", "process", "derived",
]  # fmt: skip
Language = Literal["zh", "en"]

GROUPS: tuple[Group, ...] = get_args(Group)
#: The group of the tables that are calculated and never delivered.
DERIVED: Group = "derived"

#: How each logical type is kept. Wide enough for a province, never wider than 18 digits: DuckDB compares
#: wider decimals eight times slower.
SQL_TYPES: dict[str, str] = {
    "id": "VARCHAR",
    "text": "VARCHAR",
    "enum": "VARCHAR",
    "list": "VARCHAR",
    "bool": "BOOLEAN",
    "int": "INTEGER",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "billing_period": "VARCHAR",
    "money": "DECIMAL(18,2)",
    "price": "DECIMAL(18,8)",
    "energy": "DECIMAL(18,4)",
    "register": "DECIMAL(18,4)",
    "power": "DECIMAL(18,4)",
    "capacity": "DECIMAL(18,4)",
    "voltage": "DECIMAL(12,4)",
    "current": "DECIMAL(12,4)",
    "ratio": "DECIMAL(18,6)",
    "percent": "DECIMAL(9,4)",
    "degree": "DECIMAL(9,6)",
    "number": "DECIMAL(18,4)",
}
#: Types whose numbers mean nothing without a unit.
MEASURED = frozenset(
    {"money", "price", "energy", "power", "capacity", "voltage", "current", "percent", "degree"}
)
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")


def _quoted_decimal(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError('a number stands in quotes, as in "0.5"')
    try:
        return Decimal(value)
    except ArithmeticError as error:
        raise ValueError(f"{value!r} is not a number") from error


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


NAME_PATTERN = r"^[a-z][a-z0-9_]*$"
FILLED_PATTERN = r"^\S(.*\S)?$"
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
Filled = Annotated[str, StringConstraints(pattern=FILLED_PATTERN)]
Quoted = Annotated[
    Decimal,
    BeforeValidator(_quoted_decimal),
    WithJsonSchema({"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}),
]


class Strict(BaseModel):
    """Base of every part of the contract: immutable, no conversion, no unknown key."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class Words(Strict):
    """One meaning in both languages."""

    zh: Filled
    en: Filled

    def say(self, language: Language) -> str:
        """Return the words in `language`."""
        return self.zh if language == "zh" else self.en


#: What a value of each logical type is, for the reference.
TYPE_WORDS: dict[str, Words] = {
    name: Words(zh=zh, en=en)
    for name, zh, en in (
        ("id", "编号，按文本保存，前导零有效", "an identifier, kept as text; leading zeros count"),
        ("text", "文本", "free text"),
        ("enum", "封闭的取值集合", "one of a closed set of values"),
        ("list", "以逗号分隔的多个值", "several values separated by commas"),
        ("bool", "true 或 false", "true or false"),
        ("int", "整数", "a whole number"),
        ("date", "日期，YYYY-MM-DD", "a day, YYYY-MM-DD"),
        ("timestamp", "当地时间，YYYY-MM-DD hh:mm:ss", "local time, YYYY-MM-DD hh:mm:ss"),
        ("billing_period", "电费年月，YYYY-MM", "a billing month, YYYY-MM"),
        ("money", "金额，精确到分", "an amount, to the cent"),
        ("price", "单价", "a price per unit"),
        ("energy", "电量", "active or reactive energy"),
        ("register", "表计示数，未乘倍率", "a raw index of a meter, not multiplied"),
        ("power", "功率", "active or reactive power"),
        ("capacity", "容量", "apparent or installed capacity"),
        ("voltage", "电压", "voltage"),
        ("current", "电流", "current"),
        ("ratio", "倍率、系数和比例", "a multiplier, factor or share"),
        ("percent", "百分数，5 表示 5%", "per cent; 5 means 5 %"),
        ("degree", "经纬度", "degrees of longitude or latitude"),
        ("number", "单位另列说明的数值", "a number whose unit is said with the column"),
    )
}


class Column(Strict):
    """One column: its type, whether it may be null, what it means and how sensitive it is."""

    name: Name
    type: LogicalType
    nullable: bool = Field(description="whether the value may be missing")
    zh: Filled = Field(description="title in Chinese; also accepted as a header")
    en: Filled = Field(description="title in English")
    note: Words | None = Field(default=None, description="what the title does not say")
    unit: Filled | None = None
    labels: dict[str, Words] = Field(
        default_factory=dict, alias="enum", description="the closed set of values, each with its words"
    )
    allowed: Annotated[tuple[Quoted, ...], BeforeValidator(_tuple)] = Field(
        default=(), description="the closed set of a number"
    )
    lower: Quoted | None = Field(default=None, alias="min", description="smallest plausible value")
    upper: Quoted | None = Field(default=None, alias="max", description="largest plausible value")
    privacy: Privacy = "none"
    ref: str | None = Field(default=None, description="table.column whose value this repeats")
    example: Filled = Field(description="a valid neutral value, written as in a CSV file")

    @property
    def enum(self) -> tuple[str, ...]:
        """The closed set of values of an enum column; empty for other types."""
        return tuple(self.labels)

    @property
    def sql_type(self) -> str:
        """The DuckDB type the column is kept in."""
        return SQL_TYPES[self.type]

    @property
    def scale(self) -> int | None:
        """Digits behind the decimal point, None for a type that is not decimal."""
        match = _DECIMAL.match(self.sql_type)
        return int(match.group(2)) if match else None

    @property
    def min(self) -> Decimal | None:
        """The smallest plausible value, inclusive; a value below it quarantines the row."""
        return min(self.allowed) if self.allowed else self.lower

    @property
    def max(self) -> Decimal | None:
        """The largest plausible value, inclusive; a value above it quarantines the row."""
        return max(self.allowed) if self.allowed else self.upper

    def title(self, language: Language) -> str:
        """Return the title in `language`."""
        return self.zh if language == "zh" else self.en


class Storage(Strict):
    """How a table lies on disk: its partition expression and the order inside a file."""

    partition: str | None = Field(
        description="null, a billing_period column, or month(<date or timestamp column>)"
    )
    sort: Annotated[tuple[Name, ...], BeforeValidator(_tuple)] = Field(min_length=1)


class Table(Strict):
    """One table of the contract."""

    name: Name = Field(alias="table")
    group: Group
    derived: bool = Field(default=False, description="calculated from the others, never delivered")
    title: Words
    description: Words
    storage: Storage
    key: Annotated[tuple[Name, ...], BeforeValidator(_tuple)] = Field(min_length=1)
    columns: Annotated[tuple[Column, ...], BeforeValidator(_tuple)] = Field(min_length=1)

    @property
    def partition(self) -> str | None:
        """The partition expression: None, a column holding YYYY-MM, or `month(<column>)`."""
        return self.storage.partition

    @property
    def partition_column(self) -> str | None:
        """The column the partition is made of, None for a table kept whole."""
        if self.partition is None:
            return None
        return self.partition.removeprefix("month(").removesuffix(")")

    @property
    def sort(self) -> tuple[str, ...]:
        """The columns rows are ordered by inside a file."""
        return self.storage.sort

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """The columns by name, in the order of the contract."""
        return {column.name: column for column in self.columns}

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of the columns, in the order of the contract."""
        return tuple(self.by_name)

    def column(self, name: str) -> Column:
        """Return the column `name`; KeyError when there is none."""
        return self.by_name[name]


class GroupEntry(Words):
    """A group of tables, in the order they are documented."""

    tables: Annotated[tuple[Name, ...], BeforeValidator(_tuple)] = Field(min_length=1)


class Frame(Strict):
    """`contract.yaml`: the version, the groups, and the enumerations several columns share."""

    contract: int = Field(ge=1, description="version of the contract")
    groups: dict[Group, GroupEntry]
    enumerations: dict[Name, dict[str, Words]] = Field(default_factory=dict)


class Contract(Strict):
    """All tables of the contract, by name, in the order they are documented.

    `tables` are those a utility delivers; `derived` are calculated from them, and readable like them.
    """

    version: int
    groups: dict[Group, GroupEntry]
    tables: dict[str, Table]
    derived: dict[str, Table] = Field(default_factory=dict)

    @cached_property
    def every(self) -> dict[str, Table]:
        """The delivered and the derived tables: what a query may read."""
        return {**self.tables, **self.derived}

    def table(self, name: str) -> Table:
        """Return the table `name`, delivered or derived; KeyError when there is none."""
        return self.every[name]

    def in_group(self, group: Group) -> tuple[Table, ...]:
        """Return the tables of a group, in the order they are documented."""
        return tuple(table for table in self.every.values() if table.group == group)
