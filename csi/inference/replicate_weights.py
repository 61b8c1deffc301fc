"""`replicate_weights(est, data, columns, kind=...)`: standard errors from replicate weights that a survey came with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from csi.errors import Note, Problem, Problems, note, problem
from csi.estimate.estimate import Estimate, Factors
from csi.inference.bootstrap import with_errors
from csi.inference.intervals import Alternative
from csi.inference.make_replicates import MadeWeights
from csi.inference.replicates import replicates_of
from csi.inference.resample import Given, on_grid, rows_behind
from csi.inference.settings import Weighting, check_settings
from csi.inference.weight_columns import weights_in
from csi.moments.stack import Array, Sample


def replicate_weights(
    est: Estimate,
    data: object,
    columns: Sequence[str] | str | None = None,
    *,
    kind: Weighting | None = None,
    rho: float | None = None,
    scale: float | None = None,
    rscales: npt.ArrayLike | None = None,
    combined: bool = True,
    mse: bool = True,
    df: float | None = None,
    level: float = 0.95,
    alternative: Alternative = "two-sided",
    progress: Callable[[int, int], None] | None = None,
) -> Estimate:
    """The same estimate with standard errors, t intervals and t tests from R replicate weights.

        SE^2 = scale sum_r rscales_r (theta_r - theta)^2

    The terms are those of R's `svrepdesign`: scale is 1 / R for "brr", 1 / (R (1 - rho)^2) for "fay", (R - 1) / R for
    "jk1", 4 / R for "sdr" (successive differences), 1 / (R - 1) for "bootstrap", 1 for "jk2", "jkn" and "other".

    Parameters:
        est: an estimate fitted from rows, with the survey's full weight (`csi.fit(..., weight=...)`).
        data: what it was fitted from (a Panel or a frame), or a frame or array (rows, R) of the weights alone, with a
            row for each row of that data; or what `csi.make_replicates` made, which knows its kind and constants.
        columns: names of the replicate weights, with * for any characters, such as "rw*"; all columns if None.
        kind: "brr", "fay", "jk1", "jk2", "jkn", "bootstrap", "sdr" or "other". rho: Fay's shrinkage, such as 0.3.
        scale, rscales: other constants than the kind's own; "jkn" needs rscales, (n_h - 1) / n_h for each replicate.
        combined: the columns contain the sampling weight; False: they multiply it.
        mse: deviations from the estimate; False: from the mean of the replicates.
        df: degrees of freedom; by default the rank of the weights less 1.
        level: of the intervals. alternative: "two-sided", "greater" or "less". progress: called with (done, R).

    Returns:
        Estimate with `std_error`, `statistic`, `p_value`, `conf_low`, `conf_high`, `replicates`; measures and
        `csi.index` take their standard errors from the same replicates.

    Raises:
        Problems: weights that are absent, negative, of the wrong length or of other rows; a setting without sense.

    Source: Wolter (2007), Introduction to Variance Estimation, 3-4; Judkins (1990), J. Official Statistics 6:223-239
    (Fay); Fay & Train (1995) (successive differences).

    Example:
        >>> import polars as pl
        >>> import csi
        >>> frame = pl.DataFrame({"x1": [1, 2, 3, 4, 5], "y1": [1, 3, 2, 4, 5]})
        >>> weights = (1 - np.eye(5)) * 5 / 4
        >>> model = csi.Model.parse("x =~ x1" + chr(10) + "y =~ y1" + chr(10) + "y ~ x")
        >>> found = replicate_weights(csi.fit(model, frame, csi.PLS()), weights, kind="jk1", mse=False)
        >>> round(found.table.filter(pl.col("op") == "~")["std_error"][0], 3)
        0.145
    """
    if isinstance(data, MadeWeights):
        made, data = data, data.weights
        kind, rho, scale, rscales, columns = made.kind, made.rho, made.scale, made.rscales, None
        df = made.df if df is None else df
    if kind is None:
        en, zh = "the kind of the replicate weights is not named.", "没有写明重复权重的类型。"
        raise Problems([problem("E-SETTING", "kind", en, zh, 'Use kind="brr", say.', '例如 kind="brr"。')])
    check_settings(level, kind=kind, alternative=alternative)
    sample = rows_behind(est)
    weights = weights_in(data, columns, sample)
    found = _problems(len(weights), kind, rho, scale, rscales, df)
    if found:
        raise Problems(found)
    whole = weights if combined else weights * _by_place(sample, weights.shape[1])
    factors = _factors(len(weights), kind, rho, scale, rscales, mse=mse)
    plan = Given(_on_sample(whole, sample), kind)
    factors = replace(factors, df=_rank(plan.multiplicity, sample) - 1.0 if df is None else df)
    replicates = replicates_of(est, sample, plan, progress, factors=factors)
    notes = (*est.notes, _told(len(weights), kind, factors), *_doubts(sample, plan.multiplicity))
    boot = replace(est, replicates=replicates, level=level, interval="t", alternative=alternative, notes=notes)
    return with_errors(boot, sample)


def _by_place(sample: Sample, height: int) -> Array:
    """(rows of the data,) design weights; 0 for rows that are not in the sample."""
    found = np.zeros(height)
    found[_places(sample)] = sample.weight
    return found


def _on_sample(weights: Array, sample: Sample) -> Array:
    """(R, rows of the data) weights with mean 1 over the sample's rows, on the grid; 0 for other rows."""
    place = _places(sample)
    found = np.zeros_like(weights)
    found[:, place] = on_grid(weights[:, place] / weights[:, place].mean())
    return found


def _places(sample: Sample) -> npt.NDArray[np.int64]:
    return np.arange(len(sample.rows)) if sample.place is None else sample.place


def _factors(
    n: int, kind: str, rho: float | None, scale: float | None, rscales: npt.ArrayLike | None, *, mse: bool
) -> Factors:
    """How replicates of a kind add up to a variance."""
    usual = {
        "brr": 1 / n,
        "fay": 1 / (n * (1 - (rho or 0.0)) ** 2),
        "jk1": (n - 1) / n,
        "sdr": 4 / n,
        "bootstrap": 1 / (n - 1),
    }
    each = np.ones(n) if rscales is None else np.asarray(rscales, dtype=np.float64)
    factor = (usual.get(kind, 1.0) if scale is None else scale) * each
    return Factors(factor, None if mse else np.zeros(n, dtype=np.int64))


def _rank(weights: Array, sample: Sample) -> float:
    """Rank of the replicate weights of the sample's rows."""
    return float(np.linalg.matrix_rank(weights[:, _places(sample)]))


def _problems(
    n: int, kind: str, rho: float | None, scale: float | None, rscales: npt.ArrayLike | None, df: float | None
) -> list[Problem]:
    """Constants that do not fit the kind or the number of weights."""
    found = []
    if kind == "fay" and not (rho is not None and 0 <= rho < 1):
        en, zh = "Fay's method needs its rho, from 0 to below 1.", "Fay 方法需要 rho（0 ≤ rho < 1）。"
        found.append(problem("E-SETTING", "rho", en, zh, "Use rho=0.3, say.", "例如 rho=0.3。"))
    if kind != "fay" and rho is not None:
        en, zh = f'rho belongs to kind="fay", not to "{kind}".', f"rho 仅用于 kind=“fay”，不用于“{kind}”。"
        found.append(problem("E-SETTING", "rho", en, zh, 'Use kind="fay".', "请使用 kind=“fay”。"))
    if kind == "jkn" and rscales is None:
        en = 'kind="jkn" needs rscales, (n_h - 1) / n_h of the stratum of each replicate.'
        zh = "kind=“jkn” 需要 rscales，即每个重复权重所属层的 (n_h - 1) / n_h。"
        do, do_zh = "Give rscales, or kind=jk1 without strata.", "请给出 rscales；无分层时用 kind=“jk1”。"
        found.append(problem("E-SETTING", "rscales", en, zh, do, do_zh))
    if rscales is not None:
        each = np.asarray(rscales, dtype=np.float64)
        if each.shape != (n,) or not (each >= 0).all():
            en = f"rscales must be {n} numbers from 0, one for each replicate weight."
            zh = f"rscales 应为 {n} 个非负数，每个重复权重对应一个。"
            found.append(problem("E-SETTING", "rscales", en, zh))
    for name, value in (("scale", scale), ("df", df)):
        if value is not None and not value > 0:
            en, zh = f"{name} must be positive, not {value}.", f"{name} 应为正数，而不是 {value}。"
            found.append(problem("E-SETTING", name, en, zh))
    return found


def _told(n: int, kind: str, factors: Factors) -> Note:
    en = f"Standard errors from {n} replicate weights ({kind}), {factors.df:.0f} degrees of freedom."
    return note("N-REPWEIGHTS", en, f"标准误来自 {n} 个重复权重（{kind}），自由度为 {factors.df:.0f}。")


def _doubts(sample: Sample, weights: Array) -> tuple[Note, ...]:
    """A warning where the replicate weights vary about other weights than those of the estimate."""
    mean = weights[:, _places(sample)].mean(axis=0)
    away = float(np.abs(mean / mean.mean() - sample.weight / sample.weight.mean()).mean())
    if away <= APART:
        return ()
    en = (
        "the replicate weights vary about other weights than those the model was fitted with; was weight= named in fit?"
    )
    zh = "重复权重的平均与拟合所用的权重不一致；拟合时是否写明了 weight=？"
    return (note("W-REPWEIGHTS", en, zh),)


APART = 0.25
"""Mean absolute difference of relative weights beyond which replicate weights belong to another full weight."""
