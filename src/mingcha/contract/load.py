"""Read the contract from its files, strictly: every mistake of every file is reported at once."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pydantic

from mingcha.contract import checks, model
from mingcha.kernel import errors, strict_yaml

FOLDER = Path(__file__).parent
Enumerations = dict[str, dict[str, model.Words]]


@functools.cache
def contract() -> model.Contract:
    """Return the data contract shipped with the package, read once per process."""
    return read(folder=FOLDER)


def lint_schema() -> dict[str, dict[str, str]]:
    """Return {table: {column: DuckDB type}}, derived tables included, for tools that resolve queries."""
    return {
        table.name: {column.name: column.sql_type for column in table.columns}
        for table in contract().every.values()
    }


def read(*, folder: Path) -> model.Contract:
    """Return the contract kept in `folder`: `contract.yaml` and `tables/*.yaml`.

    Raises BookError naming every mistake of every file; an unreadable YAML file is reported alone.
    """
    mistakes: list[str] = []
    frame = _frame(folder / "contract.yaml", mistakes)
    enumerations = frame.enumerations if frame else None
    tables: dict[str, model.Table] = {}
    paths = sorted((folder / "tables").glob("*.yaml"))
    for path in paths:
        table = _table(path, enumerations, mistakes)
        if table is not None:
            mistakes += checks.table_mistakes(table=table, file=path.name)
            tables[table.name] = table
    files = {path.stem for path in paths}
    if frame is not None:
        mistakes += checks.frame_mistakes(frame=frame, tables=tables, files=files)
    mistakes += checks.reference_mistakes(tables=tables, files=files)
    if mistakes:
        raise errors.BookError(
            f"the data contract in {folder} has {len(mistakes)} mistake(s):\n"
            + "\n".join(f"  - {mistake}" for mistake in mistakes),
            why="every reader, rule and document follows the contract; a wrong line is wrong everywhere",
            mend="correct the lines named above, then run the command again",
        )
    assert frame is not None
    ordered = [tables[name] for entry in frame.groups.values() for name in entry.tables]
    return model.Contract(
        version=frame.contract,
        groups=frame.groups,
        tables={table.name: table for table in ordered if not table.derived},
        derived={table.name: table for table in ordered if table.derived},
    )


def _frame(path: Path, mistakes: list[str]) -> model.Frame | None:
    data = _yaml(path, mistakes)
    if data is None:
        return None
    try:
        return model.Frame.model_validate(data)
    except pydantic.ValidationError as error:
        mistakes += checks.shape_mistakes(error=error, file=path.name, data=data)
        return None


def _table(path: Path, enumerations: Enumerations | None, mistakes: list[str]) -> model.Table | None:
    data = _yaml(path, mistakes)
    if data is None:
        return None
    if isinstance(data, dict):
        mistakes += _share_enumerations(data, enumerations, path.name)
    try:
        return model.Table.model_validate(data)
    except pydantic.ValidationError as error:
        mistakes += checks.shape_mistakes(error=error, file=path.name, data=data)
        return None


def _share_enumerations(data: dict[str, Any], enumerations: Enumerations | None, file: str) -> list[str]:
    """Put the shared set where a column names it (`enum: usage_category`); return the unknown names.

    An unknown set is filled with the column's example, so that it causes no second mistake. With
    `contract.yaml` unreadable (None) no name can be judged.
    """
    mistakes = []
    columns = data.get("columns")
    for column in columns if isinstance(columns, list) else []:
        name = column.get("enum") if isinstance(column, dict) else None
        if isinstance(name, str):
            known = (enumerations or {}).get(name)
            if known is None and enumerations is not None:
                mistakes.append(
                    f"{file}: column {column.get('name')}: contract.yaml has no enumeration `{name}`"
                )
            column["enum"] = known or {str(column.get("example")): model.Words(zh="未知", en="Unknown")}
    return mistakes


def _yaml(path: Path, mistakes: list[str]) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        mistakes.append(f"{path.name}: cannot be read as UTF-8 text ({error})")
        return None
    try:
        data = strict_yaml.load(text, source=path.name)
    except errors.BookError as error:
        mistakes.append(error.what)
        return None
    if data is None:
        mistakes.append(f"{path.name}: the file is empty")
    return data
