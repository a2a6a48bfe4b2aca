"""Options several commands share."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mingcha.cli import session
from mingcha.findings import words
from mingcha.kernel import errors

LanguageOption = Annotated[
    str | None,
    typer.Option("--lang", metavar="zh|en", help="Language; default: the workspace's.", show_default=False),
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="File; default: standard output.", show_default=False),
]
SnapshotOption = Annotated[
    str | None,
    typer.Option("--snapshot", metavar="ID", help="Snapshot; default: the newest.", show_default=False),
]
TableOption = Annotated[
    str | None,
    typer.Option("--table", metavar="T", help="Only this table of the contract.", show_default=False),
]


def language(current: session.Session, asked: str | None) -> str:
    """Return the language asked for, else the workspace's; raises Refusal for any other word."""
    if asked is None:
        return str(current.workspace().settings.organisation.language)
    if asked not in words.LANGUAGES:
        raise errors.Refusal(
            f"--lang {asked}: there is no such language here",
            why="rules, contract and findings are written in Chinese and English",
            mend="choose zh or en",
        )
    return asked


def one_of(option: str, asked: str, known: tuple[str, ...]) -> str:
    """Return what was asked if it is known; raises Refusal naming the choices."""
    if asked not in known:
        raise errors.Refusal(
            f"{option} {asked}: there is no such choice",
            why="a choice that is not understood is not guessed",
            mend=f"choose one of {', '.join(known)}",
        )
    return asked


def not_for_a_terminal(kind: str) -> None:
    """Raise Refusal when binary output would go to a terminal."""
    if sys.stdout.isatty():
        raise errors.Refusal(
            f"{kind} is not for a terminal",
            why="its bytes would be shown as broken text",
            mend="name a file with --out FILE",
        )
