"""Every way a command can fail, told in three parts: what and where, why it matters, how to mend it."""

from __future__ import annotations

import errno
import sys
import traceback

import typer

from mingcha.kernel import errors

_UNCHANGED = "the command stopped before it was done; snapshots and runs that were there are unchanged"


def told(error: BaseException, *, command: str) -> errors.MingchaError:
    """Return any error as one that is meant for people."""
    if isinstance(error, errors.MingchaError):
        return error
    if isinstance(error, typer.TyperException):
        return errors.SetupError(
            f"{command}: {error.format_message()}",
            why="a command that is not understood is not run, not even in part",
            mend=f"see `{command} --help`",
        )
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryException":
        return errors.SetupError(
            f"{command}: there is not enough memory: {_first_line(error)}",
            why=_UNCHANGED,
            mend="raise memory_limit under [engine] in mingcha.toml, or use a machine with more memory",
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return errors.SetupError(
            f"{command}: the disk is full: {_first_line(error)}",
            why=_UNCHANGED,
            mend="make space, or move the workspace to a larger disk, and run the command again",
        )
    return errors.SetupError(
        f"{command}: something nobody expected: {type(error).__name__}: {_first_line(error)}",
        why=_UNCHANGED,
        mend="run it again with --debug and report the trace it prints, with the command",
    )


def show(error: BaseException, *, command: str, debug: bool) -> None:
    """Write the error to standard error, with its trace only when asked."""
    if debug:
        traceback.print_exception(error)
    sys.stderr.write(f"{told(error, command=command)}\n")


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or "no more is known").splitlines()[0]
