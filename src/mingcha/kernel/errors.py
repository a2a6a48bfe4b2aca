"""One root and four families of errors, each telling its reader three things.

A message always says *what* is wrong and where, *why* it matters, and how to *mend* it.
"""

from __future__ import annotations


class MingchaError(Exception):
    """An error meant for a person: `what` (and where), `why` it matters, how to `mend` it."""

    def __init__(self, what: str, *, why: str, mend: str) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.what}\n  Why it matters: {self.why}\n  How to put it right: {self.mend}"


class BookError(MingchaError):
    """An entry of a book (contract, rulebook, tariff book, mapping, overlay) is wrong."""


class DataError(MingchaError):
    """Delivered data cannot be read, or breaks the contract as a whole."""


class Refusal(MingchaError):  # noqa: N818 - named for what it is: an honest refusal, not a failure
    """The question cannot be answered honestly from what is there."""


class SetupError(MingchaError):
    """The installation or the workspace is wrong."""
