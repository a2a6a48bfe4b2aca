"""`mingcha demo build`: from nothing to findings and a report, on a utility that does not exist."""

from __future__ import annotations

import json
import secrets
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mingcha.cli import bills, choices, console, intake, progress, screening, session, synth
from mingcha.kernel import errors

if TYPE_CHECKING:
    from mingcha.audit import recall, rerating
    from mingcha.rules import record
    from mingcha.store.workspace import Workspace

HELP = "The demo utility 演示: from nothing to findings and a report."

BOOKS = "utility"
ORDER = "demo.json"
REPORT = "report.html"

FolderArgument = Annotated[
    Path,
    typer.Argument(metavar="DIR", help="Folder of the demo: workspace, books and report; made if missing."),
]


@dataclass(frozen=True)
class _Order:
    """Which utility was asked for; kept beside the books, so that a second build takes up the first."""

    customers: int
    months: int
    seed: int


def build(
    current: session.Session,
    folder: FolderArgument,
    *,
    customers: synth.CustomersOption = synth.CUSTOMERS,
    months: synth.MonthsOption = synth.MONTHS,
    seed: synth.SeedOption = synth.SEED,
    lang: choices.LanguageOption = None,
) -> None:
    """Make a demo utility, take it in, re-rate and screen it, write the report 演示全程.

    A build that was broken off is taken up where it stopped; a finished one is only screened again.
    """
    from mingcha.audit.report import build as reports

    current.folder = folder
    _make_books(folder, _Order(customers, months, seed), quiet=current.json)
    workspace = _workspace(folder)
    language = choices.language(current, lang)
    _take_in(current, workspace, language)
    month = _rerate(current, workspace)
    made = _screen(current, workspace)
    scores = _scores(workspace, made)
    reports.write(workspace=workspace, target=folder / REPORT, language=language, run_id=made.run_id)
    if current.json:
        console.document(_document(folder, month, made, scores))
        return
    for line in bills.told(month, language=language):
        console.out(line)
    console.out()
    screening.tell(made, language=language)
    _tell_scores(scores)
    console.out(f"Report: {(folder / REPORT).resolve()}")
    console.note(f"Next: mingcha findings list -w {folder}")


def _make_books(folder: Path, order: _Order, *, quiet: bool) -> None:
    books = folder / BOOKS
    if books.is_dir():
        _same_order(folder, order)
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())) and not (folder / ORDER).is_file():
        raise errors.SetupError(
            f"{folder} is there already and holds something other than a demo",
            why="the demo writes a workspace, books and a report there",
            mend="name a new folder",
        )
    from mingcha.synth import generate

    folder.mkdir(parents=True, exist_ok=True)
    (folder / ORDER).write_text(json.dumps(asdict(order)), encoding="utf-8")
    draft = folder / f".{BOOKS}-{secrets.token_hex(4)}"
    try:
        with progress.showing("making the utility") as show:
            made = generate.generate(out=draft, **asdict(order), progress=show)
        # Renamed when whole: a build broken off here begins the books anew, and never ingests half of them.
        draft.rename(books)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    if not quiet:
        total = sum(made.rows.values())
        console.out(
            f"Utility of {order.customers:,} customers: {len(made.rows)} tables, {total:,} rows in {books}"
        )


def _same_order(folder: Path, order: _Order) -> None:
    try:
        held = json.loads((folder / ORDER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        held = None
    if held != asdict(order):
        raise errors.SetupError(
            f"{folder} holds another demo: {held or 'nobody knows which'}",
            why="books of two utilities in one workspace would be taken for one",
            mend="name a new folder, or ask for the same customers, months and seed",
        )


def _workspace(folder: Path) -> Workspace:
    from mingcha.store import workspace

    if (folder / workspace.SETTINGS_FILE).is_file():
        return workspace.Workspace.open(folder)
    return workspace.Workspace.create(folder)


def _take_in(current: session.Session, workspace: Workspace, language: str) -> None:
    from mingcha.ingest import deliver
    from mingcha.store import snapshots

    if snapshots.latest(workspace) is not None:
        return
    with progress.showing("taking in") as show:
        made = deliver.deliver(
            workspace=workspace, source=workspace.path / BOOKS, made_at=current.now, progress=show
        )
    if not current.json:
        intake.tell(made, language=language, next_steps=False)
        console.out()


def _rerate(current: session.Session, workspace: Workspace) -> rerating.Month:
    """Re-rate the bills of the month that will be screened."""
    from mingcha.audit import rerating

    with progress.showing("re-rating") as show:
        made = rerating.rerate(workspace=workspace, made_at=current.now, progress=show)
    return made.months[0]


def _screen(current: session.Session, workspace: Workspace) -> record.RunRecord:
    from mingcha.audit import screening as screenings

    with progress.showing("screening") as show:
        return screenings.screen(workspace=workspace, made_at=current.now, progress=show)


def _scores(workspace: Workspace, made: record.RunRecord) -> tuple[recall.Score, ...]:
    from mingcha.audit import casebook, recall

    with casebook.opened(workspace=workspace) as cases:
        return recall.score(
            truth=workspace.path / BOOKS / "truth.csv",
            cases=cases,
            run_id=made.run_id,
            rules=[entry.rule_id for entry in made.live],
        )


def _tell_scores(scores: tuple[recall.Score, ...]) -> None:
    planted, found = sum(one.planted for one in scores), sum(one.found for one in scores)
    innocent, accused = sum(one.innocent for one in scores), sum(one.accused for one in scores)
    console.out()
    console.out(
        f"Planted faults found: {found} of {planted}. Innocents accused: {accused} of {innocent}. "
        f"(answers: {BOOKS}/truth.csv)"
    )
    for one in scores:
        if one.found < one.planted or one.accused:
            console.out(
                f"  {one.rule_id}  found {one.found} of {one.planted}, "
                f"accused {one.accused} of {one.innocent}"
            )


def _document(
    folder: Path, month: rerating.Month, made: record.RunRecord, scores: tuple[recall.Score, ...]
) -> dict[str, Any]:
    return {
        "workspace": str(folder.resolve()),
        "report": str((folder / REPORT).resolve()),
        "rerated": month.as_json(),
        "run": made.as_json(),
        "recall": [asdict(one) for one in scores],
    }


COMMANDS: dict[str, session.Command] = {"build": build}
