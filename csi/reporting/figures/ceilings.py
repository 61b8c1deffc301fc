"""Necessary conditions: every respondent as a point, and the ceiling above which nobody stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import Scale, known, say

_EFFECT = Text("d = {}", "d = {}")
_P = Text("p = {}", "p = {}")


@dataclass(frozen=True, slots=True)
class Panel:
    """One condition: its name, the ceiling's corners, its effect and p-value, what the desired level needs, and the
    least p that its permutations can give.
    """

    condition: str
    steps: Sequence[svg.Point]
    effect: float
    p_value: float | None
    needed: float | None = None
    least: float = 0.0


def ceilings(
    points: pl.DataFrame,
    panels: Sequence[Panel],
    *,
    lang: str,
    labels: Mapping[str, Text],
    outcome: str,
    desired: float | None = None,
    finding: str = "",
    width: int = style.FULL,
) -> str:
    """A scatter per condition with its step ceiling; the empty zone above it is shaded.

    Parameters:
        points: one row per respondent, a column per condition and the outcome, 0-100.
        panels: the conditions to draw. lang: "zh" or "en". labels: names of constructs. outcome: the column across.
        desired: a level of the outcome, drawn as a line to what it needs. finding: the sentence read aloud.
        width: 1040 (up to four in a row), 508 (two) or 360 (one).

    Returns:
        SVG.

    Source: Dul (2016), Organizational Research Methods 19(1), ceiling CE-FDH.

    Example:
        >>> data = pl.DataFrame({"use": [20.0, 80.0], "joy": [30.0, 90.0]})
        >>> one = Panel("use", [(20, 30), (80, 90)], 0.2, 0.01)
        >>> ceilings(data, [one], lang="en", labels={}, outcome="joy").count("<circle")
        2
    """
    across = max(1, min(len(panels), 4 if width > style.HALF else 2 if width == style.HALF else 1))
    side = (width - 22 * (across - 1)) / across
    high = min(side, 260.0) + 84
    parts = []
    for place, panel in enumerate(panels):
        x, y = (side + 22) * (place % across), high * (place // across)
        parts += _panel(points, panel, (x, y, side, high), lang, labels, outcome, desired)
    rows = -(-len(panels) // across)
    return svg.drawing(width, high * rows, parts, finding, lang)


def _panel(
    points: pl.DataFrame,
    panel: Panel,
    at: tuple[float, float, float, float],
    lang: str,
    labels: Mapping[str, Text],
    outcome: str,
    desired: float | None,
) -> list[str]:
    """Title, frame, empty zone, points, ceiling, the desired level."""
    left, top, side, high = at
    columns = points.select(panel.condition, outcome).drop_nulls()
    low = 10.0 * (min([*columns[panel.condition].to_list(), *columns[outcome].to_list(), 90.0]) // 10)
    x = Scale(low, 100, left + 34, left + side - 10)
    y = Scale(low, 100, top + high - 44, top + 42)
    steps = [(float(a), float(b)) for a, b in panel.steps]
    firm = panel.p_value is None or panel.p_value < 0.05
    said = _EFFECT.say(lang).format(style.coefficient(panel.effect, lang))
    if panel.p_value is not None:
        p = style.p_value(panel.p_value, lang, panel.least)
        said += ", " + (f"p {p}" if p[0] in "<≤" else _P.say(lang).format(p))
    parts = [
        svg.words(left, top + 15, say(panel.condition, labels, lang), size=13.5, fill=style.INK, bold=True),
        svg.words(left, top + 33, said, size=12, fill=style.FOCAL if firm else style.MUTED, bold=firm),
    ]
    for tick in (t for t in (0, 20, 40, 60, 80, 100) if t >= low):
        parts.append(svg.line((x(tick), y.end), (x(tick), y.start), style.HAIR))
        parts.append(svg.line((x.start, y(tick)), (x.end, y(tick)), style.HAIR))
        parts.append(svg.words(x(tick), y.start + 16, str(tick), size=11, fill=style.MUTED, anchor="middle"))
        parts.append(svg.words(x.start - 6, y(tick) + 4, str(tick), size=11, fill=style.MUTED, anchor="end"))
    ceiling = _corners(steps, x, y, low)
    parts.append(svg.polygon([*ceiling, (ceiling[-1][0], y.end), (x.start, y.end)], style.FOCAL_PALE, 0.5))
    for a, b in columns.iter_rows():
        parts.append(svg.element("circle", cx=x(a), cy=y(b), r=2.4, fill=style.STEEL, fill_opacity=0.4))
    parts.append(svg.polyline(ceiling, style.FOCAL, 2))
    if desired is not None and known(panel.needed) and panel.needed is not None:
        parts += _desired(panel.needed, desired, x, y)
    return parts


def _corners(steps: Sequence[svg.Point], x: Scale, y: Scale, low: float) -> list[svg.Point]:
    """The stair from the left edge to the highest outcome."""
    level = y.kept(low)
    drawn = [(x.start, level)]
    for a, b in steps:
        drawn += [(x.kept(a), level), (x.kept(a), y.kept(b))]
        level = y.kept(b)
    return [*drawn, (x.end, level)] if steps and steps[-1][1] < y.high else drawn


def _desired(needed: float, desired: float, x: Scale, y: Scale) -> list[str]:
    """From the desired level to the least score that goes with it."""
    return [
        svg.line((x.start, y(desired)), (x.kept(needed), y(desired)), style.WARN, 1.4, "4 3"),
        svg.line((x.kept(needed), y(desired)), (x.kept(needed), y.start), style.WARN, 1.4, "4 3"),
        svg.words(x.kept(needed) + 5, y.start - 6, style.score(needed), size=12, fill=style.WARN, bold=True, halo=True),
    ]
