"""`mingcha data contract`: what the tables mean, and empty templates to fill."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mingcha.cli import choices, console, session
from mingcha.kernel import errors

if TYPE_CHECKING:
    from mingcha.contract import model

FORMATS = ("md", "json", "csv-template", "xlsx-template")
FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="|".join(FORMATS),
        help="md explains, json is for programs, the templates are empty tables to fill; default: a list.",
        show_default=False,
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="PATH",
        help="File; for csv-template of all tables a folder; default: standard output.",
        show_default=False,
    ),
]


def contract(
    current: session.Session,
    *,
    table: choices.TableOption = None,
    format_: FormatOption = None,
    out: OutOption = None,
    lang: choices.LanguageOption = None,
) -> None:
    """Show the data contract 数据契约: tables, columns, types, meaning; or write templates."""
    language = "en" if lang == "en" else "zh"
    tables = _tables(table)
    kind = format_ or ("json" if current.json else "list" if table is None and out is None else "md")
    if kind == "list":
        _list(tables, language)
        return
    choices.one_of("--format", kind, FORMATS)
    if kind.endswith("-template"):
        tables = _delivered(tables)
    if kind == "xlsx-template":
        _workbook(tables, out)
    elif kind == "csv-template" and len(tables) > 1:
        _folder(tables, out)
    else:
        _deliver(_text(kind, tables, language), out)


def _tables(name: str | None) -> list[model.Table]:
    from mingcha.contract import load

    known = load.contract().every
    if name is not None and name not in known:
        raise errors.Refusal(
            f"there is no table {name} in the contract",
            why="only tables of the contract are read from a delivery or by a rule",
            mend="list them with `mingcha data contract`",
        )
    return [known[name]] if name else list(known.values())


def _delivered(tables: list[model.Table]) -> list[model.Table]:
    """Return the tables a utility can deliver; raises Refusal when a derived one alone was asked for."""
    delivered = [table for table in tables if not table.derived]
    if not delivered:
        raise errors.Refusal(
            f"{tables[0].name} is calculated from the delivered tables and never delivered itself",
            why="a template to fill would invite numbers nobody can trace",
            mend="make it with `mingcha bills rerate`, or name a delivered table",
        )
    return delivered


def _list(tables: list[model.Table], language: str) -> None:
    rows = [
        [
            table.name,
            table.title.zh if language == "zh" else table.title.en,
            str(len(table.columns)),
            table.group,
        ]
        for table in tables
    ]
    console.out(console.table(["table", "title", "columns", "group"], rows, right=[2]))
    console.note("One table in full: --table T. Empty templates: --format csv-template or xlsx-template.")


def _text(kind: str, tables: list[model.Table], language: str) -> str:
    from mingcha.contract import reference, templates
    from mingcha.findings import jsontext

    if kind == "json":
        return jsontext.dumps(reference.document(tables=tables)) + "\n"
    if kind == "csv-template":
        return templates.csv_template(table=tables[0])
    return "\n".join(
        reference.markdown(table=one, language="zh" if language == "zh" else "en") for one in tables
    )


def _deliver(text: str, out: Path | None) -> None:
    from mingcha.findings import export

    if out is None:
        console.out(text.removesuffix("\n"))
        return
    with export.whole_file(out) as draft:
        # Excel reads UTF-8 only behind a byte-order mark; the other readers of CSV skip it.
        draft.write_text(text, encoding="utf-8-sig" if out.suffix == ".csv" else "utf-8")
    console.note(f"Written to {out}")


def _folder(tables: list[model.Table], out: Path | None) -> None:
    from mingcha.contract import templates

    if out is None:
        raise errors.Refusal(
            "csv-template of all tables needs a folder",
            why="each table is a file of its own",
            mend="name a folder with --out DIR, or one table with --table T",
        )
    out.mkdir(parents=True, exist_ok=True)
    for table in tables:
        _deliver_quietly(templates.csv_template(table=table), out / f"{table.name}.csv")
    console.note(f"{len(tables)} templates written to {out}")


def _deliver_quietly(text: str, target: Path) -> None:
    from mingcha.findings import export

    with export.whole_file(target) as draft:
        draft.write_text(text, encoding="utf-8-sig")


def _workbook(tables: list[model.Table], out: Path | None) -> None:
    from mingcha.contract import templates
    from mingcha.findings import export

    if out is None:
        raise errors.Refusal(
            "xlsx-template needs a file",
            why="a workbook is not text",
            mend="name one with --out FILE.xlsx",
        )
    with export.whole_file(out) as draft:
        templates.excel_template(path=draft, tables=tables)
    console.note(f"{len(tables)} sheets written to {out}")
