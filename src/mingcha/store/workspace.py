"""A workspace: the folder with `mingcha.toml` and the lake in which one utility's data lives."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mingcha.kernel import errors
from mingcha.store import atomic, locks, settings

if TYPE_CHECKING:
    import duckdb

SETTINGS_FILE = "mingcha.toml"
_FOLDERS = ("files", "snapshots", "runs", "cache", "tmp")


@dataclass(frozen=True, slots=True)
class Workspace:
    """An opened workspace."""

    path: Path
    settings: settings.Settings

    @staticmethod
    def create(path: Path) -> Workspace:
        """Make a workspace with default settings and an empty lake; raises SetupError if one is there."""
        path = path.resolve()
        if (path / SETTINGS_FILE).exists():
            raise errors.SetupError(
                f"{path} is a workspace already",
                why="making it anew would lose the settings and the data in it",
                mend="use it as it is, or choose another folder",
            )
        try:
            for folder in _FOLDERS:
                atomic.make_folder(path / "lake" / folder)
            draft = path / f".{SETTINGS_FILE}-{os.getpid()}"
            draft.write_text(settings.template(), encoding="utf-8")
            # The settings come last: a folder without them is not a workspace.
            atomic.publish_file(draft, path / SETTINGS_FILE)
        except OSError as error:
            raise errors.SetupError(
                f"{path}: a workspace cannot be made here: {error.strerror or error}",
                why="settings and data are kept in this folder",
                mend="choose a folder you may write to, on a disk with space",
            ) from error
        return Workspace.open(path)

    @staticmethod
    def open(path: Path) -> Workspace:
        """Return the workspace in the folder.

        Raises SetupError when there is none, or its settings are wrong.
        """
        path = path.resolve()
        file = path / SETTINGS_FILE
        if not file.is_file():
            raise errors.SetupError(
                f"{path} is not a workspace: there is no {SETTINGS_FILE} in it",
                why="settings and data are read from a workspace",
                mend=f"go to the workspace, name it with -w DIR, or make one: mingcha init {path}",
            )
        return Workspace(path=path, settings=settings.load(file))

    @property
    def lake(self) -> Path:
        """Return the folder of the lake; only `mingcha.store` reads and writes in it."""
        return self.path / "lake"

    def connect(
        self, *, memory_limit: str | None = None, threads: int | None = None
    ) -> duckdb.DuckDBPyConnection:
        """Return a DuckDB connection with this workspace's settings, spilling into its lake."""
        from mingcha.store import duck

        engine = self.settings.engine
        return duck.connect(
            workspace_tmp=_spill(self.lake),
            memory_limit=memory_limit or engine.memory_limit,
            threads=threads or engine.threads,
            timezone=self.settings.organisation.timezone,
        )


_spills: dict[tuple[Path, int], locks.Scratch] = {}


def _spill(lake: Path) -> Path:
    """Return this process's folder for rows that do not fit in memory, kept until the process ends."""
    import atexit

    # The number of the process is part of the key: a fork must not use its parent's folder.
    key = (lake, os.getpid())
    if key not in _spills:
        _spills[key] = locks.Scratch(lake=lake, purpose="spill")
        atexit.register(_spills[key].close)
    return _spills[key].path
