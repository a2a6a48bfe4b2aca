"""The tree of commands: noun, then verb."""

from __future__ import annotations

from typing import Annotated, Any

import typer
import typer.main

import mingcha
from mingcha.cli import bills, data, demo, findings, recover, report, rules, session, setup, synth, tariffs

_HELP = """Mingcha 明察: audit and revenue assurance for electricity utilities 电力营销稽查.

Reads a utility's own books, finds what is wrong, proves it with evidence, says how much is at stake.

Exit codes: 0 done · 1 ran, and found something a check is meant to find · 2 could not run.
"""
_ORDER = ("init", "data", "rules", "tariffs", "bills", "recover", "findings", "report", "demo", "synth")
_EPILOG = "Begin with: mingcha demo build DIR"

VersionOption = Annotated[
    bool, typer.Option("--version", help="Print the version and leave.", is_eager=True, show_default=False)
]


def command() -> Any:
    """Return the whole command line as one command, its parts in the order one meets them."""
    group = typer.main.get_command(_build())
    inner = getattr(group, "commands", {})
    ordered = {name: inner[name] for name in _ORDER}
    inner.clear()
    inner.update(ordered)
    return group


def _build() -> typer.Typer:
    app = typer.Typer(
        name="mingcha",
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback(invoke_without_command=True, help=_HELP, epilog=_EPILOG)(session.options(_root))
    app.command("init")(session.options(setup.init))
    for name, group in (
        ("data", data),
        ("rules", rules),
        ("tariffs", tariffs),
        ("bills", bills),
        ("recover", recover),
        ("findings", findings),
        ("demo", demo),
    ):
        app.add_typer(_group(group.HELP, group.COMMANDS), name=name)
    app.command("report")(session.options(report.report))
    app.command("synth")(session.options(synth.synth))
    return app


def _group(help_text: str, commands: dict[str, session.Command]) -> typer.Typer:
    group = typer.Typer(rich_markup_mode=None, help=help_text)
    group.callback(invoke_without_command=True)(session.options(_bare))
    for name, command in commands.items():
        group.command(name)(session.options(command))
    return group


def _root(current: session.Session, *, version: VersionOption = False) -> None:
    if version:
        typer.echo(f"mingcha {mingcha.__version__}")
        raise typer.Exit(0)
    _bare(current)


def _bare(current: session.Session) -> None:
    """Show the help of a group that was called without a command."""
    context = current.context
    if context is not None and context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(2)
