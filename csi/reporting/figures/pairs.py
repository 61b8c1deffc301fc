"""Two levels of everything on one scale: what was expected and what was found, or a zone and where experience lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import Scale, known, say
from csi.reporting.text_width import text_width

Row = Mapping[str, float | str | None]


@dataclass(frozen=True, slots=True)
class Words:
    """What the marks are called: the level compared with, the one perceived, the upper end of a zone; the number."""

    against: Text
    perceived: Text
    upper: Text | None
    number: Text


def pairs(
    frame: pl.DataFrame,
    *,
    lang: str,
    labels: Mapping[str, Text],
    words: Words,
    bounds: tuple[float, float],
    finding: str = "",
    width: int = style.FULL,
) -> str:
    """A ring at what is compared with, a dot at what is perceived, the number at the right; or a dot beside a zone.

    Parameters:
        frame: `heading` (a label, or ""), `row`, `against`, `perceived`, `number`; `upper` where there is a zone from
            `against` to `upper`. Falling short of `against` has the warning colour; `sure` false leaves it grey.
        lang: "zh" or "en". labels: names of headings and rows. words: names of the marks. bounds: ends of the scale.
        finding: the sentence read aloud. width: 1040, 508 or 360 (names then stand above their rows).

    Returns:
        SVG.

    Example:
        >>> data = pl.DataFrame({"heading": [""], "row": ["speed"], "against": [6.0], "perceived": [4.5],
        ...                      "number": [-1.5]})
        >>> said = Words(Text("expected", "期望"), Text("perceived", "感知"), None, Text("gap", "差距"))
        >>> pairs(data, lang="en", labels={}, words=said, bounds=(1, 7)).count("<circle")
        4
    """
    rows = frame.to_dicts()
    narrow = width < style.HALF
    size = 12.5 if narrow else 13
    names = max((text_width(say(str(r["row"]), labels, lang), size, lang=lang) for r in rows), default=0)
    left = 10.0 if narrow else min(names, 0.4 * width) + 26
    ticks = _ticks(rows, bounds)
    x = Scale(ticks[0], ticks[-1], left, width - 66)
    parts, y = _legend(words, width, lang, zone="upper" in frame.columns)
    said = words.number.say(lang)
    parts.append(svg.words(x.end + 62, y + (10 if narrow else 12), said, size=11.5, fill=style.MUTED, anchor="end"))
    spans = []
    for heading in dict.fromkeys(str(r["heading"]) for r in rows):
        if heading:
            y += 27
            named = svg.shorten(say(heading, labels, lang), x.end, 13.5, bold=True, lang=lang)
            parts.append(svg.words(0, y, named, size=13.5, fill=style.INK, bold=True))
            parts.append(svg.line((0, y + 7), (x.end, y + 7), style.TRACK))
        begin = y + 8
        for row in (r for r in rows if str(r["heading"]) == heading):
            told, y = _name(say(str(row["row"]), labels, lang), y, (left, width, size), lang, narrow=narrow)
            parts += [*told, *_marks(row, x, y, lang, words)]
        y += 15
        spans.append((begin, y))
    grid = [svg.line((x(t), a), (x(t), b), style.HAIR) for a, b in spans for t in ticks]
    places = 0 if all(t == int(t) for t in ticks) else 1
    foot = [
        svg.words(x(t), y + 16, style.score(t, places), size=11.5, fill=style.MUTED, anchor="middle") for t in ticks
    ]
    return svg.drawing(width, y + 24, grid + parts + foot, finding, lang)


def _ticks(rows: Sequence[Row], bounds: tuple[float, float]) -> list[float]:
    """Round values around everything drawn, within the scale."""
    values = [float(v) for r in rows for c in ("against", "perceived", "upper") if known(v := r.get(c))]
    low, high = min(values, default=bounds[0]), max(values, default=bounds[1])
    kept = [t for t in svg.steps(low - 0.15, high + 0.15, 5) if bounds[0] <= t <= bounds[1]]
    return kept if len(kept) > 1 and kept[0] <= low and kept[-1] >= high else [bounds[0], *kept[1:-1], bounds[1]]


def _legend(words: Words, width: int, lang: str, *, zone: bool) -> tuple[list[str], float]:
    """The marks by name."""
    parts, x, y = [], 8.0, 14.0
    named = (
        [("zone", Text(f"{words.against.en} to {words.upper.en}", f"{words.against.zh}—{words.upper.zh}"))]
        if (zone and words.upper)
        else [("ring", words.against)]
    )
    for mark, text in (*named, ("dot", words.perceived)):
        said = text.say(lang)
        need = text_width(said, 12.5, lang=lang) + 42
        if x + need > width and x > 8:
            x, y = 8.0, y + 22
        if mark == "zone":
            parts.append(svg.box(x - 8, y - 9, 18, 9, style.TRACK))
        elif mark == "ring":
            parts.append(svg.dot(x, y - 4.5, 4.4, style.PAPER, style.STEEL, 1.6))
        else:
            parts.append(svg.dot(x, y - 4.5, 5, style.FOCAL, style.PAPER, 1.2))
        parts.append(svg.words(x + 15, y, said, size=12.5, fill=style.TEXT))
        x += need
    return parts, y + 4


def _name(said: str, y: float, place: tuple[float, int, float], lang: str, *, narrow: bool) -> tuple[list[str], float]:
    """A row's name, and where its marks lie."""
    left, width, size = place
    if not narrow:
        y += 27
        return [svg.words(4, y + 4.5, svg.shorten(said, left - 18, size, lang=lang), size=size, fill=style.TEXT)], y
    parts = []
    for line in svg.wrap(said, width - 70, size, lang=lang):
        y += 16
        parts.append(svg.words(0, y + 8, line, size=size, fill=style.TEXT, halo=True))
    return parts, y + 24


def _marks(row: Row, x: Scale, y: float, lang: str, words: Words) -> list[str]:
    """The two levels of a row, what lies between them, and its number."""
    against, found, upper = row["against"], row["perceived"], row.get("upper")
    if not (known(against) and known(found)):
        return [svg.words(x.end + 62, y + 4.5, style.ABSENT, fill=style.MUTED, anchor="end")]
    short = float(found) < float(against)
    ink = style.FAINT if row.get("sure") is False else style.WARN if short else style.FOCAL
    tip = f"{words.against.say(lang)} {style.score(float(against), 2)}"
    parts = []
    if known(upper):
        tip += f", {words.upper.say(lang) if words.upper else ''} {style.score(float(upper), 2)}"
        parts.append(svg.box(x(float(against)), y - 6, x(float(upper)) - x(float(against)), 12, style.TRACK, tip=tip))
    else:
        parts.append(svg.line((x(float(against)), y), (x(float(found)), y), ink, 2.4))
        parts.append(svg.dot(x(float(against)), y, 4.4, style.PAPER, style.STEEL, 1.6, tip=tip))
    said = f"{words.perceived.say(lang)} {style.score(float(found), 2)}"
    parts.append(svg.dot(x(float(found)), y, 5, ink, style.PAPER, 1.2, tip=said))
    number = row["number"]
    shown = style.change(float(number), 2) if known(number) else style.ABSENT
    told = style.MUTED if ink == style.FAINT else ink
    return [*parts, svg.words(x.end + 62, y + 4.5, shown, size=13, fill=told, bold=ink != style.FAINT, anchor="end")]
