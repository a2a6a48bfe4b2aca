"""The one who plants: picks customers without a story, and calls the areas at each station of the chain."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from mingcha.kernel import errors
from mingcha.synth import plan as plans
from mingcha.synth import truth as truths


@dataclass(frozen=True, slots=True)
class Person:
    """A customer chosen for a case."""

    n: int
    cid: str
    pid: str
    station_org: str
    county_org: str
    cap: int
    mult: int
    kind: str

    @property
    def pk(self) -> int:
        """Return the working number of the main point."""
        return self.n * 8 + 1

    @property
    def meter(self) -> str:
        """Return the meter hanging there since before the window."""
        return f"M{self.pid[1:]}A"

    def staff(self, letter: str, number: int = 1) -> str:
        """Return a member of the station's staff, by the letter of the post."""
        return f"E{self.station_org}{letter}{number}"

    def county_staff(self, letter: str, number: int = 1) -> str:
        """Return a member of the county's staff, by the letter of the post."""
        return f"E{self.county_org}{letter}{number}"


# customers whose rows may be rewritten without touching anybody else's books
_EASY = "plain AND NOT tou AND pay NOT IN ('prepaid') AND status = 'active' AND group_id IS NULL"


@dataclass(slots=True)
class Planter:
    """What planting needs: the working tables, the plan, the answer sheet, and who was cast for what."""

    con: Any
    plan: plans.Plan
    truth: truths.Truth
    cast: dict[str, list[Person]] = field(default_factory=dict)
    taken: set[int] = field(default_factory=set)

    @property
    def period(self) -> str:
        """Return the screened month, M."""
        return str(self.plan.end_month)

    @property
    def m(self) -> int:
        """Return the number of the screened month in the window."""
        return self.plan.months - 1

    @property
    def start(self) -> date:
        """Return the first day of M."""
        return self.plan.end_month.start

    @property
    def end(self) -> date:
        """Return the first day after M."""
        return self.plan.end_month.end

    def day(self, number: int) -> date:
        """Return the day of M with this number."""
        return self.start.replace(day=number)

    def take(self, name: str, many: int, where: str, *, easy: bool = True) -> list[Person]:
        """Choose `many` customers for the case `name`, none of them chosen before.

        `where` is a condition on `c`; raises SetupError when the utility has too few such customers.
        """
        taken = ", ".join(str(n) for n in sorted(self.taken)) or "0"
        condition = f"({where})" + (f" AND {_EASY}" if easy else "")
        rows = self.con.execute(
            "SELECT n, cid, pstem || '1', station_org, county_org, cap, mult1, kind FROM c "
            f"WHERE {condition} AND n NOT IN ({taken}) ORDER BY rnd(n, 951), n LIMIT {many}"
        ).fetchall()
        if len(rows) < many:
            raise errors.SetupError(
                f"only {len(rows)} of {many} customers fit for the planted case {name}",
                why="each planted fault needs a customer of its own",
                mend="ask for more customers, or for a clean utility",
            )
        people = [Person(*row) for row in rows]
        self.taken |= {person.n for person in people}
        self.cast[name] = people
        return people

    def retell(self, person: Person, **columns: str) -> None:
        """Change columns of `c` for one customer; values are SQL."""
        sets = ", ".join(f"{name} = {value}" for name, value in columns.items())
        self.con.execute(f"UPDATE c SET {sets} WHERE n = {person.n}")

    def use(self, person: Person, months: Iterable[int], kwh: float) -> None:
        """Set the primary energy of the main point in the months numbered."""
        rows = ", ".join(f"({person.pk}, {m}, {kwh})" for m in months)
        self.con.execute(f"INSERT INTO kwh_override VALUES {rows}")

    def watch(self, person: Person) -> None:
        """Give the main point a load curve."""
        self.con.execute(f"INSERT INTO curve_wanted VALUES ({person.pk})")

    def insert(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Insert rows into a working table by column name."""
        for row in rows:
            names = ", ".join(row)
            marks = ", ".join("?" * len(row))
            self.con.execute(f"INSERT INTO t_{table} ({names}) VALUES ({marks})", list(row.values()))

    def planted(self, rule: str, kind: str, subject: str, person: Person | None, reason: str, note: str,
                amount: Decimal | None = None) -> None:  # fmt: skip
        """Note a case that must be found."""
        self._note("planted", rule, kind, subject, person, reason, note, amount)

    def innocent(
        self, rule: str, kind: str, subject: str, person: Person | None, reason: str, note: str
    ) -> None:
        """Note a decoy that must not be found."""
        self._note("innocent", rule, kind, subject, person, reason, note, None)

    def follows(
        self, rule: str, kind: str, subject: str, person: Person | None, reason: str, note: str
    ) -> None:
        """Note a trace that a planted fault leaves for another rule."""
        self._note("consequence", rule, kind, subject, person, reason, note, None)

    def _note(
        self,
        how: str,
        rule: str,
        kind: str,
        subject: str,
        person: Person | None,
        reason: str,
        note: str,
        amount: Decimal | None,
    ) -> None:
        self.truth.add(
            rule_id=rule,
            kind=how,
            subject_kind=kind,
            subject_id=subject,
            customer_id=person.cid if person else None,
            period=self.period,
            reason=reason,
            note=note,
            amount_cny=amount,
        )


Step = Callable[[Planter], None]
