"""How many factors to keep: rules that need the correlations alone.

Letters: `p` items, `m` factors, `n` rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from csi.measures.factors.extraction import extract
from csi.moments.stack import Array, Ints

Flags = npt.NDArray[np.bool_]


def leading(above: Flags) -> int:
    """How many stand before the first that is not true.

    Example:
        >>> leading(np.array([True, True, False, True]))
        2
    """
    return int(np.argmin(np.append(np.asarray(above, dtype=bool), False)))


def partial_squares(R: Array, power: int = 2) -> Array:
    """Velicer's minimum average partial: what correlates still, on average, when m components are partialled out.

    MAP_m = mean_(i != j) |r_ij given the first m components|^power

    Parameters:
        R: (p, p). power: 2 (Velicer, 1976) or 4 (the revision of 2000).

    Returns:
        (p - 1,) for m = 0, 1, ..., p - 2; NaN where an item is explained in full.

    Source: Velicer (1976), Psychometrika 41, 321-327; Velicer, Eaton & Fava (2000), in Problems and solutions in human
        assessment, 41-71.

    Example:
        >>> partial_squares(np.full((4, 4), 0.5) + 0.5 * np.eye(4)).round(4).tolist()[:2]
        [0.25, 0.1111]
    """
    p = len(R)
    values, vectors = np.linalg.eigh(R)
    A = vectors[:, ::-1] * np.sqrt(np.maximum(values[::-1], 0.0))
    result = np.full(p - 1, np.nan)
    for m in range(p - 1):
        rest = R - A[:, :m] @ A[:, :m].T
        d = np.diagonal(rest)
        if (d <= 1e-10).any():
            break
        partial = rest / np.sqrt(np.outer(d, d))
        result[m] = ((np.abs(partial) ** power).sum() - p) / (p * (p - 1))
    return result


def empirical_kaiser(eigenvalues: Array, n: int) -> Array:
    """Reference eigenvalues of the empirical Kaiser criterion.

    max((p - sum_(i < j) lambda_i) / (p - j + 1) (1 + sqrt(p / n))^2, 1)

    Parameters:
        eigenvalues: (p,) greatest first. n: rows.

    Returns:
        (p,).

    Source: Braeken & van Assen (2017), Psychological Methods 22, 450-466.

    Example:
        >>> empirical_kaiser(np.array([2.0, 0.6, 0.4]), 300).round(4).tolist()
        [1.21, 1.0, 1.0]
    """
    p = eigenvalues.size
    before = np.concatenate([[0.0], np.cumsum(eigenvalues)[:-1]])
    share = (p - before) / (p - np.arange(p))
    return np.asarray(np.maximum(share * (1 + np.sqrt(p / n)) ** 2, 1.0))


@dataclass(frozen=True, slots=True)
class Hull:
    """Fits on the upper boundary of a convex hull.

    Attributes:
        factors: (k,) numbers of factors tried. fit: (k,). free: (k,) parameters of each. on: (k,) whether on the hull.
        elbow: (k,) how much less the fit grows after than before (NaN off the hull and at its ends).
        best: the number with the greatest elbow, None where fewer than three stand on the hull.
    """

    factors: Ints
    fit: Array
    free: Ints
    on: Flags
    elbow: Array
    best: int | None


def common_part(R: Array, most: int) -> Array:
    """The common part accounted for (CAF) by m factors: 1 - KMO of what minres leaves.

    Parameters:
        R: (p, p). most: the most factors.

    Returns:
        (most + 1,) for m = 0, ..., most.

    Source: Lorenzo-Seva, Timmerman & Kiers (2011), Multivariate Behavioral Research 46, 340-364.

    Example:
        >>> common_part(np.full((4, 4), 0.5) + 0.5 * np.eye(4), 1).round(4).tolist()
        [0.2, 1.0]
    """
    beside = 1 - np.eye(len(R))
    found = []
    for m in range(most + 1):
        rest = R * beside
        if m:
            L = extract(R[None], m).loadings[0]
            rest = rest - (L @ L.T) * beside
        found.append(_unshared(rest))
    return np.array(found)


def _unshared(rest: Array) -> float:
    """1 - KMO of residual correlations with a diagonal of 1; 1 where nothing is left."""
    if np.abs(rest).max() < 1e-6:
        return 1.0
    inverse = np.linalg.pinv(rest + np.eye(len(rest)))
    d = np.sqrt(np.abs(np.diagonal(inverse)))
    partial = (inverse / np.outer(d, d)) * (1 - np.eye(len(rest)))
    r, q = (rest * rest).sum(), (partial * partial).sum()
    return float(1 - r / (r + q))


def comparative_fit(R: Array, n: int, most: int) -> Array:
    """CFI of m maximum likelihood factors, against no correlation at all.

    Parameters:
        R: (p, p), positive definite. n: rows. most: the most factors.

    Returns:
        (most + 1,) for m = 0, ..., most; NaN where there are no degrees of freedom left or no solution.

    Source: Bentler (1990), Psychological Bulletin 107, 238-246.

    Example:
        >>> comparative_fit(np.full((4, 4), 0.5) + 0.5 * np.eye(4), 100, 1).round(4).tolist()
        [0.0, 1.0]
    """
    p = len(R)
    beyond = max((n - 1) * -float(np.linalg.slogdet(R)[1]) - p * (p - 1) / 2, 1e-12)
    found = [0.0]
    for m in range(1, most + 1):
        df = freedom(p, m)
        solved = extract(R[None], m, "ml")
        left = max((n - 1) * float(solved.objective[0]) - df, 0.0)
        found.append(1 - left / max(beyond, left) if df >= 0 and solved.converged[0] else np.nan)
    return np.array(found)


def freedom(p: int, m: int) -> int:
    """Degrees of freedom of m factors of p items: ((p - m)^2 - p - m) / 2.

    Example:
        >>> freedom(9, 3), freedom(4, 2)
        (12, -1)
    """
    return ((p - m) ** 2 - p - m) // 2


def hull(fit: Array, p: int) -> Hull:
    """The number of factors after which fit grows least for its parameters.

    Numbers whose fit is no better than that of fewer factors leave, then those under the line between their
    neighbours; of the rest, st_m = ((f_m - f_(m-1)) / (c_m - c_(m-1))) / ((f_(m+1) - f_m) / (c_(m+1) - c_m)) is
    greatest at the elbow.

    Parameters:
        fit: (k,) of 0, 1, ..., k - 1 factors. p: items.

    Source: Lorenzo-Seva, Timmerman & Kiers (2011), Multivariate Behavioral Research 46, 340-364.

    Example:
        >>> hull(np.array([0.0, 0.5, 0.9, 0.92, 0.93]), 12).best
        2
    """
    m = np.arange(fit.size)
    free = (p * m - m * (m - 1) // 2).astype(np.int64)
    kept = [k for k in m.tolist() if np.isfinite(fit[k])]
    kept = [k for place, k in enumerate(kept) if all(fit[k] > fit[before] for before in kept[:place])]
    dropped = True
    while dropped:
        dropped = False
        for i in range(1, len(kept) - 1):
            a, b, c = kept[i - 1 : i + 2]
            line = fit[a] + (fit[c] - fit[a]) * (free[b] - free[a]) / (free[c] - free[a])
            if fit[b] <= line:
                del kept[i]
                dropped = True
                break
    elbow = np.full(fit.size, np.nan)
    for i in range(1, len(kept) - 1):
        a, b, c = kept[i - 1 : i + 2]
        elbow[b] = ((fit[b] - fit[a]) / (free[b] - free[a])) / ((fit[c] - fit[b]) / (free[c] - free[b]))
    best = int(np.nanargmax(elbow)) if np.isfinite(elbow).any() else None
    return Hull(m.astype(np.int64), fit, free, np.isin(m, kept), elbow, best)
