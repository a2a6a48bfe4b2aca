"""Mistakes of tariff books, collected one by one and told together, each with its place and its cure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pydantic

from mingcha.kernel import errors

WHY = "a price read differently from how it was published makes every bill re-rated with it wrong"
#: What names an entry of a list, in the order looked for.
_NAMES = ("code", "id", "name", "in_force_from", "price", "component")
_AS_SHOWN = "write keys and values, as docs/howto/add-a-tariff.md shows"
_SAID = {
    "missing": ("missing", "add the key; docs/howto/add-a-tariff.md shows a whole file"),
    "extra_forbidden": ("unknown key", "remove it, or correct its spelling"),
    "model_type": ("not a mapping of keys to values", _AS_SHOWN),
    "dict_type": ("not a mapping of keys to values", _AS_SHOWN),
    "tuple_type": ("not a list", "write a list, for example [a, b]"),
    "too_short": ("empty", "give at least one entry"),
    "string_type": ("not a text", "write a text; put it in quotes if it looks like a number or a day"),
    "int_type": ("not a whole number", "write a whole number without quotes"),
    "bool_type": ("neither true nor false", "write true or false"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One mistake: the file, the entry and place in it, what is wrong, how to mend it."""

    file: str
    place: str
    what: str
    mend: str

    def __str__(self) -> str:
        where = f"{self.file}: {self.place}" if self.place else self.file
        return f"{where}: {self.what} → {self.mend}"


def raise_all(mistakes: Sequence[Mistake]) -> None:
    """Raise one BookError naming every mistake; return quietly when there is none."""
    if not mistakes:
        return
    lines = "\n".join(f"  - {mistake}" for mistake in sorted(mistakes))
    count = f"{len(mistakes)} mistake{'s' if len(mistakes) > 1 else ''}"
    raise errors.BookError(
        f"the tariff book has {count}:\n{lines}",
        why=WHY,
        mend="correct each line above as it says after the arrow; `mingcha tariffs check` checks again",
    )


def of_shape(error: pydantic.ValidationError, *, file: str, data: Any) -> list[Mistake]:
    """Return one mistake per finding of the strict validation of `data`, read from `file`."""
    details = error.errors(include_url=False)
    places = [detail["loc"] for detail in details]
    return [
        _of_detail(detail, file, data)
        for detail in details
        # a list whose only entry is broken is not empty besides
        if detail["type"] != "too_short" or not any(_below(place, detail["loc"]) for place in places)
    ]


def _below(place: tuple[int | str, ...], other: tuple[int | str, ...]) -> bool:
    return len(place) > len(other) and place[: len(other)] == other


def _of_detail(detail: Any, file: str, data: Any) -> Mistake:
    place = _place(detail["loc"], data)
    kind = detail["type"]
    if kind == "extra_forbidden" and detail.get("input") is None:
        # {en: Check, then refund.} is read as two keys, the second without a value.
        return Mistake(file, place, "unknown key", 'inside { } a comma ends a text: put it in quotes, "…"')
    if kind in _SAID:
        return Mistake(file, place, *_SAID[kind])
    if kind == "literal_error":
        expected = str(detail["ctx"]["expected"]).replace("'", "")
        return Mistake(file, place, f"unknown value {detail['input']!r}", f"choose one of {expected}")
    if kind == "string_pattern_mismatch":
        what = f"{detail['input']!r} cannot be used here"
        return Mistake(file, place, what, f"write a text that fits {detail['ctx']['pattern']}")
    what, _, mend = str(detail["msg"]).removeprefix("Value error, ").partition(" → ")
    given = detail.get("input")
    shown = f" (given: {given!r})" if isinstance(given, str | int) and not mend else ""
    return Mistake(file, place, what + shown, mend or "give a value of the kind asked for")


def _place(steps: tuple[int | str, ...], data: Any) -> str:
    """Return a path a person can follow, list entries by their name: `prices td / entries 2026-08-01`."""
    words: list[str] = []
    value = data
    for step in steps:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            value = None
        if isinstance(step, str):
            words.append(step)
        else:
            name = _name(value) or f"entry {step + 1}"
            words[-1:] = [f"{words[-1]} {name}" if words else name]
    return " / ".join(words)


def _name(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    named = (value.get(key) for key in _NAMES)
    return next((str(name) for name in named if isinstance(name, str | int | date)), "")
