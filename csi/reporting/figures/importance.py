"""The importance-performance map: what counts most against how well it is done, with the uncertainty of both."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from csi.errors import Text
from csi.moments.stack import Array
from csi.reporting import style, svg
from csi.reporting.figures.cells import Scale, known, say
from csi.reporting.figures.routing import Box
from csi.reporting.text_width import text_width

_CORNERS = (
    Text("Possible overkill", "可能过度投入"),
    Text("Keep up", "保持优势"),
    Text("Low priority", "低优先级"),
    Text("Improve first", "优先改进"),
)


LEADING = 1.2
"""From line to line of a name, in sizes of its letters."""
CROWD = 8
"""So many names may take three lines each."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """One construct or driver on the map, in drawing units; its name in lines."""

    label: tuple[str, ...]
    x: float
    y: float
    west: float
    east: float
    north: float
    south: float
    corner: int
    tip: str
    radius: float = 4.6
    hollow: bool = False


def importance_map(
    frame: pl.DataFrame,
    *,
    lang: str,
    labels: Mapping[str, Text],
    target: Text | None = None,
    finding: str = "",
    width: int = style.HALF,
    axes: tuple[Text, Text] | None = None,
) -> str:
    """Points with a cross for both intervals; the means split four fields, the one to improve first is shaded.

    Parameters:
        frame: `name`, `importance`, `importance_low`, `importance_high` (total effects), `performance`,
            `performance_low`, `performance_high` (0-100); and, for the map combined with necessary conditions,
            `below` (percent of the respondents short of what the target needs: the area of the circle) and
            `necessary` (False leaves the circle hollow).
        lang: "zh" or "en".
        labels: names.
        target: what importance is for, named at the axis.
        finding: the sentence read aloud.
        width: 508, 1040 or 360.
        axes: names of the axes where they are others: what runs across (in percent) and what up.

    Returns:
        SVG.

    Source: Ringle & Sarstedt (2016), importance-performance map analysis; lines at the means. Hauff et al. (2024) for
    circles.

    Example:
        >>> data = pl.DataFrame({"name": ["a", "b"], "importance": [0.2, 0.4], "importance_low": [0.1, 0.3],
        ...     "importance_high": [0.3, 0.5], "performance": [70.0, 60.0], "performance_low": [68.0, 58.0],
        ...     "performance_high": [72.0, 62.0]})
        >>> importance_map(data, lang="en", labels={}).count("<circle")
        2
    """
    rows = [r for r in frame.to_dicts() if known(r["importance"]) and known(r["performance"])]
    height = 340.0 if width < style.HALF else 440.0
    x, y = _axes(rows, width, height)
    if not rows:
        return svg.drawing(width, height, [], finding, lang)
    middle = (
        sum(r["importance"] for r in rows) / len(rows),
        sum(r["performance"] for r in rows) / len(rows),
    )
    size = 12.0 if width < style.HALF else 13.0
    marks = [_mark(r, x, y, middle, labels, lang, percent=axes is not None) for r in rows]
    limit = 0.62 * (x.end - x.start)
    most = 3 if sum(m.label != ("",) for m in marks) <= CROWD else 2
    marks = [replace(m, label=name_lines(m.label[0], limit, size, lang, most)) for m in marks]
    corners = _corner_boxes(x, y, lang)
    boxes = _label_boxes(marks, corners, x, y, (x(middle[0]), y(middle[1])), lang, size)
    parts = _field(x, y, middle, percent=axes is not None)
    for mark in marks:
        parts += _cross(mark)
    for mark in marks:
        parts.append(_circle(mark))
    for draw in (_leader, _label):
        parts += [one for mark, box in zip(marks, boxes, strict=True) for one in draw(mark, box, size)]
    for said, box, corner in zip(_CORNERS, corners, range(4), strict=True):
        strong = corner in (1, 3)
        ink = _ink(corner) if strong else style.MUTED
        parts.append(svg.words(box.x, box.y + 4.5, said.say(lang), size=12, fill=ink, bold=strong, anchor="middle"))
    parts += _axis_names(x, y, target, lang, height, axes)
    return svg.drawing(width, height, parts, finding, lang)


def _axes(rows: Sequence[Mapping[str, float]], width: float, height: float) -> tuple[Scale, Scale]:
    across = [v for r in rows for v in (r["importance"], r["importance_low"], r["importance_high"]) if known(v)]
    up = [v for r in rows for v in (r["performance"], r["performance_low"], r["performance_high"]) if known(v)]
    ticks_x = svg.steps(min([0.0, *across]), max([0.1, *across]) * 1.02, 5)
    low, high = min(up, default=0), max(up, default=100)
    room = max(high - low, 4) * 0.12
    ticks_y = svg.steps(max(low - room, 0), min(high + room, 100), 5)
    return (
        Scale(ticks_x[0], ticks_x[-1], 42, width - 14),
        Scale(ticks_y[0], ticks_y[-1], height - 52, 8),
    )


def _mark(
    row: Mapping[str, float],
    x: Scale,
    y: Scale,
    middle: tuple[float, float],
    labels: Mapping[str, Text],
    lang: str,
    *,
    percent: bool = False,
) -> _Mark:
    name = str(row["name"])
    right, good = row["importance"] >= middle[0], row["performance"] >= middle[1]
    corner = (1 if right else 0) if good else (3 if right else 2)
    worded = say(name, labels, lang)
    label = ("",) if row.get("quiet") else (worded,)

    def side(key: str, scale: Scale, value: float) -> float:
        return scale.kept(row[key]) if known(row.get(key)) else scale(value)

    first = style.share(row["importance"] / 100) if percent else style.score(row["importance"], 2)
    tip = f"{worded}: {first}, {style.score(row['performance'])}"
    return _Mark(
        label,
        x(row["importance"]),
        y(row["performance"]),
        side("importance_low", x, row["importance"]),
        side("importance_high", x, row["importance"]),
        side("performance_high", y, row["performance"]),
        side("performance_low", y, row["performance"]),
        corner,
        tip,
        4.6 + 1.3 * math.sqrt(row["below"]) if known(row.get("below")) else 4.6,
        row.get("necessary") is False,
    )


def name_lines(label: str, limit: float, size: float, lang: str, most: int = 2) -> tuple[str, ...]:
    """A name on one line where `limit` holds it, else on as few as do, about equally long."""
    wide = text_width(label, size, bold=True, lang=lang)
    if wide <= limit:
        return (label,)
    for lines in range(2, most + 1):
        for part in (1.0, 1.15, 1.3):
            room = min(part * wide / lines + size, limit)
            rows = svg.wrap(label, room, size, bold=True, lang=lang, lines=lines)
            if not any(row.endswith("…") for row in rows):
                return tuple(rows)
    return tuple(rows)


def _circle(mark: _Mark) -> str:
    """A point; hollow where the construct is not necessary."""
    ink = _colour(mark.corner)
    fill, edge = (style.PAPER, ink) if mark.hollow else (ink, style.PAPER)
    return svg.dot(mark.x, mark.y, mark.radius, fill, edge, 1.2, tip=mark.tip)


def _colour(corner: int) -> str:
    return (style.FAINT, style.FOCAL, style.FAINT, style.WARN)[corner]


def _ink(corner: int) -> str:
    return (style.TEXT, style.FOCAL, style.TEXT, style.WARN)[corner]


def _field(x: Scale, y: Scale, middle: tuple[float, float], *, percent: bool) -> list[str]:
    parts = [svg.box(x(middle[0]), y(middle[1]), x.end - x(middle[0]), y.start - y(middle[1]), style.WARN_PALE)]
    for tick in svg.steps(y.low, y.high, 5):
        if y.low <= tick <= y.high:
            parts.append(svg.line((x.start, y(tick)), (x.end, y(tick)), style.HAIR))
            said = style.score(tick, 0 if tick == int(tick) else 1)
            parts.append(svg.words(x.start - 8, y(tick) + 4, said, size=11.5, fill=style.MUTED, anchor="end"))
    for tick in svg.steps(x.low, x.high, 5):
        if x.low <= tick <= x.high:
            said = style.score(tick, 1 if round(tick * 10, 6) == round(tick * 10) else 2) if tick else "0"
            said = style.score(tick, 0 if tick == int(tick) else 1) if percent else said
            parts.append(svg.words(x(tick), y.start + 17, said, size=11.5, fill=style.MUTED, anchor="middle"))
    parts.append(svg.line((x(middle[0]), y.end), (x(middle[0]), y.start), style.MUTED, 1.1, "1.5 3"))
    parts.append(svg.line((x.start, y(middle[1])), (x.end, y(middle[1])), style.MUTED, 1.1, "1.5 3"))
    return parts


def _cross(mark: _Mark) -> list[str]:
    tone = style.shade(_colour(mark.corner), style.PAPER, 0.45)
    return [
        svg.line((mark.west, mark.y), (mark.east, mark.y), tone, 1.4),
        svg.line((mark.x, mark.north), (mark.x, mark.south), tone, 1.4),
    ]


def _corner_boxes(x: Scale, y: Scale, lang: str) -> list[Box]:
    halves = [text_width(c.say(lang), 12, bold=True, lang=lang) / 2 for c in _CORNERS]
    left, right, top, foot = x.start + 8, x.end - 8, y.end + 13, y.start - 13
    return [
        Box(left + halves[0], top, halves[0], 8),
        Box(right - halves[1], top, halves[1], 8),
        Box(left + halves[2], foot, halves[2], 8),
        Box(right - halves[3], foot, halves[3], 8),
    ]


def _label_boxes(
    marks: Sequence[_Mark],
    corners: Sequence[Box],
    x: Scale,
    y: Scale,
    middle: tuple[float, float],
    lang: str,
    size: float,
) -> list[Box]:
    """The cheapest spot round each point: off points, crosses, captions and other labels; three passes."""
    room = (x.start + 3, x.end)
    halves = [max(text_width(one, size, bold=True, lang=lang) for one in m.label) / 2 for m in marks]
    options = [_spots(m, half, size, room) for m, half in zip(marks, halves, strict=True)]
    spots = np.array([[(b.x, b.y, b.w, b.h) for _, b in each] for each in options])
    away = np.array([[cost for cost, _ in each] for each in options])
    dots = [Box(m.x, m.y, m.radius + 1.4, m.radius + 1.4) for m in marks]
    arms = [Box((m.west + m.east) / 2, m.y, (m.east - m.west) / 2, 0.8) for m in marks]
    arms += [Box(m.x, (m.north + m.south) / 2, 0.8, abs(m.south - m.north) / 2) for m in marks]
    means = [Box(middle[0], (y.start + y.end) / 2, 0.5, abs(y.start - y.end) / 2)]
    means += [Box((x.start + x.end) / 2, middle[1], (x.end - x.start) / 2, 0.5)]
    costs = away + _beyond(spots, (x.start + 2, x.end, y.end, y.start)) + _doubt(spots, marks)
    for weight, gap, others in ((60.0, 2.0, corners), (40.0, 0.0, dots), (9.0, 0.0, arms), (5.0, 0.0, means)):
        costs += weight * (_shared(spots, _array(others), gap) > 0).sum(axis=-1)
    best = costs.argmin(axis=1)
    for _ in range(4):
        for i, own in enumerate(spots):
            others = spots[np.arange(len(spots)), best][np.arange(len(spots)) != i]
            near, over = _shared(own, others, 1), _shared(own, others, 0)
            best[i] = (costs[i] + np.where(near > 0, 50 + over / 10, 0).sum(axis=-1)).argmin()
    return [options[i][best[i]][1] for i in range(len(options))]


def _array(boxes: Sequence[Box]) -> Array:
    """(k, 4) centres and half sides."""
    return np.array([(b.x, b.y, b.w, b.h) for b in boxes], dtype=np.float64).reshape(-1, 4)


def _shared(boxes: Array, others: Array, gap: float) -> Array:
    """(..., k) area that each box shares with each of k others grown by `gap`."""
    one = boxes[..., None, :]
    wide = one[..., 2] + others[:, 2] + gap - np.abs(one[..., 0] - others[:, 0])
    high = one[..., 3] + others[:, 3] + gap - np.abs(one[..., 1] - others[:, 1])
    return np.maximum(wide, 0) * np.maximum(high, 0)


def _beyond(boxes: Array, room: tuple[float, float, float, float]) -> Array:
    """The cost of leaving the field (left, right, top, foot)."""
    x, y, w, h = np.moveaxis(boxes, -1, 0)
    sides = (room[0] - (x - w), x + w - room[1], room[2] - (y - h), y + h - room[3])
    beyond = np.sum([np.maximum(side, 0) for side in sides], axis=0)
    return np.where(beyond > 0, 100 + beyond, 0)


def _doubt(boxes: Array, marks: Sequence[_Mark]) -> Array:
    """(marks, spots) the cost of standing nearer to another point than to one's own."""
    at = np.array([(m.x, m.y) for m in marks])
    one = boxes[..., None, :]
    aside = np.maximum(np.abs(one[..., 0] - at[:, 0]) - one[..., 2], 0)
    above = np.maximum(np.abs(one[..., 1] - at[:, 1]) - one[..., 3], 0)
    gaps = np.hypot(aside, above)
    own = gaps[np.arange(len(marks)), :, np.arange(len(marks))][..., None]
    nearer = (gaps < own + 4) & ~np.eye(len(marks), dtype=bool)[:, None, :]
    return np.asarray(7.0 * nearer.sum(axis=-1))


def _spots(mark: _Mark, half: float, size: float, room: tuple[float, float]) -> list[tuple[float, Box]]:
    spots = []
    high = size * (0.55 + LEADING * (len(mark.label) - 1) / 2)
    for far in (0, 5, 11, 18, 27):
        for cost, side, rise in ((0, 1, -1), (0.6, 1, 1), (1.2, -1, -1), (1.6, -1, 1), (2.2, 0, -1), (2.6, 0, 1)):
            reach = mark.radius + 2.4 + far * 0.7
            x = min(max(mark.x + side * (reach + half), room[0] + half), room[1] - half)
            y = mark.y + rise * (high + mark.radius - 0.6 + far + (3 if side == 0 else 0))
            spots.append((cost + far * 0.55, Box(x, y, half, high)))
    return spots


def _leader(mark: _Mark, box: Box, size: float) -> list[str]:
    """A thin line from a point to a name that had to stand away from it."""
    del size
    dx = max(abs(box.x - mark.x) - box.w, 0)
    dy = max(abs(box.y - mark.y) - box.h, 0)
    if math.hypot(dx, dy) <= 16:
        return []
    end = (min(max(mark.x, box.x - box.w), box.x + box.w), box.y + (box.h if mark.y > box.y else -box.h))
    return [svg.line((mark.x, mark.y), end, style.FAINT, 0.8)]


def _label(mark: _Mark, box: Box, size: float) -> list[str]:
    ink, strong = _ink(mark.corner), mark.corner in (1, 3)
    parts: list[str] = []
    first = box.y + size * (0.36 - LEADING * (len(mark.label) - 1) / 2)
    for place, said in enumerate(mark.label):
        y = first + LEADING * size * place
        parts.append(svg.words(box.x, y, said, size=size, fill=ink, bold=strong, anchor="middle", halo=True))
    return parts


def _axis_names(
    x: Scale, y: Scale, target: Text | None, lang: str, height: float, axes: tuple[Text, Text] | None
) -> list[str]:
    goal = target.say(lang) if target else ""
    across = {
        "zh": f"重要性：对{goal}的总效应" if goal else "重要性：总效应",
        "en": f"Importance: total effect on {goal.lower()}" if goal else "Importance: total effect",
    }[lang]
    up = {"zh": "表现（0–100）", "en": "Performance (0–100)"}[lang]
    across, up = (axes[0].say(lang), axes[1].say(lang)) if axes else (across, up)
    middle = (y.start + y.end) / 2
    turned = svg.element(
        "text",
        svg.clean(up),
        x=0,
        y=0,
        font_size=11.5,
        fill=style.MUTED,
        text_anchor="middle",
        transform=f"translate(11 {svg.number(middle)}) rotate(-90)",
    )
    return [
        svg.words((x.start + x.end) / 2, height - 8, across, size=11.5, fill=style.MUTED, anchor="middle"),
        turned,
    ]
