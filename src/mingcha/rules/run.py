"""Screening: the rulebook over one snapshot for one or several months, told in full.

Every rule that was asked for ends in exactly one place of the record: run, skipped (with what is missing)
or failed (with what went wrong). One rule's mistake never stops the others.
"""

from __future__ import annotations

import fnmatch
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from mingcha.kernel import errors
from mingcha.kernel.periods import BillingMonth
from mingcha.rules import asking, coverage, episodes, harvest, lock, moments, record, sameness
from mingcha.rules import overlay as overlays
from mingcha.rules.asking import Answer
from mingcha.rules.bench import broken
from mingcha.rules.book import Book, Rule
from mingcha.rules.fuse import BIG_ROWS, WORTH, Fuser
from mingcha.rules.graph import Graph
from mingcha.rules.record import RunRecord, Skipped
from mingcha.rules.stage import Stage
from mingcha.store import cache, snapshots
from mingcha.store import runs as store_runs
from mingcha.store.workspace import Workspace

if TYPE_CHECKING:
    import duckdb

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many rules are done, and how many there are."""


@dataclass(frozen=True)
class Options:
    """How to screen: what differs in speed but never in what is found."""

    use_cache: bool = True
    fuse: bool = True
    fuse_least: int = 2
    fuse_from_rows: int = BIG_ROWS
    fuse_worth: float = WORTH


@dataclass
class _Screening:
    workspace: Workspace
    stage: Stage
    overlay: overlays.Overlay
    options: Options
    progress: Progress
    versions: dict[str, int]
    answers: dict[str, Answer] = field(default_factory=dict)
    verdicts: dict[str, coverage.Verdict] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    failed: list[Skipped] = field(default_factory=list)

    @property
    def con(self) -> duckdb.DuckDBPyConnection:
        return self.stage.con


def screen(
    *,
    workspace: Workspace,
    snapshot: snapshots.Snapshot,
    book: Book,
    made_at: datetime,
    periods: Sequence[BillingMonth] = (),
    rules: Iterable[str] = (),
    overlay: overlays.Overlay | None = None,
    progress: Progress | None = None,
    options: Options | None = None,
    rerated: moments.Rerated = moments.NOTHING_RERATED,
) -> RunRecord:
    """Run rules of the book over a snapshot, write the run, and return its record.

    `periods` defaults to the last complete billing month; `rules` are globs on ids and areas, all when
    empty; `rerated` are the derived tables of these periods. Raises BookError when a glob matches nothing,
    Refusal when no period can be told.
    """
    started = time.perf_counter()
    chosen, skipped = select(book=book, globs=tuple(rules))
    months = sorted(set(periods)) or [moments.default_period(snapshot)]
    con = workspace.connect()
    try:
        stage = Stage(
            con=con,
            snapshot=snapshot,
            graph=Graph(book),
            periods=months,
            data_date=moments.data_date(snapshot, months[-1]),
            rerated=rerated,
        )
        work = _Screening(
            workspace,
            stage,
            overlay or overlays.Overlay(),
            options or Options(),
            progress or (lambda *_: None),
            lock.versions(book),
            skipped=skipped,
        )
        _ask_all(work, _runnable(work, chosen))
        _conclude(work)
        result = _write(work, made_at=made_at, globs=tuple(rules), started=started)
    finally:
        con.close()
    if work.options.use_cache:
        cache.prune(workspace)
    return result


def select(*, book: Book, globs: tuple[str, ...]) -> tuple[list[Rule], list[Skipped]]:
    """Return the rules meant by the globs, and those among them that are drafts and therefore skipped.

    A glob matches an id (MET-*), an area (metering) or a place (metering/*). Raises BookError when one
    matches nothing.
    """
    known = [rule for rule in book.rules.values() if rule.sheet.status != "retired"]
    for glob in globs:
        if not any(_matches(rule, glob) for rule in known):
            raise errors.BookError(
                f"no rule matches {glob}",
                why="a rule asked for and not run would look like a clean result",
                mend="give an id, an area or a pattern of ids such as MET-*; `mingcha rules list` names them",
            )
    meant = sorted(
        (rule for rule in known if not globs or any(_matches(rule, glob) for glob in globs)),
        key=lambda rule: rule.id,
    )
    drafts = [Skipped(rule.id, "it is a draft") for rule in meant if rule.sheet.status == "draft"]
    return [rule for rule in meant if rule.sheet.status != "draft"], drafts


def _matches(rule: Rule, glob: str) -> bool:
    return any(fnmatch.fnmatchcase(name, glob) for name in (rule.id, rule.sheet.area, rule.name))


def _runnable(work: _Screening, rules: list[Rule]) -> list[Rule]:
    """Return the rules that can run; note the others as skipped, with what is missing."""
    runnable = []
    for rule in rules:
        verdict = coverage.judge_on(
            snapshot=work.stage.snapshot,
            rule=rule,
            graph=work.stage.graph,
            period=work.stage.periods[0],
            rerated=work.stage.rerated,
        )
        work.verdicts[rule.id] = verdict
        if verdict.runs:
            runnable.append(rule)
        else:
            work.skipped.append(Skipped(rule.id, "; ".join(verdict.because)))
    return runnable


def _ask_all(work: _Screening, rules: list[Rule]) -> None:
    import duckdb

    fuser = _fuser(work, rules)
    waiting = {rule.id: set(work.stage.graph.relations_for(rule)) for rule in rules}
    for number, rule in enumerate(rules):
        work.progress(f"{rule.id} {rule.sheet.title.en}", number, len(rules))
        try:
            work.answers[rule.id] = asking.ask(
                stage=work.stage,
                workspace=work.workspace,
                rule=rule,
                overlay=work.overlay,
                use_cache=work.options.use_cache,
                fuser=fuser,
            )
        except duckdb.InterruptException:
            raise
        except (duckdb.Error, errors.BookError) as error:
            said = error.what if isinstance(error, errors.BookError) else broken(error, rule.id).what
            work.failed.append(Skipped(rule.id, said))
        done = waiting.pop(rule.id)
        work.stage.release(
            reversed([name for name in work.stage.graph.relations_of(done) if _free(name, waiting)])
        )
    work.progress("", len(rules), len(rules))


def _fuser(work: _Screening, rules: list[Rule]) -> Fuser | None:
    """Return what shares scans among the rules that must really be asked; None when that is switched off."""
    if not work.options.fuse:
        return None
    fresh = [
        rule
        for rule in rules
        if not work.options.use_cache
        or not asking.remembered(stage=work.stage, workspace=work.workspace, rule=rule, overlay=work.overlay)
    ]
    return Fuser(
        stage=work.stage,
        rules=fresh,
        overlay=work.overlay,
        least=work.options.fuse_least,
        big_rows=work.options.fuse_from_rows,
        worth=work.options.fuse_worth,
    )


def _free(name: str, waiting: dict[str, set[str]]) -> bool:
    return all(name not in names for names in waiting.values())


def _conclude(work: _Screening) -> None:
    """Settle sameness, episodes and evidence once all rules have answered."""
    con = work.con
    harvest.prepare(con)
    sameness.apply_yields(con=con, answers=work.answers)
    episodes.load_former(con=con, workspace=work.workspace, periods=work.stage.periods)
    for rule_id, answer in work.answers.items():
        episodes.resolve(con=con, answer=answer, periods=work.stage.periods)
        harvest.gather(
            con=con,
            answer=answer,
            version=work.versions.get(rule_id, 1),
            not_applied=work.verdicts[rule_id].not_applied,
        )
    for table in (harvest.FINDINGS, harvest.TRIAL):
        harvest.mark_upstream(con=con, sql=sameness.upstream_sql(findings=table), table=table)


def _write(work: _Screening, *, made_at: datetime, globs: tuple[str, ...], started: float) -> RunRecord:
    stage = work.stage
    entries = [
        record.entry(
            con=work.con,
            answer=answer,
            verdict=work.verdicts[rule_id],
            version=work.versions.get(rule_id, 1),
        )
        for rule_id, answer in work.answers.items()
    ]
    result = RunRecord(
        run_id="",
        snapshot_id=str(stage.snapshot.id),
        periods=tuple(str(month) for month in stage.periods),
        data_date=stage.data_date,
        asked=globs,
        rules_skipped=tuple(work.skipped),
        rules_failed=tuple(work.failed),
        per_rule=tuple(entries),
        relations=tuple(stage.built),
        derived=stage.rerated.keys,
        seconds=round(time.perf_counter() - started, 3),
    )
    content = {
        "periods": result.periods,
        "asked": globs,
        **({"derived": result.derived} if result.derived else {}),
        "rules": {entry.rule_id: [entry.version, entry.parameters] for entry in entries},
        "skipped": [[skip.rule_id, skip.because] for skip in (*work.skipped, *work.failed)],
    }
    run = store_runs.write(
        work.workspace,
        con=work.con,
        snapshot=stage.snapshot,
        made_at=made_at,
        content=content,
        record=result.as_json(),
        tables={
            "findings": f"SELECT * FROM {harvest.FINDINGS}",
            "trial": f"SELECT * FROM {harvest.TRIAL}",
            "exits": f"SELECT * FROM {harvest.EXITS}",
        },
    )
    return result.with_id(str(run.id))
