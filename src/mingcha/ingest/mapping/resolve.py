"""A mapping held against a source and the contract: the plan, or every mistake at once."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from mingcha.contract import model as contract_model
from mingcha.ingest.mapping import model, names, origins, plan, reading
from mingcha.ingest.sources import options as opts
from mingcha.ingest.sources import parts as source_parts
from mingcha.kernel import errors

if TYPE_CHECKING:
    import duckdb


def options_for(mapping: model.Mapping, part_names: Sequence[str], *, timezone: str) -> opts.ReadOptions:
    """Return how a part is read: what `source` says, overridden by entries of `files` that fit its name."""
    said = mapping.source.model_dump(exclude_unset=True)
    for pattern, options in mapping.files.items():
        if matches(part_names, pattern):
            said |= options.model_dump(exclude_unset=True)
    said.setdefault("timezone", timezone)
    return opts.ReadOptions(**said)


def matches(part_names: Sequence[str], pattern: str) -> bool:
    """Return whether a part bears a name that fits the pattern (case does not matter)."""
    return any(fnmatch.fnmatchcase(name.lower(), pattern.lower()) for name in part_names)


def resolve(
    *,
    mapping: model.Mapping,
    mapping_name: str | None,
    parts: Sequence[source_parts.Part],
    contract: contract_model.Contract,
    timezone: str,
    orphans: model.OrphanPolicy,
    con: duckdb.DuckDBPyConnection,
) -> plan.Plan:
    """Return the plan for reading `parts` by `mapping` (without a file, `mapping_name` is None).

    `con` checks expressions on empty relations. Raises BookError that lists every mistake of the mapping,
    or DataError when without one no part bears the name of a table or one lacks its key.
    """
    resolver = _Resolver(
        mapping=mapping, parts=parts, contract=contract, timezone=timezone, orphans=orphans, con=con
    )
    resolver.run()
    if resolver.mistakes:
        if mapping_name is None:
            _refuse_unmapped(resolver.mistakes)
        reading.raise_all(mapping_name, resolver.mistakes)
    return resolver.plan


class _Resolver:
    def __init__(
        self,
        *,
        mapping: model.Mapping,
        parts: Sequence[source_parts.Part],
        contract: contract_model.Contract,
        timezone: str,
        orphans: model.OrphanPolicy,
        con: duckdb.DuckDBPyConnection,
    ) -> None:
        self.mapping = mapping
        self.parts = parts
        self.contract = contract
        self.timezone = timezone
        self.con = con
        self.mistakes: list[str] = []
        self.plan = plan.Plan()
        self._orphans: model.OrphanPolicy = mapping.orphans or orphans
        self._feeds: dict[str, list[plan.Feed]] = {}
        self._policies: dict[str, model.OrphanPolicy] = {}
        self._used: dict[int, set[str]] = {}

    def run(self) -> None:
        """Fill the plan or the list of mistakes."""
        claimed: set[int] = set()
        for place, rule in enumerate(self.mapping.tables, 1):
            claimed |= self._entry(f"tables[{place}] (→ {rule.to})", rule)
        bearing: dict[str, list[int]] = {}
        for number, part in enumerate(self.parts):
            if number in claimed:
                continue
            table = names.table_for(part.names, contract=self.contract) if self.mapping.match_names else None
            if table is None:
                self.plan.unused.append(number)
            else:
                bearing.setdefault(table.name, []).append(number)
        for name, numbers in bearing.items():
            labels = [self.parts[number].label for number in numbers]
            rule = model.TableRule.model_validate({"from": labels, "to": name})
            self._feed(f"{labels[0]} (→ {name})", rule, self.contract.tables[name], numbers)
        self._finish()

    def probe(self, number: int) -> source_parts.Probe:
        """Return the columns of a part, looked at once."""
        if number not in self.plan.probes:
            self.plan.options[number] = options_for(
                self.mapping, self.parts[number].names, timezone=self.timezone
            )
            self.plan.probes[number] = self.parts[number].probe(self.plan.options[number])
        return self.plan.probes[number]

    def find(self, where: str, patterns: Sequence[str]) -> list[int]:
        """Return the numbers of the parts that bear one of the names; none is a mistake."""
        found: list[int] = []
        for pattern in patterns:
            fitting = [n for n, part in enumerate(self.parts) if matches(part.names, pattern)]
            if not fitting:
                known = [part.names[0] for part in self.parts]
                self.mistakes.append(f"{where}: the source has no {pattern}{reading.nearest(pattern, known)}")
            found += fitting
        return sorted(set(found))

    def _entry(self, where: str, rule: model.TableRule) -> set[int]:
        found = self.find(where, rule.source)
        table = self.contract.tables.get(rule.to)
        if table is None:
            near = reading.nearest(rule.to, self.contract.tables)
            self.mistakes.append(f"{where}: the contract has no table {rule.to}{near}")
        else:
            self._feed(where, rule, table, found)
        joined = [n for join in rule.join for pattern in join.source for n in self._named(pattern)]
        return {*found, *joined}

    def _named(self, pattern: str) -> list[int]:
        return [n for n, part in enumerate(self.parts) if matches(part.names, pattern)]

    def _feed(
        self, where: str, rule: model.TableRule, table: contract_model.Table, numbers: Sequence[int]
    ) -> None:
        """Add one feed for each set of columns the parts have."""
        feeds = self._feeds.setdefault(table.name, [])
        entry = 1 + max((feed.entry for feed in feeds), default=-1)
        if entry >= source_parts.MAX_FEEDS:
            self.mistakes.append(f"{where}: more than {source_parts.MAX_FEEDS} entries fill {table.name}")
            return
        alike: dict[object, list[int]] = {}
        for number in numbers:
            columns = self.probe(number).columns
            alike.setdefault((columns, self.plan.options[number]), []).append(number)
        for group in alike.values():
            feed = origins.FeedBuilder(
                context=self, where=where, rule=rule, table=table, entry=entry, group=tuple(group)
            ).build()
            feeds.append(feed)
            for number in group:
                self._used.setdefault(number, set()).update(feed.used)
        self._policy(where, rule, table)

    def _policy(self, where: str, rule: model.TableRule, table: contract_model.Table) -> None:
        said = self._policies.get(table.name)
        if rule.orphans is None:
            return
        if said not in (None, rule.orphans):
            self.mistakes.append(f"{where}: orphans is {rule.orphans} here and {said} in an entry before")
        self._policies[table.name] = rule.orphans

    def _finish(self) -> None:
        for name, table in self.contract.tables.items():
            if name in self._feeds:
                policy = self._policies.get(name, self._orphans)
                self.plan.tables.append(plan.TablePlan(table, tuple(self._feeds[name]), policy))
        for number, used in self._used.items():
            left = [c.name for c in self.plan.probes[number].columns if c.name not in used]
            if left:
                self.plan.ignored_columns[number] = tuple(left)
        if not self.plan.tables and not self.mistakes:
            _refuse_nothing(self.parts, self.contract)


def _refuse_unmapped(mistakes: list[str]) -> NoReturn:
    raise errors.DataError(
        "\n  - ".join(["the delivery does not fit the contract:", *mistakes]),
        why="rows without their key can be neither told apart nor corrected later",
        mend="name the columns as the contract does, or say in a mapping file which is which; "
        "`mingcha data map-suggest SOURCE` proposes one",
    )


def _refuse_nothing(parts: Sequence[source_parts.Part], contract: contract_model.Contract) -> NoReturn:
    seen = ", ".join(part.label for part in parts[:5]) + (" …" if len(parts) > 5 else "")
    near = reading.nearest(parts[0].names[0], contract.tables)
    raise errors.DataError(
        f"no file, sheet or table bears the name of a table of the contract: {seen}{near}",
        why="nobody can say what the rows mean",
        mend="name them as the contract does (its Chinese titles will do), or write a mapping file; "
        "`mingcha data map-suggest SOURCE` proposes one",
    )
