"""Where words go: results to standard output, everything else to standard error."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from mingcha.findings import jsontext


def out(text: str = "") -> None:
    """Write a result for people."""
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """Write what is not the result: where something was written, what to do next."""
    sys.stderr.write(text + "\n")


def document(value: Any) -> None:
    """Write the one JSON document of a command."""
    sys.stdout.write(jsontext.dumps(value) + "\n")


def array(values: Iterable[Any]) -> None:
    """Write one JSON array, value by value: a million findings need no more memory than one."""
    _series("[", values, "]\n")


def document_of_rows(head: dict[str, Any], name: str, rows: Iterable[Any]) -> None:
    """Write one JSON object: what `head` says, then the array `name`, row by row."""
    opening = jsontext.dumps(head).removesuffix("}") + ("," if head else "") + jsontext.dumps(name) + ":["
    _series(opening, rows, "]}\n")


def _series(opening: str, values: Iterable[Any], closing: str) -> None:
    sys.stdout.write(opening)
    for index, value in enumerate(values):
        sys.stdout.write((",\n" if index else "\n") + jsontext.dumps(value))
    sys.stdout.write(closing)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    """Return a table as text, columns as wide as they need; `right` names the columns of numbers.

    >>> print(table(["规则", "n"], [["MET-001", "12"], ["x", "3"]], right=[1]))
    规则      n
    -------  --
    MET-001  12
    x         3
    """
    lines = [[str(cell) for cell in row] for row in rows]
    widths = [max(width(line[place]) for line in [list(heads), *lines]) for place in range(len(heads))]
    ruled = [list(heads), ["-" * size for size in widths], *lines]
    return "\n".join(
        "  ".join(_fit(cell, widths[place], place in right) for place, cell in enumerate(line)).rstrip()
        for line in ruled
    )


def width(text: str) -> int:
    """Return how many columns of a terminal a text takes; a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def cut(text: str, columns: int) -> str:
    """Return the text cut to so many columns of a terminal, with a sign that it was cut."""
    if width(text) <= columns:
        return text
    kept = ""
    for sign in text:
        if width(kept + sign) > columns - 1:
            break
        kept += sign
    return kept + "…"


def _fit(cell: str, size: int, right: bool) -> str:
    space = " " * (size - width(cell))
    return space + cell if right else cell + space
