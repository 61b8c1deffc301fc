"""Values with their intervals, one row each, under headings: effects, estimators side by side, rival models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import Scale, known, say, whisker
from csi.reporting.text_width import text_width

Row = Mapping[str, float | str | bool | None]

KEPT = "zh"
"""The language whose numbers keep the zero before the point."""
SHAPES = ("dot", "ring", "square", "diamond", "triangle")
"""Marks of the series: the first is filled in the focal colour."""


def forest(
    frame: pl.DataFrame,
    *,
    lang: str,
    labels: Mapping[str, Text],
    series: Mapping[str, Text],
    finding: str = "",
    width: int = style.FULL,
    zero: bool = True,
    bounded: bool = True,
) -> str:
    """Rows under headings: the first series with its interval and number, the others as lighter marks.

    Parameters:
        frame: `heading`, `row`, `value_KEY` of each series; optionally `conf_low`, `conf_high` of the first,
            `significant` (a hollow mark where false) and `differs` (number and name in the warning colour).
        lang: "zh" or "en". labels: names of headings and rows. series: key -> name; a legend stands where there are
            several. finding: the sentence read aloud. width: 1040, 508 or 360 (long names then stand above their rows).
            zero: whether the axis begins at zero where nothing lies below it. bounded: whether the values cannot pass
            1, which English sets without the zero before the point.

    Returns:
        SVG.

    Example:
        >>> data = pl.DataFrame({"heading": ["joy"], "row": ["use"], "value_a": [0.4], "value_b": [0.5],
        ...                      "conf_low": [0.2], "conf_high": [0.6]})
        >>> two = {"a": Text("PLS", "PLS"), "b": Text("SEM", "SEM")}
        >>> forest(data, lang="en", labels={}, series=two).count("<circle")
        4
    """
    rows, keys, digits = frame.to_dicts(), list(series), lang if bounded else KEPT
    size = 12.5 if width < style.HALF else 13
    shown = {r["row"]: say(str(r["row"]), labels, lang) for r in rows}
    names = max((text_width(t, size, lang=lang) for t in shown.values()), default=0)
    stacked = width < style.HALF and names > 0.36 * width
    ticks = _ticks(rows, keys, zero=zero)
    edge = text_width(style.coefficient(ticks[0], digits, svg.places(ticks)), 11.5) / 2 + 1
    left = max(10.0, edge) if stacked else min(names, 0.44 * width) + (26 if width >= style.HALF else 16)
    x = Scale(ticks[0], ticks[-1], left, width - 62)
    headed = bool(rows) and bool(rows[0]["heading"])
    parts, y = _legend(series, width, lang) if len(keys) > 1 else ([], -11.0 if headed else 4.0)
    spans = []
    for heading in dict.fromkeys(str(r["heading"]) for r in rows):
        if heading:
            y += 26
            parts.append(svg.words(0, y, say(heading, labels, lang), size=13.5, fill=style.INK, bold=True))
            parts.append(svg.line((0, y + 7), (width, y + 7), style.TRACK))
        begin = y + 8
        for row in (r for r in rows if str(r["heading"]) == heading):
            ink = style.WARN if row.get("differs") else style.TEXT
            if stacked:
                for place, said in enumerate(svg.wrap(shown[row["row"]], width - 4, size, lang=lang)):
                    y += 16 if place else 24
                    parts.append(svg.words(0, y, said, size=size, fill=ink))
                y += 15
                spans.append((y - 9, y + 9))
            else:
                y += 28
                said = svg.shorten(shown[row["row"]], left - 16, size, lang=lang)
                parts.append(svg.words(4, y + 4.5, said, size=size, fill=ink))
            parts += _marks(row, series, x, y, (lang, digits))
        y += 14
        if not stacked:
            spans.append((begin, y))
    grid = [svg.line((x(t), a), (x(t), b), style.FAINT if t == 0 else style.HAIR) for a, b in spans for t in ticks]
    foot = [
        svg.words(
            x(t),
            y + 16,
            style.coefficient(t, digits, svg.places(ticks)) if t else "0",
            size=11.5,
            fill=style.MUTED,
            anchor="middle",
        )
        for t in ticks
    ]
    return svg.drawing(width, y + 24, grid + parts + foot, finding, lang)


def _ticks(rows: Sequence[Row], keys: Sequence[str], *, zero: bool) -> list[float]:
    """Round values around everything drawn, zero included where it is wanted."""
    columns = [*(f"value_{k}" for k in keys), "conf_low", "conf_high"]
    values = [float(v) for r in rows for c in columns if known(v := r.get(c))]
    if not zero and values:
        return svg.steps(min(values), max(values), 5)
    return svg.steps(min([0.0, *values]), max([0.1, *values]), 5)


def _legend(series: Mapping[str, Text], width: int, lang: str) -> tuple[list[str], float]:
    """Every series by its mark, wrapping where the line is full."""
    parts, x, y = [], 8.0, 14.0
    for place, text in enumerate(series.values()):
        said = text.say(lang)
        need = text_width(said, 12.5, lang=lang) + 34
        if x + need > width and x > 8:
            x, y = 8.0, y + 22
        parts += _mark(SHAPES[place % len(SHAPES)], x, y - 4.5, _colour(place), hollow=False, tip="")
        parts.append(svg.words(x + 11, y, said, size=12.5, fill=style.TEXT))
        x += need
    return parts, y + 4


def _colour(place: int) -> str:
    return style.FOCAL if place == 0 else style.OTHERS[(place - 1) % len(style.OTHERS)]


def _marks(row: Row, series: Mapping[str, Text], x: Scale, y: float, langs: tuple[str, str]) -> list[str]:
    """The interval and mark of the first series over the marks of the others, and its number.

    Parameters:
        langs: of the words, of the numbers.
    """
    (first, *others), (lang, digits) = series, langs
    firm = row.get("significant") is not False
    colour = style.FOCAL if firm else style.FAINT
    parts = []
    low, high = row.get("conf_low"), row.get("conf_high")
    if known(low) and known(high):
        tip = style.span(float(low), float(high), digits, of="coefficient")
        parts.append(whisker(x, y, float(low), float(high), colour, 2, tip=tip))
    for place, key in enumerate(others, start=1):
        value = row.get(f"value_{key}")
        if known(value):
            tip = f"{series[key].say(lang)} {style.coefficient(float(value), digits)}"
            parts += _mark(SHAPES[place % len(SHAPES)], x(float(value)), y, _colour(place), hollow=False, tip=tip)
    value = row.get(f"value_{first}")
    if not known(value):
        return [*parts, svg.words(x.end + 58, y + 4.5, style.ABSENT, fill=style.MUTED, anchor="end")]
    parts += _mark("dot", x(float(value)), y, colour, hollow=not firm, tip="")
    ink = style.WARN if row.get("differs") else style.INK if firm else style.MUTED
    said = style.coefficient(float(value), digits)
    return [*parts, svg.words(x.end + 58, y + 4.5, said, fill=ink, bold=firm, anchor="end")]


def _mark(shape: str, x: float, y: float, colour: str, *, hollow: bool, tip: str) -> list[str]:
    """One mark centred at (x, y)."""
    if shape == "dot":
        return [svg.dot(x, y, 5, style.PAPER if hollow else colour, colour if hollow else style.PAPER, 1.4, tip=tip)]
    if shape == "ring":
        return [svg.dot(x, y, 4.6, style.PAPER, colour, 1.8, tip=tip)]
    if shape == "square":
        return [svg.box(x - 4.2, y - 4.2, 8.4, 8.4, colour, stroke=style.PAPER, tip=tip)]
    if shape == "diamond":
        return [svg.polygon([(x, y - 5.6), (x + 5.6, y), (x, y + 5.6), (x - 5.6, y)], colour, tip=tip)]
    return [svg.polygon([(x, y - 5.4), (x + 5, y + 3.8), (x - 5, y + 3.8)], colour, tip=tip)]
