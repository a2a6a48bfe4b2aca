"""The reference page of the command line, made of the help texts themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mingcha.cli import app

_WIDTH = 100
_HEAD = """# Command line

<!-- Made from the help texts by `make docs`; a test fails when it is behind them. -->

Every command is a noun and a verb. The options `-w/--workspace`, `--json` and `--debug` stand before or
after the command alike.

* `--json` prints one JSON document on standard output; everything meant for people goes to standard error.
* Exit codes: `0` done · `1` ran, and found something that needs attention, where the command is a check
  (`rules lint`, `rules test`, `rules lock --check`) · `2` could not run.
* A failure says three things: what is wrong and where, why it matters, how to put it right. `--debug` adds
  the trace.
"""


def page() -> str:
    """Return the page as Markdown: every command with its help, in the order of the tree."""
    parts = [_HEAD]
    for names, text in _helps(app.command(), ("mingcha",)):
        parts.append(f"## {' '.join(names)}\n\n```text\n{text.rstrip()}\n```\n")
    return "\n".join(parts)


def _helps(command: Any, names: tuple[str, ...], above: Any = None) -> Iterator[tuple[tuple[str, ...], str]]:
    context = command.make_context(names[-1], [], parent=above, resilient_parsing=True, terminal_width=_WIDTH)
    yield names, command.get_help(context)
    for name, inner in getattr(command, "commands", {}).items():
        yield from _helps(inner, (*names, name), context)
