"""What was planted where: the answer sheet of the synthetic utility.

`planted` cases must be found, `innocent` ones must not; a `consequence` may be found, because a planted
fault leaves that trace too.
"""

from __future__ import annotations

import csv
from dataclasses import astuple, dataclass, field, fields
from decimal import Decimal
from pathlib import Path

FILE = "truth.csv"
KINDS = ("planted", "innocent", "consequence")


@dataclass(frozen=True, slots=True)
class Case:
    """One line of the answer sheet.

    `amount_cny` is a hint of the money at stake, empty when none is due; where a `component` of the bill
    is named it is exactly what was charged too much under it, negative when too little.
    """

    case_id: str
    rule_id: str
    kind: str
    subject_kind: str
    subject_id: str
    customer_id: str | None
    period: str
    reason: str
    amount_cny: Decimal | None
    note: str
    component: str | None = None


@dataclass(slots=True)
class Truth:
    """The cases of one utility, numbered as they are planted."""

    cases: list[Case] = field(default_factory=list)

    def add(
        self,
        *,
        rule_id: str,
        kind: str,
        subject_kind: str,
        subject_id: str,
        customer_id: str | None,
        period: str,
        reason: str,
        note: str,
        amount_cny: Decimal | None = None,
        component: str | None = None,
    ) -> None:
        """Note a case; `kind` is planted, innocent or consequence; a consequence is noted once."""
        assert kind in KINDS, kind
        if kind == "consequence" and any(
            (case.rule_id, case.subject_id) == (rule_id, subject_id) for case in self.cases
        ):
            return
        self.cases.append(
            Case(
                case_id=f"{rule_id}-{len(self.cases) + 1:04d}",
                rule_id=rule_id,
                kind=kind,
                subject_kind=subject_kind,
                subject_id=subject_id,
                customer_id=customer_id,
                period=period,
                reason=reason,
                amount_cny=amount_cny,
                note=note,
                component=component,
            )
        )

    def counts(self) -> dict[str, int]:
        """Return how many cases there are of each kind."""
        return {kind: sum(case.kind == kind for case in self.cases) for kind in KINDS}

    def write(self, *, path: Path) -> None:
        """Write the sheet as CSV, in the order of rule and case."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([item.name for item in fields(Case)])
            for case in sorted(self.cases, key=lambda case: (case.rule_id, case.case_id)):
                writer.writerow(["" if value is None else value for value in astuple(case)])
