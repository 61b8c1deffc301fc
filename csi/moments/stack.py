"""What the answers say together: rows ready for counting, and stacks of first and second moments.

Letters: `p` items, `n` rows, `c` cells (brand x wave), `b` slices of a stack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.errors import Note, Problems, problem

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Missing = Literal["listwise", "pairwise", "mean", "em", "fiml", "two-stage"]
UNLIKE = 1e-6
"""Share of the largest entry by which two halves of a covariance matrix may differ by rounding."""

MOMENTS_ALONE: tuple[Missing, ...] = ("listwise", "pairwise", "mean", "em")
"""Treatments of absent answers that end in moments; the others need the rows themselves."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows of answers with their design, sorted by cell; everything that resampling needs.

    Attributes:
        names: item names (p). rows: (n, p) answers; NaN only where `missing` keeps rows with absences.
        weight: (n,) design weights scaled by a power of two to a mean near 1. cell: (n,) index into `cells`.
        unit: (n,) index of the resampling unit (cluster, else respondent), shared by all cells.
        stratum: (units,) stratum of each unit: the declared one in the waves it answered, else the cells it answered.
        cells: one row per cell with its key columns (`brand`, `wave`, ... ; none for a single cell) and `n`.
        minimum, maximum: (p,) theoretical bounds of the items; NaN where unknown.
        missing: how absent answers were treated. notes: what is doubtful.
        group: (n,) index into `groups` of a multi-group model, None without one; rows are sorted by cell, then group.
        groups: their labels in order of first appearance in the data.
        place: (n,) position of each row in the data as read (before any row left).
        layer: (units,) code of the declared stratum of each unit; None where none is declared.
        stream: (strata,) where the draws of each stratum come from (`csi.moments.design.streams_of`); None for one.
        fraction: (strata,) share of the units of the population that were drawn; None where populations are unlimited.
        raking: what raking again in every replicate takes; None where the weights are not raked.
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
    group: Ints | None = None
    groups: tuple[str, ...] = ()
    place: Ints | None = None
    layer: Ints | None = None
    stream: Ints | None = None
    fraction: Array | None = None
    raking: Reraking | None = None


class Reraking(Protocol):
    """Weights of replicates that are raked again: see `csi.moments.raking.Raking`."""

    @property
    def weight(self) -> Array:
        """(rows of the data,) full weights, on the scale of the sample's."""

    @property
    def unit(self) -> Ints:
        """(rows of the data,) resampling unit."""

    @property
    def stratum(self) -> Ints:
        """(units,) stratum of each unit of the data."""

    @property
    def stream(self) -> Ints | None:
        """(strata,) as in `Sample`."""

    @property
    def fraction(self) -> Array | None:
        """(strata,) as in `Sample`."""

    @property
    def of(self) -> tuple[Ints, ...]:
        """Category of each joint cell for each margin."""

    @property
    def cell(self) -> Ints:
        """(rows of the data,) joint cell."""

    def again(self, multiplicity: Array) -> Array:
        """(B, rows of the data) weights of replicates.

        Parameters:
            multiplicity: (B, units) how often each unit counts.
        """

    def residual(self, z: Array, weight: Array, place: Ints) -> Array:
        """(n, m) what margins leave of columns.

        Parameters:
            z: (n, m). weight: (n,). place: (n,) which rows of the data they are.
        """


@dataclass(frozen=True, slots=True)
class RowPass:
    """The rows behind a stack of moments, one entry per cell; slice `s` is replicate `s // c` of cell `s % c`.

    Attributes:
        rows: per cell (n_c, p) answers, NaN where absent. weights: per cell (B, n_c), design weight times multiplicity.
        units: per cell (n_c,) resampling unit of each row.

    Example:
        >>> rows = RowPass((np.eye(2),), (np.array([[1.0, 1.0], [2.0, 0.0]]),), (np.arange(2),))
        >>> rows.of(1)[1].tolist()
        [2.0, 0.0]
    """

    rows: tuple[Array, ...]
    weights: tuple[Array, ...]
    units: tuple[Ints, ...]

    def of(self, s: int) -> tuple[Array, Array, Ints]:
        """Rows (n_c, p), weights (n_c,) and units (n_c,) of slice `s`."""
        replicate, cell = divmod(s, len(self.rows))
        return self.rows[cell], self.weights[cell][replicate], self.units[cell]


@dataclass(frozen=True, slots=True)
class Moments:
    """A stack of moments; every repetition (cell, resample, fold) is one slice of the leading axis.

    Attributes:
        names: item names (p). n: (b,) rows behind each slice. sum_w, sum_w2: (b,) sums of weights and of their squares.
        mean: (b, p). cov: (b, p, p), divisor n - 1 with weights scaled to sum n.
        cells: one row per slice (key columns of the cell, `n`); for replicates the cells of one replicate.
        minimum, maximum: (p,) theoretical bounds (NaN where unknown). missing: how absent answers were treated.
        rows: the rows behind the slices; None for published moments and where they were let go.
        known_means: whether `mean` is known; a published matrix without means has zeros there.
        groups, parts: labels of a multi-group model and one stack per group, aligned on the slice axis; the outer
            arrays pool the groups.

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
    rows: RowPass | None = None
    groups: tuple[str, ...] = ()
    parts: tuple[Moments, ...] = ()
    known_means: bool = True

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
            names: p items. cov: (p, p), divisor n - 1. n: rows behind it. mean: (p,); without it, models of
                means are refused.
            scale: theoretical (minimum, maximum) of the items, which an index needs.

        Raises:
            Problems: a matrix of another size, not symmetric or with something that is no number; n not positive.

        Example:
            >>> Moments.of(["a", "b"], [[1.0, 0.5], [0.5, 1.0]], n=200).cor[0, 0, 1]
            np.float64(0.5)
        """
        _check_matrix(names, cov, n)
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
            known_means=mean is not None,
        )

    @classmethod
    def grouped(cls, parts: Mapping[str, Moments]) -> Moments:
        """Groups of a multi-group model as one stack.

        mean = sum_g w_g mean_g / w; cov = (sum_g w_g (V_g + d_g d_g') / w) n / (n - 1), where
        V_g = cov_g (n_g - 1) / n_g, d_g = mean_g - mean and w_g is the group's sum of weights.

        Parameters:
            parts: label of each group to its moments; the same items (in any order) and slices in each.

        Raises:
            Problems: fewer than two groups, other items or slices in one of them.

        Example:
            >>> a = Moments.of(["x"], [[1.0]], n=11, mean=[0.0])
            >>> b = Moments.of(["x"], [[1.0]], n=11, mean=[2.0])
            >>> both = Moments.grouped({"a": a, "b": b})
            >>> both.groups, both.mean.tolist(), both.cov.round(6).tolist()
            (('a', 'b'), [[1.0]], [[[2.0]]])
        """
        _check_parts(parts)
        first = next(iter(parts.values()))
        aligned = tuple(m.of_items(first.names) for m in parts.values())
        n, sum_w, sum_w2 = (np.sum([getattr(m, name) for m in aligned], axis=0) for name in ("n", "sum_w", "sum_w2"))
        share = [m.sum_w / sum_w for m in aligned]
        mean = np.sum([w[:, None] * m.mean for w, m in zip(share, aligned, strict=True)], axis=0)
        about = [_about(m, mean) * w[:, None, None] for w, m in zip(share, aligned, strict=True)]
        return replace(
            first,
            n=n,
            sum_w=sum_w,
            sum_w2=sum_w2,
            mean=mean,
            cov=np.sum(about, axis=0) * (n / (n - 1))[:, None, None],
            cells=first.cells.with_columns(n=sum((m.cells["n"] for m in aligned[1:]), start=first.cells["n"])),
            notes=tuple(dict.fromkeys(told for m in aligned for told in m.notes)),
            rows=None,
            groups=tuple(parts),
            parts=aligned,
            known_means=all(m.known_means for m in aligned),
        )

    def of_items(self, names: Sequence[str]) -> Moments:
        """The moments of some items, in this order; rows and groups follow.

        Example:
            >>> Moments.of(["a", "b"], [[1.0, 0.5], [0.5, 2.0]], n=200).of_items(["b"]).cov.tolist()
            [[[2.0]]]
        """
        if tuple(names) == self.names:
            return self
        at = [self.names.index(name) for name in names]
        kept = self.rows
        return replace(
            self,
            names=tuple(names),
            mean=self.mean[:, at],
            cov=self.cov[:, at][:, :, at],
            minimum=self.minimum[at],
            maximum=self.maximum[at],
            rows=None if kept is None else replace(kept, rows=tuple(r[:, at] for r in kept.rows)),
            parts=tuple(part.of_items(names) for part in self.parts),
        )

    def of_slice(self, s: int) -> Moments:
        """One slice of the stack, with its rows and groups.

        Example:
            >>> Moments.of(["a"], [[1.0]], n=9).of_slice(0).n.tolist()
            [9.0]
        """
        one = slice(s, s + 1)
        rows = None
        if self.rows is not None:
            answers, weights, units = self.rows.of(s)
            rows = RowPass((answers,), (weights[None],), (units,))
        cell = s % max(self.cells.height, 1)
        return replace(
            self,
            n=self.n[one],
            sum_w=self.sum_w[one],
            sum_w2=self.sum_w2[one],
            mean=self.mean[one],
            cov=self.cov[one],
            cells=self.cells[cell : cell + 1],
            rows=rows,
            parts=tuple(part.of_slice(s) for part in self.parts),
        )

    def without_rows(self) -> Moments:
        """The same moments, holding on to no rows (nor do their groups).

        Example:
            >>> Moments.of(["a"], [[1.0]], n=9).without_rows().rows is None
            True
        """
        return replace(self, rows=None, parts=tuple(part.without_rows() for part in self.parts))

    @property
    def sd(self) -> Array:
        """(b, p) standard deviations."""
        return np.sqrt(np.diagonal(self.cov, axis1=-2, axis2=-1))

    @property
    def cor(self) -> Array:
        """(b, p, p) correlations."""
        sd = self.sd
        return self.cov / (sd[..., :, None] * sd[..., None, :])


def _about(moments: Moments, centre: Array) -> Array:
    """(b, p, p) mean cross-products about `centre` (b, p)."""
    d = moments.mean - centre
    return moments.cov * ((moments.n - 1) / moments.n)[:, None, None] + d[:, :, None] * d[:, None, :]


def _check_matrix(names: Sequence[str], cov: npt.ArrayLike, n: float) -> None:
    """Raises what cannot be the covariances of `names` in `n` rows.

    Raises:
        Problems: E-MOMENTS.
    """
    found, p = [], len(names)
    if not n > 0:
        en, zh = f"n = {n:g} is no number of rows.", f"n = {n:g} 不是有效的样本量。"
        do, do_zh = "Give the number of respondents behind the matrix.", "请给出该矩阵所依据的受访者人数。"
        found.append(problem("E-MOMENTS", "n", en, zh, do, do_zh))
    values = np.asarray(cov, dtype=np.float64)
    if values.size != p * p:
        size = " x ".join(str(k) for k in values.shape)
        en, zh = f"the matrix is {size}, of {p} items.", f"矩阵为 {size}，而题项有 {p} 个。"
        do, do_zh = f"Give {p} rows of {p} numbers.", f"请给出 {p} 行、每行 {p} 个数。"
        raise Problems([*found, problem("E-MOMENTS", "cov", en, zh, do, do_zh)])
    values = values.reshape(p, p)
    with np.errstate(invalid="ignore"):
        apart = np.argwhere(np.triu(np.abs(values - values.T) > UNLIKE * np.abs(values).max(initial=0.0)))
    for i, j in apart[:1].tolist():
        a, b, one, other = names[i], names[j], values[i, j], values[j, i]
        en = f"the matrix is not symmetric: {a} with {b} is {one:g}, {b} with {a} is {other:g}."
        zh = f"矩阵不对称：{a} 与 {b} 为 {one:g}，{b} 与 {a} 为 {other:g}。"
        do, do_zh = "Correct it; of a triangle fill in both halves.", "请更正；若只有三角矩阵，请补全另一半。"
        found.append(problem("E-MOMENTS", "cov", en, zh, do, do_zh))
    if found:
        raise Problems(found)


def _check_parts(parts: Mapping[str, Moments]) -> None:
    """At least two groups; the same items and as many slices in each."""
    found = []
    if len(parts) < 2:
        en, zh = (
            f"a multi-group model needs two groups or more, not {len(parts)}.",
            f"多组模型至少需要两组，现有 {len(parts)} 组。",
        )
        found.append(problem("E-GROUP", "groups", en, zh, "Give the moments of each group.", "请给出每一组的矩。"))
    first = next(iter(parts.values()), None)
    for label, m in parts.items():
        if first is not None and (set(m.names) != set(first.names) or m.n.shape != first.n.shape):
            en = f"its items ({', '.join(m.names)}) or slices ({m.n.size}) differ from those of the first group."
            zh = f"其题项（{'、'.join(m.names)}）或切片数（{m.n.size}）与第一组不同。"
            do, do_zh = "Give every group the same items and cells.", "请让各组使用相同的题项与单元。"
            found.append(problem("E-GROUP", f'group "{label}"', en, zh, do, do_zh))
    if found:
        raise Problems(found)
