"""What freeing a parameter would do, looked up where a finding asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl

from csi.errors import Problems
from csi.estimate.estimate import Estimate
from csi.measures.modification import modification_indices
from csi.sem.fitted import fitted

INDEX = 10.83
"""A modification index, or drop of chi2, that chance exceeds once in 1,000 (df 1)."""


@dataclass(frozen=True, slots=True)
class Change:
    """What freeing a parameter would do: its modification index, and the standardised value expected of it."""

    mi: float
    expected: float


Changes = Callable[[], Mapping[str, Change]]
"""Parameter -> what freeing it would do in a slice and group; empty where the search did not settle."""


def changes_of(est: Estimate, cell: int, g: int) -> Changes:
    """Modification indices of a slice and group by parameter ("f =~ y"), computed once and only when they are called.

    Example:
        >>> import csi
        >>> cov = [[1.0, 0.5, 0.5, 0.3], [0.5, 1.0, 0.4, 0.3], [0.5, 0.4, 1.0, 0.5], [0.3, 0.3, 0.5, 1.0]]
        >>> est = csi.fit(csi.Model.parse("f =~ a + b + c + d"), csi.Moments.of("abcd", cov, n=300), csi.SEM())
        >>> round(changes_of(est, 0, 0)()["a ~~ b"].mi, 2)
        21.51
    """

    @cache
    def known() -> dict[str, Change]:
        if not est.convergence.converged[cell]:
            return {}
        try:
            frame = modification_indices(est)
        except Problems:
            return {}
        each = frame.height // len(est.values)
        frame = frame.slice(cell * each, each).filter(pl.col("mi").is_not_null())
        name = fitted(est).groups[g].name
        rows = (frame.filter(group=name) if name else frame).select("lhs", "op", "rhs", "mi", "sepc_all").iter_rows()
        return {f"{a} {op} {b}": Change(mi, np.nan if to is None else to) for a, op, b, mi, to in rows}

    return known
