"""Every mistake an author can make is told: where it is, what is wrong, how to mend it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from mingcha.kernel import errors, strict_yaml
from mingcha.rules import book as books
from mingcha.rules import lint

HERE = Path(__file__).parent
BOOK = HERE.parent / "rules" / "book"
CASES = strict_yaml.load((HERE / "cases.yaml").read_text(encoding="utf-8"), source="cases.yaml")


def broken(root: Path, case: dict[str, Any]) -> Path:
    """Return a copy of the miniature book with one mistake in it."""
    shutil.copytree(BOOK, root)
    if "remove" in case:
        (root / case["remove"]).unlink()
    elif "add" in case:
        data = bytes.fromhex(case["bytes"]) if "bytes" in case else case["text"].encode()
        (root / case["add"]).write_bytes(data)
    else:
        path = root / case["file"]
        text = path.read_text(encoding="utf-8")
        assert case["old"] in text, f"the miniature book no longer holds {case['old']!r}"
        path.write_text(text.replace(case["old"], case["new"], 1), encoding="utf-8")
    return root


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_message_names_the_mistake(case: dict[str, Any], tmp_path: Path) -> None:
    root = broken(tmp_path / "book", case)

    told = "\n".join(str(problem) for problem in lint.lint(root=root))

    missing = [words for words in case["says"] if words not in told]
    assert not missing, f"the message lacks {missing}; it says:\n{told}"


def test_the_book_the_cases_are_made_from_has_no_mistake() -> None:
    assert lint.lint(root=BOOK) == []


def test_all_mistakes_of_all_files_are_told_at_once_in_three_parts(tmp_path: Path) -> None:
    root = broken(tmp_path / "book", CASES[0])
    (root / "law" / "settling.yaml").write_text("topic: settling\n", encoding="utf-8")

    with pytest.raises(errors.BookError) as raised:
        books.load(root=root)

    told = str(raised.value)
    assert "severety" in told
    assert "law/settling.yaml: entries" in told
    assert "Why it matters" in told
    assert "How to put it right" in told
