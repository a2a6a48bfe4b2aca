"""The settings of a workspace: what `mingcha.toml` may say, with defaults and meaning of each."""

from __future__ import annotations

import json
import re
import tomllib
import zoneinfo
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic

from mingcha.kernel import errors

_SIZE = re.compile(r"^[1-9]\d*(\.\d+)? ?(MB|GB|MiB|GiB)$")


def _size(value: str) -> str:
    if not _SIZE.match(value):
        raise ValueError('write a size with its unit, for example "4GiB"')
    return value


def _timezone(value: str) -> str:
    if value not in zoneinfo.available_timezones():
        raise ValueError('write a time zone of the IANA list, for example "Asia/Shanghai"')
    return value


class _Section(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, strict=True)


class Organisation(_Section):
    """The utility."""

    name: str = pydantic.Field(default="", description="Name of the utility, printed on reports.")
    timezone: Annotated[str, pydantic.AfterValidator(_timezone)] = pydantic.Field(
        default="Asia/Shanghai",
        description="Local time of the organisation; moments delivered with a zone are turned into it.",
    )
    language: Literal["zh", "en"] = pydantic.Field(
        default="zh", description="Language of findings and reports: zh or en."
    )


class Engine(_Section):
    """How much of the machine the analysis may take."""

    memory_limit: Annotated[str, pydantic.AfterValidator(_size)] = pydantic.Field(
        default="4GiB", description="Working memory of DuckDB; what does not fit goes to lake/tmp."
    )
    threads: int | None = pydantic.Field(
        default=None, ge=1, description="Threads of DuckDB; left out: one for each processor."
    )


class Ingest(_Section):
    """How deliveries are taken in."""

    mapping: str | None = pydantic.Field(
        default=None, description="Mapping file used when the command names none, seen from the workspace."
    )
    orphans: Literal["keep", "quarantine"] = pydantic.Field(
        default="keep",
        description="Rows that name a row which was not delivered: keep (flag and count) or quarantine.",
    )


class Rules(_Section):
    """How rules are run."""

    overlay: str | None = pydantic.Field(
        default=None, description="Overlay file with parameter values, seen from the workspace."
    )


class Settings(_Section):
    """All of `mingcha.toml`."""

    organisation: Organisation = pydantic.Field(default_factory=Organisation)
    engine: Engine = pydantic.Field(default_factory=Engine)
    ingest: Ingest = pydantic.Field(default_factory=Ingest)
    rules: Rules = pydantic.Field(default_factory=Rules)


def load(path: Path) -> Settings:
    """Return the settings in the file; raises SetupError that lists every mistake in it."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _wrong(f"{path}: {error}") from None
    try:
        return Settings.model_validate(values)
    except pydantic.ValidationError as error:
        raise _wrong("; ".join(_sentence(path, item) for item in error.errors())) from None


def template() -> str:
    """Return a `mingcha.toml` that states every setting, its meaning and its default."""
    lines = ["# Settings of this workspace. Every line is the default; change what differs."]
    for section, field in Settings.model_fields.items():
        model = field.annotation
        assert isinstance(model, type)
        assert issubclass(model, pydantic.BaseModel)
        lines += ["", f"[{section}]"]
        for name, item in model.model_fields.items():
            lines.append(f"# {item.description}")
            value = "" if item.default is None else f" {_toml(item.default)}"
            lines.append(f"{'# ' if item.default is None else ''}{name} ={value}")
    return "\n".join(lines) + "\n"


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of `mingcha.toml`, for editors."""
    schema = Settings.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "mingcha.toml"
    return schema


def _toml(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _sentence(path: Path, item: Any) -> str:
    where = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        return f"{path}: there is no setting {where}"
    return f"{path}: {where} = {item['input']!r}: {item['msg'].removeprefix('Value error, ')}"


def _wrong(what: str) -> errors.SetupError:
    return errors.SetupError(
        what,
        why="a setting that is not understood would silently not be followed",
        mend="correct the file; `mingcha init` in an empty folder writes one with every setting explained",
    )


if __name__ == "__main__":
    Path(__file__).with_name("mingcha.toml.schema.json").write_text(
        json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
    )
