"""Products of scores or items where answers are absent.

    em         absent answers stand at their expectation given the answered ones, so that every row has its products;
               what the products have to do with the items is estimated by EM over items and products together
    pairwise   a product is there where all its answers are; correlations are those of the rows that have both

Completing by expectation and then correlating would draw a product's path towards 0 where outcomes are absent, for the
expectation knows no products; the second EM regresses absent items on the products as well.

Letters: `n` rows, `p` items, `s` scores, `m` products, `B` slices of one cell.

Source:
    Enders, Baraldi & Cham (2014), Psychological Methods 19(1); von Hippel (2009), Sociological Methodology 39 (products
    as variables of their own); bias by simulation in tests/slow/products_missing.csv.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from csi.moments.linear import solve
from csi.moments.patterns import PatternRows, pattern_rows
from csi.moments.pearson import cell_moments
from csi.moments.stack import Array, Ints

Multiplied = Callable[[Array], Array]
"""Columns of scores (n, s) -> their products (n, m)."""


def of_incomplete(
    rows: Array, W: Array, n: Array, moments: tuple[Array, Array], weights: Array, times: Multiplied, missing: str
) -> tuple[Array, Array]:
    """Covariances (B, m, m) of the products and (B, p, m) of the standardised items with them.

    Parameters:
        rows: (n, p) answers, NaN where absent. W: (B, n). n: (B,) rows behind each slice. moments: mean (B, p) and
            covariance (B, p, p) of the items. weights: (B, p, s) of the scores on the standardised items.
        missing: "em" or "pairwise".
    """
    p, patterns = rows.shape[1], pattern_rows(rows)
    own, across = [], []
    for s in range(len(W)):
        mean, cov = moments[0][s], moments[1][s]
        with np.errstate(divide="ignore", invalid="ignore"):
            sd = np.sqrt(np.diagonal(cov))
            Z, full = ((answers - mean) / sd for answers in (rows, _filled(rows, patterns, mean, cov, missing)))
        X = times(_scores(full, weights[s]))
        found = _joint(Z, X, W[s], n[s], missing)
        own.append(found[p:, p:])
        across.append(found[:p, p:])
    return np.stack(own), np.stack(across)


def _filled(rows: Array, patterns: PatternRows, mean: Array, cov: Array, missing: str) -> Array:
    """The rows that products are made of."""
    return expected_rows(rows, patterns, mean, cov) if missing == "em" else rows


def _scores(Z: Array, weights: Array) -> Array:
    """(n, s) scores; NaN where an answer that counts is absent."""
    used = (weights != 0).astype(np.float64)
    hole = ~np.isfinite(Z)
    return np.where(hole.astype(np.float64) @ used > 0, np.nan, np.where(hole, 0.0, Z) @ weights)


def _joint(Z: Array, X: Array, w: Array, n: float, missing: str) -> Array:
    """(p + m, p + m) covariances of items and products, divisor n - 1; NaN where there are none."""
    together = np.concatenate([Z, X], axis=1)
    together = np.where(np.isfinite(together), together, np.nan)
    if not np.isfinite(together).any(axis=0).all():
        return np.full((together.shape[1],) * 2, np.nan)
    cov = cell_moments(together, w[None], missing)[4][0]
    count = len(together)
    scaled: Array = cov * ((count - 1) / count * n / (n - 1))
    return scaled


def expected_rows(rows: Array, patterns: PatternRows, mean: Array, cov: Array) -> Array:
    """Rows with absent answers at their expectation given the answered ones: mu_a + S_ao S_oo^-1 (x_o - mu_o).

    NaN where the answered items determine each other.

    Parameters:
        rows: (n, p), NaN where absent. patterns: theirs. mean: (p,). cov: (p, p).

    Example:
        >>> rows = np.array([[1.0, np.nan], [2.0, 2.0]])
        >>> cov = np.array([[1.0, 0.5], [0.5, 1.0]])
        >>> expected_rows(rows, pattern_rows(rows), np.array([0.0, 3.0]), cov).tolist()
        [[1.0, 3.5], [2.0, 2.0]]
    """
    out = rows.copy()
    for number, seen in enumerate(patterns.observed):
        at: Ints = patterns.order[patterns.starts[number] : patterns.starts[number + 1]]
        a, o = np.flatnonzero(~seen), np.flatnonzero(seen)
        if not a.size:
            continue
        middle = np.broadcast_to(mean[a], (at.size, a.size))
        if o.size:
            slopes = solve(cov[None][:, o[:, None], o], cov[None][:, o[:, None], a])[0]
            middle = middle + (rows[np.ix_(at, o)] - mean[o]) @ slopes
        out[np.ix_(at, a)] = middle
    return out
