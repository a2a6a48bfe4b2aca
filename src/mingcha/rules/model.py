"""What stands in a rule folder, as strict typed records: nothing unknown is read past."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

import pydantic

AREAS = {
    "connection": "CON",
    "metering": "MET",
    "reading": "REA",
    "pricing": "PRI",
    "collection": "COL",
    "usage": "USE",
    "losses": "LOS",
    "service": "SRV",
    "control": "CTL",
    "data": "DAT",
}
SUBJECTS = (
    "customer", "point", "meter", "it", "transformer", "district", "feeder", "bus", "org", "contract",
    "reading", "bill", "adjustment", "receipt", "ticket", "tariff", "outage", "inspection", "case",
    "staff", "terminal", "table",
)  # fmt: skip
EXCLUSIONS = ("out", "chg", "new", "gen", "hol", "fix", "ent", "src", "up")
EXITS = ("hit", "insufficient_data", "mapping_suspect", "not_applicable")
BANDS = ("watch", "order", "urgent")
MONEY = ("back_cny", "penalty_cny", "refund_cny", "exposed_cny")

# Evidence and relation columns use the contract's logical types, and `decimal` where none fits.
SQL_FAMILY = {
    "id": "VARCHAR", "text": "VARCHAR", "enum": "VARCHAR", "list": "VARCHAR", "billing_period": "VARCHAR",
    "bool": "BOOLEAN", "int": "INTEGER", "date": "DATE", "timestamp": "TIMESTAMP",
    "decimal": "DECIMAL", "money": "DECIMAL", "price": "DECIMAL", "energy": "DECIMAL", "register": "DECIMAL",
    "power": "DECIMAL", "capacity": "DECIMAL", "voltage": "DECIMAL", "current": "DECIMAL", "ratio": "DECIMAL",
    "percent": "DECIMAL", "degree": "DECIMAL",
}  # fmt: skip
ColumnType = Literal[
    "id", "text", "enum", "list", "billing_period", "bool", "int", "date", "timestamp", "decimal", "money",
    "price", "energy", "register", "power", "capacity", "voltage", "current", "ratio", "percent", "degree",
]  # fmt: skip
ParameterType = Literal["decimal", "int", "text", "date", "bool", "list_text", "list_decimal", "list_int"]
Name = Annotated[str, pydantic.StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
RuleIdText = Annotated[str, pydantic.StringConstraints(pattern=r"^[A-Z]{3}-\d{3}$")]
Words = Annotated[str, pydantic.StringConstraints(min_length=1, strip_whitespace=True)]
type_of_number = {"decimal": Decimal, "int": int}


class Strict(pydantic.BaseModel):
    """A record that refuses keys it does not know and cannot be changed afterwards."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class Text(Strict):
    """A text in both languages."""

    zh: Words
    en: Words

    def of(self, language: str) -> str:
        """Return the Chinese text for `zh`, the English one for anything else."""
        return self.zh if language == "zh" else self.en


def typed(value: Any, kind: str) -> Any:
    """Return a parameter value read as `kind`; raises ValueError saying what was expected."""
    if kind.startswith("list_"):
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"{value!r} is not a list → write [a, b]")
        return tuple(typed(item, kind.removeprefix("list_")) for item in value)
    if kind == "decimal" and isinstance(value, (str, int, Decimal)) and not isinstance(value, bool):
        return _decimal(value)
    if kind == "int" and isinstance(value, (str, int)) and not isinstance(value, bool):
        if not re.fullmatch(r"-?\d+", str(value)):
            raise ValueError(f"{value!r} is not a whole number → write for example 3")
        return int(value)
    if kind == "date" and type(value) is date:
        return value
    if kind == "bool" and isinstance(value, bool):
        return value
    if kind == "text" and isinstance(value, str):
        return value
    raise ValueError(f"{value!r} is not a value of type {kind} → correct the value or the type")


def _decimal(value: str | int | Decimal) -> Decimal:
    try:
        number = Decimal(value)
    except ArithmeticError:
        raise ValueError(f'{value!r} is not a decimal number → write it quoted, "0.001"') from None
    if not number.is_finite():
        raise ValueError(f"{value!r} is not a finite number → give a number")
    return number


class Parameter(Strict):
    """A named, typed, bounded value of a rule, with its unit, its owner and the reason for its default."""

    default: Any
    type: ParameterType
    unit: str = ""
    min: Any = None
    max: Any = None
    owner: Words
    reason: Text
    threshold: bool = True

    @pydantic.model_validator(mode="after")
    def _within(self) -> Parameter:
        value = typed(self.default, self.type)
        object.__setattr__(self, "default", value)
        if self.type.removeprefix("list_") in type_of_number:
            scalar = self.type.removeprefix("list_")
            if self.min is None or self.max is None:
                raise ValueError("has no bounds → give min and max")
            if not self.unit.strip():
                raise ValueError("has no unit → give one (kWh, CNY, days, months, ratio, percent, count …)")
            object.__setattr__(self, "min", typed(self.min, scalar))
            object.__setattr__(self, "max", typed(self.max, scalar))
        self.check(value)
        return self

    def check(self, value: Any) -> None:
        """Raise ValueError when `value` lies outside the bounds."""
        if self.min is None or self.max is None:
            return
        for number in value if isinstance(value, tuple) else (value,):
            if not self.min <= number <= self.max:
                raise ValueError(
                    f"{number} lies outside {self.min} to {self.max} → choose a value inside the bounds, "
                    "or widen them with a reason"
                )


class Marks(Strict):
    """Where the rule comes from: S sourced, T sourced topic, P practice; survey codes; requirements."""

    source: Literal["S", "T", "P"]
    codes: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()


class Episode(Strict):
    """What makes two hits the same fact: one row, an unbroken run of months, a run of days with gaps."""

    kind: Literal["row", "month", "day"]
    gap_days: Annotated[int, pydantic.Field(ge=0, le=60)] | None = None

    @pydantic.model_validator(mode="after")
    def _gap(self) -> Episode:
        if self.gap_days is not None and self.kind != "day":
            raise ValueError("gap_days belongs to episodes of kind day → remove it")
        if self.kind == "day" and self.gap_days is None:
            object.__setattr__(self, "gap_days", 3)
        return self


class Population(Strict):
    """What the rule judges: rows of one table or relation; `subject` counts distinct values of a column."""

    source: Name = pydantic.Field(alias="from")
    where: Words = "TRUE"
    subject: Name | None = None


class Explain(Strict):
    """The story of a finding; {names} are filled from the finding."""

    expected: Text
    found: Text
    matters: Text


class Evidence(Strict):
    """One column shown to the inspector."""

    name: Name
    type: ColumnType
    unit: str = ""
    zh: Words
    en: Words


class SourceRows(Strict):
    """How the finding names rows of a contract table: key column -> output column."""

    table: Name
    key: dict[Name, Name]


class MoneyNote(Strict):
    """The money formula of the catalogue (F1 to F20) and how the rule applies it."""

    formula: Annotated[str, pydantic.StringConstraints(pattern=r"^F([1-9]|1\d|20)( (refund|back))?$")] | None
    note: Text | None = None


class Retirement(Strict):
    """Why a rule was retired, and what replaces it."""

    reason: Text
    replaced_by: RuleIdText | None = None


class RuleSheet(Strict):
    """rule.yaml, all of it."""

    id: RuleIdText
    title: Text
    area: Literal[
        "connection", "metering", "reading", "pricing", "collection", "usage", "losses", "service",
        "control", "data",
    ]  # fmt: skip
    subject: str
    severity: Literal["H", "M", "L"]
    priority: Literal["P1", "P2", "P3"]
    status: Literal["draft", "trial", "live", "retired"]
    marks: Marks
    history_months: Annotated[int, pydantic.Field(ge=0, le=120)]
    # True where the rule judges the screened month by itself too, only less sharply
    history_optional: bool = False
    episode: Episode
    parameters: dict[Name, Parameter] = {}
    needs: dict[Name, tuple[Name, ...]] = {}
    optional: tuple[str, ...] = ()
    yields_to: tuple[RuleIdText, ...] = ()
    exclusions: tuple[str, ...] = ()
    population: Population
    explain: Explain
    evidence: tuple[Evidence, ...]
    rows: tuple[SourceRows, ...]
    money: MoneyNote
    reasons: Annotated[dict[Name, Text], pydantic.Field(min_length=1)]
    bands: Annotated[dict[Literal["watch", "order", "urgent"], Text], pydantic.Field(min_length=1)]
    remedy: Text
    checklist: Annotated[tuple[Text, ...], pydantic.Field(min_length=1)]
    basis: tuple[Name, ...] = ()
    retired: Retirement | None = None

    @pydantic.field_validator("subject")
    @classmethod
    def _known_subject(cls, value: str) -> str:
        if value not in SUBJECTS:
            raise ValueError(f"{value!r} is no kind of subject → one of {', '.join(SUBJECTS)}")
        return value

    @pydantic.field_validator("exclusions")
    @classmethod
    def _known_exclusions(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [code for code in value if code not in EXCLUSIONS]
        if unknown:
            raise ValueError(f"unknown exclusion {', '.join(unknown)} → one of {', '.join(EXCLUSIONS)}")
        return value


class RelationColumn(Strict):
    """One column of a shared relation."""

    name: Name
    type: ColumnType
    unit: str = ""
    zh: Words
    en: Words


class RelationSheet(Strict):
    """relation.yaml, all of it."""

    name: Name
    title: Text
    description: Text
    materialise: bool
    history_months: Annotated[int, pydantic.Field(ge=0, le=120)] | None = None
    parameters: dict[Name, Parameter] = {}
    needs: dict[Name, tuple[Name, ...]] = {}
    optional: tuple[str, ...] = ()
    columns: Annotated[tuple[RelationColumn, ...], pydantic.Field(min_length=1)]


class Article(Strict):
    """What one document said from one day on."""

    in_force_from: date
    in_force_to: date | None = None
    document: Text
    article: str
    summary: Text
    evidence: str
    still_valid_on: date


class LawTopic(Strict):
    """A topic of law with its dated articles."""

    topic: Name
    title: Text
    entries: Annotated[tuple[Article, ...], pydantic.Field(min_length=1)]

    def at(self, day: date) -> tuple[Article, ...]:
        """Return the articles in force on `day`, newest first; empty before the first."""
        held = [
            entry
            for entry in self.entries
            if entry.in_force_from <= day and (entry.in_force_to is None or day < entry.in_force_to)
        ]
        return tuple(sorted(held, key=lambda entry: entry.in_force_from, reverse=True))


class ExampleDefaults(Strict):
    """The moment an example is judged at."""

    period: Annotated[str, pydantic.StringConstraints(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
    data_date: date


Rows = dict[Name, list[dict[str, Any]]]


class Example(Strict):
    """Rows in, rows out: one proof of the rule."""

    name: Words
    kind: Literal["hit", "near_miss", "innocent", "exclusion", "lacking"]
    of: str | None = None
    period: str | None = None
    data_date: date | None = None
    given: Rows = {}
    not_delivered: tuple[str, ...] = ()
    parameters: dict[str, Any] = {}
    expect: list[dict[str, Any]] | None = None
    expect_exit: list[dict[str, Any]] | None = None
    expect_skipped: tuple[str, ...] | None = None

    @pydantic.model_validator(mode="after")
    def _has_expectation(self) -> Example:
        if self.expect is None and self.expect_exit is None and self.expect_skipped is None:
            raise ValueError("expects nothing → give expect, expect_exit or expect_skipped")
        if self.kind in ("near_miss", "exclusion") and not self.of:
            raise ValueError(f"kind {self.kind} without `of` → name the parameter or exclusion it defends")
        return self


class ExampleSheet(Strict):
    """examples.yaml, all of it."""

    defaults: ExampleDefaults
    base: Rows = {}
    examples: Annotated[tuple[Example, ...], pydantic.Field(min_length=1)]

    @pydantic.field_validator("examples")
    @classmethod
    def _names_differ(cls, value: tuple[Example, ...]) -> tuple[Example, ...]:
        names = [example.name for example in value]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"examples share a name: {', '.join(twice)} → give each its own")
        return value
