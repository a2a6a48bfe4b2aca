"""The one who plants: picks customers without a story, casts them, and keeps the answer sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from mingcha.contract import load
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
    digits: int

    @property
    def pk(self) -> int:
        """Return the working number of the main point."""
        return self.n * 8 + 1

    @property
    def meter(self) -> str:
        """Return the meter hanging there since before the window."""
        return f"M{self.pid[1:]}A"

    @property
    def next_meter(self) -> str:
        """Return the meter that follows after a change."""
        return f"M{self.pid[1:]}B"

    def staff(self, letter: str, number: int = 1) -> str:
        """Return a member of the station's staff, by the letter of the post."""
        return f"E{self.station_org}{letter}{number}"

    def county_staff(self, letter: str, number: int = 1) -> str:
        """Return a member of the county's staff, by the letter of the post."""
        return f"E{self.county_org}{letter}{number}"


# customers whose rows may be rewritten without touching anybody else's books
_EASY = (
    "plain AND NOT tou AND pay <> 'prepaid' AND status = 'active' AND group_id IS NULL "
    "AND NOT (kind = 'works' AND n % 4 = 0) AND fixed_kwh IS NULL AND fixed_share IS NULL"
)


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
    def end(self) -> date:
        """Return the first day after M."""
        return self.plan.end_month.end

    def day(self, number: int) -> date:
        """Return the day of M with this number; 0 is the day before M begins."""
        return self.plan.end_month.start + timedelta(days=number - 1)

    def at(self, day: date, hour: float) -> datetime:
        """Return a moment of a day."""
        return datetime.combine(day, time()) + timedelta(hours=hour)

    def back(self, days: float) -> datetime:
        """Return the moment so many days before the data date's noon."""
        return self.at(self.plan.data_date, 12) - timedelta(days=days)

    def month(self, before: int = 0) -> str:
        """Return the billing month so many months before M, written YYYY-MM."""
        return str(self.plan.end_month.add(-before))

    def reading_id(self, person: Person, before: int = 0, part: int = 2) -> str:
        """Return the id of the active reading of the main point, `before` months before M."""
        return f"R{self.month(before).replace('-', '')}{person.n:08d}1A{part}"

    def bill_id(self, person: Person, before: int = 0) -> str:
        """Return the id of the regular bill of a month, `before` months before M."""
        return f"B{self.month(before).replace('-', '')}{person.n:08d}2"

    def take(self, name: str, many: int, where: str, *, easy: bool = True) -> list[Person]:
        """Choose `many` customers for the case `name`, none of them chosen before.

        `where` is a condition on `c`; raises SetupError when the utility has too few such customers.
        """
        taken = ", ".join(str(n) for n in sorted(self.taken)) or "0"
        condition = f"({where})" + (f" AND {_EASY}" if easy else "")
        rows = self.con.execute(
            "SELECT n, cid, pstem || '1', station_org, county_org, cap, mult1, kind, "
            "CASE WHEN kind = 'home' AND n % 9 = 0 THEN 5 ELSE 6 END "
            f"FROM c WHERE {condition} AND n NOT IN ({taken}) ORDER BY rnd(n, 951), n LIMIT {many}"
        ).fetchall()
        if len(rows) < many:
            raise errors.SetupError(
                f"only {len(rows)} of {many} customers fit for the planted case {name}",
                why="each planted fault needs a customer of its own",
                mend="ask for more customers, or for a clean utility",
            )
        people = [Person(*row) for row in rows]
        self.taken |= {person.n for person in people}
        self.con.execute(f"INSERT INTO kept VALUES {', '.join(f'({person.n})' for person in people)}")
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

    def insert(self, table: str, *rows: dict[str, Any]) -> None:
        """Insert rows into a working table by column name; columns it went without so far are added."""
        shape = load.contract().tables[table]
        have = {
            name for (name,) in self.con.execute(f"SELECT column_name FROM (DESCRIBE t_{table})").fetchall()
        }
        for row in rows:
            for name in row.keys() - have:
                have.add(name)
                self.con.execute(f'ALTER TABLE t_{table} ADD COLUMN "{name}" {shape.column(name).sql_type}')
            names = ", ".join(f'"{name}"' for name in row)
            marks = ", ".join("?" * len(row))
            self.con.execute(f"INSERT INTO t_{table} ({names}) VALUES ({marks})", list(row.values()))

    def note(
        self,
        kind: str,
        rule: str,
        subject: tuple[str, str],
        person: Person | None,
        why: tuple[str, str],
        *,
        amount: Decimal | None = None,
        component: str | None = None,
    ) -> None:
        """Write a line of the answer sheet.

        `kind` is one of `truth.KINDS`, `subject` its kind and id, `why` the reason and a sentence;
        `amount` is what was charged too much (too little below nought) under the bill's `component`.
        """
        self.truth.add(
            rule_id=rule,
            kind=kind,
            subject_kind=subject[0],
            subject_id=subject[1],
            customer_id=person.cid if person else None,
            period=self.period,
            reason=why[0],
            amount_cny=amount,
            component=component,
            note=why[1],
        )


Step = Callable[[Planter], None]
