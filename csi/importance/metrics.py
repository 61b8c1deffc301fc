"""Every customary number of how much a predictor matters, from correlations alone, and which of two dominates.

    correlation r;  beta = R^-1 r;  vif;  first r^2;  last beta^2 / vif;  pratt beta r;  car (R^-1/2 r)^2;
    johnson (relative weights; Genizi's (1993) decomposition is the same);  lmg (mean gain over orders)

car, pratt, johnson and lmg sum to R2, first and last do not.

Letters: `k` predictors, `m` slices, `M` metrics, `x` pairs of predictors.
"""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import Final

import numpy as np

from csi.errors import Text
from csi.importance.lmg import MOST, explained, lmg
from csi.importance.shares import SINGULAR, johnson
from csi.moments.stack import Array, Ints

METRICS: Final = {
    "correlation": Text("correlation", "相关"),
    "beta": Text("beta", "标准化回归系数"),
    "vif": Text("VIF", "VIF"),
    "first": Text("first (r²)", "首位进入（r²）"),
    "last": Text("last (usefulness)", "末位进入（R² 增量）"),
    "pratt": Text("Pratt", "Pratt"),
    "car": Text("CAR", "CAR"),
    "johnson": Text("Johnson weight", "Johnson 相对权重"),
    "lmg": Text("LMG", "LMG"),
}
"""Numbers of every predictor, in the order of `battery`."""

RANKED: Final = ("first", "last", "pratt", "car", "johnson", "lmg")
"""Those that put predictors in an order of importance."""


def battery(R: Array, r: Array) -> Array:
    """(m, M, k) every metric; NaN where predictors are collinear or something is unknown.

    Parameters:
        R: (m, k, k) correlations of the predictors. r: (m, k) with the outcome.

    Source:
        Genizi (1993), Statistica Sinica 3, 407-420; Zuber & Strimmer (2011), Statistical Applications in Genetics and
        Molecular Biology 10(1), 34 (CAR); Pratt (1987); the others as `csi.importance.lmg` and `shares` say.

    Example:
        >>> found = battery(np.array([[[1.0, 0.5], [0.5, 1.0]]]), np.array([[0.6, 0.3]]))[0]
        >>> dict(zip(METRICS, found.round(4).tolist(), strict=True))["car"]
        [0.3359, 0.0241]
    """
    known = np.asarray(np.isfinite(R).all(axis=(1, 2)) & np.isfinite(r).all(axis=1))
    k = r.shape[1]
    safe = np.where(known[:, None, None], R, np.eye(k))
    values, vectors = np.linalg.eigh(safe)
    usable = known & (values[:, 0] > SINGULAR)
    own_R, own_r = np.where(usable[:, None, None], safe, np.eye(k)), np.where(usable[:, None], r, 0.0)
    kept = np.where(usable[:, None], values, 1.0)
    turned = np.swapaxes(vectors, 1, 2)
    inverse = (vectors / kept[:, None, :]) @ turned
    half = (vectors / np.sqrt(kept)[:, None, :]) @ turned
    beta, vif = (inverse @ own_r[..., None])[..., 0], np.diagonal(inverse, axis1=1, axis2=2)
    car = (half @ own_r[..., None])[..., 0] ** 2
    parts = [own_r, beta, vif, own_r**2, beta**2 / vif, beta * own_r, car, johnson(own_R, own_r), lmg(own_R, own_r)]
    return np.where(usable[:, None, None], np.stack(parts, axis=1), np.nan)


def dominance(R: Array, r: Array) -> tuple[Array, Array]:
    """How one predictor of each pair dominates the other: in subsets one by one, and on average by their size.

    Parameters:
        R: (m, k, k). r: (m, k).

    Returns:
        (m, x) share of the subsets without both in which the first adds more (complete dominance: 1 or 0), and (m, x)
        share of the sizes of subsets at which it adds more on average (conditional dominance: 1 or 0). Ties count half.

    Source:
        Budescu (1993), Psychological Bulletin 114(3), 542-551; Azen & Budescu (2003), Psychological Methods 8(2),
        129-148. General dominance compares LMG.

    Example:
        >>> complete, conditional = dominance(np.array([[[1.0, 0.5], [0.5, 1.0]]]), np.array([[0.6, 0.3]]))
        >>> complete.tolist(), conditional.tolist()
        ([[1.0]], [[1.0]])
    """
    return dominance_of(explained(R, r), r.shape[1])


def dominance_of(r2: Array, k: int) -> tuple[Array, Array]:
    """The same from the fit of every subset (m, 2^k), bit j of its place saying whether predictor j is in."""
    subsets = np.arange(2**k)
    complete, conditional = [], []
    for i, j in combinations(range(k), 2):
        without = subsets[((subsets >> i) & 1 == 0) & ((subsets >> j) & 1 == 0)]
        ahead = r2[:, without | (1 << i)] - r2[:, without | (1 << j)]
        complete.append(_more(ahead).mean(axis=1))
        size = np.bitwise_count(without).astype(np.int64)
        means = np.stack([_gain_by_size(r2, without, size, s, i, j, k) for s in range(k)], axis=1)
        conditional.append(_more(means).mean(axis=1))
    return np.stack(complete, axis=1), np.stack(conditional, axis=1)


def _gain_by_size(r2: Array, without: Ints, size: Ints, s: int, i: int, j: int, k: int) -> Array:
    """(m,) mean gain of i less that of j over subsets of size s without the one whose gain it is."""
    plain, other = without[size == s], without[size == s - 1] if s else without[:0]
    gains = []
    for one, rest in ((i, j), (j, i)):
        with_rest = other | (1 << rest)
        own = (r2[:, plain | (1 << one)] - r2[:, plain]).sum(axis=1)
        own = own + (r2[:, with_rest | (1 << one)] - r2[:, with_rest]).sum(axis=1)
        gains.append(own / comb(k - 1, s))
    return np.asarray(gains[0] - gains[1])


def _more(ahead: Array) -> Array:
    """1 where above 0, 1/2 at 0."""
    return np.where(np.abs(ahead) <= TIE, 0.5, (ahead > 0).astype(np.float64))


TIE: Final = 1e-12
"""Gains this near are alike."""

LISTED: Final = MOST
"""Predictors up to which all subsets are compared."""


def ranks_of(values: Array) -> Array:
    """(..., k) places, 1 for the largest; NaN where unknown.

    Example:
        >>> ranks_of(np.array([0.2, 0.5, 0.1])).tolist()
        [2.0, 1.0, 3.0]
    """
    known = np.isfinite(values).all(axis=-1, keepdims=True)
    order = np.argsort(np.argsort(-np.where(known, values, 0.0), axis=-1, kind="stable"), axis=-1) + 1.0
    return np.where(known, order, np.nan)


def agreement(values: Array) -> Array:
    """(M, M) Spearman's rank correlations of metrics (M, k) over the predictors; NaN with fewer than three.

    Example:
        >>> agreement(np.array([[3.0, 2, 1], [3.0, 1, 2]])).round(2).tolist()
        [[1.0, 0.5], [0.5, 1.0]]
    """
    if values.shape[-1] < FEWEST:
        return np.full((len(values), len(values)), np.nan)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.corrcoef(ranks_of(values)))


FEWEST: Final = 3
"""Predictors from which ranks are correlated."""
