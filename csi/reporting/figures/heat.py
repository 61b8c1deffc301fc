"""Heat tables whose every cell carries its number; cells with too few answers are outlined and empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import known, say
from csi.reporting.figures.reliability import HTMT_CEILING
from csi.reporting.text_width import text_width

_NEUTRAL = "#f2efe6"
_COOL = "#8b959b"
_NARROWEST = 44.0
"""A cell holds "n < 30"; more columns than that leaves room for go into blocks below each other."""
PITCH, APART = 1.08, 5.0
"""The distance of two lines of a head by the size of its letters; the least between two heads."""
Groups = Sequence[tuple[Text, Sequence[str]]]


def heat_table(
    frame: pl.DataFrame,
    *,
    lang: str,
    labels: Mapping[str, Text],
    finding: str = "",
    focal: str = "",
    groups: Groups = (),
    small: int = 30,
    width: int = style.FULL,
) -> str:
    """Scores in cells coloured by their distance from a reference: focal colour above, warning colour below.

    Parameters:
        frame: `row`, `column`, `value` (0-100), `reference` (what the colour is measured from; null: the mean of
            the row), `n`; rows and columns in order of appearance.
        lang: "zh" or "en".
        labels: names of rows and columns.
        finding: the sentence read aloud.
        focal: the column named in the focal colour.
        groups: (heading, columns) sets drawn with a gap between; columns in no group are left out.
        small: cells with fewer answers show "n < 30" in an outline.
        width: 1040, 508 or 360 (the narrow one stacks the groups).

    Returns:
        SVG.

    Example:
        >>> data = pl.DataFrame({"row": ["shop", "shop"], "column": ["A", "B"], "value": [70.0, 60.0],
        ...                      "reference": [65.0, 65.0], "n": [300, 12]})
        >>> "n &lt; 30" in heat_table(data, lang="en", labels={})
        True
    """
    rows = frame["row"].unique(maintain_order=True).to_list()
    columns = frame["column"].unique(maintain_order=True).to_list()
    cells = {(r["row"], r["column"]): r for r in frame.to_dicts()}
    sets: Groups = groups or [(Text("", ""), columns)]
    reach = _reach(cells)
    size = 12.0 if width < style.HALF else 13.0
    names = max((text_width(say(r, labels, lang), size, lang=lang) for r in rows), default=0)
    left = min(names, 116 if width < style.HALF else 200) + 14
    most = 4 if width < style.HALF else int((width - left) / _NARROWEST)
    whole = width >= style.HALF and (width - left - 22 * (len(sets) - 1)) / sum(len(c) for _, c in sets) >= _NARROWEST
    blocks = [sets] if whole else [[(said, part)] for said, many in sets for part in _parts_of(many, most)]
    parts: list[str] = []
    y = 0.0
    for block in blocks:
        y = _block(parts, block, rows, cells, labels, lang, focal, small, reach, (left, width, size), y)
    return svg.drawing(width, y, parts, finding, lang)


def htmt_matrix(
    frame: pl.DataFrame,
    *,
    lang: str,
    labels: Mapping[str, Text],
    order: Sequence[str] = (),
    finding: str = "",
    ceiling: float = HTMT_CEILING,
    width: int = style.HALF,
) -> str:
    """HTMT as a triangle of cells with their numbers; above the ceiling bold on the warning colour.

    Parameters:
        frame: `first`, `second`, `htmt`, optionally `conf_low`, `conf_high` (shown on hover).
        lang: "zh" or "en".
        labels: construct names.
        order: constructs from first to last; otherwise in order of appearance.
        finding: the sentence read aloud.
        ceiling: .85, or .90 for constructs that are close by design.
        width: 508 or 360.

    Returns:
        SVG.

    Source: Henseler, Ringle & Sarstedt (2015), cut-off .85.

    Example:
        >>> data = pl.DataFrame({"first": ["a"], "second": ["b"], "htmt": [0.87]})
        >>> ".87" in htmt_matrix(data, lang="en", labels={})
        True
    """
    pairs = {frozenset((r["first"], r["second"])): r for r in frame.to_dicts() if r["first"] != r["second"]}
    found = dict.fromkeys(n for r in frame.to_dicts() for n in (r["first"], r["second"]))
    names = list(order) or list(found)
    down, across = names[1:], names[:-1]
    size = 12.0 if width < style.HALF else 12.5
    shown = {n: say(n, labels, lang) for n in names}
    part = 0.26 if width < style.HALF and len(names) > 7 else 0.4
    left = min(max((text_width(shown[n], size, lang=lang) for n in down), default=0), width * part) + 12
    heads, side = _htmt_heads([shown[n] for n in across], width - left, lang)
    high = min(side, 44.0)
    top = 8.0 + 12.5 * (len(heads[0]) if heads else 1)
    parts = []
    for i, name in enumerate(down):
        said = svg.shorten(shown[name], left - 12, size, lang=lang)
        parts.append(svg.words(left - 10, top + high * (i + 0.5) + 4.5, said, size=size, anchor="end"))
        for k, other in enumerate(across[: i + 1]):
            row = pairs.get(frozenset((name, other)))
            if row is not None and known(row["htmt"]):
                parts += _htmt_cell(row, left + side * k, top + high * i, side, high, ceiling, lang)
    for k, pieces in enumerate(heads):
        for j, piece in enumerate(pieces):
            base = top - 7 - 12.5 * (len(pieces) - 1 - j) + high * k
            parts.append(svg.words(left + side * k + 3, base, piece, size=11, fill=style.MUTED))
    return svg.drawing(width, top + high * len(down) + 2, parts, finding, lang)


def _htmt_heads(names: Sequence[str], room: float, lang: str) -> tuple[list[list[str]], float]:
    """Column names, which run to the right over the empty half, and the cell side that leaves them room."""
    heads: list[list[str]] = []
    side = 72.0
    for limit in (400.0, 92.0, 72.0):
        heads = [svg.wrap(said, limit, 11, lang=lang) for said in names]
        wide = [max(text_width(piece, 11, lang=lang) for piece in pieces) for pieces in heads]
        fits = [(room - 3 - w) / k for k, w in enumerate(wide) if k]
        side = min([72.0, room / max(len(names), 1), *fits])
        if side >= 46:
            break
    side = max(side, min(34.0, room / max(len(names), 1)))
    rooms = [max(room - side * k - 3, side) for k in range(len(names))]
    return [[svg.shorten(p, most, 11, lang=lang) for p in h] for h, most in zip(heads, rooms, strict=True)], side


def _htmt_cell(
    row: Mapping[str, float], x: float, y: float, side: float, high: float, ceiling: float, lang: str
) -> list[str]:
    value = row["htmt"]
    over = value > ceiling
    fill = style.WARN if over else style.shade(_NEUTRAL, "#c3c9c9", (value - 0.3) / max(ceiling - 0.3, 0.1))
    said = style.coefficient(value, lang)
    interval = style.span(row.get("conf_low"), row.get("conf_high"), lang, of="coefficient")
    tip = f"{said} ({interval})" if interval else ""
    ink = style.readable_on(fill)
    size = min(13.0, 13.0 * (side - 1) / max(text_width(said, 13, bold=over), 1))
    return [
        svg.box(x + 1, y + 1, side - 2, high - 2, fill, radius=2, tip=tip),
        svg.words(x + side / 2, y + high / 2 + 4.5, said, size=size, fill=ink, bold=over, anchor="middle"),
    ]


def _parts_of(many: Sequence[str], most: int) -> list[Sequence[str]]:
    return [many[i : i + most] for i in range(0, len(many), most)]


def _reach(cells: Mapping[tuple[str, str], Mapping[str, float]]) -> float:
    """The distance from the reference that gets the full colour: the largest, at least five points."""
    away = [abs(c["value"] - c["reference"]) for c in cells.values() if known(c["value"]) and known(c.get("reference"))]
    return max([5.0, *away])


def _block(
    parts: list[str],
    sets: Groups,
    rows: Sequence[str],
    cells: Mapping[tuple[str, str], Mapping[str, float]],
    labels: Mapping[str, Text],
    lang: str,
    focal: str,
    small: int,
    reach: float,
    room: tuple[float, float, float],
    y: float,
) -> float:
    left, width, size = room
    gap, step = 22.0, 30.0
    total = sum(len(columns) for _, columns in sets)
    side = (width - left - gap * (len(sets) - 1)) / max(total, 1)
    side = min(side, 150.0)
    named = any(said.say(lang) for said, _ in sets)
    many = [c for _, columns in sets for c in columns]
    middles = [
        left + side * (k + 0.5) + gap * i for k, i in enumerate(i for i, (_, part) in enumerate(sets) for _ in part)
    ]
    found = _heads([(say(c, labels, lang), c == focal) for c in many], middles, (side, width, size - 1), lang)
    heads = dict(zip(many, found[0], strict=True))
    letters, turned = found[1:]
    deep = max((_deep(lines, letters, lang, turned=turned) for lines in heads.values()), default=0.0)
    top = y + (52 if named else 30) + deep
    x = left
    for said, columns in sets:
        if said.say(lang):
            parts.append(svg.words(x + 1, y + 16, said.say(lang), size=12, fill=style.MUTED))
        for column in columns:
            own = column == focal
            ink = style.FOCAL if own else style.TEXT
            for k, head in enumerate(reversed(heads[column])):
                if turned:
                    parts.append(svg.upwards(x + side / 2 + 4, top - 8, head, size=letters, fill=ink, bold=own))
                    continue
                base = top - 10 - PITCH * letters * k
                parts.append(svg.words(x + side / 2, base, head, size=letters, fill=ink, bold=own, anchor="middle"))
            for i, row in enumerate(rows):
                parts += _cell(cells.get((row, column)), x, top + step * i, side, step, small, reach)
            x += side
        x += gap
    for i, row in enumerate(rows):
        name = svg.shorten(say(row, labels, lang), left - 14, size, lang=lang)
        parts.append(svg.words(left - 12, top + step * (i + 0.5) + 4.5, name, size=size, anchor="end"))
    return top + step * len(rows) + (14 if width < style.HALF or total < len({c for _, c in cells}) else 2)


def _heads(
    names: Sequence[tuple[str, bool]], middles: Sequence[float], room: tuple[float, float, float], lang: str
) -> tuple[list[list[str]], float, bool]:
    """The lines of each column's (name, bold), their one size, and whether they are turned: where two would meet."""
    side, width, most = room
    for letters in [size for size in (12.0, 11.5, 11.0, 10.5, 10.0, 9.5, 9.0) if size <= most]:
        heads = [_lines(name, side - 2, letters, lang, bold=bold) for name, bold in names]
        half = [_wide(lines, letters, lang, bold=b) / 2 for lines, (_, b) in zip(heads, names, strict=True)]
        ends = [0.0, *(x + h for x, h in zip(middles, half, strict=True))]
        starts = [*(x - h for x, h in zip(middles, half, strict=True)), width]
        free = [a - z for z, a in zip(ends, starts, strict=True)]
        if all(f >= APART for f in free[1:-1]) and min(free[0], free[-1]) >= 0:
            return heads, letters, False
    return [[svg.shorten(n, 150, most, bold=bold, lang=lang)] for n, bold in names], most, True


def _lines(name: str, limit: float, size: float, lang: str, *, bold: bool) -> list[str]:
    """A name on one line, on two, or as wide as its longest word; never cut."""
    words = max(text_width(word, size, bold=bold, lang=lang) for word in name.split(" "))
    for wide in (limit, max(limit, words)):
        lines = svg.wrap(name, wide, size, bold=bold, lang=lang)
        if "".join(lines).replace(" ", "") == name.replace(" ", ""):
            return lines
    return [name]


def _wide(lines: Sequence[str], size: float, lang: str, *, bold: bool) -> float:
    return max(text_width(line, size, bold=bold, lang=lang) for line in lines)


def _deep(lines: Sequence[str], size: float, lang: str, *, turned: bool) -> float:
    """How far the heads reach above the one line there is always room for."""
    return max(0.0, _wide(lines, size, lang, bold=True) - 12) if turned else PITCH * size * (len(lines) - 1)


def _cell(
    cell: Mapping[str, float] | None, x: float, y: float, side: float, step: float, small: int, reach: float
) -> list[str]:
    frame = (x + 1.5, y + 1.5, side - 3, step - 3)
    if cell is None or not known(cell["value"]) or (known(cell.get("n")) and cell["n"] < small):
        few = cell is not None and known(cell.get("n")) and cell["n"] < small
        said = f"n < {small}" if few else style.ABSENT
        return [
            svg.box(*frame, style.PAPER, radius=2, stroke=style.TRACK),
            svg.words(x + side / 2, y + step / 2 + 4, said, size=10.5, fill=style.MUTED, anchor="middle"),
        ]
    away = cell["value"] - cell["reference"] if known(cell.get("reference")) else 0.0
    pole = style.FOCAL if away >= 0 else style.WARN
    part = (abs(away) / reach) ** 0.85 * 0.9
    fill = style.shade(_NEUTRAL, pole, part)
    strong = part > 0.55
    tip = f"{style.change(away)} (n = {style.count(cell.get('n'))})"
    ink = style.readable_on(fill)
    return [
        svg.box(*frame, fill, radius=2, tip=tip),
        svg.words(
            x + side / 2, y + step / 2 + 4.5, style.score(cell["value"], 0), fill=ink, bold=strong, anchor="middle"
        ),
    ]
