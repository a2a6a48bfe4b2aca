"""A rule asked on Spark instead of DuckDB: the same query, the same relations, the same rows.

What surrounds the query (coverage, sameness, episodes, findings) needs one machine only and stays there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mingcha.contract import load as contract_load
from mingcha.kernel.periods import BillingMonth
from mingcha.rules import compile as compiler
from mingcha.rules.bench import Row
from mingcha.rules.book import Rule
from mingcha.rules.stage import Stage
from mingcha.store import derived, spark


class SparkStage:
    """A stage's snapshot, moments and relations, on a Spark session."""

    def __init__(self, *, session: spark.Session, stage: Stage) -> None:
        self.session = session
        self.stage = stage
        self._there: set[str] = set()

    def rows(self, *, rule: Rule, period: BillingMonth, values: Mapping[str, Any] | None = None) -> list[Row]:
        """Return the rows the rule's query gives for a period, by column name, in no order.

        `values` replace defaults of its parameters. Raises BookError when Spark cannot run it.
        """
        graph = self.stage.graph
        self._attach(graph.rule_reads(rule))
        for name in graph.relations_for(rule):
            self._define(name)
        moment = self.stage.moment(period, rule.sheet.history_months)
        sql = compiler.rule_sql(sheet=rule.sheet, sql=rule.sql, moment=moment, values=values)
        names, rows = spark.ask(self.session, sql, schema=graph.schema, source=f"{rule.id} query.sql")
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _attach(self, names: Iterable[str]) -> None:
        fresh = self.stage.graph.tables_of(names) - self._there
        made = fresh & set(contract_load.contract().derived)
        spark.attach(self.session, self.stage.snapshot, tables=sorted(fresh - made))
        for table in sorted(made):
            spark.view(
                self.session, table=table, files=derived.paths(self.stage.rerated.entries, table=table)
            )
        self._there |= fresh

    def _define(self, name: str) -> None:
        if name not in self._there:
            graph = self.stage.graph
            spark.define(
                self.session,
                name=name,
                sql=self.stage.relation_sql(name),
                schema=graph.schema,
                keep=graph.book.relations[name].sheet.materialise,
            )
            self._there.add(name)
