"""An event study: differences by periods since joining, with intervals, against the period before."""

from __future__ import annotations

import math

import polars as pl

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import Scale, known

_ACROSS = Text(
    "{per}s since joining (0: the one of joining; reference -1)", "入会以来{per}数（0 为入会当期；参照为 -1）"
)
_UP = Text("members less others, against the {per} before joining", "会员与非会员之差（以入会前一{per}为参照）")


def event_study(rows: pl.DataFrame, *, lang: str, per: Text, finding: str = "", width: int = style.FULL) -> str:
    """Dots with intervals: hollow before joining and at it, filled after; the reference is 0.

    Parameters:
        rows: `k` (periods since joining), `difference`, `conf_low`, `conf_high`. lang: "zh" or "en". per: what a period
            is. finding: the sentence read aloud. width: 1040, 508 or 360.

    Returns:
        SVG.

    Example:
        >>> rows = pl.DataFrame({"k": [-2, 0, 1], "difference": [0.1, 2.0, 3.0], "conf_low": [-1.0, 1.0, 2.0],
        ...                      "conf_high": [1.2, 3.0, 4.0]})
        >>> event_study(rows, lang="en", per=Text("month", "月")).count("<circle")
        4
    """
    height = 340.0
    told = [r for r in rows.iter_rows(named=True) if known(r["conf_low"]) and known(r["conf_high"])]
    lags = [int(r["k"]) for r in told] + [-1]
    marks = _marks([v for r in told for v in (r["conf_low"], r["conf_high"])])
    x, y = Scale(min(lags) - 0.5, max(lags) + 0.5, 52, width - 10), Scale(marks[0], marks[-1], height - 48, 34)
    parts = []
    for tick in marks:
        parts.append(svg.line((x.start, y(tick)), (x.end, y(tick)), style.FAINT if tick == 0 else style.HAIR))
        said = f"{tick:g}".replace("-", style.MINUS)
        parts.append(svg.words(x.start - 8, y(tick) + 4, said, size=11.5, fill=style.MUTED, anchor="end"))
    parts.append(svg.line((x(-0.5), y.start), (x(-0.5), y.end), style.FAINT, 1, "2 4"))
    for lag in range(min(lags), max(lags) + 1):
        said = f"{lag}".replace("-", style.MINUS)
        parts.append(svg.words(x(lag), y.start + 18, said, size=11.5, fill=style.MUTED, anchor="middle"))
    parts.append(svg.dot(x(-1), y(0), 4, style.PAPER, style.STEEL, 1.6))
    for row in told:
        parts += _mark(row, x, y)
    across, up = (t.say(lang).format(per=per.say(lang)) for t in (_ACROSS, _UP))
    parts.append(svg.words((x.start + x.end) / 2, height - 8, svg.shorten(across, width - 20, 12.5, lang=lang),
                           size=12.5, anchor="middle"))  # fmt: skip
    parts.append(svg.words(0, 16, svg.shorten(up, width, 12.5, lang=lang), size=12.5))
    return svg.drawing(width, height, parts, finding, lang)


def _mark(row: dict[str, float], x: Scale, y: Scale) -> list[str]:
    """A difference with its interval; hollow unless it is after joining."""
    after = row["k"] > 0
    ink = style.FOCAL if after else style.STEEL
    at = x(row["k"])
    return [
        svg.line((at, y(row["conf_low"])), (at, y(row["conf_high"])), ink, 2),
        svg.dot(at, y(row["difference"]), 4.5, ink if after else style.PAPER, ink, 1.6),
    ]


def _marks(values: list[float]) -> list[float]:
    """Round values from below the lowest to above the highest, 0 among them.

    Example:
        >>> _marks([-1.0, 4.0])
        [-2.0, 0.0, 2.0, 4.0]
    """
    low, high = min(0.0, *values), max(0.0, *values)
    raw = (high - low or 1.0) / 4
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(s * power for s in (1, 2, 2.5, 5, 10) if s * power >= raw)
    return [i * step for i in range(math.floor(low / step), math.ceil(high / step) + 1)]
