"""Drawings taller than a page, cut where nothing stands, so that each part fits on a page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import ceil
from typing import Final

from csi.reporting.renderers.outline import Shot, beside, captions
from csi.reporting.renderers.pictures import TALLEST, size_of
from csi.reporting.style import SHEET
from csi.reporting.svg import number

_SHAPE: Final = re.compile(r"<(text|rect|circle|line|polygon|polyline|path|ellipse|g)\b([^>]*)>")
_VALUE: Final = re.compile(r' ([a-z0-9-]+)="(-?[\d.]+)"')
LETTERS: Final = 13.0
THROUGH: Final = 40.0
"""An upright line longer than this may be cut."""
Span = tuple[float, float]


def laid(shots: Sequence[Shot], lang: str) -> Iterator[tuple[tuple[Shot, ...], list[tuple[str, str]]]]:
    """The figures line by line with what stands under each; one taller than a page in parts, the words under the last.

    Example:
        >>> one = Shot(1, "A rise", "A rise", '<svg width="640" height="90">', False, "f")
        >>> [said for _, said in laid([one], "en")]
        [[('Figure 1. ', 'A rise')]]
    """
    for line in beside(shots):
        said = captions(line, lang)
        parts = leaves(line[0].svg) if len(line) == 1 else []
        for part in parts[:-1]:
            yield (replace(line[0], svg=part),), []
        yield ((replace(line[0], svg=parts[-1]),) if parts else line), said


def leaves(svg: str, tallest: float | None = None) -> list[str]:
    """A drawing in as many parts of about one height as it needs; whole where it fits or nothing can be cut.

    Parameters:
        svg: made by `csi.reporting.svg`. tallest: the most height of a part, in the drawing's units; that of a page
            where none is given.

    Example:
        >>> root = '<svg x="" width="640" height="1000" viewBox="0 0 640 1000">'
        >>> rows = [f'<rect x="0" y="{100 * k}" width="9" height="60"/>' for k in range(10)]
        >>> [size_of(part) for part in leaves("".join([root, *rows, "</svg>"]))]
        [(640.0, 480.0), (640.0, 520.0)]
    """
    wide, high = size_of(svg)
    most = TALLEST * max(wide, SHEET) if tallest is None else tallest
    spans = _spans(svg, most)
    if high <= most or spans is None:
        return [svg]
    cuts, count = [0.0], ceil(high / most)
    while high - cuts[-1] > most:
        left = (high - cuts[-1]) / (count - len(cuts) + 1) if len(cuts) <= count else most
        low = max(cuts[-1] + 0.7 * left, high - most * max(count - len(cuts), 1))
        cut = _cut(spans, low, cuts[-1] + left, cuts[-1] + min(1.3 * left, most))
        if cut is None:
            return [svg]
        cuts.append(cut)
    return [_part(svg, top, end) for top, end in zip(cuts, [*cuts[1:], high], strict=True)]


def _part(svg: str, top: float, end: float) -> str:
    """The drawing from `top` to `end`."""
    root = f'height="{number(end - top)}" viewBox="0 {number(top)} {number(size_of(svg)[0])} {number(end - top)}"'
    return re.sub(r'height="[\d.]+" viewBox="[^"]*"', root, svg, count=1)


def _cut(spans: Sequence[Span], low: float, wanted: float, high: float) -> float | None:
    """The middle of the widest empty band between two heights; of those alike the one next to where it is wanted."""
    found: list[tuple[float, float, float]] = []
    free = low
    for top, end in [*spans, (high, high)]:
        band = min(top, high) - free
        if band > 0:
            found.append((-round(band / 2), abs(free + band / 2 - wanted), free + band / 2))
        free = max(free, end)
    return float(round(min(found)[2])) if found else None


def _spans(svg: str, most: float) -> list[Span] | None:
    """From where to where each letter and shape that fits on a page stands, from the top; None where it is unknown."""
    found = []
    for tag, attributes in _SHAPE.findall(svg):
        at = {name: float(value) for name, value in _VALUE.findall(attributes)}
        if tag in {"path", "g"}:
            return None
        if tag == "text":
            size = at.get("font-size", LETTERS)
            found.append((at.get("y", 0.0) - size, at.get("y", 0.0) + 0.35 * size))
        elif tag == "rect":
            band = at.get("height", 0.0) > most
            found += [] if band else [(at.get("y", 0.0), at.get("y", 0.0) + at.get("height", 0.0))]
        elif tag in {"circle", "ellipse"}:
            reach = at.get("r", at.get("ry", 0.0)) + 1
            found.append((at.get("cy", 0.0) - reach, at.get("cy", 0.0) + reach))
        elif tag == "line":
            ends = sorted((at.get("y1", 0.0), at.get("y2", 0.0)))
            upright = at.get("x1") == at.get("x2") and ends[1] - ends[0] > THROUGH
            found += [] if upright else [(ends[0] - 1, ends[1] + 1)]
        else:
            heights = [float(pair.split(",")[1]) for pair in re.findall(r"-?[\d.]+,-?[\d.]+", attributes)]
            found += [(min(heights), max(heights))] if heights else []
    return sorted(found)
