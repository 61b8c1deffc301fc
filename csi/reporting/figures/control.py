"""A control chart: one brand's series between its limits."""

from __future__ import annotations

import polars as pl

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import Scale, known
from csi.reporting.figures.waves import above, rules, wave_axis
from csi.reporting.text_width import text_width

LIMITS = {
    "high": Text("Upper limit", "上控制限"),
    "centre": Text("Centre", "中心"),
    "low": Text("Lower limit", "下控制限"),
}


def control_chart(
    frame: pl.DataFrame, *, lang: str, finding: str = "", caption: Text | None = None, width: int = style.FULL
) -> str:
    """A line through the waves, its centre, and its limits as steps; waves outside are marked with their value.

    Parameters:
        frame: `wave`, `statistic`, `centre`, `low`, `high` (0-100; without limits null), `beyond`; waves in order.
        lang: "zh" or "en". finding: the sentence read aloud. caption: stands above. width: 1040, 508 or 360.

    Returns:
        SVG.

    Example:
        >>> data = pl.DataFrame({"wave": ["2025Q1", "2025Q2"], "statistic": [70.0, 79.0], "centre": [72.0, 72.0],
        ...                      "low": [68.0, 68.0], "high": [76.0, 76.0], "beyond": [False, True]})
        >>> control_chart(data, lang="en").count("<circle")
        2
    """
    rows = list(frame.iter_rows(named=True))
    waves = [str(r["wave"]) for r in rows]
    narrow = width < style.HALF
    size = 11.5 if narrow else 13
    room = max(text_width(t.say(lang), size - 1, lang=lang) for t in LIMITS.values())
    right = room + (26 if narrow else 70)
    top = 16 if caption is None else 36
    height = (224 if narrow else 284) + top
    every = [float(r[c]) for r in rows for c in ("statistic", *LIMITS) if known(r[c])]
    ticks = svg.steps(max(min(every, default=0.0) - 0.3, 0), min(max(every, default=100.0) + 0.3, 100), 5)
    x = Scale(0, max(len(waves) - 1, 1), 34, width - right)
    y = Scale(ticks[0], ticks[-1], height - 46, top)
    parts = rules(ticks, x, y, width - right) + wave_axis(waves, x, height, narrow=narrow)
    parts += [line for name in LIMITS for line in _limit(rows, name, x, y)]
    parts += _series(rows, x, y, size, lang)
    parts += _ends(rows, x, y, size, lang, narrow=narrow)
    parts += above(caption, lang)
    return svg.drawing(width, height, parts, finding, lang)


def _limit(rows: list[dict[str, object]], name: str, x: Scale, y: Scale) -> list[str]:
    """A limit as steps around the waves; the centre is dotted."""
    half, runs = (x(1) - x(0)) / 2, list[list[tuple[float, float]]]()
    for i, row in enumerate(rows):
        value = row[name]
        if not known(value):
            continue
        step = [(max(x(i) - half, x.start), y(value)), (min(x(i) + half, x.end), y(value))]
        if runs and i and known(rows[i - 1][name]):
            runs[-1] += step
        else:
            runs.append(step)
    dash, tone = ("1.5 3", style.MUTED) if name == "centre" else ("6 4", style.STEEL)
    return [svg.polyline(run, tone, 1.2, dash) for run in runs]


def _series(rows: list[dict[str, object]], x: Scale, y: Scale, size: float, lang: str) -> list[str]:
    """The line and its points; one outside bears its value."""
    points = [(x(i), y(float(str(r["statistic"])))) for i, r in enumerate(rows)]
    parts = [svg.polyline(points, style.FOCAL, 2.4)] if len(points) > 1 else []
    told = _told(rows, [at for at, _ in points], size, lang)
    for i, (row, (at, up)) in enumerate(zip(rows, points, strict=True)):
        value, out = float(str(row["statistic"])), bool(row["beyond"])
        tip = f"{row['wave']} {style.score(value)}"
        parts.append(svg.dot(at, up, 5 if out else 3, style.WARN if out else style.FOCAL, style.PAPER, 1.4, tip=tip))
        if i in told:
            above = known(row["high"]) and value > row["high"]
            said, wide = style.score(value), text_width(style.score(value), size, bold=True, lang=lang) / 2
            middle = min(max(at, x.start + wide), x.end - wide + 12)
            place = up - 10 if above else up + 18
            parts.append(
                svg.words(middle, place, said, size=size, fill=style.WARN, bold=True, anchor="middle", halo=True)
            )
    return parts


def _told(rows: list[dict[str, object]], places: list[float], size: float, lang: str) -> set[int]:
    """The points outside whose values have room: the newest first, then those that touch none that is there."""
    kept: list[tuple[int, float]] = []
    for i in range(len(rows) - 1, -1, -1):
        said = style.score(float(str(rows[i]["statistic"])))
        wide = text_width(said, size, bold=True, lang=lang) + 4
        if bool(rows[i]["beyond"]) and all(abs(places[i] - at) >= wide for _, at in kept):
            kept.append((i, places[i]))
    return {i for i, _ in kept}


def _ends(rows: list[dict[str, object]], x: Scale, y: Scale, size: float, lang: str, *, narrow: bool) -> list[str]:
    """The limits of the last wave by name and value."""
    last = rows[-1] if rows else {}
    shown = [(name, value) for name in LIMITS if known(value := last.get(name))]
    places = svg.spread([y(v) for _, v in shown], 28 if narrow else 18, y.end + 4, y.start - 2)
    parts = []
    for (name, value), place in zip(shown, places, strict=True):
        said, start = LIMITS[name].say(lang), x.end + 14
        parts.append(svg.words(start, place + (-1 if narrow else 4), said, size=size - 1, fill=style.MUTED))
        column = (
            start if narrow else start + max(text_width(t.say(lang), size - 1, lang=lang) for t in LIMITS.values()) + 12
        )
        parts.append(
            svg.words(column, place + (12 if narrow else 4), style.score(value), size=size - 1, fill=style.TEXT)
        )
    return parts
