"""Which encoding a text file is in, and decoding that keeps a bad byte visible instead of guessing.

Chinese utilities deliver UTF-8 (with and without BOM), GBK and GB18030. A single bad byte condemns one
row; a file that is mostly undecodable is in another encoding and is refused as a whole.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import BinaryIO

from mingcha.kernel import errors

#: Error handler that turns each undecodable byte b into the lone surrogate U+DC00 + b.
MARK = "mingcha-mark"
_MARKS = re.compile("[\udc00-\udcff]")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its BOM begins with that of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: GB18030 holds GBK and GB2312; files that claim the smaller set often use more of it.
_WIDER = {"gbk": "gb18030", "gb2312": "gb18030", "cp936": "gb18030", "utf_8_sig": "utf-8", "ascii": "utf-8"}
#: More than half of the lines that hold other than ASCII fail: the file is in another encoding.
_HOPELESS = 0.5
_SAMPLE = 1024 * 1024


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(MARK, _mark)


def has_marks(text: str) -> bool:
    """Return whether decoding met a byte that is not of the encoding."""
    return _MARKS.search(text) is not None


def show_marks(text: str) -> str:
    r"""Return text in which undecodable bytes are written as \xHH."""
    return _MARKS.sub(lambda match: f"\\x{ord(match.group()) - 0xDC00:02x}", text)


def from_bom(head: bytes) -> tuple[str, int] | None:
    """Return the encoding that a byte order mark at the beginning states, and the mark's length."""
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name, len(mark)
    return None


def is_wide(name: str) -> bool:
    """Return whether a line end takes more than one byte, so that bytes cannot be cut into lines."""
    return codecs.lookup(name).name.startswith(("utf-16", "utf-32"))


def normal(name: str) -> str:
    """Return the name of the encoding used to read what is declared as `name`."""
    python_name = codecs.lookup(name).name.replace("-", "_")
    return _WIDER.get(python_name, codecs.lookup(name).name)


def detect(sample: bytes, *, label: str) -> str:
    """Return "utf-8" or "gb18030", whichever reads the lines of `sample` with fewer failures.

    Raises DataError when neither reads even half of the lines that hold other than ASCII.
    """
    lines = [line for line in sample[:_SAMPLE].split(b"\n") if not line.isascii()]
    if len(sample) > _SAMPLE and len(lines) > 1:
        lines = lines[:-1]  # the sample may cut the last character in two
    failures = {name: sum(not _decodes(line, name) for line in lines) for name in ("utf-8", "gb18030")}
    best = min(failures, key=lambda name: failures[name])
    if failures[best] > 1 and failures[best] > len(lines) * _HOPELESS:
        raise unreadable(label=label, tried="UTF-8 and GB18030")
    return best


def unreadable(*, label: str, tried: str) -> errors.DataError:
    """Return the error for a file that is clearly in another encoding than `tried`."""
    return errors.DataError(
        f"{label} is not text in {tried}: most of its lines that hold other than ASCII cannot be read so",
        why="read in the wrong encoding, names and addresses become other characters and no longer match",
        mend="find out how the file was written and say it in the mapping (source: encoding: …), "
        "or export it again as UTF-8",
    )


def _decodes(line: bytes, name: str) -> bool:
    try:
        line.decode(name)
    except UnicodeDecodeError:
        return False
    return True


@dataclass(slots=True)
class Decoder:
    """Decodes blocks of whole lines; settles the encoding at the first block that is not plain ASCII."""

    label: str
    declared: str | None = None
    name: str | None = None
    _foreign: int = 0
    _failed: int = 0

    def __post_init__(self) -> None:
        if self.declared is not None:
            self.name = normal(self.declared)

    @property
    def described(self) -> str:
        """The encoding as the report names it."""
        return self.name or "ascii"

    def block(self, block: bytes) -> str | None:
        """Return the text of `block`, or None when some line of it does not decode."""
        if block.isascii() and self.name in (None, "utf-8", "gb18030"):
            return block.decode("ascii")
        name = self._settle(block)
        try:
            return block.decode(name)
        except UnicodeDecodeError:
            return None

    def peek(self, lines: list[bytes]) -> list[str]:
        """Return the texts of `lines`, which will be read again, with bad bytes marked."""
        name = self._settle(b"".join(lines))
        return [line.decode(name, MARK) for line in lines]

    def lines(self, lines: list[bytes]) -> list[str]:
        """Return the texts of `lines` with bad bytes marked.

        Raises DataError as soon as most lines that are not plain ASCII have failed.
        """
        texts = self.peek(lines)
        self._foreign += sum(not line.isascii() for line in lines)
        self._failed += sum(has_marks(text) for text in texts)
        if self._failed > 1 and self._failed > self._foreign * _HOPELESS:
            raise unreadable(label=self.label, tried=self.described)
        return texts

    def _settle(self, block: bytes) -> str:
        if self.name is not None:
            return self.name
        if block.isascii():
            return "utf-8"
        self.name = detect(block, label=self.label)
        return self.name


class Transcoder:
    """Reads a UTF-16 or UTF-32 stream as UTF-8; a bad unit becomes bytes that are not valid UTF-8."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(name)(MARK)

    def read(self, size: int) -> bytes:
        """Return about `size` bytes of UTF-8; empty at the end."""
        while True:
            raw = self._stream.read(size)
            text = self._decoder.decode(raw, final=not raw)
            if text or not raw:
                return text.encode("utf-8", "surrogatepass")
