"""YAML read strictly: duplicate keys refused, fractions read as Decimal, never as float.

Plain YAML keeps the last of two equal keys silently and turns 0.5253 into a binary float; both
are ways to lose money.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import yaml

from mingcha.kernel import errors


class _StrictLoader(yaml.CSafeLoader):
    """SafeLoader that refuses duplicate keys and reads fractions as Decimal."""


def _mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    result: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if isinstance(key, list | dict | set):
            raise yaml.constructor.ConstructorError(
                None, None, "a list or a mapping cannot be a key", key_node.start_mark
            )
        if key in result:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key!r} stands twice in one mapping", key_node.start_mark
            )
        result[key] = loader.construct_object(value_node, deep=True)
    return result


def _decimal(loader: _StrictLoader, node: yaml.ScalarNode) -> Decimal:
    text = str(loader.construct_scalar(node))
    try:
        return Decimal(text.replace("_", ""))
    except ArithmeticError:
        raise yaml.constructor.ConstructorError(
            None, None, f"{text} is no decimal number", node.start_mark
        ) from None


def _day(loader: _StrictLoader, node: yaml.ScalarNode) -> Any:
    try:
        return loader.construct_yaml_timestamp(node)
    except ValueError:
        raise yaml.constructor.ConstructorError(
            None, None, f"{node.value} is no day of the calendar", node.start_mark
        ) from None


_StrictLoader.add_constructor("tag:yaml.org,2002:map", _mapping)
_StrictLoader.add_constructor("tag:yaml.org,2002:float", _decimal)
_StrictLoader.add_constructor("tag:yaml.org,2002:timestamp", _day)
# `on`, `off`, `yes`, `no` are words in our books (a meter event, an answer), not booleans.
_StrictLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_StrictLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), ["t", "f"])


def load(text: str, *, source: str) -> Any:
    """Return the value of a YAML text.

    Mappings are dicts, fractions Decimal, ISO dates `datetime.date`. `source` names the file in
    messages. Raises BookError with line and column for text that is not YAML or repeats a key.
    """
    try:
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a subclass of the safe loader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{source}:{mark.line + 1}:{mark.column + 1}" if mark else source
        problem = getattr(error, "problem", None) or str(error)
        raise errors.BookError(
            f"{where}: {problem}",
            why="a book that is read differently from how it was written gives wrong findings",
            mend="correct the YAML at that place; each key may stand once, indentation is by spaces",
        ) from error
