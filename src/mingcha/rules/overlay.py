"""Parameter values of a utility's own, by organisation and date, over the defaults of the rules.

An overlay file is a YAML list; an entry without `org_id` is for everybody, one with it for that
organisation and all below it, where the nearest one wins. `from` and `to` are days, half-open: an entry
holds for the periods whose first day lies inside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pydantic

from mingcha.kernel import errors, strict_yaml
from mingcha.kernel.periods import BillingMonth
from mingcha.rules import model
from mingcha.rules import problems as told
from mingcha.rules.book import Book
from mingcha.rules.problems import Problem, raise_all


class Entry(model.Strict):
    """One value for one parameter of one rule."""

    rule: model.RuleIdText
    parameter: model.Name
    value: Any
    org_id: str | None = None
    starts: date = pydantic.Field(alias="from", default=date.min)
    ends: date = pydantic.Field(alias="to", default=date.max)
    reason: model.Words

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> Entry:
        if self.ends <= self.starts:
            raise ValueError(
                f"ends on {self.ends}, not after {self.starts} → `to` is the first day it no longer holds"
            )
        return self

    def holds(self, day: date) -> bool:
        """Return whether the entry is in force on `day`."""
        return self.starts <= day < self.ends


class _File(model.Strict):
    overlay: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class ParameterSet:
    """The values one rule uses for some organisations; `orgs` None means all but those in `excluded`."""

    values: dict[str, Any]
    orgs: frozenset[str] | None
    excluded: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Overlay:
    """All entries of a workspace, already typed and within bounds."""

    entries: tuple[Entry, ...] = ()

    def sets(
        self, *, sheet: model.RuleSheet, period: BillingMonth, parents: Mapping[str, str | None]
    ) -> list[ParameterSet]:
        """Return the distinct parameter sets of a rule for a period: the general one first.

        `parents` maps each organisation to the one above it; an organisation not in it stands alone.
        """
        mine = [entry for entry in self.entries if entry.rule == sheet.id and entry.holds(period.start)]
        general = _defaults(sheet) | {entry.parameter: entry.value for entry in mine if entry.org_id is None}
        named = {entry.org_id for entry in mine if entry.org_id is not None}
        groups: dict[tuple[tuple[str, Any], ...], set[str]] = {}
        for org in {*parents, *named} if named else ():
            values = dict(general)
            for above in reversed(_line(org, parents)):
                values |= {entry.parameter: entry.value for entry in mine if entry.org_id == above}
            if values != general:
                groups.setdefault(tuple(sorted(values.items())), set()).add(org)
        others = [ParameterSet(dict(key), frozenset(orgs)) for key, orgs in sorted(groups.items(), key=repr)]
        excluded = frozenset(org for orgs in groups.values() for org in orgs)
        return [ParameterSet(general, None, excluded), *others]


def _defaults(sheet: model.RuleSheet) -> dict[str, Any]:
    return {name: parameter.default for name, parameter in sheet.parameters.items()}


def _line(org: str | None, parents: Mapping[str, str | None]) -> list[str]:
    """Return the organisation and those above it, nearest first; a circle ends where it closes."""
    line: list[str] = []
    while org is not None and org not in line:
        line.append(org)
        org = parents.get(org)
    return line


def load(*, paths: Iterable[Path], book: Book) -> Overlay:
    """Return the entries of the overlay files; raises BookError naming every mistake of every file."""
    problems: list[Problem] = []
    entries: list[Entry] = []
    for path in sorted(paths):
        entries += _read(path, book, problems)
    problems += _contradictions(entries)
    raise_all(problems, what="parameter overlays")
    return Overlay(tuple(entries))


def files_of(*, workspace: Path, named: str | None = None) -> list[Path]:
    """Return the overlay files of a workspace: `overlays/*.yaml`, and the one its settings name."""
    found = sorted((workspace / "overlays").glob("*.yaml"))
    extra = workspace / named if named else None
    if extra is not None and not extra.is_file():
        raise errors.SetupError(
            f"{extra} is not there, but the settings name it as overlay",
            why="rules would run with other limits than the organisation has set",
            mend="correct `overlay` under [rules] in mingcha.toml",
        )
    return [*found, extra] if extra is not None and extra not in found else found


def _read(path: Path, book: Book, problems: list[Problem]) -> list[Entry]:
    where = path.name
    try:
        value = strict_yaml.load(path.read_text(encoding="utf-8"), source=where)
        file = _File.model_validate({"overlay": value} if isinstance(value, list) else value)
    except (errors.BookError, UnicodeDecodeError) as error:
        what = error.what if isinstance(error, errors.BookError) else "is not UTF-8 text"
        problems.append(Problem(where, "", what, "write YAML in UTF-8"))
        return []
    except pydantic.ValidationError as error:
        problems += told.from_validation(error, where=where)
        return []
    typed = []
    for number, entry in enumerate(file.overlay, start=1):
        checked = _checked(entry, book, f"entry {number}", where, problems)
        if checked is not None:
            typed.append(checked)
    return typed


def _checked(entry: Entry, book: Book, field: str, where: str, problems: list[Problem]) -> Entry | None:
    rule = book.rules.get(entry.rule)
    if rule is None:
        problems.append(Problem(where, field, f"no rule {entry.rule}", "`mingcha rules list` names them"))
        return None
    declared = rule.sheet.parameters.get(entry.parameter)
    if declared is None:
        known = ", ".join(rule.sheet.parameters) or "none"
        problems.append(
            Problem(where, field, f"{entry.rule} has no parameter {entry.parameter}", f"it has: {known}")
        )
        return None
    try:
        value = model.typed(entry.value, declared.type)
        declared.check(value)
    except ValueError as error:
        what, _, mend = str(error).partition(" → ")
        problems.append(
            Problem(where, field, f"{entry.rule} {entry.parameter}: {what}", mend or "correct the value")
        )
        return None
    return entry.model_copy(update={"value": value})


def _contradictions(entries: list[Entry]) -> list[Problem]:
    found = []
    for index, one in enumerate(entries):
        for other in entries[index + 1 :]:
            same = (one.rule, one.parameter, one.org_id) == (other.rule, other.parameter, other.org_id)
            if same and one.starts < other.ends and other.starts < one.ends:
                what = (
                    f"{one.rule} {one.parameter} has two values for {one.org_id or 'everybody'} at one time"
                )
                found.append(Problem("overlays", "", what, "end the older one on the day the newer begins"))
    return found
