"""Read tariff books from their files, strictly: every mistake of every file is told at once."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pydantic

from mingcha.kernel import errors, strict_yaml
from mingcha.tariffbook import checks, facts, model
from mingcha.tariffbook.mistakes import Mistake, of_shape, raise_all

#: The books shipped with the package.
FOLDER = Path(__file__).parent / "books"


@dataclass(frozen=True)
class Books:
    """All books read together, by name in the order of their files."""

    books: dict[str, model.Book]
    _owners: dict[str, model.Book] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        owners = {tariff.code: book for book in self.books.values() for tariff in book.tariffs}
        object.__setattr__(self, "_owners", owners)

    def __iter__(self) -> Iterator[model.Book]:
        return iter(self.books.values())

    @property
    def codes(self) -> tuple[str, ...]:
        """Return the codes of all tariffs."""
        return tuple(self._owners)

    def book(self, name: str) -> model.Book:
        """Return the book of that name; raises BookError for an unknown one."""
        if name not in self.books:
            raise _unknown(f"there is no tariff book {name}", name, self.books)
        return self.books[name]

    def book_of(self, code: str) -> model.Book:
        """Return the book a tariff stands in; raises BookError for an unknown code."""
        if code not in self._owners:
            raise _unknown(f"there is no tariff {code}", code, self._owners)
        return self._owners[code]

    def tariff(self, code: str) -> model.Tariff:
        """Return the tariff of that code; raises BookError for an unknown one."""
        return next(tariff for tariff in self.book_of(code).tariffs if tariff.code == code)

    def prices(self, code: str) -> list[facts.Price]:
        """Return every dated price of a tariff; raises BookError for an unknown code."""
        return facts.prices(self.books, self.book_of(code), self.tariff(code))

    def prices_on(self, code: str, on: date) -> list[facts.Price]:
        """Return the prices of a tariff in force on a day, none outside the tariff's own days."""
        return [price for price in self.prices(code) if price.holds(on)]

    def parameter(self, name: str, *, on: date, book: str = "cn.rules") -> facts.Fact:
        """Return the value of a parameter in force on a day, from the book or its country's rules book.

        Raises BookError when neither has one.
        """
        versions = self.parameter_versions(name, book=book)
        for fact in versions:
            if fact.in_force_from <= on and (fact.in_force_to is None or on < fact.in_force_to):
                return fact
        known = ", ".join(f"{v.in_force_from} to {v.in_force_to or 'open'}" for v in versions)
        raise errors.BookError(
            f"{book}: the parameter {name} has no value on {on}" + (f" (there is {known})" if known else ""),
            why="a rule of calculation is not guessed",
            mend=f"add an entry for that day under parameters {name} in the tariff book",
        )

    def parameter_versions(self, name: str, *, book: str = "cn.rules") -> tuple[facts.Fact, ...]:
        """Return the dated values of a parameter in order, of the book, else of its country's rules book."""
        for owner in self._rules_of(book):
            for parameter in owner.parameters:
                if parameter.name == name:
                    return tuple(sorted(_facts(owner, parameter), key=lambda fact: fact.in_force_from))
        return ()

    def _rules_of(self, name: str) -> list[model.Book]:
        own = self.book(name)
        rules = self.books.get(f"{own.country.lower()}.rules")
        return [own] if rules is None or rules is own else [own, rules]


def _facts(book: model.Book, parameter: model.Parameter) -> Iterator[facts.Fact]:
    for entry in parameter.entries:
        document = book.document(entry.document)
        yield facts.Fact(
            book=book.book,
            name=parameter.name,
            value=entry.value,
            unit=entry.unit,
            document=document,
            clause=entry.clause,
            evidence=entry.evidence or document.evidence,
            in_force_from=entry.in_force_from,
            in_force_to=entry.in_force_to,
        )


def _unknown(what: str, name: str, known: Iterable[str]) -> errors.BookError:
    near = difflib.get_close_matches(name, list(known), n=3)
    return errors.BookError(
        what,
        why="prices are taken from an entry that exists, never from one that looks alike",
        mend=f"did you mean {' or '.join(near)}?" if near else "see mingcha tariffs list",
    )


@functools.cache
def shipped() -> Books:
    """Return the books shipped with the package, read once per process; raises BookError for any mistake."""
    read, found = _shipped()
    return _sound(read, found)


def books(paths: Iterable[Path] = ()) -> Books:
    """Return the shipped books and those in `paths`; raises BookError naming every mistake of every file."""
    extra = list(paths)
    if not extra:
        return shipped()
    shipped()
    more, found = _read({str(path): path for path in extra})
    return _sound({**_shipped()[0], **more}, found)


def only(paths: Iterable[Path]) -> Books:
    """Return the books in `paths` alone; raises BookError naming every mistake of every file."""
    read, found = _read({str(path): path for path in paths})
    return _sound(read, found)


def mistakes(paths: Iterable[Path] = ()) -> list[Mistake]:
    """Return every mistake of the files, in order, read beside the shipped books; of those without a file.

    A shipped book named among the files is read once. No mistake means all is good.
    """
    files = {str(path): path for path in paths}
    given = {path.resolve() for path in files.values()}
    read, found = _shipped()
    if not files:
        return sorted([*found, *_between(read)])
    beside = {name: book for name, book in read.items() if (FOLDER / name).resolve() not in given}
    more, found = _read(files)
    between = _between({**beside, **more})
    return sorted([*found, *(one for one in between if one.file in more)])


def _sound(read: dict[str, model.Book], found: list[Mistake]) -> Books:
    raise_all([*found, *_between(read)])
    return Books(books={book.book: book for book in read.values()})


def _between(read: dict[str, model.Book]) -> list[Mistake]:
    """Return the mistakes that show only when the books, given by file, stand beside each other."""
    shelf = {book.book: book for book in read.values()}
    found = checks.shared_mistakes(read)
    for file, book in read.items():
        found += checks.fitting_mistakes(book, file=file, shelf=shelf)
    return found


def shipped_files() -> list[str]:
    """Return the files of the shipped books, named from their folder."""
    return [path.relative_to(FOLDER).as_posix() for path in sorted(FOLDER.rglob("*.yaml"))]


@functools.cache
def _shipped() -> tuple[dict[str, model.Book], list[Mistake]]:
    return _read({name: FOLDER / name for name in shipped_files()})


def _read(files: dict[str, Path]) -> tuple[dict[str, model.Book], list[Mistake]]:
    """Return the books that are good by themselves by file name, and the mistakes of the others."""
    read: dict[str, model.Book] = {}
    found: list[Mistake] = []
    for name, path in files.items():
        book = _book(name, path, found)
        if book is not None:
            inside = checks.book_mistakes(book, file=name)
            found += inside
            if not inside:
                read[name] = book
    return read, found


def _book(name: str, path: Path, found: list[Mistake]) -> model.Book | None:
    data = _yaml(name, path, found)
    if data is None:
        return None
    try:
        return model.Book.model_validate(data)
    except pydantic.ValidationError as error:
        found += of_shape(error, file=name, data=data)
        return None


def _yaml(name: str, path: Path, found: list[Mistake]) -> Any:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        found.append(Mistake(name, "", "is not UTF-8 text", "save it as UTF-8 in the editor"))
        return None
    except OSError as error:
        what = f"cannot be read: {error.strerror or error}"
        found.append(Mistake(name, "", what, "correct the name, or the right to read it"))
        return None
    try:
        data = strict_yaml.load(text, source=name)
    except errors.BookError as error:
        where, _, what = error.what.removeprefix(name).lstrip(":").partition(": ")
        place = f"line {where.replace(':', ', column ')}" if what else ""
        found.append(Mistake(name, place, f"not YAML: {what or where}", error.mend))
        return None
    if data is None:
        found.append(Mistake(name, "", "the file is empty", "docs/howto/add-a-tariff.md shows a whole file"))
    return data
