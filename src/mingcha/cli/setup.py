"""`mingcha init`: a workspace to work in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mingcha.cli import console, session

FolderArgument = Annotated[
    Path | None,
    typer.Argument(metavar="DIR", help="Folder of the workspace; made where missing.", show_default=False),
]


def init(current: session.Session, folder: FolderArgument = None) -> None:
    """Make a workspace 建立工作区: settings in mingcha.toml and an empty lake."""
    from mingcha.store import workspace

    made = workspace.Workspace.create(folder or current.path)
    if current.json:
        console.document({"workspace": str(made.path), "settings": str(made.path / workspace.SETTINGS_FILE)})
        return
    console.out(f"Workspace {made.path}")
    console.note(f"Next: mingcha data ingest SOURCE -w {made.path}")
