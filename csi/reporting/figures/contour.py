"""A response surface seen from above: bands of equal outcome where there are answers, the diagonal, the still point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import Scale
from csi.reporting.text_width import text_width

GRID = 90
"""Rows and columns of the field that the bands are painted on."""
BANDS = 6
OVER = 0.9
"""By so much rows of the field overlap, lest hairs of paper show between them."""
NEAR = 1e-9
WIDE = 660
"""From here the legend stands beside the field."""
Point = tuple[float, float]
Field = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Seen:
    """What is drawn.

    Attributes:
        slopes: (6,) b0 to b5 of E and P less `centre`. corners: (v, 2) outline of the answers (E, P), anticlockwise.
        point: the stationary point (E, P); None where it is withheld. low, high: the scale's ends.
        across, up, outcome: names of E, P and the outcome.
    """

    slopes: Field
    centre: float
    corners: Field
    point: Point | None
    low: float
    high: float
    across: Text
    up: Text
    outcome: Text


def contour(seen: Seen, *, lang: str, finding: str = "", width: int = style.HALF) -> str:
    """Expectation across, experience up, the outcome in bands of one hue: light is low, dark is high.

    Parameters:
        seen: the surface. lang: "zh" or "en". finding: the sentence read aloud. width: 508, 1040 or 360.

    Returns:
        SVG.

    Example:
        >>> square = np.array([[2.0, 2], [6, 2], [6, 6], [2, 6]])
        >>> said = Text("Expected", "期望"), Text("Perceived", "感知"), Text("Satisfaction", "满意")
        >>> seen = Seen(np.array([5, -0.4, 0.6, 0, 0, -0.1]), 4.0, square, None, 1, 7, *said)
        >>> contour(seen, lang="en").count("<polyline") > 3
        True
    """
    side = min(width - 62.0, 400.0)
    ticks = _ticks(seen)
    x = Scale(ticks[0], ticks[-1], 46, 46 + side)
    y = Scale(ticks[0], ticks[-1], 12 + side, 12)
    levels, fills = _bands(seen)
    parts = [*_axes(x, y, ticks)]
    parts += _painted(seen, x, y, levels, fills)
    parts += _isolines(seen, x, y, levels, fills)
    outline = [(x(a), y(b)) for a, b in seen.corners]
    parts.append(svg.polyline([*outline, outline[0]], style.MUTED, 1, "2 3"))
    parts += _diagonal(x, y, _room(seen.corners, ticks[0], ticks[-1]), lang)
    if seen.point is not None:
        parts += _still(x(seen.point[0]), y(seen.point[1]), x, lang)
    parts += _names(seen, x, y, lang)
    foot = y.start + 52
    place = (46.0, foot) if width < WIDE else (x.end + 40, 40.0)
    legend, height = _legend(seen, levels, fills, place, width, lang)
    return svg.drawing(width, max(height, foot), [*parts, *legend], finding, lang)


def value_at(seen: Seen, E: Field, P: Field) -> Field:
    """The outcome at points."""
    e, p = E - seen.centre, P - seen.centre
    b = seen.slopes
    return np.asarray(b[0] + b[1] * e + b[2] * p + b[3] * e**2 + b[4] * e * p + b[5] * p**2)


def _ticks(seen: Seen) -> list[float]:
    """Round values around the answers, alike for both axes."""
    low, high = float(seen.corners.min()), float(seen.corners.max())
    found = svg.steps(low, high, 5)
    return [t for t in found if seen.low - 1e-9 <= t <= seen.high + 1e-9] if _holds(found, seen, low, high) else found


def _holds(found: Sequence[float], seen: Seen, low: float, high: float) -> bool:
    """Whether the ticks within the scale still surround the answers."""
    kept = [t for t in found if seen.low - 1e-9 <= t <= seen.high + 1e-9]
    return len(kept) > 1 and kept[0] <= low and kept[-1] >= high


def _bands(seen: Seen) -> tuple[list[float], list[str]]:
    """Levels between bands within the outline, and the colour of each band."""
    E, P = np.meshgrid(*(np.linspace(*_range(seen, axis), GRID) for axis in (0, 1)))
    found = value_at(seen, E, P)[_inside(seen.corners, E, P)]
    low, high = (float(found.min()), float(found.max())) if found.size else (0.0, 1.0)
    levels = [t for t in svg.steps(low, high, BANDS) if low < t < high]
    shares = [(j + 0.5) / (len(levels) + 1) for j in range(len(levels) + 1)]
    return levels, [style.shade(style.FOCAL_PALE, style.FOCAL_DARK, 0.12 + 0.8 * s - 0.06) for s in shares]


def _range(seen: Seen, axis: int) -> tuple[float, float]:
    return float(seen.corners[:, axis].min()), float(seen.corners[:, axis].max())


def _inside(corners: Field, E: Field, P: Field) -> npt.NDArray[np.bool_]:
    """Which points lie within the convex outline."""
    inside = np.ones(E.shape, dtype=np.bool_)
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        inside &= (bx - ax) * (P - ay) - (by - ay) * (E - ax) >= -1e-9
    return inside


def _painted(seen: Seen, x: Scale, y: Scale, levels: Sequence[float], fills: Sequence[str]) -> list[str]:
    """Bands as runs of one colour, row by row, within the outline."""
    (e0, e1), (p0, p1) = _range(seen, 0), _range(seen, 1)
    steps = (e1 - e0) / GRID, (p1 - p0) / GRID
    E, P = np.meshgrid(e0 + (np.arange(GRID) + 0.5) * steps[0], p0 + (np.arange(GRID) + 0.5) * steps[1])
    band = np.where(_inside(seen.corners, E, P), np.digitize(value_at(seen, E, P), levels), -1)
    parts = []
    for j, row in enumerate(band):
        seen_here = np.flatnonzero(row >= 0)
        if not seen_here.size:
            continue
        first, last = int(seen_here[0]), int(seen_here[-1]) + 1
        heights = p0 + j * steps[1], p0 + (j + 1) * steps[1]
        ends = [_extent(seen.corners, p) for p in heights]
        cuts = [first, *(c + 1 for c in np.flatnonzero(np.diff(row)).tolist() if first <= c < last - 1), last]
        for a, b in pairwise(cuts):
            left = [end[0] if a == first else e0 + a * steps[0] for end in ends]
            right = [end[1] if b == last else e0 + b * steps[0] for end in ends]
            low, high = y(heights[0]) + OVER, y(heights[1])
            corners = [(x(left[0]), low), (x(right[0]), low), (x(right[1]), high), (x(left[1]), high)]
            parts.append(svg.polygon(corners, fills[row[a]]))
    return parts


def _extent(corners: Field, height: float) -> Point:
    """Where a level line enters and leaves the convex outline."""
    found = []
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if min(ay, by) - NEAR <= height <= max(ay, by) + NEAR:
            share = 0.0 if by == ay else min(max((height - ay) / (by - ay), 0.0), 1.0)
            found += [ax + share * (bx - ax)] if by != ay else [ax, bx]
    return float(min(found)), float(max(found))


def _isolines(seen: Seen, x: Scale, y: Scale, levels: Sequence[float], fills: Sequence[str]) -> list[str]:
    """Where the outcome equals a level, with the level written on the line."""
    (e0, e1), (p0, p1) = _range(seen, 0), _range(seen, 1)
    across, up = np.linspace(e0, e1, GRID), np.linspace(p0, p1, GRID)
    E, P = np.meshgrid(across, up)
    Z, within = value_at(seen, E, P), _inside(seen.corners, E, P)
    step = (across[1] - across[0], up[1] - up[0])
    parts, places = [], 0 if all(float(v).is_integer() for v in levels) else svg.places(levels)
    for number, level in enumerate(levels):
        crossed = [
            s
            for j in range(GRID - 1)
            for i in range(GRID - 1)
            if within[j : j + 2, i : i + 2].all()
            for s in _segments(Z[j : j + 2, i : i + 2], level, (across[i], up[j]), step)
        ]
        parts += [svg.polyline([(x(a), y(b)) for a, b in s], style.PAPER, 1.1) for s in crossed]
        if crossed:
            (a, b), _ = crossed[int(len(crossed) * (0.3 + 0.4 * (number % 2)))]
            ink = style.readable_on(fills[number])
            said = style.score(level, places)
            parts.append(svg.words(x(a), y(b) + 4, said, size=11, fill=ink, bold=True, anchor="middle"))
    return parts


def _segments(z: Field, level: float, corner: Point, step: Point) -> list[tuple[Point, Point]]:
    """Where a level crosses one square of the field (marching squares; a saddle is cut twice)."""
    edges = (((0, 0), (0, 1)), ((0, 1), (1, 1)), ((1, 1), (1, 0)), ((1, 0), (0, 0)))
    found = []
    for (r0, c0), (r1, c1) in edges:
        a, b = z[r0, c0] - level, z[r1, c1] - level
        if (a < 0) != (b < 0):
            share = a / (a - b)
            across, up = c0 + share * (c1 - c0), r0 + share * (r1 - r0)
            found.append((corner[0] + step[0] * across, corner[1] + step[1] * up))
    return list(zip(found[::2], found[1::2], strict=True)) if len(found) % 2 == 0 else []


def _axes(x: Scale, y: Scale, ticks: Sequence[float]) -> list[str]:
    places = 0 if all(float(t).is_integer() for t in ticks) else svg.places(ticks)
    parts = []
    for tick in ticks:
        parts.append(svg.line((x(tick), y.start), (x(tick), y.end), style.HAIR))
        parts.append(svg.line((x.start, y(tick)), (x.end, y(tick)), style.HAIR))
        said = style.score(tick, places)
        parts.append(svg.words(x(tick), y.start + 17, said, size=11.5, fill=style.MUTED, anchor="middle"))
        parts.append(svg.words(x.start - 7, y(tick) + 4, said, size=11.5, fill=style.MUTED, anchor="end"))
    return parts


def _room(corners: Field, low: float, high: float) -> tuple[float, bool]:
    """Where along the diagonal (0 to 1) there is most room beside the answers, and whether that is its lower end."""
    along = np.linspace(0, 1, GRID)
    at = low + along * (high - low)
    held = along[_inside(corners, at, at)]
    first, last = (float(held[0]), float(held[-1])) if held.size else (1.0, 1.0)
    return (first / 2, True) if first >= 1 - last else ((1 + last) / 2, False)


def _diagonal(x: Scale, y: Scale, room: tuple[float, bool], lang: str) -> list[str]:
    """Where experience equals expectation, named where there is room along the line."""
    said = {"en": "as expected (P = E)", "zh": "符合期望（P = E）"}[lang]
    reach = x.end - x.start
    size = text_width(said, 11.5, lang=lang)
    share = size / reach / math.sqrt(2) / 2 + 0.03
    middle = max(room[0], share) if room[1] else min(room[0], 1 - share)
    at = (x.start + middle * reach, y.start - middle * reach)
    half = size / 2
    turn = f"translate({svg.number(at[0] - 4)} {svg.number(at[1] - 4)}) rotate(-45)"
    face: dict[str, str | float | None] = {"x": -half, "y": 0, "font_size": 11.5, "transform": turn}
    behind = svg.element("text", svg.clean(said), **face, fill=style.PAPER, stroke=style.PAPER, stroke_width=3.5)
    return [
        svg.line((x.start, y.start), (x.end, y.end), style.INK, 1.3, "6 3"),
        behind,
        svg.element("text", svg.clean(said), **face, fill=style.INK),
    ]


def _still(px: float, py: float, x: Scale, lang: str) -> list[str]:
    """The stationary point."""
    said = {"en": "stationary point", "zh": "驻点"}[lang]
    left = px > (x.start + x.end) / 2
    at, anchor = (px - 9, "end") if left else (px + 9, "start")
    return [
        svg.dot(px, py, 5, style.WARN, style.PAPER, 1.6),
        svg.words(at, py + 4, said, size=12, fill=style.WARN, bold=True, anchor=anchor, halo=True),
    ]


def _names(seen: Seen, x: Scale, y: Scale, lang: str) -> list[str]:
    middle = (y.start + y.end) / 2
    turned = svg.element(
        "text",
        svg.clean(seen.up.say(lang)),
        x=0,
        y=0,
        font_size=12,
        fill=style.TEXT,
        text_anchor="middle",
        transform=f"translate(12 {svg.number(middle)}) rotate(-90)",
    )
    across = svg.words((x.start + x.end) / 2, y.start + 36, seen.across.say(lang), size=12, anchor="middle")
    return [across, turned]


def _legend(
    seen: Seen, levels: Sequence[float], fills: Sequence[str], at: Point, width: int, lang: str
) -> tuple[list[str], float]:
    """The bands with their levels, and what the outline is."""
    left, top = at
    places = 0 if all(float(v).is_integer() for v in levels) else svg.places(levels) if levels else 0
    each = min(46.0, (width - left - 12) / max(len(fills), 1))
    parts = [svg.words(left, top + 12, seen.outcome.say(lang), size=12, fill=style.INK, bold=True)]
    for j, fill in enumerate(fills):
        parts.append(svg.box(left + j * each, top + 20, each, 14, fill))
    for j, level in enumerate(levels):
        said = style.score(level, places)
        parts.append(svg.words(left + (j + 1) * each, top + 49, said, size=11, fill=style.MUTED, anchor="middle"))
    said = {"en": "dotted outline: all answers", "zh": "点线轮廓：全部回答"}[lang]
    parts.append(svg.words(left, top + 70, said, size=11.5, fill=style.MUTED))
    return parts, top + 80
