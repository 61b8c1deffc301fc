"""All answers from 0 to 10: who would not recommend, who is passive, who would."""

from __future__ import annotations

import polars as pl

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import Scale

GROUPS = (
    (0, 6, style.WARN, Text("detractors", "贬损者")),
    (7, 8, style.FAINT, Text("passives", "中立者")),
    (9, 10, style.FOCAL, Text("promoters", "推荐者")),
)


def answers(frame: pl.DataFrame, *, lang: str, finding: str = "", width: int = style.HALF) -> str:
    """A column per answer with its share, the three groups under brackets.

    Parameters:
        frame: `answer` (0 to 10), `share`. lang: "zh" or "en". finding: the sentence read aloud. width: 508 or 360.

    Returns:
        SVG.

    Example:
        >>> data = pl.DataFrame({"answer": range(11), "share": [0.0] * 9 + [0.4, 0.6]})
        >>> answers(data, lang="en").count("<rect")
        11
    """
    share = dict(frame.select("answer", "share").iter_rows())
    height, foot = 220.0, 160.0
    x = Scale(-0.5, 10.5, 4, width - 4)
    y = Scale(0, max(max(share.values(), default=0), 0.01), foot, 26)
    wide = (x(1) - x(0)) * 0.8
    parts = []
    for low, high, fill, text in GROUPS:
        total = sum(share.get(a, 0.0) for a in range(low, high + 1))
        for answer in range(low, high + 1):
            own = share.get(answer, 0.0)
            said = style.share(own, 0)
            parts.append(svg.box(x(answer) - wide / 2, y(own), wide, foot - y(own), fill, tip=f"{answer}: {said}"))
            parts.append(svg.words(x(answer), y(own) - 5, said, size=11, fill=style.MUTED, anchor="middle"))
            parts.append(svg.words(x(answer), foot + 16, str(answer), size=12, fill=style.TEXT, anchor="middle"))
        start, end = x(low) - wide / 2, x(high) + wide / 2
        parts.append(svg.line((start, foot + 24), (end, foot + 24), fill, 2.5))
        small = width < style.HALF
        named = [text.say(lang), style.share(total, 0)]
        for line, said in enumerate(named if small or high - low < 3 else [" ".join(named)]):
            ink = style.MUTED if fill == style.FAINT else fill
            parts.append(
                svg.words((start + end) / 2, foot + 41 + 16 * line, said, size=12, fill=ink, bold=True, anchor="middle")
            )
    parts.append(svg.line((x.start, foot), (x.end, foot), style.FAINT))
    return svg.drawing(width, height, parts, finding, lang)
