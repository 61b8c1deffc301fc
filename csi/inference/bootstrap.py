"""`bootstrap(est)`: every cell refitted on resampled respondents, as one stack; intervals and what went wrong."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace

import numpy as np
import polars as pl

from csi.errors import Problems, problem
from csi.estimate.estimate import Estimate
from csi.inference.cautions import cautions
from csi.inference.intervals import Alternative, Interval
from csi.inference.leave_out import parameter_acceleration
from csi.inference.lost import counted, outside
from csi.inference.reach import beyond_reach, few_units
from csi.inference.replicates import Flags, replicates_of
from csi.inference.resample import SMALLEST, Kind, check_inner, resampling_of, rows_behind
from csi.inference.settings import Improper, check_settings
from csi.inference.uncertainty import NESTED, Uncertainty, judged, replicates_behind, uncertainty
from csi.moments.stack import Sample

__all__ = ["Uncertainty", "bootstrap", "uncertainty", "with_errors"]

ROUNDING = 1e-12
"""A parameter that varies less than this over resamples is a constant: a fixed loading has no standard error."""


def bootstrap(
    est: Estimate,
    n: int = 5000,
    seed: int = 1,
    *,
    interval: Interval = "percentile",
    resampling: Kind = "multinomial",
    level: float = 0.95,
    alternative: Alternative = "two-sided",
    improper: Improper = "keep",
    progress: Callable[[int, int], None] | None = None,
    executor: Executor | None = None,
) -> Estimate:
    """The same estimate with standard errors, intervals and p-values from `n` resamples.

    Respondents (clusters where declared) are drawn within strata; where none are declared the cells are strata, because
    quota designs fix their sizes. Replicates with a negative weight, a negative variance or impossible latent
    covariances are kept and counted; replicates without a solution are left out and counted. Signs are never changed
    replicate by replicate: see `csi.pls.algorithm.solve_stack`.

    p-values invert the interval: p < 1 - level exactly where it excludes zero. Kinds of intervals made of the draws
    have no p-value below 2 / (n + 1) (one-sided 1 / (n + 1)), whatever the evidence.

    Parameters:
        est: an estimate fitted from rows. n: resamples. seed: recorded; the same seed gives the same bits.
        interval: "percentile"; "basic" (the percentiles turned around the estimate); "normal" (estimate and standard
            error); "t" (the same with units less strata as degrees of freedom, for samples of clusters: from 60 of
            them with unequal weights it covers 93 to 94 %, percentile, normal and BC limits 91 to 94 %); "bc"
            (bias-corrected); "bca" (with jackknife acceleration as well; for small HTMT use "percentile", see
            `csi.validity`); "studentised" and "double" (percentiles calibrated by a second bootstrap) resample every
            resample 50 times, so n = 1000 is many, and 95 % about the highest level they can speak of.
        resampling: "multinomial" or "bayesian".
        level: of the intervals. alternative: "two-sided", or "greater" or "less" for one-sided intervals and p-values;
            the open limit is infinite (null in tables).
        improper: "keep" counts replicates whose solution has a negative weight or variance and uses them; "drop" leaves
            them out, which narrows intervals (a note says how many). They are not drawn anew: that gives the same
            narrow intervals and breaks the plan that cells share.
        progress: called with (done, n) now and then.
        executor: refits there (any of `concurrent.futures`, or one with its `map`, as Dask's and Ray's have); threads
            of this process without. Processes are best started by "spawn" or "forkserver". The bits are the same.

    Returns:
        Estimate with `std_error`, `statistic`, `p_value`, `conf_low`, `conf_high`, `replicates`.

    Raises:
        Problems: the estimate has no rows to resample, or n is too small for intervals.

    Source: Efron (1979, 1987); kinds of intervals: `csi.inference.intervals.curve_of`.
    Agrees: coverage of every kind in tests/slow/README.md.

    Example:
        >>> import polars as pl
        >>> from csi.estimate.fit import fit
        >>> from csi.models.model import Construct, Model, Path, Term
        >>> from csi.pls.estimator import PLS
        >>> x, y = (Construct(n, "=~", (Term(n + "1"),)) for n in "xy")
        >>> frame = pl.DataFrame({"x1": [1, 2, 3, 4, 5], "y1": [1, 3, 2, 4, 5]})
        >>> boot = bootstrap(fit(Model((x, y), (Path("y", Term("x")),)), frame, PLS()), n=200, seed=1)
        >>> boot.table.filter(pl.col("op") == "~")["std_error"].null_count()
        0
    """
    check_settings(level, n, seed, interval=interval, resampling=resampling, alternative=alternative, improper=improper)
    sample = rows_behind(est)
    if interval in NESTED:
        check_strata(sample)
    plan = resampling_of(sample, n, seed, resampling)
    replicates = replicates_of(est, sample, plan, progress, improper=improper, executor=executor)
    return with_errors(
        replace(est, replicates=replicates, level=level, interval=interval, alternative=alternative), sample
    )


def with_errors(boot: Estimate, sample: Sample) -> Estimate:
    """The estimate with the standard errors, intervals and p-values that its replicates give.

    Parameters:
        boot: an estimate with replicates, level, interval and alternative. sample: the rows behind it.
    """
    replicates = replicates_behind(boot)
    accelerations = parameter_acceleration(boot, sample) if boot.interval == "bca" else None
    found = judged(boot, boot.values, replicates.values, accelerations, lambda fit: fit.values)
    fixed = _without_variance(boot) | (found.std_error <= ROUNDING * (1 + np.abs(boot.values)))
    told = (*beyond_reach(boot, found, fixed), *few_units(sample, replicates))
    told += cautions(boot, sample, found, replicates)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(fixed, np.nan, boot.values / found.std_error)
    low, high = np.where(fixed, np.nan, found.conf_low), np.where(fixed, np.nan, found.conf_high)
    off = outside(_row_names(boot), boot.values.reshape(-1), low.reshape(-1), high.reshape(-1))
    return replace(
        boot,
        std_error=np.where(fixed, np.nan, found.std_error),
        statistic=statistic,
        p_value=np.where(fixed, np.nan, found.p_value),
        conf_low=low,
        conf_high=high,
        notes=(*(n for n in boot.notes if n.code not in _OF_ERRORS), *told, *counted(boot, replicates), *off),
    )


def _row_names(est: Estimate) -> list[str]:
    """Every parameter of every cell in words, cell by cell."""
    cells = est.moments.cells.select(pl.exclude("n"))
    keys = [f" ({' '.join(str(v) for v in row)})" for row in cells.iter_rows()] or [""] * len(est.values)
    return [f"{r.lhs} {r.op} {r.rhs}{key}" for key in keys for r in est.rows]


_OF_ERRORS = {
    "N-WEIGHTS", "N-CLUSTERS", "N-CLUSTERS-FEW", "N-CLUSTERS-ONE", "W-CLUSTERS", "W-LEVEL", "W-LEVEL-INNER",
    "W-TAILS", "W-BC-PRODUCTS", "N-CLUSTERS-T", "N-JACKKNIFE-PAIRS", "N-MODE-B",
}  # fmt: skip
"""Notes on standard errors that resampling replaces."""


def check_strata(sample: Sample) -> None:
    """Raise where a stratum has too few units to be resampled twice."""
    check_inner(sample)
    least = int(np.unique(sample.stratum, return_counts=True)[1].min())
    if least < SMALLEST:
        en = f"a stratum has {least} units; resampling the resamples needs at least {SMALLEST} in each."
        zh = f"某层仅有 {least} 个抽样单元；二次重抽样要求每层至少 {SMALLEST} 个。"
        do, do_zh = 'Use interval="percentile", or csi.jackknife.', '请使用 interval="percentile" 或 csi.jackknife。'
        raise Problems([problem("E-BOOT", "interval", en, zh, do, do_zh)])


def _without_variance(est: Estimate) -> Flags:
    """(k,) True for loadings and weights of single-item constructs, which are 1 by definition."""
    single = {c.name for c in est.model.constructs if len(c.items) == 1}
    return np.array([r.op in ("=~", "<~") and r.lhs in single for r in est.rows])
