"""House rules that no off-the-shelf linter knows, checked over the tree; exit 1 names every breach.

Run `python tools/house_rules.py [FOLDER]`. Each rule is a small function from a parsed module to
breaches; tests/house/test_house_rules.py holds a good and a bad line for each.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LONGEST_FUNCTION = 60
LONGEST_MODULE = 600
CLOCKS = {"now", "today", "utcnow", "time", "monotonic_ns", "time_ns"}
CLOCK_OWNERS = {"datetime", "date", "time"}
TOP_FLOORS = {"cli", "web"}
# Prices, amounts and registers are Decimal here; a float in these places is a wrong bill.
MONEY_PLACES = ("kernel/money.py", "kernel/energy.py", "tariffbook/", "rating/", "recovery/", "findings/")


@dataclass(frozen=True)
class Breach:
    """One broken house rule: where, and what to do."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


def no_clock_below_the_top(path: str, tree: ast.Module) -> Iterator[Breach]:
    """Yield calls that ask what time it is outside `cli` and `web`; dates are passed in."""
    if _floor(path) in TOP_FLOORS:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS:
            owner = node.func.value
            name = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
            if name in CLOCK_OWNERS:
                yield Breach(
                    path, node.lineno, f"{name}.{node.func.attr}() below the top floor: pass the moment in"
                )


def no_float_in_money(path: str, tree: ast.Module) -> Iterator[Breach]:
    """Yield `float(...)` and float literals where money and registers are computed."""
    if not any(place in path for place in MONEY_PLACES):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
            yield Breach(path, node.lineno, "float() in money code: use Decimal")
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield Breach(
                path, node.lineno, f"the float {node.value} in money code: write Decimal('{node.value}')"
            )


def short_functions(path: str, tree: ast.Module) -> Iterator[Breach]:
    """Yield functions longer than 60 lines, docstring included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                yield Breach(
                    path, node.lineno, f"{node.name} has {length} lines: divide it (limit {LONGEST_FUNCTION})"
                )


def short_modules(path: str, tree: ast.Module) -> Iterator[Breach]:
    """Yield modules longer than 600 lines."""
    last = max((node.end_lineno or 0 for node in tree.body), default=0)
    if last > LONGEST_MODULE:
        yield Breach(path, 1, f"{last} lines: divide the module by what it does (limit {LONGEST_MODULE})")


def documented(path: str, tree: ast.Module) -> Iterator[Breach]:
    """Yield modules and public functions and classes of the package that do not say what they give."""
    if "tests/" in path:
        return
    if tree.body and ast.get_docstring(tree) is None:
        yield Breach(path, 1, "the module does not say what it is for")
    for node in tree.body:
        public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        if public and ast.get_docstring(node) is None:  # type: ignore[arg-type]
            yield Breach(path, node.lineno, f"{node.name} is public and does not say what it gives")


RULES = (no_clock_below_the_top, no_float_in_money, short_functions, short_modules, documented)


def check(path: str, text: str) -> list[Breach]:
    """Return every breach of every rule in one module's text; `path` decides which rules apply."""
    tree = ast.parse(text, filename=path)
    return [breach for rule in RULES for breach in rule(path, tree)]


def _floor(path: str) -> str:
    parts = Path(path).parts
    return parts[parts.index("mingcha") + 1] if "mingcha" in parts[:-1] else ""


def main(folder: Path) -> int:
    """Print the breaches below `folder` and return how the process should exit."""
    modules = sorted((folder / "src").rglob("*.py"))
    breaches = [
        breach
        for module in modules
        for breach in check(module.relative_to(folder).as_posix(), module.read_text(encoding="utf-8"))
    ]
    for breach in breaches:
        print(breach)
    print(f"house rules: {len(modules)} modules, {len(breaches)} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent)))
