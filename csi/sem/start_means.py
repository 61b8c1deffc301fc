"""Start values of means: intercepts and latent means that come nearest the means of the items, by least squares.

The implied means are linear in them once everything else has its start:

    mean_g = mu_g(others) + sum_t K_u(t) tau_t,   weighted by 1 / variance, all groups together

Letters: `b` slices, `k` parameters, `p` items, `t` mean parameters.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from csi.moments.stack import Array
from csi.sem.implied import implied, matrices, template
from csi.sem.layout import Layout

RIDGE = 1e-8
"""Keeps mean parameters that the items say nothing about where they are."""


def with_means(layout: Layout, covs: Sequence[Array], means: Sequence[Array], begin: Array) -> Array:
    """(b, k) start values in which free intercepts and latent means come nearest the means of the items.

    Parameters:
        covs, means: per group (b, p, p) and (b, p). begin: (b, k) start values of everything else.

    Example:
        >>> from csi.models.syntax.build import parse_claim
        >>> from csi.sem.layout import layout_of
        >>> from csi.sem.table import Rules, table_of
        >>> table = table_of(parse_claim("i =~ 1*y1 + 1*y2"), Rules(means=True, growth=True))
        >>> one = np.ones((1, len(table.names)))
        >>> found = with_means(layout_of(table), [np.eye(2)[None]], [np.array([[3.0, 5.0]])], one)
        >>> round(float(found[0, -1]), 6)
        4.0
    """
    table = layout.table
    asked = sorted(
        {at for r, at in zip(table.rows, table.index, strict=True) if r.op == "~1" and at >= 0 and r.start is None}
    )
    if not asked:
        return begin
    theta = begin.copy()
    theta[:, asked] = 0.0
    square, right = np.zeros((len(begin), len(asked), len(asked))), np.zeros((len(begin), len(asked)))
    for g, block in enumerate(layout.blocks):
        with np.errstate(all="ignore"):
            at = implied(block, matrices(block, template(block, covs[g], means[g]), theta))
            weight = 1 / np.maximum(np.einsum("bii->bi", covs[g]), np.finfo(np.float64).tiny)
        e = block.entries
        which = e.parameter[:, None] == np.array(asked)
        places = np.flatnonzero((e.c == len(block.latent)) & which.any(axis=1))
        slopes = at.K[:, :, e.u[places]] @ which[places].astype(np.float64)
        weighed = slopes * weight[:, :, None]
        square += weighed.swapaxes(1, 2) @ slopes
        right += (weighed.swapaxes(1, 2) @ (means[g] - at.mu)[:, :, None])[:, :, 0]
    usable = np.asarray(np.isfinite(square).all(axis=(1, 2)) & np.isfinite(right).all(axis=1), dtype=bool)
    square[~usable], right[~usable] = np.eye(len(asked)), 0.0
    own = np.maximum(np.einsum("bii->bi", square), RIDGE)
    ridge = RIDGE * own[:, :, None] * np.eye(len(asked))
    level = np.linalg.solve(square + ridge, right[:, :, None])[:, :, 0]
    out = begin.copy()
    out[:, asked] = np.where(usable[:, None], level, begin[:, asked])
    return out
