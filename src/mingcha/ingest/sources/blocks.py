"""A file as blocks of whole lines: plain or gzip, any encoding, one block and one line in memory."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from mingcha.ingest.sources import encoding
from mingcha.kernel import errors

BLOCK = 4 * 1024 * 1024
#: Gzip bombs: real meter data compresses up to about fifty times.
_GZIP_RATIO = 300
_GZIP_FREE = 1024 * 1024 * 1024
_MAGIC = {
    b"PK\x03\x04": "a zip archive (perhaps an Excel workbook)",
    b"PAR1": "a Parquet file",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word file",
    b"%PDF": "a PDF document",
}


class Reader(Protocol):
    """Anything bytes can be read from."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""
        ...


@contextmanager
def opened(path: Path, *, label: str, declared: str | None) -> Iterator[tuple[Reader, str | None]]:
    """Give the bytes of a text file behind its byte order mark, and the encoding known so far.

    UTF-16 and UTF-32 are given as UTF-8. Raises DataError for an empty file and for one that is no text.
    """
    with _raw(path, label) as raw:
        head = raw.read(4096)
        if not head:
            raise empty(label)
        known = encoding.from_bom(head)
        _refuse_binary(
            head, label, wide=known is not None or (declared is not None and encoding.is_wide(declared))
        )
        name, skip = known or (declared, 0)
        reader: Reader = _Chained(head[skip:], raw)
        if name is not None and encoding.is_wide(name):
            yield encoding.Transcoder(cast(BinaryIO, reader), name), "utf-8"
        else:
            yield reader, name


def empty(label: str) -> errors.DataError:
    """Return the error for a file in which not even a header stands."""
    return errors.DataError(
        f"{label} is empty: it has no line with column names",
        why="an export that failed looks exactly like this, and its table would be missing unnoticed",
        mend="export the table again, or take the file out of the delivery; "
        "a table without rows still has a header",
    )


def line_blocks(reader: Reader, *, label: str, limit: int, size: int = BLOCK) -> Iterator[bytes]:
    """Yield blocks that end with a line end (the last one may not).

    Raises DataError as soon as a line is longer than `limit` bytes.
    """
    carry: list[bytes] = []
    carried = 0
    while chunk := reader.read(size):
        first = _first_end(chunk)
        if carried + (len(chunk) if first < 0 else first) > limit:
            raise _too_long(label, limit)
        cut = _last_end(chunk)
        if cut >= 0:
            yield b"".join(carry) + chunk[: cut + 1]
            carry, carried = [], 0
        carry.append(chunk[cut + 1 :])
        carried += len(carry[-1])
    if carried:
        yield b"".join(carry)


def _first_end(chunk: bytes) -> int:
    ends = [place for place in (chunk.find(b"\n"), chunk.find(b"\r")) if place >= 0]
    return min(ends, default=-1)


def _last_end(chunk: bytes) -> int:
    """Return where the last line end stands; a carriage return at the very end may be half of one."""
    return max(chunk.rfind(b"\n"), chunk.rfind(b"\r", 0, len(chunk) - 1))


def _too_long(label: str, limit: int) -> errors.DataError:
    return errors.DataError(
        f"{label} has a line longer than {limit // (1024 * 1024)} MiB",
        why="no row of a table is that long: the file has no line ends or is not a table, "
        "and reading on would fill the memory",
        mend="export the table again with one row per line; if such rows are real, "
        "raise max_line_mib in the mapping (source: max_line_mib: …)",
    )


def _refuse_binary(head: bytes, label: str, *, wide: bool) -> None:
    kind = next((words for magic, words in _MAGIC.items() if head.startswith(magic)), None)
    if kind is None and not wide and head.count(b"\x00") > len(head) // 8:
        kind = "text in UTF-16 without a byte order mark, or no text at all"
    if kind is not None:
        raise errors.DataError(
            f"{label} is not the text file its name says: it looks like {kind}",
            why="read as text it would give rows of nonsense",
            mend="give the file the ending of its real format, or declare its encoding in the mapping "
            "(source: encoding: utf-16-le)",
        )


class _Chained:
    """Bytes already read, then the rest of the stream."""

    def __init__(self, head: bytes, stream: Reader) -> None:
        self._head = head
        self._stream = stream

    def read(self, size: int, /) -> bytes:
        if self._head:
            taken, self._head = self._head[:size], self._head[size:]
            return taken
        return self._stream.read(size)


class _Gzip:
    """A gzip stream that refuses to unpack without end and says plainly when it is cut off."""

    def __init__(self, stream: Reader, label: str, packed: int) -> None:
        self._stream = stream
        self._label = label
        self._limit = max(_GZIP_FREE, packed * _GZIP_RATIO)
        self._given = 0

    def read(self, size: int, /) -> bytes:
        try:
            data = self._stream.read(size)
        except (EOFError, OSError, zlib.error) as error:
            raise errors.DataError(
                f"{self._label} cannot be unpacked: {error}",
                why="the file is damaged or was cut off on its way, so rows at its end are missing",
                mend="copy or export the file again and compare its size with the original",
            ) from error
        self._given += len(data)
        if self._given > self._limit:
            raise errors.DataError(
                f"{self._label} unpacks to more than {self._limit // (1024 * 1024)} MiB, "
                f"over {_GZIP_RATIO} times its size",
                why="such a file is made to fill the disk; real tables do not compress so far",
                mend="unpack it yourself, look at it, and deliver the plain file",
            )
        return data


@contextmanager
def _raw(path: Path, label: str) -> Iterator[Reader]:
    try:
        stream = path.open("rb")
    except OSError as error:
        raise errors.DataError(
            f"{label} cannot be opened: {error.strerror}",
            why="its rows would be missing from the delivery",
            mend="check that the file is there and may be read",
        ) from error
    with stream:
        if path.suffix.lower() == ".gz":
            with gzip.open(stream) as unpacked:
                yield _Gzip(cast(BinaryIO, unpacked), label, path.stat().st_size)
        else:
            yield stream
