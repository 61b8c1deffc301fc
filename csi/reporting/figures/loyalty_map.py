"""Dick and Basu's map of loyalty: attitude up, patronage across, the share of customers in each field."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import known, say

SIDES = {"high": Text("high", "高"), "low": Text("low", "低")}
GAP = 6.0


def loyalty_map(
    frame: pl.DataFrame,
    *,
    lang: str,
    labels: Mapping[str, Text],
    attitude: Text,
    patronage: Text,
    finding: str = "",
    width: int = style.HALF,
) -> str:
    """Four fields of equal size, darker where more customers are, each with its share and interval.

    Parameters:
        frame: `type`, `attitude`, `patronage` ("high" or "low"), `share`, `conf_low`, `conf_high`, `count`.
        lang: "zh" or "en". labels: names of the types. attitude, patronage: what the axes are scores of.
        finding: the sentence read aloud. width: 508 or 360.

    Returns:
        SVG.

    Source: Dick & Basu (1994), J. of the Academy of Marketing Science 22(2), 99-113.

    Example:
        >>> data = pl.DataFrame({"type": ["loyalty"], "attitude": ["high"], "patronage": ["high"], "share": [0.7],
        ...                      "conf_low": [0.6], "conf_high": [0.8], "count": [70]})
        >>> loyalty_map(data, lang="en", labels={}, attitude=Text("A", "甲"), patronage=Text("B", "乙")).count("<rect")
        1
    """
    left, top = 58.0, 8.0
    wide, tall = (width - left - GAP) / 2, 104.0
    across, up = {"low": left, "high": left + wide + GAP}, {"high": top, "low": top + tall + GAP}
    most = max([0.01, *(float(v) for v in frame["share"] if known(v))])
    parts = []
    for row in frame.iter_rows(named=True):
        corner = (across[row["patronage"]], up[row["attitude"]])
        parts += _tile(row, corner, (wide, tall), most, lang, labels)
    foot = top + 2 * tall + GAP
    for side, text in SIDES.items():
        parts.append(
            svg.words(across[side] + wide / 2, foot + 18, text.say(lang), size=12, fill=style.MUTED, anchor="middle")
        )
        middle = up[side] + tall / 2
        parts.append(svg.words(left - 9, middle + 4, text.say(lang), size=12, fill=style.MUTED, anchor="end"))
    named = svg.shorten(patronage.say(lang), 2 * wide, 12.5, lang=lang)
    parts.append(svg.words(left + wide + GAP / 2, foot + 37, named, size=12.5, anchor="middle"))
    turned = svg.shorten(attitude.say(lang), 2 * tall, 12.5, lang=lang)
    place = f"translate(13 {svg.number(top + tall + GAP / 2)}) rotate(-90)"
    face: dict[str, str | float | None] = {"x": 0, "y": 0, "font_size": 12.5, "fill": style.TEXT}
    parts.append(svg.element("text", svg.clean(turned), **face, text_anchor="middle", transform=place))
    return svg.drawing(width, foot + 46, parts, finding, lang)


def _tile(
    row: Mapping[str, object],
    corner: tuple[float, float],
    size: tuple[float, float],
    most: float,
    lang: str,
    labels: Mapping[str, Text],
) -> list[str]:
    """One field: the type, its share, the interval."""
    x, y = corner
    wide, tall = size
    share = row["share"]
    part = float(share) / most if known(share) else 0.0
    fill = style.shade("#eef2ee", style.FOCAL, part)
    ink = style.readable_on(fill)
    name = svg.shorten(say(str(row["type"]), labels, lang), wide - 26, 13.5, bold=True, lang=lang)
    name = name[:1].upper() + name[1:]
    said = style.share(float(share)) if known(share) else style.ABSENT
    parts = [
        svg.box(x, y, wide, tall, fill, radius=3, tip=f"{name} {said}"),
        svg.words(x + 13, y + 25, name, size=13.5, fill=ink, bold=True),
        svg.words(x + 13, y + 64, said, size=27, fill=ink, bold=True),
    ]
    low, high = row["conf_low"], row["conf_high"]
    if known(low) and known(high):
        span = f"{style.share(float(low)).removesuffix('%')}–{style.share(float(high))}"
        parts.append(svg.words(x + 13, y + 87, span, size=12, fill=ink))
    return parts
