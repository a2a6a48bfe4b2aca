"""Use case: write the report of a run to a file."""

from __future__ import annotations

from pathlib import Path

from mingcha.audit import casebook
from mingcha.audit.report import content, page
from mingcha.findings import export
from mingcha.store.workspace import Workspace


def write(*, workspace: Workspace, target: Path, language: str, run_id: str | None = None) -> str:
    """Write the report of a run (the newest by default) and return the run's id.

    Raises SetupError when nothing was screened yet or the file cannot be written.
    """
    run = content.chosen_run(workspace=workspace, run_id=run_id)
    with casebook.opened(workspace=workspace) as cases:
        told = content.gather(cases=cases, run=run, language=language)
    text = page.render(told=told)
    with export.whole_file(target) as draft:
        draft.write_text(text, encoding="utf-8")
    return str(run.id)
