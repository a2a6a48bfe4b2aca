"""Write every generated reference page again: contract, commands, rules. CI fails when a page is stale.

python tools/generate_docs.py [--check]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from mingcha.cli import reference as cli_reference
from mingcha.contract import reference as contract_reference
from mingcha.rules import book, card, lock

DOCS = Path(__file__).parent.parent / "docs" / "reference"
# Law articles on the cards are those in force on this day; move it when the law topics are reviewed.
LAW_DAY = date(2026, 11, 24)
WORDS = {
    "en": (
        "# Rules",
        "Generated from the rulebook. One page per rule: what it looks for, when it is wrong, what to check, "
        "parameters, law, examples.",
        "| rule | what it finds | area | severity | requirement |",
    ),
    "zh": (
        "# 规则手册",
        "由规则库生成。每条规则一页：查什么、何时会误报、查证要点、参数、依据、样例。",
        "| 规则 | 查找内容 | 领域 | 严重度 | 需求 |",
    ),
}


def pages() -> dict[Path, str]:
    """Return path → text of every generated page."""
    found = {DOCS / name: text for name, text in contract_reference.pages().items()}
    found[DOCS / "cli.md"] = cli_reference.page()
    found |= dict(_rule_pages())
    return found


def _rule_pages() -> Iterator[tuple[Path, str]]:
    loaded = book.load()
    versions = lock.versions(loaded)
    for language, suffix in (("en", ""), ("zh", ".zh")):
        heading, words, columns = WORDS[language]
        rows = []
        for rule_id, rule in sorted(loaded.rules.items()):
            sheet = rule.sheet
            rows.append(
                f"| [{rule_id}](rules/{rule_id}{suffix}.md) | {sheet.title.of(language)} | {sheet.area} "
                f"| {sheet.severity} | {', '.join(sheet.marks.requirements)} |"
            )
            text = card.markdown(
                rule=rule, book=loaded, language=language, day=LAW_DAY, version=versions.get(rule_id)
            )
            yield DOCS / "rules" / f"{rule_id}{suffix}.md", text
        body = "\n".join([heading, "", words, "", columns, "| --- | --- | --- | --- | --- |", *rows])
        yield DOCS / f"rules{suffix}.md", body + "\n"


def stale() -> list[Path]:
    """Return the pages that are missing, stale, or belong to no rule any more."""
    wanted = pages()
    differing = [
        path
        for path, text in wanted.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    folder = DOCS / "rules"
    left_over = (
        [path for path in sorted(folder.glob("*.md")) if path not in wanted] if folder.is_dir() else []
    )
    return differing + left_over


def main(*, check: bool) -> int:
    """Write the pages, or only name the stale ones; return how the process should exit."""
    if check:
        for path in (wrong := stale()):
            print(f"{path}: stale; run `make docs`")
        return 1 if wrong else 0
    wanted = pages()
    for path in stale():
        text = wanted.get(path)
        if text is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
