"""Answers of waves before a scale was changed, turned from the scale that they were asked on into the codebook's.

Letters: `n` rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.errors import Note, Problem
from csi.survey.cells import REASON
from csi.survey.codebook import Codebook, Item
from csi.survey.doubts import CHANCE, LOWER, unused_scales
from csi.survey.former_words import beyond, changed, turned_note, unclear
from csi.survey.panel import RuleEffect

Ends = tuple[float, float]
"""The lowest and the highest answer of a scale."""

SLIPS = 0.05
"""Up to this share of answers outside a scale that is stated are slips, which the rules may make missing."""

FEW = 30
"""From fewer answers no scale is read."""


@dataclass(frozen=True, slots=True)
class Former:
    """Until `wave` some items were asked on another scale.

    Attributes:
        wave: the first wave of the next scale. items: whose scale it was. scale: None where nobody says which.
        sure: it is stated, so that answers outside are a problem; else the answers decide whether they stand on it.
        doubt: False where the study says that scales which seem to differ do not. place: where it is said.
    """

    wave: str
    items: tuple[str, ...]
    scale: Ends | None = None
    sure: bool = False
    doubt: bool = True
    place: str = "waves: breaks"


@dataclass(frozen=True, slots=True)
class Turned:
    """The rows on the codebook's scales.

    Attributes:
        scales: wave -> item -> the scale that its answers were given on, where it was another one.
        known: (wave, item) whose scale is stated, so that it is not doubted.
    """

    frame: pl.DataFrame
    problems: tuple[Problem, ...] = ()
    notes: tuple[Note, ...] = ()
    effects: tuple[RuleEffect, ...] = ()
    scales: Mapping[str, Mapping[str, Ends]] = field(default_factory=dict)
    known: frozenset[tuple[str, str]] = frozenset()

    @property
    def items(self) -> frozenset[str]:
        """Items some of whose answers were turned."""
        return frozenset(name for one in self.scales.values() for name in one)


@dataclass(frozen=True, slots=True)
class _Found:
    """What was found of an item in the waves of a former scale."""

    item: Item
    of: Former
    waves: tuple[str, ...]
    at: npt.NDArray[np.bool_]
    stands: Literal["old", "new", "either"]
    outside: npt.NDArray[np.bool_]


def widened(codebook: Codebook, formers: Sequence[Former]) -> Codebook:
    """The codebook with scales that take the answers of former ones, too."""
    return replace(codebook, items=tuple(_wide(item, formers) for item in codebook.items))


def _wide(item: Item, formers: Sequence[Former]) -> Item:
    ends = [one.scale for one in formers if one.scale is not None and item.name in one.items]
    low = min([item.scale.minimum, *(low for low, _ in ends)])
    high = max([item.scale.maximum, *(high for _, high in ends)])
    return replace(item, scale=replace(item.scale, minimum=low, maximum=high)) if ends else item


def turned_into(
    frame: pl.DataFrame, codebook: Codebook, formers: Sequence[Former], waves: Sequence[str], *, missing: bool = False
) -> Turned:
    """The answers of earlier waves on the codebook's scales: `min + (x - old min) (max - min) / (old max - old min)`.

    Parameters:
        frame: typed rows, read by the `widened` codebook. waves: oldest first, those of the formers among them.
        missing: a few answers outside a stated scale become missing; else they are a problem.

    Example:
        >>> from csi.errors import Text
        >>> from csi.survey.codebook import Scale
        >>> book = Codebook((Item("q", "s", Scale("ten", 1, 10), Text("q", "q")),), {}, {})
        >>> frame = pl.DataFrame({"wave": ["1", "1", "2"], "q": [5.0, 2.0, 10.0], "q reason": [None, None, None]})
        >>> made = turned_into(frame, book, [Former("2", ("q",), (1, 5), sure=True)], ["1", "2"])
        >>> made.frame["q"].to_list(), made.scales
        ([10.0, 3.25, 10.0], {'1': {'q': (1, 5)}})
    """
    if not formers or "wave" not in frame.columns:
        return Turned(frame)
    known = [one for one in formers if one.wave in waves]
    order = sorted(known, key=lambda one: waves.index(one.wave))
    found: list[_Found] = []
    columns: list[pl.Series] = []
    for item in codebook.items:
        mine = [*_of_item(frame, item, order, waves)]
        if any(one.scale is not None and item.name in one.items for one in formers):
            columns += _columns(frame, item, mine, missing=missing)
        found += mine
    old = [one for one in found if one.stands == "old"]
    scales: dict[str, dict[str, Ends]] = {}
    for one in old:
        for wave in one.waves if one.of.scale is not None else ():
            scales.setdefault(wave, {})[one.item.name] = one.of.scale or (0.0, 0.0)
    return Turned(
        frame.with_columns(columns),
        (*_stops(found, missing=missing),),
        (*_notes(old),),
        (*_effects(old),),
        scales,
        frozenset((wave, one.item.name) for one in found if one.of.sure or one.stands == "old" for wave in one.waves),
    )


def _of_item(frame: pl.DataFrame, item: Item, formers: Sequence[Former], waves: Sequence[str]) -> Iterator[_Found]:
    """What is found of an item in the waves of its former scales, oldest first."""
    wave, x = frame["wave"], frame[item.name].to_numpy()
    start = 0
    for one in formers:
        if item.name not in one.items:
            continue
        end = waves.index(one.wave)
        within = tuple(waves[start:end])
        at = wave.is_in(within).fill_null(value=False).to_numpy()
        start = end
        here = (item.scale.minimum, item.scale.maximum)
        if one.scale is None or (not one.sure and one.scale == here) or not np.isfinite(x[at]).any():
            continue
        low, high = one.scale
        outside = at & np.isfinite(x) & ((x < low) | (x > high))
        others = x[wave.is_in(waves[end:]).fill_null(value=False).to_numpy()]
        stands = "old" if one.sure else _stands(x[at], others, one.scale, here)
        if one.scale != here:
            yield _Found(item, one, within, at, stands, outside)
        else:
            yield _Found(item, one, within, at, "new", outside & False)


def _stands(
    x: npt.NDArray[np.float64], later: npt.NDArray[np.float64], old: Ends, new: Ends
) -> Literal["old", "new", "either"]:
    """Which of two scales answers stand on, that fit both or one of them.

    Parameters:
        x: the answers. later: those of the waves after, on the new one.
    """
    x, later = x[np.isfinite(x)], later[np.isfinite(later)]
    if x.min() < old[0] or x.max() > old[1]:
        return "new"
    if x.min() < new[0] or x.max() > new[1]:
        return "old"
    beyond_old = np.mean((later < old[0]) | (later > old[1])) if later.size else 0.0
    if (1 - beyond_old) ** x.size < CHANCE:
        return "old"
    longer = old[1] - old[0] > new[1] - new[0]
    return "new" if longer and x.size >= FEW and x.max() <= old[0] + LOWER * (old[1] - old[0]) else "either"


def _columns(frame: pl.DataFrame, item: Item, found: Sequence[_Found], *, missing: bool) -> list[pl.Series]:
    """The answers and the reasons of an item: turned, and held to the scale of each row."""
    x = frame[item.name].to_numpy().copy()
    low, high = item.scale.minimum, item.scale.maximum
    lost = np.isfinite(x) & ((x < low) | (x > high))
    for one in found:
        if one.stands != "old" or one.of.scale is None:
            continue
        least, most = one.of.scale
        x[one.at] = low + (x[one.at] - least) * (high - low) / (most - least)
        lost[one.at] = one.outside[one.at] if missing else False
        x[one.outside] = np.nan
    x[lost] = np.nan
    reason = pl.Series(lost)
    name = item.name + REASON
    told = pl.select(pl.when(reason).then(pl.lit("out_of_range")).otherwise(frame[name]).alias(name)).to_series()
    return [pl.Series(item.name, x).fill_nan(None), told]


def _stops(found: Sequence[_Found], *, missing: bool) -> Iterator[Problem]:
    """Answers outside a stated scale; items of which it cannot be told which scale they stand on."""
    for of in dict.fromkeys(one.of for one in found):
        mine = [one for one in found if one.of == of]
        shares = {one.item.name: (int(one.outside.sum()), int(one.at.sum())) for one in mine if of.sure}
        bad = {k: out for k, (out, n) in shares.items() if out and not (missing and out <= SLIPS * n)}
        if bad and of.scale is not None:
            yield beyond(of.place, of.wave, of.scale, bad)
        either = [one.item for one in mine if one.stands == "either"]
        if either and of.scale is not None:
            new = (either[0].scale.minimum, either[0].scale.maximum)
            yield unclear(of.place, of.wave, of.scale, new, [item.name for item in either])


def _notes(found: Sequence[_Found]) -> Iterator[Note]:
    """That answers were turned, once for every former scale and scale of the codebook."""
    groups: dict[tuple[Former, Ends], list[str]] = {}
    for one in found:
        groups.setdefault((one.of, (one.item.scale.minimum, one.item.scale.maximum)), []).append(one.item.name)
    for (of, new), names in groups.items():
        if of.scale is not None:
            yield turned_note(of.wave, of.scale, new, names)


def _effects(found: Sequence[_Found]) -> Iterator[RuleEffect]:
    """How many answers were turned."""
    if found:
        rows = int(np.any([one.at for one in found], axis=0).sum())
        cells = sum(int(one.at.sum()) for one in found)
        names = ", ".join(dict.fromkeys(one.item.name for one in found))
        yield RuleEffect("former_scale", "turned into the codebook's scale", rows, cells, names)


def still_unlike(
    frame: pl.DataFrame, codebook: Codebook, formers: Sequence[Former], waves: Sequence[str], made: Turned
) -> Iterator[Problem]:
    """Waves on one side of a declared change that leave the upper part of a scale unused although no scale is stated.

    Parameters:
        frame: the kept rows, turned. waves: oldest first, those of the formers among them. made: what was turned.
    """
    known = sorted((one for one in formers if one.wave in waves), key=lambda one: waves.index(one.wave))
    if not known or not all(one.doubt for one in known) or "wave" not in frame.columns:
        return
    starts = [0, *(waves.index(one.wave) for one in known), len(waves)]
    runs = {waves[a]: waves[a:b] for a, b in pairwise(starts) if a < b}
    of = {wave: first for first, run in runs.items() for wave in run}
    joined = frame.select(pl.col("wave").replace(of), *codebook.names)
    found = unused_scales(joined, codebook, list(runs))
    for (first, low, high), items in found.items():
        names = [name for name, _ in items if not any((wave, name) in made.known for wave in runs[first])]
        if names:
            most = max(value for name, value in items if name in names)
            after = next((one for one in known if waves.index(one.wave) > waves.index(first)), None)
            one = after or known[-1]
            yield changed(one.place, one.wave, (low, high), names, most, last=after is None)
