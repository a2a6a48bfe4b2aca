"""What a source holds: a folder, one file or a database as a list of parts.

A folder is searched on its own level and in its direct subfolders, not deeper: a subfolder may be named
for a table and hold its parts (`bill/2026-01.csv`), or simply group files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from mingcha.ingest.sources import csvfile, database, parquet, parts, urls, xlsx
from mingcha.ingest.sources import options as opts
from mingcha.kernel import errors

TEXT_ENDINGS = (".csv", ".txt", ".tsv", ".dat", ".csv.gz", ".txt.gz", ".tsv.gz", ".dat.gz")
EXCEL_ENDINGS = (".xlsx", ".xlsm")
PARQUET_ENDINGS = (".parquet", ".parq")
ENDINGS = (*TEXT_ENDINGS, *EXCEL_ENDINGS, *PARQUET_ENDINGS)

OptionsOf = Callable[[tuple[str, ...]], opts.ReadOptions]


@dataclass(frozen=True, slots=True)
class Ignored:
    """Something in the source that is not read, and the code of the reason."""

    label: str
    because: str


@dataclass(frozen=True, slots=True)
class Source:
    """An opened source; `described` names it without passwords."""

    described: str
    parts: tuple[parts.Part, ...]
    ignored: tuple[Ignored, ...]


@contextmanager
def opened(source: str | Path, *, options_of: OptionsOf) -> Iterator[Source]:
    """Give the parts of a folder, file or database URL, in the order of their labels.

    `options_of` gives the reading options for the names of a part. Raises DataError when there is
    nothing that could be read.
    """
    if isinstance(source, str) and urls.is_url(source):
        schema = options_of(()).db_schema
        with database.opened(source, schema=schema) as (name, tables):
            yield Source(described=name, parts=tuple(tables), ignored=())
        return
    with ExitStack() as stack:
        look = parquet.Look()
        stack.callback(look.close)
        yield _files(Path(source), look, options_of)


def _files(path: Path, look: parquet.Look, options_of: OptionsOf) -> Source:
    if not path.exists():
        raise errors.DataError(
            f"{path} is not there",
            why="there is nothing to take in",
            mend="name a folder, a file, or a database as postgresql://user@host/database",
        )
    ignored: list[Ignored] = []
    files = [path] if path.is_file() else list(_search(path, ignored))
    found: list[parts.Part] = []
    root = path.parent if path.is_file() else path
    for file in files:
        label = _speakable(file.relative_to(root).as_posix())
        kind = _kind(file)
        if kind is None:
            ignored.append(Ignored(label, "unknown_format"))
        elif kind == "excel":
            found += _sheets(file, label, options_of, ignored)
        elif kind == "parquet":
            found.append(parquet.ParquetPart(file, label, _names(label), look))
        else:
            found.append(csvfile.CsvPart(file, label, _names(label)))
    if not found:
        raise nothing(path, ignored)
    return Source(str(path), tuple(sorted(found, key=lambda part: part.label)), tuple(ignored))


def nothing(path: Path | str, ignored: list[Ignored]) -> errors.DataError:
    """Return the error for a source in which no file can be read."""
    seen = ", ".join(item.label for item in ignored[:5]) or "no file at all"
    more = f" and {len(ignored) - 5} more" if len(ignored) > 5 else ""
    return errors.DataError(
        f"{path} holds nothing that can be read: {seen}{more}",
        why="a delivery is made of tables; without one there is nothing to check",
        mend=f"put the tables there as files ending in {', '.join(ENDINGS[:3])} …, .xlsx or .parquet "
        "(directly, or in folders one level below)",
    )


def _speakable(label: str) -> str:
    """Return the label if it is text; names unpacked in another encoding are bytes nobody can write down."""
    try:
        label.encode()
    except UnicodeEncodeError:
        shown = label.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        raise errors.DataError(
            f"the name of the file {shown} is not text in UTF-8",
            why="the report names every row by its file; archives made on Chinese Windows are often "
            "unpacked with such names",
            mend="rename the file, or unpack the archive again with its encoding (unzip -O GB18030 …)",
        ) from None
    return label


def _search(folder: Path, ignored: list[Ignored]) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if _hidden(entry):
            continue
        if entry.is_file():
            yield entry
            continue
        for inner in sorted(entry.iterdir()) if entry.is_dir() else []:
            if inner.is_file() and not _hidden(inner):
                yield inner
            elif inner.is_dir() and not _hidden(inner):
                ignored.append(Ignored(inner.relative_to(folder).as_posix() + "/", "too_deep"))


def _hidden(path: Path) -> bool:
    """Return whether a name marks a file that people do not mean to deliver (also Excel's lock files)."""
    return path.name.startswith((".", "~$", "_SUCCESS"))


def _kind(path: Path) -> str | None:
    name = path.name.lower()
    for endings, kind in ((TEXT_ENDINGS, "text"), (EXCEL_ENDINGS, "excel"), (PARQUET_ENDINGS, "parquet")):
        if name.endswith(endings):
            return kind
    return None


def _stem(name: str) -> str:
    ending = max((ending for ending in ENDINGS if name.lower().endswith(ending)), key=len)
    return name[: -len(ending)]


def _names(label: str) -> tuple[str, ...]:
    """Return what a mapping may call a file.

    >>> _names("bill/2026-01.csv")
    ('2026-01', 'bill/2026-01', 'bill/2026-01.csv', 'bill')
    """
    folder, _, name = label.rpartition("/")
    stem = _stem(name)
    if not folder:
        return (stem, name)
    return (stem, f"{folder}/{stem}", label, folder)


def _sheets(path: Path, label: str, options_of: OptionsOf, ignored: list[Ignored]) -> list[parts.Part]:
    """Return the sheets that hold rows.

    A sheet with a header only is an unused page of our template, not a statement that there are no rows.
    """
    names = _names(label)
    sheets, headers = xlsx.sheets(path=path, label=label, options=options_of(names))
    ignored += [Ignored(f"{label}[{sheet}]", "only_header") for sheet in headers]
    found: list[parts.Part] = []
    for sheet in sheets:
        own = (sheet, f"{names[0]}/{sheet}", *(names if len(sheets) == 1 else ()))
        found.append(xlsx.SheetPart(path, sheet, f"{label}[{sheet}]", own))
    return found
