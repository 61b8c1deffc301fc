"""Constructs that cannot be told apart: HTMT, or a latent correlation, whose interval reaches 1.

What is associated with one of two such constructs cannot be held apart from what is associated with the other, so
nothing is told of drivers or levers among them.

Letters: `q` constructs, `b` cells, `B` replicates.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Final

import numpy as np

from csi.errors import Reason, reason
from csi.estimate.estimate import Estimate
from csi.inference.intervals import percentile
from csi.inference.pooled import copies_of
from csi.measures.admissible import withheld_cells
from csi.measures.symptoms import pairs_of
from csi.measures.tidy import unsolved
from csi.measures.validity import htmt_of
from csi.moments.stack import Array
from csi.sem.fitted import Fitted

ONE: Final = 1.0
NEAR: Final = 0.5
"""HTMT from which its interval is looked at: of less it does not reach 1 in any cell that is large enough to fit."""


def apart(est: Estimate, among: Sequence[str]) -> list[Reason | None]:
    """Per cell: which constructs among those named cannot be told apart; None where all can.

    The interval is that of the replicates at the estimate's level, of a covariance fit without replicates the 95 %
    interval of the latent correlation; without either the value itself must be below 1. Constructs of a single item
    have no HTMT.

    Source:
        Henseler, Ringle & Sarstedt (2015), J. of the Academy of Marketing Science 43(1), 115-135 (HTMT inference).

    Example:
        >>> import csi, polars as pl
        >>> answers = {"a1": [1, 4, 7, 9, 5], "a2": [2, 4, 8, 9, 5], "b1": [1, 5, 6, 9, 3], "b2": [3, 4, 8, 8, 2]}
        >>> model = csi.Model.parse("a =~ a1 + a2; b =~ b1 + b2; b ~ a")
        >>> est = csi.fit(model, pl.DataFrame(answers), csi.PLS())
        >>> apart(est, ["a", "b"])
        [None]
    """
    names = est.solution.constructs
    at = sorted({names.index(c) for c in among})
    out: list[Reason | None] = []
    for value, upper in zip(*_bounds(est), strict=True):
        pairs = [(i, j) for i, j in combinations(at, 2) if max(value[i, j], upper[i, j]) >= ONE]
        worst = max(pairs, key=lambda p: (value[p], p), default=None)
        out.append(None if worst is None else _reason(est, worst, value[worst], upper[worst]))
    return out


def unreadable(est: Estimate, among: Sequence[str]) -> list[Reason | None]:
    """Per cell: why nothing may be told of what is associated with what among these constructs; None where it may.

    Not solved, not identified or otherwise improper (`csi.verify` withholds its paths), or constructs `apart` names.
    """
    withheld, together = withheld_cells(est), apart(est, among)
    return [lost or withheld.get(cell) or together[cell] for cell, lost in enumerate(unsolved(est))]


def _bounds(est: Estimate) -> tuple[Array, Array]:
    """(b, q, q) HTMT and the upper limit of its interval, -inf where there is none."""
    copies = copies_of(est)
    if copies:
        each = [_bounds(copy) for copy in copies]
        value, upper = (np.max([one[k] for one in each], axis=0) for k in (0, 1))
        return value, upper
    quantity = htmt_of()
    value = np.array(quantity(est.moments, est.solution), dtype=np.float64)
    value = np.where(np.isfinite(value), value, -np.inf)
    upper = np.full_like(value, -np.inf)
    if est.replicates is not None and (value >= NEAR).any():
        with np.errstate(all="ignore"):
            upper = percentile(est.replicates.over(quantity), est.level)[1]
        upper = np.where(np.isfinite(upper) & np.isfinite(value), upper, -np.inf)
    _of_factors(est, value, upper)
    return value, upper


def _of_factors(est: Estimate, value: Array, upper: Array) -> None:
    """Latent correlations of a covariance fit with their intervals, in place of HTMT where they reach further."""
    fit, names = est.extra.get("sem"), list(est.solution.constructs)
    if not isinstance(fit, Fitted) or len(fit.groups) > 1 or est.replicates is not None:
        return
    for cell in np.flatnonzero(est.convergence.converged).tolist():
        for pair in pairs_of(fit, cell, 0):
            if pair.one in names and pair.other in names and np.isfinite(pair.std_error):
                i, j = names.index(pair.one), names.index(pair.other)
                limit = max(abs(end) for end in pair.interval)
                if limit > upper[cell, i, j]:
                    value[cell, [i, j], [j, i]] = abs(pair.value)
                    upper[cell, [i, j], [j, i]] = limit


def _reason(est: Estimate, pair: tuple[int, int], value: float, upper: float) -> Reason:
    """Which two, by their labels."""
    one, other = (est.solution.constructs[k] for k in pair)
    a, b = est.model.label(one), est.model.label(other)
    a_zh, b_zh = est.model.label(one, "zh"), est.model.label(other, "zh")
    until, until_zh = f", upper limit {upper:.2f}", f"，上限 {upper:.2f}"
    if not np.isfinite(upper):
        until = until_zh = ""
    return reason(
        "not_separable",
        f'"{a}" and "{b}" cannot be told apart (they correlate {value:.2f} without measurement error{until}), so '
        "neither's part in what goes with the target is told.",
        f"“{a_zh}”与“{b_zh}”无法区分（剔除测量误差后的相关为 {value:.2f}{until_zh}），因此不给出两者各自的关联。",
    )
