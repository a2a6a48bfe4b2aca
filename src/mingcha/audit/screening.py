"""Screening a workspace: the rules over one snapshot, and what could be checked at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from mingcha.audit import deliveries, rerating
from mingcha.contract import load as contract_load
from mingcha.kernel import errors
from mingcha.kernel.periods import BillingMonth
from mingcha.rules import book as books
from mingcha.rules import coverage, graph, moments, overlay, record, run
from mingcha.store import snapshots
from mingcha.store.workspace import Workspace

Progress = Callable[[str], None]


def screen(
    *,
    workspace: Workspace,
    made_at: datetime,
    periods: Sequence[BillingMonth] = (),
    rules: Sequence[str] = (),
    snapshot_id: str | None = None,
    use_cache: bool = True,
    progress: Progress | None = None,
) -> record.RunRecord:
    """Run the rules over a snapshot (the newest by default) with the workspace's overlays.

    `periods` defaults to the last complete month, `rules` to all. Months a chosen rule wants re-rated are
    re-rated first, where that was not done. Raises SetupError without a delivery,
    BookError for a broken book and for a pattern that fits no rule, Refusal when no month can be told.
    """
    snapshot = deliveries.chosen(workspace=workspace, snapshot_id=snapshot_id)
    book = books.load()
    months = sorted(set(periods)) or [moments.default_period(snapshot)]
    rerated = moments.NOTHING_RERATED
    if _rerating_needed(book, rules):
        rerated = rerating.ensure(
            workspace=workspace,
            snapshot=snapshot,
            periods=months,
            made_at=made_at,
            progress=_rating(progress),
        )
    paths = overlay.files_of(workspace=workspace.path, named=workspace.settings.rules.overlay)
    return run.screen(
        workspace=workspace,
        snapshot=snapshot,
        book=book,
        made_at=made_at,
        periods=months,
        rules=rules,
        rerated=rerated,
        overlay=overlay.load(paths=paths, book=book),
        options=run.Options(use_cache=use_cache),
        progress=_counted(progress),
    )


def _rerating_needed(book: books.Book, rules: Sequence[str]) -> bool:
    """Return whether a rule that will be asked reads a derived table, directly or through relations."""
    reading = graph.Graph(book)
    chosen, _ = run.select(book=book, globs=tuple(rules))
    derived = set(contract_load.contract().derived)
    return any(not derived.isdisjoint(reading.tables_of(reading.rule_reads(rule))) for rule in chosen)


def _rating(progress: Progress | None) -> Progress | None:
    if progress is None:
        return None
    told = progress
    return lambda what: told(f"re-rating {what}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """Whether one rule can run on a snapshot, why not, and what it would have to do without."""

    rule_id: str
    title: dict[str, str]
    status: str
    runs: bool
    because: tuple[str, ...]
    not_applied: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What the rules can check on a snapshot, judged for one month."""

    snapshot_id: str
    period: str | None
    rules: tuple[Covered, ...]


def coverage_of(
    *, workspace: Workspace, snapshot_id: str | None = None, period: BillingMonth | None = None
) -> Coverage:
    """Return, per rule, whether it can run, and if not which table, column or history is missing."""
    snapshot = deliveries.chosen(workspace=workspace, snapshot_id=snapshot_id)
    book = books.load()
    month = period or _month(snapshot)
    verdicts = (
        coverage.coverage(
            snapshot=snapshot,
            book=book,
            period=month,
            rerated=rerating.found(workspace=workspace, snapshot=snapshot, periods=[month]),
        )
        if month
        else _without_month(book, snapshot)
    )
    covered = tuple(_covered(book.rules[verdict.rule_id], verdict) for verdict in verdicts)
    return Coverage(snapshot_id=snapshot.id, period=str(month) if month else None, rules=covered)


def _without_month(book: books.Book, snapshot: snapshots.Snapshot) -> list[coverage.Verdict]:
    """Return what tables and columns alone allow: without any month, history cannot be judged."""
    reading = graph.Graph(book)
    there = moments.delivered(snapshot)
    return [
        coverage.judge(rule=rule, graph=reading, delivered=there)
        for _, rule in sorted(book.rules.items())
        if rule.sheet.status != "retired"
    ]


def _month(snapshot: snapshots.Snapshot) -> BillingMonth | None:
    try:
        return moments.default_period(snapshot)
    except errors.Refusal:
        return None


def _covered(rule: books.Rule, verdict: coverage.Verdict) -> Covered:
    draft = rule.sheet.status == "draft"
    return Covered(
        rule_id=rule.id,
        title={"zh": rule.sheet.title.zh, "en": rule.sheet.title.en},
        status=rule.sheet.status,
        runs=verdict.runs and not draft,
        because=(*verdict.because, *(("it is a draft",) if draft else ())),
        not_applied=verdict.not_applied,
        notes=verdict.notes,
    )


def _counted(progress: Progress | None) -> run.Progress | None:
    if progress is None:
        return None
    told = progress

    def show(what: str, done: int, there: int) -> None:
        told(f"{what} ({done + 1} of {there})" if what else f"{there} rules asked, writing the run")

    return show
