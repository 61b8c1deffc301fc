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

from csi.moments.expectation import AT_ONCE
from csi.moments.linear import solve
from csi.moments.patterns import Flags, PatternRows, Patterns, pattern_rows
from csi.moments.pearson import cell_moments
from csi.moments.saturated import saturated
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
    p = rows.shape[1]
    patterns = pattern_rows(rows)
    joint = []
    for s in range(len(W)):
        mean, cov = moments[0][s], moments[1][s]
        with np.errstate(divide="ignore", invalid="ignore"):
            sd = np.sqrt(np.diagonal(cov))
            Z, full = ((answers - mean) / sd for answers in (rows, _filled(rows, patterns, mean, cov, missing)))
        X = times(_scores(full, weights[s]))
        together = np.concatenate([Z, X], axis=1)
        joint.append(np.where(np.isfinite(together), together, np.nan))
    found = _by_em(joint, W, np.isnan(rows), patterns.bytes_of_one) if missing == "em" else _pairwise(joint, W)
    found *= (n / (n - 1))[:, None, None]
    return found[:, p:, p:], found[:, :p, p:]


def _by_em(joint: list[Array], W: Array, absent: Flags, size: int) -> Array:
    """(B, p + m, p + m) maximum likelihood covariances; all slices have the same patterns, so they settle together.

    NaN in a slice where an item has no variance, or a row no products.

    Parameters:
        absent: (n, p) answers that are. size: bytes of the items' patterns of one slice.
    """
    p = absent.shape[1]
    lost = np.array([bool(np.isnan(rows[:, p:]).any() or (np.isnan(rows[:, :p]) != absent).any()) for rows in joint])
    found = np.full((len(joint), joint[0].shape[1], joint[0].shape[1]), np.nan)
    kept = np.flatnonzero(~lost)
    step = max(1, AT_ONCE // (4 * size))
    for start in range(0, kept.size, step):
        some = kept[start : start + step]
        parts = [pattern_rows(joint[s]).under(W[s][None]) for s in some]
        one = parts[0]
        n, mean, cov = (np.concatenate([getattr(part, name) for part in parts]) for name in ("n", "mean", "cov"))
        with np.errstate(all="ignore"):  # where there is no solution the search runs away, and says so
            settled = saturated(Patterns(one.observed, n, mean, cov))
        found[some] = np.where(settled.converged[:, None, None], settled.cov, np.nan)
    return found


def _pairwise(joint: list[Array], W: Array) -> Array:
    """(B, p + m, p + m) covariances of the rows that have both, divisor n."""
    found = [cell_moments(rows, w[None], "pairwise")[4][0] for rows, w in zip(joint, W, strict=True)]
    count = W.shape[1]
    divided: Array = np.stack(found) * ((count - 1) / count)
    return divided


def _filled(rows: Array, patterns: PatternRows, mean: Array, cov: Array, missing: str) -> Array:
    """The rows that products are made of."""
    return expected_rows(rows, patterns, mean, cov) if missing == "em" else rows


def _scores(Z: Array, weights: Array) -> Array:
    """(n, s) scores; NaN where an answer that counts is absent."""
    used = (weights != 0).astype(np.float64)
    hole = ~np.isfinite(Z)
    return np.where(hole.astype(np.float64) @ used > 0, np.nan, np.where(hole, 0.0, Z) @ weights)


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
