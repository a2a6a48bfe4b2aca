"""A full disk, too little memory, a folder one may not write to: said as a person can act on it."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mingcha.kernel import errors

_FULL = "no space left"


@contextmanager
def explained(lake: Path) -> Iterator[None]:
    """Turn failures of disk and memory while the lake is written into a SetupError; others pass."""
    import duckdb

    try:
        yield
    except OSError as error:
        raise _disk(lake, error.strerror or str(error), full=error.errno == errno.ENOSPC) from error
    except duckdb.OutOfMemoryException as error:
        raise _memory(lake, str(error)) from error
    except duckdb.IOException as error:
        if _FULL not in str(error).lower():
            raise
        raise _disk(lake, str(error), full=True) from error


@contextmanager
def fitting(table: str) -> Iterator[None]:
    """Turn a value that does not fit its column's type into a DataError."""
    import duckdb

    try:
        yield
    except (duckdb.ConversionException, duckdb.OutOfRangeException) as error:
        raise errors.DataError(
            f"rows for {table}: {str(error).splitlines()[0]}",
            why="values are kept in the exact types of the contract, so that sums are exact",
            mend="quarantine such rows, or correct the mapping that makes them",
        ) from error


def _disk(lake: Path, problem: str, *, full: bool) -> errors.SetupError:
    mend = "make room on that disk" if full else "give this user the right to write there"
    return errors.SetupError(
        f"{lake} cannot be written: {problem}",
        why="what could not be written whole was not kept; the state before it stands unharmed",
        mend=f"{mend}, then run the command again",
    )


def _memory(lake: Path, problem: str) -> errors.SetupError:
    settings = lake.parent / "mingcha.toml"
    return errors.SetupError(
        f"the memory the workspace allows does not suffice: {problem.splitlines()[0]}",
        why="what could not be computed whole was not kept; the state before it stands unharmed",
        mend=f"raise engine.memory_limit in {settings}, or make room on the disk of {lake}",
    )
