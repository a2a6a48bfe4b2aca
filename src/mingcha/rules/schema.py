"""JSON Schemas of the files people write by hand, so that editors complete and check them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pydantic

from mingcha import rulebook
from mingcha.rules import model, overlay

FOLDER = rulebook.ROOT / "schemas"
SHEETS: dict[str, tuple[str, type[pydantic.BaseModel]]] = {
    "rule.schema.json": ("rule.yaml", model.RuleSheet),
    "examples.schema.json": ("examples.yaml", model.ExampleSheet),
    "relation.schema.json": ("relation.yaml", model.RelationSheet),
    "law.schema.json": ("law/<topic>.yaml", model.LawTopic),
}


def schemas() -> dict[str, dict[str, Any]]:
    """Return {file name: JSON Schema}."""
    found = {name: _of(kind, title) for name, (title, kind) in SHEETS.items()}
    entry = _of(overlay.Entry, "overlays/*.yaml")
    found["overlay.schema.json"] = {
        "$schema": entry.pop("$schema"),
        "title": entry.pop("title"),
        "type": "array",
        "items": {"$ref": "#/$defs/Entry"},
        "$defs": {"Entry": entry},
    }
    return found


def text(schema: dict[str, Any]) -> str:
    """Return a schema as it is kept in its file."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def write(*, folder: Path = FOLDER) -> list[Path]:
    """Write the schemas into `folder` and return the files."""
    folder.mkdir(exist_ok=True)
    paths = []
    for name, schema in schemas().items():
        path = folder / name
        path.write_text(text(schema), encoding="utf-8")
        paths.append(path)
    return paths


def _of(kind: type[pydantic.BaseModel], title: str) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **kind.model_json_schema(by_alias=True),
        "title": title,
    }
