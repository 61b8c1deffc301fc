"""Start values of latent means: what items with a fixed intercept ask for, by least squares.

    mean_i - nu_i = sum_j (Lambda A)_ij alpha_j   over items whose intercept is fixed (growth and change models)

Letters: `b` slices, `k` parameters, `p` items.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from csi.moments.stack import Array
from csi.sem.implied import implied, matrices, template
from csi.sem.layout import Layout


def with_latent_means(layout: Layout, covs: Sequence[Array], means: Sequence[Array], begin: Array) -> Array:
    """(b, k) start values in which free latent means reproduce the means of items with fixed intercepts.

    Parameters:
        covs, means: per group (b, p, p) and (b, p). begin: (b, k) start values of everything else.

    Example:
        >>> from csi.models.syntax.build import parse_claim
        >>> from csi.sem.layout import layout_of
        >>> from csi.sem.table import Rules, table_of
        >>> table = table_of(parse_claim("i =~ 1*y1 + 1*y2"), Rules(means=True, growth=True))
        >>> one = np.ones((1, len(table.names)))
        >>> found = with_latent_means(layout_of(table), [np.eye(2)[None]], [np.array([[3.0, 5.0]])], one)
        >>> round(float(found[0, -1]), 6)
        4.0
    """
    out, table = begin.copy(), layout.table
    for g, block in enumerate(layout.blocks):
        rows = [(n, r) for n, r in enumerate(table.rows) if r.group == g and r.op == "~1"]
        asked = [(n, r) for n, r in rows if r.lhs in table.latent and table.index[n] >= 0 and r.start is None]
        told = [block.observed.index(r.lhs) for _, r in rows if r.lhs in block.observed and r.fixed is not None]
        if not asked or not told:
            continue
        theta = out.copy()
        theta[:, [table.index[n] for n, _ in asked]] = 0.0
        with np.errstate(all="ignore"):
            at = implied(block, matrices(block, template(block, covs[g], means[g]), theta))
        p = len(block.observed)
        slopes = at.K[:, told][:, :, [p + block.latent.index(r.lhs) for _, r in asked]]
        gap = means[g][:, told] - at.mu[:, told]
        square = slopes.swapaxes(1, 2) @ slopes
        ridge = 1e-8 * np.maximum(np.einsum("bii->bi", square).max(axis=1), 1e-8)
        level = np.linalg.solve(
            square + ridge[:, None, None] * np.eye(len(asked)), slopes.swapaxes(1, 2) @ gap[:, :, None]
        )[:, :, 0]
        for j, (n, _) in enumerate(asked):
            out[:, table.index[n]] = np.where(np.isfinite(level[:, j]), level[:, j], out[:, table.index[n]])
    return out
