"""Means and covariances of rows with absent answers by the EM algorithm, for every weighting of the rows.

Letters: `n` rows, `p` items, `b` weightings (replicates).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from csi.moments.patterns import pattern_rows
from csi.moments.saturated import saturated
from csi.moments.stack import Array

AT_ONCE = 2**26
"""Bytes of the patterns' moments that are formed together; results do not depend on it."""


def em_moments(rows: Array, W: Array) -> tuple[Array, Array]:
    """The maximum likelihood mean (b, p) and covariance (b, p, p), divisor n, of normal rows with absent answers.

    What is absent may depend on what is answered (missing at random). NaN where there is no solution (fewer rows than
    items, say), for items that nobody answered, and for the covariance of two items that no row answers together: the
    answers say nothing of it.

    Parameters:
        rows: (n, p) answers, NaN where absent. W: (b, n) weights.

    Source:
        Dempster, Laird & Rubin (1977), JRSS B 39; Little & Rubin (2002), Statistical Analysis with Missing Data, 11.2.
    Agrees: lavaan's saturated moments on Holzinger & Swineford with absences (tests/moments).

    Example:
        >>> rows = np.array([[1.0, 1.0], [2.0, 3.0], [3.0, 2.0], [4.0, np.nan]])
        >>> mean, cov = em_moments(rows, np.ones((1, 4)))
        >>> mean.round(6).tolist()
        [[2.5, 2.25]]
    """
    answered = (~np.isnan(rows)).astype(np.float64)
    silent = ~((W @ answered) > 0)
    patterns = pattern_rows(rows)
    size = max(1, AT_ONCE // patterns.bytes_of_one)
    with np.errstate(all="ignore"):  # where there is no solution the search runs away, and says so
        parts = [saturated(patterns.under(W[i : i + size])) for i in range(0, len(W), size)]
    settled = np.concatenate([part.converged for part in parts])
    mean, cov = (np.concatenate([getattr(part, name) for part in parts]) for name in ("mean", "cov"))
    mean, cov = np.where(settled[:, None], mean, np.nan), np.where(settled[:, None, None], cov, np.nan)
    if silent.any():  # the rest of the items does not hang on them
        mean[silent] = np.nan
        cov[silent[:, :, None] | silent[:, None, :]] = np.nan
    cov[_apart(answered, W)] = np.nan
    return mean, cov


def _apart(answered: Array, W: Array) -> npt.NDArray[np.bool_]:
    """(b, p, p) whether no row answers both of two items, of answers (n, p) that are 1 and absences that are 0."""
    p = answered.shape[1]
    i, j = np.triu_indices(p, 1)
    apart = np.zeros((len(W), p, p), dtype=bool)
    apart[:, i, j] = ~(W @ (answered[:, i] * answered[:, j]) > 0)
    return np.asarray(apart | apart.swapaxes(1, 2))
