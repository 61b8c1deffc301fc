"""Loadings of items on factors as a heat table, the intended place of each item outlined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import known, say
from csi.reporting.text_width import text_width

NEUTRAL = "#f2efe6"
SALIENT = 0.30
"""Loadings below it are printed in grey (Hair et al., 2019: .30 is the least worth a look)."""


def factor_heat(
    frame: pl.DataFrame, *, lang: str, labels: Mapping[str, Text], finding: str = "", width: int = style.FULL
) -> str:
    """Rows are items under their constructs, columns factors; an outline stands where the item was meant to load.

    Parameters:
        frame: `construct`, `item`, `wording`, `factor`, `loading`, `intended` (whether the factor is the construct's).
        lang: "zh" or "en". labels: names of constructs, wordings and factors. finding: the sentence read aloud.
        width: 1040, 508 or 360 (then without wordings).

    Returns:
        SVG.

    Example:
        >>> data = pl.DataFrame({"construct": ["trust"], "item": ["t1"], "wording": ["Fair"], "factor": ["F1"],
        ...                      "loading": [0.71], "intended": [True]})
        >>> ".71" in factor_heat(data, lang="en", labels={})
        True
    """
    factors = frame["factor"].unique(maintain_order=True).to_list()
    items = frame.select("construct", "item", "wording").unique(maintain_order=True).to_dicts()
    cells = {(r["item"], r["factor"]): r for r in frame.to_dicts()}
    narrow = width < style.HALF
    codes = max((text_width(r["item"], 11.5) for r in items), default=0) + 10
    worded = (
        0 if narrow else max((text_width(say(r["wording"], labels, lang), 12.5, lang=lang) for r in items), default=0)
    )
    named = max((text_width(say(r["construct"], labels, lang), 13, bold=True, lang=lang) for r in items), default=0)
    side = min(84.0, (width - codes - min(worded, 180)) / max(len(factors), 1))
    left = min(width - side * len(factors), max(codes + worded, named) + 16)
    names = [say(f, labels, lang) for f in factors]
    parts, top = _heads(names, left, side, lang)
    y, gone = top + 6, None
    for row in items:
        if row["construct"] != gone:
            gone = row["construct"]
            name = svg.shorten(say(gone, labels, lang), width, 13, bold=True, lang=lang)
            parts.append(svg.words(0, y + 19, name, size=13, fill=style.INK, bold=True))
            parts.append(svg.line((0, y + 25), (left + side * len(factors), y + 25), style.TRACK))
            y += 28
        parts.append(svg.words(0, y + 16, row["item"], size=11.5, fill=style.MUTED))
        if not narrow:
            said = svg.shorten(say(row["wording"], labels, lang), left - codes - 12, 12.5, lang=lang)
            parts.append(svg.words(codes, y + 16, said, size=12.5))
        for k, factor in enumerate(factors):
            parts += _cell(cells.get((row["item"], factor)), left + side * k, y, side, lang)
        y += 24
    return svg.drawing(width, y + 4, parts, finding, lang)


def _heads(names: Sequence[str], left: float, side: float, lang: str) -> tuple[list[str], float]:
    """The factors over their columns, and the height that takes; read upwards where a word is wider than a column."""
    heads = [svg.wrap(name, side - 4, 11, lang=lang) for name in names]
    if any(piece.endswith("…") for pieces in heads for piece in pieces):
        said = [svg.shorten(name, 150, 11, lang=lang) for name in names]
        top = max(text_width(one, 11, lang=lang) for one in said) + 4
        return [
            svg.upwards(left + side * (k + 0.5) + 4, top, one, size=11, fill=style.MUTED) for k, one in enumerate(said)
        ], top
    top = 13.0 * max((len(h) for h in heads), default=1)
    return [
        svg.words(left + side * (k + 0.5), top - 13 * (len(pieces) - 1 - j), piece, size=11, fill=style.MUTED,
                  anchor="middle")
        for k, pieces in enumerate(heads) for j, piece in enumerate(pieces)
    ], top  # fmt: skip


def _cell(row: Mapping[str, float] | None, x: float, y: float, side: float, lang: str) -> list[str]:
    if row is None or not known(row["loading"]):
        return []
    value = row["loading"]
    salient = abs(value) >= SALIENT
    colour = style.FOCAL if value >= 0 else style.WARN
    fill = style.shade(NEUTRAL, colour, 0.9 * min(abs(value), 1.0)) if salient else style.PAPER
    ink = style.readable_on(fill) if salient else style.MUTED
    edge = style.INK if row["intended"] else None
    return [
        svg.box(x + 1.5, y + 1.5, side - 3, 21, fill, radius=2, stroke=edge),
        svg.words(x + side / 2, y + 16, style.coefficient(value, lang), size=11.5, fill=ink, bold=salient,
                  anchor="middle"),
    ]  # fmt: skip
