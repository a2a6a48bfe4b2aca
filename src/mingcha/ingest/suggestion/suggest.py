"""`mingcha data map-suggest`: look at a source, write a mapping for a person to read and correct."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mingcha.ingest.sources import discover, options
from mingcha.ingest.suggestion import contents, propose

_HEAD = """\
# A proposal, made from names and from the first rows. Read every line before you use it:
# a column taken from the wrong place gives wrong findings. The number behind each line says how sure
# the proposal is (1.00: the name is known). Lines that start with # do nothing.
mapping: 1
match_names: false
tables:
"""


def suggest(*, source: str | Path) -> str:
    """Return the text of a mapping file for a folder, a file or a database URL.

    It can be read back as it stands. Raises DataError when the source holds nothing readable.
    """
    how = options.ReadOptions()
    written: list[str] = []
    unknown: list[str] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        discover.opened(source, options_of=lambda _: how) as opened,
    ):
        for part in opened.parts:
            probe = part.probe(how)
            columns = [column.name for column in probe.columns]
            profiles = contents.profiles(part=part, probe=probe, how=how, folder=Path(folder))
            proposal = propose.propose(
                source=part.names[0], aliases=part.names, columns=columns, profiles=profiles
            )
            if proposal is None:
                unknown += _unknown(part.label, columns, profiles)
            else:
                written += _table(proposal, profiles)
                second = propose.beside(first=proposal, columns=columns, profiles=profiles)
                written += _table(second, profiles) if second else []
    body = "\n".join(written) if written else "  []"
    return _HEAD.replace("tables:\n", "tables:\n" if written else "tables: []\n") + (
        "\n".join([*([body] if written else []), *unknown]) + "\n"
    )


def _table(proposal: propose.Proposal, profiles: dict[str, contents.Profile]) -> Iterator[str]:
    yield f"  - from: {_quoted(proposal.source)}"
    yield f"    to: {proposal.table.name}    # {proposal.table.title.zh} {proposal.sure:.2f}"
    yield "    columns:" if proposal.matches else "    columns: {}"
    for match in proposal.matches:
        yield from _column(match, profiles[match.source])
    for column in proposal.missing:
        words = f"may not be empty and was not found ({column.zh})"
        if column.name in proposal.table.key:
            yield f'      # {column.name}: {{expr: "…"}}    # part of the key: {words}'
            continue
        yield f"      # {column.name}: {{constant: {_quoted(column.example)}, assumed: true}}    # {words}"
    for name in proposal.left:
        shown = ", ".join(profiles[name].shown) or "empty"
        yield f"      # not used: {_quoted(name)} (for example {_one_line(shown)})"


def _column(match: propose.Match, profile: contents.Profile) -> Iterator[str]:
    parts = [f"column: {_quoted(match.source)}"]
    if match.column.type in ("date", "timestamp") and profile.days_first:
        parts.append('date_format: "%d/%m/%Y"')
    words = ""
    if match.column.labels and profile.values:
        mapped = contents.value_map(match.column, profile.values)
        known = {value: ours for value, ours in mapped.items() if ours is not None}
        unknown = [value for value in mapped if value not in known]
        if any(value != ours for value, ours in known.items()):
            inside = ", ".join(f"{_quoted(value)}: {ours}" for value, ours in known.items())
            parts.append(f"values: {{{inside}}}")
        if unknown:
            choice = "|".join(match.column.labels)
            words = f"; say what {_one_line(', '.join(unknown))} mean: {choice}"
    yield (
        f"      {match.column.name}: {{{', '.join(parts)}}}    # {match.column.zh} {match.sure:.2f}{words}"
    )


def _unknown(label: str, columns: list[str], profiles: dict[str, contents.Profile]) -> Iterator[str]:
    yield f"# {_one_line(label)} is like none of our tables. Its columns, with values:"
    for name in columns:
        yield f"#   {_quoted(name)}: {_one_line(', '.join(profiles[name].shown)) or 'empty'}"


def _quoted(text: str) -> str:
    """Return a text in double quotes as YAML reads it (JSON strings are YAML)."""
    return json.dumps(text, ensure_ascii=False)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:160]
