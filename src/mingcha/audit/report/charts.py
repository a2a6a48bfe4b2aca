"""Charts as SVG text: no library, no script, readable in print and on a phone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup, escape

_ROW = 30
_LABEL = 165
_VALUE = 50
_WIDTH = 500
_HEIGHT = 170


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its label, and the length of each of its parts by class name."""

    label: str
    parts: Mapping[str, int]

    @property
    def length(self) -> int:
        """Return the whole length."""
        return sum(self.parts.values())


def bars(*, rows: Sequence[Bar], title: str) -> Markup:
    """Return horizontal bars, each divided into parts coloured by class; longest scale to the full width."""
    longest = max((bar.length for bar in rows), default=0)
    if not longest:
        return Markup("")
    room = _WIDTH - _LABEL - _VALUE
    shapes: list[Markup] = []
    for index, bar in enumerate(rows):
        top = index * _ROW
        shapes.append(_text(bar.label, at=(_LABEL - 10, top + 20), anchor="end"))
        left = Decimal(_LABEL)
        for name, count in bar.parts.items():
            if count:
                wide = max(Decimal(room * count) / longest, Decimal(2))
                shapes.append(_box(name, at=(left, top + 6), size=(wide, 20), told=f"{bar.label}: {count:,}"))
                left += wide
        shapes.append(_text(f"{bar.length:,}", at=(left + 8, top + 20), anchor="start", kind="figure"))
    return _svg(shapes, width=_WIDTH, height=len(rows) * _ROW + 6, title=title)


def columns(*, rows: Sequence[Bar], title: str) -> Markup:
    """Return upright bars in order, for months; every label that fits is written."""
    tallest = max((bar.length for bar in rows), default=0)
    if not tallest:
        return Markup("")
    step = Decimal(_WIDTH) / len(rows)
    every = max(1, -(-len(rows) // 12))
    shapes: list[Markup] = []
    for index, bar in enumerate(rows):
        left = step * index + step / 8
        bottom = Decimal(_HEIGHT - 24)
        for name, count in bar.parts.items():
            high = Decimal((_HEIGHT - 44) * count) / tallest
            bottom -= high
            shapes.append(
                _box(name, at=(left, bottom), size=(step * 3 / 4, high), told=f"{bar.label}: {count:,}")
            )
        middle = step * index + step / 2
        if index % every == 0:
            shapes.append(_text(bar.label, at=(middle, _HEIGHT - 8), anchor="middle"))
            shapes.append(_text(f"{bar.length:,}", at=(middle, bottom - 5), anchor="middle", kind="figure"))
    return _svg(shapes, width=_WIDTH, height=_HEIGHT, title=title)


def _svg(shapes: Sequence[Markup], *, width: int, height: int, title: str) -> Markup:
    head = Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
        width, height, title
    )
    return head + Markup("").join(shapes) + Markup("</svg>")


def _box(
    name: str, *, at: tuple[Decimal, Decimal | int], size: tuple[Decimal, Decimal | int], told: str
) -> Markup:
    return Markup(
        '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>'
    ).format(name, at[0], at[1], size[0], size[1], told)


def _text(text: str, *, at: tuple[Decimal | int, Decimal | int], anchor: str, kind: str = "label") -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        kind, at[0], at[1], anchor, escape(text)
    )
