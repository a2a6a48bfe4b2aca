"""`mingcha rules …`: the book of rules, read, checked, proved and run."""

from __future__ import annotations

import fnmatch
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mingcha.cli import choices, console, session
from mingcha.cli.screening import run
from mingcha.kernel import errors

if TYPE_CHECKING:
    from mingcha.rules import book as books
    from mingcha.rules import proving

HELP = "The book of rules 规则库: list, show, lint, test, run, add."

IdsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[ID]...", help="Rule ids; default: all.", show_default=False)
]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Rule id, for example MET-001.")]
AreaOption = Annotated[
    str | None, typer.Option("--area", metavar="AREA", help="Only this area, for example metering.")
]
BookOption = Annotated[
    Path | None,
    typer.Option(
        "--book", metavar="DIR", help="Another rulebook; default: the shipped one.", show_default=False
    ),
]
WriteNeedsOption = Annotated[
    bool, typer.Option("--write-needs", help="First write `needs` into the sheets as the queries read.")
]
NewIdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="A free id; 901 to 999 of an area are for your own: MET-901.")
]
NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="Folder name, for example bill_above_limit.")
]
TitleZhOption = Annotated[
    str | None, typer.Option("--title-zh", help="Title in Chinese; asked for if missing.")
]
TitleEnOption = Annotated[
    str | None, typer.Option("--title-en", help="Title in English; asked for if missing.")
]
TableOption = Annotated[
    str, typer.Option("--table", metavar="T", help="Contract table whose rows are judged.")
]
ColumnOption = Annotated[str, typer.Option("--column", metavar="C", help="Column compared with a limit.")]
LimitOption = Annotated[str, typer.Option("--limit", metavar="NUMBER", help="The limit to begin with.")]


def list_(
    current: session.Session,
    *,
    area: AreaOption = None,
    lang: choices.LanguageOption = None,
    book: BookOption = None,
) -> None:
    """List the rules 规则清单."""
    from mingcha.rules import book as books

    read = books.load(root=book)
    rules = [rule for _, rule in sorted(read.rules.items()) if area in (None, rule.sheet.area)]
    if current.json:
        console.document({"rules": [_record(rule) for rule in rules]})
        return
    language = lang or "zh"
    rows = [
        [
            rule.id,
            rule.sheet.title.of(language),
            rule.sheet.area,
            rule.sheet.subject,
            rule.sheet.severity,
            rule.sheet.priority,
            rule.sheet.status,
        ]
        for rule in rules
    ]
    console.out(console.table(["rule", "title", "area", "subject", "severity", "priority", "status"], rows))
    console.note(f"{len(rules)} rules. One in full: mingcha rules show ID")


def show(
    current: session.Session,
    rule_id: IdArgument,
    *,
    lang: choices.LanguageOption = None,
    book: BookOption = None,
) -> None:
    """Show a rule 规则详情: its story, parameters, needs, money, remedy, law, and its query with --json."""
    from mingcha.rules import book as books
    from mingcha.rules import card
    from mingcha.rules import lock as locking

    read = books.load(root=book)
    rule = read.rule(rule_id)
    version = locking.versions(read).get(rule.id)
    if current.json:
        sheet = rule.sheet.model_dump(mode="json", by_alias=True)
        console.document({"rule_id": rule.id, "version": version, **sheet, "query": rule.sql})
    else:
        text = card.markdown(
            rule=rule, book=read, language=lang or "zh", day=current.now.date(), version=version
        )
        console.out(text.rstrip())


def lint(
    current: session.Session,
    ids: IdsArgument = None,
    *,
    write_needs: WriteNeedsOption = False,
    book: BookOption = None,
) -> None:
    """Check rules before they run 检查规则: sheets, queries, needs, portability, examples.

    Leaves with 1 if there is any mistake.
    """
    from mingcha.rules import lint as linting

    chosen = _known(ids, book)
    if write_needs:
        for path in linting.write_needs(root=book, ids=chosen):
            console.note(f"needs written: {path}")
    problems = linting.lint(root=book, ids=chosen)
    if current.json:
        found = [
            {"where": one.where, "field": one.field, "what": one.what, "mend": one.mend} for one in problems
        ]
        console.document({"mistakes": len(found), "problems": found})
    else:
        for problem in problems:
            console.out(str(problem))
        console.out(f"{len(problems)} mistakes" if problems else "no mistakes")
    raise typer.Exit(1 if problems else 0)


def prove(current: session.Session, ids: IdsArgument = None, *, book: BookOption = None) -> None:
    """Run the examples of rules 规则自测: rows in, rows out.

    Leaves with 1 if any example fails.
    """
    from mingcha.rules import book as books
    from mingcha.rules import proving

    chosen = _known(ids, book)
    read = books.load(root=book)
    began = time.perf_counter()
    prover = proving.Prover(read)
    rules = [rule for _, rule in sorted(read.rules.items()) if chosen is None or rule.id in chosen]
    failures = {rule.id: prover.prove(rule) for rule in rules}
    failed = sum(len(found) for found in failures.values())
    examples = sum(len(rule.examples.examples) for rule in rules)
    seconds = round(time.perf_counter() - began, 3)
    if current.json:
        console.document(
            {
                "rules": len(rules),
                "examples": examples,
                "failures": [
                    {"rule_id": one.rule_id, "example": one.example, "said": one.said}
                    for found in failures.values()
                    for one in found
                ],
                "seconds": seconds,
            }
        )
    else:
        _tell_proofs(rules, failures)
        console.out(f"{examples} examples of {len(rules)} rules, {failed} failures, {seconds:.1f} s")
    raise typer.Exit(1 if failed else 0)


def _known(ids: list[str] | None, root: Path | None) -> set[str] | None:
    """Return the ids that patterns stand for, None for all; raises BookError for one that fits nothing."""
    from mingcha.rules import book as books

    if not ids:
        return None
    read, _ = books.read(root=root)
    names = [*read.rules, *read.relations]
    chosen: set[str] = set()
    for pattern in ids:
        fitting = fnmatch.filter(names, pattern)
        chosen |= set(fitting or [read.rule(pattern).id])
    return chosen


def _tell_proofs(rules: list[books.Rule], failures: dict[str, list[proving.Failure]]) -> None:
    for rule in rules:
        found = failures[rule.id]
        state = f"{len(found)} failures" if found else "ok"
        console.out(f"{rule.id}  {len(rule.examples.examples):3} examples  {state}")
        for failure in found:
            console.out(f"  {failure}")


def _record(rule: books.Rule) -> dict[str, Any]:
    sheet = rule.sheet
    return {
        "rule_id": sheet.id,
        "title": {"zh": sheet.title.zh, "en": sheet.title.en},
        "area": sheet.area,
        "subject": sheet.subject,
        "severity": sheet.severity,
        "priority": sheet.priority,
        "status": sheet.status,
        "needs": {name: list(columns) for name, columns in sheet.needs.items()},
        "parameters": {
            name: {
                "default": parameter.default,
                "unit": parameter.unit,
                "min": parameter.min,
                "max": parameter.max,
            }
            for name, parameter in sheet.parameters.items()
        },
    }


def new(
    current: session.Session,
    rule_id: NewIdArgument,
    name: NameArgument,
    *,
    title_zh: TitleZhOption = None,
    title_en: TitleEnOption = None,
    table: TableOption = "bill",
    column: ColumnOption = "amount",
    limit: LimitOption = "1000000",
    book: BookOption = None,
) -> None:
    """Begin a rule 新建规则: a folder with a sheet, a query and examples that work at once."""
    from mingcha.rules import scaffold

    plan = scaffold.Plan(
        rule_id=rule_id,
        name=name,
        title_zh=_asked("Title in Chinese 中文名称", title_zh),
        title_en=_asked("Title in English", title_en),
        table=table,
        column=column,
        limit=limit,
    )
    folder = scaffold.new(plan=plan, root=book)
    if current.json:
        console.document({"rule_id": rule_id, "folder": str(folder)})
        return
    console.out(f"{rule_id} begun in {folder}")
    console.note(
        f"Next: change query.sql and examples.yaml, then mingcha rules lint {rule_id}, rules test {rule_id}"
    )


def _asked(question: str, given: str | None) -> str:
    """Return what was given, else what the person at the terminal answers."""
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise errors.Refusal(
            "a title is missing",
            why="findings are told in Chinese and English",
            mend="give --title-zh and --title-en",
        )
    return str(typer.prompt(question, err=True))


def lock(
    current: session.Session,
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; leave with 1 when the lock is behind the book.")
    ] = False,
    book: BookOption = None,
) -> None:
    """Write the lock 锁定版本: content hashes and machine-counted versions of all rules."""
    from mingcha.rules import book as books
    from mingcha.rules import lock as locking

    read = books.load(root=book)
    problems = locking.check(read)
    path = None if check else locking.update(read)
    if current.json:
        found = [{"rule_id": one.field, "what": one.what, "mend": one.mend} for one in problems]
        console.document({"differences": found, "written": str(path) if path else None})
    elif check:
        for problem in problems:
            console.out(str(problem))
        console.out(f"{len(problems)} differences from the lock" if problems else "the lock is up to date")
    else:
        console.out(f"{len(read.rules)} rules locked in {path}, {len(problems)} changed")
    raise typer.Exit(1 if check and problems else 0)


COMMANDS: dict[str, session.Command] = {
    "list": list_,
    "show": show,
    "lint": lint,
    "test": prove,
    "new": new,
    "run": run,
    "lock": lock,
}
