"""The path diagram for a phone: one row per arrow, grouped by outcome."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import Scale, known, say, whisker
from csi.reporting.text_width import text_width


def path_list(
    paths: pl.DataFrame,
    nodes: pl.DataFrame,
    *,
    lang: str,
    labels: Mapping[str, Text],
    target: str = "",
    finding: str = "",
    width: int = style.PHONE,
) -> str:
    """Coefficients with intervals on one axis under each outcome's name, index and R².

    Parameters:
        paths, nodes: as for `path_diagram`.
        lang: "zh" or "en".
        labels: construct names.
        target: the outcome in the focal colour.
        finding: the sentence read aloud.
        width: of the drawing.

    Returns:
        SVG.
    """
    facts = {name: (index, r2) for name, index, r2 in nodes.select("construct", "index", "r2").iter_rows()}
    rows = paths.to_dicts()
    bounds = [v for r in rows for v in (r["conf_low"], r["conf_high"], r["estimate"]) if known(v)]
    ticks = svg.steps(min([0.0, *bounds]), max([0.5, *bounds]), 4)
    names = max((text_width(say(r["predictor"], labels, lang), 12.5, lang=lang) for r in rows), default=0)
    x = Scale(ticks[0], ticks[-1], min(names, 142) + 20, width - 52)
    y, parts = 0.0, []
    axis: list[tuple[float, float]] = []
    for outcome in dict.fromkeys(r["outcome"] for r in rows):
        own = outcome == target
        y += 26
        parts.append(
            svg.words(0, y, say(outcome, labels, lang), size=13.5, fill=style.FOCAL if own else style.INK, bold=True)
        )
        parts.append(_facts(*facts.get(outcome, (None, None)), width, y, lang))
        parts.append(svg.line((0, y + 7), (width, y + 7), style.TRACK))
        begin = y + 8
        for row in (r for r in rows if r["outcome"] == outcome):
            wide = text_width(say(row["predictor"], labels, lang), 12.5, lang=lang)
            y += 27 if wide <= x.start - 12 else 34
            parts += _row(row, y, x, labels, lang)
        axis.append((begin, y + 12))
        y += 14
    grid = [svg.line((x(t), a), (x(t), b), style.FAINT if t == 0 else style.HAIR) for a, b in axis for t in ticks]
    foot = [
        svg.words(
            x(t), y + 14, style.coefficient(t, lang, 1) if t else "0", size=10.5, fill=style.MUTED, anchor="middle"
        )
        for t in ticks
    ]
    return svg.drawing(width, y + 22, grid + parts + foot, finding, lang)


def _facts(index: float | None, r2: float | None, width: float, y: float, lang: str) -> str:
    said = [style.score(index)] if known(index) else []
    said += [f"R² = {style.coefficient(r2, lang)}"] if known(r2) else []
    return svg.words(
        width,
        y,
        "，".join(said) if lang == "zh" else ", ".join(said),
        size=11.5,
        fill=style.MUTED,
        anchor="end",
    )


def _row(
    row: Mapping[str, float | str | bool | None], y: float, x: Scale, labels: Mapping[str, Text], lang: str
) -> list[str]:
    firm = bool(row["significant"])
    colour = style.STEEL if firm else style.FAINT
    name, ink = say(str(row["predictor"]), labels, lang), style.TEXT if firm else style.MUTED
    parts = svg.named(8, y, name, x.start - 12, 12.5, lang, fill=ink)
    value, low, high = row["estimate"], row["conf_low"], row["conf_high"]
    if not isinstance(value, float) or not known(value):
        return [*parts, svg.words(x.end + 52, y + 4, style.ABSENT, size=12.5, fill=style.MUTED, anchor="end")]
    if isinstance(low, float) and isinstance(high, float) and known(low) and known(high):
        parts.append(whisker(x, y, low, high, colour, 2))
    parts.append(svg.dot(x(value), y, 4.4, colour if firm else style.PAPER, colour, 1.4))
    ink = style.INK if firm else style.MUTED
    parts.append(
        svg.words(x.end + 52, y + 4.5, style.coefficient(value, lang), size=13, fill=ink, bold=firm, anchor="end")
    )
    return parts
