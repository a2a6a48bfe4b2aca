"""The law of recovery as the tariff book holds it, asked by day; nothing of it stands in code."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from mingcha.kernel import errors
from mingcha.kernel.periods import Period
from mingcha.recovery.model import Citation, Words

if TYPE_CHECKING:
    from mingcha.tariffbook import facts, load

BOOK = "cn.recovery"


class Law:
    """Facts and articles by day, from the book of recovery and the rules its country shares."""

    def __init__(self, books: load.Books) -> None:
        self._books = books

    def fact(self, name: str, on: date) -> Citation:
        """Return the value in force on a day; raises Refusal where the law does not reach back so far."""
        versions = self._books.parameter_versions(name, book=BOOK)
        if versions and on < versions[0].in_force_from:
            raise errors.Refusal(
                f"{name}: the book knows no law for {on}; it begins on {versions[0].in_force_from}",
                why="an act is judged by the law of its day",
                mend="let the act begin later, or add the older text to the book cn.recovery",
            )
        return _citation(self._books.parameter(name, on=on, book=BOOK))

    def article(self, topic: str, on: date) -> Citation:
        """Return the article on a topic in force on a day."""
        return self.fact(f"law.article.{topic}", on)

    def split(self, period: Period, names: tuple[str, ...]) -> tuple[Period, ...]:
        """Return the period cut where any of the named facts changes; the parts are in order and whole."""
        edges = {period.start}
        for name in names:
            for version in self._books.parameter_versions(name, book=BOOK):
                if version.in_force_from > period.start and period.holds(version.in_force_from):
                    edges.add(version.in_force_from)
        starts = sorted(edges)
        assert period.end is not None
        return tuple(Period(start, end) for start, end in zip(starts, [*starts[1:], period.end], strict=True))


def _citation(fact: facts.Fact) -> Citation:
    return Citation(
        name=fact.name,
        value=fact.value,
        unit=fact.unit,
        document=Words(fact.document.title.zh, fact.document.title.en),
        number=fact.document.number,
        clause=fact.clause,
        evidence=fact.evidence,
        provisional=fact.provisional,
        in_force_from=fact.in_force_from,
        in_force_to=fact.in_force_to,
    )
