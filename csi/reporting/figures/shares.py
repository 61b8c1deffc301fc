"""Shares with intervals as bars, one small panel per group; what is largest in the focal colour."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import Scale, known, say
from csi.reporting.text_width import text_width

ROW, HEAD, GAP = 28.0, 32.0, 26.0
"""Heights of a row and of a heading, so that bars stand level with a forest beside them."""
LEAST = 0.005
"""A share below this would round to 0 %."""


def share_panels(
    frame: pl.DataFrame, *, lang: str, labels: Mapping[str, Text], finding: str = "", width: int = style.FULL
) -> str:
    """Bars of shares by panel, each with its interval, longest first.

    Parameters:
        frame: `panel` ("" for a single one), `name`, `share`, `low`, `high` (fractions of 1).
        lang: "zh" or "en". labels: names of panels and of rows; a panel's as "panel NAME" where both share a name.
        finding: the sentence read aloud. width: 1040, 508 or 360 (the narrow one stacks the panels).

    Returns:
        SVG.

    Example:
        >>> data = pl.DataFrame({"panel": ["", ""], "name": ["a", "b"], "share": [0.7, 0.3], "low": [0.6, 0.2],
        ...                      "high": [0.8, 0.4]})
        >>> share_panels(data, lang="en", labels={}).count("<rect")
        2
    """
    panels = frame["panel"].unique(maintain_order=True).to_list()
    across = 1 if width <= style.HALF else min(len(panels), 3 if width >= style.FULL else 2)
    side = (width - GAP * (across - 1)) / across
    size = 12.0 if width < style.HALF else 12.5
    shown = [say(n, labels, lang) for n in frame["name"].unique(maintain_order=True)]
    left = min(max((text_width(s, size, bold=True, lang=lang) for s in shown), default=0), side * 0.42) + 12
    ends = [float(v) for v in [*frame["high"], *frame["share"]] if known(v)]
    reach = max([0.1, *ends])
    parts: list[str] = []
    top = 0.0
    for first in range(0, len(panels), across):
        tall, beside = 0.0, panels[first : first + across]
        heads = {n: _lines(labels.get(f"panel {n}") or labels.get(n) or Text(n, n), side, lang) for n in beside}
        deep = max(map(len, heads.values()))
        for place, name in enumerate(beside):
            rows = frame.filter(pl.col("panel") == name).sort("share", descending=True, nulls_last=True)
            x = Scale(0, reach, place * (side + GAP) + left, place * (side + GAP) + side - 46)
            head = [""] * (deep - len(heads[name])) + heads[name]
            parts += _panel(rows, head, (place * (side + GAP), top, side), x, size, lang, labels)
            tall = max(tall, _above(head) + ROW * rows.height)
        top += tall + 14
    return svg.drawing(width, top, parts, finding, lang)


def _lines(name: Text, side: float, lang: str) -> list[str]:
    """A panel's name as a heading has it, in two lines where one is too short."""
    words = name.say(lang)
    return svg.wrap(words[:1].upper() + words[1:], side, 13.5, bold=True, lang=lang) if words else [""]


def _above(head: list[str]) -> float:
    """The room that a name takes above the bars."""
    return HEAD + 17.0 * (len(head) - 1) if any(head) else 6.0


def _panel(
    rows: pl.DataFrame,
    head: list[str],
    at: tuple[float, float, float],
    x: Scale,
    size: float,
    lang: str,
    labels: Mapping[str, Text],
) -> list[str]:
    """One panel: its name, then a bar per row."""
    left, top, side = at
    parts = []
    start = top + _above(head)
    for line, words in enumerate(head):
        if words:
            parts.append(svg.words(left, top + 15 + 17 * line, words, size=13.5, fill=style.INK, bold=True))
    if any(head):
        parts.append(svg.line((left, start - 10), (left + side, start - 10), style.HAIR))
    parts.append(svg.line((x.start, start - 2), (x.start, start + ROW * rows.height - 6), style.FAINT))
    for place, row in enumerate(rows.iter_rows(named=True)):
        y = start + ROW * (place + 0.5) - 3
        own = place == 0
        name = svg.shorten(say(row["name"], labels, lang), x.start - left - 10, size, bold=own, lang=lang)
        ink = style.INK if own else style.TEXT
        parts.append(svg.words(x.start - 9, y + 4.5, name, size=size, fill=ink, bold=own, anchor="end"))
        if not known(row["share"]):
            parts.append(svg.words(x.start + 8, y + 4.5, style.ABSENT, size=size, fill=style.MUTED))
            continue
        colour = style.FOCAL if own else style.OTHERS[0]
        bounds = known(row["low"]) and known(row["high"])
        span = f" ({style.share(row['low'], 0)}–{style.share(row['high'], 0)})" if bounds else ""
        tip = f"{name} {style.share(row['share'], 0)}{span}"
        parts.append(svg.box(x.start, y - 6.5, x(row["share"]) - x.start, 13, colour, opacity=0.85, tip=tip))
        if bounds:
            parts.append(svg.line((x(row["low"]), y), (x(row["high"]), y), style.INK, 1.6, tip=tip))
        edge = max(x(row["share"]), x(row["high"]) if bounds else 0.0)
        said = style.share(row["share"], 0) if row["share"] >= LEAST else f"< {style.share(2 * LEAST, 0)}"
        parts.append(svg.words(edge + 7, y + 4.5, said, size=size, fill=ink, bold=own))
    return parts
