"""Curves of staying (Kaplan-Meier): steps with their intervals, and how many are still watched under them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import Scale, known, say
from csi.reporting.text_width import text_width

STILL = Text("still watched", "仍在观察")
DASHES = (None, "7 4", "2 3.5", "10 3 2 3", "5 3", "1 2.5")
"""How lines differ beside their colour."""

MOST = 6
"""Groups that are drawn."""

ROW = 17.0
"""Height of a row of the table."""


def staying(
    curve: pl.DataFrame,
    risk: pl.DataFrame,
    *,
    lang: str,
    group: str,
    across: Text,
    up: Text,
    labels: Mapping[str, Text] | None = None,
    finding: str = "",
    width: int = style.FULL,
) -> str:
    """Shares over time from 100 %, a band around each, and a table of how many are still watched.

    Parameters:
        curve: `time`, `survival`, `conf_low`, `conf_high` and a column of groups. risk: the groups, `time`, `n` (null
            where too few). lang: "zh" or "en". group: the column of groups, "" for one curve. across: what time is
            counted in. up: what the share is of. labels: of groups. finding: the sentence read aloud. width: 1040, 508
            or 360.

    Returns:
        SVG.

    Example:
        >>> curve = pl.DataFrame({"time": [0.0, 4.0, 9.0], "survival": [1.0, 0.8, 0.8], "conf_low": [1.0, 0.7, 0.7],
        ...                       "conf_high": [1.0, 0.9, 0.9]})
        >>> risk = pl.DataFrame({"time": [0.0, 5.0], "n": [50, 38]})
        >>> drawn = staying(curve, risk, lang="en", group="", across=Text("weeks", "周"), up=Text("stay", "留存"))
        >>> drawn.count("<polyline"), ">38<" in drawn
        (1, True)
    """
    names = list(dict.fromkeys(curve[group].to_list()))[:MOST] if group else [""]
    inks = [style.FOCAL, *(style.brand_colour(i) for i in range(MOST))]
    heads, top = _legend(names, labels or {}, inks, lang, width) if group else ([], 0.0)
    plot = 300.0 if width > style.HALF else 240.0
    last = max([1e-9, *curve["time"].to_list(), *risk["time"].to_list()])
    x, y = Scale(0, last, 46, width - 14), Scale(0, 1, top + 30 + plot, top + 30)
    times = _spaced(sorted(set(risk["time"].to_list())), x, width)
    parts = [*heads, svg.words(0, top + 16, svg.shorten(up.say(lang), width, 12.5, lang=lang), size=12.5)]
    parts += _axes(x, y, times)
    parts.append(svg.words(x.end, y.start + 34, across.say(lang), size=12, anchor="end"))
    mine = [curve.filter(pl.col(group) == n) if group else curve for n in names]
    parts += [part for rows, ink in zip(mine, inks, strict=False) for part in _band(rows, x, y, ink)]
    for at in reversed(range(len(names))):
        parts.append(svg.polyline(_steps(mine[at], "survival", x, y), inks[at], 2.4 if at == 0 else 2, DASHES[at]))
    watched = [risk.filter(pl.col(group) == n) if group else risk for n in names]
    parts += _watched(watched, times, x, y.start + 42, inks, lang)
    return svg.drawing(width, y.start + 66 + ROW * len(names), parts, finding, lang)


def _axes(x: Scale, y: Scale, times: Sequence[float]) -> list[str]:
    """Shares at the left, times below."""
    parts = []
    for tick in (0, 0.25, 0.5, 0.75, 1):
        parts.append(svg.line((x.start, y(tick)), (x.end, y(tick)), style.HAIR if tick else style.FAINT))
        said = f"{100 * tick:.0f}%"
        parts.append(svg.words(x.start - 8, y(tick) + 4, said, size=11.5, fill=style.MUTED, anchor="end"))
    for t in times:
        parts.append(svg.line((x(t), y.start), (x(t), y.start + 4), style.FAINT))
        parts.append(svg.words(x(t), y.start + 18, f"{t:g}", size=11.5, fill=style.MUTED, anchor="middle"))
    return parts


def _watched(
    groups: Sequence[pl.DataFrame], times: Sequence[float], x: Scale, top: float, inks: Sequence[str], lang: str
) -> list[str]:
    """How many are still watched at each time, a row for each group."""
    parts = [svg.words(0, top + 6, STILL.say(lang), size=11.5, fill=style.MUTED)]
    for at, own in enumerate(groups):
        level = top + 22 + ROW * at
        parts.append(svg.line((0, level - 4), (24, level - 4), inks[at], 2.4, DASHES[at]))
        counts = dict(own.select("time", "n").iter_rows())
        for t in times:
            said = style.count(counts[t]) if counts.get(t) is not None else style.ABSENT
            parts.append(svg.words(x(t), level, said, size=11.5, anchor="middle"))
    return parts


def _steps(rows: pl.DataFrame, column: str, x: Scale, y: Scale) -> list[tuple[float, float]]:
    """The corners of a step function."""
    out: list[tuple[float, float]] = []
    for time, value in rows.select("time", column).iter_rows():
        if not known(value):
            continue
        if out:
            out.append((x(time), out[-1][1]))
        out.append((x(time), y.kept(value)))
    return out


def _band(rows: pl.DataFrame, x: Scale, y: Scale, ink: str) -> list[str]:
    """The interval as a band of steps, as far as it is known."""
    there = rows.filter(pl.col("conf_low").is_not_null() & pl.col("conf_high").is_not_null())
    if there.height < 2:
        return []
    edge = [*_steps(there, "conf_high", x, y), *reversed(_steps(there, "conf_low", x, y))]
    return [svg.polygon(edge, ink, 0.14)]


def _spaced(times: Sequence[float], x: Scale, width: int) -> list[float]:
    """Times whose numbers do not touch."""
    room = 46 if width > style.PHONE else 40
    kept: list[float] = []
    for t in times:
        if (not kept or x(t) - x(kept[-1]) >= room) and x(t) <= x.end + 1:
            kept.append(t)
    return kept


def _legend(
    names: Sequence[str], labels: Mapping[str, Text], inks: Sequence[str], lang: str, width: int
) -> tuple[list[str], float]:
    """A line and its name for each group, row by row, and the height they take."""
    parts, left, top = [], 0.0, 12.0
    for name, ink, dash in zip(names, inks, DASHES, strict=False):
        said = svg.shorten(say(name, labels, lang), width - 40, 12, lang=lang)
        wide = 32 + text_width(said, 12, lang=lang) + 20
        if left and left + wide > width + 20:
            left, top = 0.0, top + 20
        parts += [
            svg.line((left, top - 4), (left + 24, top - 4), ink, 2.4, dash),
            svg.words(left + 32, top, said, size=12),
        ]
        left += wide
    return parts, top + 10
