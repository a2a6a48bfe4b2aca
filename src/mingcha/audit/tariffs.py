"""The tariff books of a workspace: the shipped ones, its own, and which of its tariffs is which.

`WORKSPACE/tariffs/*.yaml` are further books. `WORKSPACE/tariffs/codes.csv` (columns tariff_id,
tariff_code) says under which code of the books a tariff of the utility stands.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mingcha.kernel import errors
from mingcha.tariffbook import load, tables
from mingcha.tariffbook import mistakes as noted

if TYPE_CHECKING:
    import duckdb

FOLDER = "tariffs"
CODES_FILE = "codes.csv"
_HEADER = ("tariff_id", "tariff_code")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What prices are taken from: the books, the (tariff id, tariff code) pairs, a hash of both."""

    books: load.Books
    codes: tuple[tuple[str, str], ...]
    digest: str


def files(*, folder: Path) -> list[Path]:
    """Return the files of the workspace's own books."""
    return sorted((folder / FOLDER).glob("*.yaml"))


def books_of(*, folder: Path | None) -> load.Books:
    """Return the shipped books and those of the workspace folder, if one is given; raises BookError."""
    return load.books(files(folder=folder) if folder is not None else ())


def prepare(con: duckdb.DuckDBPyConnection, *, folder: Path) -> Prepared:
    """Make the `tb_*` tables of a workspace folder in a connection that has the contract's `tariff`.

    Returns what they were made from. Raises BookError for a mistake in a book or in codes.csv.
    """
    books = books_of(folder=folder)
    held = con.execute("SELECT DISTINCT tariff_id, document FROM tariff ORDER BY ALL").fetchall()
    codes = tables.match(books, tariffs=held, listed=listed_codes(folder=folder, books=books))
    tables.install(con, books, codes=codes)
    digest = hashlib.sha256(f"{tables.digest(books)} {codes!r}".encode()).hexdigest()
    return Prepared(books=books, codes=tuple(codes), digest=digest)


def listed_codes(*, folder: Path, books: load.Books) -> list[tuple[str, str]]:
    """Return the pairs of codes.csv, none without the file; raises BookError naming every wrong line."""
    pairs, found = _codes(folder / FOLDER / CODES_FILE, set(books.codes))
    noted.raise_all(found)
    return pairs


def mistakes(*, folder: Path | None, paths: Iterable[Path] = ()) -> tuple[list[str], list[noted.Mistake]]:
    """Return the files looked at and every mistake in them.

    Those are `paths`; without any, the shipped books and all of the workspace folder, if one is given.
    Raises SetupError for a file that is not there.
    """
    asked = list(paths)
    for path in asked:
        _demand(path)
    own = files(folder=folder) if folder is not None else []
    listed = [path for path in asked if path.name == CODES_FILE]
    books = [path for path in asked if path.name != CODES_FILE]
    if asked:
        # a file of the workspace may refer to the others there
        beside = {path.resolve() for path in books}
        more = [path for path in own if path.resolve() not in beside]
        shown = {str(path) for path in books}
        found = [one for one in load.mistakes([*books, *more]) if one.file in shown] if books else []
    else:
        found = [*load.mistakes(), *(load.mistakes(own) if own else [])]
        listed = [folder / FOLDER / CODES_FILE] if folder is not None else []
    looked_at = [str(path) for path in asked] or [*load.shipped_files(), *map(str, own)]
    for path in listed:
        if path.is_file():
            looked_at += [str(path)] if not asked else []
            found += _codes(path, _known_codes(own))[1]
    return looked_at, found


def _known_codes(own: list[Path]) -> set[str] | None:
    """Return the codes of all books, None where they cannot be read and no code can be judged."""
    try:
        return set(load.books(own).codes)
    except errors.BookError:
        return None


def _demand(path: Path) -> None:
    if not path.is_file():
        raise errors.SetupError(
            f"{path}: there is no such file",
            why="what is not read is not checked",
            mend="correct the name; without a file the shipped books and the workspace's are checked",
        )


def _codes(path: Path, known: set[str] | None) -> tuple[list[tuple[str, str]], list[noted.Mistake]]:
    """Return the pairs of the file and its mistakes; codes are judged where `known` is given."""
    if not path.exists():
        return [], []
    file, found = str(path), list[noted.Mistake]()
    try:
        lines = csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig")))
        rows = [(line, row) for line, row in enumerate(lines, start=1) if any(row)]
    except (OSError, UnicodeDecodeError, csv.Error):
        mend = "save it as CSV in UTF-8, with a header tariff_id,tariff_code"
        return [], [noted.Mistake(file, "", "cannot be read as CSV in UTF-8", mend)]
    if not rows or tuple(cell.strip() for cell in rows[0][1]) != _HEADER:
        mend = "write the first line as tariff_id,tariff_code"
        return [], [noted.Mistake(file, "line 1", "the header is not tariff_id,tariff_code", mend)]
    pairs: dict[str, str] = {}
    for line, row in rows[1:]:
        place, cells = f"line {line}", [cell.strip() for cell in row]
        if len(cells) != 2 or not all(cells):
            found.append(noted.Mistake(file, place, "has not two values", "write tariff_id,tariff_code"))
        elif cells[0] in pairs:
            mend = "leave one code for each tariff of the utility"
            found.append(noted.Mistake(file, place, f"{cells[0]} stands twice", mend))
        elif known is not None and cells[1] not in known:
            mend = "take a code from `mingcha tariffs list`"
            found.append(noted.Mistake(file, place, f"no book has a tariff {cells[1]}", mend))
        else:
            pairs[cells[0]] = cells[1]
    return list(pairs.items()), found
