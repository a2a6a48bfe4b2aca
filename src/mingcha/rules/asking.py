"""One rule asked for one period: its query run once per parameter set, or its rows taken from the cache."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mingcha.contract import ddl
from mingcha.kernel import ids
from mingcha.kernel.periods import BillingMonth
from mingcha.rules import compile as compiler
from mingcha.rules import model
from mingcha.rules.book import Rule
from mingcha.rules.fuse import Fuser
from mingcha.rules.lint import output
from mingcha.rules.overlay import Overlay, ParameterSet
from mingcha.rules.stage import Stage
from mingcha.store import cache, dialect

if TYPE_CHECKING:
    from mingcha.store.workspace import Workspace

# Raised whenever the way rows are asked for or kept changes, so that old cache entries are left alone.
CACHE_FORMAT = 1


@dataclass
class Answer:
    """What a rule answered over all periods of a run; its rows stand in the temporary table `table`."""

    rule: Rule
    table: str
    sets: list[dict[str, Any]] = field(default_factory=list)
    examined: int = 0
    seconds: float = 0.0
    from_cache: bool = True


def remembered(*, stage: Stage, workspace: Workspace, rule: Rule, overlay: Overlay) -> bool:
    """Return whether the answers for all periods and parameter sets lie in the cache."""
    return all(cache.has(workspace, key=question.key()) for question in _questions(stage, rule, overlay, []))


def ask(
    *,
    stage: Stage,
    workspace: Workspace,
    rule: Rule,
    overlay: Overlay,
    use_cache: bool = True,
    fuser: Fuser | None = None,
) -> Answer:
    """Return the rule's answer for every period of the run.

    Raises duckdb.Error when its query, or a relation it needs, fails on these data.
    """
    started = time.perf_counter()
    answer = Answer(rule, f"raw_{rule.id.replace('-', '_')}")
    _create(stage, rule, answer.table)
    for question in _questions(stage, rule, overlay, answer.sets):
        _answer_one(question, answer, workspace if use_cache else None, fuser)
    answer.seconds = time.perf_counter() - started
    return answer


def _questions(stage: Stage, rule: Rule, overlay: Overlay, sets: list[dict[str, Any]]) -> Iterator[_Question]:
    """Yield one question per period and parameter set; new sets are added to `sets`."""
    for period in stage.periods:
        for chosen in overlay.sets(sheet=rule.sheet, period=period, parents=stage.parents):
            if chosen.values not in sets:
                sets.append(chosen.values)
            yield _Question(stage, rule, period, chosen, sets.index(chosen.values))


@dataclass(frozen=True, slots=True)
class _Question:
    stage: Stage
    rule: Rule
    period: BillingMonth
    chosen: ParameterSet
    number: int

    @property
    def moment(self) -> compiler.Moment:
        return self.stage.moment(self.period, self.rule.sheet.history_months)

    def sql(self, fuser: Fuser | None = None) -> str:
        general = self.chosen.orgs is None
        sql = fuser.rewrite(rule=self.rule, period=self.period) if fuser and general else self.rule.sql
        return compiler.rule_sql(
            sheet=self.rule.sheet, sql=sql, moment=self.moment, values=self.chosen.values
        )

    def population(self) -> str:
        subject = self.rule.sheet.population.subject
        what = f"count(DISTINCT {subject})" if subject else "count(*)"
        return compiler.population_sql(
            sheet=self.rule.sheet, moment=self.moment, values=self.chosen.values, what=what
        )

    def key(self) -> str:
        """Return the digest of everything the rows depend on."""
        import duckdb

        graph = self.stage.graph
        relations = graph.relations_for(self.rule)
        tables = graph.tables_of(graph.rule_reads(self.rule))
        return ids.digest(
            {
                "format": CACHE_FORMAT,
                "engine": [duckdb.__version__, dialect.SHIM],
                "sql": [self.sql(), self.population(), columns_of(self.rule)],
                "relations": {name: self.stage.relation_sql(name) for name in relations},
                "tables": {table: self.stage.table_digest(table) for table in sorted(tables)},
            }
        )


def columns_of(rule: Rule) -> dict[str, str]:
    """Return the output columns of a rule with the types they are kept in.

    Decimals of the evidence are kept as their digits, so that none is rounded on its way into the finding.
    """
    kept = {"DECIMAL": "VARCHAR", "INTEGER": "BIGINT"}
    evidence = {column.name: model.SQL_FAMILY[column.type] for column in rule.sheet.evidence}
    return dict(output.FIXED) | {name: kept.get(family, family) for name, family in evidence.items()}


def _create(stage: Stage, rule: Rule, table: str) -> None:
    columns = ", ".join(f"{ddl.quote(name)} {kind}" for name, kind in columns_of(rule).items())
    stage.con.execute(
        f"CREATE OR REPLACE TEMP TABLE {table} "
        f"(period VARCHAR, set_number INTEGER, raised BOOLEAN, {columns})"
    )


def _answer_one(
    question: _Question, answer: Answer, workspace: Workspace | None, fuser: Fuser | None
) -> None:
    con = question.stage.con
    key = question.key()
    found = cache.find(workspace, con=con, key=key) if workspace else None
    if found is not None:
        sql, notes = found
        examined = int(notes["examined"])
    else:
        answer.from_cache = False
        sql, examined = _run(question, workspace, key, fuser)
    where = _of_these_orgs(question)
    con.execute(
        f"INSERT INTO {answer.table} SELECT '{question.period}', {question.number}, exit = 'hit', "
        f"{_names(question.rule)} FROM ({sql}) AS given WHERE {where}"
    )
    # The population is counted with the general values: the sets differ in limits, not in who is judged.
    if question.chosen.orgs is None:
        answer.examined += examined


def _run(question: _Question, workspace: Workspace | None, key: str, fuser: Fuser | None) -> tuple[str, int]:
    stage = question.stage
    stage.attach(stage.graph.tables_of(stage.graph.rule_reads(question.rule)))
    stage.ensure(stage.graph.relations_for(question.rule))
    examined = int(stage.con.execute(question.population()).fetchall()[0][0])
    casts = ", ".join(
        f"CAST({ddl.quote(name)} AS {kind}) AS {ddl.quote(name)}"
        for name, kind in columns_of(question.rule).items()
    )
    asked = f"SELECT {casts} FROM ({question.sql(fuser)}) AS q"
    stage.con.execute(f"CREATE OR REPLACE TEMP TABLE asked AS {asked}")
    sql = "SELECT * FROM asked"
    if workspace is not None:
        cache.keep(workspace, con=stage.con, key=key, sql=sql, notes={"examined": str(examined)})
    return sql, examined


def _names(rule: Rule) -> str:
    return ", ".join(ddl.quote(name) for name in columns_of(rule))


def _of_these_orgs(question: _Question) -> str:
    """Return the condition that keeps the rows of the organisations a parameter set is for."""
    chosen = question.chosen
    if chosen.orgs is not None:
        return f"org_id IN ({compiler.literal(tuple(sorted(chosen.orgs)))})"
    if chosen.excluded:
        return f"coalesce(org_id NOT IN ({compiler.literal(tuple(sorted(chosen.excluded)))}), TRUE)"
    return "TRUE"
