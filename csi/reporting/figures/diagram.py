"""The path diagram: constructs as ellipses ringed by R², arrows as wide as their coefficients."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import polars as pl

from csi.errors import Text
from csi.models.card import Block, Card
from csi.models.model import Model
from csi.reporting import style, svg
from csi.reporting.figures.arrangement import Arrow, Bubble, arranged, captioned
from csi.reporting.figures.cells import known, say
from csi.reporting.figures.path_list import path_list
from csi.reporting.figures.plates import Plate
from csi.reporting.figures.routing import Box, Node, Route

_OPTIONAL = Text("optional", "可选")
_SHOWN = ("item", "loading", "weak")


def path_diagram(
    paths: pl.DataFrame,
    nodes: pl.DataFrame,
    *,
    lang: str,
    labels: Mapping[str, Text],
    layout: Mapping[str, tuple[float, float]] | None = None,
    target: str = "",
    finding: str = "",
    width: int = style.FULL,
    items: pl.DataFrame | None = None,
) -> str:
    """Arrows with coefficients and intervals between constructs with their index and R²; below 508 units a list.

    With `items` the full view: each construct's items with their loadings on a plate beside it.

    Parameters:
        paths: `predictor`, `outcome`, `estimate`, `conf_low`, `conf_high`, `significant`; standardised.
        nodes: `construct`, `index` (0-100 or null), `r2` (null for causes only).
        lang: "zh" or "en".
        labels: construct names.
        layout: {construct: (x, y)}, y downwards; layered where absent or incomplete.
        target: the construct filled with the focal colour.
        finding: the sentence read aloud.
        width: 1040, or 360 for the list.
        items: `construct`, `item`, `loading` (printed), `weak` (bold, in the warning colour), `formative` (the items
            make the construct: their weights stand in `loading`, and the thin arrow points to the construct).

    Returns:
        SVG.

    Example:
        >>> paths = pl.DataFrame({"predictor": ["a"], "outcome": ["b"], "estimate": [0.5], "conf_low": [0.4],
        ...                       "conf_high": [0.6], "significant": [True]})
        >>> nodes = pl.DataFrame({"construct": ["a", "b"], "index": [70.0, 71.0], "r2": [None, 0.25]})
        >>> path_diagram(paths, nodes, lang="en", labels={}).count("<ellipse")
        2
    """
    if width < style.HALF:
        return path_list(paths, nodes, lang=lang, labels=labels, target=target, finding=finding, width=width)
    rows = paths.select("predictor", "outcome", "estimate", "conf_low", "conf_high", "significant").iter_rows()
    arrows = [_arrow(*row, lang=lang) for row in rows]
    facts = nodes.select("construct", "index", "r2").rows()
    bubbles = [
        Bubble(
            name,
            _label_lines(say(name, labels, lang), lang),
            style.score(index) if known(index) else "",
            r2 if known(r2) else None,
        )
        for name, index, r2 in facts
    ]
    return _draw(bubbles, arrows, layout or {}, target, lang, finding, width, _plates(items, lang))


def _plates(items: pl.DataFrame | None, lang: str) -> dict[str, Plate]:
    """The plate of every construct that has items."""
    if items is None:
        return {}
    return {
        str(name): Plate(
            tuple((i, style.coefficient(v, lang), bool(weak)) for i, v, weak in own.select(*_SHOWN).iter_rows()),
            bool(own["formative"].any()),
        )
        for (name,), own in items.group_by("construct", maintain_order=True)
    }


def model_diagram(
    model: Model,
    *,
    lang: str,
    finding: str = "",
    target: str = "satisfaction",
    width: int = style.FULL,
    full: bool = False,
) -> str:
    """The claim alone: constructs with their number of items, arrows with the expected sign, optional ones dashed.

    Parameters:
        model: a parsed model or a card's.
        lang: "zh" or "en".
        finding: the sentence read aloud.
        target: the construct filled with the focal colour.
        width: of the drawing.
        full: with the items of each construct.

    Returns:
        SVG.
    """
    bubbles = []
    for one in model.constructs:
        size = len(one.items)
        counted = {"zh": f"{size} 个题项", "en": f"{size} item{'' if size == 1 else 's'}"}[lang] if size else ""
        bubbles.append(Bubble(one.name, _label_lines(say(one.name, model.labels, lang), lang), counted, None))
    arrows = [_claimed(p.predictor.name, p.outcome, p.sign, lang, optional=p.optional) for p in model.paths]
    arrows += _made_of(model)
    names = set(model.names)
    plates = {
        c.name: Plate(tuple((i, "", False) for i in c.items), c.operator == "<~")
        for c in model.constructs
        if full and c.items and not names & set(c.items)
    }
    return _draw(bubbles, arrows, model.layout, target, lang, finding, width, plates)


def card_diagram(card: Card, *, lang: str, width: int = style.FULL) -> str:
    """A card of the model library: constructs with their item counts, expected signs, optional arrows dashed.

    Parameters:
        card: from `read_card`.
        lang: "zh" or "en".
        width: of the drawing.

    Returns:
        SVG.

    Example:
        >>> from csi.models.cards import read_card
        >>> card_diagram(read_card("acsi"), lang="en").count("<ellipse")
        6
    """
    bubbles = [
        Bubble(name, _label_lines(block.zh if lang == "zh" else block.en, lang), _counted(block, lang), None)
        for name, block in card.constructs.items()
    ]
    arrows = [_claimed(a.predictor, a.outcome, a.sign, lang, optional=a.optional) for a in card.arrows]
    arrows += [_made(name, part, formative=b.mode == "B") for name, b in card.constructs.items() for part in b.of]
    return _draw(bubbles, arrows, card.layout, card.index.target, lang, card.title.say(lang), width)


def _counted(block: Block, lang: str) -> str:
    return block.count(lang).replace("-", "–") if block.items else ""


def _claimed(start: str, end: str, sign: str, lang: str, *, optional: bool) -> Arrow:
    """An arrow without a number: its sign, or that it may be left out."""
    shown = {"+": "+", "-": style.MINUS, "": "±"}[sign]
    return Arrow(start, end, shown, _OPTIONAL.say(lang) if optional else "", 2.2, not optional)


def _made(whole: str, part: str, *, formative: bool) -> Arrow:
    """A thin line between a construct and one that it is made of: from the whole where it shows in its parts."""
    start, end = (part, whole) if formative else (whole, part)
    return Arrow(start, end, "", "", 1.3, firm=True)


def _made_of(model: Model) -> list[Arrow]:
    """Lines of every construct that is made of constructs."""
    names = set(model.names)
    return [_made(c.name, p, formative=c.operator == "<~") for c in model.constructs for p in c.items if p in names]


def _arrow(
    start: str,
    end: str,
    value: float | None,
    low: float | None,
    high: float | None,
    significant: bool | None,
    *,
    lang: str,
) -> Arrow:
    size = abs(value) if value is not None and known(value) else 0
    firm = bool(significant)
    thick = 1.2 + 7.2 * min(size, 1) if firm else 1.3
    return Arrow(start, end, style.coefficient(value, lang), style.span(low, high, lang, of="coefficient"), thick, firm)


def _label_lines(label: str, lang: str) -> tuple[str, ...]:
    """On one line when short, else on two; wider ones first widen the ellipse, then lose their end."""
    for limit in (104, 118, 134, 150):
        rows = svg.wrap(label, limit, 13, bold=True, lang=lang)
        if not rows[-1].endswith("…"):
            break
    return tuple(rows)


def _draw(
    bubbles: Sequence[Bubble],
    arrows: Sequence[Arrow],
    layout: Mapping[str, tuple[float, float]],
    target: str,
    lang: str,
    finding: str,
    width: int,
    plates: Mapping[str, Plate] | None = None,
) -> str:
    made = arranged(bubbles, arrows, layout, plates or {}, lang, width)
    nodes, beside, found, captions, spots = made.nodes, made.plates, made.routes, made.captions, made.labels
    taken = [*captions.values(), *beside.values()]
    parts = [mark for n, box in beside.items() for mark in (plates or {})[n].marks(box, nodes[n], lang)]
    for arrow, route in sorted(zip(arrows, found, strict=True), key=lambda pair: pair[0].firm):
        parts += _arrow_marks(arrow, route)
    for bubble in bubbles:
        parts += _bubble_marks(bubble, nodes[bubble.name], filled=bubble.name == target)
    said = captioned(bubbles, lang)
    for name, spot in captions.items():
        parts.append(svg.words(spot.x, spot.y + 4, said[name], size=11.5, fill=style.MUTED, anchor="middle"))
    for arrow, (spot, covers) in zip(arrows, spots, strict=True):
        parts += _label_marks(arrow, spot, covers=covers)
    return _cropped(parts, nodes, found, [*taken, *(s for s, _ in spots)], lang, finding, made.width)


def _arrow_marks(arrow: Arrow, route: Route) -> list[str]:
    """The line ends where the head begins; the head grows with the line."""
    head = 7 + 1.35 * arrow.width
    half = 3.2 + 0.78 * arrow.width
    (cx, cy), (ex, ey) = route.control, route.end
    length = math.hypot(ex - cx, ey - cy) or 1
    ux, uy = (ex - cx) / length, (ey - cy) / length
    base = (ex - ux * head * 0.92, ey - uy * head * 0.92)
    colour = style.STEEL if arrow.firm else style.FAINT
    course = (
        f"M{_xy(route.start)}Q{_xy(route.control)} {_xy(base)}" if route.bend else f"M{_xy(route.start)}L{_xy(base)}"
    )
    tip = f"{arrow.value} ({arrow.interval})" if arrow.interval else arrow.value
    wing = (ex - ux * head, ey - uy * head)
    return [
        svg.element(
            "path",
            svg.title(tip),
            d=course,
            fill="none",
            stroke=colour,
            stroke_width=arrow.width,
            stroke_dasharray=None if arrow.firm else "5 4",
        ),
        svg.polygon(
            [route.end, (wing[0] - uy * half, wing[1] + ux * half), (wing[0] + uy * half, wing[1] - ux * half)], colour
        ),
    ]


def _bubble_marks(bubble: Bubble, node: Node, *, filled: bool) -> list[str]:
    fill, track, arc = (
        (style.FOCAL, style.FOCAL_PALE, style.FOCAL_DARK) if filled else ("#ffffff", style.TRACK, style.STEEL)
    )
    ink = "#ffffff" if filled else style.INK
    parts = [
        svg.element("ellipse", cx=node.x, cy=node.y, rx=node.rx, ry=node.ry, fill=fill, stroke=track, stroke_width=5)
    ]
    if bubble.r2 is not None and bubble.r2 > 0:
        parts.append(_ring(node, min(bubble.r2, 0.9999), arc))
    rows = len(bubble.lines)
    big = bool(bubble.number) and bubble.number[0].isdigit() and "." in bubble.number
    first = node.y + 4.5 - (7.5 * (rows - 1)) - (11 if big else 8 if bubble.number else 0)
    for i, row in enumerate(bubble.lines):
        parts.append(svg.words(node.x, first + 15.5 * i, row, size=13, fill=ink, bold=filled, anchor="middle"))
    if bubble.number:
        last = first + 15.5 * (rows - 1)
        if big:
            parts.append(svg.words(node.x, last + 23, bubble.number, size=21, fill=ink, bold=True, anchor="middle"))
        else:
            tone = "#ffffff" if filled else style.MUTED
            parts.append(svg.words(node.x, last + 17, bubble.number, size=11.5, fill=tone, anchor="middle"))
    return parts


def _ring(node: Node, part: float, colour: str) -> str:
    """An arc of `part` of the ellipse's length, clockwise from nine o'clock."""
    count = 720
    turn = [math.pi + 2 * math.pi * i / count for i in range(count + 1)]
    spots = [(node.x + node.rx * math.cos(a), node.y + node.ry * math.sin(a)) for a in turn]
    lengths = [math.dist(a, b) for a, b in pairwise(spots)]
    goal, done, i = part * sum(lengths), 0.0, 0
    while i < count and done + lengths[i] <= goal:
        done += lengths[i]
        i += 1
    large = 1 if i > count / 2 else 0
    course = f"M{_xy(spots[0])}A{svg.number(node.rx)} {svg.number(node.ry)} 0 {large} 1 {_xy(spots[i])}"
    return svg.element("path", d=course, fill="none", stroke=colour, stroke_width=5)


def _label_marks(arrow: Arrow, spot: Box, *, covers: bool) -> list[str]:
    parts = []
    if covers:
        parts.append(svg.box(spot.x - spot.w - 2, spot.y - spot.h, 2 * spot.w + 4, 2 * spot.h, style.PAPER, radius=3))
    ink = style.INK if arrow.firm else style.MUTED
    if arrow.value and arrow.interval:
        parts.append(svg.words(spot.x, spot.y, arrow.value, size=14, fill=ink, bold=True, anchor="middle"))
        parts.append(svg.words(spot.x, spot.y + 12.5, arrow.interval, size=10.5, fill=style.MUTED, anchor="middle"))
    else:
        only = arrow.value or arrow.interval
        small = 14 if arrow.value else 10.5
        parts.append(svg.words(spot.x, spot.y + 5, only, size=small, fill=ink, bold=bool(arrow.value), anchor="middle"))
    return parts


def _cropped(
    parts: list[str],
    nodes: Mapping[str, Node],
    found: Sequence[Route],
    boxes: Sequence[Box],
    lang: str,
    finding: str,
    width: int,
) -> str:
    """The drawing, as high as what is in it."""
    tops = [n.y - n.ry - 4 for n in nodes.values()] + [float(r.points[:, 1].min()) - 5 for r in found]
    feet = [n.y + n.ry + 4 for n in nodes.values()] + [float(r.points[:, 1].max()) + 5 for r in found]
    top = min([*tops, *(b.y - b.h for b in boxes)]) - 4
    foot = max([*feet, *(b.y + b.h for b in boxes)]) + 4
    moved = svg.element("g", "".join(parts), transform=f"translate(0 {svg.number(-top)})")
    return svg.drawing(width, math.ceil(foot - top), [moved], finding, lang)


def _xy(point: tuple[float, float]) -> str:
    return f"{svg.number(point[0])} {svg.number(point[1])}"
