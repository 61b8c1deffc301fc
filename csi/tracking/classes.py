"""Classes of respondents (segment, region, mode ...) in the cells of an index: who answered, and what they said.

Letters: `n` rows, `g` classes, `p` items of the construct, `u` units, `B` replicates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np
import polars as pl

from csi.errors import Note, Problem, Problems, did_you_mean, note, problem
from csi.estimate.estimate import Estimate
from csi.moments.stack import Array, Ints, Sample
from csi.survey.panel import Panel
from csi.survey.readers.frames import to_polars
from csi.tracking.shapley import State

if TYPE_CHECKING:
    from narwhals.typing import IntoFrame

ABSENT = "(absent)"
"""The class of respondents without one."""


@dataclass(frozen=True, slots=True)
class Classes:
    """The class of every row.

    Attributes:
        name: the column ("" for one class). labels: the g classes, sorted. code: (n,) class of each row.
    """

    name: str
    labels: tuple[str, ...]
    code: Ints
    notes: tuple[Note, ...] = ()


def one_class(sample: Sample) -> Classes:
    """Everybody in one class: the change has no composition."""
    return Classes("", ("",), np.zeros(len(sample.rows), dtype=np.int64))


def classes_of(sample: Sample, name: str, data: object) -> Classes:
    """The classes of a sample's rows, from a column of the data they were read from.

    Parameters:
        sample: the rows behind an index. name: the column. data: the panel or frame that was fitted; or the estimate,
            where it was fitted by the column.

    Raises:
        Problems: E-CLASS, an unknown column, or data that are not those of the rows.
    """
    values = _by_place(data, name) if isinstance(data, Estimate) else _column(data, name)
    if sample.place is None or int(sample.place.max()) >= values.len():
        raise Problems([_other_rows(name)])
    mine = values.gather(sample.place).cast(pl.String)
    silent = int(mine.null_count())
    labels = mine.fill_null(ABSENT)
    names = sorted(labels.unique().to_list())
    code = labels.replace_strict(names, list(range(len(names))), return_dtype=pl.Int64).to_numpy()
    return Classes(name, tuple(names), code, _silent(name, silent))


def _column(data: object, name: str) -> pl.Series:
    """A column of a panel or a frame."""
    frame = data.frame if isinstance(data, Panel) else data if isinstance(data, pl.DataFrame) else None
    if frame is None:
        frame = to_polars(cast("IntoFrame", data), "data")
    if name not in frame.columns:
        raise Problems([unknown_class(name, frame.columns)])
    return frame[name]


def _by_place(est: Estimate, name: str) -> pl.Series:
    """The key of an estimate's cells, row by row of the data."""
    sample = est.sample
    if sample is None or sample.place is None or name not in sample.cells.columns:
        have = [] if sample is None else sample.cells.columns
        raise Problems([unknown_class(name, [c for c in have if c != "n"])])
    found: list[str | None] = [None] * (int(sample.place.max()) + 1)
    labels = sample.cells[name].cast(pl.String).to_list()
    for place, cell in zip(sample.place, sample.cell, strict=True):
        found[int(place)] = labels[int(cell)]
    return pl.Series(found, dtype=pl.String)


def unknown_class(name: str, have: list[str]) -> Problem:
    """There is no such column."""
    hint = did_you_mean(name, have)
    en, zh = f'there is no column "{name}" to make classes of.', f"没有可用于分类的列“{name}”。"
    return problem("E-CLASS", "by", en, zh, hint.en, hint.zh)


def _other_rows(name: str) -> Problem:
    en = f'the column "{name}" is not of the rows behind the index.'
    zh = f"“{name}”列与指数所用的数据行不符。"
    do, do_zh = "Give data=, the panel or frame that was fitted.", "请用 data= 给出拟合时所用的面板或数据框。"
    return problem("E-CLASS", "data", en, zh, do, do_zh)


def _silent(name: str, rows: int) -> tuple[Note, ...]:
    if not rows:
        return ()
    en = f"{rows} rows have no {name}; they are a class of their own, {ABSENT}."
    return (note("N-CLASS-ABSENT", en, f"有 {rows} 行缺少 {name}，单独作为一类 {ABSENT}。"),)


@dataclass(frozen=True, slots=True)
class Shape:
    """The items of a construct in the rows: their columns and bounds (p,) each."""

    names: tuple[str, ...]
    columns: Ints
    low: Array
    high: Array

    def scores(self, rows: Array) -> Array:
        """(n, p) answers on 0-100."""
        found: Array = 100.0 * (rows[:, self.columns] - self.low) / (self.high - self.low)
        return found


def state_of(sample: Sample, cell: int, classes: Classes, shape: Shape, weights: Array) -> State:
    """Shares and means of the classes in one cell, with the weights the cell uses.

    Classes that nobody of the cell is in have share 0 and an absent mean.
    """
    rows = rows_of(sample, cell)
    member, answers, given = _parts(sample, rows, classes, shape)
    d = sample.weight[rows]
    total = np.einsum("n,ng,nk->gk", d, member, given)
    with np.errstate(divide="ignore", invalid="ignore"):
        means = np.einsum("n,ng,nk->gk", d, member, answers) / total
        shares = total / total.sum(axis=0)
    return State(weights, shares, means)


def rows_of(sample: Sample, cell: int) -> slice:
    """The rows of a cell; a sample is sorted by cell."""
    first, last = np.searchsorted(sample.cell, [cell, cell + 1])
    return slice(int(first), int(last))


def _parts(sample: Sample, rows: slice, classes: Classes, shape: Shape) -> tuple[Array, Array, Array]:
    """(n, g) membership, (n, p) scores with 0 where absent, (n, p) whether answered."""
    scores = shape.scores(sample.rows[rows])
    member = (classes.code[rows][:, None] == np.arange(len(classes.labels))).astype(np.float64)
    return member, np.nan_to_num(scores), np.isfinite(scores).astype(np.float64)


def influence_of(sample: Sample, cell: int, classes: Classes, shape: Shape, state: State) -> tuple[Ints, State]:
    """The units of a cell and their influence on its shares and means (weights held fixed).

    `z(s_gk) = sum_i d_i m_ik (1_ig - s_gk) / sum_i d_i m_ik`, `z(x_gk) = sum_i d_i m_ik 1_ig (x_ik - x_gk) / W_gk`.

    Returns:
        units (u,), State of influence values with a leading axis u.

    Source:
        Wolter (2007), Introduction to Variance Estimation, chapter 6 (Taylor series).
    """
    rows = rows_of(sample, cell)
    member, answers, given = _parts(sample, rows, classes, shape)
    d = sample.weight[rows]
    units, place = np.unique(sample.unit[rows], return_inverse=True)
    total = np.einsum("n,nk->k", d, given)
    weight = d[:, None] * given
    means = np.nan_to_num(state.means)
    inside = np.where(state.shares > 0, state.shares * total, 1.0)
    g, p = state.shares.shape
    shares_of, means_of = np.zeros((2, units.size, g, p))
    for j in range(g):
        of_share = weight * (member[:, [j]] - state.shares[j]) / total
        of_mean = weight * member[:, [j]] * (answers - means[j]) / inside[j]
        for k in range(p):
            shares_of[:, j, k] = np.bincount(place, of_share[:, k], units.size)
            means_of[:, j, k] = np.bincount(place, of_mean[:, k], units.size)
    return units, State(np.zeros((units.size, p)), shares_of, means_of)


def columns_of(sample: Sample, classes: Classes, shape: Shape) -> Sample:
    """The sample with columns whose means are all that shares and means need: `1_g` and `1_g x` where answered.

    (g p) indicators, absent where the item is not answered, then (g p) answers, absent outside the class.
    """
    member, _, given = _parts(sample, slice(None), classes, shape)
    scores = shape.scores(sample.rows)
    inside = member[:, :, None] * given[:, None, :]
    shown = np.where(given[:, None, :] > 0, inside, np.nan)
    answers = np.where(inside > 0, scores[:, None, :], np.nan)
    rows = np.concatenate([shown.reshape(len(scores), -1), answers.reshape(len(scores), -1)], axis=1)
    return replace(sample, rows=rows, names=tuple(str(i) for i in range(rows.shape[1])))


def states_of(means: Array, classes: Classes, shape: Shape) -> tuple[Array, Array]:
    """(B, c, g, p) shares and means from the means of `columns_of`."""
    g, p = len(classes.labels), len(shape.names)
    folded = means.reshape(*means.shape[:2], 2, g, p)
    return folded[:, :, 0], folded[:, :, 1]
