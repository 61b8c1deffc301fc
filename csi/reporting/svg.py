"""Writing SVG: one function per shape, attributes on each element, text escaped, numbers in fixed decimals.

No classes, ids, scripts, `pathLength` or overflow, so that the same string draws in a browser, a PDF writer and Word.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from html import escape
from itertools import pairwise

from csi.reporting import style
from csi.reporting.text_width import text_width
from csi.reporting.undirected import undirected

Point = tuple[float, float]
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f]")


def number(value: float) -> str:
    """A coordinate: two decimals, trailing zeros dropped, never "-0".

    Example:
        >>> number(1.5), number(-0.0004), number(3)
        ('1.5', '0', '3')
    """
    digits = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if digits in ("-0", "") else digits


@lru_cache(maxsize=4096)
def clean(content: str) -> str:
    """Escaped text without the control characters XML forbids and marks that turn the writing.

    Example:
        >>> clean("<b>&")
        '&lt;b&gt;&amp;'
    """
    return escape(_CONTROLS.sub("", undirected(content)), quote=True)


def element(tag: str, content: str = "", **attributes: str | float | None) -> str:
    """One element; `_` in attribute names becomes `-`, None leaves the attribute out. `content` is markup.

    Example:
        >>> element("line", x1=0, y1=1.25, stroke_width=2)
        '<line x1="0" y1="1.25" stroke-width="2"/>'
    """
    written = "".join(
        f' {_attribute(name)}="{clean(value) if isinstance(value, str) else number(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    return f"<{tag}{written}>{content}</{tag}>" if content else f"<{tag}{written}/>"


@lru_cache(maxsize=256)
def _attribute(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def drawing(width: float, height: float, parts: Iterable[str], label: str, lang: str) -> str:
    """The root element: a picture with an accessible sentence.

    Example:
        >>> drawing(10, 5, [], "Nothing", "en")[:52]
        '<svg xmlns="http://www.w3.org/2000/svg" width="10" h'
    """
    return element(
        "svg",
        "".join(parts) or " ",
        xmlns="http://www.w3.org/2000/svg",
        width=width,
        height=height,
        viewBox=f"0 0 {number(width)} {number(height)}",
        role="img",
        aria_label=label,
        lang="zh-CN" if lang == "zh" else "en",
        font_family=style.SANS,
    )


def title(content: str) -> str:
    """A tooltip that needs no script."""
    return element("title", clean(content)) if content else ""


def words(
    x: float,
    y: float,
    content: str,
    *,
    size: float = 13,
    fill: str = style.TEXT,
    bold: bool = False,
    anchor: str = "start",
    halo: bool = False,
    serif: bool = False,
) -> str:
    """One line of text at its baseline. `halo` clears the lines behind it in the colour of the paper.

    Example:
        >>> words(1, 2, "a<b")
        '<text x="1" y="2" font-size="13" fill="#33393d">a&lt;b</text>'
    """
    face: dict[str, str | float | None] = {
        "x": x,
        "y": y,
        "font_size": size,
        "font_weight": "700" if bold else None,
        "text_anchor": None if anchor == "start" else anchor,
        "font_family": style.SERIF if serif else None,
    }
    if not content:
        return ""
    behind = ""
    if halo:
        edge: dict[str, str | float | None] = {"stroke": style.PAPER, "stroke_width": 4, "stroke_linejoin": "round"}
        behind = element("text", clean(content), **face, fill=style.PAPER, **edge)
    return behind + element("text", clean(content), **face, fill=fill)


def upwards(x: float, y: float, content: str, *, size: float, fill: str = style.TEXT, bold: bool = False) -> str:
    """Words that begin at (x, y) and run upwards.

    Example:
        >>> upwards(1, 2, "up", size=9)
        '<text x="0" y="0" font-size="9" fill="#33393d" transform="translate(1 2) rotate(-90)">up</text>'
    """
    way, weight = f"translate({number(x)} {number(y)}) rotate(-90)", "700" if bold else None
    return element("text", clean(content), x=0, y=0, font_size=size, font_weight=weight, fill=fill, transform=way)


def line(
    start: Point, end: Point, stroke: str = style.HAIR, width: float = 1, dash: str | None = None, tip: str = ""
) -> str:
    """A straight line."""
    return element(
        "line",
        title(tip),
        x1=start[0],
        y1=start[1],
        x2=end[0],
        y2=end[1],
        stroke=stroke,
        stroke_width=width,
        stroke_dasharray=dash,
    )


def polyline(points: Sequence[Point], stroke: str, width: float = 1.5, dash: str | None = None) -> str:
    """An open line through points."""
    drawn = " ".join(f"{number(x)},{number(y)}" for x, y in points)
    return element(
        "polyline",
        points=drawn,
        fill="none",
        stroke=stroke,
        stroke_width=width,
        stroke_dasharray=dash,
        stroke_linejoin="round",
        stroke_linecap="round" if dash is None else None,
    )


def polygon(points: Sequence[Point], fill: str, opacity: float | None = None, tip: str = "") -> str:
    """A filled shape."""
    drawn = " ".join(f"{number(x)},{number(y)}" for x, y in points)
    return element("polygon", title(tip), points=drawn, fill=fill, fill_opacity=opacity)


def dot(
    x: float, y: float, radius: float, fill: str, stroke: str | None = None, width: float = 1.5, tip: str = ""
) -> str:
    """A filled circle."""
    edge = width if stroke else None
    return element("circle", title(tip), cx=x, cy=y, r=radius, fill=fill, stroke=stroke, stroke_width=edge)


def box(
    x: float,
    y: float,
    width: float,
    height: float,
    fill: str,
    *,
    radius: float | None = None,
    stroke: str | None = None,
    opacity: float | None = None,
    tip: str = "",
) -> str:
    """A rectangle."""
    return element(
        "rect",
        title(tip),
        x=x,
        y=y,
        width=max(width, 0),
        height=max(height, 0),
        rx=radius,
        fill=fill,
        fill_opacity=opacity,
        stroke=stroke,
        stroke_width=1 if stroke else None,
    )


def triangle(x: float, y: float, size: float, fill: str, *, up: bool) -> str:
    """A small arrow of change, centred at (x, y)."""
    half = size / 2
    tip = -half if up else half
    return polygon([(x - half, y - tip), (x + half, y - tip), (x, y + tip)], fill)


def wrap(content: str, limit: float, size: float, *, bold: bool = False, lang: str = "en", lines: int = 2) -> list[str]:
    """Break text into at most `lines` lines no wider than `limit`; the last is cut with an ellipsis when it must be.

    Example:
        >>> wrap("Perceived quality", 80, 13)
        ['Perceived', 'quality']
    """
    pieces = content.split(" ") if " " in content and lang != "zh" else _han_pieces(content)
    glue = " " if " " in content and lang != "zh" else ""
    rows = [pieces[0]]
    for piece in pieces[1:]:
        longer = f"{rows[-1]}{glue}{piece}"
        if text_width(longer, size, bold=bold, lang=lang) <= limit:
            rows[-1] = longer
        elif len(rows) < lines:
            rows.append(piece)
        else:
            rows[-1] = longer
    return [shorten(row.strip(), limit, size, bold=bold, lang=lang) for row in rows]


def named(
    x: float,
    y: float,
    content: str,
    limit: float,
    size: float,
    lang: str,
    *,
    fill: str = style.TEXT,
    anchor: str = "start",
) -> list[str]:
    """The name of a row about the height `y`: on one line where `limit` holds it, else on two; for rows of 27 units.

    Example:
        >>> [len(named(0, 9, "Perceived quality", room, 12.5, "en")) for room in (200, 80)]
        [1, 2]
    """
    rows = wrap(content, limit, size, lang=lang)
    first = y + 4.5 - 0.52 * size * (len(rows) - 1)
    return [words(x, first + 1.04 * size * i, row, size=size, fill=fill, anchor=anchor) for i, row in enumerate(rows)]


def shorten(content: str, limit: float, size: float, *, bold: bool = False, lang: str = "en") -> str:
    """The text, cut with an ellipsis when it is wider than `limit`.

    Example:
        >>> shorten("Satisfaction", 40, 13)
        'Sati…'
    """
    if text_width(content, size, bold=bold, lang=lang) <= limit + 0.01:
        return content
    for end in range(len(content) - 1, 0, -1):
        cut = content[:end].rstrip() + "…"
        if text_width(cut, size, bold=bold, lang=lang) <= limit:
            return cut
    return "…"


def on_paper(drawn: str) -> str:
    """A drawing with its own paper behind it, for pages that are dark or are made dark by a browser.

    Example:
        >>> on_paper('<svg width="9">x</svg>')
        '<svg width="9"><rect width="100%" height="100%" fill="#fcfbf7"/>x</svg>'
    """
    return drawn.replace(">", f'><rect width="100%" height="100%" fill="{style.PAPER}"/>', 1)


def svg_html(svg: str) -> str:
    """A figure for a notebook cell: the SVG on its own paper, in a block that scales with the page.

    Example:
        >>> svg_html("<svg></svg>")[-29:]
        ' fill="#fcfbf7"/></svg></div>'
    """
    return f'<div style="max-width:100%;overflow-x:auto">{on_paper(svg)}</div>'


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Positions near `wanted` (any order) at least `gap` apart, inside [low, high] when they fit.

    Example:
        >>> spread([10, 11, 30], 5, 0, 40)
        [8.0, 13.0, 30.0]
    """
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], i))
    groups: list[tuple[float, list[int]]] = []
    for i in order:
        groups.append((min(max(wanted[i], low), high), [i]))
        while len(groups) > 1 and _reach(groups[-2], gap, 1) + gap > _reach(groups[-1], gap, -1) + 1e-9:
            (first, many), (second, more) = groups[-2], groups[-1]
            centre = (first * len(many) + second * len(more)) / (len(many) + len(more))
            half = gap * (len(many) + len(more) - 1) / 2
            centre = min(max(centre, low + half), max(high - half, low + half))
            groups[-2:] = [(centre, many + more)]
    placed = [0.0] * len(wanted)
    for centre, members in groups:
        for k, i in enumerate(members):
            placed[i] = centre + gap * (k - (len(members) - 1) / 2)
    return placed


def steps(low: float, high: float, count: int = 5) -> list[float]:
    """Round tick values covering [low, high].

    Example:
        >>> steps(64.2, 79)
        [64.0, 68.0, 72.0, 76.0, 80.0]
    """
    reach = max(high - low, 1e-9)
    raw = reach / max(count - 1, 1)
    power = 1.0
    while power > raw:
        power /= 10
    while power * 10 <= raw:
        power *= 10
    size = min((m * power for m in (1, 2, 2.5, 4, 5, 10)), key=lambda s: (abs(reach / s - (count - 1)), s))
    first = math.floor(low / size + 1e-9)
    ticks = [first * size]
    while ticks[-1] < high - 1e-9:
        ticks.append(ticks[-1] + size)
    return [round(t, 10) for t in ticks]


def places(ticks: Sequence[float]) -> int:
    """Decimals that tell the ticks apart: one, or two where they are finer.

    Example:
        >>> places([0, 0.2, 0.4]), places([0, 0.25, 0.5])
        (1, 2)
    """
    return 1 if all(abs(10 * t - round(10 * t)) < 1e-9 for t in ticks) else 2


def _reach(group: tuple[float, list[int]], gap: float, side: int) -> float:
    return group[0] + side * gap * (len(group[1]) - 1) / 2


CLOSING, OPENING = "）】」』》〉”’。，、；：！？)]", "（【「『《〈“‘(["
"""Marks that never begin a line, and marks that never end one."""


def _han_pieces(content: str) -> list[str]:
    """Han characters singly, runs of other characters whole; a closing mark stays with what it closes.

    Example:
        >>> _han_pieces("有用性（绩效）")
        ['有', '用', '性', '（绩', '效）']
    """
    cuts = [0]
    for place, (before, after) in enumerate(pairwise(content), start=1):
        if (before > "\u2e7f" or after > "\u2e7f") and after not in CLOSING and before not in OPENING:
            cuts.append(place)
    return [content[a:b] for a, b in pairwise([*cuts, len(content)])] or [""]
