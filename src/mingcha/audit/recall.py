"""How well a run did on books whose faults are known: planted ones found, innocents accused."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mingcha.audit import casebook
from mingcha.findings import queries
from mingcha.kernel import errors

_NEEDED = ("rule_id", "kind", "subject_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One rule against the answer sheet: cases planted and found, innocents planted and accused."""

    rule_id: str
    planted: int
    found: int
    innocent: int
    accused: int


def score(*, truth: Path, cases: casebook.Casebook, run_id: str, rules: Iterable[str]) -> tuple[Score, ...]:
    """Return the score of each of `rules` that `truth` has cases of; consequences count on neither side.

    A case counts as found when the rule has a finding on its subject in the run. Raises DataError when
    the file is not an answer sheet.
    """
    sheet = _read(truth)
    asked = set(rules)
    hits = {
        (finding.rule_id, finding.subject_id)
        for finding in cases.findings(where=queries.Filter(run_id=run_id))
    }
    scores = []
    for rule_id in sorted(asked & {row["rule_id"] for row in sheet}):
        mine = [row for row in sheet if row["rule_id"] == rule_id]
        planted = {row["subject_id"] for row in mine if row["kind"] == "planted"}
        innocent = {row["subject_id"] for row in mine if row["kind"] == "innocent"} - planted
        scores.append(
            Score(
                rule_id=rule_id,
                planted=len(planted),
                found=sum((rule_id, subject) in hits for subject in planted),
                innocent=len(innocent),
                accused=sum((rule_id, subject) in hits for subject in innocent),
            )
        )
    return tuple(scores)


def _read(truth: Path) -> list[dict[str, str]]:
    try:
        with truth.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            lacking = [name for name in _NEEDED if name not in (reader.fieldnames or ())]
            rows = list(reader)
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(truth, str(error)) from error
    if lacking:
        raise _unreadable(truth, f"it has no column {', '.join(lacking)}")
    return rows


def _unreadable(truth: Path, said: str) -> errors.DataError:
    return errors.DataError(
        f"{truth} is not an answer sheet: {said}",
        why="what was planted decides what had to be found",
        mend="name the truth.csv that `mingcha synth` wrote beside the books",
    )
