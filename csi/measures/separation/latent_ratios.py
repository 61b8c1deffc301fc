"""HTMT and HTMT2 of the responses behind ordinal answers: polychoric correlations, errors by what every row adds.

Letters: `n` rows, `p` items, `q` constructs, `m` pairs of constructs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from scipy.special import ndtri

from csi.inference.linearised import Design, means
from csi.measures.blocks import membership
from csi.measures.consistency.latent import latent_of
from csi.measures.separation.heterotrait import htmt2
from csi.measures.validity import htmt
from csi.moments.stack import Array, Ints, Sample

NEAR = 3.0
"""Standard errors of a correlation of 0 within which one has no bounds on the log scale."""


def latent_ratios(sample: Sample, scales: Mapping[str, Sequence[str]], level: float) -> tuple[Array, Array, Array]:
    """HTMT and HTMT2 of ordinal items, with limits of their logarithms by the delta method.

    var(log H) is that of the weighted mean of what rows add to it: sum_ij dlog H / dr_ij times the influence of a row
    on the polychoric correlation r_ij, thresholds estimated; units and strata as the design has them.

    Parameters:
        sample: rows of one cell, every item ordinal. scales: construct -> items. level: of the limits.

    Returns:
        value, low, high: (1, 2, q, q), HTMT first; no limits of HTMT2 where a correlation is near 0.

    Source:
        Henseler, Ringle & Sarstedt (2015), J. of the Academy of Marketing Science 43; Joereskog (1994), Psychometrika
        59, 381-389.

    Example:
        >>> import polars as pl
        >>> from csi.moments.sample import sample_of
        >>> x = np.random.default_rng(1).normal(size=(300, 5))
        >>> rows = np.digitize(x[:, :4] + x[:, 4:], [-1, 0, 1])
        >>> sample = sample_of(pl.DataFrame(rows, schema=["a1", "a2", "b1", "b2"]), ["a1", "a2", "b1", "b2"])
        >>> value, low, high = latent_ratios(sample, {"a": ["a1", "a2"], "b": ["b1", "b2"]}, 0.95)
        >>> bool(low[0, 0, 0, 1] < value[0, 0, 0, 1] < high[0, 0, 0, 1])
        True
    """
    names = [i for items in scales.values() for i in items]
    block = np.array([k for k, items in enumerate(scales.values()) for _ in items])
    q = len(scales)
    kept = np.flatnonzero(~np.isnan(rows := sample.rows[:, [sample.names.index(i) for i in names]]).all(axis=1))
    behind = latent_of(rows[kept], sample.weight[kept])
    member = membership(block, q)
    value = np.stack([htmt(behind.cor, member), htmt2(behind.cor, member)])
    pairs = list(combinations(range(q), 2))
    blank = np.zeros(behind.cuts.shape)
    slopes = [slope for a, b in pairs for slope in _slopes(behind.cor, block, a, b)]
    rows_add = np.stack([behind.influence(blank, np.triu(s, 1)) for s in slopes], axis=1)
    error = means(rows_add, *Design.of(sample, kept)).std_error.reshape(len(pairs), 2).T
    spread = np.zeros((2, q, q))
    one, other = (np.array(side) for side in zip(*pairs, strict=True))
    error[1, [_near_zero(behind.cor, block, pair, len(kept)) for pair in pairs]] = np.nan
    spread[:, one, other] = spread[:, other, one] = float(ndtri((1 + level) / 2)) * error
    return value[None], (value * np.exp(-spread))[None], (value * np.exp(spread))[None]


def _near_zero(cor: Array, block: Ints, pair: tuple[int, int], n: int) -> bool:
    """Whether a correlation of two constructs' items, or of one's, is so near 0 that its logarithm has no bounds."""
    own = np.isin(block, pair)
    return bool((np.abs(cor[np.ix_(own, own)]) < NEAR / np.sqrt(n)).any())


def _slopes(cor: Array, block: Ints, a: int, b: int) -> tuple[Array, Array]:
    """(p, p) slopes of log HTMT and of log HTMT2 of two constructs by each correlation, in both triangles."""
    found = np.zeros((2, *cor.shape))
    size = np.abs(cor)
    between = np.outer(block == a, block == b)
    between = between | between.T
    with np.errstate(divide="ignore", invalid="ignore"):
        for cells, share in ((between, 1.0), *((_within(block, k), -0.5) for k in (a, b))):
            if cells.any():
                found[0] += np.where(cells, 2 * share * np.sign(cor) / size[cells].sum(), 0.0)
                found[1] += np.where(cells, 2 * share / (cells.sum() * cor), 0.0)
    return found[0], found[1]


def _within(block: Ints, k: int) -> Array:
    """(p, p) pairs of different items of one construct."""
    own = np.outer(block == k, block == k)
    np.fill_diagonal(own, val=False)
    return own
