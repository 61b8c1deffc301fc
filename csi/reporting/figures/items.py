"""The questionnaire item by item: wording, how answers spread, loading with interval, mean, missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import LOADING_FLOOR, Scale, known, say, whisker
from csi.reporting.text_width import text_width

_LOADING = Text("Loading and interval", "载荷与区间")
_MEAN = Text("Mean", "均值")
_MISSING = Text("Missing", "缺失")

MISSING_CEILING = 0.05
NEAR = 26.0
"""Pixels within which the label of a tick would meet that of the floor of loadings."""


def item_table(
    frame: pl.DataFrame,
    *,
    lang: str,
    labels: Mapping[str, Text],
    finding: str = "",
    scale: tuple[float, float] = (1, 10),
    width: int = style.FULL,
) -> str:
    """One aligned row per item, grouped by construct; low loadings and more than 5 % missing in the warning colour.

    Parameters:
        frame: `construct`, `item`, `wording`, `shares` (list: fraction per answer, lowest first), `loading`,
            `conf_low`, `conf_high`, `mean`, `missing` (fraction). `wording` may be a key of `labels`.
        lang: "zh" or "en".
        labels: construct names and wordings.
        finding: the sentence read aloud.
        scale: lowest and highest answer.
        width: 1040, or 360 for two lines per item.

    Returns:
        SVG.

    Example:
        >>> data = pl.DataFrame({"construct": ["image"], "item": ["IM1"], "wording": ["Trustworthy"],
        ...     "shares": [[0.2, 0.8]], "loading": [0.8], "conf_low": [0.7], "conf_high": [0.9], "mean": [7.1],
        ...     "missing": [0.01]})
        >>> "IM1" in item_table(data, lang="en", labels={}, scale=(1, 2))
        True
    """
    rows = frame.to_dicts()
    narrow = width <= style.SHEET
    floor = min([0.5, *(r["conf_low"] for r in rows if known(r["conf_low"]))])
    low = max(int(floor * 10 + 1e-9) / 10, -0.2)
    if narrow:
        return _narrow(rows, labels, lang, finding, width, low, scale)
    codes = max((text_width(r["item"], 11.5) for r in rows), default=0)
    groups = max((text_width(say(r["construct"], labels, lang), 13, bold=True, lang=lang) for r in rows), default=0)
    code_x = min(groups, 150) + 18
    word_x = code_x + codes + 12
    widest = max((text_width(say(r["wording"], labels, lang), 13, lang=lang) for r in rows), default=0)
    bar = (min(max(330.0, word_x + widest + 18), 520.0), 650.0)
    x = Scale(low, 1, 690, 866)
    step, top = 25.0, 34.0
    y, marks, gone = top, [], ""
    for row in rows:
        y += step + (10 if gone and row["construct"] != gone else 0)
        if row["construct"] != gone:
            said = svg.shorten(say(row["construct"], labels, lang), 150, 13, bold=True, lang=lang)
            marks.append(svg.words(0, y, said, bold=True, fill=style.INK))
        gone = row["construct"]
        wording = svg.shorten(say(row["wording"], labels, lang), bar[0] - word_x - 14, 13, lang=lang)
        marks.append(svg.words(code_x, y, row["item"], size=11.5, fill=style.MUTED))
        marks.append(svg.words(word_x, y, wording))
        marks += spread_bar(row["shares"], bar[0], y - 13, bar[1] - bar[0], 17, scale)
        marks += _loading(row, x, y - 4.5, lang)
        marks += _figures(row, (width - 74, width - 2), y, scale)
    foot = y + 14
    parts = _heads(x, bar, top, foot, width, lang, scale)
    return svg.drawing(width, foot + 22, parts + marks, finding, lang)


def spread_bar(
    shares: Sequence[float] | None, x: float, y: float, width: float, height: float, scale: tuple[float, float]
) -> list[str]:
    """Answers as one stacked bar, low answers warm, high answers in the focal colour."""
    held = [s or 0.0 for s in shares or []]
    whole = sum(held)
    parts, at = [], x
    for i, part in enumerate(held):
        wide = width * part / whole if whole else 0
        if wide > 0:
            place = i / max(len(held) - 1, 1)
            fill = (
                style.shade(style.WARN, style.WARN_PALE, place / 0.35)
                if place < 0.35
                else style.shade("#e6ece8", style.FOCAL, (place - 0.35) / 0.65)
            )
            answer = scale[0] + i * (scale[1] - scale[0]) / max(len(held) - 1, 1)
            tip = f"{style.score(answer, 0)}: {style.share(part / whole)}"
            parts.append(svg.box(at, y, max(wide - 1, 0.4), height, fill, tip=tip))
        at += wide
    return parts


def _spread(scale: tuple[float, float]) -> Text:
    """What a bar of answers shows, and which of its ends is which."""
    low, high = (style.score(end, 0) for end in scale)
    return Text(f"Answers ({low} left, {high} right)", f"回答分布（左 {low}，右 {high}）")


def _heads(
    x: Scale, bar: tuple[float, float], top: float, foot: float, width: float, lang: str, scale: tuple[float, float]
) -> list[str]:
    floor = x.kept(LOADING_FLOOR)
    parts = [
        svg.words(bar[0], 16, _spread(scale).say(lang), size=12, fill=style.MUTED, bold=True),
        svg.words(x.start, 16, _LOADING.say(lang), size=12, fill=style.MUTED, bold=True),
        svg.words(width - 74, 16, _MEAN.say(lang), size=12, fill=style.MUTED, bold=True, anchor="end"),
        svg.words(width - 2, 16, _MISSING.say(lang), size=12, fill=style.MUTED, bold=True, anchor="end"),
        svg.box(x.start, top, floor - x.start, foot - top, style.WARN_PALE),
    ]
    ticks = [t / 10 for t in range(round(x.low * 10), 11) if abs(t / 10 - LOADING_FLOOR) > 0.05]
    ticks = ticks if len(ticks) < 7 else [t for t in ticks if round(t * 10) % 2 == 0]
    for tick in (t for t in ticks if abs(x(t) - floor) > NEAR):
        parts.append(svg.line((x(tick), top), (x(tick), foot), style.HAIR))
        said = style.coefficient(tick, lang, 1)
        parts.append(svg.words(x(tick), foot + 16, said, size=11, fill=style.MUTED, anchor="middle"))
    parts.append(svg.line((floor, top), (floor, foot), style.MUTED, 1, "1.5 3"))
    said = style.coefficient(LOADING_FLOOR, lang, 3)
    parts.append(svg.words(floor, foot + 16, said, size=11, fill=style.TEXT, anchor="middle"))
    return parts


def _loading(row: Mapping[str, float | None], x: Scale, y: float, lang: str) -> list[str]:
    value, low, high = row["loading"], row["conf_low"], row["conf_high"]
    if value is None or not known(value):
        return []
    colour = style.WARN if value < LOADING_FLOOR else style.FOCAL
    parts = []
    if low is not None and high is not None and known(low) and known(high):
        parts.append(whisker(x, y, low, high, colour, 1.8))
    tip = f"{style.coefficient(value, lang)} ({style.span(low, high, lang, of='coefficient')})"
    return [*parts, svg.dot(x.kept(value), y, 4.2, colour, style.PAPER, 1, tip=tip)]


def _figures(
    row: Mapping[str, float | None], edges: tuple[float, float], y: float, scale: tuple[float, float]
) -> list[str]:
    mean, missing = row["mean"], row["missing"]
    decimals = 1 if scale[1] - scale[0] >= 9 else 2
    many = missing is not None and known(missing) and missing > MISSING_CEILING
    return [
        svg.words(edges[0], y, style.score(mean, decimals), anchor="end"),
        svg.words(edges[1], y, style.share(missing), anchor="end", fill=style.WARN if many else style.TEXT, bold=many),
    ]


def _narrow(
    rows: Sequence[Mapping[str, object]],
    labels: Mapping[str, Text],
    lang: str,
    finding: str,
    width: float,
    low: float,
    scale: tuple[float, float],
) -> str:
    """Two lines per item: code, wording, mean; then the bar and the loading."""
    x, y, gone = Scale(low, 1, width - 108, width - 8), 28.0, ""
    floor_said = style.coefficient(LOADING_FLOOR, lang, 3)
    beside = Text(f"loading, line at {floor_said}", f"载荷，虚线为 {floor_said}").say(lang)
    parts = [
        svg.words(0, 26, _spread(scale).say(lang), size=11, fill=style.MUTED),
        svg.words(width, 12, f"{_MEAN.say(lang)} · {_MISSING.say(lang)}", size=11, fill=style.MUTED, anchor="end"),
        svg.words(width, 26, beside, size=11, fill=style.MUTED, anchor="end"),
    ]
    for row in rows:
        name = str(row["construct"])
        if name != gone:
            y += 28
            told = svg.shorten(say(name, labels, lang), width, 13, bold=True, lang=lang)
            parts.append(svg.words(0, y, told, bold=True, fill=style.INK))
            parts.append(svg.line((0, y + 7), (width, y + 7), style.TRACK))
            gone, y = name, y + 8
        numbers = {k: v if isinstance(v, float) else None for k, v in row.items()}
        missing = numbers["missing"]
        many = missing is not None and known(missing) and missing > MISSING_CEILING
        said = f"{style.score(numbers['mean'])} · {style.share(missing)}"
        used = text_width(said, 11.5, bold=many) + 12
        code = str(row["item"])
        begin = text_width(code, 11) + 8
        lines = svg.wrap(say(str(row["wording"]), labels, lang), width - used - begin, 12.5, lang=lang)
        y += 21
        parts.append(svg.words(0, y, code, size=11, fill=style.MUTED))
        parts += [svg.words(begin, y + 16 * i, line, size=12.5) for i, line in enumerate(lines)]
        parts.append(
            svg.words(width, y, said, size=11.5, fill=style.WARN if many else style.MUTED, bold=many, anchor="end")
        )
        y += 16 * (len(lines) - 1)
        shares = row["shares"]
        parts += spread_bar(shares if isinstance(shares, list) else [], 0, y + 7, width - 124, 11, scale)
        floor = x.kept(LOADING_FLOOR)
        parts.append(svg.line((x.start, y + 12.5), (x.end, y + 12.5), style.HAIR))
        parts.append(svg.line((floor, y + 6), (floor, y + 19), style.MUTED, 1, "1.5 2"))
        parts += _loading(numbers, x, y + 12.5, lang)
        y += 23
    return svg.drawing(width, y + 8, parts, finding, lang)
