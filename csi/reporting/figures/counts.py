"""Customers by how often they bought again: observed columns, the model's marks."""

from __future__ import annotations

import polars as pl

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import Scale
from csi.reporting.text_width import text_width

OBSERVED, MODEL = Text("observed", "实际"), Text("by the model", "模型")
ACROSS = Text("repeat purchases", "复购次数")


def counts(frame: pl.DataFrame, *, lang: str, finding: str = "", width: int = style.HALF) -> str:
    """A column per number of repeat purchases with its customers, and a mark where the model puts it.

    Parameters:
        frame: `x`, `actual`, `modelled`. lang: "zh" or "en". finding: the sentence read aloud. width: 508 or 360.

    Returns:
        SVG.

    Example:
        >>> data = pl.DataFrame({"x": ["0", "1+"], "actual": [60, 40], "modelled": [58.0, 42.0]})
        >>> counts(data, lang="en").count("<rect")
        3
    """
    height, foot = 240.0, 186.0
    x = Scale(-0.5, frame.height - 0.5, 4, width - 4)
    top = max(*frame["actual"].to_list(), *frame["modelled"].to_list(), 1)
    y = Scale(0, top, foot, 54)
    wide = (x(1) - x(0)) * 0.7
    parts = [svg.box(4, 10, 12, 12, style.FAINT), svg.words(22, 20, OBSERVED.say(lang), size=12, fill=style.TEXT)]
    start = 22 + text_width(OBSERVED.say(lang), 12) + 18
    parts += [svg.line((start, 16), (start + 18, 16), style.FOCAL, 3)]
    parts += [svg.words(start + 24, 20, MODEL.say(lang), size=12, fill=style.TEXT)]
    for place, (name, actual, modelled) in enumerate(frame.select("x", "actual", "modelled").iter_rows()):
        tip = f"{name}: {actual:,}; {MODEL.say(lang)} {modelled:,.0f}"
        parts.append(svg.box(x(place) - wide / 2, y(actual), wide, foot - y(actual), style.FAINT, tip=tip))
        above = min(y(actual), y(modelled)) - 6
        parts.append(svg.words(x(place), above, f"{actual:,}", size=11, fill=style.MUTED, anchor="middle"))
        parts.append(svg.line((x(place) - wide / 2, y(modelled)), (x(place) + wide / 2, y(modelled)), style.FOCAL, 3))
        parts.append(svg.words(x(place), foot + 16, name, size=12, fill=style.TEXT, anchor="middle"))
    parts.append(svg.line((x.start, foot), (x.end, foot), style.FAINT))
    parts.append(svg.words(width / 2, foot + 38, ACROSS.say(lang), size=12, fill=style.MUTED, anchor="middle"))
    return svg.drawing(width, height, parts, finding, lang)
