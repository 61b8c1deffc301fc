"""`bootstrap(est)`: every cell refitted on resampled respondents, as one stack; intervals and what went wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np

from csi.errors import Problems, one_of, problem
from csi.estimate.estimate import Estimate
from csi.inference.intervals import Interval, bca, p_value, percentile, standard_error
from csi.inference.lost import counted
from csi.inference.replicates import Flags, Quantity, parameter_acceleration, replicates_of
from csi.inference.resample import Kind, plan_of, rows_behind
from csi.moments.stack import Array

ROUNDING = 1e-12
"""A parameter that varies less than this over resamples is a constant: a fixed loading has no standard error."""


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """value, std_error, conf_low, conf_high, p_value: (b, ...) each; draws: (B, b, ...)."""

    value: Array
    std_error: Array
    conf_low: Array
    conf_high: Array
    p_value: Array
    draws: Array


def bootstrap(
    est: Estimate,
    n: int = 5000,
    seed: int = 1,
    *,
    interval: Interval = "percentile",
    resampling: Kind = "multinomial",
    level: float = 0.95,
    progress: Callable[[int, int], None] | None = None,
) -> Estimate:
    """The same estimate with standard errors, intervals and p-values from `n` resamples.

    Respondents (clusters where declared) are drawn within strata; where none are declared the cells are strata, because
    quota designs fix their sizes. Replicates with a negative weight, a negative variance or impossible latent
    covariances are kept and counted; replicates without a solution are left out and counted. Signs are never changed
    replicate by replicate: see `csi.pls.algorithm.solve_stack`.

    Parameters:
        est: an estimate fitted from rows. n: resamples. seed: recorded; the same seed gives the same bits.
        interval: "percentile", "bc" (bias-corrected) or "bca" (with jackknife acceleration).
        resampling: "multinomial" or "bayesian".
        level: of the intervals. progress: called with (done, n) now and then.

    Returns:
        Estimate with `std_error`, `statistic`, `p_value`, `conf_low`, `conf_high`, `replicates`.

    Raises:
        Problems: the estimate has no rows to resample, or n is too small for intervals.

    Source: Efron (1979, 1987).
    Agrees: coverage table in tests/slow.

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
    _check(n, seed, interval, resampling, level)
    sample = rows_behind(est)
    plan = plan_of(sample, n, seed, resampling)
    replicates = replicates_of(est, sample, plan, progress)
    boot = replace(est, replicates=replicates, level=level, interval=interval)
    accelerations = parameter_acceleration(est, sample) if interval == "bca" else None
    if interval == "bc":
        accelerations = np.zeros_like(est.values)
    found = _summary(boot, est.values, replicates.values, accelerations)
    fixed = _without_variance(est) | (found.std_error <= ROUNDING * (1 + np.abs(est.values)))
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(fixed, np.nan, est.values / found.std_error)
    return replace(
        boot,
        std_error=np.where(fixed, np.nan, found.std_error),
        statistic=statistic,
        p_value=np.where(fixed, np.nan, found.p_value),
        conf_low=np.where(fixed, np.nan, found.conf_low),
        conf_high=np.where(fixed, np.nan, found.conf_high),
        notes=(*(told for told in est.notes if told.code not in _OF_ERRORS), *counted(est, replicates)),
    )


_OF_ERRORS = {"N-WEIGHTS", "N-CLUSTERS", "N-CLUSTERS-FEW", "N-CLUSTERS-ONE"}
"""Notes on standard errors that resampling replaces."""


def uncertainty(boot: Estimate, quantity: Quantity) -> Uncertainty:
    """Standard error, interval and p-value of any function of the moments and the solution.

    Parameters:
        boot: an estimate that went through `bootstrap` (its level and kind of interval are used).
        quantity: (Moments, Solution) -> (m, ...) for m slices.

    Raises:
        Problems: the estimate has no replicates.
    """
    if boot.replicates is None:
        raise Problems(
            [
                problem(
                    "E-BOOT",
                    "estimate",
                    "there are no replicates to take intervals from.",
                    "没有可用于计算区间的自助样本。",
                    "Call csi.bootstrap(est) first.",
                    "请先调用 csi.bootstrap(est)。",
                )
            ]
        )
    value = quantity(boot.moments, boot.solution)
    draws = boot.replicates.over(quantity)
    accelerations = boot.replicates.acceleration(quantity) if boot.interval == "bca" else None
    if boot.interval == "bc":
        accelerations = np.zeros_like(value)
    return _summary(boot, value, draws, accelerations)


def _summary(boot: Estimate, value: Array, draws: Array, accelerations: Array | None) -> Uncertainty:
    """The interval the estimate asks for."""
    if accelerations is None:
        low, high = percentile(draws, boot.level)
    else:
        low, high = bca(value, draws, boot.level, accelerations)
    return Uncertainty(value, standard_error(draws), low, high, p_value(value, draws, accelerations), draws)


def _check(n: int, seed: int, interval: str, resampling: str, level: float) -> None:
    """Raise when a setting makes no sense, all at once."""
    found = one_of("interval", interval, get_args(Interval)) + one_of("resampling", resampling, get_args(Kind))
    if n < 100:
        en, zh = f"{n} resamples are too few for an interval.", f"{n} 次重抽样不足以给出区间。"
        do, do_zh = "Use at least 100, better 1000 or more.", "请至少使用 100 次，最好 1000 次以上。"
        found.append(problem("E-BOOT", "n", en, zh, do, do_zh))
    if seed < 0:
        en, zh = f"a seed is a whole number from 0, not {seed}.", f"种子应为非负整数，而不是 {seed}。"
        found.append(problem("E-SETTING", "seed", en, zh, "Use seed=1, say.", "例如 seed=1。"))
    if not 0.5 <= level < 1:
        en, zh = f"a level lies between 0.5 and 1, not at {level}.", f"置信水平应在 0.5 与 1 之间，而不是 {level}。"
        found.append(problem("E-SETTING", "level", en, zh, "Use level=0.95, say.", "例如 level=0.95。"))
    if found:
        raise Problems(found)


def _without_variance(est: Estimate) -> Flags:
    """(k,) True for loadings and weights of single-item constructs, which are 1 by definition."""
    single = {c.name for c in est.model.constructs if len(c.items) == 1}
    return np.array([r.op in ("=~", "<~") and r.lhs in single for r in est.rows])
