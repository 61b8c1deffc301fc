"""What a solution of a covariance model should not have: negative variances, impossible latent covariances.

Letters: `b` slices, `t` rows, `q` constructs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from csi.estimate.estimate import Row
from csi.moments.stack import Array, Ints
from csi.sem.compiled import inverted
from csi.sem.implied import Implied
from csi.sem.layout import Layout

NEGLIGIBLE = 1e-8
"""Share of the largest eigenvalue (or of 1) by which an eigenvalue or variance may fall below 0 by rounding."""


def variances_of(rows: Sequence[Row]) -> Ints:
    """Places of the variances among rows.

    Example:
        >>> variances_of([Row("y", "~", "x"), Row("y", "~~", "y"), Row("y", "~~", "x")]).tolist()
        [1]
    """
    return np.array([i for i, row in enumerate(rows) if row.op == "~~" and row.lhs == row.rhs], dtype=np.int64)


def improper_of(variances: Ints, values: Array, beyond: npt.NDArray[np.bool_]) -> dict[str, npt.NDArray[np.bool_]]:
    """{what: (b,) flags} of negative variances, residual ones included, and of latent covariances that cannot be.

    Parameters:
        variances: places of the variances (`variances_of`). values: (b, t). beyond: (b,) as `beyond_of` finds it.

    Source:
        Chen, Bollen, Paxton, Curran & Kirby (2001), Sociological Methods & Research 29:468-508.
    """
    with np.errstate(invalid="ignore"):
        negative = np.asarray((values[:, variances] < -NEGLIGIBLE).any(axis=1), dtype=bool)
    return {"negative variance": negative, "latent covariances not positive definite": beyond}


def beyond_of(layout: Layout, at: Sequence[Implied]) -> npt.NDArray[np.bool_]:
    """(b,) True where latent covariances of some group cannot be.

    Parameters:
        at: implied moments of each group.
    """
    found = np.zeros(len(at[0].Sigma), dtype=bool)
    for block, one in zip(layout.blocks, at, strict=True):
        if block.q > 1:
            found |= impossible(one.Phi[:, : block.q, : block.q])
    return found


def impossible(Phi: Array) -> npt.NDArray[np.bool_]:
    """(b,) True where a covariance matrix has a negative eigenvalue; False where it is not finite."""
    if inverted(Phi) is not None:
        return np.zeros(len(Phi), dtype=bool)
    finite = np.isfinite(Phi).all(axis=(1, 2))
    usable: Array = np.where(np.asarray(finite)[:, None, None], Phi, np.eye(Phi.shape[1]))
    roots: Array = np.asarray(np.linalg.eigvalsh(usable))
    return np.asarray(roots[:, 0] < -NEGLIGIBLE * np.abs(roots[:, -1]), dtype=bool)
