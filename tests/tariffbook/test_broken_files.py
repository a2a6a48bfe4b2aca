"""One broken file per mistake: a single line tells where it is, what is wrong and how to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mingcha.kernel import errors, strict_yaml
from mingcha.tariffbook import load

HERE = Path(__file__).parent
BROKEN = HERE / "broken"
SAYS = strict_yaml.load((HERE / "broken_says.yaml").read_text(encoding="utf-8"), source="broken_says.yaml")


def test_every_broken_file_has_its_words() -> None:
    assert sorted(SAYS) == sorted(path.stem for path in BROKEN.glob("*.yaml"))


def test_the_file_they_were_made_from_is_sound() -> None:
    assert load.mistakes([HERE / "sound.yaml"]) == []


@pytest.mark.parametrize("name", sorted(SAYS))
def test_the_mistake_is_told(name: str) -> None:
    found = load.mistakes([BROKEN / f"{name}.yaml"])
    lines = [str(mistake) for mistake in found]
    assert all(mistake.file.endswith(f"{name}.yaml") and mistake.mend for mistake in found)
    assert any(all(words in line for words in SAYS[name]) for line in lines), "\n".join(lines) or "no mistake"
    assert len(lines) <= 2, "one mistake of the author should not be told as many:\n" + "\n".join(lines)


def test_all_mistakes_of_all_files_are_raised_at_once_in_three_parts() -> None:
    with pytest.raises(errors.BookError) as caught:
        load.books([BROKEN / "gap.yaml", BROKEN / "empty_file.yaml"])
    told = str(caught.value)
    assert "the tariff book has 2 mistakes" in told
    assert "gap.yaml" in told
    assert "empty_file.yaml" in told
    assert "Why it matters: " in told
    assert "How to put it right: " in told
