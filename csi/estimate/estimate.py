"""The claim meeting the moments: what every engine returns.

Letters: `p` items, `q` constructs, `k` free parameters, `b` slices of a stack, `B` bootstrap replicates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Reason
from csi.estimate.later import Later, known
from csi.estimate.shown import lines_of
from csi.models.model import Model
from csi.moments.stack import Array, Ints, Moments, Sample

if TYPE_CHECKING:
    from csi.estimate.protocol import Estimator


@dataclass(frozen=True, slots=True)
class Solution:
    """The arrays of a solved stack, the same for composites and factors.

    Attributes:
        constructs (q), items (p, in the order of `block`), block: (p,) index of each item's construct.
        modes: "A" or "B" per construct.
        weights: (b, p) outer weights on standardised items, giving scores of variance 1 (None for CB-SEM).
        loadings: (b, p) correlation of item and its construct. cross_loadings: (b, p, q) of items and scores, or None.
        paths: (b, q, q) standardised, [outcome, predictor]. r2: (b, q), NaN for exogenous constructs.
        construct_cor: (b, q, q) correlations of the constructs: of the scores, disattenuated where `rho` says so,
            model-implied for factors.
        rho: (b, q) reliability that correlations were disattenuated by, 1 where they were not; None where none was.
        proxy_cor: (b, q, q) correlations of the scores where `construct_cor` is disattenuated; None elsewhere.
        parts: (construct, indicator) of every construct that is not measured by items: the components of a
            higher-order construct, the product items of an interaction. part_weights, part_loadings: (b, m) theirs.
        wide_weights: (b, p, q) weights of every score on the standardised items where a construct has none of its own
            (higher order), 0 throughout for a product, whose score is not linear in the items; None without such.
        spread: (b, q) standard deviation of the unit that paths of a construct are per: 1, and for a product of
            scores that of the product; None without products.
    """

    constructs: tuple[str, ...]
    items: tuple[str, ...]
    block: Ints
    modes: tuple[str, ...]
    weights: Array | None
    loadings: Array
    cross_loadings: Array | None
    paths: Array
    r2: Array
    construct_cor: Array
    rho: Array | None = None
    proxy_cor: Array | None = None
    parts: tuple[tuple[str, str], ...] = ()
    part_weights: Array | None = None
    part_loadings: Array | None = None
    wide_weights: Array | None = None
    spread: Array | None = None

    @property
    def item_weights(self) -> Array | None:
        """(b, p, q) every score's weights on the standardised items; None where there are no outer weights."""
        if self.weights is None or self.wide_weights is not None:
            return self.wide_weights
        own: Array = self.weights[:, :, None] * (self.block[:, None] == np.arange(len(self.constructs)))
        return own

    @property
    def higher(self) -> tuple[str, ...]:
        """Constructs made of other constructs, in order."""
        return tuple(c for c in self.constructs if any(w == c and p in self.constructs for w, p in self.parts))

    @property
    def score_cor(self) -> Array:
        """(b, q, q) correlations of the scores themselves, never disattenuated (model-implied for factors)."""
        return self.construct_cor if self.proxy_cor is None else self.proxy_cor


@dataclass(frozen=True, slots=True)
class Convergence:
    """How each slice ended: iterations (b,), converged (b,), last change (b,), and a reason where something is wrong.

    `reasons` maps a slice number to why its solution cannot be used or trusted; `cause` (b,) is the engine's code of
    that reason, 0 where all is well. `improper` names what a solution should not have, such as a negative variance,
    with (b,) flags: such solutions are kept and counted.
    """

    converged: npt.NDArray[np.bool_]
    iterations: Ints
    change: Array
    reasons: Mapping[int, Reason] = field(default_factory=dict)
    cause: Ints | None = None
    improper: Mapping[str, npt.NDArray[np.bool_]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """The name of one parameter in lavaan's terms (`lhs op rhs`)."""

    lhs: str
    op: str
    rhs: str
    group: str | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Factors:
    """How replicates that are no random draws add up: variance = sum_r factor_r (theta_r - centre_r)^2.

    Attributes:
        factor: (B,). centre: (B,) code of the replicates whose mean is subtracted; None subtracts the estimate itself.
        df: degrees of freedom; None for resampling units less strata of each cell.
    """

    factor: Array
    centre: Ints | None = None
    df: float | None = None


@dataclass(frozen=True, slots=True)
class Replicates:
    """What resampling gave: B re-estimates of every cell.

    Attributes:
        n, seed, kind: how many, the seed, "multinomial", "bayesian", "jackknife" or the kind of replicate weights.
        values: (B, b, k) parameters. solution: arrays with leading axis B*b (replicate-major).
        mean, sd: (B, b, p) item moments of each replicate.
        usable: (B, b) True where the replicate's solution converged and is finite.
        admissible: (B, b) True where the solution is proper: no negative weight or variance, latent covariances that
            can be (the others are kept and counted).
        counts: cell x cause -> how many (columns: cell, cause, replicates).
        over: applies a function of (Moments, Solution) -> array (m, ...) to every replicate, by replaying the seed,
            and returns (B, b, ...); NaN where the replicate is not usable.
        acceleration: Efron's acceleration of such a function per cell (b, ...), by the jackknife over units.
        units: number of resampling units behind each cell (b,). strata: number of strata behind each cell (b,).
        improper: "keep" or "drop", what becomes of solutions that are not proper.
        factors: how the replicates add up to variances, None for random draws, whose standard deviation counts.
        nested: resamples the resamples: a measure Estimate -> (m, ...) and its value (b, ...) give the standard error
            of each replicate and the share of its own resamples below the value, both (B, b, ...).
        again: the same resampling for another estimate on other cells of the same rows.
        means: (B, c, m) weighted means of every cell of the same rows under the same resampling, of any columns.
    """

    n: int
    seed: int
    kind: str
    values: Array
    solution: Solution
    mean: Array
    sd: Array
    usable: npt.NDArray[np.bool_]
    admissible: npt.NDArray[np.bool_]
    counts: pl.DataFrame
    over: Callable[[Callable[[Moments, Solution], Array]], Array]
    acceleration: Callable[[Callable[[Moments, Solution], Array]], Array]
    units: Ints
    strata: Ints
    improper: str = "keep"
    factors: Factors | None = None
    nested: Callable[[Callable[[Estimate], Array], Array], tuple[Array, Array]] | None = None
    again: Callable[[Estimate, Sample], Replicates] | None = None
    means: Callable[[Sample], Array] | None = None


Standardised = tuple[Array | None, Array | None]
"""std_lv and std_all, (b, k) each where the engine has them."""

NOT_STANDARDISED: Later[Standardised] = known((None, None))


@dataclass(frozen=True, slots=True, repr=False)
class Estimate(Shown):
    """A fitted model, for one cell or a stack of them.

    Attributes:
        model, settings (the estimator value), moments, sample (None when fitted from moments alone).
        rows: names of the k parameters; values: (b, k) estimates (standardised in PLS).
        std_error, statistic, p_value, conf_low, conf_high: (b, k) or None. standard: std_lv and std_all, (b, k) or None
        each, made when they are first read.
        solved: the solution, made when it is first read; convergence, replicates (after `bootstrap`), level, interval,
        alternative ("two-sided", or "greater" or "less" for one-sided intervals, open at one end), notes.
        extra: what the engine keeps beside; parts with a `headline` say it where the estimate is printed.

    Example:
        >>> import csi
        >>> answers = {"a1": [1, 4, 7, 9, 5], "a2": [2, 4, 8, 9, 5], "b1": [1, 5, 6, 9, 3], "b2": [3, 4, 8, 8, 2]}
        >>> model = csi.Model.parse("a =~ a1 + a2; b =~ b1 + b2; b ~ a")
        >>> est = csi.fit(model, pl.DataFrame(answers), csi.PLS(), scale=(1, 10))
        >>> est.table.filter(op="~").select("lhs", "rhs", pl.col("estimate").round(3)).row(0)
        ('b', 'a', 0.912)
    """

    model: Model
    settings: Estimator
    moments: Moments
    sample: Sample | None
    rows: tuple[Row, ...]
    values: Array
    solved: Later[Solution]
    convergence: Convergence
    std_error: Array | None = None
    statistic: Array | None = None
    p_value: Array | None = None
    conf_low: Array | None = None
    conf_high: Array | None = None
    standard: Later[Standardised] = field(default=NOT_STANDARDISED)
    replicates: Replicates | None = None
    level: float = 0.95
    interval: str = ""
    alternative: str = "two-sided"
    notes: tuple[Note, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def solution(self) -> Solution:
        """Loadings, weights, paths and their kin of every slice."""
        return self.solved.value

    @property
    def std_lv(self) -> Array | None:
        """(b, k) with latents of variance 1."""
        return self.standard.value[0]

    @property
    def std_all(self) -> Array | None:
        """(b, k) with all variables of variance 1."""
        return self.standard.value[1]

    @property
    def table(self) -> pl.DataFrame:
        """Tidy parameters: the cell's key columns, then lhs, op, rhs, group, label, estimate, std_error, statistic,
        p_value, conf_low, conf_high, std_lv, std_all; full precision.
        """
        b, k = self.values.shape
        keys = [c for c in self.moments.cells.columns if c != "n"]
        names = pl.DataFrame(
            {
                "lhs": [r.lhs for r in self.rows],
                "op": [r.op for r in self.rows],
                "rhs": [r.rhs for r in self.rows],
                "group": pl.Series([r.group for r in self.rows], dtype=pl.String),
                "label": [r.label for r in self.rows],
            }
        )
        columns = {
            "estimate": self.values,
            "std_error": self.std_error,
            "statistic": self.statistic,
            "p_value": self.p_value,
            "conf_low": self.conf_low,
            "conf_high": self.conf_high,
            "std_lv": self.std_lv,
            "std_all": self.std_all,
        }
        numbers = pl.DataFrame({name: _column(array, b * k) for name, array in columns.items()})
        parts = [pl.concat([names] * b), numbers]
        if keys:
            parts.insert(0, self.moments.cells.select(pl.col(keys).repeat_by(k).explode()))
        return pl.concat(parts, how="horizontal")


@text.register
def _(value: Estimate, lang: str = "en") -> str:
    """What was fitted, how it ended, the first cell's parameters."""
    return lines_of(value, lang)


def _column(array: Array | None, height: int) -> pl.Series:
    """One Float64 column from a (b, k) array; null where not finite or absent."""
    if array is None:
        return pl.Series([None] * height, dtype=pl.Float64)
    flat = array.reshape(-1)
    column, finite = pl.Series(flat, dtype=pl.Float64), np.isfinite(flat)
    return column if finite.all() else column.set(pl.Series(~finite), None)
