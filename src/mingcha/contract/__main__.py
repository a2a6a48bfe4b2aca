"""`python -m mingcha.contract [DOCS_FOLDER]`: write the pages and the schema the contract generates."""

from __future__ import annotations

import sys
from pathlib import Path

from mingcha.contract import load, reference, schema


def write(*, docs: Path) -> None:
    """Write the reference pages into `docs` and the JSON Schema beside the table files."""
    docs.mkdir(parents=True, exist_ok=True)
    for name, text in reference.pages().items():
        (docs / name).write_text(text, encoding="utf-8")
    (load.FOLDER / schema.FILE_NAME).write_text(schema.text(), encoding="utf-8")


if __name__ == "__main__":
    write(docs=Path(sys.argv[1] if len(sys.argv) > 1 else "docs/reference"))
