"""One table of a delivery checked: accepted rows as a query, all others counted and put aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mingcha.contract import model
from mingcha.ingest.checks import direct, duplicates, feeds, putaside, sources
from mingcha.ingest.mapping import plan
from mingcha.ingest.sources import parts
from mingcha.store import duck

if TYPE_CHECKING:
    import duckdb

_COPY = "FORMAT parquet, COMPRESSION lz4_raw"


@dataclass(slots=True)
class Checked:
    """A table after its checks.

    `accepted` is a SELECT of the delivered columns; `numbered` one that also gives `_row`, None when the
    source's own files are passed on. `reasons` counts by code; `aside` are files of quarantined rows.
    Merged rows are counted among the reasons but not kept one by one.
    """

    plan: plan.TablePlan
    accepted: str
    rows: int
    delivered: int
    filtered: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    rounded: dict[str, int] = field(default_factory=dict)
    numbered: str | None = None
    aside: list[Path] = field(default_factory=list)

    @property
    def table(self) -> model.Table:
        """The table of the contract."""
        return self.plan.table

    @property
    def quarantined(self) -> int:
        """Rows not accepted, merged ones among them."""
        return sum(self.reasons.values())


class Checker:
    """Checks the tables of one delivery over its staged parts; its files lie in `folder`."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, *, staged: Mapping[int, parts.Staged], folder: Path
    ) -> None:
        self._con = con
        self._staged = staged
        self._folder = folder

    def check(self, table: plan.TablePlan, *, by_row: bool = False) -> Checked:
        """Return the table with its faults found; `by_row` asks for typed files with row numbers.

        Raises DataError when a joined source has several rows for one key.
        """
        for feed in table.feeds:
            for join in feed.joins:
                sources.refuse_ambiguous(self._con, join, staged=self._staged)
        checked = None if by_row else self._direct(table)
        if checked is None:
            checked = self._general(table)
        self._broken(checked)
        return checked

    # ── as they are ──────────────────────────────────────────────────────────────────────────────

    def _direct(self, table: plan.TablePlan) -> Checked | None:
        """Return the table as its files are, or None when some row needs more than that."""
        spec = table.table
        if not all(direct.is_direct(feed, table=spec, staged=self._staged) for feed in table.feeds):
            return None
        total, selects, keys = 0, [], []
        for feed in table.feeds:
            paths = duck.paths([self._staged[number].path for number in feed.parts])
            suspicion = direct.suspicion(feed, table=spec)
            rows, suspected = self._con.execute(
                f"SELECT count(*), count(*) FILTER (WHERE {suspicion}) FROM read_parquet({paths})"
            ).fetchall()[0]
            if suspected:
                return None
            total += rows
            selects.append(direct.select(feed, columns=table.columns, table=spec, paths=paths))
            keys.append(direct.select(feed, columns=spec.key, table=spec, paths=paths))
        if duplicates.any_among(self._con, " UNION ALL ".join(keys), key=spec.key):
            return None
        return Checked(plan=table, accepted=" UNION ALL ".join(selects), rows=total, delivered=total)

    # ── row by row ───────────────────────────────────────────────────────────────────────────────

    def _general(self, table: plan.TablePlan) -> Checked:
        checked = Checked(plan=table, accepted="", rows=0, delivered=0)
        files = []
        for place, feed in enumerate(table.feeds):
            path = self._folder / f"{table.table.name}-{place}.typed.parquet"
            self._feed(checked, feed, path)
            files.append(path)
        found = duplicates.find(self._con, files=files, table=table.table, columns=table.columns)
        if found is not None:
            self._put_aside_duplicates(checked, found)
        good = f"SELECT * FROM read_parquet({duck.paths(files)}) WHERE NOT _bad"
        out = f" ANTI JOIN {found.relation} USING (_row)" if found else ""
        self._number(checked, f"SELECT * FROM ({good}){out}")
        return checked

    def _feed(self, checked: Checked, feed: plan.Feed, path: Path) -> None:
        table = checked.plan
        rows = feeds.rows_of(feed, table=table.table, staged=self._staged)
        typed = rows.typed(table.columns, table.table)
        self._con.execute(f"COPY ({typed}) TO {duck.literal(str(path))} ({_COPY})")
        counted = self._con.execute(
            "SELECT coalesce(sum(_n), 0), count(*), count(*) FILTER (WHERE _bad),"
            f" coalesce(bit_or(_rounded), 0) FROM read_parquet({duck.paths([path])})"
        ).fetchall()[0]
        delivered, kept, bad, rounded = (int(number) for number in counted)
        checked.delivered += delivered
        checked.filtered += sum(self._staged[number].rows for number in feed.parts) - delivered
        if delivered > kept:
            checked.reasons["merged"] += delivered - kept
        if rounded:
            self._count_rounded(checked, path)
        if bad:
            aside = self._folder / f"{path.stem}.faults.parquet"
            source = direct.source(feed, staged=self._staged)
            putaside.faults(self._con, found=rows.found(), feed=feed, source=source, path=aside)
            self._add_aside(checked, aside)

    def _count_rounded(self, checked: Checked, path: Path) -> None:
        counts = ", ".join(
            f"coalesce(sum(_n) FILTER (WHERE _rounded & {1 << place} <> 0), 0)"
            for place, _ in enumerate(checked.plan.columns)
        )
        row = self._con.execute(
            f"SELECT {counts} FROM read_parquet({duck.paths([path])}) WHERE NOT _bad"
        ).fetchall()[0]
        for name, count in zip(checked.plan.columns, row, strict=True):
            if count:
                checked.rounded[name] = checked.rounded.get(name, 0) + int(count)

    def _put_aside_duplicates(self, checked: Checked, found: duplicates.Found) -> None:
        distinct = [feed.entry for feed in checked.plan.feeds if feed.distinct]
        merged = putaside.merged(self._con, found=found, distinct=distinct)
        if merged:
            checked.reasons["merged"] += merged
        for place, feed in enumerate(checked.plan.feeds):
            aside = self._folder / f"{checked.table.name}-{place}.duplicates.parquet"
            source = direct.source(feed, staged=self._staged)
            if putaside.duplicates(self._con, found=found, feed=feed, source=source, path=aside):
                self._add_aside(checked, aside)

    def put_aside_orphans(self, checked: Checked, *, orphans: str) -> None:
        """Take the rows of the relation `orphans` (`_row, column, value`) out of a table checked by row."""
        assert checked.numbered is not None
        for place, feed in enumerate(checked.plan.feeds):
            aside = self._folder / f"{checked.table.name}-{place}.orphans.parquet"
            source = direct.source(feed, staged=self._staged)
            found = (
                "SELECT _row, \"column\", 'orphan' AS reason, value, CAST([] AS VARCHAR[]) AS more"
                f" FROM {orphans} WHERE _row & {parts.MAX_FEEDS - 1} = {feed.entry}"
            )
            if putaside.faults(self._con, found=found, feed=feed, source=source, path=aside):
                self._add_aside(checked, aside)
        self._number(checked, f"SELECT * FROM ({checked.numbered}) ANTI JOIN {orphans} USING (_row)")

    def _number(self, checked: Checked, numbered: str) -> None:
        """Set the accepted rows of a table checked by row."""
        names = ", ".join(duck.name(name) for name in checked.plan.columns)
        checked.numbered = numbered
        checked.accepted = f"SELECT {names} FROM ({numbered})"
        checked.rows = checked.delivered - checked.quarantined

    # ── rows that are no rows ────────────────────────────────────────────────────────────────────

    def _broken(self, checked: Checked) -> None:
        """Count the broken rows of each part once for the table, whatever number of entries it feeds."""
        files = [broken for n in checked.plan.parts if (broken := self._staged[n].broken) is not None]
        if files:
            aside = self._folder / f"{checked.table.name}.broken.parquet"
            checked.delivered += putaside.broken(self._con, files=files, path=aside)
            self._add_aside(checked, aside)

    def _add_aside(self, checked: Checked, path: Path) -> None:
        checked.aside.append(path)
        checked.reasons.update(putaside.count(self._con, path=path))
