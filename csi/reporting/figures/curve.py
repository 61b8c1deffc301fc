"""A curve of one 0-100 score on another with its band, over the means of the answers it was fitted to."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import Scale, known
from csi.reporting.text_width import text_width

FIT = Text("curve with interval", "曲线与区间")
MEANS = Text("means of bands, with intervals", "各区间均值与置信区间")


def curve(
    line: pl.DataFrame,
    means: pl.DataFrame,
    *,
    lang: str,
    across: Text,
    up: Text,
    knots: Sequence[float] = (),
    finding: str = "",
    width: int = style.FULL,
) -> str:
    """The curve, its pointwise band, and the means by band of the horizontal score with their intervals.

    Parameters:
        line: `satisfaction`, `fitted`, `conf_low`, `conf_high`. means: `start`, `end`, `n`, `mean`, `conf_low`,
            `conf_high`. lang: "zh" or "en". across, up: names of the two scores (0-100). knots: where the curve may
            bend. finding: the sentence read aloud. width: 1040, 508 or 360.

    Returns:
        SVG.

    Example:
        >>> line = pl.DataFrame({"satisfaction": [0.0, 100.0], "fitted": [20.0, 80.0], "conf_low": [15.0, 75.0],
        ...                      "conf_high": [25.0, 85.0]})
        >>> means = pl.DataFrame({"start": [40.0], "end": [50.0], "n": [9], "mean": [47.0], "conf_low": [40.0],
        ...                       "conf_high": [54.0]})
        >>> curve(line, means, lang="en", across=Text("S", "满意"), up=Text("L", "忠诚")).count("<circle")
        2
    """
    height = 380.0 if width > style.HALF else 320.0
    x, y = Scale(0, 100, 40, width - 14), Scale(0, 100, height - 44, 54)
    parts = _legend(width, lang)
    for tick in range(0, 101, 25):
        parts.append(svg.line((x.start, y(tick)), (x.end, y(tick)), style.HAIR))
        parts.append(svg.words(x.start - 8, y(tick) + 4, str(tick), size=11.5, fill=style.MUTED, anchor="end"))
        parts.append(svg.words(x(tick), y.start + 18, str(tick), size=11.5, fill=style.MUTED, anchor="middle"))
    parts += [svg.line((x(k), y.start), (x(k), y.end), style.FAINT, 1, "2 4") for k in knots]
    rows = [r for r in line.iter_rows(named=True) if known(r["fitted"])]
    banded = [r for r in rows if known(r["conf_low"]) and known(r["conf_high"])]
    if len(banded) > 1:
        below = [(x(r["satisfaction"]), y.kept(r["conf_low"])) for r in banded]
        above = [(x(r["satisfaction"]), y.kept(r["conf_high"])) for r in reversed(banded)]
        parts.append(svg.polygon([*below, *above], style.FOCAL_PALE, 0.8))
    for row in means.iter_rows(named=True):
        parts += _mean(row, x, y)
    if len(rows) > 1:
        parts.append(svg.polyline([(x(r["satisfaction"]), y.kept(r["fitted"])) for r in rows], style.FOCAL, 2.6))
    parts.append(svg.line((x.start, y.start), (x.end, y.start), style.FAINT))
    parts.append(svg.words((x.start + x.end) / 2, height - 6, across.say(lang), size=12.5, anchor="middle"))
    parts.append(svg.words(0, 39, svg.shorten(up.say(lang), width, 12.5, lang=lang), size=12.5))
    return svg.drawing(width, height, parts, finding, lang)


def _mean(row: dict[str, float], x: Scale, y: Scale) -> list[str]:
    """The mean of one band with its interval; none of a single respondent."""
    at = x((row["start"] + row["end"]) / 2)
    if not (known(row["mean"]) and known(row["conf_low"]) and known(row["conf_high"])):
        return []
    tip = f"{row['start']:g}–{row['end']:g}: {style.score(row['mean'])}, n = {style.count(row['n'])}"
    ends = y.kept(row["conf_low"]), y.kept(row["conf_high"])
    return [
        svg.line((at, ends[0]), (at, ends[1]), style.OTHERS[0], 1.6, tip=tip),
        svg.dot(at, y.kept(row["mean"]), 4, style.OTHERS[0], style.PAPER, 1.2, tip=tip),
    ]


def _legend(width: int, lang: str) -> list[str]:
    """What the line and the dots are."""
    first = FIT.say(lang)
    second = 34 + text_width(first, 12, lang=lang) + 22
    return [
        svg.box(0, 4, 24, 11, style.FOCAL_PALE, opacity=0.8),
        svg.line((0, 9.5), (24, 9.5), style.FOCAL, 2.6),
        svg.words(31, 14, first, size=12, fill=style.TEXT),
        svg.line((second, 3), (second, 16), style.OTHERS[0], 1.6),
        svg.dot(second, 9.5, 4, style.OTHERS[0], style.PAPER, 1.2),
        svg.words(second + 11, 14, svg.shorten(MEANS.say(lang), width - second - 11, 12, lang=lang), size=12),
    ]
