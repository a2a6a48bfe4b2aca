"""Journeys run the real command line in processes of their own, in a folder of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Done:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out, parse_float=Decimal)


Mingcha = Callable[..., Done]


def ran(arguments: Sequence[str], *, folder: Path, **environment: str) -> Done:
    known = {name: value for name, value in os.environ.items() if name != "MINGCHA_WORKSPACE"}
    done = subprocess.run(
        [sys.executable, "-m", "mingcha.cli", *arguments],
        cwd=folder,
        env={**known, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def mingcha(tmp_path: Path) -> Mingcha:
    def run(*arguments: str | Path) -> Done:
        return ran([str(argument) for argument in arguments], folder=tmp_path)

    return run


def picture(folder: Path) -> dict[str, bytes]:
    """Return everything of a workspace that must not change when a command fails."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not {"tmp", "cache"} & set(path.parts)
        and path.name not in ("lock", "runs.lock")
    }
