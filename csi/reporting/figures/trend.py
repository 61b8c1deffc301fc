"""The index over waves: a line and a band per brand, labelled where the lines end."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from csi.errors import Text
from csi.reporting import style, svg
from csi.reporting.figures.cells import Scale, known, say
from csi.reporting.text_width import text_width

_MEAN = Text("Mean", "均值")


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
    narrow = width < style.HALF
    size = 11.5 if narrow else 13
    right = _label_room(series, lang, size, narrow=narrow)
    height = max(250 if narrow else 300 if width <= style.HALF else 360, 34 * len(series) + 80)
    ticks = _ticks(series, dotted)
    x = Scale(0, max(len(waves) - 1, 1), 34, width - right)
    y = Scale(ticks[0], ticks[-1], height - 46, 16)
    if len(waves) == 1:
        x = Scale(-1, 1, 34, width - right)
    parts = _grid(ticks, x, y, width - right)
    parts += _wave_axis(waves, x, height, narrow=narrow)
    parts += _break_marks(breaks, waves, x, y, lang)
    parts += _event_marks(events, waves, x, y, lang)
    stops = {waves.index(w) for w in breaks if w in waves}
    crowded = len(series) > 5
    for one in series:
        parts += _band(one, x, y, stops, crowded=crowded)
    if dotted:
        parts += _mean_line(dotted, x, y, stops)
    for one in sorted(series, key=lambda s: s.focal):
        parts += _curve(one, x, y, stops)
    parts += _end_labels(series, dotted, _change_of(changes), x, y, len(waves) - 1, lang, size, narrow=narrow)
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


def _mean_values(mean: pl.DataFrame | None, waves: list[str]) -> dict[int, float]:
    if mean is None:
        return {}
    place = {w: i for i, w in enumerate(waves)}
    return {place[w]: v for w, v in mean.select("wave", "index").iter_rows() if w in place and known(v)}


def _change_of(changes: pl.DataFrame | None) -> dict[str, tuple[float, bool]]:
    if changes is None:
        return {}
    rows = changes.select("brand", "change", "significant").iter_rows()
    return {brand: (delta, bool(sure)) for brand, delta, sure in rows if known(delta)}


def _ticks(series: list[_Series], dotted: Mapping[int, float]) -> list[float]:
    lows = [v.low for s in series for v in s.values.values()] + list(dotted.values())
    highs = [v.high for s in series for v in s.values.values()] + list(dotted.values())
    return svg.steps(max(min(lows, default=0) - 0.3, 0), min(max(highs, default=100) + 0.3, 100), 5)


def _label_room(series: list[_Series], lang: str, size: float, *, narrow: bool) -> float:
    drawn = size if narrow else size + 1
    names = max((text_width(s.label, drawn, bold=True, lang=lang) for s in series), default=0)
    names = max(names, text_width(_MEAN.say(lang), size, lang=lang))
    return min(names, 92 if narrow else 190) + (48 if narrow else 116)


def _grid(ticks: list[float], x: Scale, y: Scale, right: float) -> list[str]:
    parts = []
    for tick in ticks:
        parts.append(svg.line((x.start, y(tick)), (right, y(tick)), style.HAIR))
        written = style.score(tick, 0 if all(t == int(t) for t in ticks) else 1)
        parts.append(svg.words(x.start - 9, y(tick) + 4, written, size=11.5, fill=style.MUTED, anchor="end"))
    return parts


def _wave_axis(waves: list[str], x: Scale, height: float, *, narrow: bool) -> list[str]:
    """Quarter above, year below where it begins; other wave names as they are, thinned to what fits."""
    split = [re.fullmatch(r"(\d{4})[-_ ]?([QHM]?\d{1,2})", str(w)) for w in waves]
    size = 10.5 if narrow else 11.5
    base = height - 28
    parts = []
    if all(split):
        pairs = [(m[1], m[2]) for m in split if m]
        step = (x(1) - x(0)) if len(waves) > 1 else 99
        every = 1 if step >= 24 else 2 if step >= 12 else 4
        last = len(waves) - 1
        for i, (year, part) in enumerate(pairs):
            if (last - i) % every == 0:
                parts.append(svg.words(x(i), base, part, size=size, fill=style.MUTED, anchor="middle"))
            if i == 0 or pairs[i - 1][0] != year:
                room = next((j for j in range(i + 1, len(pairs)) if pairs[j][0] != year), len(pairs)) - i
                if room * step >= 30 or len(pairs) == 1:
                    parts.append(
                        svg.words(x(i), base + 15, year, size=size, fill=style.TEXT, bold=True, anchor="middle")
                    )
        return parts
    widest = max(text_width(str(w), size, lang="zh") for w in waves) + 10
    every = max(1, -int(-widest // max(x(1) - x(0), 1)))
    for i, wave in enumerate(waves):
        if (len(waves) - 1 - i) % every == 0:
            parts.append(svg.words(x(i), base, str(wave), size=size, fill=style.MUTED, anchor="middle"))
    return parts


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
    dotted: Mapping[int, float],
    changes: Mapping[str, tuple[float, bool]],
    x: Scale,
    y: Scale,
    last: int,
    lang: str,
    size: float,
    *,
    narrow: bool,
) -> list[str]:
    marked: list[tuple[float, _Series | None]] = [(y(s.values[max(s.values)].index), s) for s in series]
    if dotted and max(dotted) == last:
        marked.append((y(dotted[last]), None))
    gap = 28 if not narrow else 29
    places = svg.spread([at for at, _ in marked], gap, y.end + 4, y.start - 2)
    start = x(last) + 8
    name_x = start + 12
    names = max(text_width(s.label, size if narrow else size + 1, bold=True, lang=lang) for s in series)
    value_x = name_x + min(names, 92 if narrow else 190) + 14
    parts = []
    for (at, one), place in zip(marked, places, strict=True):
        if abs(place - at) > 3:
            parts.append(svg.line((start - 1, at), (name_x - 3, place), style.FAINT, 0.8))
        if one is None:
            parts.append(svg.words(name_x, place + 4, _MEAN.say(lang), size=size - 1, fill=style.MUTED))
            shown = style.score(dotted[last])
            column = name_x if narrow else value_x
            parts.append(svg.words(column, place + (15 if narrow else 4), shown, size=size - 1, fill=style.MUTED))
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
