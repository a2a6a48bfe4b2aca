"""How a source is to be read, as a mapping file may say it; every setting has a working default."""

from __future__ import annotations

import codecs
import zoneinfo
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

#: Separators that are looked for when none is declared. Data with another one must say so.
DELIMITERS = (",", ";", "\t", "|", "\x01")
MIB = 1024 * 1024
#: Local time where neither mapping nor workspace say another.
TIMEZONE = "Asia/Shanghai"


def _known_encoding(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError:
        raise ValueError(f"{name!r} is not an encoding; usual ones are utf-8, gb18030, gbk, utf-16") from None
    return name


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _known_zone(name: str) -> str:
    if name not in zoneinfo.available_timezones():
        raise ValueError(f"{name!r} is not a time zone of the IANA list, such as Asia/Shanghai")
    return name


def _one_character(text: str) -> str:
    if len(text) != 1 or text in '"\r\n\x00':
        raise ValueError("a delimiter is one character and neither a quote nor a line end")
    return text


class ReadOptions(BaseModel):
    """Settings of one file, sheet or database; a file may override what the mapping says for all."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

    encoding: Annotated[str, AfterValidator(_known_encoding)] | None = Field(
        default=None, description="text encoding of CSV files; default: BOM, else UTF-8, else GB18030"
    )
    delimiter: Annotated[str, AfterValidator(_one_character)] | None = Field(
        default=None, description="separator of CSV files; default: found among , ; tab | and \\x01"
    )
    header_line: int | None = Field(
        default=None,
        ge=1,
        description="line (row of a sheet) of the column names; default: the first filled",
    )
    date_format: str | None = Field(
        default=None, description="strptime format of every date of this source, e.g. %d/%m/%Y"
    )
    timezone: Annotated[str, AfterValidator(_known_zone)] | None = Field(
        default=None,
        description="local time that moments with an offset are turned into; default: of the workspace",
    )
    empty_words: Annotated[tuple[str, ...], BeforeValidator(_tuple)] = Field(
        default=(), description="words that mean empty, besides NULL and \\N, e.g. - or 无"
    )
    max_line_mib: int = Field(default=16, ge=1, le=1024, description="longest line of a CSV file, in MiB")
    max_unpacked_mib: int = Field(
        default=4096, ge=1, description="largest Excel workbook after unpacking, in MiB"
    )
    db_schema: str | None = Field(default=None, alias="schema", description="schema of a database")

    @property
    def max_line_bytes(self) -> int:
        """The longest line in bytes."""
        return self.max_line_mib * MIB
