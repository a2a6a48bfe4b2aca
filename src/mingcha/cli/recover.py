"""`mingcha recover KIND`: what is owed or refunded by law, as a worksheet that shows its working."""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mingcha.cli import choices, console, session
from mingcha.kernel import errors
from mingcha.recovery import asking, catalogue
from mingcha.recovery.model import Worksheet

if TYPE_CHECKING:
    from mingcha.tariffbook import load

HELP = """Recovery worksheets 退补计算书: what is owed or refunded by law, with every step of the working.

Each kind of claim has its own options; `mingcha recover KIND --help` lists them with their units.
"""
FORMATS = ("text", "json", "docx", "pdf")
#: So many choices stand in place of the value, more of them in the words.
_SHOWN = 6
_SUFFIXES = {".txt": "text", ".json": "json", ".docx": "docx", ".pdf": "pdf"}
_EVERY = """

    Days are YYYY-MM-DD. --to is the first day that is not counted. Inputs may also stand in a file named by
    --input (YAML or JSON): keys are the options' names with _ for -, and `sources: {key: text}` says where a
    value comes from; options win over the file. A worksheet is a calculation, not a decision.
"""

InputOption = Annotated[
    Path | None,
    typer.Option("--input", metavar="FILE", help="Inputs from a YAML or JSON file.", show_default=False),
]
FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format", metavar="text|json|docx|pdf", help="Form of the sheet; default: by --out, else text.",
        show_default=False,
    ),
]  # fmt: skip
SourceOption = Annotated[
    list[str] | None,
    typer.Option(
        "--source", metavar="KEY=TEXT", help="Where an input comes from, printed.", show_default=False
    ),
]
_OUTPUT = (
    ("input_file", InputOption),
    ("source", SourceOption),
    ("form", FormatOption),
    ("out", choices.OutOption),
    ("lang", choices.LanguageOption),
)


def _command(one: catalogue.Calculator) -> session.Command:
    """Return the command of a calculator: one option per field of what it asks for."""
    fields = asking.fields(one.given)
    # The attribute, not the key, names the parameter: `from` is a word of Python.
    keys = {name: about.key for name, about in fields}

    def command(current: session.Session, **given: Any) -> None:
        output = {name: given.pop(name) for name, _ in _OUTPUT}
        values = {keys[name]: value for name, value in given.items() if _said(value)}
        _run(current, one, values, **output)

    command.__name__ = one.kind.replace("-", "_")
    command.__doc__ = f"{one.title.en} {one.title.zh}.{_EVERY}"
    kind = inspect.Parameter.KEYWORD_ONLY
    own = [
        inspect.Parameter(name, kind, default=_default(about), annotation=_option(about))
        for name, about in fields
    ]
    shared = [inspect.Parameter(name, kind, default=None, annotation=note) for name, note in _OUTPUT]
    first = inspect.Parameter("current", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=session.Session)
    command.__signature__ = inspect.Signature([first, *own, *shared])  # type: ignore[attr-defined]
    return command


def _said(value: Any) -> bool:
    return value not in (None, False, [], ())


def _default(about: asking.About) -> Any:
    return False if about.kind == "flag" else None


def _option(about: asking.About) -> Any:
    """Return the annotation of a field's option: its kind, its metavar, its words with the unit."""
    text = f"{about.name.en} {about.name.zh}".strip()
    if about.unit and about.kind not in ("curve", "spells"):
        text += f" [{about.unit}]"
    if len(about.choices) > _SHOWN:
        text += f": {', '.join(about.choices)}"
    text += " (required)" if about.required else ""
    if about.kind == "flag":
        return Annotated[bool, typer.Option(about.option, help=text)]
    kind = list[str] if about.many else Path if about.kind in ("curve", "spells") else str
    return Annotated[
        kind | None,
        typer.Option(about.option, metavar=_metavar(about), help=text, show_default=False),
    ]


def _metavar(about: asking.About) -> str:
    if about.choices:
        return "|".join(about.choices) if len(about.choices) <= _SHOWN else "CODE"
    return {
        "number": "NUMBER",
        "whole": "N",
        "day": "DAY",
        "dated": "[DAY=]NUMBER",
        "curve": "FILE",
        "spells": "FILE",
    }.get(about.kind, "TEXT")


def _run(
    current: session.Session,
    one: catalogue.Calculator,
    values: dict[str, Any],
    *,
    input_file: Path | None,
    source: list[str] | None,
    form: str | None,
    out: Path | None,
    lang: str | None,
) -> None:
    chosen = _form(current, form, out)
    language = _language(current, lang)
    from_file, sources = _from_file(one, input_file) if input_file else ({}, {})
    sheet = catalogue.work(
        one.kind,
        {**from_file, **{key: _read_file(one, key, value, Path()) for key, value in values.items()}},
        books=_books(current),
        where=f"mingcha recover {one.kind}",
        sources={**sources, **_sources(source or [])},
        made_on=current.now.date(),
    )
    _write(current, sheet, form=chosen, out=out, language=language)


def _books(current: session.Session) -> load.Books:
    """Return the shipped books and those of the workspace, where one stands here."""
    from mingcha.audit import tariffs
    from mingcha.store import workspace

    folder = current.path
    return tariffs.books_of(folder=folder if (folder / workspace.SETTINGS_FILE).is_file() else None)


def _form(current: session.Session, form: str | None, out: Path | None) -> str:
    if form is not None:
        return choices.one_of("--format", form, FORMATS)
    if out is not None and out.suffix.lower() in _SUFFIXES:
        return _SUFFIXES[out.suffix.lower()]
    return "json" if current.json else "text"


def _language(current: session.Session, lang: str | None) -> str:
    """Return the language asked for, else the workspace's, Chinese without a workspace."""
    if lang is not None:
        return choices.language(current, lang)
    try:
        return choices.language(current, None)
    except errors.SetupError:
        return "zh"


def _sources(said: list[str]) -> dict[str, str]:
    found = {}
    for one in said:
        key, sign, text = one.partition("=")
        if not sign or not text.strip():
            raise errors.DataError(
                f"--source {one!r} does not say key and text",
                why="the sheet prints for each input where it comes from",
                mend="write the option's name and the text, as recorded-kwh='reading book, March'",
            )
        found[key.strip().lstrip("-").replace("-", "_")] = text.strip()
    return found


def _from_file(one: catalogue.Calculator, file: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the inputs of a file by key, and where each comes from."""
    from mingcha.findings import jsontext
    from mingcha.kernel import strict_yaml

    text = _text(file)
    try:
        read = (
            jsontext.loads(text)
            if file.suffix.lower() == ".json"
            else strict_yaml.load(text, source=str(file))
        )
    except json.JSONDecodeError as error:
        raise _bad_file(
            f"{file}:{error.lineno}:{error.colno}: {error.msg}", "correct the JSON there"
        ) from error
    if not isinstance(read, dict) or not all(isinstance(key, str) for key in read):
        raise _bad_file(f"{file} is not a mapping of keys to values", "write one key and value a line")
    sources = read.pop("sources", {})
    kind = read.pop("kind", one.kind)
    if kind != one.kind:
        raise _bad_file(f"{file} is for {kind}, not for {one.kind}", f"use mingcha recover {kind}")
    if not isinstance(sources, dict) or not all(isinstance(text, str) for text in sources.values()):
        raise _bad_file(f"{file}: sources is not a mapping of keys to texts", "write sources: {key: text}")
    values = {key.replace("-", "_"): value for key, value in read.items()}
    return (
        {key: _read_file(one, key, value, file.parent) for key, value in values.items()},
        {str(key).replace("-", "_"): text for key, text in sources.items()},
    )


def _read_file(one: catalogue.Calculator, key: str, value: Any, folder: Path) -> Any:
    """Return the text of a file where the field is one, anything else as it is."""
    kinds = {about.key: about.kind for _, about in asking.fields(one.given)}
    if kinds.get(key) not in ("curve", "spells") or not isinstance(value, str | Path):
        return value
    path = folder / value
    return asking.FileText(str(path), _text(path))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise _bad_file(f"{file} is not UTF-8 text", "save it as UTF-8") from None
    except OSError as error:
        raise _bad_file(
            f"{file} cannot be read: {error.strerror or error}", "correct the name of the file"
        ) from None


def _bad_file(what: str, mend: str) -> errors.DataError:
    return errors.DataError(what, why="a worksheet is computed from what was given, or not at all", mend=mend)


def _write(current: session.Session, sheet: Worksheet, *, form: str, out: Path | None, language: str) -> None:
    content = _content(sheet, form, language)
    if out is not None:
        from mingcha.findings import export

        try:
            with export.whole_file(out) as draft:
                draft.write_bytes(content)
        except OSError as error:
            raise errors.SetupError(
                f"{out} cannot be written: {error.strerror or error}",
                why="the sheet was computed, but is nowhere kept",
                mend="name a file in a folder that exists and may be written to",
            ) from None
        if current.json:
            console.document({"out": str(out), "format": form, **sheet.as_json()})
        else:
            console.note(f"Worksheet: {out}")
        return
    if form in ("docx", "pdf"):
        choices.not_for_a_terminal(form)
    sys.stdout.flush()
    sys.stdout.buffer.write(content)


def _content(sheet: Worksheet, form: str, language: str) -> bytes:
    from mingcha.findings import jsontext
    from mingcha.recovery.render import pdf, text, word

    if form == "json":
        return (jsontext.dumps(sheet.as_json()) + "\n").encode("utf-8")
    if form == "docx":
        return word.render(sheet, language=language)
    if form == "pdf":
        return pdf.render(sheet, language=language)
    return text.render(sheet, language=language).encode("utf-8")


#: A command for every kind of worksheet, in the order of the articles.
COMMANDS: dict[str, session.Command] = {kind: _command(one) for kind, one in catalogue.CALCULATORS.items()}
