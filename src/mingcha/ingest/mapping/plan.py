"""What is to be done, decided before anything is read: which parts feed which columns of which tables."""

from __future__ import annotations

from dataclasses import dataclass, field

from mingcha.contract import model as contract_model
from mingcha.ingest.convert import conversion
from mingcha.ingest.mapping import model
from mingcha.ingest.sources import options as opts
from mingcha.ingest.sources import parts as source_parts

#: The alias of a feed's own source in its SQL.
MAIN = "m"


@dataclass(frozen=True, slots=True)
class JoinPlan:
    """A joined source: its parts by number, their columns, and pairs of (own column, its column)."""

    alias: str
    parts: tuple[int, ...]
    columns: tuple[source_parts.SourceColumn, ...]
    on: tuple[tuple[str, str], ...]
    first: bool


@dataclass(frozen=True, slots=True)
class Feed:
    """Parts with the same columns that one entry of the mapping turns into rows of a table."""

    entry: int
    """Number among the table's entries, packed into the row number."""
    parts: tuple[int, ...]
    columns: tuple[source_parts.SourceColumn, ...]
    origins: dict[str, conversion.Origin]
    options: opts.ReadOptions
    where: str | None = None
    joins: tuple[JoinPlan, ...] = ()
    distinct: bool = False
    used: frozenset[str] = frozenset()
    """Columns of the source that something is made of."""
    assumed: frozenset[str] = frozenset()
    """Columns of the table that only hold a placeholder."""


@dataclass(frozen=True, slots=True)
class TablePlan:
    """A table of the contract and what feeds it."""

    table: contract_model.Table
    feeds: tuple[Feed, ...]
    orphans: model.OrphanPolicy

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that some feed delivers, in the order of the contract."""
        delivered = {name for feed in self.feeds for name in feed.origins}
        return tuple(name for name in self.table.column_names if name in delivered)

    @property
    def assumed(self) -> frozenset[str]:
        """The columns that hold a placeholder in whatever feed gives them; they count as not delivered."""
        return frozenset(
            name
            for name in self.columns
            if all(name in feed.assumed for feed in self.feeds if name in feed.origins)
        )

    @property
    def parts(self) -> tuple[int, ...]:
        """The numbers of the parts that feed it, each once."""
        return tuple(sorted({number for feed in self.feeds for number in feed.parts}))


@dataclass(slots=True)
class Plan:
    """All tables to fill, in the order of the contract, and remarks for the report."""

    tables: list[TablePlan] = field(default_factory=list)
    unused: list[int] = field(default_factory=list)
    """Parts that no table takes."""
    ignored_columns: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """Columns of parts that no table takes."""
    options: dict[int, opts.ReadOptions] = field(default_factory=dict)
    probes: dict[int, source_parts.Probe] = field(default_factory=dict)

    @property
    def parts(self) -> list[int]:
        """The numbers of all parts that must be read."""
        joined = [n for t in self.tables for feed in t.feeds for join in feed.joins for n in join.parts]
        return sorted({*joined, *(number for table in self.tables for number in table.parts)})
