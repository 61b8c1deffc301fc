"""What shorter forms are worth, from moments alone: their reliability, agreement with the full score, differences kept.

Letters: `p` items of the full form, `s` forms, `b` slices of a stack, `c` cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from csi.measures.item_analysis.subsets import Flags
from csi.moments.stack import Array


@dataclass(frozen=True, slots=True)
class Worth:
    """(b, s) each: alpha; r, the correlation with the full score corrected for shared items; raw, the one as it is;
    kept, the share of the differences between cells that remains (NaN without cells).
    """

    alpha: Array
    r: Array
    raw: Array
    kept: Array


def worth_of(cov: Array, forms: Flags, means: Array | None = None) -> Worth:
    """The worth of forms to every slice.

    alpha = k / (k - 1) (1 - sum of variances / V), V = var(S) of the form's sum S
    raw = cov(S, F) / sqrt(V var(F)), F the sum of all items
    r = (cov(S, F) - (1 - alpha) V) / sqrt(V var(F)): the errors of the form are in F once; answered a second time
        they would not be
    kept = 1 - sum_c (e_c - mean e)^2 / sum_c (f_c - mean f)^2, e_c = short less full mean of cell c, f_c the full one

    Parameters:
        cov: (b, p, p). forms: (s, p), or (b, s, p) where each slice has its own. means: (b, c, p) of items per cell.

    Source:
        Levy (1967), Journal of Clinical Psychology 23(1), 84-86; Smith, McCarthy & Anderson (2000), Psychological
        Assessment 12(1), 102-111.

    Example:
        >>> R = np.full((3, 3), 0.5) + 0.5 * np.eye(3)
        >>> w = worth_of(R[None], np.array([[True, True, False]]))
        >>> [float(v[0, 0].round(4)) for v in (w.alpha, w.raw, w.r)]
        [0.6667, 0.9428, 0.7071]
    """
    k = forms.sum(axis=-1).astype(np.float64)
    kept = np.full((len(cov), forms.shape[-2]), np.nan) if means is None else _kept(*_cells(means, forms))
    return _judged(_parts(cov, forms), k, kept)


def held_worth(cov: Array, forms: Flags, folds: int, means: Array | None = None) -> Worth:
    """The worth of forms to folds that they were found without, the folds of each repetition taken together.

    Variances and covariances are means over the folds before they are divided by each other, and cells have the mean
    of their folds, each told by its own form: so small folds bias nothing, and where all folds have one form its worth
    is that to all rows.

    Parameters:
        cov: (m, p, p) second moments of each fold about the means of all rows. forms: (m, 1, p). folds: K of them,
            repetition by repetition. means: (m, c, p).

    Returns:
        `Worth` of (m / K, 1).

    Example:
        >>> R = np.full((3, 3), 0.5) + 0.5 * np.eye(3)
        >>> forms = np.array([[[True, True, False]], [[False, True, True]]])
        >>> held_worth(np.stack([R, R]), forms, 2).alpha.round(4).tolist()
        [[0.6667]]
    """
    together = [part.reshape(-1, folds, 1).mean(axis=1) for part in _parts(cov, forms)]
    k = forms.sum(axis=-1).astype(np.float64).reshape(-1, folds, 1)[:, 0]
    kept = np.full(k.shape, np.nan)
    if means is not None:
        short, full = _cells(means, forms)
        kept = _kept(
            np.nanmean(short.reshape(-1, folds, *short.shape[1:]), axis=1),
            np.nanmean(full.reshape(-1, folds, full.shape[1]), axis=1),
        )
    return _judged(together, k, kept)


def _parts(cov: Array, forms: Flags) -> list[Array]:
    """(b, s) each: variance of a form's sum, sum of its items' variances, its covariance with the full sum, whose own
    variance.
    """
    own = forms.astype(np.float64)
    variances = _each(np.diagonal(cov, axis1=1, axis2=2), own)
    full = np.broadcast_to(cov.sum(axis=(1, 2))[:, None], variances.shape)
    return [_within(cov, own), variances, _each(cov.sum(axis=2), own), full]


def _judged(parts: Sequence[Array], k: Array, kept: Array) -> Worth:
    """From variances and covariances to the worth of forms of k items."""
    V, variances, shared, full = parts
    with np.errstate(divide="ignore", invalid="ignore"):
        alpha = k / (k - 1) * (1 - variances / np.where(V > 0, V, np.nan))
        scale = np.sqrt(V * full)
        raw, r = shared / scale, (shared - (1 - alpha) * V) / scale
    return Worth(np.where(k > 1, alpha, np.nan), np.where(k > 1, r, np.nan), raw, kept)


def _each(values: Array, own: Array) -> Array:
    """(b, s) sums of values (b, p) over the items of each form."""
    return np.asarray(values @ own.T if own.ndim == 2 else (own @ values[:, :, None])[..., 0])


def _within(cov: Array, own: Array) -> Array:
    """(b, s) variances of the sums of each form's items."""
    if own.ndim == 3:
        return np.asarray(((own @ cov) * own).sum(axis=2))
    i, j = np.triu_indices(cov.shape[1])
    pairs = own[:, i] * own[:, j] * np.where(i == j, 1.0, 2.0)
    return np.asarray(cov[:, i, j] @ pairs.T)


def _cells(means: Array, forms: Flags) -> tuple[Array, Array]:
    """(b, c, s) means of forms per cell, (b, c) those of the full form."""
    own = forms.astype(np.float64)
    k = own.sum(axis=-1)
    turned = own.T / k if own.ndim == 2 else own.transpose(0, 2, 1) / k[:, None, :]
    return means @ turned, means.mean(axis=2)


def _kept(short: Array, full: Array) -> Array:
    """(b, s) share of the differences between cells that a form keeps."""
    about = full - full.mean(axis=1, keepdims=True)
    gap = short - full[:, :, None]
    gap = gap - gap.mean(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(1 - (gap**2).sum(axis=1) / (about**2).sum(axis=1)[:, None])


def expected_alpha(alpha: float, p: int, k: int) -> float:
    """Alpha to expect of k items drawn from p like them (Spearman-Brown).

    Source:
        Spearman (1910), British Journal of Psychology 3, 271-295; Brown (1910), 296-322.

    Example:
        >>> round(expected_alpha(0.8, 10, 5), 4)
        0.6667
    """
    share = k / p
    return share * alpha / (1 + (share - 1) * alpha)
