"""The step files: named sections of SQL, and their constants put in as literals."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from mingcha.kernel import errors
from mingcha.kernel.periods import BillingMonth

FOLDER = Path(__file__).parent / "steps"
_HEADING = re.compile(r"^-- :: +([a-z][a-z0-9_]*)( +once)? *$", re.MULTILINE)
# Texts and comments are passed over; what is left of `:name` is a constant.
_SPOT = re.compile(r"'[^']*'|--[^\n]*|:([a-z][a-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class Section:
    """One SELECT of a step: the table it makes (or the gaps it tells of) and its text."""

    step: str
    name: str
    sql: str
    folder: str = FOLDER.name
    once: bool = False
    """The heading says `once`: the same table for every month, made once in a run over several."""

    @property
    def is_gap(self) -> bool:
        """Return whether its rows (sid, reason, detail) are added to rt_gap."""
        return self.name.startswith("gap_")

    @property
    def place(self) -> str:
        """Return where it stands, for messages."""
        return f"rating/{self.folder}/{self.step}.sql, section {self.name}"


@cache
def of(step: str, *, folder: Path = FOLDER) -> tuple[Section, ...]:
    """Return the sections of a step in their order; raises BookError when the step has no file or none."""
    path = folder / f"{step}.sql"
    if not path.is_file():
        raise errors.BookError(
            f"the rating step {step} has no file {path.name}",
            why="a bill rated without one of its steps would be wrong without saying so",
            mend=f"install the package anew; its folder rating/{folder.name} is not whole",
        )
    parts = _HEADING.split(path.read_text(encoding="utf-8"))[1:]
    found = tuple(
        Section(step, name, body.strip().removesuffix(";"), folder.name, once=bool(once))
        for name, once, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    )
    names = [section.name for section in found]
    if not found or len(names) != len(set(names)):
        raise errors.BookError(
            f"the rating step {step} has no section, or one name twice",
            why="each section makes one table, or adds one kind of gap",
            mend="begin each section with a line `-- :: name` of its own",
        )
    return found


def constants(period: BillingMonth, *, past_from: BillingMonth | None = None) -> dict[str, str]:
    """Return what `:name` may stand for in a step, as SQL literals.

    `past_from` is the first earlier period whose readings rt_past does not hold yet; by default the first of
    the year.

    >>> constants(BillingMonth(2026, 3))["year_first_period"]
    "'2026-01'"
    """
    year = BillingMonth(period.year, 1)
    return {
        "period": _text(period),
        "month_start": _day(period.start),
        "month_end": _day(period.end),
        "year_first_period": _text(year),
        "past_from": _text(past_from or year),
        "year_start": _day(year.start),
        "month_of_year": str(period.month),
    }


def bind(section: Section, values: Mapping[str, str]) -> str:
    """Return the section's SQL with each `:name` replaced; raises BookError for a name not in `values`."""

    def put(spot: re.Match[str]) -> str:
        name = spot.group(1)
        if name is None:
            return spot.group(0)
        if name not in values:
            raise errors.BookError(
                f"{section.place}: `:{name}` is no constant of rating",
                why="a query with a hole in it cannot be asked",
                mend=f"use one of: {', '.join(sorted(values))}",
            )
        return values[name]

    return _SPOT.sub(put, section.sql)


def _text(value: object) -> str:
    return f"'{value}'"


def _day(value: date) -> str:
    return f"DATE '{value.isoformat()}'"
