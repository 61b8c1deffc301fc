"""Brands in order, each with its interval, and which of them do not differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import Scale, known, say, whisker
from csi.reporting.text_width import text_width

_MEAN = Text("mean", "均值")
_SAME = Text("not significantly different", "差异不显著")
_FEW = Text("too few", "样本不足")


def league(
    frame: pl.DataFrame,
    *,
    lang: str,
    labels: Mapping[str, Text],
    focal: str,
    finding: str = "",
    mean: float | None = None,
    same: Sequence[Sequence[str]] = (),
    width: int = style.FULL,
) -> str:
    """Dots with whiskers from best to worst, a line at the sector's mean, brackets round brands that do not differ.

    Parameters:
        frame: `brand`, `index`, `conf_low`, `conf_high` (0-100), optionally `index_reason`, what is
            said where the index is absent.
        lang: "zh" or "en".
        labels: brand names.
        focal: the brand in the focal colour.
        finding: the sentence read aloud.
        mean: the sector's index.
        same: groups of brands whose pairwise differences are all within sampling error.
        width: 1040, 508 or 360.

    Returns:
        SVG.

    Example:
        >>> data = pl.DataFrame({"brand": ["A", "B"], "index": [70.0, 72.0], "conf_low": [69.0, 71.0],
        ...                      "conf_high": [71.0, 73.0]})
        >>> league(data, lang="en", labels={}, focal="A", mean=71.0).count("<circle")
        2
    """
    rows = frame.sort("index", descending=True, nulls_last=True).to_dicts()
    size = 13.0
    names = max((text_width(say(r["brand"], labels, lang), size, bold=True, lang=lang) for r in rows), default=0)
    left = min(names, 0.34 * width if width <= style.HALF else 240) + 14
    step, top = 30.0, 34.0
    brackets = _brackets(same, [r["brand"] for r in rows if known(r["index"])])
    value_room, bracket_room, named = _rooms(brackets, width - left, lang, wide=width >= style.HALF)
    ends = [v for r in rows for v in (r["conf_low"], r["conf_high"], r["index"], mean) if known(v)]
    ticks = svg.steps(
        max(min(ends, default=0) - 0.5, 0), min(max(ends, default=100) + 0.5, 100), 5 if width > style.HALF else 4
    )
    x = Scale(ticks[0], ticks[-1], left, width - value_room - bracket_room)
    height = top + step * len(rows) + 26
    foot = height - 24
    parts, decimals = [], 0 if all(tick == int(tick) for tick in ticks) else 1
    for tick in ticks:
        parts.append(svg.line((x(tick), top - 6), (x(tick), foot), style.HAIR))
        said = style.score(tick, decimals)
        parts.append(svg.words(x(tick), foot + 17, said, size=11.5, fill=style.MUTED, anchor="middle"))
    if mean is not None and known(mean):
        parts.append(svg.line((x(mean), top - 10), (x(mean), foot), style.MUTED, 1.2, "1.5 3"))
        said = f"{_MEAN.say(lang)} {style.score(mean)}"
        parts.append(svg.words(x(mean), top - 16, said, size=11.5, fill=style.MUTED, anchor="middle"))
    for i, row in enumerate(rows):
        parts += _row(row, top + step * (i + 0.5), x, labels, focal, lang, width - bracket_room, left)
    parts += _bracket_marks(brackets, top, step, width - bracket_room, lang if named else "")
    return svg.drawing(width, height, parts, finding, lang)


def _row(
    row: Mapping[str, object],
    y: float,
    x: Scale,
    labels: Mapping[str, Text],
    focal: str,
    lang: str,
    right: float,
    left: float,
) -> list[str]:
    own = row["brand"] == focal
    colour = style.FOCAL if own else style.STEEL
    name = svg.shorten(say(str(row["brand"]), labels, lang), left - 14, 13, bold=own, lang=lang)
    parts = [svg.words(0, y + 4.5, name, size=13, fill=style.FOCAL if own else style.TEXT, bold=own)]
    value, low, high = (row[k] if isinstance(row[k], float) else None for k in ("index", "conf_low", "conf_high"))
    if not isinstance(value, float) or not known(value):
        said = say(str(row.get("index_reason") or _FEW.say(lang)), labels, lang)
        return [*parts, svg.words(x.start + 6, y + 4, said, size=11.5, fill=style.MUTED, halo=True)]
    interval = style.span(low if isinstance(low, float) else None, high if isinstance(high, float) else None)
    if isinstance(low, float) and isinstance(high, float) and interval:
        parts.append(whisker(x, y, low, high, colour, 2.4 if own else 1.8))
    parts.append(
        svg.dot(
            x(value), y, 5 if own else 4.2, colour, style.PAPER, 1.2, tip=f"{name} {style.score(value)} ({interval})"
        )
    )
    at = x.end + 18
    parts.append(svg.words(at, y + 4.5, style.score(value), size=13.5, fill=colour, bold=True))
    if interval and right - at > 90:
        parts.append(svg.words(at + 36, y + 4.5, interval, size=11, fill=style.MUTED))
    return parts


def _rooms(
    brackets: Sequence[tuple[int, int, int]], room: float, lang: str, *, wide: bool
) -> tuple[float, float, bool]:
    """Room for values and for brackets, and whether the brackets are named; the whiskers keep at least 170 units."""
    lanes = 16.0 * (1 + max((lane for _, _, lane in brackets), default=-1))
    said = text_width(_SAME.say(lang), 11.5, lang=lang) + 8 if brackets else 0.0
    if wide and room - 116 - lanes - said >= 170:
        return 116.0, lanes + said, bool(brackets)
    if wide and room - 116 - lanes >= 170:
        return 116.0, lanes, False
    return 56.0, lanes, False


def _brackets(same: Sequence[Sequence[str]], order: list[str]) -> list[tuple[int, int, int]]:
    """First row, last row and lane of each group of at least two brands; groups inside another are dropped."""
    spans = []
    for group in same:
        places = sorted(order.index(b) for b in group if b in order)
        if len(places) > 1:
            spans.append((places[0], places[-1]))
    kept = [s for s in sorted(set(spans)) if not any(o != s and o[0] <= s[0] and s[1] <= o[1] for o in spans)]
    lanes: list[int] = []
    found = []
    for first, last in kept:
        lane = next((k for k, end in enumerate(lanes) if end < first), len(lanes))
        lanes[lane : lane + 1] = [last]
        found.append((first, last, lane))
    return found


def _bracket_marks(
    brackets: Sequence[tuple[int, int, int]], top: float, step: float, left: float, lang: str
) -> list[str]:
    parts = []
    for first, last, lane in brackets:
        x = left + 8 + 16 * lane
        upper, lower = top + step * (first + 0.2), top + step * (last + 0.8)
        parts.append(svg.polyline([(x - 5, upper), (x, upper), (x, lower), (x - 5, lower)], style.MUTED, 1.2))
    if brackets and lang:
        middle = top + step * (min(b[0] for b in brackets) + max(b[1] for b in brackets) + 1) / 2
        x = left + 8 + 16 * max(lane for _, _, lane in brackets) + 8
        parts.append(svg.words(x, middle + 4, _SAME.say(lang), size=11.5, fill=style.MUTED))
    return parts
