"""Which table and column of ours a source's tables and columns most likely are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mingcha.contract import model
from mingcha.ingest.suggestion import contents, names

#: What the contents add to, or take from, a match of names.
_CONTENT_WEIGHT = 0.25
_LEAST = 0.55
#: A source with fewer of our columns than this, and an unknown name, is left for a person.
_FEWEST_COLUMNS = 2
_FEWEST_BESIDE = 3
_SURE = 0.9


@dataclass(frozen=True, slots=True)
class Match:
    """One column of ours and the source column taken for it, with how sure that is (0 to 1)."""

    column: model.Column
    source: str
    sure: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """One source as one table of ours."""

    source: str
    table: model.Table
    sure: float
    matches: tuple[Match, ...]
    left: tuple[str, ...]

    @property
    def missing(self) -> list[model.Column]:
        """The columns that may not be empty and for which nothing was found."""
        found = {match.column.name for match in self.matches}
        return [column for column in self.table.columns if not column.nullable and column.name not in found]


def propose(
    *, source: str, aliases: Sequence[str], columns: Sequence[str], profiles: Mapping[str, contents.Profile]
) -> Proposal | None:
    """Return the likeliest table for a source, or None when no table is like it.

    `aliases` are the names the source goes by, `columns` its columns.
    """
    best: Proposal | None = None
    for table in names.tables():
        proposal = _as_table(source, aliases, table, columns, profiles)
        if best is None or proposal.sure > best.sure:
            best = proposal
    if best is None or best.sure < _LEAST:
        return None
    return best


def beside(
    *, first: Proposal, columns: Sequence[str], profiles: Mapping[str, contents.Profile]
) -> Proposal | None:
    """Return a second table the same source also describes, or None.

    One wide source often holds two of ours, as invoices with the readings they were made of. The second
    is the table that knows most of the columns the first left over, three at least.
    """
    best: Proposal | None = None
    most = _FEWEST_BESIDE - 1
    for table in names.tables():
        if table.name != first.table.name:
            second = _as_table(first.source, (), table, columns, profiles)
            known = sum(match.sure >= _SURE and match.source in first.left for match in second.matches)
            if known > most:
                best, most = second, known
    return best


def _as_table(
    source: str,
    aliases: Sequence[str],
    table: model.Table,
    columns: Sequence[str],
    profiles: Mapping[str, contents.Profile],
) -> Proposal:
    matches = _columns(table, columns, profiles)
    by_name = max((names.likeness(alias, names.table_names(table)) for alias in aliases), default=0.0)
    required = [column for column in table.columns if not column.nullable]
    covered = sum(match.sure for match in matches if not match.column.nullable) / max(len(required), 1)
    used = sum(match.sure for match in matches) / max(len(columns), 1)
    sure = 0.6 * by_name + 0.25 * covered + 0.15 * min(used, 1.0)
    if by_name < names.LIKE:
        # An unknown name can still be outweighed by columns nearly all of which are ours.
        sure = 0.55 * covered + 0.45 * min(used, 1.0) if len(matches) >= _FEWEST_COLUMNS else 0.0
    taken = {match.source for match in matches}
    return Proposal(
        source=source,
        table=table,
        sure=round(sure, 2),
        matches=tuple(matches),
        left=tuple(name for name in columns if name not in taken),
    )


def _columns(
    table: model.Table, columns: Sequence[str], profiles: Mapping[str, contents.Profile]
) -> list[Match]:
    """Return the matches, the surest first served; each column on either side is used once."""
    pairs = []
    for column in table.columns:
        known = names.column_names(column)
        for name in columns:
            like = names.likeness(name, known)
            if like:
                fit = profiles[name].fits(column)
                pairs.append((min(1.0, max(0.0, like + _CONTENT_WEIGHT * min(fit, 0.0))), like, column, name))
    pairs.sort(key=lambda pair: (-pair[0], -pair[1], pair[2].name, pair[3]))
    taken: set[str] = set()
    found: dict[str, Match] = {}
    for sure, _, column, name in pairs:
        if sure >= _LEAST and column.name not in found and name not in taken:
            found[column.name] = Match(column=column, source=name, sure=round(sure, 2))
            taken.add(name)
    return [found[column.name] for column in table.columns if column.name in found]
