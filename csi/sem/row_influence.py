"""What every row adds to the parameters of a covariance fit.

    IF_i = N (N' I N)^-1 N' w_i s_i / n,   sum_i IF_i IF_i' = Huber-White covariance

with s_i the row's score, I the unit information, N the directions that the equality constraints leave.

Letters: `n` rows of a group, `k` free parameters.
"""

from __future__ import annotations

import numpy as np

from csi.estimate.estimate import Estimate
from csi.moments.patterns import pattern_rows
from csi.moments.stack import Array
from csi.sem.fiml import casewise
from csi.sem.fitted import fitted
from csi.sem.problem import group_sizes


def row_influence(est: Estimate) -> tuple[Array, ...]:
    """(n, k) influence of the rows of every group on the free parameters of the first cell; ML or FIML with means.

    Returns:
        One array per group, its rows in the order of the group's rows; rows of weight 0 add nothing.

    Raises:
        ValueError: the rows were let go, or the fit is not of ML.

    Source:
        Huber (1967); White (1982), Econometrica 50; Yuan & Bentler (2000), Sociological Methodology 30.

    Example:
        >>> import csi, numpy as np, polars as pl
        >>> x = np.random.default_rng(1).normal(size=(200, 1)) + np.random.default_rng(2).normal(size=(200, 3))
        >>> settings = csi.SEM(estimator="MLR", meanstructure=True)
        >>> est = csi.fit("f =~ a + b + c", pl.DataFrame(x, schema=[*"abc"]), settings)
        >>> one = row_influence(est)[0]
        >>> bool(np.allclose(one.T @ one, fitted(est).vcov[0], rtol=1e-8))
        True
    """
    fit = fitted(est)
    if fit.fitting not in {"ML", "FIML"} or not fit.layout.means:
        raise ValueError("influence of rows needs ML with means")
    N, parts = fit.along(0), []
    spread = N @ np.linalg.solve(fit.information_along(0), N.T)
    sizes = group_sizes([g.moments for g in fit.groups])[0]
    for block, group, size in zip(fit.layout.blocks, fit.groups, sizes, strict=True):
        passed, e, at = group.moments.rows, block.entries, group.at
        if passed is None:
            raise ValueError("influence needs rows")
        rows, weights, _ = passed.of(0)
        seen = pattern_rows(rows)
        raw = casewise(seen, at.mu[0], at.Sigma[0], at.K[0], e.u, e.v, e.s, at.reach[0, e.c])
        scores = np.zeros((len(rows), fit.layout.count))
        np.add.at(scores.T, e.parameter, raw.T)
        share = weights * (size / weights.sum()) / float(fit.total[0])
        parts.append(np.asarray((scores * share[:, None]) @ spread))
    return tuple(parts)
