"""`mingcha findings …`: what was found, listed, told and exported."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mingcha.cli import choices, console, session

if TYPE_CHECKING:
    from mingcha.audit import casebook
    from mingcha.findings import queries

HELP = "What was found 异常: list, tell, export."

RuleOption = Annotated[
    list[str] | None,
    typer.Option("--rule", metavar="GLOB", help="Only rules of this pattern, like 'MET-*'; may be repeated."),
]
RunOption = Annotated[
    str | None,
    typer.Option(
        "--run", metavar="ID", help="Only findings of this run; `latest` is the newest.", show_default=False
    ),
]
BandOption = Annotated[
    list[str] | None,
    typer.Option("--band", metavar="BAND", help="Only this band: watch, order, urgent; may be repeated."),
]
OrgOption = Annotated[
    str | None, typer.Option("--org", metavar="ID", help="Only this unit.", show_default=False)
]
CustomerOption = Annotated[
    str | None, typer.Option("--customer", metavar="ID", help="Only this customer.", show_default=False)
]
LimitOption = Annotated[
    int | None,
    typer.Option("--limit", min=0, help="At most so many, 0 for all; default: 50, with --json all."),
]
FormatOption = Annotated[
    str | None,
    typer.Option("--format", metavar="csv|json|parquet|xlsx", help="Format; default: from FILE, else csv."),
]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Finding id, or the beginning of one.")]

_SHOWN = 50
_KINDS = {".csv": "csv", ".json": "json", ".parquet": "parquet", ".xlsx": "xlsx"}


def list_(
    current: session.Session,
    *,
    rule: RuleOption = None,
    run: RunOption = None,
    band: BandOption = None,
    org: OrgOption = None,
    customer: CustomerOption = None,
    limit: LimitOption = None,
    lang: choices.LanguageOption = None,
) -> None:
    """List findings 异常清单, gravest first; each once, as it was last seen."""
    from mingcha.audit import casebook
    from mingcha.cli import storytext

    language = choices.language(current, lang)
    with casebook.opened(workspace=current.workspace()) as cases:
        where = casebook.wanted(cases, rules=rule, run_id=run, bands=band, org_id=org, customer_id=customer)
        if current.json:
            console.array(finding.record() for finding in cases.findings(where=where, limit=limit or 0))
            return
        total = cases.count(where=where)
        shown = _SHOWN if limit is None else limit
        found = list(cases.findings(where=where, limit=shown))
        console.out(storytext.listing(found, rules=cases.rules, language=language))
        console.note(storytext.summary(cases.total(where=where), language=language))
        if len(found) < total:
            console.note(f"{total - len(found):,} more: --limit 0 shows all, `findings export` writes them.")


def show(current: session.Session, finding_id: IdArgument, lang: choices.LanguageOption = None) -> None:
    """Tell a finding 异常详情: what was expected, what is there, why it matters, and what it rests on.

    Personal data in source rows is masked, secrets are withheld; nothing unmasks them in this version.
    """
    from mingcha.audit import casebook
    from mingcha.cli import storytext

    language = choices.language(current, lang)
    with casebook.opened(workspace=current.workspace()) as cases:
        told = cases.story(finding_id=finding_id, language=language)
    if current.json:
        console.document(told.finding.record() | {"story": storytext.document(told)})
    else:
        console.out(storytext.page(told))


def export(
    current: session.Session,
    *,
    rule: RuleOption = None,
    run: RunOption = None,
    band: BandOption = None,
    org: OrgOption = None,
    customer: CustomerOption = None,
    format_: FormatOption = None,
    out: choices.OutOption = None,
    lang: choices.LanguageOption = None,
) -> None:
    """Export findings 导出异常 as CSV, JSON, Parquet or a readable Excel workbook."""
    from mingcha.audit import casebook

    kind = format_ or _kind(current, out)
    language = choices.language(current, lang)
    with casebook.opened(workspace=current.workspace()) as cases:
        where = casebook.wanted(cases, rules=rule, run_id=run, bands=band, org_id=org, customer_id=customer)
        if out is None:
            _stream(cases, where, kind, language)
            return
        written = cases.export(where=where, target=out, kind=kind, language=language)
    if current.json:
        console.document({"out": str(out), "format": kind, "findings": written})
    else:
        console.note(f"{written:,} findings written to {out}")


def _stream(cases: casebook.Casebook, where: queries.Filter, kind: str, language: str) -> None:
    if kind in ("parquet", "xlsx"):
        choices.not_for_a_terminal(kind)
    sys.stdout.flush()
    cases.stream(where=where, stream=sys.stdout.buffer, kind=kind, language=language)


def _kind(current: session.Session, out: Path | None) -> str:
    if out is not None and out.suffix.lower() in _KINDS:
        return _KINDS[out.suffix.lower()]
    return "json" if current.json and out is None else "csv"


COMMANDS: dict[str, session.Command] = {"list": list_, "show": show, "export": export}
