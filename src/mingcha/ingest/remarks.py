"""Everything about a delivery that is worth knowing and puts no row aside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mingcha.ingest.checks import orphans as orphan_checks
from mingcha.ingest.checks import tables
from mingcha.ingest.mapping import plan
from mingcha.ingest.report import Remark
from mingcha.ingest.sources import discover, parts


def gather(
    *,
    opened: discover.Source,
    planned: plan.Plan,
    staged: Mapping[int, parts.Staged],
    checked: Sequence[tables.Checked],
    orphans: Iterable[orphan_checks.Orphans],
    unjudged: Iterable[orphan_checks.Unjudged],
) -> tuple[Remark, ...]:
    """Return the remarks in the order of the delivery: files, then tables, then references."""
    found = [Remark(item.because, item.label) for item in opened.ignored]
    found += [Remark("unknown_table", opened.parts[number].label) for number in planned.unused]
    for number, part in staged.items():
        for note in part.notes:
            code, _, detail = note.partition(":")
            found.append(Remark(code, part.label, detail))
        left = planned.ignored_columns.get(number)
        if left:
            found.append(Remark("ignored_columns", part.label, ", ".join(left)))
    for item in checked:
        found += _of_table(item)
    for orphan in orphans:
        subject = f"{orphan.table}.{orphan.column} → {orphan.refers_to}"
        found.append(Remark("orphans", subject, str(orphan.rows)))
    for blind in unjudged:
        found.append(Remark("orphans_not_judged", f"{blind.table}.{blind.column}", blind.refers_to))
    return tuple(dict.fromkeys(found))


def _of_table(item: tables.Checked) -> list[Remark]:
    found = []
    table = item.table
    missing = [c.name for c in table.columns if not c.nullable and c.name not in item.plan.columns]
    if missing:
        found.append(Remark("missing_columns", table.name, ", ".join(missing)))
    if item.delivered == 0:
        found.append(Remark("no_rows", table.name))
    if item.filtered:
        found.append(Remark("filtered", table.name, str(item.filtered)))
    if item.rounded:
        detail = ", ".join(f"{name} {count}" for name, count in sorted(item.rounded.items()))
        found.append(Remark("rounded", table.name, detail))
    return found
