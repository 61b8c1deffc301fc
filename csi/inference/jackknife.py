"""`jackknife(est)`: every cell refitted without each respondent (or cluster); standard errors and t intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from csi.errors import Problem, Problems, problem
from csi.estimate.estimate import Estimate, Factors
from csi.inference.bootstrap import with_errors
from csi.inference.intervals import Alternative
from csi.inference.replicates import replicates_of
from csi.inference.resample import one_out, rows_behind
from csi.inference.settings import check_settings

MOST = 500_000
"""Refits (units times cells) beyond which the bootstrap is the better tool."""


def jackknife(
    est: Estimate,
    *,
    level: float = 0.95,
    alternative: Alternative = "two-sided",
    progress: Callable[[int, int], None] | None = None,
) -> Estimate:
    """The same estimate with jackknife standard errors, t intervals and t tests; nothing is random.

    One unit i of a stratum h at a time is left out and the others of the stratum count n_h / (n_h - 1) times:

        SE^2 = sum_h (n_h - 1) / n_h sum_i (theta_hi - theta_h.)^2,   theta_h. the mean of the stratum's replicates

    with units - strata degrees of freedom in each cell. Strata and units are those of `csi.bootstrap`. For smooth
    numbers (paths, loadings, R2, the index); a quantile or a rank has no jackknife variance. With two clusters in every
    stratum the errors of paths are 2 to 7 % too small (tests/slow/design_coverage.md): there BRR weights or
    `csi.bootstrap(est, interval="t")` do better.

    Parameters:
        est: an estimate fitted from rows. level: of the intervals. alternative: "two-sided", "greater" or "less".
        progress: called with (done, n) now and then.

    Returns:
        Estimate with `std_error`, `statistic`, `p_value`, `conf_low`, `conf_high`, `replicates`.

    Raises:
        Problems: no rows, or more than 500,000 refits.

    Source: Tukey (1958); Efron & Tibshirani (1993), 11; Wolter (2007), Introduction to Variance Estimation, 4.5.

    Example:
        >>> import polars as pl
        >>> import csi
        >>> model = csi.Model.parse("x =~ x1" + chr(10) + "y =~ y1" + chr(10) + "y ~ x")
        >>> frame = pl.DataFrame({"x1": [1, 2, 3, 4, 5], "y1": [1, 3, 2, 4, 5]})
        >>> found = csi.jackknife(csi.fit(model, frame, csi.PLS()))
        >>> round(found.table.filter(pl.col("op") == "~")["std_error"][0], 3)
        0.145
    """
    check_settings(level, alternative=alternative)
    sample = rows_behind(est)
    plan, stratum, factor = one_out(sample)
    units, c = plan.n, sample.cells.height
    if units * c > MOST:
        raise Problems([_too_many(units, c)])
    factors = Factors(factor, centre=stratum)
    replicates = replicates_of(est, sample, plan, progress, factors=factors)
    return with_errors(replace(est, replicates=replicates, level=level, interval="t", alternative=alternative), sample)


def _too_many(units: int, cells: int) -> Problem:
    en = f"{units} units in {cells} cells would need {units * cells:,} refits."
    zh = f"{units} 个抽样单元、{cells} 个单元共需 {units * cells:,} 次拟合。"
    return problem("E-BOOT", "estimate", en, zh, "Use csi.bootstrap(est).", "请使用 csi.bootstrap(est)。")
