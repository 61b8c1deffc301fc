"""Small panels of lines on one horizontal scale: expected answers by group, information along a scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import Scale, known, say
from csi.reporting.text_width import text_width

DASHES = (None, "6 4", "2 3", "8 3 2 3")
"""How lines differ beside their colour."""


def panels(
    frame: pl.DataFrame,
    *,
    lang: str,
    labels: Mapping[str, Text],
    across: Text,
    up: Text,
    finding: str = "",
    width: int = style.FULL,
) -> str:
    """One panel per `panel`, one line per `series`; the first series has the focal colour.

    Parameters:
        frame: `panel`, `series`, `x`, `y`. lang: "zh" or "en". labels: names of panels and series.
        across, up: what the two axes are. finding: the sentence read aloud. width: 1040, 508 or 360.

    Returns:
        SVG.

    Example:
        >>> data = pl.DataFrame({"panel": ["q1"] * 2, "series": ["men"] * 2, "x": [0.0, 1.0], "y": [1.0, 2.0]})
        >>> panels(data, lang="en", labels={}, across=Text("x", "x"), up=Text("y", "y")).count("<polyline")
        1
    """
    names = frame["panel"].unique(maintain_order=True).to_list()
    series = frame["series"].unique(maintain_order=True).to_list()
    columns = 1 if width < style.HALF else min(len(names), 2 if width < style.FULL else 4)
    parts, top = _legend(series, labels, width, lang) if len(series) > 1 else ([], 2.0)
    side, gap, high = (width - 26.0 * (columns - 1)) / max(columns, 1), 26.0, 178.0
    ends = _ends(frame["x"].to_list())
    for k, name in enumerate(names):
        x, y = (k % columns) * (side + gap), top + (k // columns) * (high + 20)
        own = frame.filter(pl.col("panel") == name)
        parts += _panel(own, series, say(name, labels, lang), (x, y, side, high), ends, lang)
    below = top + ((len(names) - 1) // columns + 1) * (high + 20)
    said = f"{across.say(lang)} → · ↑ {up.say(lang)}"
    parts.append(svg.words(0, below + 12, svg.shorten(said, width, 12, lang=lang), size=12, fill=style.MUTED))
    return svg.drawing(width, below + 18, parts, finding, lang)


def _ends(values: Sequence[float]) -> tuple[float, float]:
    found = [v for v in values if known(v)]
    return min(found, default=0.0), max(found, default=1.0)


def _panel(
    frame: pl.DataFrame,
    series: Sequence[str],
    name: str,
    place: tuple[float, float, float, float],
    ends: tuple[float, float],
    lang: str,
) -> list[str]:
    left, top, side, high = place
    ticks = svg.steps(*_ends(frame["y"].to_list()), 3)
    x, y = Scale(*ends, left + 30, left + side - 4), Scale(ticks[0], ticks[-1], top + high - 20, top + 28)
    parts = [svg.words(left, top + 14, svg.shorten(name, side, 12.5, bold=True, lang=lang), size=12.5, bold=True)]
    for tick in ticks:
        parts.append(svg.line((x.start, y(tick)), (x.end, y(tick)), style.HAIR))
        said = style.score(tick, svg.places(ticks))
        parts.append(svg.words(left + 25, y(tick) + 4, said, size=10.5, fill=style.MUTED, anchor="end"))
    parts += [
        svg.words(x(t), top + high - 5, style.score(t, 0), size=10.5, fill=style.MUTED, anchor=_anchor(t, ends))
        for t in svg.steps(*ends, 4)
        if ends[0] <= t <= ends[1] and t == round(t)
    ]
    for rank, one in enumerate(series):
        own = frame.filter(pl.col("series") == one)
        points = [(x(r["x"]), y(r["y"])) for r in own.iter_rows(named=True) if known(r["x"]) and known(r["y"])]
        if len(points) > 1:
            parts.append(svg.polyline(points, _ink(rank), 2.2, DASHES[rank % len(DASHES)]))
    return parts


def _anchor(tick: float, ends: tuple[float, float]) -> str:
    """The last label ends where its panel ends."""
    return "end" if tick == ends[1] else "middle"


def _ink(rank: int) -> str:
    return (style.FOCAL, style.WARN, style.STEEL, *style.OTHERS)[rank % 10]


def _legend(series: Sequence[str], labels: Mapping[str, Text], width: int, lang: str) -> tuple[list[str], float]:
    parts, x, y = [], 0.0, 14.0
    for rank, one in enumerate(series):
        said = svg.shorten(say(one, labels, lang), width - 40, 12, lang=lang)
        need = 36 + text_width(said, 12, lang=lang) + 20
        if x and x + need > width:
            x, y = 0.0, y + 20
        parts.append(svg.line((x, y - 4.5), (x + 28, y - 4.5), _ink(rank), 2.2, DASHES[rank % len(DASHES)]))
        parts.append(svg.words(x + 35, y, said, size=12))
        x += need
    return parts, y + 12
