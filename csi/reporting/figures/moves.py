"""Moves between stages as a table of cells: a row per origin, a column per goal, each share with its interval."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import known, say
from csi.reporting.text_width import text_width

_NEUTRAL = "#f2efe6"
_TO: Text = Text("goes to", "转入")


def moves(
    frame: pl.DataFrame, *, lang: str, labels: Mapping[str, Text], finding: str = "", width: int = style.HALF
) -> str:
    """Shares of each row coloured by their size; rows with too few customers are outlined and empty.

    Parameters:
        frame: `origin`, `goal`, `share`, `conf_low`, `conf_high`, `n`; in order of appearance. lang: "zh" or "en".
        labels: names of stages. finding: the sentence read aloud. width: 1040, 508 or 360.

    Returns:
        SVG.

    Example:
        >>> data = pl.DataFrame({"origin": ["new"] * 2, "goal": ["new", "old"], "share": [0.75, 0.25], "n": [40, 40],
        ...                      "conf_low": [0.6, 0.14], "conf_high": [0.86, 0.4]})
        >>> "75%" in moves(data, lang="en", labels={})
        True
    """
    origins = frame["origin"].unique(maintain_order=True).to_list()
    goals = frame["goal"].unique(maintain_order=True).to_list()
    cells = {(r["origin"], r["goal"]): r for r in frame.to_dicts()}
    size = 11.5 if width < style.HALF else 13.0
    counts = {o: f"n = {style.count(cells[o, goals[0]]['n'])}" for o in origins}
    names = {o: say(o, labels, lang) for o in origins}
    widest = max(text_width(n, size, lang=lang) for n in (*names.values(), *counts.values()))
    left = min(widest, width * 0.38) + 12
    side, step = min((width - left) / max(len(goals), 1), 150.0), 46.0
    heads = [svg.wrap(say(goal, labels, lang), side - 6, size - 1, lang=lang, lines=3) for goal in goals]
    top = 44.0 + 15.0 * (max(len(h) for h in heads) - 1)
    parts = [svg.words(left + 2, 14, _TO.say(lang), size=11.5, fill=style.MUTED)]
    for k, head in enumerate(heads):
        for j, line in enumerate(reversed(head)):
            at = left + side * (k + 0.5), top - 10 - 15.0 * j
            parts.append(svg.words(*at, line, size=size - 1, anchor="middle"))
    for i, origin in enumerate(origins):
        y = top + step * i
        name = svg.shorten(names[origin], left - 12, size, lang=lang)
        parts.append(svg.words(left - 10, y + step / 2 - 2, name, size=size, anchor="end"))
        parts.append(svg.words(left - 10, y + step / 2 + 14, counts[origin], size=11, fill=style.MUTED, anchor="end"))
        for k, goal in enumerate(goals):
            parts += _cell(cells.get((origin, goal)), left + side * k, y, side, step, own=origin == goal, lang=lang)
    return svg.drawing(width, top + step * len(origins) + 4, parts, finding, lang)


def _cell(
    cell: Mapping[str, float] | None, x: float, y: float, side: float, step: float, *, own: bool, lang: str
) -> list[str]:
    """One share with its interval below; outlined where it is not told; those who stay in bold."""
    frame = (x + 1.5, y + 1.5, side - 3, step - 3)
    if cell is None or not known(cell["share"]):
        blank = svg.words(x + side / 2, y + step / 2 + 4, style.ABSENT, size=11, fill=style.MUTED, anchor="middle")
        return [svg.box(*frame, style.PAPER, radius=2, stroke=style.TRACK), blank]
    fill = style.shade(_NEUTRAL, style.FOCAL, 0.9 * cell["share"] ** 0.8)
    ink = style.readable_on(fill)
    low, high = cell["conf_low"], cell["conf_high"]
    said = style.span(100 * low, 100 * high, lang) if known(low) and known(high) else ""
    value = style.share(cell["share"], 0)
    size = 10.5 if side > 78 else 8.5
    small = [svg.words(x + side / 2, y + step / 2 + 14, said, size=size, fill=ink, anchor="middle")] if said else []
    middle = y + step / 2 + (-1.0 if small else 4.5)
    box = svg.box(*frame, fill, radius=2, tip=f"{value} ({said})" if said else value)
    return [box, svg.words(x + side / 2, middle, value, size=13.5, fill=ink, bold=own, anchor="middle"), *small]
