"""The items of constructs in a full path diagram: a small plate beside each construct, one row an item."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from csi.reporting import style, svg
from csi.reporting.figures.routing import Array, Box, Node, Route, sample
from csi.reporting.text_width import text_width

ROW, GAP, LETTERS = 17.0, 26.0, 11.0
"""Height of a row, space between a construct and its plate, size of a row's letters."""
THIN = 1.3
"""Width of the line between a construct and its plate."""
_NAMES = 104.0
_HARD = 1000.0


@dataclass(frozen=True, slots=True)
class Plate:
    """What a plate says: (item, loading or weight as printed, weak) by row; whether the items make the construct."""

    rows: tuple[tuple[str, str, bool], ...]
    formative: bool = False

    def size(self, lang: str) -> tuple[float, float]:
        """Half width and half height."""
        names, numbers = self._widths(lang)
        return (names + numbers + (24 if numbers else 14)) / 2, (ROW * len(self.rows) + 6) / 2

    def marks(self, box: Box, node: Node, lang: str) -> list[str]:
        """The arrow between construct and plate, the plate, and its rows."""
        left, right, top = box.x - box.w, box.x + box.w, box.y - box.h
        parts = _link(box, node, formative=self.formative)
        parts.append(svg.box(left, top, 2 * box.w, 2 * box.h, style.PAPER, radius=3, stroke=style.FAINT))
        for place, (name, number, weak) in enumerate(self.rows):
            y = top + 3 + ROW * place + 12.5
            if place:
                parts.append(svg.line((left + 6, y - 12.5), (right - 6, y - 12.5), style.HAIR))
            said = svg.shorten(name, _NAMES, LETTERS, lang=lang)
            parts.append(svg.words(left + 7, y, said, size=LETTERS))
            ink = style.WARN if weak else style.INK
            parts.append(svg.words(right - 7, y, number, size=LETTERS, fill=ink, bold=weak, anchor="end"))
        return parts

    def _widths(self, lang: str) -> tuple[float, float]:
        """Of the longest name as shown, and of the longest number."""
        names = max(min(text_width(name, LETTERS, lang=lang), _NAMES) for name, _, _ in self.rows)
        return names, max(text_width(number, LETTERS, bold=True) for _, number, _ in self.rows)


def placed(
    nodes: Mapping[str, Node], sizes: Mapping[str, tuple[float, float]], courses: Sequence[Array], width: float
) -> tuple[dict[str, Box], bool]:
    """A box below, above or beside each construct, off the arrows, and whether every box is clear of the others.

    Parameters:
        nodes: ellipses. sizes: half width and half height of each plate. courses: points of each arrow, (m, 2).
        width: of the drawing.
    """
    found: dict[str, Box] = {}
    clear = True
    points = np.concatenate(list(courses)) if courses else np.empty((0, 2))
    for name, size in sizes.items():
        spots = _spots(nodes[name], size, _outer(nodes[name], nodes))
        costs = [cost + _cost(box, name, nodes, list(found.values()), points, width) for cost, box in spots]
        best = int(np.argmin(costs))
        found[name] = spots[best][1]
        clear = clear and costs[best] < _HARD
    return found, clear


def straight(nodes: Mapping[str, Node], ways: Sequence[tuple[str, str]]) -> list[Array]:
    """The arrows as straight lines from centre to centre."""
    part = np.linspace(0, 1, 25)[1:-1, None]
    ends = [(nodes[a], nodes[b]) for a, b in ways]
    return [np.array((a.x, a.y)) * (1 - part) + np.array((b.x, b.y)) * part for a, b in ends]


def crossed(boxes: Mapping[str, Box], courses: Sequence[Array]) -> bool:
    """Whether an arrow runs through a plate."""
    points = np.concatenate(list(courses)) if courses else np.empty((0, 2))
    return any(_within(box, points, 5) for box in boxes.values())


def _within(box: Box, points: Array, gap: float) -> int:
    """How many points lie in a box grown by `gap`."""
    near = (np.abs(points[:, 0] - box.x) < box.w + gap) & (np.abs(points[:, 1] - box.y) < box.h + gap)
    return int(near.sum())


def obstacles(boxes: Mapping[str, Box]) -> dict[str, Node]:
    """Ellipses round the plates, for arrows and labels to keep off."""
    return {f"items of {name}": Node(b.x, b.y, 1.22 * b.w, 1.22 * b.h) for name, b in boxes.items()}


def _outer(node: Node, nodes: Mapping[str, Node]) -> int:
    """-1 in the first column, 1 in the last, else 0."""
    xs = [n.x for n in nodes.values()]
    return (node.x == max(xs)) - (node.x == min(xs)) if max(xs) > min(xs) else 0


def _spots(node: Node, size: tuple[float, float], outer: int) -> list[tuple[float, Box]]:
    """Places of a plate and what each costs; the outer side of the first and the last column is the best."""
    w, h = size
    down, aside = node.ry + GAP + h, node.rx + GAP + w
    found = [
        (3 * abs(t) + away, Box(node.x + t * node.rx, node.y + side * (down - 6 * abs(t)), w, h))
        for t in (0.0, 0.5, -0.5, 1.0, -1.0)
        for side, away in ((1, 0.0), (-1, 2.0))
    ]
    beside = [(abs(t) + (-8.0 if side == outer else 6.0), side, t) for side in (1, -1) for t in (0.0, 1.0, -1.0)]
    return found + [(cost, Box(node.x + side * aside, node.y + t * (h - node.ry), w, h)) for cost, side, t in beside]


def _cost(box: Box, name: str, nodes: Mapping[str, Node], others: Sequence[Box], points: Array, width: float) -> float:
    """Of other nodes and plates beneath it and of leaving the drawing; then of arrows that run through it."""
    cost = 5 * _HARD if box.x - box.w < 2 or box.x + box.w > width - 2 else 0.0
    cost += sum(_HARD for one in others if box.overlap(one, 16) > 0)
    cost += sum(_HARD for key, n in nodes.items() if key != name and box.overlap(Box(n.x, n.y, n.rx, n.ry), 26) > 0)
    return cost + 12 * _within(box, points, 9)


def link(box: Box, node: Node) -> Route:
    """The straight line between a construct and the plate of its items, from the ellipse's border."""
    spot = (min(max(node.x, box.x - box.w), box.x + box.w), min(max(node.y, box.y - box.h), box.y + box.h))
    dx, dy = spot[0] - node.x, spot[1] - node.y
    length = math.hypot(dx / (node.rx + 3), dy / (node.ry + 3)) or 1
    edge = (node.x + dx / length, node.y + dy / length)
    middle = ((edge[0] + spot[0]) / 2, (edge[1] + spot[1]) / 2)
    return Route(edge, middle, spot, 0.0, sample(edge, middle, spot))


def _link(box: Box, node: Node, *, formative: bool) -> list[str]:
    """A thin arrow: towards the items where they show the construct, away from them where they make it."""
    way = link(box, node)
    start, end = (way.end, way.start) if formative else (way.start, way.end)
    far = math.dist(start, end) or 1
    ux, uy = (end[0] - start[0]) / far, (end[1] - start[1]) / far
    base = (end[0] - 7 * ux, end[1] - 7 * uy)
    head = [end, (base[0] - 3.4 * uy, base[1] + 3.4 * ux), (base[0] + 3.4 * uy, base[1] - 3.4 * ux)]
    return [svg.line(start, base, style.FAINT, THIN), svg.polygon(head, style.FAINT)]
