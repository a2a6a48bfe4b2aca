"""The house rules: each finds its bad line and leaves its good line alone; the tree keeps them all."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("house_rules", ROOT / "tools" / "house_rules.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["house_rules"] = module
    spec.loader.exec_module(module)
    return module


house = _load()

LONG = '"""M."""\ndef f(x):\n    """Return x."""\n' + "    x += 1\n" * 60 + "    return x\n"

CASES = [
    ("src/mingcha/rules/a.py", '"""M."""\nx = datetime.now()', '"""M."""\nx = made_at'),
    ("src/mingcha/audit/a.py", '"""M."""\nx = datetime.date.today()', '"""M."""\nx = time.perf_counter()'),
    ("src/mingcha/kernel/money.py", '"""M."""\nx = float("1.0")', '"""M."""\nx = Decimal("1.0")'),
    ("src/mingcha/findings/a.py", '"""M."""\nx = 0.01', '"""M."""\nx = 1'),
    ("src/mingcha/rules/a.py", LONG, LONG.replace("    x += 1\n" * 60, "    x += 1\n" * 50)),
    ("src/mingcha/rules/a.py", '"""M."""\n' + "x = 1\n" * 601, '"""M."""\n' + "x = 1\n" * 500),
    ("src/mingcha/rules/a.py", "x = 1", '"""M."""\nx = 1'),
    ("src/mingcha/rules/a.py", '"""M."""\ndef f(): ...', '"""M."""\ndef _f(): ...'),
]


@pytest.mark.parametrize(("path", "bad", "good"), CASES)
def test_finds_the_bad_line_and_leaves_the_good_one(path: str, bad: str, good: str) -> None:
    assert len(house.check(path, bad)) == 1
    assert house.check(path, good) == []


def test_the_top_floor_may_ask_the_time() -> None:
    assert house.check("src/mingcha/cli/main.py", '"""M."""\nx = datetime.now()') == []


def test_the_tree_keeps_its_rules() -> None:
    assert house.main(ROOT) == 0
