"""The JSON Schema of a table file, so that editors complete and check it while it is written."""

from __future__ import annotations

import json
from typing import Any

from mingcha.contract import model

#: Kept beside the contract and named by the first line of every table file.
FILE_NAME = "table.schema.json"


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one file in `tables/`."""
    schema = model.Table.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    column = schema["$defs"]["Column"]["properties"]
    own = {
        key: value for key, value in column["enum"].items() if key not in ("default", "description", "title")
    }
    column["enum"] = {
        "description": "the closed set of values with their words, or the name of a set in contract.yaml",
        "anyOf": [own, {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"}],
    }
    return schema


def text() -> str:
    """Return the schema as the text kept in the package."""
    return json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n"
