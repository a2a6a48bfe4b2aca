# ruff: noqa: E501, RUF012, DTZ001 - tables of cases stay on one line; books are kept in local time
"""The same rules give the same findings on Spark: every query of the book, on examples and on a utility.

What is compared are the rows a rule's query gives, all columns and exits, before episodes and findings are
made of them on one machine.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mingcha.audit import rerating
from mingcha.contract import ddl
from mingcha.contract import load as contract_load
from mingcha.kernel import errors
from mingcha.rules import book as books
from mingcha.rules import compile as compiler
from mingcha.rules import graph as graphs
from mingcha.rules import moments, proving, stage
from mingcha.rules.bench import Bench, Row
from mingcha.rules.lint import output
from mingcha.rules.spark import SparkStage
from mingcha.store import snapshots, spark, workspace
from mingcha.synth import generate, plan

pytestmark = [
    pytest.mark.spark,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.xdist_group("spark"),
]

BOOK, _ = books.read()
GRAPH = graphs.Graph(BOOK)
RULES = sorted(BOOK.rules)
CONTRACT = contract_load.contract()
MADE_AT = datetime(2026, 4, 11, tzinfo=UTC)

# Rules that cannot be asked on Spark, and why. A rule that can be asked must not stand here.
CANNOT: dict[str, str] = {}


def test_only_rules_of_the_book_are_excused() -> None:
    assert set(CANNOT) <= set(RULES)


@pytest.fixture(scope="module")
def prover() -> Iterator[proving.Prover]:
    prover = proving.Prover(BOOK, graph=GRAPH)
    yield prover
    prover.bench.close()


@pytest.fixture(scope="module")
def bench(prover: proving.Prover) -> Bench:
    return prover.bench


class TestTranslation:
    """Over empty tables of the contract: Spark understands each query, and gives columns of the same types."""

    @pytest.fixture(scope="class")
    def empty(self, spark_session: Any, bench: Bench) -> Any:
        # A session of its own, so that no test finds these views instead of its own.
        session = spark_session.newSession()
        spark.prepare(session)
        for table in CONTRACT.every:
            spark.view(session, table=table, files=[])
        for name in GRAPH.relations_of(BOOK.relations):
            relation = BOOK.relations[name]
            sql = compiler.relation_sql(sheet=relation.sheet, sql=relation.sql, moment=graphs.SOME_MOMENT)
            spark.define(session, name=name, sql=sql, schema=GRAPH.schema)
        bench.relations(GRAPH.relations_of(BOOK.relations), graphs.SOME_MOMENT)
        return session

    @pytest.mark.parametrize("name", sorted(BOOK.relations))
    def test_of_a_relation(self, empty: Any, bench: Bench, name: str) -> None:
        relation = BOOK.relations[name]
        sql = compiler.relation_sql(sheet=relation.sheet, sql=relation.sql, moment=graphs.SOME_MOMENT)

        assert families(spark.kinds(empty, sql, schema=GRAPH.schema)) == families(
            output.described(bench=bench, sql=sql, source=name)
        )

    @pytest.mark.parametrize("rule_id", RULES)
    def test_of_a_rule(self, empty: Any, bench: Bench, rule_id: str) -> None:
        rule = BOOK.rules[rule_id]
        sql = compiler.rule_sql(sheet=rule.sheet, sql=rule.sql, moment=graphs.SOME_MOMENT)
        if rule_id in CANNOT:
            with pytest.raises(errors.BookError):
                spark.kinds(empty, sql, schema=GRAPH.schema)
            return

        assert families(spark.kinds(empty, sql, schema=GRAPH.schema)) == families(
            output.described(bench=bench, sql=sql, source=rule_id)
        )


FAMILIES = {
    "string": "text", "varchar": "text", "date": "day", "timestamp": "moment", "timestamp_ntz": "moment",
    "decimal": "exact", "double": "float", "boolean": "yes or no", "int": "whole", "bigint": "whole",
    "integer": "whole", "hugeint": "whole",
}  # fmt: skip


def families(kinds: dict[str, str]) -> list[tuple[str, str]]:
    """Return the columns in order with what kind of value they hold, the same words for both engines."""
    return [
        (name, FAMILIES.get(kind.partition("(")[0].lower(), kind))
        for name, kind in kinds.items()
        if kind not in ('"NULL"', "void")
    ]


class TestExamples:
    """Each rule's examples, judged together: their ids are told apart, so that they do not meet."""

    @pytest.mark.parametrize("rule_id", [rule for rule in RULES if rule not in CANNOT])
    def test_give_the_same_rows(
        self, spark_session: Any, prover: proving.Prover, rule_id: str, tmp_path: Path
    ) -> None:
        rule = BOOK.rules[rule_id]
        missing = set(rule.sheet.reasons)

        def compare(examples: list[Any]) -> None:
            here, there = judge(spark_session, prover.bench, rule, examples, tmp_path)
            assert different(here, there) == []
            missing.difference_update(row["reason"] for row in here)

        for group in by_moment(rule):
            compare(group)
        # Some facts are about the whole of the books, and show only where an example stands alone.
        for example in rule.examples.examples:
            if missing and missing & {row["reason"] for row in prover.run(rule, example).rows}:
                compare([example])
        assert missing == set()


def by_moment(rule: books.Rule) -> list[list[Any]]:
    """Return the examples of a rule in groups judged at one moment, with the rule's own parameters.

    Examples that set a parameter are judged too, only less to their point: both engines get the same query.
    """
    groups: dict[str, list[Any]] = {}
    for example in rule.examples.examples:
        groups.setdefault(repr(proving.moment_of(rule, example)), []).append(example)
    return list(groups.values())


def judge(
    session: Any, bench: Bench, rule: books.Rule, examples: list[Any], folder: Path
) -> tuple[list[Row], list[Row]]:
    """Return the rows of the rule over the examples' rows on DuckDB and on Spark."""
    moment = proving.moment_of(rule, examples[0])
    values = proving.parameter_values(rule, examples[0].parameters if len(examples) == 1 else {})
    # Spark remembers a file by its name: a new one for each round.
    number = len(list(folder.iterdir()))
    bench.relations(GRAPH.relations_for(rule), moment)
    bench.con.execute("BEGIN")
    try:
        for table, rows in together(rule, examples).items():
            bench.fill(table, rows)
        here = bench.rule(rule, moment, values)
        reads = GRAPH.rule_reads(rule)
        for table in sorted(GRAPH.tables_of(reads)):
            target = folder / f"{table}-{number}.parquet"
            bench.con.execute(f"COPY {ddl.quote(table)} TO '{target}' (FORMAT parquet)")
            spark.view(session, table=table, files=[target])
    finally:
        bench.con.execute("ROLLBACK")
    for name in GRAPH.relations_for(rule):
        sheet = BOOK.relations[name].sheet
        sql = compiler.relation_sql(sheet=sheet, sql=BOOK.relations[name].sql, moment=moment)
        spark.define(session, name=name, sql=sql, schema=GRAPH.schema, keep=sheet.materialise)
    sql = compiler.rule_sql(sheet=rule.sheet, sql=rule.sql, moment=moment, values=values)
    names, rows = spark.ask(session, sql, schema=GRAPH.schema)
    return here, [dict(zip(names, row, strict=True)) for row in rows]


def together(rule: books.Rule, examples: list[Any]) -> dict[str, list[Row]]:
    """Return the rows of all examples by table, ids marked by example, one row for each key.

    A single example keeps its ids: a few columns name an object in words (the values of a change), and
    would point nowhere if only the object were renamed.
    """
    tables: dict[str, dict[str, Row]] = {}
    for number, example in enumerate(examples):
        absent = set(example.not_delivered)
        for table, rows in proving.rows_of(rule, example).items():
            if table in absent:
                continue
            for row in rows:
                marked = mark(table, row, f"e{number:02d}." if len(examples) > 1 else "", absent)
                key = repr([marked.get(name) for name in CONTRACT.table(table).key])
                tables.setdefault(table, {}).setdefault(key, marked)
    return {table: list(rows.values()) for table, rows in tables.items()}


def mark(table: str, row: Row, prefix: str, absent: set[str]) -> Row:
    """Return the row with every id, given or to be filled in, marked as this example's."""
    marked = dict(row)
    for column in CONTRACT.table(table).columns:
        if f"{table}.{column.name}" in absent:
            marked.pop(column.name, None)
        elif column.type == "id":
            value = row.get(column.name, None if column.nullable else column.example)
            marked[column.name] = None if value is None else f"{prefix}{value}"
        elif column.name in CONTRACT.table(table).key:
            marked.setdefault(column.name, column.example)
    return marked


def different(here: list[Row], there: list[Row]) -> list[str]:
    """Return the rows that only one engine gives, told apart by kind of value too; none is what we want."""
    ours, theirs = (Counter(map(shape, rows)) for rows in (here, there))
    return [f"only DuckDB: {row}" for row in (ours - theirs).elements()] + [
        f"only Spark: {row}" for row in (theirs - ours).elements()
    ]


def shape(row: Row) -> tuple[tuple[str, str, Any], ...]:
    """Return a row as something to count, in which a float is not taken for an exact number."""
    return tuple((name, type(value).__name__, value) for name, value in row.items())


@dataclasses.dataclass
class Both:
    """One utility on both engines."""

    here: stage.Stage
    there: SparkStage

    def rows(self, rule: books.Rule) -> tuple[list[Row], list[Row]]:
        """Return the rule's rows for the screened month on DuckDB and on Spark."""
        period = self.here.periods[0]
        self.here.attach(GRAPH.tables_of(GRAPH.rule_reads(rule)))
        self.here.ensure(GRAPH.relations_for(rule))
        moment = self.here.moment(period, rule.sheet.history_months)
        answer = self.here.con.execute(compiler.rule_sql(sheet=rule.sheet, sql=rule.sql, moment=moment))
        names = [column[0] for column in answer.description]
        here = [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
        return here, self.there.rows(rule=rule, period=period)


class TestUtility:
    """A synthetic utility with a case for every rule, honest look-alikes, and the customers around them."""

    @pytest.fixture(scope="class")
    def both(self, spark_session: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
        folder = tmp_path_factory.mktemp("utility")
        generate.generate(
            out=folder / "files", customers=plan.SMALLEST_PLANTED, months=16, seed=11, daily_days=45,
            curve_share=Decimal("0.004"), memory="500MB", threads=1,
        )  # fmt: skip
        place = workspace.Workspace.create(folder / "workspace")
        con = place.connect(memory_limit="500MB", threads=1)
        with snapshots.Draft(place, made_at=MADE_AT) as draft:
            for file in sorted((folder / "files").glob("*.parquet")):
                draft.add_rows(table=file.stem, source=file, con=con)
            snapshot = draft.commit()
        period = moments.default_period(snapshot)
        day = moments.data_date(snapshot, period)
        rerated = rerating.ensure(workspace=place, snapshot=snapshot, periods=[period], made_at=MADE_AT)
        here = stage.Stage(
            con=con, snapshot=snapshot, graph=GRAPH, periods=[period], data_date=day, rerated=rerated
        )
        yield Both(here, SparkStage(session=spark_session, stage=here))
        con.close()

    @pytest.mark.parametrize("rule_id", [rule for rule in RULES if rule not in CANNOT])
    def test_gives_the_same_rows(self, both: Both, rule_id: str) -> None:
        here, there = both.rows(BOOK.rules[rule_id])

        assert different(here, there) == []
        assert any(row["exit"] == "hit" for row in here)


class TestComparison:
    """A comparison that cannot fail would prove nothing."""

    ROW: Row = {"subject_id": "P1", "refund_cny": Decimal("1.50"), "share": 0.5, "day": date(2026, 3, 1)}

    def test_takes_equal_rows_in_any_order(self) -> None:
        other = self.ROW | {"subject_id": "P2"}

        assert different([self.ROW, other], [other, self.ROW]) == []

    @pytest.mark.parametrize(
        "change",
        [
            {"refund_cny": Decimal("1.51")}, {"refund_cny": None}, {"refund_cny": 1.5}, {"share": 0.5000000001},
            {"day": datetime(2026, 3, 1)}, {"subject_id": "p1"},
        ],
    )  # fmt: skip
    def test_tells_rows_apart(self, change: Row) -> None:
        assert len(different([self.ROW], [self.ROW | change])) == 2

    def test_counts(self) -> None:
        assert len(different([self.ROW, self.ROW], [self.ROW])) == 1
