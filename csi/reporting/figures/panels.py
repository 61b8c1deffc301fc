"""Small panels of lines on one horizontal scale: expected answers by group, information along a scale."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import polars as pl

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import Scale, known, say
from csi.reporting.text_width import text_width

DASHES = (None, "6 4", "2 3", "8 3 2 3")
"""How lines differ beside their colour."""
HIGH, KEY = 178.0, 17.0
"""Height of a panel, and of a name where every panel has lines of its own."""


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

    Where every series stands in one panel alone, its name stands there too; else a legend stands above all panels.

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
    held = {n: frame.filter(pl.col("panel") == n) for n in names}
    apart = 1 < len(names) < len(series) == frame.select("panel", "series").n_unique()
    drawn = {n: own["series"].unique(maintain_order=True).to_list() if apart else series for n, own in held.items()}
    columns = 1 if width < style.HALF else min(len(names), 2 if width < style.FULL else 3 if apart else 4)
    parts, top = _legend(series, labels, width, lang) if len(series) > 1 and not apart else ([], 2.0)
    side, gap, ends = (width - 26.0 * (columns - 1)) / max(columns, 1), 26.0, _ends(frame["x"].to_list())
    for first in range(0, len(names), columns):
        row = names[first : first + columns]
        room = KEY * max(len(drawn[n]) for n in row) + 4 if apart else 0.0
        for k, name in enumerate(row):
            x, title = k * (side + gap), say(name, labels, lang)
            parts += _panel(held[name], drawn[name], title, (x, top, side, HIGH), ends, (room, lang))
            parts += _names(drawn[name], labels, (x, top + 20, side), lang) if apart else []
        top += HIGH + room + 20
    said = f"{across.say(lang)} → · ↑ {up.say(lang)}"
    parts.append(svg.words(0, top + 12, svg.shorten(said, width, 12, lang=lang), size=12, fill=style.MUTED))
    return svg.drawing(width, top + 18, parts, finding, lang)


def _names(
    series: Sequence[str], labels: Mapping[str, Text], place: tuple[float, float, float], lang: str
) -> list[str]:
    """The lines of one panel by name, under its title."""
    x, y, side = place
    parts = []
    for rank, one in enumerate(series):
        at = y + KEY * (rank + 0.8)
        parts.append(svg.line((x, at - 4), (x + 24, at - 4), _ink(rank), 2.2, DASHES[rank % len(DASHES)]))
        said = svg.shorten(say(one, labels, lang), side - 30, 11.5, lang=lang)
        parts.append(svg.words(x + 30, at, said, size=11.5))
    return parts


def _ends(values: Sequence[float]) -> tuple[float, float]:
    found = [v for v in values if known(v)]
    return min(found, default=0.0), max(found, default=1.0)


def _panel(
    frame: pl.DataFrame,
    series: Sequence[str],
    name: str,
    place: tuple[float, float, float, float],
    ends: tuple[float, float],
    said_in: tuple[float, str],
) -> list[str]:
    """One panel at `place` (left, top, side, height), its lines `said_in[0]` lower to leave room for their names."""
    (left, top, side, high), (room, lang) = place, said_in
    ticks = svg.steps(*_ends(frame["y"].to_list()), 3)
    foot = top + high + room
    x, y = Scale(*ends, left + 30, left + side - 4), Scale(ticks[0], ticks[-1], foot - 20, top + room + 28)
    parts = [svg.words(left, top + 14, svg.shorten(name, side, 12.5, bold=True, lang=lang), size=12.5, bold=True)]
    for tick in ticks:
        parts.append(svg.line((x.start, y(tick)), (x.end, y(tick)), style.HAIR))
        said = style.score(tick, svg.places(ticks))
        parts.append(svg.words(left + 25, y(tick) + 4, said, size=10.5, fill=style.MUTED, anchor="end"))
    parts += [
        svg.words(x(t), foot - 5, style.score(t, 0), size=10.5, fill=style.MUTED, anchor=_anchor(t, ends))
        for t in _whole(*ends)
    ]
    for rank, one in enumerate(series):
        own = frame.filter(pl.col("series") == one)
        points = [(x(r["x"]), y(r["y"])) for r in own.iter_rows(named=True) if known(r["x"]) and known(r["y"])]
        if len(points) > 1:
            parts.append(svg.polyline(points, _ink(rank), 2.2, DASHES[rank % len(DASHES)]))
    return parts


def _whole(low: float, high: float) -> list[float]:
    """Whole numbers from `low` to `high`, about five.

    Example:
        >>> _whole(-4, 4), _whole(1, 10)
        ([-4.0, -2.0, 0.0, 2.0, 4.0], [2.0, 4.0, 6.0, 8.0, 10.0])
    """
    sizes = [m * 10.0**k for k in range(7) for m in (1, 2, 5)]
    size = min(sizes, key=lambda one: abs((high - low) / one - 4))
    first, last = math.ceil(low / size - 1e-9), math.floor(high / size + 1e-9)
    return [size * t for t in range(first, last + 1)]


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
