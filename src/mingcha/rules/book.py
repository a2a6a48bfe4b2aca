"""The rulebook read strictly: every file, every mistake at once, nothing half understood."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import pydantic

from mingcha import rulebook
from mingcha.kernel import errors, strict_yaml
from mingcha.rules import model
from mingcha.rules.problems import Problem, raise_all

RULE_FILES = ("rule.yaml", "query.sql", "examples.yaml", "guide.zh.md", "guide.en.md")
NO_AREAS = ("relations", "law", "schemas")
RELATION_FILES = ("relation.yaml", "query.sql")
Sheet = TypeVar("Sheet", bound=pydantic.BaseModel)


@dataclass(frozen=True)
class Rule:
    """A rule folder as read: its sheet, its query and its examples."""

    sheet: model.RuleSheet
    sql: str
    examples: model.ExampleSheet
    guides: dict[str, str]
    folder: Path

    @property
    def id(self) -> str:
        """Return the rule's id, for example MET-001."""
        return self.sheet.id

    @property
    def name(self) -> str:
        """Return the place in the book, for example metering/multiplier_differs."""
        return f"{self.folder.parent.name}/{self.folder.name}"

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the names of the evidence columns in the order the query gives them."""
        return tuple(column.name for column in self.sheet.evidence)


@dataclass(frozen=True)
class Relation:
    """A shared relation as read: its sheet and its query."""

    sheet: model.RelationSheet
    sql: str
    folder: Path

    @property
    def name(self) -> str:
        """Return the relation's name as rules use it."""
        return self.sheet.name

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Return the relation's column names in order."""
        return tuple(column.name for column in self.sheet.columns)


@dataclass
class Book:
    """All rules, shared relations and law topics of one rulebook."""

    root: Path
    rules: dict[str, Rule] = field(default_factory=dict)
    relations: dict[str, Relation] = field(default_factory=dict)
    law: dict[str, model.LawTopic] = field(default_factory=dict)

    def rule(self, rule_id: str) -> Rule:
        """Return the rule; raises BookError naming near ones when there is none of that id."""
        if rule_id in self.rules:
            return self.rules[rule_id]
        known = ", ".join(sorted(self.rules)) or "none"
        raise errors.BookError(
            f"there is no rule {rule_id}",
            why="ids are stable; a rule asked for and not found would look like a clean result",
            mend=f"choose one of: {known}",
        )


def load(*, root: Path | None = None) -> Book:
    """Return the rulebook under `root` (the shipped one by default).

    Raises one BookError naming every mistake of every file.
    """
    book, problems = read(root=root)
    raise_all(problems, what=f"the rulebook in {book.root}")
    return book


def read(*, root: Path | None = None) -> tuple[Book, list[Problem]]:
    """Return what could be read under `root`, and every mistake found while reading."""
    book = Book(root or rulebook.ROOT)
    problems: list[Problem] = []
    for path in sorted((book.root / "law").glob("*.yaml")):
        _read_law(path, book, problems)
    for folder in _folders(book.root / "relations"):
        _read_relation(folder, book, problems)
    for area in _folders(book.root):
        if area.name in NO_AREAS:
            continue
        for folder in _folders(area):
            _read_rule(folder, book, problems)
    return book, problems


def _folders(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    return sorted(path for path in parent.iterdir() if path.is_dir() and path.name[0] not in "._")


def _read_rule(folder: Path, book: Book, problems: list[Problem]) -> None:
    found: list[Problem] = []
    where = str(folder.relative_to(book.root))
    texts = _texts(folder, RULE_FILES, RULE_FILES[:3], where, found)
    sheet = _sheet(model.RuleSheet, texts, "rule.yaml", where, found)
    examples = _sheet(model.ExampleSheet, texts, "examples.yaml", where, found)
    if sheet is not None:
        found += _place_problems(sheet, folder, where, book)
    problems += found
    if sheet is None or examples is None or "query.sql" not in texts or sheet.id in book.rules:
        return
    guides = {name[6:8]: text for name, text in texts.items() if name.startswith("guide.")}
    book.rules[sheet.id] = Rule(sheet, texts["query.sql"], examples, guides, folder)


def _place_problems(sheet: model.RuleSheet, folder: Path, where: str, book: Book) -> list[Problem]:
    found = []
    file = f"{where}/rule.yaml"
    if sheet.area != folder.parent.name:
        mend = f"move the folder to {sheet.area}/, or correct the area"
        found.append(
            Problem(file, "area", f"{sheet.area} but the folder lies in {folder.parent.name}/", mend)
        )
    prefix = model.AREAS[sheet.area]
    if not sheet.id.startswith(prefix):
        found.append(
            Problem(file, "id", f"{sheet.id} is not of area {sheet.area}", f"ids there begin {prefix}-")
        )
    if sheet.id in book.rules:
        other = book.rules[sheet.id].name
        found.append(
            Problem(file, "id", f"{sheet.id} is taken by {other}", "choose a free id; ids are never reused")
        )
    if (sheet.status == "retired") != (sheet.retired is not None):
        mend = "retired rules have status retired and `retired: {reason: …}`; others have neither"
        found.append(Problem(file, "retired", "status and retirement contradict each other", mend))
    return found


def _read_relation(folder: Path, book: Book, problems: list[Problem]) -> None:
    where = str(folder.relative_to(book.root))
    texts = _texts(folder, RELATION_FILES, RELATION_FILES, where, problems)
    sheet = _sheet(model.RelationSheet, texts, "relation.yaml", where, problems)
    if sheet is None or "query.sql" not in texts:
        return
    if sheet.name != folder.name:
        mend = "give folder and relation the same name"
        problems.append(
            Problem(f"{where}/relation.yaml", "name", f"{sheet.name} in folder {folder.name}", mend)
        )
    book.relations[folder.name] = Relation(sheet, texts["query.sql"], folder)


def _read_law(path: Path, book: Book, problems: list[Problem]) -> None:
    where = str(path.relative_to(book.root))
    topic = _sheet(model.LawTopic, {where: _read_text(path, where, problems)}, where, "", problems)
    if topic is None:
        return
    if topic.topic != path.stem:
        problems.append(
            Problem(where, "topic", f"{topic.topic} in file {path.name}", "give file and topic the same name")
        )
    book.law[path.stem] = topic


def _texts(
    folder: Path, known: tuple[str, ...], required: tuple[str, ...], where: str, problems: list[Problem]
) -> dict[str, str]:
    texts = {}
    for path in sorted(folder.iterdir()):
        if path.name in known:
            texts[path.name] = _read_text(path, f"{where}/{path.name}", problems)
        elif path.name[0] not in "._":
            mend = f"a folder here holds {', '.join(known)}"
            problems.append(Problem(f"{where}/{path.name}", "", "a file nobody reads", mend))
    for name in required:
        if name not in texts:
            problems.append(
                Problem(f"{where}/{name}", "", "missing", "add the file; see docs/howto/add-a-rule.md")
            )
    return texts


def _read_text(path: Path, where: str, problems: list[Problem]) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        problems.append(Problem(where, "", "is not UTF-8 text", "save the file as UTF-8"))
        return ""


def _sheet(
    kind: type[Sheet], texts: dict[str, str], name: str, folder: str, problems: list[Problem]
) -> Sheet | None:
    from mingcha.rules import problems as told

    if name not in texts:
        return None
    where = f"{folder}/{name}" if folder else name
    value = _yaml(texts[name], where, problems)
    if value is None:
        return None
    try:
        return kind.model_validate(value)
    except pydantic.ValidationError as error:
        problems += told.from_validation(error, where=where)
        return None


def _yaml(text: str, where: str, problems: list[Problem]) -> Any:
    try:
        value = strict_yaml.load(text, source=where)
    except errors.BookError as error:
        problems.append(Problem(where, "", error.what.removeprefix(f"{where}:"), error.mend))
        return None
    if not isinstance(value, dict):
        problems.append(Problem(where, "", "is not a mapping of keys", "begin with `id:` or `name:`"))
        return None
    return value
