"""The index of every cell under each treatment of absent answers, with the same weights of its items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from csi.errors import Problems
from csi.inference.linearised import Means, means
from csi.inference.rubin import rubin
from csi.moments.expectation import em_moments
from csi.moments.sample import sample_of
from csi.moments.stack import Array, Ints, Sample
from csi.study.fitted import CELLS, copies
from csi.study.study import Study
from csi.study.weighing import Weighing, cell_of
from csi.survey.disclosure import below, together
from csi.survey.panel import Panel
from csi.tracking.row_effects import Answered, Bools, moves
from csi.tracking.row_effects import together as own_scores

TREATED = {
    "n": pl.Int64, "complete": pl.Int64, "listwise": pl.Float64, "available": pl.Float64, "em": pl.Float64,
    "imputed": pl.Float64, "std_error": pl.Float64, "missing_information": pl.Float64, "reason": pl.String,
    "reason_zh": pl.String,
}  # fmt: skip


def treatment_table(study: Study, panel: Panel, how: Weighing, small: int, many: int) -> pl.DataFrame:
    """A line per cell, and one of all cells (null keys): rows with any answer (n) and complete ones; the target's index
    by complete rows (listwise), by the answers there are, by EM, and by `many` imputed copies with its standard error
    (weights fixed) and the share of missing information (0: none).

    Beside the published index no other treatment is told where the rows between them are few; the line of all cells is
    the mean of theirs by the weights of the published rows.
    """
    keys = [k for k in CELLS if k in panel.frame.columns]
    schema: dict[str, Any] = {**dict.fromkeys(keys, pl.String), **TREATED}
    try:
        sample = sample_of(panel, how.names, keys, missing="em")
    except Problems:
        return pl.DataFrame(schema=schema)
    drawn = _drawn(study, panel, how, keys, many) if many > 1 else []
    each = rubin_of_cells(drawn)
    listwise = study.settings.missing == "listwise" and not study.settings.imputations
    found = []
    for number, key in enumerate(sample.cells.drop("n").iter_rows(named=True)):
        rows = cell_of(sample, number, how, key)
        if rows is not None:
            one = _treated(rows[0], each.get(tuple(key.values()), (np.nan,) * 3), listwise=listwise)
            found.append((tuple(key.values()), one))
    lines = [(*key, *_line(one, small, told=_told(one, small), listwise=listwise)) for key, one in found]
    if len(found) > 1:
        every = _pooled([one for _, one in found])
        every.values[4:] = rubin_of_all(drawn, {key: one.weight for key, one in found})
        kept = np.array([one.published for _, one in found])
        rest = np.array([one.n - one.complete for _, one in found if not _told(one, small)])
        told = together(rest[rest > 0], small) and together(kept[kept < small], small)
        lines.append((*(None,) * len(keys), *_line(every, small, told=told, listwise=listwise)))
    return pl.DataFrame(lines, schema, orient="row")


@dataclass(frozen=True, slots=True)
class Treated:
    """A cell: its rows, complete ones, those published, their weight, and the index (listwise, available, em, imputed,
    its standard error and share of missing information).
    """

    n: int
    complete: int
    published: int
    weight: float
    values: Array


def _treated(cell: Answered, imputed: tuple[float, ...], *, listwise: bool) -> Treated:
    """The index of one cell under every treatment."""
    whole: Bools = np.asarray(np.isfinite(cell.x).all(axis=1), dtype=np.bool_)
    every: Bools = np.ones(len(whole), dtype=np.bool_)
    plain = Answered(cell.x, cell.weight, cell.unit, cell.stratum, cell.columns, cell.a, cell.low, cell.high)
    move = moves(plain, [(every, whole)])[0]
    mean, _ = em_moments(cell.x, cell.weight[None])
    em = float((100 * (mean[0, cell.columns] - cell.low) / (cell.high - cell.low)) @ cell.a)
    out = whole if listwise else every
    values = np.array([move.without, move.with_rows, em, *imputed])
    return Treated(len(whole), int(whole.sum()), int(out.sum()), float(cell.weight[out].sum()), values)


def _told(one: Treated, small: int) -> bool:
    """Whether other treatments may be told beside the published one."""
    apart = one.n - one.complete
    return one.published >= small and (apart == 0 or apart >= small)


def _pooled(cells: Sequence[Treated]) -> Treated:
    """All cells together: the mean of what each has; the standard error is found apart."""
    weight = np.array([c.weight for c in cells])
    values = np.array([c.values for c in cells])
    mean = weight @ np.where(weight[:, None] > 0, np.nan_to_num(values), 0.0) / weight.sum()
    mean = np.where((np.isnan(values) & (weight[:, None] > 0)).any(axis=0), np.nan, mean)
    mean[4:] = np.nan
    n, complete, published = (sum(getattr(c, name) for c in cells) for name in ("n", "complete", "published"))
    return Treated(n, complete, published, float(weight.sum()), mean)


def _line(one: Treated, small: int, *, told: bool, listwise: bool) -> tuple[object, ...]:
    """The columns of `TREATED`."""
    if one.published < small:
        why = below(one.published, small)
        return (one.n, one.complete, *(None,) * 6, why.en, why.zh)
    known = [float(v) if np.isfinite(v) else None for v in one.values]
    if told:
        return (one.n, one.complete, *known, None, None)
    shown = [known[0], *(None,) * 5] if listwise else [None, *known[1:]]
    en = f"withheld: beside the published index it would tell of fewer than {small} answers."
    zh = f"不予发布：与已发布指数相减可得出不足 {small} 份答卷的数值。"
    return (one.n, one.complete, *shown, en, zh)


@dataclass(frozen=True, slots=True)
class Copy:
    """One imputed copy: its cells' own scores, weights and units of the rows; strata of all units."""

    cells: dict[tuple[object, ...], tuple[Array, Array, Ints]]
    stratum: Ints


def _drawn(study: Study, panel: Panel, how: Weighing, keys: list[str], many: int) -> list[Copy]:
    """The scores of every cell in imputed copies."""
    out = []
    for copy in copies(study, panel, many):
        sample: Sample = sample_of(copy, how.names, keys, missing="listwise")
        cells: dict[tuple[object, ...], tuple[Array, Array, Ints]] = {}
        for number, key in enumerate(sample.cells.drop("n").iter_rows(named=True)):
            found = cell_of(sample, number, how, key)
            if found is not None:
                cell = found[0]
                own: Array = own_scores(cell, np.ones(len(cell.x), dtype=bool))
                cells[tuple(key.values())] = (own, cell.weight, cell.unit)
        out.append(Copy(cells, sample.stratum))
    return out


def rubin_of_cells(drawn: Sequence[Copy]) -> dict[tuple[object, ...], tuple[float, ...]]:
    """Cell -> the index over imputed copies, its standard error and share of missing information."""
    places = dict.fromkeys(key for copy in drawn for key in copy.cells)
    out: dict[tuple[object, ...], tuple[float, ...]] = {}
    for place in places:
        some = [(*copy.cells[place], copy.stratum) for copy in drawn if place in copy.cells]
        if len(some) > 1:
            out[place] = _rubin([means(own[:, None], weight, unit, stratum) for own, weight, unit, stratum in some])
    return out


def rubin_of_all(drawn: Sequence[Copy], weight: Mapping[tuple[object, ...], float]) -> tuple[float, float]:
    """Standard error and share of missing information of the mean of all cells by their weights."""
    found = []
    for copy in drawn:
        told = [(own, w * (weight[key] / w.sum()), unit) for key, (own, w, unit) in copy.cells.items() if key in weight]
        if told:
            own, w, unit = (np.concatenate(parts) for parts in zip(*told, strict=True))
            found.append(means(own[:, None], w, unit, copy.stratum))
    return _rubin(found)[1:] if len(found) > 1 else (np.nan, np.nan)


def _rubin(found: Sequence[Means]) -> tuple[float, float, float]:
    """Value, standard error and share of missing information over copies."""
    pooled = rubin(np.array([m.mean for m in found]), np.array([m.std_error for m in found]))
    return float(pooled.value[0]), float(pooled.std_error[0]), float(pooled.missing[0])
