"""What the answers say together: rows ready for counting, and stacks of first and second moments.

Letters: `p` items, `n` rows, `c` cells (brand x wave), `b` slices of a stack.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.errors import Note

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Missing = Literal["listwise", "pairwise", "mean"]


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows of answers with their design, sorted by cell; everything that resampling needs.

    Attributes:
        names: item names (p). rows: (n, p) answers; NaN only under `missing="pairwise"`.
        weight: (n,) design weights scaled to mean 1 over the sample. cell: (n,) index into `cells`.
        unit: (n,) index of the resampling unit (cluster, else respondent), shared by all cells.
        stratum: (units,) stratum of each unit: the declared one in the waves it answered, else the cells it answered.
        cells: one row per cell with its key columns (`brand`, `wave`, ... ; none for a single cell) and `n`.
        minimum, maximum: (p,) theoretical bounds of the items; NaN where unknown.
        missing: how absent answers were treated. notes: what is doubtful.
    """

    names: tuple[str, ...]
    rows: Array
    weight: Array
    cell: Ints
    unit: Ints
    stratum: Ints
    cells: pl.DataFrame
    minimum: Array
    maximum: Array
    missing: Missing
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Moments:
    """A stack of moments; every repetition (cell, resample, fold) is one slice of the leading axis.

    Attributes:
        names: item names (p). n: (b,) rows behind each slice. sum_w, sum_w2: (b,) sums of weights and of their squares.
        mean: (b, p). cov: (b, p, p), divisor n - 1 with weights scaled to sum n.
        cells: one row per slice (key columns of the cell, `n`); for replicates the cells of one replicate.
        minimum, maximum: (p,) theoretical bounds (NaN where unknown). missing: how absent answers were treated.

    Example:
        >>> from csi.moments.pearson import moments_of
        >>> from csi.moments.sample import sample_of
        >>> frame = pl.DataFrame({"q1": [1, 2, 3], "q2": [2, 4, 6]})
        >>> moments = moments_of(sample_of(frame, ["q1", "q2"]))
        >>> moments.mean.tolist(), moments.cor[0, 0, 1].round(3)
        ([[2.0, 4.0]], np.float64(1.0))
    """

    names: tuple[str, ...]
    n: Array
    sum_w: Array
    sum_w2: Array
    mean: Array
    cov: Array
    cells: pl.DataFrame
    minimum: Array
    maximum: Array
    missing: Missing = "listwise"
    notes: tuple[Note, ...] = ()

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        cov: npt.ArrayLike,
        n: float,
        mean: npt.ArrayLike | None = None,
        scale: tuple[float, float] | None = None,
    ) -> Self:
        """One slice from a published covariance (or correlation) matrix.

        Parameters:
            names: p items. cov: (p, p), divisor n - 1. n: rows behind it. mean: (p,), zeros when unknown.
            scale: theoretical (minimum, maximum) of the items, which an index needs.

        Example:
            >>> Moments.of(["a", "b"], [[1.0, 0.5], [0.5, 1.0]], n=200).cor[0, 0, 1]
            np.float64(0.5)
        """
        p, low, high = len(names), *(scale or (np.nan, np.nan))
        count = np.array([float(n)])
        return cls(
            names=tuple(names),
            n=count,
            sum_w=count,
            sum_w2=count,
            mean=np.zeros((1, p)) if mean is None else np.asarray(mean, dtype=np.float64).reshape(1, p),
            cov=np.asarray(cov, dtype=np.float64).reshape(1, p, p),
            cells=pl.DataFrame({"n": [int(n)]}),
            minimum=np.full(p, float(low)),
            maximum=np.full(p, float(high)),
        )

    @property
    def sd(self) -> Array:
        """(b, p) standard deviations."""
        return np.sqrt(np.diagonal(self.cov, axis1=-2, axis2=-1))

    @property
    def cor(self) -> Array:
        """(b, p, p) correlations."""
        sd = self.sd
        return self.cov / (sd[..., :, None] * sd[..., None, :])
