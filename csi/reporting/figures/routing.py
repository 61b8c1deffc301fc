"""Where arrows run and where their labels stand: round other nodes, few crossings, no label on a line or a node."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_SAMPLES = 33
_FURTHER = (
    *((1.55 * t, k, -3.0, 4.5 + (k < 0) / 2) for t in (1, -1) for k in (1, -1)),
    *((float(t), k, 13.0, 5.0 + abs(t) / 2 + (k < 0)) for t in (0, 1, -1) for k in (1, -1)),
)
"""Further places of a caption: aside in parts of the node, below (1) or above (-1), lifted off it, and the cost."""
_T = np.linspace(0, 1, _SAMPLES)
_BASIS = np.stack([(1 - _T) ** 2, 2 * _T * (1 - _T), _T**2], axis=1)
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
    choices, alone = _options(nodes, arrows, room)
    best = [int(np.argmin(costs)) for costs in alone]
    order = sorted(range(len(arrows)), key=lambda i: (-float(np.min(alone[i])), i))
    kin = [[bool(set(a) & set(b)) for b in arrows] for a in arrows]
    known: list[dict[tuple[int, int], Array]] = [{} for _ in arrows]
    for _ in range(3):
        before = list(best)
        for i in order:
            beside = [(j, best[j]) for j in range(len(arrows)) if j != i]
            fresh = [pair for pair in beside if pair not in known[i]]
            costs = _shared_costs(
                choices[i], [choices[j][k] for j, k in fresh], np.array([kin[i][j] for j, _ in fresh])
            )
            known[i].update(zip(fresh, costs.T, strict=True))
            shared = sum((known[i][pair] for pair in beside), np.zeros(len(_BENDS)))
            best[i] = int(np.argmin(np.round(alone[i] + shared, 6)))
        if best == before:
            break
    return [choices[i][best[i]] for i in range(len(arrows))]


def lone_routes(
    nodes: Mapping[str, Node], arrows: Sequence[tuple[str, str]], room: tuple[float, float, float, float]
) -> list[Route]:
    """The same, each arrow by itself: quickly, whether there is a way round everything."""
    choices, alone = _options(nodes, arrows, room)
    return [options[int(np.argmin(costs))] for options, costs in zip(choices, alone, strict=True)]


def _options(
    nodes: Mapping[str, Node], arrows: Sequence[tuple[str, str]], room: tuple[float, float, float, float]
) -> tuple[list[list[Route]], list[Array]]:
    """The courses every arrow can take, and what each costs by itself."""
    choices = [[_course(nodes[a], nodes[b], bend) for bend in _BENDS] for a, b in arrows]
    return choices, [_own_costs(options, nodes, arrow, room) for arrow, options in zip(arrows, choices, strict=True)]


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
    curve: Array = _BASIS @ np.array((start, control, end))
    return curve


def _border(node: Node, towards: tuple[float, float], gap: float) -> tuple[float, float]:
    """The point `gap` outside the ellipse on the ray from its centre."""
    dx, dy = towards[0] - node.x, towards[1] - node.y
    length = math.hypot(dx / (node.rx + gap), dy / (node.ry + gap)) or 1
    return node.x + dx / length, node.y + dy / length


def _own_costs(
    options: Sequence[Route], nodes: Mapping[str, Node], arrow: tuple[str, str], room: tuple[float, float, float, float]
) -> Array:
    """What each course of one arrow costs by itself, (c,): its bend, nodes in its way, leaving the drawing."""
    bend = np.abs([r.bend for r in options])
    cost = 45 * bend + 120 * bend**2 + np.where(bend > 0, 4, 0)
    points = np.stack([r.points for r in options])
    x, y = points[:, :, 0], points[:, :, 1]
    held = np.array([(n.x, n.y, n.rx, n.ry) for name, n in nodes.items() if name not in arrow])
    if held.size:
        dx, dy = x[:, None] - held[None, :, 0, None], y[:, None] - held[None, :, 1, None]
        rx, ry = held[None, :, 2, None], held[None, :, 3, None]
        near = np.hypot(dx / (rx + 16), dy / (ry + 20)).min(axis=2)
        inside = np.hypot(dx / (rx + 6), dy / (ry + 8)).min(axis=2)
        cost = cost + (np.where(inside < 1, 400, 0) + np.where(near < 1, 120 * (1 - near) + 15, 0)).sum(axis=1)
    outside = np.maximum(room[0] - x, 0) + np.maximum(x - room[2], 0)
    above = np.maximum(room[1] - y, 0) + np.maximum(y - room[3], 0)
    whole: Array = cost + 3 * outside.max(axis=1) + 0.4 * above.max(axis=1)
    return whole


def _shared_costs(choices: Sequence[Route], others: Sequence[Route], kin: npt.NDArray[np.bool_]) -> Array:
    """What each choice costs beside the other arrows: crossings, and stretches closer than 14 units.

    Parameters:
        choices: courses of one arrow, c of them. others: the current course of every other arrow, m of them.
        kin: (m,) whether the other arrow shares an end; such a pair may run close but should not cross.

    Returns:
        (c, m).
    """
    if not others:
        return np.zeros((len(choices), 0))
    p = np.stack([r.points[::2] for r in choices])[:, None]
    q = np.stack([r.points[::2] for r in others])[None]
    gaps = np.hypot(p[:, :, :, None, 0] - q[:, :, None, :, 0], p[:, :, :, None, 1] - q[:, :, None, :, 1]).min(axis=3)
    close = (gaps[:, :, 2:-2] < 14).mean(axis=2)
    heads = np.hypot(*np.moveaxis(p[:, :, -1] - q[:, :, -1], -1, 0))
    cost: Array = close * np.where(kin, 20, 40) + _crossings(p, q) * np.where(kin, 30, 18) + 9 * (heads < 15)
    return cost


def _crossings(p: Array, q: Array) -> Array:
    """How often polylines cross, (c, m), for p (c, 1, n, 2) and q (1, m, n, 2)."""
    of_q = _sides(p[:, :, :-1, None], p[:, :, 1:, None], q[:, :, None])
    of_p = _sides(q[:, :, None, :-1], q[:, :, None, 1:], p[:, :, :, None])
    apart = (of_q[..., 1:] != of_q[..., :-1]) & (of_p[:, :, 1:] != of_p[:, :, :-1])
    counted: Array = apart.sum(axis=(2, 3)).astype(float)
    return counted


def _sides(a: Array, b: Array, c: Array) -> npt.NDArray[np.bool_]:
    """Whether points c are on the right of the way from a to b."""
    way = b - a
    right: npt.NDArray[np.bool_] = way[..., 0] * (c[..., 1] - a[..., 1]) - way[..., 1] * (c[..., 0] - a[..., 0]) > 0
    return right


def place_captions(
    nodes: Mapping[str, Node],
    sizes: Mapping[str, tuple[float, float]],
    lines: Sequence[tuple[Route, float]],
    room: tuple[float, float, float, float],
    taken: Sequence[Box] = (),
) -> dict[str, Box]:
    """Where the small caption of each node stands: below, above or beside, whichever is free of arrows and `taken`."""
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
            *((cost, Box(node.x + t * part, node.y + k * (near + lift), w, h)) for t, k, lift, cost in _FURTHER),
        ]
        held = as_array([b for _, b in spots])
        costs = np.array([cost for cost, _ in spots]) + on_lines(held, lines, 6) + on_nodes(held, nodes, 3)
        costs = costs + _on_boxes(held, as_array([*taken, *placed.values()]), 4) + _outside(held, room)
        placed[name] = spots[int(np.argmin(costs))][1]
    return placed


def place_labels(
    courses: Sequence[Route],
    sizes: Sequence[tuple[float, float]],
    widths: Sequence[float],
    nodes: Mapping[str, Node],
    taken: Sequence[Box],
    room: tuple[float, float, float, float],
    beside: Sequence[tuple[Route, float]] = (),
) -> list[tuple[Box, bool]]:
    """Where the label of each arrow stands, and whether it had to stay on a line (then it needs a background).

    Candidates run along both sides of the arrow; the cheapest is kept: away from nodes, captions, other labels and
    all lines, near the middle. Three passes in a fixed order.

    Parameters:
        courses: the arrows. sizes: half width and half height of each label. widths: stroke widths.
        nodes: ellipses. taken: boxes already used. room: x0, y0, x1, y1.
        beside: further lines and their widths, without labels.

    Returns:
        (box, on a line) per arrow.
    """
    lines = [*zip(courses, widths, strict=True), *beside]
    options = [_spots(r, s, w) for r, s, w in zip(courses, sizes, widths, strict=True)]
    held = [as_array([b for _, b in choices]) for choices in options]
    fixed = []
    for i, (own, choices) in enumerate(zip(held, options, strict=True)):
        crossed = on_lines(own, lines, 2.5) + 0.2 * on_lines(own, lines[:i] + lines[i + 1 :], 9)
        away = np.array([cost for cost, _ in choices])
        still = _on_boxes(own, as_array(taken), 9) + _outside(own, room)
        fixed.append(away + crossed + on_nodes(own, nodes, 4) + still)
    best = [int(np.argmin(costs)) for costs in fixed]
    for _ in range(3):
        before = list(best)
        for i, own in enumerate(held):
            others = [held[j][best[j]] for j in range(len(held)) if j != i]
            if others:
                best[i] = int(np.argmin(np.round(fixed[i] + _on_boxes(own, np.stack(others), 3), 6)))
        if best == before:
            break
    boxes = [options[i][best[i]][1] for i in range(len(options))]
    return list(zip(boxes, [bool(c > 0) for c in on_lines(as_array(boxes), lines, 0)], strict=True))


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


def as_array(boxes: Sequence[Box]) -> Array:
    """(s, 4): centres and half sides."""
    return np.array([(b.x, b.y, b.w, b.h) for b in boxes], dtype=np.float64).reshape(-1, 4)


def on_lines(boxes: Array, lines: Sequence[tuple[Route, float]], gap: float) -> Array:
    """Cost of touching arrows, per box grown by half the stroke and `gap`: 30 an arrow and its depth in the box."""
    if not boxes.size or not lines:
        return np.zeros(len(boxes))
    points = np.stack([r.points for r, _ in lines])
    points = np.concatenate([points, (points[:, :-1] + points[:, 1:]) / 2], axis=1)
    grown = np.array([width / 2 + gap for _, width in lines])[None, :, None]
    held = boxes[:, :, None, None]
    depth_x = held[:, 2] + grown - np.abs(points[None, :, :, 0] - held[:, 0])
    depth_y = held[:, 3] + grown - np.abs(points[None, :, :, 1] - held[:, 1])
    depth = np.minimum(depth_x, depth_y).max(axis=2)
    cost: Array = np.where(depth > 0, 30 + 2 * depth, 0).sum(axis=1)
    return cost


def on_nodes(boxes: Array, nodes: Mapping[str, Node], gap: float) -> Array:
    """Cost of touching nodes, per box."""
    x, y, w, h = boxes.T[:, :, None]
    held = np.array([(n.x, n.y, n.rx, n.ry) for n in nodes.values()]).T[:, None]
    near = np.hypot(
        np.maximum(np.abs(x - held[0]) - w, 0) / (held[2] + gap),
        np.maximum(np.abs(y - held[1]) - h, 0) / (held[3] + gap),
    )
    return np.asarray(np.where(near < 1, 25 + 60 * (1.2 - near), 0).sum(axis=1))


def _on_boxes(boxes: Array, others: Array, gap: float) -> Array:
    """Cost of overlapping other boxes grown by `gap`, per box."""
    x, y, w, h = boxes.T[:, :, None]
    a, b, c, d = others.T[:, None]
    shared = np.maximum(w + c + gap - np.abs(x - a), 0) * np.maximum(h + d + gap - np.abs(y - b), 0)
    return np.asarray(np.where(shared > 0, 25 + shared / 20, 0).sum(axis=1))


def _outside(boxes: Array, room: tuple[float, float, float, float]) -> Array:
    """Cost of leaving the drawing, per box."""
    x, y, w, h = boxes.T
    aside = np.maximum(room[0] - x + w, 0) + np.maximum(x + w - room[2], 0)
    return np.asarray(10 * aside + 0.3 * (np.maximum(room[1] - y + h, 0) + np.maximum(y + h - room[3], 0)))
