"""Inner weighting schemes: how each construct's proxy is made of its neighbours.

Letters: `q` constructs, `b` slices. `C` (b, q, q) correlations of the scores; `arrows` (q, q) True where
[outcome, predictor] is a path.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from csi.moments.linear import solve
from csi.moments.stack import Array

Scheme = Literal["path", "factorial", "centroid"]
Arrows = npt.NDArray[np.bool_]


def inner_weights(C: Array, arrows: Arrows, scheme: Scheme) -> Array:
    """(b, q, q) weights e[j, k] of neighbour k in the proxy of construct j.

    centroid: sign(c_jk); factorial: c_jk; path: regression coefficient where k predicts j, c_jk where j predicts k.

    Source: Lohmöller (1989), Latent Variable Path Modeling with Partial Least Squares, 2.2.
    """
    neighbours = arrows | arrows.T
    if scheme == "centroid":
        return np.sign(C) * neighbours
    if scheme == "factorial":
        return C * neighbours
    return C * arrows.T + regressions(C, arrows)


def regressions(C: Array, arrows: Arrows, *, definite: bool = True) -> Array:
    """(b, q, q) standardised regression coefficients [outcome, predictor] from correlations C.

    Disattenuated correlations need not be `definite`: their coefficients are computed all the same.
    """
    paths = np.zeros_like(C)
    for outcome in np.flatnonzero(arrows.any(axis=1)):
        k = np.flatnonzero(arrows[outcome])
        if k.size == 1:
            paths[:, outcome, k[0]] = C[:, outcome, k[0]]
        else:
            paths[:, outcome, k] = solve(C[:, k[:, None], k], C[:, k, outcome][:, :, None], definite=definite)[:, :, 0]
    return paths
