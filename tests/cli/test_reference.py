"""The reference page is what the help says; a stale page fails here."""

from pathlib import Path

from mingcha.cli import reference

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"


def test_the_page_is_what_the_help_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference.page(), "run `make docs`"


def test_the_page_does_not_depend_on_the_terminal(monkeypatch: object) -> None:
    import os

    before = reference.page()
    os.environ["COLUMNS"] = "40"
    try:
        assert reference.page() == before
    finally:
        del os.environ["COLUMNS"]


def test_every_published_command_is_there() -> None:
    text = reference.page()
    for command in (
        "init", "data ingest", "data quarantine", "data coverage", "data contract", "data map-suggest",
        "rules list", "rules show", "rules lint", "rules test", "rules new", "rules run", "rules lock",
        "tariffs list", "tariffs show", "tariffs check", "tariffs stale",
        "bills rerate", "bills explain", "bills compare",
        "recover theft", "recover meter-error",
        "findings list", "findings show", "findings export", "report", "synth", "demo build",
    ):  # fmt: skip
        assert f"\n## mingcha {command}\n" in text
