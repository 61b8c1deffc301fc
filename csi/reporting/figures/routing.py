"""Where arrows run and where their labels stand: round other nodes, few crossings, no label on a line or a node."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_SAMPLES = 33
_BENDS = (0.0, 0.08, -0.08, 0.13, -0.13, 0.19, -0.19, 0.26, -0.26, 0.34, -0.34, 0.44, -0.44)


@dataclass(frozen=True, slots=True)
class Node:
    """An ellipse: centre and half axes."""

    x: float
    y: float
    rx: float
    ry: float


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle given by its centre and half sides."""

    x: float
    y: float
    w: float
    h: float

    def overlap(self, other: Box, gap: float = 0) -> float:
        """Area shared with another box grown by `gap`."""
        wide = self.w + other.w + gap - abs(self.x - other.x)
        high = self.h + other.h + gap - abs(self.y - other.y)
        return max(wide, 0) * max(high, 0)


@dataclass(frozen=True, slots=True)
class Route:
    """A quadratic curve from border to border; `points` samples it evenly."""

    start: tuple[float, float]
    control: tuple[float, float]
    end: tuple[float, float]
    bend: float
    points: Array


def routes(
    nodes: Mapping[str, Node], arrows: Sequence[tuple[str, str]], room: tuple[float, float, float, float]
) -> list[Route]:
    """One route per arrow, straight where nothing stands in the way.

    Each arrow tries straight and bent courses and keeps the cheapest: passing over a node is forbidden in practice,
    running along another arrow or crossing one costs, so do bends and leaving the drawing. Two passes, fixed order,
    so the same model gives the same picture.

    Parameters:
        nodes: ellipses by construct.
        arrows: (predictor, outcome).
        room: x0, y0, x1, y1 of the drawing.

    Returns:
        Routes in the order of `arrows`.
    """
    choices = [[_course(nodes[a], nodes[b], bend) for bend in _BENDS] for a, b in arrows]
    alone = [
        [_own_cost(route, nodes, arrow, room) for route in options]
        for arrow, options in zip(arrows, choices, strict=True)
    ]
    best = [int(np.argmin(costs)) for costs in alone]
    order = sorted(range(len(arrows)), key=lambda i: (-float(np.min(alone[i])), i))
    for _ in range(3):
        before = list(best)
        for i in order:
            rest = [j for j in range(len(arrows)) if j != i]
            kin = np.array([bool(set(arrows[i]) & set(arrows[j])) for j in rest])
            shared = _shared_costs(choices[i], [choices[j][best[j]] for j in rest], kin)
            best[i] = int(np.argmin(np.round(np.array(alone[i]) + shared, 6)))
        if best == before:
            break
    return [choices[i][best[i]] for i in range(len(arrows))]


def _course(a: Node, b: Node, bend: float) -> Route:
    """From `a` to `b`, its middle pushed aside by `bend` times the distance (positive: to the right of the way)."""
    dx, dy = b.x - a.x, b.y - a.y
    control = ((a.x + b.x) / 2 - dy * bend * 2, (a.y + b.y) / 2 + dx * bend * 2)
    start = _border(a, control, 3)
    end = _border(b, control, 5)
    if bend == 0:
        control = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    return Route(start, control, end, bend, sample(start, control, end))


def sample(start: tuple[float, float], control: tuple[float, float], end: tuple[float, float]) -> Array:
    """Points of a quadratic curve, shape (33, 2)."""
    t = np.linspace(0, 1, _SAMPLES)[:, None]
    p0, p1, p2 = np.array(start), np.array(control), np.array(end)
    curve: Array = (1 - t) ** 2 * p0 + 2 * t * (1 - t) * p1 + t**2 * p2
    return curve


def _border(node: Node, towards: tuple[float, float], gap: float) -> tuple[float, float]:
    """The point `gap` outside the ellipse on the ray from its centre."""
    dx, dy = towards[0] - node.x, towards[1] - node.y
    length = math.hypot(dx / (node.rx + gap), dy / (node.ry + gap)) or 1
    return node.x + dx / length, node.y + dy / length


def _own_cost(
    route: Route, nodes: Mapping[str, Node], arrow: tuple[str, str], room: tuple[float, float, float, float]
) -> float:
    cost = 45 * abs(route.bend) + 120 * route.bend**2 + (4 if route.bend else 0)
    x, y = route.points[:, 0], route.points[:, 1]
    for name, node in nodes.items():
        if name in arrow:
            continue
        near = np.hypot((x - node.x) / (node.rx + 16), (y - node.y) / (node.ry + 20)).min()
        inside = np.hypot((x - node.x) / (node.rx + 6), (y - node.y) / (node.ry + 8)).min()
        cost += (400 if inside < 1 else 0) + (120 * (1 - near) + 15 if near < 1 else 0)
    outside = np.maximum(room[0] - x, 0) + np.maximum(x - room[2], 0)
    above = np.maximum(room[1] - y, 0) + np.maximum(y - room[3], 0)
    return cost + 3 * float(outside.max()) + 0.4 * float(above.max())


def _shared_costs(choices: Sequence[Route], others: Sequence[Route], kin: npt.NDArray[np.bool_]) -> Array:
    """What each choice costs beside the other arrows: crossings, and stretches closer than 14 units.

    Parameters:
        choices: courses of one arrow, c of them. others: the current course of every other arrow, m of them.
        kin: (m,) whether the other arrow shares an end; such a pair may run close but should not cross.

    Returns:
        (c,).
    """
    if not others:
        return np.zeros(len(choices))
    p = np.stack([r.points[::2] for r in choices])[:, None]
    q = np.stack([r.points[::2] for r in others])[None]
    gaps = np.hypot(p[:, :, :, None, 0] - q[:, :, None, :, 0], p[:, :, :, None, 1] - q[:, :, None, :, 1]).min(axis=3)
    close = (gaps[:, :, 2:-2] < 14).mean(axis=2)
    heads = np.hypot(*np.moveaxis(p[:, :, -1] - q[:, :, -1], -1, 0))
    cost: Array = close * np.where(kin, 20, 40) + _crossings(p, q) * np.where(kin, 30, 18) + 9 * (heads < 15)
    return np.asarray(cost.sum(axis=1))


def _crossings(p: Array, q: Array) -> Array:
    """How often polylines cross, (c, m), for p (c, 1, n, 2) and q (1, m, n, 2)."""
    a, b = p[:, :, :-1, None], p[:, :, 1:, None]
    c, d = q[:, :, None, :-1], q[:, :, None, 1:]
    apart = (_side(a, b, c) * _side(a, b, d) < 0) & (_side(c, d, a) * _side(c, d, b) < 0)
    counted: Array = apart.sum(axis=(2, 3)).astype(float)
    return counted


def _side(a: Array, b: Array, c: Array) -> Array:
    cross: Array = (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (c[..., 0] - a[..., 0])
    return cross


def place_captions(
    nodes: Mapping[str, Node],
    sizes: Mapping[str, tuple[float, float]],
    lines: Sequence[tuple[Route, float]],
    room: tuple[float, float, float, float],
) -> dict[str, Box]:
    """Where the small caption of each node stands: below, above or beside, whichever is free of arrows."""
    placed: dict[str, Box] = {}
    for name, (w, h) in sizes.items():
        node = nodes[name]
        side, foot = node.rx * 0.72 + w, node.ry * 0.8 + h
        near, part = node.ry + 7 + h, node.rx * 0.42
        spots = [
            (0.0, Box(node.x, node.y + near, w, h)),
            (1.5, Box(node.x + part, node.y + near - 1, w, h)),
            (1.5, Box(node.x - part, node.y + near - 1, w, h)),
            (2.0, Box(node.x, node.y - near, w, h)),
            (2.5, Box(node.x + part, node.y - near + 1, w, h)),
            (2.5, Box(node.x - part, node.y - near + 1, w, h)),
            (3.0, Box(node.x + side, node.y + foot, w, h)),
            (3.0, Box(node.x - side, node.y + foot, w, h)),
            (4.0, Box(node.x + side, node.y - foot, w, h)),
            (4.0, Box(node.x - side, node.y - foot, w, h)),
        ]
        crossed = _on_lines([b for _, b in spots], lines, 6)
        others = list(placed.values())
        costs = [
            away + on + _on_nodes(b, nodes, 3) + _on_boxes(b, others, 4) + _outside(b, room)
            for (away, b), on in zip(spots, crossed, strict=True)
        ]
        placed[name] = spots[int(np.argmin(costs))][1]
    return placed


def place_labels(
    courses: Sequence[Route],
    sizes: Sequence[tuple[float, float]],
    widths: Sequence[float],
    nodes: Mapping[str, Node],
    taken: Sequence[Box],
    room: tuple[float, float, float, float],
) -> list[tuple[Box, bool]]:
    """Where the label of each arrow stands, and whether it had to stay on a line (then it needs a background).

    Candidates run along both sides of the arrow; the cheapest is kept: away from nodes, captions, other labels and
    all lines, near the middle. Three passes in a fixed order.

    Parameters:
        courses: the arrows. sizes: half width and half height of each label. widths: stroke widths.
        nodes: ellipses. taken: boxes already used. room: x0, y0, x1, y1.

    Returns:
        (box, on a line) per arrow.
    """
    lines = list(zip(courses, widths, strict=True))
    options = [_spots(r, s, w) for r, s, w in zip(courses, sizes, widths, strict=True)]
    fixed = []
    for i, choices in enumerate(options):
        boxes = [b for _, b in choices]
        crossed = _on_lines(boxes, lines, 2.5) + 0.2 * _on_lines(boxes, lines[:i] + lines[i + 1 :], 9)
        fixed.append(
            [
                away + on + _on_nodes(b, nodes, 4) + _on_boxes(b, taken, 9) + _outside(b, room)
                for (away, b), on in zip(choices, crossed, strict=True)
            ]
        )
    best = [int(np.argmin(costs)) for costs in fixed]
    for _ in range(3):
        before = list(best)
        for i, choices in enumerate(options):
            others = [options[j][best[j]][1] for j in range(len(options)) if j != i]
            cheap = min(fixed[i]) + 200
            totals = [
                cost + _on_boxes(b, others, 3) if cost < cheap else cost
                for cost, (_, b) in zip(fixed[i], choices, strict=True)
            ]
            best[i] = int(np.argmin(np.round(totals, 6)))
        if best == before:
            break
    boxes = [options[i][best[i]][1] for i in range(len(options))]
    return list(zip(boxes, [bool(c > 0) for c in _on_lines(boxes, lines, 0)], strict=True))


def _spots(route: Route, size: tuple[float, float], width: float) -> list[tuple[float, Box]]:
    """Candidate boxes beside the arrow, each with the cost of being away from the middle."""
    w, h = size
    spots = []
    for part in (0.5, 0.44, 0.56, 0.38, 0.62, 0.32, 0.68, 0.26, 0.74, 0.2, 0.8):
        i = round(part * (_SAMPLES - 1))
        x, y = route.points[i]
        dx, dy = route.points[min(i + 1, _SAMPLES - 1)] - route.points[max(i - 1, 0)]
        length = math.hypot(dx, dy) or 1
        nx, ny = -dy / length, dx / length
        for extra in (0, 6, 12):
            reach = abs(nx) * w + abs(ny) * h + width / 2 + 4 + extra
            for side in (-1, 1):
                upper = side * ny <= 0
                inner = route.bend * side < 0
                cost = 14 * abs(part - 0.5) + 0.35 * extra + (0 if upper else 0.6) + (3 if inner else 0)
                spots.append((cost, Box(float(x + side * nx * reach), float(y + side * ny * reach), w, h)))
    return spots


def _on_lines(boxes: Sequence[Box], lines: Sequence[tuple[Route, float]], gap: float) -> Array:
    """Cost of touching arrows, per box grown by half the stroke and `gap`: 30 an arrow and its depth in the box."""
    if not boxes or not lines:
        return np.zeros(len(boxes))
    points = np.stack([r.points for r, _ in lines])
    points = np.concatenate([points, (points[:, :-1] + points[:, 1:]) / 2], axis=1)
    grown = np.array([width / 2 + gap for _, width in lines])[None, :, None]
    held = np.array([(b.x, b.y, b.w, b.h) for b in boxes])[:, :, None, None]
    depth_x = held[:, 2] + grown - np.abs(points[None, :, :, 0] - held[:, 0])
    depth_y = held[:, 3] + grown - np.abs(points[None, :, :, 1] - held[:, 1])
    depth = np.minimum(depth_x, depth_y).max(axis=2)
    cost: Array = np.where(depth > 0, 30 + 2 * depth, 0).sum(axis=1)
    return cost


def _on_nodes(box: Box, nodes: Mapping[str, Node], gap: float) -> float:
    cost = 0.0
    for node in nodes.values():
        dx = max(abs(box.x - node.x) - box.w, 0) / (node.rx + gap)
        dy = max(abs(box.y - node.y) - box.h, 0) / (node.ry + gap)
        near = math.hypot(dx, dy)
        cost += 60 * (1.2 - near) if near < 1 else 0
    return cost


def _on_boxes(box: Box, others: Sequence[Box], gap: float) -> float:
    return sum(25 + box.overlap(other, gap) / 20 for other in others if box.overlap(other, gap) > 0)


def _outside(box: Box, room: tuple[float, float, float, float]) -> float:
    x = max(room[0] - box.x + box.w, 0) + max(box.x + box.w - room[2], 0)
    return 10 * x + 0.3 * (max(room[1] - box.y + box.h, 0) + max(box.y + box.h - room[3], 0))
