"""Running command lines in this process, as `mingcha` itself would."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mingcha.cli import main


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out, parse_float=Decimal)


Run = Callable[..., Ran]


@pytest.fixture
def mingcha(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.delenv("MINGCHA_WORKSPACE", raising=False)

    def run(*arguments: str | Path) -> Ran:
        capfd.readouterr()
        code = main.run([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


@pytest.fixture
def workspace(tmp_path: Path, mingcha: Run) -> Path:
    folder = tmp_path / "工作区 one"
    assert mingcha("init", folder).code == 0
    return folder


def three_parts(text: str) -> bool:
    """Return whether a message says what, why and how, and shows no trace."""
    return (
        "Why it matters: " in text
        and "How to put it right: " in text
        and "Traceback" not in text
        and text[0] != " "
    )
