"""Findings of a workspace, opened for questions: lists, stories, totals, exports."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from mingcha.audit import rulewords
from mingcha.contract import load as contract_load
from mingcha.findings import columns, export, model, queries, sources, words
from mingcha.findings import story as stories
from mingcha.kernel import errors
from mingcha.rules import book as books
from mingcha.store import derived, runs, snapshots
from mingcha.store.workspace import Workspace

if TYPE_CHECKING:
    import duckdb


@dataclass
class Casebook:
    """All findings of one workspace over one connection.

    Of the rulebook it takes what can be read: findings stay open while somebody is mending a rule.
    """

    workspace: Workspace
    con: duckdb.DuckDBPyConnection
    book: books.Book = field(default_factory=lambda: books.read()[0])

    @cached_property
    def rules(self) -> dict[str, words.RuleWords]:
        """Return the words of every rule of the book."""
        return rulewords.all_rules(book=self.book)

    def findings(
        self, *, where: queries.Filter, limit: int = 0, order: str = queries.GRAVEST_FIRST
    ) -> Iterator[model.Finding]:
        """Yield the findings a filter leaves, gravest first; limit 0 means all."""
        yield from queries.find(con=self.con, query=queries.select(where=where, order=order, limit=limit))

    def count(self, *, where: queries.Filter) -> int:
        """Return how many findings a filter leaves."""
        return queries.count(con=self.con, where=where)

    def total(self, *, where: queries.Filter) -> queries.Total:
        """Return number, customers and money of the findings a filter leaves."""
        found = queries.totals(con=self.con, where=where)
        return found[0] if found else queries.nothing()

    def totals(self, *, where: queries.Filter, by: str) -> list[queries.Total]:
        """Return totals per value of a column of the findings."""
        return queries.totals(con=self.con, where=where, by=by)

    def story(self, *, finding_id: str, language: str) -> stories.Story:
        """Return the story of one finding with its source rows from its own snapshot."""
        finding = queries.one(con=self.con, finding_id=finding_id)
        return self.tell(finding=finding, language=language, with_rows=True)

    def tell(self, *, finding: model.Finding, language: str, with_rows: bool) -> stories.Story:
        """Return the story of a finding; without source rows it is told from its evidence alone."""
        rule = self.rules.get(finding.rule_id) or rulewords.unknown(rule_id=finding.rule_id)
        return stories.tell(
            finding=finding,
            rule=rule,
            language=language,
            rows=self._rows(finding, language) if with_rows else (),
            articles=rulewords.articles(book=self.book, topics=rule.basis, day=finding.period_start),
            private=sources.private_names(),
        )

    def export(self, *, where: queries.Filter, target: Path, kind: str, language: str) -> int:
        """Write the findings to a file; return how many."""
        return export.write(
            con=self.con, where=where, target=target, kind=kind, rules=self.rules, language=language
        )

    def stream(self, *, where: queries.Filter, stream: BinaryIO, kind: str, language: str) -> None:
        """Write the findings to a stream, whole or not at all."""
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "findings"
            self.export(where=where, target=target, kind=kind, language=language)
            export.copy_to(stream, target)

    def _rows(self, finding: model.Finding, language: str) -> tuple[sources.SourceRow, ...]:
        if not finding.rows:
            return ()
        snapshot = snapshots.get(self.workspace, finding.snapshot_id)
        tables = {row.table for row in finding.rows}
        calculated = tables & set(contract_load.contract().derived)
        snapshots.attach(self.con, snapshot, tables=tables - calculated)
        if calculated:
            derived.attach(self.con, self._derived(finding), tables=calculated)
        return sources.fetch(con=self.con, rows=finding.rows, language=language)

    def _derived(self, finding: model.Finding) -> list[derived.Entry]:
        """Return the derived tables the finding's run was made on, as far as they are still there."""
        keys = runs.get(self.workspace, finding.run_id).record.get("derived", {})
        found = (
            derived.get(self.workspace, snapshot_id=finding.snapshot_id, period=period, key=key)
            for period, key in sorted(keys.items())
        )
        return [entry for entry in found if entry is not None]


@contextmanager
def opened(*, workspace: Workspace) -> Iterator[Casebook]:
    """Give the casebook of a workspace and close its connection at the end."""
    con = workspace.connect()
    try:
        relation = runs.relation(con, workspace) or columns.empty_run_relation()
        con.execute(f"CREATE TEMP VIEW {queries.RELATION} AS {relation}")
        yield Casebook(workspace=workspace, con=con)
    finally:
        con.close()


def wanted(
    cases: Casebook,
    *,
    rules: Sequence[str] | None = None,
    run_id: str | None = None,
    bands: Sequence[str] | None = None,
    org_id: str | None = None,
    customer_id: str | None = None,
) -> queries.Filter:
    """Return the filter for what a person asked; raises when a run or band is not there."""
    unknown = [band for band in bands or () if band not in columns.BANDS]
    if unknown:
        raise errors.Refusal(
            f"there is no band {', '.join(unknown)}",
            why="a filter that fits nothing would look like a clean result",
            mend=f"choose among {', '.join(columns.BANDS)}",
        )
    return queries.Filter(
        rules=tuple(rules or ()),
        run_id=run_id_of(cases.workspace, run_id),
        bands=tuple(bands or ()),
        org_id=org_id,
        customer_id=customer_id,
    )


def run_id_of(workspace: Workspace, asked: str | None) -> str | None:
    """Return the id of the run asked for, `latest` being the newest; raises SetupError for none such."""
    if asked is None:
        return None
    if asked != "latest":
        return runs.get(workspace, asked).id
    newest = runs.latest(workspace)
    if newest is None:
        raise errors.SetupError(
            f"{workspace.path}: nothing was screened yet",
            why="findings come from runs of the rules",
            mend="ingest a delivery and run `mingcha rules run`",
        )
    return newest.id
