"""Attraction and satisfaction over expectation, and where both together are highest."""

from __future__ import annotations

from typing import Any

import polars as pl

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import Scale, known
from csi.reporting.text_width import text_width

NAMES = {
    "attraction": Text("chooses", "选择"),
    "satisfaction": Text("comes back", "再次购买"),
    "product": Text("both", "两者兼得"),
}
INKS = {"attraction": style.OTHERS[0], "satisfaction": style.OTHERS[1], "product": style.FOCAL}
_POINT = Text("balance", "平衡点")
_NOW = Text("expected now", "当前期望")
_FELT = Text("perceived", "感知")
_AXIS = Text("expectation (points of the scale)", "期望（量表分）")


def balance_curves(
    curves: pl.DataFrame, point: dict[str, Any], *, lang: str, finding: str = "", width: int = style.FULL
) -> str:
    """Curves with bands; the balance point with its interval, where expectation and perception stand below.

    Parameters:
        curves: `expectation`, and `attraction`, `satisfaction`, `product` with `_low` and `_high` (0 to 1).
        point: `balance`, `conf_low`, `conf_high`, `boundary`, `expected`, `perceived`; absent ones are left out.
        lang: "zh" or "en". finding: the sentence read aloud. width: 1040, 508 or 360.

    Returns:
        SVG.

    Example:
        >>> columns = {f"{c}{e}": [0.2, 0.4] for c in NAMES for e in ("", "_low", "_high")}
        >>> data = pl.DataFrame({"expectation": [1.0, 7.0], **columns})
        >>> balance_curves(data, {"balance": 5.0}, lang="en").count("<polyline")
        3
    """
    drawn = [c for c in NAMES if curves[c].null_count() == 0]
    room = max(text_width(NAMES[c].say(lang), 13, bold=True, lang=lang) for c in drawn) + 20
    E = curves["expectation"].to_list()
    height = 330.0 if width > style.HALF else 290.0
    x, y = Scale(E[0], E[-1], 44, width - room), Scale(0, 1, height - 84, 14)
    parts = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(svg.line((x.start, y(tick)), (x.end, y(tick)), style.HAIR if tick else style.FAINT))
        said = style.share(tick, 0)
        parts.append(svg.words(x.start - 8, y(tick) + 4, said, size=11.5, fill=style.MUTED, anchor="end"))
    parts += [
        svg.words(x(tick), y.start + 17, f"{tick:g}", size=11.5, fill=style.MUTED, anchor="middle")
        for tick in svg.steps(E[0], E[-1], 7)
        if E[0] <= tick <= E[-1]
    ]
    parts += _point(point, x, y, lang)
    for name in drawn:
        lows = [(x(e), y.kept(v)) for e, v in zip(E, curves[f"{name}_low"], strict=True) if known(v)]
        highs = [(x(e), y.kept(v)) for e, v in zip(E, curves[f"{name}_high"], strict=True) if known(v)]
        parts.append(svg.polygon([*lows, *reversed(highs)], INKS[name], 0.14))
    ends = svg.spread([y(curves[c][-1]) for c in drawn], 17, y.end + 4, y.start)
    for name, end in zip(drawn, ends, strict=True):
        own = name == "product"
        points = [(x(e), y.kept(v)) for e, v in zip(E, curves[name], strict=True)]
        parts.append(svg.polyline(points, INKS[name], 2.8 if own else 1.8))
        ink = INKS[name] if own else style.shade(INKS[name], style.INK, 0.25)
        parts.append(svg.words(x.end + 8, end + 4, NAMES[name].say(lang), size=13, fill=ink, bold=own))
    parts += _marks(point, x, y, lang)
    middle = (x.start + x.end) / 2
    parts.append(svg.words(middle, height - 6, _AXIS.say(lang), size=11.5, fill=style.MUTED, anchor="middle"))
    return svg.drawing(width, height, parts, finding, lang)


def _point(point: dict[str, Any], x: Scale, y: Scale, lang: str) -> list[str]:
    """The interval as a band, the balance point as a line."""
    value = point.get("balance")
    if not known(value) or point.get("boundary"):
        return []
    parts = []
    low, high = point.get("conf_low"), point.get("conf_high")
    if known(low) and known(high):
        parts.append(svg.box(x(low), y.end, x(high) - x(low), y.start - y.end, style.FOCAL_PALE, opacity=0.35))
    parts.append(svg.line((x(value), y.end), (x(value), y.start), style.FOCAL, 1.6, "4 3"))
    said = f"{_POINT.say(lang)} {style.score(value)}"
    wide = text_width(said, 12.5, bold=True, lang=lang)
    before = x(value) + 7 + wide > x.end
    at, anchor = (x(value) - 7, "end") if before else (x(value) + 7, "start")
    return [*parts, svg.words(at, y.end + 11, said, size=12.5, fill=style.FOCAL, bold=True, anchor=anchor, halo=True)]


def _marks(point: dict[str, Any], x: Scale, y: Scale, lang: str) -> list[str]:
    """Where expectation stands now and what is perceived, under the axis."""
    parts = []
    for place, (name, said, ink) in enumerate(
        (("expected", _NOW, style.OTHERS[0]), ("perceived", _FELT, style.OTHERS[1]))
    ):
        value = point.get(name)
        if not known(value):
            continue
        base = y.start + 33 + 16 * place
        parts.append(svg.triangle(x.kept(value), base - 3, 8, ink, up=True))
        words = f"{said.say(lang)} {style.score(value)}"
        before = x.kept(value) + 8 + text_width(words, 12, lang=lang) > x.end
        at, anchor = (x.kept(value) - 8, "end") if before else (x.kept(value) + 8, "start")
        parts.append(svg.words(at, base + 1, words, size=12, fill=style.TEXT, anchor=anchor))
    return parts
