"""Folds of cross-validation: which rows are held out together, and the moments of the others as one stack.

Letters: `n` rows of a cell, `p` items, `K` folds, `R` repetitions, `m = R K` training sets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from csi.errors import Problem, problem, seed_problems, whole
from csi.estimate.estimate import Estimate
from csi.estimate.later import known
from csi.inference.replicates import Flags
from csi.moments.pearson import weighted_cell
from csi.moments.stack import Array, Ints, Moments, Sample

Folds = int | Sequence[object]
"""How many folds, or the fold of every row as read."""


def fold_problems(sample: Sample | None, folds: object, repetitions: int, seed: int) -> list[Problem]:
    """What is wrong with a request for folds, all at once."""
    found = []
    found += whole("repetitions", repetitions)
    if not whole("repetitions", repetitions) and repetitions < 1:
        en, zh = f"{repetitions} repetitions are none.", f"重复次数不能为 {repetitions}。"
        found.append(problem("E-FOLDS", "repetitions", en, zh, "Use repetitions=10, say.", "例如 repetitions=10。"))
    found += seed_problems(seed)
    if sample is None:
        return found
    if isinstance(folds, int):
        found += _count_problems(sample, folds)
    else:
        found += _given_problems(sample, folds)
    return found


def _count_problems(sample: Sample, folds: int) -> list[Problem]:
    """At least two folds, and no more than there are units in the largest cell."""
    if folds < 2:
        en, zh = f"{folds} folds hold nothing out.", f"{folds} 折无法留出数据。"
        return [problem("E-FOLDS", "folds", en, zh, "Use folds=10, say.", "例如 folds=10。")]
    most = int(_units(sample).max())
    if folds > most:
        en = f"{folds} folds are more than the {most} respondents (or clusters) of the largest cell."
        zh = f"{folds} 折多于最大单元的 {most} 位受访者（或聚类）。"
        do, do_zh = "Two respondents are needed at least.", "至少需要两位受访者。"
        if most >= 2:
            do, do_zh = f"Use at most {most}; {most} leaves one out at a time.", f"至多 {most} 折，即逐一留出。"
        return [problem("E-FOLDS", "folds", en, zh, do, do_zh)]
    return []


def _given_problems(sample: Sample, folds: object) -> list[Problem]:
    """A fold for every row as read, two at least in some cell."""
    if isinstance(folds, str | float) or np.asarray(folds).ndim == 0:
        en, zh = f"{folds!r} is no number of folds.", f"{folds!r} 不是折数。"
        most = int(_units(sample).max())
        do = f"Give a whole number of folds ({most} leaves one out at a time), or the fold of every row."
        do_zh = f"请给出整数折数（{most} 折即逐一留出），或每一行的折号。"
        return [problem("E-FOLDS", "folds", en, zh, do, do_zh)]
    given = np.asarray(folds)
    rows = int(sample.place.max()) + 1 if sample.place is not None else len(sample.rows)
    if given.ndim != 1 or given.size < rows:
        en, zh = f"{given.size} folds are given for {rows} rows.", f"给出了 {given.size} 个折号，而数据有 {rows} 行。"
        do, do_zh = "Give a number of folds, or the fold of every row.", "请给出折数，或每一行的折号。"
        return [problem("E-FOLDS", "folds", en, zh, do, do_zh)]
    if not divided(sample, given.tolist()).any():
        en, zh = "all rows of a cell are in one fold.", "每个单元的所有行都在同一折。"
        return [problem("E-FOLDS", "folds", en, zh, "Use two folds or more.", "请至少使用两折。")]
    return []


def divided(sample: Sample, folds: Folds) -> Flags:
    """(c,) True for the cells that the folds divide: at least as many units as folds, or rows in two given folds."""
    if isinstance(folds, int):
        return np.asarray(_units(sample) >= folds)
    label = _labels(sample, np.asarray(folds))
    return np.array([np.unique(label[sample.cell == c]).size > 1 for c in range(sample.cells.height)])


def _units(sample: Sample) -> Ints:
    """(c,) respondents (or clusters) of each cell."""
    return np.array([np.unique(sample.unit[sample.cell == c]).size for c in range(sample.cells.height)])


def _labels(sample: Sample, given: np.ndarray) -> Ints:
    """(n,) number of the given fold of each row of the sample."""
    place = np.arange(len(sample.rows)) if sample.place is None else sample.place
    return np.asarray(np.unique(given[place].astype(str), return_inverse=True)[1], dtype=np.int64)


def fold_of_rows(sample: Sample, rows: slice, folds: Folds, repetitions: int, seed: int) -> Ints:
    """(R, n) fold of each row of a cell, from 0; rows of one unit (respondent, cluster) are held out together.

    Units are put in a random order that depends on the seed and the repetition alone, and dealt out in turn, so sizes
    differ by one unit at most. Given folds are one repetition as they are.

    Example:
        >>> import polars as pl
        >>> from csi.moments.sample import sample_of
        >>> sample = sample_of(pl.DataFrame({"q": [1, 2, 3, 4, 5, 6]}), ["q"])
        >>> np.bincount(fold_of_rows(sample, slice(0, 6), 3, 1, 1)[0]).tolist()
        [2, 2, 2]
    """
    if not isinstance(folds, int):
        own = np.unique(_labels(sample, np.asarray(folds))[rows], return_inverse=True)[1]
        return np.asarray(own, dtype=np.int64)[None]
    units, position = np.unique(sample.unit[rows], return_inverse=True)
    found = np.empty((repetitions, position.size), dtype=np.int64)
    for r in range(repetitions):
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, r])))
        rank = np.argsort(np.argsort(rng.random(sample.stratum.size)[units], kind="stable"), kind="stable")
        found[r] = (rank % folds)[position]
    return found


def training(sample: Sample, number: int, rows: slice, fold: Ints, *, with_rows: bool = False) -> Moments:
    """Moments of a cell without each fold in turn: m slices, repetition by repetition.

    Parameters:
        number: the cell. rows: its rows in the sample. fold: (R, n) from `fold_of_rows`. with_rows: keep the rows with
            their weights in each slice, for products.
    """
    K = int(fold.max()) + 1
    kept = (fold[:, None, :] != np.arange(K)[:, None]).reshape(-1, fold.shape[1])
    whole = weighted_cell(sample, number, rows, kept * sample.weight[rows])
    whole = whole if with_rows else whole.without_rows()
    n = kept.sum(axis=1).astype(np.float64)
    scale = (whole.n - 1) / whole.n * n / np.maximum(n - 1, 1)
    return replace(whole, n=n, cov=whole.cov * scale[:, None, None])


def of_cell(est: Estimate, number: int) -> Estimate:
    """The estimate with the solution of one cell alone, which points the scores of its refits."""
    if len(est.solution.paths) == 1:
        return est
    b = len(est.solution.paths)
    arrays: dict[str, Any] = {}
    for f in fields(est.solution):
        value = getattr(est.solution, f.name)
        if isinstance(value, np.ndarray) and value.ndim > 1 and len(value) == b:
            arrays[f.name] = value[number : number + 1]
    return replace(est, solved=known(replace(est.solution, **arrays)))


def held_out(fold: Ints) -> list[tuple[int, Ints]]:
    """Number of each training set and the rows it is to predict."""
    K = int(fold.max()) + 1
    return [(r * K + k, np.flatnonzero(fold[r] == k)) for r in range(len(fold)) for k in range(K)]


def gathered(values: Array, fold: Ints) -> Array:
    """(R, n, ...) the value (m, ...) of the training set that each row was held out of."""
    K = int(fold.max()) + 1
    return np.asarray(values[np.arange(len(fold))[:, None] * K + fold], dtype=np.float64)
