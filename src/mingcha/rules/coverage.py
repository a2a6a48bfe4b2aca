"""Which rules can run on what was delivered, and why the others cannot: never silence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mingcha.contract import load as contract_load
from mingcha.kernel.periods import BillingMonth
from mingcha.rules import moments
from mingcha.rules.book import Book, Rule
from mingcha.rules.graph import Graph, Source
from mingcha.store import snapshots

HISTORY_TABLES = ("bill", "bill_line", "reading", "daily_energy", "load_curve")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a rule can run; if not, why; if so, which exclusions and columns it runs without."""

    rule_id: str
    because: tuple[str, ...] = ()
    not_applied: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def runs(self) -> bool:
        """Return whether nothing required is missing."""
        return not self.because


def coverage(
    *,
    snapshot: snapshots.Snapshot,
    book: Book,
    period: BillingMonth | None = None,
    rerated: moments.Rerated = moments.NOTHING_RERATED,
) -> list[Verdict]:
    """Return, for every rule of the book that is not retired, whether it can run on the snapshot.

    `period` is the month that would be screened, by default the last complete one; `rerated` are its derived
    tables.
    """
    month = period or moments.default_period(snapshot)
    graph = Graph(book)
    rules = sorted((rule for rule in book.rules.values()), key=lambda rule: rule.id)
    return [
        judge_on(snapshot=snapshot, rule=rule, graph=graph, period=month, rerated=rerated)
        for rule in rules
        if rule.sheet.status != "retired"
    ]


def judge_on(
    *,
    snapshot: snapshots.Snapshot,
    rule: Rule,
    graph: Graph,
    period: BillingMonth,
    rerated: moments.Rerated = moments.NOTHING_RERATED,
) -> Verdict:
    """Return whether a rule can run on a snapshot, counting tables, columns and months of history."""
    there = moments.delivered(snapshot, rerated)
    verdict = judge(rule=rule, graph=graph, delivered=there, underived=rerated.because)
    if not verdict.runs:
        return verdict
    tables = {source.name for source in graph.sources(rule, exact=False) if not source.optional}
    months = moments.history(snapshot=snapshot, tables=tables & set(HISTORY_TABLES), period=period)
    because, note = history_said(rule=rule, history=months)
    notes = [note] if note else []
    if rerated.without and not tables.isdisjoint(contract_load.contract().derived):
        notes.append(f"bills re-rated without: {', '.join(rerated.without)}")
    return Verdict(rule.id, (because,) if because else (), verdict.not_applied, tuple(notes))


def judge(
    *, rule: Rule, graph: Graph, delivered: moments.Delivered, underived: str = moments.NOT_YET
) -> Verdict:
    """Return whether `rule` can run on the tables and columns of `delivered`.

    A required table or column that is missing is named with the relations that ask for it; an
    optional one is listed under `not_applied`. `underived` says why derived tables are not there.
    """
    if not any(_lacks(source, delivered, rule) for source in graph.sources(rule, exact=False)):
        return Verdict(rule.id)
    because: list[str] = []
    not_applied: list[str] = []
    for source in graph.sources(rule):
        for lack, optional in _lacks(source, delivered, rule):
            if optional:
                not_applied.append(_spared(source, lack, rule))
            else:
                because.append(_told(source, lack, underived))
    return Verdict(rule.id, tuple(dict.fromkeys(because)), tuple(dict.fromkeys(not_applied)))


def history_said(*, rule: Rule, history: Mapping[str, int]) -> tuple[str | None, str | None]:
    """Return (why the rule cannot run, what to note) about months of history, from {table: months there}.

    With no month before the screened one in any table a rule with history cannot judge, unless its sheet
    says `history_optional`; with fewer than it asks for it runs, and says so.
    """
    wanted = rule.sheet.history_months
    if wanted == 0 or not history:
        return None, None
    if max(history.values()) == 0 and not rule.sheet.history_optional:
        return f"no history: needs {wanted} months before the screened one, the data begin with it", None
    table, there = min(history.items(), key=lambda item: (item[1], item[0]))
    if there < wanted:
        return None, f"history short: have {there} of {wanted} months ({table})"
    return None, None


def _lacks(source: Source, delivered: moments.Delivered, rule: Rule) -> list[tuple[str, bool]]:
    """Return (what is missing, whether the rule may run without it)."""
    if source.name not in delivered:
        return [(f"table {source.name}", source.optional)]
    missing = [column for column in source.columns if column not in delivered[source.name]]
    return [
        (
            f"column {source.name}.{column}",
            source.optional or column in source.spared,
        )
        for column in missing
    ]


def _told(source: Source, lack: str, underived: str) -> str:
    missing = underived if source.name in contract_load.contract().derived else "not delivered"
    chain = f" (needed by relation {' of '.join(reversed(source.chain))})" if source.chain else ""
    return f"{lack} {missing}{chain}"


def _spared(source: Source, lack: str, rule: Rule) -> str:
    """Return the name by which the author knows what is missing: the optional relation, or the table."""
    for relation in source.chain:
        if relation in rule.sheet.optional:
            return relation
    return lack.split(" ", 1)[1]
