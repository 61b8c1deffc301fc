"""What to do about each attribute: its respondents split by action, the advised one marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import known, say
from csi.reporting.text_width import text_width

ROW = 32.0
_NEUTRAL = "#f2efe6"


def action_matrix(
    frame: pl.DataFrame,
    columns: Sequence[str],
    *,
    lang: str,
    labels: Mapping[str, Text],
    finding: str = "",
    width: int = style.FULL,
) -> str:
    """A row per attribute, a column per action: the share of respondents in each, the advised action outlined.

    Parameters:
        frame: `attribute`, `action`, `share`, `advised` (whether this is the advice). columns: actions, left to right.
        lang: "zh" or "en". labels: names of attributes and actions. finding: the sentence read aloud.
        width: 1040, 508 or 360.

    Returns:
        SVG.

    Example:
        >>> data = pl.DataFrame({"attribute": ["a"], "action": ["meet"], "share": [0.7], "advised": [True]})
        >>> "70%" in action_matrix(data, ["meet"], lang="en", labels={})
        True
    """
    rows = frame["attribute"].unique(maintain_order=True).to_list()
    cells = {(r["attribute"], r["action"]): r for r in frame.to_dicts()}
    size = 11.5 if width < style.HALF else 13.0
    names = max((text_width(say(r, labels, lang), size, lang=lang) for r in rows), default=0)
    left = min(names, width * (0.36 if width < style.HALF else 0.30)) + 14
    side = min((width - left) / len(columns), 210.0)
    heads = [svg.wrap(say(c, labels, lang), side - 8, size - 0.5, lang=lang, lines=3) for c in columns]
    top = 14.0 + 14 * max(len(h) for h in heads)
    parts = []
    for j, head in enumerate(heads):
        for i, piece in enumerate(head):
            base = top - 10 - 14 * (len(head) - 1 - i)
            middle = left + side * (j + 0.5)
            parts.append(svg.words(middle, base, piece, size=size - 0.5, fill=style.MUTED, anchor="middle"))
    for i, row in enumerate(rows):
        y = top + ROW * i
        name = say(row, labels, lang)
        parts += svg.named(left - 12, y + ROW / 2, name, left - 13, size, lang, anchor="end")
        for j, column in enumerate(columns):
            parts += _cell(cells.get((row, column)), left + side * j, y, side, last=column == columns[-1])
    return svg.drawing(width, top + ROW * len(rows) + 4, parts, finding, lang)


def _cell(cell: Mapping[str, object] | None, x: float, y: float, side: float, *, last: bool) -> list[str]:
    """One share, darker where it is larger."""
    share = None if cell is None else cell["share"]
    frame = (x + 2, y + 2, side - 4, ROW - 4)
    if cell is None or not known(share):
        return [svg.box(*frame, style.PAPER, radius=2, stroke=style.HAIR)]
    pole = style.WARN if last else style.FOCAL
    fill = style.shade(_NEUTRAL, pole, 0.75 * share)
    advised = bool(cell["advised"])
    ink = style.readable_on(fill)
    said = style.share(share, 0)
    edge = style.INK if advised else None
    middle = x + side / 2
    return [
        svg.box(*frame, fill, radius=2, stroke=edge),
        svg.words(middle, y + ROW / 2 + 4.5, said, size=13, fill=ink, bold=advised, anchor="middle"),
    ]
