"""A moderated arrow: its lines at low, middle and high values of the moderator, and where its slope differs from 0."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby, pairwise
from typing import Any

import polars as pl

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import Scale, known, say

_LINES = Text("{y} by {x}", "{x}与{y}")
_SLOPE = Text("Slope along {z} (SD)", "斜率随{z}（标准差）的变化")
_MEAN = Text("mean", "均值")
_INKS = {-1: style.OTHERS[1], 0: style.STEEL, 1: style.FOCAL}


def slope_lines(
    slopes: pl.DataFrame,
    curve: pl.DataFrame,
    *,
    lang: str,
    labels: Mapping[str, Text],
    finding: str = "",
    width: int = style.FULL,
) -> str:
    """Left the lines of a moderated arrow, right its slope with interval along the moderator, significant parts shaded.

    Parameters:
        slopes: `outcome`, `predictor`, `moderator`, `at` (SD), `estimate` of one arrow.
        curve: `at`, `estimate`, `conf_low`, `conf_high`, `significant` along the moderator; may be empty.
        lang: "zh" or "en". labels: names of constructs. finding: the sentence read aloud. width: 1040, 508 or 360.

    Returns:
        SVG.

    Source: Aiken & West (1991); Johnson & Neyman (1936) for the region.

    Example:
        >>> lines = pl.DataFrame({"outcome": ["y"] * 2, "predictor": ["x"] * 2, "moderator": ["z"] * 2,
        ...                       "at": [-1.0, 1.0], "estimate": [0.1, 0.5]})
        >>> slope_lines(lines, pl.DataFrame(), lang="en", labels={}).count("<polyline")
        2
    """
    two = curve.height > 0
    beside = two and width > style.HALF
    side = (width - 60) / 2 if beside else float(width)
    parts = _lines(slopes, (0, 0, side, 300), lang, labels)
    if two:
        at = (side + 60, 0.0, side, 300.0) if beside else (0.0, 316.0, side, 300.0)
        parts += _region(curve, say(str(slopes["moderator"][0]), labels, lang), at, lang)
    return svg.drawing(width, 616 if two and not beside else 300, parts, finding, lang)


def _lines(
    slopes: pl.DataFrame, at: tuple[float, float, float, float], lang: str, labels: Mapping[str, Text]
) -> list[str]:
    """One line per value of the moderator, through the means, from -1 to +1 SD of the predictor."""
    left, top, side, high = at
    first = slopes.row(0, named=True)
    names = {k: say(first[c], labels, lang) for k, c in (("x", "predictor"), ("y", "outcome"), ("z", "moderator"))}
    values = [float(v) for v in slopes["estimate"].to_list() if known(v)]
    reach = max([0.5, *(abs(v) for v in values)]) * 1.15
    x, y = Scale(-1, 1, left + 40, left + side - 130), Scale(-reach, reach, top + high - 40, top + 36)
    parts = [svg.words(left, top + 15, _LINES.say(lang).format(**names), size=13.5, fill=style.INK, bold=True)]
    ticks = [t for t in svg.steps(-reach, reach, 5) if -reach <= t <= reach]
    for tick in ticks:
        ink = style.FAINT if tick == 0 else style.HAIR
        parts.append(svg.line((x.start, y(tick)), (x.end, y(tick)), ink))
        said = style.coefficient(tick, lang, svg.places(ticks)) if tick else "0"
        parts.append(svg.words(x.start - 7, y(tick) + 4, said, size=11.5, fill=style.MUTED, anchor="end"))
    for value, anchor in ((-1, "start"), (0, "middle"), (1, "end")):
        said = f"{style.change(float(value), 0)} SD" if value else "0"
        parts.append(svg.words(x(value), y.start + 18, said, size=11.5, fill=style.MUTED, anchor=anchor))
    over = svg.wrap(names["z"], 122, 12, lang=lang)
    above = min([y(v) for v in values], default=y.end) - 24 - 15 * len(over)
    parts += [svg.words(x.end + 8, above + 15 * (i + 1), s, size=12, fill=style.MUTED) for i, s in enumerate(over)]
    ends = svg.spread([y(v) for v in values], 18, y.end, y.start)
    for (z, value), end in zip(slopes.select("at", "estimate").iter_rows(), ends, strict=True):
        ink = _INKS.get(int(z), style.OTHERS[0])
        parts.append(svg.polyline([(x(-1), y(-value)), (x(1), y(value))], ink, 2.4 if z else 1.8))
        said = f"{style.change(z, 0)} SD" if z else _MEAN.say(lang)
        parts.append(
            svg.words(x.end + 8, end + 4, svg.shorten(said, 122, 12, lang=lang), size=12, fill=ink, bold=bool(z))
        )
    return parts


def _region(curve: pl.DataFrame, moderator: str, at: tuple[float, float, float, float], lang: str) -> list[str]:
    """The slope along the moderator with its band; the part that differs from 0 in the focal colour."""
    left, top, side, high = at
    rows = curve.to_dicts()
    values = [float(v) for r in rows for c in ("conf_low", "conf_high", "estimate") if known(v := r[c])]
    ticks = svg.steps(min([0.0, *values]), max([0.0, *values]), 5)
    ends = [float(r["at"]) for r in rows]
    x, y = (
        Scale(min(ends), max(ends), left + 40, left + side - 8),
        Scale(ticks[0], ticks[-1], top + high - 40, top + 36),
    )
    said = _SLOPE.say(lang).format(z=moderator)
    parts = [svg.words(left, top + 15, said, size=13.5, fill=style.INK, bold=True)]
    for tick in ticks:
        parts.append(svg.line((x.start, y(tick)), (x.end, y(tick)), style.FAINT if tick == 0 else style.HAIR))
        text = style.coefficient(tick, lang, svg.places(ticks)) if tick else "0"
        parts.append(svg.words(x.start - 7, y(tick) + 4, text, size=11.5, fill=style.MUTED, anchor="end"))
    for tick in svg.steps(min(ends), max(ends), 7):
        text = style.change(tick, 0) if tick else "0"
        parts.append(svg.words(x.kept(tick), y.start + 18, text, size=11.5, fill=style.MUTED, anchor="middle"))
    for firm, run in _runs(rows):
        lows = [(x(r["at"]), y.kept(r["conf_low"])) for r in run]
        highs = [(x(r["at"]), y.kept(r["conf_high"])) for r in reversed(run)]
        parts.append(svg.polygon([*lows, *highs], style.FOCAL_PALE if firm else style.TRACK, 0.8))
    parts.append(svg.polyline([(x(r["at"]), y.kept(r["estimate"])) for r in rows], style.STEEL, 2))
    return parts


def _runs(rows: list[dict[str, Any]]) -> list[tuple[bool, list[dict[str, Any]]]]:
    """Stretches of the moderator that are significant or not, each closed by the first row of the next."""
    found = [(firm, list(run)) for firm, run in groupby(rows, key=lambda r: bool(r["significant"]))]
    return [(firm, [*run, after[0]]) for (firm, run), (_, after) in pairwise(found)] + found[-1:]
