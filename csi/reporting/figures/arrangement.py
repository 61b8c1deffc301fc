"""Where everything in a path diagram stands: constructs, the plates of their items, arrows, captions and labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from csi.reporting import style
from csi.reporting.figures.plates import GAP, THIN, Plate, crossed, link, obstacles, placed, straight
from csi.reporting.figures.routing import (
    Box,
    Node,
    Route,
    as_array,
    lone_routes,
    on_lines,
    on_nodes,
    place_captions,
    place_labels,
    routes,
)
from csi.reporting.layouts import Place, complete
from csi.reporting.text_width import text_width

_TURNED = 0.75


@dataclass(frozen=True, slots=True)
class Arrow:
    """One path as drawn: coefficient and interval as text, its width, and whether it is firm."""

    start: str
    end: str
    value: str
    interval: str
    width: float
    firm: bool


@dataclass(frozen=True, slots=True)
class Bubble:
    """One construct as drawn: its label lines, the number below them, and the share of its ring."""

    name: str
    lines: tuple[str, ...]
    number: str
    r2: float | None


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Ellipses and plates by construct, one route and one label per arrow, the captions, and the drawing's width.

    `labels`: where each stands and whether it had to stay on a line. `clear`: whether no words stand on anything.
    """

    nodes: Mapping[str, Node]
    plates: Mapping[str, Box]
    routes: Sequence[Route]
    captions: Mapping[str, Box]
    labels: Sequence[tuple[Box, bool]]
    width: int
    clear: bool


def arranged(
    bubbles: Sequence[Bubble],
    arrows: Sequence[Arrow],
    layout: Mapping[str, Place],
    plates: Mapping[str, Plate],
    lang: str,
    width: int,
) -> Arrangement:
    """The arrangement in the width wanted; where that is too narrow, from top to bottom, and at last in full width."""
    places = complete([b.name for b in bubbles], [(a.start, a.end) for a in arrows], layout)
    first = _in_width(bubbles, arrows, places, plates, lang, width)
    if first.clear or width >= style.FULL:
        return first
    turned = {n: (y, _TURNED * x) for n, (x, y) in places.items()}
    second = _in_width(bubbles, arrows, turned, plates, lang, width)
    return second if second.clear else _in_width(bubbles, arrows, places, plates, lang, style.FULL)


def captioned(bubbles: Sequence[Bubble], lang: str) -> dict[str, str]:
    """What stands beside each construct that something leads to."""
    return {b.name: "R² = " + style.coefficient(b.r2, lang) for b in bubbles if b.r2 is not None}


def _in_width(
    bubbles: Sequence[Bubble],
    arrows: Sequence[Arrow],
    places: Mapping[str, Place],
    plates: Mapping[str, Plate],
    lang: str,
    width: int,
) -> Arrangement:
    """Rows move apart until no words stand on words, nodes or lines, as far as that helps."""
    ways, said = [(a.start, a.end) for a in arrows], captioned(bubbles, lang)
    for step in range(4):
        nodes, beside, found = _arranged(bubbles, places, plates, ways, lang, (width, 1.12**step))
        captions, spots = _worded(nodes, beside, found, arrows, said, lang, width)
        boxes = [*captions.values(), *(s for s, _ in spots)]
        lines = [*((r, a.width) for r, a in zip(found, arrows, strict=True)), *_links(nodes, beside)]
        clear = _apart(boxes) and not any(covers for _, covers in spots)
        clear = clear and not on_lines(as_array(list(captions.values())), lines, 0).any()
        clear = clear and not crossed(beside, [r.points for r in found]) and not _on_anything(boxes, nodes, ways, found)
        if clear:
            break
    return Arrangement(nodes, beside, found, captions, spots, width, clear)


def _on_anything(
    boxes: Sequence[Box], nodes: Mapping[str, Node], ways: Sequence[tuple[str, str]], found: Sequence[Route]
) -> bool:
    """Whether words stand on a construct, a construct on another, or an arrow runs through one it does not join."""
    held = list(nodes.values())
    pairs = [(a, b) for i, a in enumerate(held) for b in held[:i]]
    if boxes and on_nodes(as_array(boxes), nodes, 0).any():
        return True
    if any(np.hypot((a.x - b.x) / (a.rx + b.rx), (a.y - b.y) / (a.ry + b.ry)) < 1 for a, b in pairs):
        return True
    return any(
        bool((np.hypot((r.points[:, 0] - n.x) / n.rx, (r.points[:, 1] - n.y) / n.ry) < 1).any())
        for way, r in zip(ways, found, strict=True)
        for name, n in nodes.items()
        if name not in way
    )


def _worded(
    nodes: Mapping[str, Node],
    beside: Mapping[str, Box],
    found: Sequence[Route],
    arrows: Sequence[Arrow],
    said: Mapping[str, str],
    lang: str,
    width: int,
) -> tuple[dict[str, Box], list[tuple[Box, bool]]]:
    """Where R² and the labels of arrows stand."""
    every, room = {**nodes, **obstacles(beside)}, _room(nodes, beside, width)
    links = _links(nodes, beside)
    lines = [*((r, a.width) for r, a in zip(found, arrows, strict=True)), *links]
    wide = {n: (text_width(t, 11.5) / 2, 6.5) for n, t in said.items()}
    captions = place_captions(every, wide, lines, room, list(beside.values()))
    sizes = [_label_size(a, lang) for a in arrows]
    taken = [*captions.values(), *beside.values()]
    return captions, place_labels(found, sizes, [a.width for a in arrows], every, taken, room, links)


def _links(nodes: Mapping[str, Node], beside: Mapping[str, Box]) -> list[tuple[Route, float]]:
    """The thin arrows between constructs and the plates of their items."""
    return [(link(box, nodes[n]), THIN) for n, box in beside.items()]


def _apart(boxes: Sequence[Box]) -> bool:
    """Whether no words stand on words."""
    return not any(one.overlap(other) for i, one in enumerate(boxes) for other in boxes[:i])


def _arranged(
    bubbles: Sequence[Bubble],
    places: Mapping[str, tuple[float, float]],
    plates: Mapping[str, Plate],
    ways: Sequence[tuple[str, str]],
    lang: str,
    size: tuple[int, float],
) -> tuple[dict[str, Node], dict[str, Box], list[Route]]:
    """Constructs, plates of their items, and arrows: rows move apart until no plate stands on a node or an arrow."""
    sizes = {n: plate.size(lang) for n, plate in plates.items() if n in places}
    inset = 2 * max((w for w, _ in sizes.values()), default=0.0) + GAP if sizes else 0.0
    width, stretch = size
    for step in range(7):
        nodes = _ellipses(bubbles, places, lang, width, (stretch * 1.15**step, inset))
        courses = straight(nodes, ways)
        for _ in range(3):
            beside, clear = placed(nodes, sizes, courses, width)
            if not clear:
                break
            every, room = {**nodes, **obstacles(beside)}, _room(nodes, beside, width)
            courses = [r.points for r in lone_routes(every, ways, room)] if sizes else []
            if not crossed(beside, courses):
                found = routes(every, ways, room)
                if not crossed(beside, [r.points for r in found]):
                    return nodes, beside, found
    return nodes, beside, routes({**nodes, **obstacles(beside)}, ways, _room(nodes, beside, width))


def _room(nodes: Mapping[str, Node], beside: Mapping[str, Box], width: int) -> tuple[float, float, float, float]:
    """Where arrows and labels may be: 80 units above and below what stands."""
    top = min([*(n.y - n.ry for n in nodes.values()), *(b.y - b.h for b in beside.values())])
    foot = max([*(n.y + n.ry for n in nodes.values()), *(b.y + b.h for b in beside.values())])
    return 4.0, top - 80, width - 4.0, foot + 80


def _ellipses(
    bubbles: Sequence[Bubble],
    places: Mapping[str, tuple[float, float]],
    lang: str,
    width: int,
    room: tuple[float, float],
) -> dict[str, Node]:
    """All of one size, from the widest label; the grid stretched to the width, rows a comfortable distance apart.

    Parameters:
        bubbles, places, lang, width: of the drawing. room: how much further apart rows stand, and what is left free at
            either side where columns do not get too close.
    """
    widest = max(text_width(line, 13, bold=True, lang=lang) for b in bubbles for line in b.lines)
    tall = max(len(b.lines) for b in bubbles) > 1
    ry = 41.0 if tall else 35.0
    rx = max(54.0, (widest / 2 + 7) / (0.80 if tall else 0.86))
    xs = sorted({x for x, _ in places.values()})
    top = min(y for _, y in places.values())
    columns = (xs[-1] - xs[0]) or 1
    stretch, inset = room
    gaps = sorted(b - a for a, b in pairwise(xs)) or [0.0]
    span = width - 2 * rx - 16
    if (span - 2 * inset) / columns * gaps[len(gaps) // 2] < 2 * rx + 60:
        inset = 0.0
    across = (span - 2 * inset) / columns
    unit = 1.0 if columns > 20 else 132.0
    unit = stretch * max(unit, _stretch(places, across, rx, ry))
    left = rx + 8 + inset if len(xs) > 1 else width / 2
    return {
        b.name: Node(left + (places[b.name][0] - xs[0]) * across, ry + 8 + (places[b.name][1] - top) * unit, rx, ry)
        for b in bubbles
    }


def _stretch(places: Mapping[str, tuple[float, float]], across: float, rx: float, ry: float) -> float:
    """The vertical unit that keeps ellipses standing over each other apart."""
    held = list(places.values())
    gaps = [
        abs(a[1] - b[1])
        for i, a in enumerate(held)
        for b in held[:i]
        if abs(a[0] - b[0]) * across < 2 * rx + 10 and a[1] != b[1]
    ]
    return (2 * ry + 20) / min(gaps) if gaps else 0.0


def _label_size(arrow: Arrow, lang: str) -> tuple[float, float]:
    wide = max(text_width(arrow.value, 14, bold=True), text_width(arrow.interval, 10.5, lang=lang))
    return wide / 2 + 1, 14.0 if arrow.interval and arrow.value else 8.0
