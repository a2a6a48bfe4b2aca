"""Examples of a rule run and compared: rows in, rows out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from mingcha.contract import load as contract_load
from mingcha.kernel import errors
from mingcha.kernel.periods import BillingMonth
from mingcha.rules import compile as compiler
from mingcha.rules import coverage, model
from mingcha.rules.bench import Bench, Row
from mingcha.rules.book import Book, Rule
from mingcha.rules.graph import Graph

SUSPECT_EXITS = ("insufficient_data", "mapping_suspect")


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing an example did not do: which rule, which example, what was expected and what came."""

    rule_id: str
    example: str
    said: str

    def __str__(self) -> str:
        return f"{self.rule_id} · {self.example}\n    {self.said}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an example gave: the query's rows, or why the rule was skipped, and the number judged."""

    rows: list[Row]
    population: int = 0
    subjects: frozenset[str] | None = None
    verdict: coverage.Verdict | None = None

    @property
    def hits(self) -> list[Row]:
        """Return the rows that accuse."""
        return [row for row in self.rows if row["exit"] == "hit"]

    @property
    def others(self) -> list[Row]:
        """Return the rows with any other exit."""
        return [row for row in self.rows if row["exit"] != "hit"]


class Prover:
    """Runs examples of one book on one bench."""

    def __init__(self, book: Book, *, graph: Graph | None = None) -> None:
        self.graph = graph or Graph(book)
        self.bench = Bench(self.graph)
        self._delivered = {
            name: frozenset(table.column_names) for name, table in contract_load.contract().every.items()
        }

    def prove(self, rule: Rule) -> list[Failure]:
        """Return every failure of every example of the rule; an empty list is a proof."""
        failures: list[Failure] = []
        for example in rule.examples.examples:
            failures += self.prove_one(rule, example)
        return failures

    def prove_one(self, rule: Rule, example: model.Example) -> list[Failure]:
        """Return the failures of one example."""
        try:
            outcome = self.run(rule, example)
            said = list(_compare(rule, example, outcome))
            if example.kind == "near_miss" and not said:
                said = list(self._blunt(rule, example, outcome))
        except errors.MingchaError as error:
            said = [error.what]
        return [Failure(rule.id, example.name, text) for text in said]

    def run(
        self,
        rule: Rule,
        example: model.Example,
        *,
        values: Mapping[str, Any] | None = None,
        query: str | None = None,
    ) -> Outcome:
        """Return what the rule gives on the example's rows.

        `values` replace parameters on top of the example's own, also beyond their bounds; `query`
        stands in for the rule's own. Raises BookError when rows or query are wrong.
        """
        delivered = self._delivery(example)
        verdict = coverage.judge(rule=rule, graph=self.graph, delivered=delivered)
        if not verdict.runs:
            return Outcome([], verdict=verdict)
        moment = moment_of(rule, example)
        chosen = {**parameter_values(rule, example.parameters), **(values or {})}
        tables = rows_of(rule, example)
        con = self.bench.con
        self.bench.relations(self.graph.relations_for(rule), moment)
        con.execute("BEGIN")
        try:
            for table, rows in tables.items():
                if table in delivered:
                    self.bench.fill(table, _cut(rows, delivered[table]))
            return self._ask(rule if query is None else replace(rule, sql=query), moment, chosen, verdict)
        except Exception as error:
            raise _as_book_error(error, rule, example) from error
        finally:
            con.execute("ROLLBACK")

    def _ask(
        self, rule: Rule, moment: compiler.Moment, values: Mapping[str, Any], verdict: coverage.Verdict
    ) -> Outcome:
        rows = self.bench.rule(rule, moment, values)
        source = f"{rule.id} rule.yaml population"
        subject = rule.sheet.population.subject
        what = f"DISTINCT {subject}" if subject else "count(*)"
        sql = compiler.population_sql(sheet=rule.sheet, moment=moment, values=values, what=what)
        judged = [next(iter(row.values())) for row in self.bench.rows(sql, source)]
        if subject:
            subjects = frozenset(str(value) for value in judged if value is not None)
            return Outcome(rows, len(subjects), subjects, verdict)
        return Outcome(rows, int(judged[0]), None, verdict)

    def _blunt(self, rule: Rule, example: model.Example, outcome: Outcome) -> Iterable[str]:
        """Yield a complaint when no nearby value of the parameter changes what a near miss gives."""
        name = example.of or ""
        declared = rule.sheet.parameters.get(name)
        if declared is None or declared.type not in model.type_of_number:
            return
        before = [_verdict(row) for row in outcome.rows]
        current = parameter_values(rule, example.parameters).get(name, declared.default)
        for value in _nearby(current, declared):
            other = self.run(rule, example, values={name: value})
            if [_verdict(row) for row in other.rows] != before:
                return
        yield f"does not defend {name}: with values from half to twice {current} the outcome is the same"

    def _delivery(self, example: model.Example) -> dict[str, frozenset[str]]:
        delivered = dict(self._delivered)
        for name in example.not_delivered:
            table, _, column = name.partition(".")
            if table not in self._delivered or (column and column not in self._delivered[table]):
                raise _wrong(f"not_delivered names {name}, which the contract does not have")
            if column:
                delivered[table] = delivered[table] - {column}
            else:
                delivered.pop(table, None)
        return delivered


def _verdict(row: Row) -> tuple[Any, ...]:
    return (row["subject_id"], row["exit"], row["band"], row["reason"])


def _nearby(value: Any, declared: model.Parameter) -> list[Any]:
    """Return values around a threshold, nearest first, one beyond it on either side, then its bounds."""
    number = Decimal(value)
    near = [number * Decimal(factor) for factor in ("0.9", "1.1", "0.5", "2")]
    near += [number - 1, number + 1, Decimal(declared.min), Decimal(declared.max)]
    if declared.type == "int":
        return list(dict.fromkeys(int(item) for item in near if int(item) != value))
    return list(dict.fromkeys(item for item in near if item != number))


def moment_of(rule: Rule, example: model.Example) -> compiler.Moment:
    """Return the moment an example is judged at."""
    defaults = rule.examples.defaults
    return compiler.Moment(
        period=BillingMonth.parse(example.period or defaults.period),
        data_date=example.data_date or defaults.data_date,
        history_months=rule.sheet.history_months,
    )


def parameter_values(rule: Rule, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return typed values for the parameters given.

    Raises BookError for unknown names and values out of bounds.
    """
    values = {}
    for name, value in given.items():
        declared = rule.sheet.parameters.get(name)
        if declared is None:
            known = ", ".join(sorted(rule.sheet.parameters)) or "none"
            raise _wrong(f"{rule.id} has no parameter {name}; it has: {known}")
        try:
            values[name] = model.typed(value, declared.type)
            declared.check(values[name])
        except ValueError as error:
            raise _wrong(f"parameter {name} of {rule.id}: {error}") from None
    return values


def rows_of(rule: Rule, example: model.Example) -> dict[str, list[Row]]:
    """Return the example's rows by table: base rows, replaced by given rows of the same key.

    Raises BookError for tables, columns and keys the contract does not allow.
    """
    tables: dict[str, list[Row]] = {}
    for table in sorted({*rule.examples.base, *example.given}):
        shape = contract_load.contract().every.get(table)
        if shape is None:
            raise _wrong(f"there is no table {table} in the contract")
        base, given = rule.examples.base.get(table, []), example.given.get(table, [])
        for row in [*base, *given]:
            _check_row(table, row)
        keyed = {_key(table, row): row for row in given}
        if len(keyed) < len(given):
            raise _wrong(f"two given rows of {table} share the key {', '.join(shape.key)}; state it in each")
        tables[table] = [row for row in base if _key(table, row) not in keyed] + given
    return tables


def _key(table: str, row: Row) -> tuple[str, ...]:
    shape = contract_load.contract().every[table]
    return tuple(str(row.get(name, shape.column(name).example)) for name in shape.key)


def _check_row(table: str, row: Row) -> None:
    shape = contract_load.contract().every[table]
    for name, value in row.items():
        column = shape.by_name.get(name)
        if column is None:
            raise _wrong(f"table {table} has no column {name}; it has: {', '.join(shape.column_names)}")
        if value is None and not column.nullable:
            raise _wrong(f"{table}.{name} may not be null")
        if value is not None and column.enum and value not in column.enum:
            raise _wrong(f"{table}.{name} cannot be {value!r}; one of: {', '.join(column.enum)}")


def _cut(rows: list[Row], columns: frozenset[str]) -> list[Row]:
    return [{name: value for name, value in row.items() if name in columns} for row in rows]


def _compare(rule: Rule, example: model.Example, outcome: Outcome) -> Iterable[str]:
    if example.expect_skipped is not None:
        yield from _compare_skipped(example.expect_skipped, outcome)
        return
    if outcome.verdict is not None and not outcome.verdict.runs:
        yield f"expected it to run; skipped because: {'; '.join(outcome.verdict.because)}"
        return
    yield from _compare_rows("hits", example.expect or [], outcome.hits)
    expected = example.expect_exit or []
    loud = [row for row in outcome.others if row["exit"] in SUSPECT_EXITS or example.expect_exit is not None]
    yield from _compare_rows("other exits", expected, loud)
    yield from _coherent(rule, outcome)


def _compare_skipped(expected: tuple[str, ...], outcome: Outcome) -> Iterable[str]:
    because = outcome.verdict.because if outcome.verdict else ()
    if not because:
        yield f"expected it to be skipped for want of {', '.join(expected)}; it ran"
    for name in expected:
        if because and not any(f" {name} " in f"{text} " for text in because):
            yield f"expected {name} among the reasons for skipping; got: {'; '.join(because)}"


def _compare_rows(what: str, expected: list[Row], got: list[Row]) -> Iterable[str]:
    left = list(got)
    missed = []
    for wanted in expected:
        match = next((row for row in left if not _differences(wanted, row)), None)
        if match is None:
            missed.append(wanted)
        else:
            left.remove(match)
    for wanted in missed:
        near = next((row for row in left if row.get("subject_id") == wanted.get("subject_id")), None)
        if near is None:
            yield f"{what}: expected {_show(wanted)}; got {_show_all(left)}"
        else:
            left.remove(near)
            yield f"{what}: subject {near.get('subject_id')}: {'; '.join(_differences(wanted, near))}"
    if left:
        yield f"{what}: not expected, but came: {_show_all(left)}"


def _differences(wanted: Row, row: Row) -> list[str]:
    return [
        f"{name}: expected {value}, got {row[name]}"
        if name in row
        else f"{name}: the query gives no such column"
        for name, value in wanted.items()
        if name not in row or not same(value, row[name])
    ]


def same(expected: Any, got: Any) -> bool:
    """Return whether a value of an example file is the value a query gave; numbers compare exactly."""
    if expected is None or got is None:
        return expected is None and got is None
    if isinstance(got, bool) or isinstance(expected, bool):
        return expected is got
    if isinstance(got, (int, Decimal)):
        try:
            return Decimal(str(expected)) == got
        except InvalidOperation:
            return False
    if isinstance(got, datetime):
        return _moment_text(expected) == _moment_text(got)
    return str(expected) == str(got)


def _moment_text(value: Any) -> str:
    text = value.isoformat(sep=" ") if isinstance(value, datetime) else str(value).replace("T", " ")
    return text if len(text) > 10 else f"{text} 00:00:00"


def _coherent(rule: Rule, outcome: Outcome) -> Iterable[str]:
    """Yield breaches of what every rule promises: one hit a subject, known codes, inside the population."""
    subjects = [row["subject_id"] for row in outcome.hits]
    twice = sorted({str(subject) for subject in subjects if subjects.count(subject) > 1})
    if twice:
        yield f"more than one hit for subject {', '.join(twice)}; a finding is per subject and episode"
    for row in outcome.rows:
        yield from _row_promises(rule, row)
    if outcome.subjects is not None:
        outside = sorted({str(row["subject_id"]) for row in outcome.rows} - outcome.subjects)
        if outside:
            yield f"judged outside its population: {', '.join(outside)}"
    elif len(outcome.rows) > outcome.population:
        yield f"{len(outcome.rows)} rows out of a population of {outcome.population}; mend `population`"


def _row_promises(rule: Rule, row: Row) -> Iterable[str]:
    who = f"subject {row['subject_id']}"
    if row["subject_id"] is None:
        yield "a row without subject_id"
    if row["exit"] not in model.EXITS:
        yield f"{who}: exit {row['exit']!r} is none of {', '.join(model.EXITS)}"
    if row["reason"] not in rule.sheet.reasons:
        yield f"{who}: reason {row['reason']!r} is not declared under `reasons`"
    if row["exit"] == "hit" and row["band"] not in rule.sheet.bands:
        yield f"{who}: band {row['band']!r} is not declared under `bands`"
    if row["exit"] != "hit" and row["band"] is not None:
        yield f"{who}: exit {row['exit']} must have no band"
    if row["period_start"] is None or row["period_end"] is None or row["period_end"] <= row["period_start"]:
        yield f"{who}: period {row['period_start']} to {row['period_end']} is empty"
    for name in model.MONEY:
        if row[name] is not None and row[name] < 0:
            yield f"{who}: {name} is {row[name]}, below zero"


def _show(row: Row) -> str:
    return "{" + ", ".join(f"{name}: {value}" for name, value in row.items() if value is not None) + "}"


def _show_all(rows: list[Row]) -> str:
    return "; ".join(_show(row) for row in rows) or "nothing"


def _wrong(what: str) -> errors.BookError:
    return errors.BookError(
        what,
        why="an example that is read differently from how it was meant proves nothing",
        mend="correct examples.yaml",
    )


def _as_book_error(error: Exception, rule: Rule, example: model.Example) -> errors.BookError:
    if isinstance(error, errors.BookError):
        return error
    return _wrong(f"{rule.id} example {example.name!r}: {' / '.join(str(error).splitlines())}")


def prove_all(*, book: Book, rules: Iterable[Rule]) -> dict[str, list[Failure]]:
    """Return the failures of each rule's examples, proven one after the other in one process."""
    prover = Prover(book)
    try:
        return {rule.id: prover.prove(rule) for rule in rules}
    finally:
        prover.bench.close()
