"""Mistakes of a book, collected one by one and told together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pydantic

from mingcha.kernel import errors

WHY = "a rule that is read differently from how it was meant accuses the innocent or passes the guilty"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake: the file, the field in it, what is wrong, how to mend it."""

    where: str
    field: str
    what: str
    mend: str

    def __str__(self) -> str:
        place = f"{self.where}: {self.field}" if self.field else self.where
        return f"{place}: {self.what} → {self.mend}"


def raise_all(problems: Sequence[Problem], *, what: str) -> None:
    """Raise one BookError naming every problem; return quietly when there is none."""
    if not problems:
        return
    lines = "\n".join(f"  - {problem}" for problem in sorted(problems))
    count = f"{len(problems)} mistake{'s' if len(problems) > 1 else ''}"
    raise errors.BookError(
        f"{what}: {count}\n{lines}",
        why=WHY,
        mend="correct each line above as it says after the arrow; `mingcha rules lint` checks again",
    )


def from_validation(error: pydantic.ValidationError, *, where: str) -> list[Problem]:
    """Return one problem per mistake that strict validation found in the file `where`."""
    return [_translate(detail, where) for detail in error.errors(include_url=False)]


def _translate(detail: object, where: str) -> Problem:
    assert isinstance(detail, dict)
    kind, place = detail["type"], ".".join(str(step) for step in detail["loc"])
    if kind == "extra_forbidden" and detail.get("input") is None:
        # {en: Check, then refund.} is read as two keys, the second without a value.
        return Problem(where, place, "unknown key", 'inside { } a comma ends a text: put it in quotes, "…"')
    if kind == "extra_forbidden":
        return Problem(where, place, "unknown key", "remove it, or correct its spelling")
    if kind == "missing":
        return Problem(where, place, "missing", "add the key; see docs/howto/add-a-rule.md")
    message = str(detail["msg"]).removeprefix("Value error, ")
    what, _, mend = message.partition(" → ")
    given = detail.get("input")
    shown = f" (given: {given!r})" if isinstance(given, (str, int)) and not mend else ""
    return Problem(where, place, what + shown, mend or "give a value of the kind asked for")
