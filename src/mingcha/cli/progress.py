"""Progress on standard error for work that takes longer than two seconds.

A terminal gets a moving line; a file or a pipe gets a plain line now and then; quick work gets nothing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.status import Status

QUIET_SECONDS = 2.0
PLAIN_EVERY_SECONDS = 10.0


class Progress:
    """Takes messages of an engine and shows them when it is time to."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._began = time.monotonic()
        self._told_at = self._began - PLAIN_EVERY_SECONDS
        self._status: Status | None = None

    def __call__(self, message: str) -> None:
        """Show what is being done now, unless the work is still young."""
        now = time.monotonic()
        if now - self._began < QUIET_SECONDS:
            return
        text = f"{self._title}: {message} ({now - self._began:.0f} s)"
        if sys.stderr.isatty():
            self._move(text)
        elif now - self._told_at >= PLAIN_EVERY_SECONDS:
            self._told_at = now
            sys.stderr.write(text + "\n")
            sys.stderr.flush()

    def close(self) -> None:
        """Take the moving line away."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _move(self, text: str) -> None:
        if self._status is None:
            from rich.console import Console

            self._status = Console(stderr=True).status(text)
            self._status.start()
        self._status.update(text)


@contextmanager
def showing(title: str) -> Iterator[Progress]:
    """Give a Progress and take its line away at the end, however the work ends."""
    progress = Progress(title)
    try:
        yield progress
    finally:
        progress.close()
