"""`python -m mingcha.ingest.mapping`: write the JSON Schema of mapping files beside this module."""

from __future__ import annotations

from pathlib import Path

from mingcha.ingest.mapping import model

if __name__ == "__main__":
    Path(__file__).with_name(model.SCHEMA_FILE).write_text(model.schema_text(), encoding="utf-8")
