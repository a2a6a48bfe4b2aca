"""`needs` in a sheet against what the parsed query reads: equal, column by column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from mingcha.rules.problems import Problem

MEND = "run `mingcha rules lint --write-needs`, and read what changed"


def problems(
    *, where: str, stated: Mapping[str, tuple[str, ...]], reads: Mapping[str, tuple[str, ...]]
) -> Iterator[Problem]:
    """Yield every table and column read but not stated, or stated but not read."""
    for name in sorted({*stated, *reads}):
        if name not in stated:
            yield Problem(where, "needs", f"does not state {name}, which the query reads", MEND)
        elif name not in reads:
            yield Problem(where, "needs", f"states {name}, which the query does not read", MEND)
        else:
            missing = sorted(set(reads[name]) - set(stated[name]))
            surplus = sorted(set(stated[name]) - set(reads[name]))
            if missing:
                yield Problem(where, f"needs.{name}", f"does not state {', '.join(missing)}", MEND)
            if surplus:
                yield Problem(where, f"needs.{name}", f"states {', '.join(surplus)}, not read", MEND)


def write(path: Path, reads: Mapping[str, tuple[str, ...]]) -> list[Path]:
    """Put `needs` into the sheet, leaving every other line as it is; return [path] if it changed."""
    text = path.read_text(encoding="utf-8")
    lines = [f"  {name}: [{', '.join(columns)}]" for name, columns in sorted(reads.items())]
    block = "\n".join(["needs:", *lines]) + "\n"
    # A top-level key reaches to the next line that begins in the first column.
    found = re.search(r"^needs:.*\n(?:[ \t#].*\n|\n)*", text, re.MULTILINE)
    if found:
        rest = text[found.end() :]
        renewed = text[: found.start()] + block + rest
    else:
        at = re.search(r"^(optional|columns|yields_to|population):", text, re.MULTILINE)
        start = at.start() if at else len(text)
        renewed = text[:start] + block + text[start:]
    if renewed == text:
        return []
    path.write_text(renewed, encoding="utf-8")
    return [path]
