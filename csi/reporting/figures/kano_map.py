"""Kano's map: what having a feature adds to satisfaction against what lacking it takes away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import Scale, known, say
from csi.reporting.figures.routing import Box
from csi.reporting.text_width import text_width

FIELDS = (Text("attractive", "魅力"), Text("one-dimensional", "期望（一维）"),
          Text("indifferent", "无差异"), Text("must-be", "必备"))  # fmt: skip
ACROSS = Text("what lacking it takes away (−CS−)", "不具备时减少的满意（−CS−）")
UP = Text("what having it adds (CS+)", "具备时增加的满意（CS+）")
HALF = 0.5


def kano_map(
    frame: pl.DataFrame, *, lang: str, labels: Mapping[str, Text], finding: str = "", width: int = style.HALF
) -> str:
    """A dot for every attribute with both intervals as a cross; four fields by halves.

    Parameters:
        frame: `attribute`, `cs_plus`, `cs_minus` (0 to -1) with `_low`, `_high`; `sure` (False leaves the dot hollow:
            the answers do not decide the class), `category` ("R" is marked).
        lang: "zh" or "en". labels: names. finding: the sentence read aloud. width: 1040, 508 or 360.

    Returns:
        SVG.

    Source: Berger et al. (1993), Center for Quality of Management Journal 2(4).

    Example:
        >>> data = pl.DataFrame({"attribute": ["bag"], "cs_plus": [0.7], "cs_minus": [-0.2], "cs_plus_low": [0.6],
        ...     "cs_plus_high": [0.8], "cs_minus_low": [-0.3], "cs_minus_high": [-0.1], "sure": [True]})
        >>> kano_map(data, lang="en", labels={}).count("<circle")
        1
    """
    rows = [r for r in frame.to_dicts() if known(r["cs_plus"]) and known(r["cs_minus"])]
    height = min(0.9 * width, 460.0)
    x, y = Scale(0, 1, 42, width - 14), Scale(0, 1, height - 46, 22)
    size = 12.0 if width < style.HALF else 13.0
    parts = _field(x, y, lang)
    points = [(x.kept(-r["cs_minus"]), y.kept(r["cs_plus"])) for r in rows]
    longest = (0.5 if width >= style.HALF else 0.85) * (x.end - x.start)
    names = [svg.shorten(_named(r, labels, lang), longest, size, lang=lang) for r in rows]
    arms = [
        x.kept(-r["cs_minus_low"]) - a if known(r.get("cs_minus_low")) else 0.0
        for r, (a, _) in zip(rows, points, strict=True)
    ]
    for row, (a, b) in zip(rows, points, strict=True):
        parts += _cross(row, x, y, a, b)
    for row, (a, b) in zip(rows, points, strict=True):
        tip = f"{say(row['attribute'], labels, lang)}: {_pair(row, lang)}"
        fill, edge = (_ink(row), style.PAPER) if row.get("sure") is not False else (style.PAPER, style.FAINT)
        parts.append(svg.dot(a, b, 4.8, fill, edge, 1.4, tip=tip))
    for name, box in zip(names, _boxes(points, arms, names, (x, y), (size, lang)), strict=True):
        parts.append(
            svg.words(box.x, box.y + 0.35 * size, name, size=size, fill=style.TEXT, anchor="middle", halo=True)
        )
    parts.append(
        svg.words((x.start + x.end) / 2, height - 6, ACROSS.say(lang), size=12, fill=style.MUTED, anchor="middle")
    )
    parts.append(svg.words(x.start, 12, UP.say(lang), size=12, fill=style.MUTED))
    return svg.drawing(width, height, parts, finding, lang)


def _named(row: Mapping[str, object], labels: Mapping[str, Text], lang: str) -> str:
    """The attribute's name; a reverse one, for which the map has no field, says so."""
    name = say(str(row["attribute"]), labels, lang)
    return Text(f"{name} (reverse)", f"{name}（反向）").say(lang) if row.get("category") == "R" else name


def _ink(row: Mapping[str, object]) -> str:
    return style.WARN if row.get("category") == "R" else style.FOCAL


def _pair(row: Mapping[str, float], lang: str) -> str:
    return f"CS+ {style.coefficient(row['cs_plus'], lang)}, CS− {style.coefficient(row['cs_minus'], lang)}"


def _field(x: Scale, y: Scale, lang: str) -> list[str]:
    """Fields, ticks and the names of the fields."""
    parts = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        dash, ink = ("1.5 3", style.MUTED) if tick == HALF else (None, style.HAIR)
        parts.append(svg.line((x.start, y(tick)), (x.end, y(tick)), ink, 1.1, dash))
        parts.append(svg.line((x(tick), y.start), (x(tick), y.end), ink, 1.1, dash))
        said = style.coefficient(tick, lang) if tick else "0"
        parts.append(svg.words(x.start - 8, y(tick) + 4, said, size=11.5, fill=style.MUTED, anchor="end"))
        parts.append(svg.words(x(tick), y.start + 16, said, size=11.5, fill=style.MUTED, anchor="middle"))
    for text, (across, up, anchor) in zip(FIELDS, _CORNERS, strict=True):
        at = (x(across) + (8 if anchor == "start" else -8), y(up) + (16 if up else -8))
        parts.append(svg.words(*at, text.say(lang), size=12, fill=style.MUTED, bold=True, anchor=anchor))
    return parts


_CORNERS = ((0.0, 1.0, "start"), (1.0, 1.0, "end"), (0.0, 0.0, "start"), (1.0, 0.0, "end"))


def _cross(row: Mapping[str, float], x: Scale, y: Scale, a: float, b: float) -> list[str]:
    """Both intervals."""
    tone = style.shade(_ink(row) if row.get("sure") is not False else style.FAINT, style.PAPER, 0.45)
    parts = []
    if known(row.get("cs_minus_low")) and known(row.get("cs_minus_high")):
        parts.append(svg.line((x.kept(-row["cs_minus_high"]), b), (x.kept(-row["cs_minus_low"]), b), tone, 1.4))
    if known(row.get("cs_plus_low")) and known(row.get("cs_plus_high")):
        parts.append(svg.line((a, y.kept(row["cs_plus_low"])), (a, y.kept(row["cs_plus_high"])), tone, 1.4))
    return parts


def _boxes(
    points: Sequence[tuple[float, float]],
    arms: Sequence[float],
    names: Sequence[str],
    axes: tuple[Scale, Scale],
    face: tuple[float, str],
) -> list[Box]:
    """Where the names stand: beside, above or below their dots, off dots and names placed before."""
    (x, y), (size, lang) = axes, face
    dots = [Box(a, b, 6.5, 6.5) for a, b in points]
    corners = [
        Box(x(across) + (1 if anchor == "start" else -1) * (8 + w), y(up) + (12 if up else -12), w, 8)
        for text, (across, up, anchor) in zip(FIELDS, _CORNERS, strict=True)
        for w in [text_width(text.say(lang), 12, bold=True, lang=lang) / 2]
    ]
    placed: list[Box] = []
    for (a, b), arm, name in zip(points, arms, names, strict=True):
        reach = max(9.0, arm + 4)
        half, h = text_width(name, size, lang=lang) / 2, 0.55 * size
        spots = [
            (
                cost + far / 6,
                Box(_held(a, side * (half + reach + far / 2), rise, half, x), b + rise * (11 + far), half, h),
            )
            for far in (0, 6, 13, 21, 30, 40, 52)
            for cost, side, rise in ((0.0, 1, 0), (0.4, -1, 0), (0.8, 0, -1), (1.0, 0, 1), (1.2, 1, -1), (1.4, -1, 1))
        ]
        placed.append(min(spots, key=lambda s: s[0] + _cost(s[1], [*placed, *corners], dots, x, y))[1])
    return placed


def _held(a: float, aside: float, rise: int, half: float, x: Scale) -> float:
    """The middle of a name: above and below its dot it moves sideways as far as the axes ask for."""
    return min(max(a + aside, x.start + 3 + half), x.end - half) if rise and not aside else a + aside


def _cost(box: Box, names: Sequence[Box], dots: Sequence[Box], x: Scale, y: Scale) -> float:
    """What stands in a name's way."""
    beyond = max(x.start + 2 - (box.x - box.w), 0) + max(box.x + box.w - x.end, 0)
    beyond += max(y.end - (box.y - box.h), 0) + max(box.y + box.h - y.start, 0)
    hit = sum(30 + box.overlap(b) / 10 for b in names if box.overlap(b, 1))
    return hit + sum(20.0 for b in dots if box.overlap(b)) + (60 + beyond if beyond else 0)
