"""The JSON Schema of a tariff book file, so that editors complete and check it while it is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mingcha.tariffbook import model

#: Kept beside the books; name it in the first line of a file: `# yaml-language-server: $schema=…`.
FILE = Path(__file__).with_name("tariff.schema.json")


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one book."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **model.Book.model_json_schema(),
        "title": "tariff book",
    }


def text() -> str:
    """Return the schema as the text kept in the package."""
    return json.dumps(json_schema(), ensure_ascii=False, indent=1) + "\n"


def write() -> Path:
    """Write the schema into the package and return its file."""
    FILE.write_text(text(), encoding="utf-8")
    return FILE
