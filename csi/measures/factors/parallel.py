"""Parallel analysis: eigenvalues of answers without any common factor.

Letters: `B` resamples, `n` rows, `p` items.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import ndtr

from csi.measures.factors.extraction import LEAST, extract
from csi.moments.stack import Array, Ints

AT_ONCE = 250
"""Resamples worked on at a time."""

LARGE = 1_000
"""From so many rows, sums over shuffled answers are taken as normal."""

STEPS = 60
"""Newton steps of one factor of random correlations."""


def random_normal(n: int, p: int, count: int, seed: int) -> Array:
    """Correlation matrices of normal answers to unrelated items, drawn without the answers.

    Bartlett's decomposition: A A' with A lower triangular, its diagonal square roots of chi-squares with n - 1, n - 2,
    ... degrees of freedom and standard normals below, has the Wishart distribution of the scatter matrix.

    With no more rows than items the answers are drawn after all.

    Parameters:
        n: rows. p: items. count: how many. seed: of the draw.

    Returns:
        (count, p, p).

    Source: Bartlett (1933), Proceedings of the Royal Society of Edinburgh 53, 260-283.

    Example:
        >>> R = random_normal(50, 4, 2000, seed=1)
        >>> bool(abs(R[:, 0, 1].var() - 1 / 49) < 0.002)
        True
    """
    rng = np.random.default_rng(seed)
    if n <= p:
        x = rng.standard_normal((count, p, n))
        x = x - x.mean(axis=2, keepdims=True)
        return _correlations(np.matmul(x, x.swapaxes(1, 2)))
    A = np.tril(rng.standard_normal((count, p, p)), -1)
    i = np.arange(p)
    A[:, i, i] = np.sqrt(rng.chisquare(n - 1 - i, (count, p)))
    return _correlations(np.matmul(A, A.swapaxes(1, 2)))


def random_rows(Z: Array, count: int, seed: int) -> Array:
    """Correlation matrices of the answers with every column shuffled by itself.

    Parameters:
        Z: (n, p) answers (or the scores of categories) without absences. count: how many. seed: of the shuffles.

    Returns:
        (count, p, p).

    Example:
        >>> random_rows(np.arange(20.0).reshape(10, 2), 3, seed=1).shape
        (3, 2, 2)
    """
    rng = np.random.default_rng(seed)
    x = np.ascontiguousarray((Z - Z.mean(axis=0)).T)
    result = np.empty((count, x.shape[0], x.shape[0]))
    for b in range(count):
        x = rng.permuted(x, axis=1)
        result[b] = x @ x.T
    return _correlations(result)


def random_ordinal(thresholds: Mapping[str, Sequence[float]], n: int, count: int, seed: int) -> Array:
    """Polychoric correlations of unrelated items with given thresholds.

    The answers each item has are shuffled; from 1,000 rows on, what shuffles give is drawn as normal. Near a
    correlation of 0 the polychoric correlation is the mean product of the categories' normal scores over their
    variances; the next term of its expansion is of third order, which matters where correlations by chance are large.

    Parameters:
        thresholds: item -> its thresholds. n: rows. count, seed: as in `random_rows`.

    Returns:
        (count, p, p); the diagonal is 1.

    Source: Olsson (1979), Psychometrika 44, 443-460, eq. 10 at rho = 0; Garrido, Abad & Ponsoda (2013), Psychological
        Methods 18, 454-474, for parallel analysis of polychoric correlations.

    Example:
        >>> R = random_ordinal({"a": (0.0,), "b": (0.0,)}, 200, 500, seed=1)
        >>> round(float(R[:, 0, 1].std() * np.sqrt(200)), 1)  # pi / 2
        1.6
    """
    scores, share = [], []
    for cuts in thresholds.values():
        below = np.concatenate([[0.0], ndtr(np.asarray(cuts)), [1.0]])
        slope = np.concatenate([[0.0], np.exp(-0.5 * np.asarray(cuts) ** 2) / np.sqrt(2 * np.pi), [0.0]])
        edge: Ints = np.round(below * n).astype(np.int64)
        value = -np.diff(slope) / np.maximum(np.diff(below), 1e-12)
        scores.append(np.repeat(value, edge[1:] - edge[:-1]))
        share.append(np.sqrt((np.diff(below) * value**2).sum()))
    size = len(share)
    raw = random_normal(n, size, count, seed) if n >= LARGE else random_rows(np.stack(scores, axis=1), count, seed)
    sd = np.array(share)
    R = np.clip(raw / np.outer(sd, sd), -0.99, 0.99)
    i = np.arange(sd.size)
    R[:, i, i] = 1.0
    return R


def by_chance(thresholds: Mapping[str, Sequence[float]], size: tuple[int, int], count: int, seed: int) -> Array:
    """Correlations of unrelated items of the kind at hand: polychoric where there are thresholds, else Pearson.

    Parameters:
        thresholds: item -> its thresholds; none for Pearson. size: rows and items. count, seed: of the draw.

    Returns:
        (count, p, p).

    Example:
        >>> by_chance({}, (50, 3), 10, seed=1).shape
        (10, 3, 3)
    """
    if thresholds:
        return random_ordinal(thresholds, size[0], count, seed)
    return random_normal(*size, count, seed)


def _correlations(scatter: Array) -> Array:
    d = np.sqrt(np.diagonal(scatter, axis1=1, axis2=2))
    return np.asarray(scatter / (d[:, :, None] * d[:, None, :]))


def both_values(R: Array) -> tuple[Array, Array]:
    """Eigenvalues of components and of common factors, greatest first.

    Those of common factors have the communalities of one minres factor in the diagonal of R.

    Parameters:
        R: (B, p, p).

    Returns:
        (B, p) and (B, p).

    Source: Horn (1965), Psychometrika 30, 179-185 (components); Humphreys & Ilgen (1969), Educational and Psychological
        Measurement 29, 571-578 (common factors); one factor's communalities as R's psych documents for fa.parallel.

    Example:
        >>> [(a.round(4) + 0.0).tolist() for a in both_values(np.full((1, 4, 4), 0.25) + 0.75 * np.eye(4))]
        [[[1.75, 0.75, 0.75, 0.75]], [[1.0, 0.0, 0.0, 0.0]]]
    """
    components, common = np.empty(R.shape[:2]), np.empty(R.shape[:2])
    for i in range(0, R.shape[0], AT_ONCE):
        block = slice(i, i + AT_ONCE)
        values, vectors = np.linalg.eigh(R[block])
        components[block] = values[:, ::-1]
        start = vectors[:, :, -1] * np.sqrt(np.maximum(values[:, -1:] - 1, 0.05))
        psi = extract(R, 1).uniqueness if R.shape[0] == 1 else 1 - one_factor(R[block], start) ** 2
        common[block] = np.linalg.eigvalsh(R[block] - psi[:, None, :] * np.eye(R.shape[1]))[:, ::-1]
    return components, common


def one_factor(R: Array, start: Array) -> Array:
    """Loadings of one minres factor of many matrices, by Newton on the loadings themselves.

    min over l of sum_(i < j) (r_ij - l_i l_j)^2, communalities held below 1 - `LEAST`.

    Parameters:
        R: (B, p, p). start: (B, p) loadings to start from.

    Returns:
        (B, p).

    Example:
        >>> np.abs(one_factor(np.full((1, 4, 4), 0.25) + 0.75 * np.eye(4), np.full((1, 4), 0.7))).round(6).tolist()
        [[0.5, 0.5, 0.5, 0.5]]
    """
    eye = np.eye(R.shape[1])
    off = R * (1 - eye)
    bound = np.sqrt(1 - LEAST)
    x = np.clip(start, -bound, bound)
    moving, damping = np.arange(R.shape[0]), np.full(R.shape[0], 1e-3)
    value = _misfit(off, x)
    for _ in range(STEPS):
        here, Q, lift = x[moving], off[moving], damping[moving]
        squares = here * here
        total = squares.sum(axis=1, keepdims=True)
        slope = -(np.matmul(Q, here[:, :, None])[:, :, 0] - here * (total - squares))
        held = ((here >= bound) & (slope < 0)) | ((here <= -bound) & (slope > 0))
        open_ = np.abs(np.where(held, 0.0, slope)).max(axis=1) > 1e-5
        if not open_.any():
            break
        moving, here, Q, lift = moving[open_], here[open_], Q[open_], lift[open_]
        slope, held, total, squares = slope[open_], held[open_], total[open_], squares[open_]
        H = 2 * here[:, :, None] * here[:, None, :] * (1 - eye) - Q
        H += (total - squares + lift[:, None])[:, None, :] * eye
        both = held[:, :, None] | held[:, None, :]
        H = np.where(both, eye, H)
        step = np.linalg.solve(H, -np.where(held, 0.0, slope)[:, :, None])[:, :, 0]
        tried = np.clip(here + step, -bound, bound)
        new = _misfit(Q, tried)
        better = new < value[moving]
        x[moving[better]], value[moving[better]] = tried[better], new[better]
        damping[moving] = np.where(better, lift / 5, np.maximum(lift * 8, 1e-2))
        moving = moving[damping[moving] < 1e8]
        if moving.size == 0:
            break
    return x


def _misfit(off: Array, x: Array) -> Array:
    """(B,) half the squares of what one factor leaves beside the diagonal."""
    squares = x * x
    total = squares.sum(axis=1)
    cross = np.einsum("bi,bij,bj->b", x, off, x, optimize=True)
    return np.asarray(0.5 * (-2 * cross + total**2 - (squares * squares).sum(axis=1)) / 2)
