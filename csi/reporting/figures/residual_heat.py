"""Residual correlations as a triangle: where items go together more, or less, than the model says."""

from __future__ import annotations

import polars as pl

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import known
from csi.reporting.text_width import text_width

NEUTRAL = "#f2efe6"
FULL_COLOUR = 0.20
"""The residual correlation that gets the full colour."""
NOTABLE = 0.10
"""Residual correlations beyond it are worth a look (Kline, 2016)."""
UNDER = Text("more alike than the model says", "相关高于模型")
OVER = Text("less alike", "相关低于模型")


def residual_heat(
    frame: pl.DataFrame, *, lang: str, order: list[str], finding: str = "", width: int = style.HALF
) -> str:
    """Warm where the model says too little, cool where it says too much; beyond .10 with the number.

    Parameters:
        frame: `first`, `second`, `residual`. order: items from first to last. lang: "zh" or "en".
        finding: the sentence read aloud. width: 1040, 508 or 360.

    Returns:
        SVG.

    Example:
        >>> data = pl.DataFrame({"first": ["a"], "second": ["b"], "residual": [0.14]})
        >>> ".14" in residual_heat(data, lang="en", order=["a", "b"], width=1040)
        True
    """
    cells = {frozenset((r["first"], r["second"])): r["residual"] for r in frame.to_dicts()}
    size = 11.0 if len(order) < 20 else 10.0
    left = max((text_width(i, size) for i in order), default=0) + 8
    right = max((text_width(i, size) for i in order[-4:]), default=0) + 4
    side = min((width - left - right) / max(len(order) - 1, 1), 34.0)
    high = max(min(side, 26.0), 13.0)
    parts, top = _legend(lang), 30.0
    for i, name in enumerate(order[1:], start=1):
        y = top + high * (i - 1)
        parts.append(svg.words(left - 6, y + high / 2 + 4, name, size=size, anchor="end", fill=style.TEXT))
        for k, other in enumerate(order[:i]):
            value = cells.get(frozenset((name, other)))
            if known(value):
                parts += _cell(value, (left + side * k, y, side, high), f"{other} – {name}", lang)
        parts.append(svg.words(left + side * i + 4, y + high / 2 + 4, order[i] if i < len(order) - 1 else "", size=size,
                               fill=style.MUTED))  # fmt: skip
    return svg.drawing(width, top + high * (len(order) - 1) + 4, parts, finding, lang)


def _cell(value: float, place: tuple[float, float, float, float], pair: str, lang: str) -> list[str]:
    x, y, side, high = place
    part = min(abs(value) / FULL_COLOUR, 1.0)
    fill = style.shade(NEUTRAL, style.WARN if value > 0 else style.FOCAL, 0.9 * part)
    said = style.coefficient(value, lang)
    drawn = [svg.box(x + 0.75, y + 0.75, side - 1.5, high - 1.5, fill, radius=1.5, tip=f"{pair}: {said}")]
    if abs(value) >= NOTABLE and side >= text_width(said, 10) + 3:
        ink = style.readable_on(fill)
        drawn.append(svg.words(x + side / 2, y + high / 2 + 3.5, said, size=10, fill=ink, anchor="middle"))
    return drawn


def _legend(lang: str) -> list[str]:
    first = UNDER.say(lang)
    second = 18 + text_width(first, 12, lang=lang) + 22
    return [
        svg.box(0, 4, 12, 12, style.WARN, radius=2),
        svg.words(18, 14, first, size=12),
        svg.box(second, 4, 12, 12, style.FOCAL, radius=2),
        svg.words(second + 18, 14, OVER.say(lang), size=12),
    ]
