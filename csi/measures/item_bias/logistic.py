"""Logistic regression of answers on matching score, group and their product, all items at once.

Letters: `i` items, `s` scores, `g` groups, `C` categories.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from csi.measures.response.marginal import Bools
from csi.measures.response.ordered import Ordered, ordered_logit
from csi.moments.stack import Array

JODOIN_GIERL = (0.035, 0.070)
ZUMBO_THOMAS = (0.13, 0.26)
"""Changes of R2 from which differential functioning is called moderate and large."""


@dataclass(frozen=True, slots=True)
class Logistic:
    """Of each item (i,).

    Attributes:
        chi2, p: of group and product together; uniform_chi2, uniform_p: of the group; nonuniform_chi2, nonuniform_p: of
            the product. df: of the first; the others have half of it. effect, effect_error: log odds of each further
            group to answer higher at equal standing (i, g - 1), without the product. r2: change of Nagelkerke's R2 from
            score to score, group and product; r2_uniform: by the group; mcfadden: change of McFadden's.
        expected: (i, s, g) mean answer of the model with the product. separated: (i,).
    """

    chi2: Array
    df: int
    p: Array
    uniform_chi2: Array
    uniform_p: Array
    nonuniform_chi2: Array
    nonuniform_p: Array
    effect: Array
    effect_error: Array
    r2: Array
    r2_uniform: Array
    mcfadden: Array
    expected: Array
    separated: Bools


def logistic(counts: Array, value: Array) -> Logistic:
    """Three proportional-odds models per item: score; score and group; score, group and their product.

    Parameters:
        counts: (i, s, g, C), g at least 2; the first group is the reference. value: (i, C).

    Source:
        Swaminathan & Rogers (1990), Journal of Educational Measurement 27, 361-370; Zumbo (1999), A handbook on the
        theory and methods of differential item functioning; Nagelkerke (1991), Biometrika 78, 691-692.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> told = logistic(rng.poisson(9, (1, 5, 2, 3)).astype(float), np.array([[0.0, 1.0, 2.0]]))
        >>> bool(abs(told.chi2 - told.uniform_chi2 - told.nonuniform_chi2)[0] < 1e-8), told.df
        (True, 2)
    """
    i, s, g, C = counts.shape
    flat = counts.reshape(i, s * g, C)
    x = _design(counts)
    with np.errstate(over="ignore"):
        one = ordered_logit(x[:, :, :1], flat)
        two = ordered_logit(x[:, :, :g], flat, one)
        three = ordered_logit(x, flat, two)
    n = np.maximum(flat.sum(axis=(1, 2)), 1)
    share = flat.sum(axis=1)
    none = np.where(share > 0, share * np.log(np.maximum(share, 1) / n[:, None]), 0).sum(axis=1)
    uniform, product = (np.maximum(2 * (b.loglik - a.loglik), 0) for a, b in ((one, two), (two, three)))
    total, half = uniform + product, g - 1
    r2 = [_nagelkerke(none, m.loglik, n) for m in (one, two, three)]
    error = np.sqrt(np.maximum(np.diagonal(np.linalg.pinv(two.information), axis1=1, axis2=2)[:, 1:g], 0))
    with np.errstate(invalid="ignore", divide="ignore"):
        mcfadden = (three.loglik - one.loglik) / -none
    return Logistic(
        total,
        2 * half,
        chdtrc(2 * half, total),
        uniform,
        chdtrc(half, uniform),
        product,
        chdtrc(half, product),
        two.slope[:, 1:g],
        error,
        r2[2] - r2[0],
        r2[1] - r2[0],
        mcfadden,
        _expected(three, x, value).reshape(i, s, g),
        np.logical_or.reduce([one.separated, two.separated, three.separated]),
    )


def _design(counts: Array) -> Array:
    """(i, s g, 2 g - 1) standardised score, groups, products."""
    i, s, g, _ = counts.shape
    n = counts.sum(axis=(2, 3))
    at = np.arange(s)
    size = np.maximum(n.sum(axis=1), 1)
    mean = n @ at / size
    spread = np.sqrt(np.maximum(n @ at**2 / size - mean**2, 1e-12))
    z = ((at - mean[:, None]) / spread[:, None])[:, :, None] * np.ones(g)
    groups = np.broadcast_to(np.eye(g)[:, 1:], (i, s, g, g - 1))
    return np.concatenate([z[..., None], groups, groups * z[..., None]], axis=3).reshape(i, s * g, 2 * g - 1)


def _nagelkerke(none: Array, loglik: Array, n: Array) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(-np.expm1(2 * (none - loglik) / n) / -np.expm1(2 * none / n))


def _expected(fit: Ordered, x: Array, value: Array) -> Array:
    """(i, s g) mean answer: the lowest and, for each threshold passed, the step there."""
    line = np.einsum("isv,iv->is", x, fit.slope)
    with np.errstate(over="ignore"):
        above = 1 / (1 + np.exp(-(line[:, :, None] + fit.cut[:, None, :])))
    steps = np.where(np.isfinite(fit.cut), np.diff(value, axis=1), 0)
    return np.asarray(value[:, :1] + (above * steps[:, None, :]).sum(axis=2))


def classed(change: Array, p: Array, limits: tuple[float, float], alpha: float = 0.05) -> list[str]:
    """A (negligible), B (moderate), C (large) by change of R2; A where the test says nothing.

    Source:
        Jodoin & Gierl (2001), Applied Measurement in Education 14, 329-349 (.035, .070); Zumbo & Thomas (1997), as
        quoted by Zumbo (1999) (.13, .26). Both were set for two categories.

    Example:
        >>> classed(np.array([0.01, 0.05, 0.2]), np.array([0.001, 0.001, 0.3]), JODOIN_GIERL)
        ['A', 'B', 'A']
    """
    middle, high = limits
    sizes = ("A" if r < middle else "B" if r < high else "C" for r in change)
    return ["" if not np.isfinite(q) else size if q < alpha else "A" for size, q in zip(sizes, p, strict=True)]
