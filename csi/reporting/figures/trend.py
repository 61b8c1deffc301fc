"""The index over waves: a line and a band per brand, labelled where the lines end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import Scale, known, say
from csi.reporting.figures.waves import above, rules, wave_axis
from csi.reporting.text_width import text_width

_MEAN = Text("Mean", "均值")
_TARGET = Text("Target", "目标")
_THEIRS = Text("Others' target", "其他目标")


@dataclass(frozen=True, slots=True)
class _Value:
    index: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class _Series:
    """One brand: its values by wave position, its colour, and whether it is the focal one."""

    name: str
    label: str
    colour: str
    focal: bool
    values: Mapping[int, _Value]


@dataclass(frozen=True, slots=True)
class _Aim:
    """A target by wave position."""

    name: Text
    values: Mapping[int, float]
    colour: str


@dataclass(frozen=True, slots=True)
class _Level:
    """A line without a band that is labelled where it ends: the mean, a target."""

    name: str
    values: Mapping[int, float]
    colour: str


def trend(
    frame: pl.DataFrame,
    *,
    lang: str,
    labels: Mapping[str, Text],
    focal: str,
    finding: str = "",
    changes: pl.DataFrame | None = None,
    mean: pl.DataFrame | None = None,
    events: Sequence[tuple[str, Text]] = (),
    breaks: Sequence[str] | Mapping[str, Text] = (),
    targets: pl.DataFrame | None = None,
    linked: pl.DataFrame | None = None,
    caption: Text | None = None,
    width: int = style.FULL,
) -> str:
    """Lines with bands; value, interval and change stand at the line ends, moved apart where they would touch.

    Parameters:
        frame: `brand`, `wave`, `index`, `conf_low`, `conf_high` (0-100), waves in order; an absent one breaks the line.
        lang: "zh" or "en".
        labels: brand names.
        focal: the brand drawn in the focal colour.
        finding: the sentence read aloud.
        changes: `brand`, `change`, `significant` against the previous wave; a grey arrow is not significant.
        mean: `wave`, `index` of the sector, drawn as a dotted line.
        events: (wave, text) marked by a dotted vertical line at the wave.
        breaks: waves before which every line is broken (questionnaire or mode changed), with what changed.
        targets: `brand`, `wave`, `target`: a dashed step for the focal brand's, and for that of the others where they
            have one in common.
        linked: as `frame` and `run`: waves before a break in points of the form after it, up to the wave that they are
            carried to; dash-dotted, with a paler band; of more than five brands the focal one's.
        caption: stands above.
        width: 1040, 508 or 360.

    Returns:
        SVG.

    Example:
        >>> data = pl.DataFrame({"brand": ["A", "A"], "wave": ["2025Q1", "2025Q2"], "index": [70.0, 72.0],
        ...                      "conf_low": [69.0, 71.0], "conf_high": [71.0, 73.0]})
        >>> trend(data, lang="en", labels={}, focal="A").count("<polyline")
        1
    """
    waves = frame["wave"].unique(maintain_order=True).to_list()
    series = _series(frame, waves, labels, focal, lang)
    dotted = _mean_values(mean, waves)
    aims = _aims(targets, waves, focal)
    narrow = width < style.HALF
    size = 11.5 if narrow else 13
    right = _label_room(series, [a.name.say(lang) for a in aims], lang, size, narrow=narrow)
    height = max(250 if narrow else 300 if width <= style.HALF else 360, 34 * len(series) + 80)
    carried = _carried(linked, waves, series)
    ticks = _ticks([*series, *carried], dotted, [v for one in aims for v in one.values.values()])
    x = Scale(0, max(len(waves) - 1, 1), 34, width - right)
    top = 16 if caption is None else 36
    height += top - 16
    y = Scale(ticks[0], ticks[-1], height - 46, top)
    if len(waves) == 1:
        x = Scale(-1, 1, 34, width - right)
    parts = rules(ticks, x, y, width - right)
    parts += wave_axis(waves, x, height, narrow=narrow)
    parts += _break_marks(breaks, waves, x, y, lang)
    parts += _event_marks(events, waves, x, y, lang)
    stops = {waves.index(w) for w in breaks if w in waves}
    crowded = len(series) > 5
    parts += [p for one in series for p in _band(one, x, y, stops, crowded=crowded)]
    parts += [p for one in carried if one.focal or not crowded for p in _linked_line(one, x, y)]
    if dotted:
        parts += _mean_line(dotted, x, y, stops)
    parts += [p for aim in aims for p in _aim_line(aim, x, y)]
    for one in sorted(series, key=lambda s: s.focal):
        parts += _curve(one, x, y, stops)
    level = [_Level(_MEAN.say(lang), dotted, style.MUTED)] if dotted else []
    level += [_Level(a.name.say(lang), a.values, a.colour) for a in aims]
    parts += _end_labels(series, level, _change_of(changes), x, y, len(waves) - 1, lang, size, narrow=narrow)
    parts += above(caption, lang)
    return svg.drawing(width, height, parts, finding, lang)


def _series(frame: pl.DataFrame, waves: list[str], labels: Mapping[str, Text], focal: str, lang: str) -> list[_Series]:
    brands = frame["brand"].unique(maintain_order=True).to_list()
    others = [b for b in brands if b != focal]
    place = {w: i for i, w in enumerate(waves)}
    found = []
    for brand in brands:
        colour = style.FOCAL if brand == focal else style.brand_colour(others.index(brand))
        rows = frame.filter(pl.col("brand") == brand).select("wave", "index", "conf_low", "conf_high").iter_rows()
        values = {
            place[w]: _Value(v, low if known(low) else v, high if known(high) else v)
            for w, v, low, high in rows
            if known(v)
        }
        if values:
            found.append(_Series(brand, say(brand, labels, lang), colour, brand == focal, values))
    return found


def _carried(linked: pl.DataFrame | None, waves: list[str], series: Sequence[_Series]) -> list[_Series]:
    """The runs of waves that links carry over a break, in the colours of their brands."""
    if linked is None or linked.is_empty():
        return []
    place, found = {w: i for i, w in enumerate(waves)}, []
    for one in series:
        for part in linked.filter(pl.col("brand") == one.name).partition_by("run", maintain_order=True):
            rows = part.select("wave", "index", "conf_low", "conf_high").iter_rows()
            values = {place[w]: _Value(v, low, high) for w, v, low, high in rows if w in place and known(v)}
            if len(values) > 1:
                found.append(replace(one, values=values))
    return found


def _linked_line(one: _Series, x: Scale, y: Scale) -> list[str]:
    """A run of linked waves: dash-dotted, its band edged where it is the focal brand's."""
    at = sorted(one.values)
    upper, lower = ([(x(i), y.kept(getattr(one.values[i], end))) for i in at] for end in ("high", "low"))
    parts = [svg.polygon([*upper, *reversed(lower)], one.colour, 0.07 if one.focal else 0.04)]
    if one.focal:
        parts += [svg.polyline(edge, one.colour, 0.8, "2 3") for edge in (upper, lower)]
    line = [(x(i), y.kept(one.values[i].index)) for i in at]
    parts.append(svg.polyline(line, one.colour, 1.8 if one.focal else 1.1, "8 3 1.5 3"))
    for i in at[:-1]:
        value = one.values[i]
        said = f"{one.label} {style.score(value.index)} ({style.span(value.low, value.high)})"
        parts.append(svg.element("circle", svg.title(said), cx=x(i), cy=y.kept(value.index), r=5, fill_opacity=0))
    return parts


def _mean_values(mean: pl.DataFrame | None, waves: list[str]) -> dict[int, float]:
    if mean is None:
        return {}
    place = {w: i for i, w in enumerate(waves)}
    return {place[w]: v for w, v in mean.select("wave", "index").iter_rows() if w in place and known(v)}


def _aims(targets: pl.DataFrame | None, waves: list[str], focal: str) -> list[_Aim]:
    """The focal brand's target, and that of the others where it is one and another."""
    if targets is None:
        return []
    place, of = {w: i for i, w in enumerate(waves)}, dict[str, dict[int, float]]()
    for brand, wave, value in targets.select("brand", "wave", "target").iter_rows():
        if wave in place and known(value):
            of.setdefault(brand, {})[place[wave]] = value
    mine = of.pop(focal, {})
    theirs = next(iter(of.values()), {})
    common = all(one == theirs for one in of.values())
    aims = [_Aim(_TARGET, mine, style.INK)] if mine else []
    return aims + ([_Aim(_THEIRS, theirs, style.MUTED)] if theirs and common and theirs != mine else [])


def _aim_line(aim: _Aim, x: Scale, y: Scale) -> list[str]:
    """A target as dashed steps, each around its wave."""
    half = (x(1) - x(0)) / 2
    runs: list[list[tuple[float, float]]] = []
    for i in sorted(aim.values):
        at = y(aim.values[i])
        step = [(max(x(i) - half, x.start), at), (min(x(i) + half, x.end), at)]
        if runs and i - 1 in aim.values:
            runs[-1] += step
        else:
            runs.append(step)
    return [svg.polyline(run, aim.colour, 1.3, "6 4") for run in runs]


def _change_of(changes: pl.DataFrame | None) -> dict[str, tuple[float, bool]]:
    if changes is None:
        return {}
    rows = changes.select("brand", "change", "significant").iter_rows()
    return {brand: (delta, bool(sure)) for brand, delta, sure in rows if known(delta)}


def _ticks(series: list[_Series], dotted: Mapping[int, float], aims: Sequence[float] = ()) -> list[float]:
    lows = [*(v.low for s in series for v in s.values.values()), *dotted.values(), *aims]
    highs = [*(v.high for s in series for v in s.values.values()), *dotted.values(), *aims]
    return svg.steps(max(min(lows, default=0) - 0.3, 0), min(max(highs, default=100) + 0.3, 100), 5)


_VALUE = 46.0
"""What a value and its change take of a phone's label, where names are shorter."""


def _label_room(series: list[_Series], others: Sequence[str], lang: str, size: float, *, narrow: bool) -> float:
    drawn = size if narrow else size + 1
    names = max((text_width(s.label, drawn, bold=True, lang=lang) for s in series), default=0)
    names = max(names, *(text_width(said, size, lang=lang) for said in (_MEAN.say(lang), *others)))
    return min(max(names, _VALUE), 92) + 48 if narrow else min(names, 190) + 116


def _event_marks(events: Sequence[tuple[str, Text]], waves: list[str], x: Scale, y: Scale, lang: str) -> list[str]:
    parts = []
    for order, (wave, said) in enumerate(e for e in events if e[0] in waves):
        at = x(waves.index(wave))
        words = said.say(lang)
        wide = text_width(words, 11.5, lang=lang)
        left = at + 6 + wide > x.end
        foot = y.start - 8 - 15 * (order % 2)
        parts.append(svg.line((at, y.end), (at, y.start), style.MUTED, 1, "1.5 3"))
        parts.append(
            svg.words(
                at - 6 if left else at + 6,
                foot,
                words,
                size=11.5,
                fill=style.TEXT,
                anchor="end" if left else "start",
                halo=True,
            )
        )
    return parts


def _break_marks(
    breaks: Sequence[str] | Mapping[str, Text], waves: list[str], x: Scale, y: Scale, lang: str
) -> list[str]:
    """A pale strip across the gap, two strokes on the axis, and what changed."""
    parts = []
    for wave in breaks:
        if wave not in waves or waves.index(wave) == 0:
            continue
        at = (x(waves.index(wave)) + x(waves.index(wave) - 1)) / 2
        half = min((x(1) - x(0)) / 2 * 0.5, 9.0)
        box = [(at - half, y.end), (at + half, y.end), (at + half, y.start), (at - half, y.start)]
        parts.append(svg.polygon(box, style.MUTED, 0.10))
        foot = y.start
        parts += [svg.line((at + s - 3, foot + 6), (at + s + 3, foot - 6), style.MUTED, 1.4) for s in (-2.5, 2.5)]
        if isinstance(breaks, Mapping):
            said = breaks[wave].say(lang)
            left = at + half + 4 + text_width(said, 11.5, lang=lang) > x.end
            anchor = "end" if left else "start"
            start = at - half - 4 if left else at + half + 4
            parts.append(svg.words(start, y.end + 10, said, size=11.5, fill=style.MUTED, halo=True, anchor=anchor))
    return parts


def _mean_line(dotted: Mapping[int, float], x: Scale, y: Scale, stops: set[int]) -> list[str]:
    """The sector's mean as a dotted line, broken where the brands' lines are."""
    runs: list[list[int]] = []
    for i in sorted(dotted):
        if runs and i not in stops:
            runs[-1].append(i)
        else:
            runs.append([i])
    return [
        svg.polyline([(x(i), y(dotted[i])) for i in run], style.MUTED, 1.2, "1.5 3") for run in runs if len(run) > 1
    ]


def _runs(one: _Series, stops: set[int]) -> list[list[int]]:
    """Wave positions that may be joined by a line."""
    runs: list[list[int]] = []
    for i in sorted(one.values):
        if runs and runs[-1][-1] == i - 1 and i not in stops:
            runs[-1].append(i)
        else:
            runs.append([i])
    return runs


def _band(one: _Series, x: Scale, y: Scale, stops: set[int], *, crowded: bool) -> list[str]:
    if crowded and not one.focal:
        return []
    parts = []
    for run in _runs(one, stops):
        if len(run) > 1:
            upper = [(x(i), y.kept(one.values[i].high)) for i in run]
            lower = [(x(i), y.kept(one.values[i].low)) for i in reversed(run)]
            parts.append(svg.polygon(upper + lower, one.colour, 0.17 if one.focal else 0.09))
        else:
            only = one.values[run[0]]
            ends = ((x(run[0]), y.kept(only.low)), (x(run[0]), y.kept(only.high)))
            parts.append(svg.line(*ends, one.colour, 2 if one.focal else 1.2))
    return parts


def _curve(one: _Series, x: Scale, y: Scale, stops: set[int]) -> list[str]:
    parts = []
    for run in _runs(one, stops):
        if len(run) > 1:
            joined = [(x(i), y(one.values[i].index)) for i in run]
            parts.append(svg.polyline(joined, one.colour, 2.8 if one.focal else 1.4))
    ends = [run[-1] for run in _runs(one, stops)]
    for i in sorted(one.values):
        value = one.values[i]
        said = f"{one.label} {style.score(value.index)} ({style.span(value.low, value.high)})"
        big = i == ends[-1]
        radius = (4.6 if one.focal else 3.2) if big else 2.4 if i in ends else 0
        if radius:
            parts.append(svg.dot(x(i), y(value.index), radius, one.colour, style.PAPER, 1.4, tip=said))
        else:
            parts.append(svg.element("circle", svg.title(said), cx=x(i), cy=y(value.index), r=5, fill_opacity=0))
    return parts


def _end_labels(
    series: list[_Series],
    levels: Sequence[_Level],
    changes: Mapping[str, tuple[float, bool]],
    x: Scale,
    y: Scale,
    last: int,
    lang: str,
    size: float,
    *,
    narrow: bool,
) -> list[str]:
    marked: list[tuple[float, _Series | _Level]] = [(y(s.values[max(s.values)].index), s) for s in series]
    marked += [(y(one.values[last]), one) for one in levels if last in one.values]
    gap = 28 if not narrow else 29
    places = svg.spread([at for at, _ in marked], gap, y.end + 4, y.start - 2)
    start = x(last) + 8
    name_x = start + 12
    names = max(
        *(text_width(s.label, size if narrow else size + 1, bold=True, lang=lang) for s in series),
        *(text_width(one.name, size - 1, lang=lang) for one in levels),
        0.0,
    )
    value_x = name_x + min(names, 92 if narrow else 190) + 14
    parts = []
    for (at, one), place in zip(marked, places, strict=True):
        if abs(place - at) > 3:
            parts.append(svg.line((start - 1, at), (name_x - 3, place), style.FAINT, 0.8))
        if isinstance(one, _Level):
            parts.append(svg.words(name_x, place + (-1 if narrow else 4), one.name, size=size - 1, fill=one.colour))
            shown = style.score(one.values[last])
            column = name_x if narrow else value_x
            parts.append(svg.words(column, place + (12 if narrow else 4), shown, size=size - 1, fill=one.colour))
            continue
        parts += _end_label(one, changes.get(one.name), name_x, value_x, place, lang, size, narrow=narrow)
    return parts


def _end_label(
    one: _Series,
    moved: tuple[float, bool] | None,
    name_x: float,
    value_x: float,
    y: float,
    lang: str,
    size: float,
    *,
    narrow: bool,
) -> list[str]:
    value = one.values[max(one.values)]
    limit = 92 if narrow else 190
    name = svg.shorten(one.label, limit, size if narrow else size + 1, bold=True, lang=lang)
    tone = style.FOCAL if one.focal else style.shade(one.colour, style.INK, 0.25)
    shown = style.score(value.index)
    if narrow:
        parts = [svg.words(name_x, y - 1, name, size=size, fill=tone, bold=one.focal)]
        parts.append(svg.words(name_x, y + 13, shown, size=size, fill=tone, bold=True))
        value_x, base = name_x, y + 13
    else:
        parts = [svg.words(name_x, y + 4, name, size=size + 1, fill=tone, bold=one.focal)]
        parts.append(svg.words(value_x, y + 3, shown, size=size + 1, fill=tone, bold=True))
        interval = style.span(value.low, value.high)
        parts.append(svg.words(value_x, y + 15, interval, size=10.5, fill=style.MUTED))
        base = y + 3
    if moved and known(moved[0]):
        delta, sure = moved
        colour = (style.FOCAL if delta > 0 else style.WARN) if sure else style.FAINT
        ink = (style.FOCAL if delta > 0 else style.WARN) if sure else style.MUTED
        at = value_x + text_width(shown, size + (0 if narrow else 1), bold=True) + 12
        if round(delta, 1) != 0:
            parts.append(svg.triangle(at, base - 4.5, 8, colour, up=delta > 0))
        shown_change = style.score(abs(delta))
        parts.append(svg.words(at + 8, base, shown_change, size=size - 1, fill=ink, bold=sure))
    return parts
