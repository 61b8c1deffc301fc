"""Small shared marks: a scale, names, whiskers, and a whisker for a table cell."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from csi.errors import Text
from csi.reporting import style, svg

LOADING_FLOOR = 0.708
"""Half of an item's variance is shared with its construct (Hair et al., 2019)."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear axis from values [low, high] to positions [start, end].

    Example:
        >>> Scale(0, 100, 10, 30)(50)
        20.0
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The position of `value`."""
        return self.start + (value - self.low) / ((self.high - self.low) or 1) * (self.end - self.start)

    def kept(self, value: float) -> float:
        """The position of `value`, held inside the axis."""
        return self(min(max(value, min(self.low, self.high)), max(self.low, self.high)))


def say(name: str, labels: Mapping[str, Text], lang: str) -> str:
    """The label of a name, or the name itself.

    Example:
        >>> say("loyalty", {"loyalty": Text("Loyalty", "忠诚")}, "zh"), say("x1", {}, "zh")
        ('忠诚', 'x1')
    """
    return labels[name].say(lang) if name in labels else name


def known(value: object) -> TypeGuard[float]:
    """Whether a cell of a frame holds a finite number.

    Example:
        >>> known(1.5), known(None), known(float("nan"))
        (True, False, False)
    """
    return isinstance(value, int | float) and math.isfinite(value)


def whisker(scale: Scale, y: float, low: float, high: float, fill: str, width: float = 2, tip: str = "") -> str:
    """An interval as a horizontal line, cut at the ends of the axis."""
    return svg.line((scale.kept(low), y), (scale.kept(high), y), fill, width, tip=tip)


def loading_cell(
    loadings: Sequence[float | None], *, lang: str = "en", width: float = 120, height: float = 18, floor: float = 0.4
) -> str:
    """The loadings of one construct as dots on a line from `floor` to 1, a tick at .708, weaker ones as warnings.

    Parameters:
        loadings: standardised loadings; absent ones are skipped.
        lang: language of the tooltip.
        width: of the drawing, in units.
        height: of the drawing.
        floor: left end of the axis; a smaller loading is drawn at the end.

    Returns:
        SVG for a table cell.

    Example:
        >>> loading_cell([0.62, 0.81]).count("<circle")
        2
    """
    said = " ".join(style.coefficient(v, lang) for v in loadings if known(v))
    return svg.drawing(width, height, loading_marks(loadings, 0, height / 2, width, lang, floor), said, lang)


def loading_marks(
    loadings: Sequence[float | None], x: float, y: float, width: float, lang: str, floor: float = 0.4
) -> list[str]:
    """The marks of `loading_cell` at a place inside a larger drawing."""
    scale = Scale(floor, 1, x + 5, x + width - 5)
    tick = scale(LOADING_FLOOR)
    parts = [
        svg.line((scale.start, y), (scale.end, y), style.TRACK, 1.5),
        svg.line((tick, y - 6), (tick, y + 6), style.FAINT, 1, "2 2"),
    ]
    values = sorted(v for v in loadings if v is not None and known(v))
    if values:
        colour = style.WARN if values[0] < LOADING_FLOOR else style.FOCAL
        parts.append(svg.line((scale.kept(values[0]), y), (scale.kept(values[-1]), y), colour, 2))
    for v in values:
        colour = style.WARN if v < LOADING_FLOOR else style.FOCAL
        parts.append(svg.dot(scale.kept(v), y, 3.2, colour, style.PAPER, 0.8, tip=style.coefficient(v, lang)))
    return parts
