"""Shares of variance that cannot be: R2 outside 0 to 1, from correlations that do not go together.

Letters: `b` slices, `q` constructs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from csi.errors import reason
from csi.estimate.estimate import Estimate
from csi.measures.tidy import cell_codes, cells_of, solved_only, tidy

if TYPE_CHECKING:
    import numpy.typing as npt

    from csi.moments.stack import Array

NO_SHARE = reason(
    "R-R2",
    "the R2 computed lies outside 0 to 1: the correlations it comes from cannot be, so no share of variance is given.",
    "计算所得 R² 超出 0 至 1：所依据的相关不可能同时成立，因此不给出解释方差比例。",
)
ROUNDING = 1e-9


def impossible(r2: Array) -> npt.NDArray[np.bool_]:
    """Where an R2 is below 0 or above 1 by more than rounding.

    Example:
        >>> impossible(np.array([1.002, -2.11, 1.0, np.nan])).tolist()
        [True, True, False, False]
    """
    with np.errstate(invalid="ignore"):
        return np.asarray((r2 < -ROUNDING) | (r2 > 1 + ROUNDING), dtype=np.bool_)


def of_constructs(est: Estimate) -> pl.DataFrame:
    """R2 of every construct of a composite model that has predictors: variable, group (null), r2, reason."""
    r2 = est.solution.r2
    at = np.array([k for k, name in enumerate(est.solution.constructs) if est.model.predictors(name)], dtype=np.int64)
    own = r2[:, at]
    wrong = impossible(own)
    labels = pl.DataFrame(
        {"variable": [est.solution.constructs[k] for k in at], "group": [None] * at.size},
        schema={"variable": pl.String, "group": pl.String},
    )
    codes = [
        failed or (NO_SHARE.code if bad else None)
        for failed, bad in zip(cell_codes(est, at.size), wrong.reshape(-1).tolist(), strict=True)
    ]
    numbers = solved_only(est, {"r2": np.where(wrong, np.nan, own)})
    return tidy(cells_of(est), labels, numbers, {"reason": codes})
