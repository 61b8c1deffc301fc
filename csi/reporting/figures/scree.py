"""Eigenvalues beside those of random data: how many dimensions stand out."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import Scale, known
from csi.reporting.text_width import text_width

OBSERVED = Text("eigenvalues of the answers", "回答的特征值")
RANDOM = Text("95% quantile of random data", "随机数据的 95% 分位数")


def scree(frame: pl.DataFrame, *, lang: str, retained: int, finding: str = "", width: int = style.FULL) -> str:
    """Eigenvalues by number, those above random data in the focal colour; the line of random data beside them.

    Parameters:
        frame: `number` (from 1), `eigenvalue`, `random` (what random data reach). retained: how many stand out.
        lang: "zh" or "en". finding: the sentence read aloud. width: 1040, 508 or 360.

    Returns:
        SVG.

    Source: Horn (1965), Psychometrika 30(2), 179-185.

    Example:
        >>> data = pl.DataFrame({"number": [1, 2], "eigenvalue": [1.6, 0.4], "random": [1.1, 0.9]})
        >>> scree(data, lang="en", retained=1).count("<circle")
        3
    """
    rows = [r for r in frame.to_dicts() if known(r["eigenvalue"])]
    height = 330.0
    parts, top = _legend(width, lang)
    highest = max((float(v) for r in rows for v in (r["eigenvalue"], r["random"]) if known(v)), default=1.0)
    lowest = min((float(v) for r in rows for v in (r["eigenvalue"], r["random"]) if known(v)), default=0.0)
    ticks = svg.steps(min(lowest, 0.0), highest, 5)
    y = Scale(ticks[0], ticks[-1], height - 34, top + 18)
    x = Scale(1, max(len(rows), 2), 52, width - 16)
    for tick in ticks:
        parts.append(svg.line((40, y(tick)), (width, y(tick)), style.FAINT if tick == 0 else style.HAIR))
        said = style.score(tick, svg.places(ticks))
        parts.append(svg.words(32, y(tick) + 4, said, size=11.5, fill=style.MUTED, anchor="end"))
    for number in _numbers(len(rows), width):
        parts.append(svg.words(x(number), height - 10, str(number), size=11.5, fill=style.MUTED, anchor="middle"))
    drawn = [(x(r["number"]), y(float(r["random"]))) for r in rows if known(r["random"])]
    if len(drawn) > 1:
        parts.append(svg.polyline(drawn, style.MUTED, 1.6, "5 4"))
    points = [(x(r["number"]), y(float(r["eigenvalue"]))) for r in rows]
    if len(points) > 1:
        parts.append(svg.polyline(points, style.STEEL, 1.4))
    for row, (at, up) in zip(rows, points, strict=True):
        own = row["number"] <= retained
        tip = f"{row['number']}: {style.score(row['eigenvalue'], 2)} ({style.score(row['random'], 2)})"
        parts.append(svg.dot(at, up, 5 if own else 3.6, style.FOCAL if own else style.FAINT, style.PAPER, 1.2, tip=tip))
    return svg.drawing(width, height, parts, finding, lang)


def _numbers(count: int, width: int) -> Sequence[int]:
    step = 1 if count <= width / 26 else 5
    return [n for n in range(1, count + 1) if n == 1 or n % step == 0]


def _legend(width: int, lang: str) -> tuple[list[str], float]:
    """What dots and dashes are, under one another where there is no room."""
    first, second = OBSERVED.say(lang), RANDOM.say(lang)
    parts = [svg.dot(7, 9.5, 5, style.FOCAL, style.PAPER, 1.2), svg.words(19, 14, first, size=12)]
    x, y = 19 + text_width(first, 12, lang=lang) + 24, 14.0
    if x + 38 + text_width(second, 12, lang=lang) > width:
        x, y = 0.0, 34.0
    parts += [svg.line((x, y - 4.5), (x + 28, y - 4.5), style.MUTED, 1.6, "5 4"), svg.words(x + 36, y, second, size=12)]
    return parts, y
