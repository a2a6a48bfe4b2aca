"""A mapping file read from disk: all its mistakes of shape in one message."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

import pydantic

from mingcha.ingest.mapping import model
from mingcha.kernel import errors, strict_yaml


def read(path: Path) -> model.Mapping:
    """Return the mapping in the file; raises BookError naming every mistake, DataError if unreadable."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise errors.BookError(
            f"the mapping {path} cannot be read: {getattr(error, 'strerror', None) or error}",
            why="it says which column of the source is which of ours",
            mend="check the path; the file is YAML in UTF-8",
        ) from None
    return parse(text=text, source=path.name)


def parse(*, text: str, source: str) -> model.Mapping:
    """Return the mapping written in `text`; `source` names it in messages."""
    data = strict_yaml.load(text, source=source)
    try:
        return model.Mapping.model_validate(data)
    except pydantic.ValidationError as error:
        raise_all(source, [_sentence(item, data) for item in error.errors()])


def raise_all(source: str, mistakes: Iterable[str]) -> NoReturn:
    """Raise the BookError that lists all mistakes of a mapping, each once."""
    lines = list(dict.fromkeys(mistakes))
    raise errors.BookError(
        f"the mapping {source} has {len(lines)} mistake{'s' if len(lines) > 1 else ''}:\n"
        + "\n".join(f"  - {line}" for line in lines),
        why="a column taken from the wrong place gives wrong findings, so nothing was taken in",
        mend="correct the lines named above; `mingcha data contract --table TABLE` shows tables and columns",
    )


def nearest(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean …?" with the known names most like `name`, or what there is.

    >>> nearest("custmer_id", ["customer_id", "name"])
    '; did you mean customer_id?'
    """
    names = sorted(set(known))
    like = difflib.get_close_matches(name.lower(), [item.lower() for item in names], n=3, cutoff=0.6)
    close = [item for item in names if item.lower() in like]
    if close:
        return f"; did you mean {' or '.join(close)}?"
    shown = ", ".join(names[:8]) + (" …" if len(names) > 8 else "")
    return f"; there is {shown}" if names else ""


def _sentence(item: Any, data: Any) -> str:
    place = _place(item["loc"], data)
    if item["type"] == "extra_forbidden":
        owner: Any = {3: model.TableRule}.get(len(item["loc"]), model.Mapping)
        if "columns" in item["loc"]:
            owner = model.ColumnRule
        elif "join" in item["loc"]:
            owner = model.Join
        known = [field.alias or name for name, field in owner.model_fields.items()]
        return f"{place}: unknown key{nearest(str(item['loc'][-1]), known)}"
    if item["type"] == "missing":
        return f"{place}: is missing"
    return f"{place}: {str(item['msg']).removeprefix('Value error, ')}"


def _place(location: tuple[int | str, ...], data: Any) -> str:
    """Return "tables[2] (→ bill) columns.amount" for a place in the file."""
    words: list[str] = []
    value = data
    for step in location:
        value = _inside(value, step)
        if isinstance(step, int):
            words[-1] += f"[{step + 1}]"
            if isinstance(value, dict) and "to" in value:
                words[-1] += f" (→ {value['to']})"
        elif step not in ("function-after", "function-before"):
            words.append(str(step))
    return ".".join(words) or "the file"


def _inside(value: Any, step: int | str) -> Any:
    try:
        return value[step]
    except (KeyError, IndexError, TypeError):
        return None
