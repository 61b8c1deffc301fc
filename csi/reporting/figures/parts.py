"""Shares of a whole as one bar per row: what fell short, what was met, what went beyond."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import Scale, known, say
from csi.reporting.text_width import text_width

FILLS = (style.WARN, style.TRACK, style.FOCAL)


def parts(
    frame: pl.DataFrame,
    *,
    lang: str,
    labels: Mapping[str, Text],
    words: Sequence[Text],
    finding: str = "",
    width: int = style.FULL,
) -> str:
    """One bar of three parts per row, percentages within, a legend above.

    Parameters:
        frame: `heading` (a label, or ""), `row`, `low`, `middle`, `high` (shares that sum to 1).
        lang: "zh" or "en". labels: names of headings and rows. words: names of the three parts.
        finding: the sentence read aloud. width: 1040, 508 or 360 (names then stand above their bars).

    Returns:
        SVG.

    Example:
        >>> data = pl.DataFrame({"heading": [""], "row": ["speed"], "low": [0.5], "middle": [0.3], "high": [0.2]})
        >>> said = [Text("less", "低于"), Text("as promised", "符合"), Text("more", "高于")]
        >>> parts(data, lang="en", labels={}, words=said).count("%</text>")
        3
    """
    rows = frame.to_dicts()
    narrow = width < style.HALF
    size = 12.5 if narrow else 13
    names = max((text_width(say(str(r["row"]), labels, lang), size, lang=lang) for r in rows), default=0)
    left = 0.0 if narrow else min(names, 0.4 * width) + 18
    x = Scale(0, 1, left, width - 4.0)
    drawn, y = _legend(words, width, lang)
    for heading in dict.fromkeys(str(r["heading"]) for r in rows):
        if heading:
            y += 27
            drawn.append(svg.words(0, y, say(heading, labels, lang), size=13.5, fill=style.INK, bold=True))
            drawn.append(svg.line((0, y + 7), (x.end, y + 7), style.TRACK))
            y += 2
        for row in (r for r in rows if str(r["heading"]) == heading):
            said = say(str(row["row"]), labels, lang)
            if narrow:
                y += 20
                drawn.append(svg.words(0, y, svg.shorten(said, width - 4, size, lang=lang), size=size, fill=style.TEXT))
                y += 6
            else:
                y += 8
                name = svg.shorten(said, left - 14, size, lang=lang)
                drawn.append(svg.words(4, y + 13, name, size=size, fill=style.TEXT))
            drawn += _bar(row, x, y, words, lang)
            y += 18
    return svg.drawing(width, y + 10, drawn, finding, lang)


def _legend(words: Sequence[Text], width: int, lang: str) -> tuple[list[str], float]:
    """The parts by name."""
    drawn, x, y = [], 0.0, 12.0
    for fill, text in zip(FILLS, words, strict=True):
        said = text.say(lang)
        need = text_width(said, 12.5, lang=lang) + 38
        if x + need > width and x > 0:
            x, y = 0.0, y + 20
        drawn.append(svg.box(x, y - 10, 14, 12, fill))
        drawn.append(svg.words(x + 20, y, said, size=12.5, fill=style.TEXT))
        x += need
    return drawn, y + 6


def _bar(row: Mapping[str, object], x: Scale, y: float, words: Sequence[Text], lang: str) -> list[str]:
    """One row."""
    shares = [row[c] for c in ("low", "middle", "high")]
    if not all(known(s) for s in shares):
        return [svg.words(x.start, y + 13, style.ABSENT, fill=style.MUTED)]
    drawn, at = [], 0.0
    for share, fill, text in zip((float(str(s)) for s in shares), FILLS, words, strict=True):
        left, right = x(at), x(at + share)
        said = style.share(share, 0)
        drawn.append(svg.box(left, y, right - left, 18, fill, tip=f"{text.say(lang)}: {style.share(share)}"))
        if right - left > text_width(said, 11.5, lang=lang) + 8:
            ink = style.readable_on(fill)
            drawn.append(svg.words((left + right) / 2, y + 13, said, size=11.5, fill=ink, anchor="middle"))
        at += share
    return drawn
