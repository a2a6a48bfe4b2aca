"""A tariff book written as a file: drafts made by programs, for people to finish."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """Numbers of money and energy stand in quotes, lists of values on one line."""

    def ignore_aliases(self, data: Any) -> bool:
        """Return true: a value is written where it belongs, not referred to."""
        return True


def _list(dumper: yaml.SafeDumper, value: list[Any]) -> yaml.Node:
    node = dumper.represent_sequence("tag:yaml.org,2002:seq", value)
    node.flow_style = all(_short(part) for part in node.value)
    return node


def _mapping(dumper: yaml.SafeDumper, value: dict[str, Any]) -> yaml.Node:
    node = dumper.represent_mapping("tag:yaml.org,2002:map", value)
    size = sum(len(str(part)) for pair in value.items() for part in pair)
    # Dated entries and the book itself are read from top to bottom.
    node.flow_style = (
        size < 100 and not {"document", "book"} & set(value) and all(_short(part) for _, part in node.value)
    )
    return node


def _short(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) or bool(getattr(node, "flow_style", False))


_Dumper.add_representer(list, _list)
_Dumper.add_representer(dict, _mapping)
_Dumper.add_representer(
    Decimal, lambda dumper, value: dumper.represent_scalar("tag:yaml.org,2002:str", f"{value:f}", style='"')
)


def text(book: Mapping[str, Any], *, head: Sequence[str] = ()) -> str:
    """Return a book as YAML, keys in their order; `head` are comments above it, one paragraph each.

    >>> print(text({"book": "x.y", "values": {"peak": Decimal("0.50")}}, head=["A draft."]), end="")
    # A draft.
    <BLANKLINE>
    book: x.y
    values: {peak: "0.50"}
    """
    comments = [
        line for paragraph in head for line in textwrap.wrap(paragraph, width=100, break_long_words=False)
    ]
    body = yaml.dump(
        dict(book), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None
    )
    return "".join(f"# {line}\n" for line in comments) + ("\n" if comments else "") + body


def number(value: Decimal) -> Decimal:
    """Return the same number without zeros at its end.

    >>> number(Decimal("200.0000"))
    Decimal('200')
    """
    whole = value == value.to_integral_value()
    return value.quantize(Decimal(1)) if whole else value.normalize()


def words(both: str) -> dict[str, str]:
    """Return one text as the words of both languages, for names that are not translated."""
    return {"zh": both, "en": both}


def dated(since: date, until: date | None, document: str, clause: str) -> dict[str, Any]:
    """Return the keys every dated entry begins with."""
    return {"in_force_from": since, "in_force_to": until, "document": document, "clause": clause}
