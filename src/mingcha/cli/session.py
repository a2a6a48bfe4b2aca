"""What every command shares: the workspace, whether a program or a person reads, and the debug switch.

The three options stand before and after the sub command alike; what is said last counts.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from mingcha.store.workspace import Workspace

WORKSPACE_VARIABLE = "MINGCHA_WORKSPACE"
Command = Callable[..., None]

WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        "-w",
        metavar="DIR",
        help=f"Workspace 工作区; default: {WORKSPACE_VARIABLE}, else the current folder.",
        show_default=False,
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="One JSON document on standard output; words go to standard error.")
]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show the trace of an error.")]


@dataclass
class Session:
    """One invocation: where it works and how it speaks."""

    folder: Path | None = None
    json: bool = False
    debug: bool = False
    context: typer.Context | None = None

    def workspace(self) -> Workspace:
        """Return the workspace the options name; raises SetupError when there is none."""
        from mingcha.store import workspace

        return workspace.Workspace.open(self.path)

    @property
    def path(self) -> Path:
        """Return the folder the options, the environment or the current folder name."""
        return self.folder or Path(os.environ.get(WORKSPACE_VARIABLE) or ".")

    @property
    def now(self) -> datetime:
        """Return the present moment with its zone; the only clock of the whole program."""
        return datetime.now().astimezone()


def options(function: Command) -> Command:
    """Return a command that also takes the common options; `function` gets the Session first."""
    signature = inspect.signature(function, eval_str=True)
    own = list(signature.parameters.values())[1:]

    def command(ctx: typer.Context, **given: Any) -> None:
        session = ctx.ensure_object(Session)
        session.context = ctx
        session.folder = given.pop("workspace") or session.folder
        session.json = given.pop("as_json") or session.json
        session.debug = given.pop("debug") or session.debug
        function(session, **given)

    command.__name__, command.__doc__ = function.__name__, function.__doc__
    context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    parameters = [context, *own, *_common()]
    parameters.sort(key=lambda one: one.kind is inspect.Parameter.KEYWORD_ONLY)
    command.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {one.name: one.annotation for one in parameters}
    return command


def _common() -> list[inspect.Parameter]:
    kind = inspect.Parameter.KEYWORD_ONLY
    return [
        inspect.Parameter("workspace", kind, default=None, annotation=WorkspaceOption),
        inspect.Parameter("as_json", kind, default=False, annotation=JsonOption),
        inspect.Parameter("debug", kind, default=False, annotation=DebugOption),
    ]
