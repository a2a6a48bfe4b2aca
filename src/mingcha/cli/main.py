"""The door: runs a command line, turns every failure into words and an exit code.

0 done · 1 ran, and found something that needs attention where the command is a check · 2 could not run.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

import typer

from mingcha.cli import app, faults, session

COULD_NOT_RUN = 2
INTERRUPTED = 128 + signal.SIGINT


def main() -> None:
    """Run the command line of this process and leave with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code; nothing but words leaves by an error."""
    state = session.Session()
    command = app.command()
    try:
        code = command.main(args=list(arguments), prog_name="mingcha", standalone_mode=False, obj=state)
        sys.stdout.flush()
    except BrokenPipeError:
        _let_go_of_stdout()
        return 0
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted()
    except (SystemExit, typer.Exit) as leaving:
        return _code(leaving)
    except Exception as error:
        faults.show(error, command=_named(command, arguments), debug=state.debug or "--debug" in arguments)
        return COULD_NOT_RUN
    return _interrupted() if code == INTERRUPTED else int(code or 0)


def _interrupted() -> int:
    sys.stderr.write("Interrupted. What was not finished has left nothing behind; run the command again.\n")
    return INTERRUPTED


def _code(leaving: SystemExit | typer.Exit) -> int:
    code = leaving.code if isinstance(leaving, SystemExit) else leaving.exit_code
    return code if isinstance(code, int) else COULD_NOT_RUN


def _let_go_of_stdout() -> None:
    """Point standard output at nothing: whoever read it has gone, and Python would complain at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())


def _named(command: object, arguments: Sequence[str]) -> str:
    """Return the command as one would look it up: `mingcha rules run`."""
    names = ["mingcha"]
    for argument in arguments:
        inner = getattr(command, "commands", {}).get(argument)
        if inner is not None:
            names.append(argument)
            command = inner
    return " ".join(names)
