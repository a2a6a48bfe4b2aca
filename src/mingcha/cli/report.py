"""`mingcha report`: a run as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mingcha.cli import choices, console, progress, session

OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="FILE", help="File; default: report.html in the workspace.", show_default=False
    ),
]
RunOption = Annotated[
    str | None, typer.Option("--run", metavar="ID", help="Run; default: the newest.", show_default=False)
]


def report(
    current: session.Session,
    *,
    run: RunOption = None,
    out: OutOption = None,
    lang: choices.LanguageOption = None,
) -> None:
    """Write the report of a run 筛查报告: one HTML file that opens by itself, without network."""
    from mingcha.audit.report import build

    workspace = current.workspace()
    target = out or workspace.path / "report.html"
    language = choices.language(current, lang)
    with progress.showing("writing the report"):
        run_id = build.write(workspace=workspace, target=target, language=language, run_id=run)
    if current.json:
        console.document({"out": str(target), "run_id": run_id, "language": language})
    else:
        console.out(f"Report of run {run_id}: {target}")
