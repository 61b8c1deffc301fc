"""Fit of a composite model: how far the correlations it implies are from those observed.

The saturated model lets constructs correlate freely, so it judges measurement alone; the estimated model adds the
claims of the paths.

Letters: `p` items, `q` constructs, `b` slices of a stack.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from csi.errors import Reason, reason
from csi.estimate.estimate import Estimate, Solution
from csi.measures.composite_implied import (
    d_g,
    d_ml,
    d_uls,
    factors,
    fitted_cor,
    gfi,
    log_determinant,
    rms_theta,
    srmr,
)
from csi.measures.fit_indices import cfi, hoelter, ifi, nfi, tli
from csi.measures.indicators import owners
from csi.measures.rmsea import rmsea
from csi.moments.stack import Array, Moments

DISTANCES = ("srmr", "d_uls", "d_g", "d_ml")
"""Distances between observed and implied correlations, in the order of `distances`."""

SINGULAR = reason(
    "not_definite",
    "the observed or implied correlations of the items are not positive definite.",
    "题项的观测或模型隐含相关矩阵不是正定的。",
)

PRODUCTS = reason(
    "products",
    "a model with products of constructs implies more than correlations, so these do not measure its fit.",
    "含构念乘积项的模型所隐含的不只是相关矩阵，这些指标不能衡量其拟合。",
)


def distances(moments: Moments, solution: Solution, *, saturated: bool) -> Array:
    """SRMR, d_ULS, d_G and d_ML, (b, 4); a measure on a stack, for cells and replicates alike."""
    S, Sigma = fitted_cor(moments, solution, saturated=saturated)
    return np.stack([srmr(S, Sigma), d_uls(S, Sigma), d_g(S, Sigma), d_ml(S, Sigma)], axis=1)


def degrees(est: Estimate, *, saturated: bool) -> int:
    """Correlations of the items less free parameters.

    Free are the loadings of factors; the weights but one, and the correlations within the block, of composites; the
    paths and the correlations of exogenous constructs (all correlations of constructs in the saturated model).

    Source:
        Dijkstra & Henseler (2015); agrees with cSEM 0.6.1.
    """
    solution = est.solution
    p, q = len(solution.items), len(solution.constructs)
    factor = factors(solution)
    below = {part for _, part in solution.parts}
    used = 0
    for k, size in enumerate(np.bincount(owners(solution), minlength=q)):
        used += int(size) if factor[k] else int(size * (size - 1) // 2 + max(size - 1, 0))
    products = {c.name for c in est.model.constructs if c.product_of}
    standing = [y for y in solution.constructs if y not in below | products]
    predictors = [len([x for x in est.model.predictors(y) if x in solution.constructs]) for y in standing]
    free, q = predictors.count(0), len(standing)
    used += q * (q - 1) // 2 if saturated else sum(predictors) + free * (free - 1) // 2
    return p * (p - 1) // 2 - used


def composite_measures(est: Estimate) -> tuple[dict[str, Array], Mapping[str, Reason]]:
    """Fit of the estimated model; of the saturated one under names that end in `_saturated`.

    Of a model with products only the saturated model is judged: what its paths imply is more than correlations.

    chi2 = (n - 1) d_ML; the baseline model has uncorrelated items, d_ML = -ln |S|. chi2 and what follows from it are
    descriptive: weights are not those of maximum likelihood, so chi2 has no chi-square distribution. For a test of
    exact fit see `csi.exact_fit`.

    Returns:
        name -> (b,), and why a value is absent.

    Source:
        Henseler et al. (2014), Organizational Research Methods 17(2); Dijkstra & Henseler (2015).
    """
    arrays = _of_model(est, saturated=False)
    judged = est.solution.spread is None
    kept: dict[str, Array] = arrays if judged else dict.fromkeys(arrays, np.full(len(est.values), np.nan))
    kept["rms_theta"] = rms_theta(est.moments, est.solution)
    kept |= {f"{name}_saturated": values for name, values in _of_model(est, saturated=True).items()}
    kept["n"] = np.asarray(est.moments.n, dtype=np.float64)
    reasons = {name: SINGULAR for name, values in kept.items() if not np.isfinite(values).all()}
    return kept, reasons if judged else {**reasons, **dict.fromkeys(arrays, PRODUCTS)}


def _of_model(est: Estimate, *, saturated: bool) -> dict[str, Array]:
    """Distances and what follows from d_ML."""
    p = len(est.solution.items)
    found = distances(est.moments, est.solution, saturated=saturated)
    S, Sigma = fitted_cor(est.moments, est.solution, saturated=saturated)
    n = np.asarray(est.moments.n - 1, dtype=np.float64)
    df, df0 = np.full(len(n), float(degrees(est, saturated=saturated))), np.full(len(n), p * (p - 1) / 2)
    T, T0 = n * found[:, 3], -n * log_determinant(S)
    return {
        **{name: found[:, i] for i, name in enumerate(DISTANCES)},
        "chi2": T,
        "df": df,
        "nfi": nfi(T, df, T0, df0),
        "cfi": np.where(np.isfinite(T), cfi(T, df, T0, df0), np.nan),
        "tli": tli(T, df, T0, df0),
        "ifi": ifi(T, df, T0),
        "rmsea": rmsea(T, df, n),
        "gfi": gfi(S, Sigma),
        "cn_05": hoelter(T, df, n, 0.05),
    }
