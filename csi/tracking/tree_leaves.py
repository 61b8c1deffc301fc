"""The leaves of a tree, wave by wave: seen, carried forward, imputed or missing; always a weighted sum of cells.

Letters: `c` cells of the index, `l` leaves, `t` waves, `x` columns: cells, then one per leaf and wave for what no
sample tells (the drift of a carried value, the residual of an imputed one).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse

from csi.moments.stack import Array, Ints

Missing = Literal["renormalise", "carry", "impute", "refuse"]

SEEN, CARRIED, IMPUTED, MISSING, ABSENT = "seen", "carried", "imputed", "missing", "not yet"


@dataclass(frozen=True, slots=True)
class Leaves:
    """Values of the leaves as rows over the columns.

    Attributes:
        rows: wave -> (l, x) sparse coefficients; an empty row without a value. present: (t, l) whether there is one.
        treatment: (t, l) how the value came about. age: (t, l) waves since a carried value was seen.
        n: (t, l) answers behind a value that was seen. extra: (x) variance of each column beyond the cells'; 0 for
            cells. extra_df: (x) degrees of freedom of those variances, inf for cells.
        drift: mean squared change in one wave, of which carried values take one per wave of age.
        residual: group of siblings -> residual mean square of the additive fit.
    """

    rows: tuple[sparse.csr_matrix, ...]
    present: npt.NDArray[np.bool_]
    treatment: npt.NDArray[np.object_]
    age: Ints
    n: Ints
    extra: Array
    extra_df: Array
    drift: float
    residual: Mapping[int, float]


def leaves_of(
    cells: Mapping[tuple[int, int], tuple[Ints, Array]],
    values: Array,
    n: Array,
    waves: int,
    siblings: Sequence[int],
    missing: Missing,
    there: npt.NDArray[np.bool_],
) -> Leaves:
    """Rows of every leaf and wave.

    Parameters:
        cells: (wave, leaf) -> the cells it is made of and their shares, where it has a value. values: (c,) the index.
        n: (c,) answers. waves: how many. siblings: (l) parent of each leaf. missing: what becomes of leaves without a
            value that are `there` (t, l).

    Returns:
        Leaves. Carried: the last value seen, age x drift added to its variance. Imputed: mean + leaf + wave fitted by
        least squares to the siblings' values, the fit's variance of prediction added: residual mean square x (1 + h),
        h the sum of squared weights of the values that predict (their sampling error counts twice: on the safe side).
    """
    c, many = values.size, len(siblings)
    seen = np.full((waves, many), np.nan)
    count = np.zeros((waves, many), dtype=np.int64)
    for (t, leaf), (at, share) in cells.items():
        seen[t, leaf] = values[at] @ share
        count[t, leaf] = int(n[at].sum())
    treatment = np.where(np.isfinite(seen), SEEN, np.where(there, MISSING, ABSENT)).astype(object)
    columns = c + waves * many
    extra, age = np.zeros(columns), np.zeros((waves, many), dtype=np.int64)
    extra_df = np.full(columns, np.inf)
    drift, steps = mean_squared_change(seen), float(np.isfinite(np.diff(seen, axis=0)).sum())
    rows: dict[tuple[int, int], tuple[Ints, Array]] = dict(cells)
    residual: dict[int, float] = {}
    if missing == "carry":
        for t, leaf in zip(*np.nonzero(treatment == MISSING), strict=True):
            before = np.flatnonzero(np.isfinite(seen[:t, leaf]))
            if before.size:
                age[t, leaf], own = t - before[-1], c + t * many + leaf
                at, share = cells[int(before[-1]), int(leaf)]
                rows[int(t), int(leaf)] = (np.append(at, own), np.append(share, 1.0))
                extra[own], extra_df[own], treatment[t, leaf] = age[t, leaf] * drift, steps, CARRIED
    elif missing == "impute":
        for group in dict.fromkeys(siblings):
            mine = np.flatnonzero(np.array(siblings) == group)
            residual[group] = _impute(mine, seen, cells, treatment, rows, (extra, extra_df), c)
    present = (treatment != MISSING) & (treatment != ABSENT)
    return Leaves(_sparse(rows, waves, many, columns), present, treatment, age, count, extra, extra_df, drift, residual)


def mean_squared_change(seen: Array) -> float:
    """Mean squared change between neighbouring waves, over all leaves; 0 where no leaf was seen twice in a row.

    Parameters:
        seen: (t, l) values, NaN where absent.

    Example:
        >>> mean_squared_change(np.array([[70.0, 60.0], [72.0, np.nan], [71.0, 64.0]]))
        2.5
    """
    steps = np.diff(seen, axis=0)
    steps = steps[np.isfinite(steps)]
    return float((steps**2).mean()) if steps.size else 0.0


def additive(seen: Array, want: Iterable[tuple[int, int]]) -> tuple[dict[tuple[int, int], Array], float, int]:
    """Cells of a two-way table predicted by mean + row + column, as weights of the cells that are there.

    `y_tl = m + a_l + b_t` by least squares; the prediction is linear in the y that were seen.

    Parameters:
        seen: (t, l), NaN where absent. want: (t, l) places to predict.

    Returns:
        Weights of the cells seen (in the order of `np.nonzero`) for each place that the table determines; the residual
        mean square (NaN without degrees of freedom; then nothing is predicted) and its degrees of freedom.

    Source:
        Searle (1971), Linear Models, chapter 7: the two-way classification with unequal subclass numbers.

    Example:
        >>> weights, residual, df = additive(np.array([[1.0, 3.0], [2.0, 4.0], [4.0, np.nan]]), [(2, 1)])
        >>> round(float(weights[2, 1] @ [1, 3, 2, 4, 4]), 6), round(abs(residual), 6), df
        (6.0, 0.0, 1)
    """
    t, many = seen.shape
    at = np.nonzero(np.isfinite(seen))
    design = np.zeros((at[0].size, 1 + t + many))
    design[:, 0] = 1.0
    design[np.arange(at[0].size), 1 + at[0]] = 1.0
    design[np.arange(at[0].size), 1 + t + at[1]] = 1.0
    if not at[0].size:
        return {}, float("nan"), 0
    inverse, rank = np.linalg.pinv(design), int(np.linalg.matrix_rank(design))
    y = seen[at]
    df = y.size - rank
    residual = float(((y - design @ (inverse @ y)) ** 2).sum() / df) if df > 0 else float("nan")
    found: dict[tuple[int, int], Array] = {}
    for place in want:
        row = np.zeros(1 + t + many)
        row[[0, 1 + place[0], 1 + t + place[1]]] = 1.0
        if df > 0 and np.allclose(row @ inverse @ design, row, atol=1e-8):
            found[place] = row @ inverse
    return found, residual, df


def _impute(
    mine: Ints,
    seen: Array,
    cells: Mapping[tuple[int, int], tuple[Ints, Array]],
    treatment: npt.NDArray[np.object_],
    rows: dict[tuple[int, int], tuple[Ints, Array]],
    extra: tuple[Array, Array],
    c: int,
) -> float:
    """Fill in the missing leaves of one parent; returns the residual mean square.

    Parameters:
        extra: (x) variances and their degrees of freedom, filled in here.
    """
    part, many = seen[:, mine], seen.shape[1]
    want = [(int(t), int(k)) for t, k in zip(*np.nonzero(treatment[:, mine] == MISSING), strict=True)]
    if not want:
        return float("nan")
    found, residual, df = additive(part, want)
    places = [(int(t), int(mine[k])) for t, k in zip(*np.nonzero(np.isfinite(part)), strict=True)]
    for (t, k), weights in found.items():
        leaf = int(mine[k])
        own = c + t * many + leaf
        at = np.concatenate([cells[p][0] for p in places] + [np.array([own])])
        share = np.concatenate([w * cells[p][1] for w, p in zip(weights, places, strict=True)] + [np.ones(1)])
        rows[t, leaf] = (at, share)
        extra[0][own], extra[1][own] = residual * (1.0 + float(weights @ weights)), df
        treatment[t, leaf] = IMPUTED
    return residual


def _sparse(
    rows: Mapping[tuple[int, int], tuple[Ints, Array]], waves: int, many: int, columns: int
) -> tuple[sparse.csr_matrix, ...]:
    """One (l, x) matrix per wave."""
    out = []
    for t in range(waves):
        mine = [(leaf, *rows[t, leaf]) for leaf in range(many) if (t, leaf) in rows]
        data = np.concatenate([share for _, _, share in mine]) if mine else np.empty(0)
        at = np.concatenate([cell for _, cell, _ in mine]) if mine else np.empty(0, dtype=np.int64)
        row = np.concatenate([np.full(cell.size, leaf) for leaf, cell, _ in mine]) if mine else at
        out.append(sparse.csr_matrix((data, (row, at)), shape=(many, columns)))
    return tuple(out)
