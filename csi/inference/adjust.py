"""P-values of a family of tests, adjusted for their number.

Letters: `m` tests of one family.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from csi.moments.stack import Array


def holm(p_values: npt.ArrayLike) -> Array:
    """Holm's step-down p: familywise error. NaN stays NaN and does not count in the family.

    p~_(i) = max_{j <= i} min(1, (m - j + 1) p_(j))

    Source:
        Holm (1979), Scandinavian Journal of Statistics 6(2):65-70.

    Example:
        >>> holm([0.01, 0.04, 0.03]).tolist()
        [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = _ascending(p)
    out = np.full(p.shape, np.nan)
    out[order] = np.minimum(np.maximum.accumulate(np.arange(order.size, 0, -1) * p[order]), 1.0)
    return out


def benjamini_hochberg(p_values: npt.ArrayLike) -> Array:
    """Benjamini-Hochberg's step-up p: false discovery rate. NaN stays NaN and does not count in the family.

    p~_(i) = min_{j >= i} min(1, m p_(j) / j)

    Source:
        Benjamini & Hochberg (1995), Journal of the Royal Statistical Society B 57:289-300.

    Example:
        >>> benjamini_hochberg([0.01, 0.04, 0.03]).tolist()
        [0.03, 0.04, 0.04]
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = _ascending(p)
    out = np.full(p.shape, np.nan)
    steps = order.size * p[order] / np.arange(1, order.size + 1)
    out[order] = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1.0)
    return out


def _ascending(p: Array) -> npt.NDArray[np.intp]:
    """Positions of the finite values of a flat array, smallest first."""
    known = np.flatnonzero(np.isfinite(p))
    return known[np.argsort(p[known], kind="stable")]
