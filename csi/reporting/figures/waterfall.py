"""A change as steps from the earlier to the later index: what each part adds, with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import polars as pl

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import Scale, known, say
from csi.reporting.text_width import text_width

ROW, BAR, TOP = 34.0, 16.0, 12.0


def waterfall(
    frame: pl.DataFrame, *, lang: str, labels: Mapping[str, Text], finding: str = "", width: int = style.FULL
) -> str:
    """Rows from the earlier level through steps to the later level; a step that may be nothing is hollow.

    Parameters:
        frame: `name`, `kind` ("level" or "step"), `value` (0-100, or points), `low`, `high` (of a step, else null),
            `sure` (of a step). lang: "zh" or "en". labels: names. finding: the sentence read aloud.
            width: 1040, 508 or 360 (there names stand above their rows).

    Returns:
        SVG.

    Example:
        >>> data = pl.DataFrame({"name": ["Q1", "means", "Q2"], "kind": ["level", "step", "level"],
        ...                      "value": [70.0, 2.0, 72.0], "low": [None, 0.5, None], "high": [None, 3.5, None],
        ...                      "sure": [None, True, None]})
        >>> waterfall(data, lang="en", labels={}).count("<rect")
        1
    """
    rows = list(frame.iter_rows(named=True))
    narrow = width < style.HALF
    size, gap = (12.0, 15.0) if narrow else (13.0, 0.0)
    names = [say(str(r["name"]), labels, lang) for r in rows]
    widest = max(text_width(n, size, bold=True, lang=lang) for n in names)
    left = 4.0 if narrow else min(widest, width * 0.36) + 18
    starts, reach = _starts(rows)
    x = Scale(*_ends(reach), left + 8, width - (58 if narrow else 150))
    height = TOP + (ROW + gap) * len(rows) + 6
    ys = [TOP + (ROW + gap) * i + gap + ROW / 2 for i in range(len(rows))]
    parts = [_joint(x, starts[i + 1], one, two) for i, (one, two) in enumerate(pairwise(ys))]
    for row, name, start, y in zip(rows, names, starts, ys, strict=True):
        parts += _name(name, y, left, size, room=width, narrow=narrow, bold=row["kind"] == "level", lang=lang)
        parts += _level(row, x, y, size) if row["kind"] == "level" else _step(row, start, x, y, size, narrow=narrow)
    return svg.drawing(width, height, parts, finding, lang)


def _starts(rows: list[dict[str, object]]) -> tuple[list[float], list[float]]:
    """Where every row begins, and all values that must be on the axis."""
    starts, reach, at = [], [], 0.0
    for row in rows:
        value = float(str(row["value"]))
        if row["kind"] == "level":
            at = value
            starts.append(at)
            reach.append(at)
            continue
        starts.append(at)
        reach += [at, at + value, *(at + v for v in (row["low"], row["high"]) if known(v))]
        at += value
    return starts, reach


def _ends(reach: list[float]) -> tuple[float, float]:
    """The axis, with a little room."""
    room = max(0.06 * (max(reach) - min(reach)), 0.2)
    return min(reach) - room, max(reach) + room


def _joint(x: Scale, at: float, above: float, below: float) -> str:
    """The line that carries a level to the next row."""
    return svg.line((x(at), above), (x(at), below), style.FAINT, 0.8, "2 2")


def _name(
    name: str, y: float, left: float, size: float, *, room: float, narrow: bool, bold: bool, lang: str
) -> list[str]:
    """The name of a row, left of it or, on a phone, above it."""
    ink = style.INK if bold else style.TEXT
    if narrow:
        name = svg.shorten(name, room - left - 2, size, bold=bold, lang=lang)
        return [svg.words(left, y - ROW / 2 + 2, name, size=size, fill=ink, bold=bold, halo=True)]
    shown = svg.shorten(name, left - 18, size, bold=bold, lang=lang)
    return [svg.words(left - 12, y + 4.5, shown, size=size, fill=ink, bold=bold, anchor="end")]


def _level(row: Mapping[str, object], x: Scale, y: float, size: float) -> list[str]:
    """An index: a mark and its number."""
    at = x(float(str(row["value"])))
    mark = svg.line((at, y - BAR / 2 - 2), (at, y + BAR / 2 + 2), style.INK, 3)
    shown = style.score(float(str(row["value"])))
    return [mark, svg.words(at + 9, y + 4.5, shown, size=size + 1, fill=style.INK, bold=True, halo=True)]


def _step(row: Mapping[str, object], start: float, x: Scale, y: float, size: float, *, narrow: bool) -> list[str]:
    """A bar from where the row before ended, the interval of its end, and the points."""
    value, low, high = float(str(row["value"])), row["low"], row["high"]
    ink = style.FOCAL if value >= 0 else style.WARN
    pale = style.FOCAL_PALE if value >= 0 else style.WARN_PALE
    sides = sorted((x(start), x(start + value)))
    sure = bool(row["sure"])
    fill, edge = (ink, None) if sure else (pale, ink)
    said = style.change(value)
    spread = f"{style.change(low)}, {style.change(high)}" if known(low) and known(high) else ""
    parts = [
        svg.box(sides[0], y - BAR / 2, max(sides[1] - sides[0], 1.0), BAR, fill, stroke=edge, tip=f"{said} {spread}")
    ]
    if known(low) and known(high):
        parts.append(svg.line((x(start + low), y), (x(start + high), y), style.STEEL, 1.4))
    tone = style.MUTED if said == style.change(0.0) else ink
    parts.append(svg.words(x.end + 14, y + 4.5, said, size=size, fill=tone, bold=sure))
    if spread and not narrow:
        parts.append(svg.words(x.end + 58, y + 4.5, spread, size=size - 1.5, fill=style.MUTED))
    return parts
