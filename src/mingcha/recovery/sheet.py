"""A worksheet in the making: collects inputs, steps, facts cited and warnings while a calculator works."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from mingcha.kernel import errors
from mingcha.kernel.periods import Period
from mingcha.recovery import asking, figures
from mingcha.recovery.lawbook import Law
from mingcha.recovery.model import Citation, Input, Part, Step, Words, Worksheet, same

_GIVEN = Words("提供", "as given")
_YES = Words("是", "yes")


class Sheet:
    """Collects what will be printed; `finish` gives the frozen worksheet."""

    def __init__(
        self, *, kind: str, title: Words, given: asking.Labels, law: Law, sources: Mapping[str, str]
    ) -> None:
        self.kind = kind
        self.law = law
        self._title = title
        self._given = given
        self._sources = sources
        self._steps: list[Step] = []
        self._warnings: list[Words] = []
        self._cited: dict[Citation, None] = {}

    @property
    def steps(self) -> tuple[Step, ...]:
        """Return the common steps added so far."""
        return tuple(self._steps)

    def fact(self, name: str, on: date) -> Citation:
        """Return a fact in force on a day and remember that the sheet rests on it."""
        return self.cite(self.law.fact(name, on))

    def article(self, topic: str, on: date) -> Citation:
        """Return the article on a topic in force on a day and remember that the sheet rests on it."""
        return self.cite(self.law.article(topic, on))

    def cite(self, citation: Citation) -> Citation:
        """Remember a citation and return it."""
        self._cited.setdefault(citation)
        return citation

    def add(self, step: Step) -> None:
        """Add a step that holds for all parts."""
        self._steps.append(step)

    def warn(self, zh: str, en: str) -> None:
        """Add a warning, once."""
        words = Words(zh, en)
        if words not in self._warnings:
            self._warnings.append(words)

    def look_back(self, given: asking.Window) -> Period:
        """Return the act cut by the look-back limit, and print the cut; raises Refusal if nothing is left."""
        name = "look_back.market" if given.market else "look_back.other"
        own = given.lookback_months
        law: tuple[Citation, ...] = () if own is not None else (self.law.fact(name, given.found),)
        months = own if own is not None else int(law[0].decimal)
        act = given.act
        if months == 0:
            self.add(_looked(Words("不设追溯期限", "no limit asked for"), law, None))
            return act
        limit = figures.add_months(given.found, -months)
        if limit <= act.start:
            working = Words(
                f"{given.found} 前推 {months} 个月 = {limit}，早于起始日 {act.start}，不截断",
                f"{given.found} less {months} months = {limit}, before {act.start}: nothing is cut",
            )
            self.add(_looked(working, law, Decimal(0)))
            return act
        kept = act.clip(Period(limit))
        if kept is None:
            raise errors.Refusal(
                f"the whole act [{act.start}, {act.end}) lies more than {months} months before {given.found}",
                why="what lies beyond the look-back limit is neither charged nor refunded",
                mend="check the day given as --found-on, or give --lookback-months with the ground for it",
            )
        for one in law:
            self.cite(one)
        cut = Decimal((limit - act.start).days)
        working = Words(
            f"{given.found} 前推 {months} 个月 = {limit}；{act.start} 至 {limit} 共 {cut} 天不计",
            f"{given.found} less {months} months = {limit}; {cut} days from {act.start} are not counted",
        )
        self.add(_looked(working, law, cut))
        self.warn(f"追溯期限截去 {cut} 天", f"the look-back limit cut {cut} days")
        return kept

    def until_settled(self, topic: str, on: date) -> None:
        """Print what the customer pays until the matter is settled."""
        found = self.fact(f"until_settled.{topic}", on)
        if found.value == "recorded":
            words = Words("先按抄见电量交费，查明后退补", "recorded energy is paid until it is settled")
        else:
            words = Words(
                "先按正常月电量交费，查明后退补", "a normal month's energy is paid until it is settled"
            )
        self.add(Step(Words("结清之前", "Until settled"), words, same("—"), law=(found,)))

    def finish(
        self,
        *,
        act: Period,
        window: Period,
        parts: Iterable[Part],
        not_covered: Iterable[Words],
        charged: Words | None = None,
    ) -> Worksheet:
        """Return the worksheet; facts to be verified are listed, figures of [K?] make it an estimate."""
        provisional = tuple(one for one in self._cited if one.provisional)
        if any(one.evidence == "[K?]" and not one.is_article for one in provisional):
            self.warn(
                "有待核参数等级为 [K?]：金额仅供估算，不得据以收费",
                "a figure of grade [K?] is used: the money is an estimate and may not be charged on it",
            )
        sheet = Worksheet(
            kind=self.kind,
            title=self._title,
            customer=self._given.customer,
            case=self._given.case,
            act=act,
            window=window,
            inputs=tuple(self._inputs()),
            steps=tuple(self._steps),
            parts=tuple(parts),
            not_covered=tuple(not_covered),
            provisional=provisional,
            warnings=tuple(self._warnings),
        )
        return sheet if charged is None else dataclasses.replace(sheet, charged=charged)

    def _inputs(self) -> Iterable[Input]:
        defaults = {one.name: one.default for one in dataclasses.fields(self._given)}
        for name, field in asking.fields(type(self._given)):
            about = dataclasses.replace(field, name=_short(field.name))
            value = getattr(self._given, name)
            if about.label or value is None or value == () or (value is False):
                continue
            if value == defaults[name] and about.key not in self._sources:
                source = Words("缺省值", "default")
            else:
                text = self._sources.get(about.key)
                source = same(text) if text else _GIVEN
            for label, words in _values(about, value):
                yield Input(key=about.key, name=label, value=words, unit=_unit(about), source=source)


def _short(name: Words) -> Words:
    """Return a name without the advice after its semicolon, which is for the help."""
    return Words(name.zh, name.en.partition(";")[0])


def _unit(about: asking.About) -> str:
    return "kWh" if about.kind == "spells" else "" if about.kind == "curve" else about.unit


def _values(about: asking.About, value: Any) -> Iterable[tuple[Words, Words]]:
    if about.kind == "spells":
        for one in value:
            days = figures.days(one.period)
            yield Words(f"{about.name.zh} {days}", f"{about.name.en} {days}"), same(figures.shown(one.kwh))
    elif about.kind == "curve":
        span = f"{value[0].at:%Y-%m-%d %H:%M} – {value[-1].at:%Y-%m-%d %H:%M}"
        yield about.name, Words(f"{len(value)} 点，{span}", f"{len(value)} rows, {span}")
    elif about.kind == "dated":
        for one in value:
            since = Words(f"（{one.since} 起）", f" (since {one.since})") if one.since else same("")
            yield Words(about.name.zh + since.zh, about.name.en + since.en), same(figures.shown(one.value))
    elif value is True:
        yield about.name, _YES
    elif about.choices:
        yield about.name, Words(about.choices[value], value)
    else:
        yield about.name, same(figures.shown(value) if isinstance(value, Decimal) else str(value))


def _looked(working: Words, law: tuple[Citation, ...], cut: Decimal | None) -> Step:
    return Step(
        name=Words("追溯期限", "Look-back limit"),
        formula=Words(
            "发现日前推规定月数以前的日子不计", "days before the day found − limit are not counted"
        ),
        working=working,
        result=cut,
        unit="d",
        law=law,
    )
