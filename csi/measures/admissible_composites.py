"""Findings that need no covariance fit: HTMT, standardised paths with their VIF, from any engine's solution."""

from __future__ import annotations

import numpy as np

from csi.estimate.estimate import Estimate
from csi.measures.admissible_paths import of_equation, of_pairs
from csi.measures.findings import Finding
from csi.measures.symptoms import Equation, Pair
from csi.measures.validity import validity, vif


def of_solution(est: Estimate, cell: int, place: str) -> list[Finding]:
    """Pairs that are hardly distinct and paths beyond 1 with inflated variances.

    Composites have no latent correlation: theirs are correlations of scores, and only HTMT gates.
    """
    out: list[Finding] = []
    names = est.solution.constructs
    htmt = validity(est).table
    rows = htmt.height // len(est.values)
    block = htmt.slice(cell * rows, rows)
    where = {n: i for i, n in enumerate(names)}
    cor = est.solution.construct_cor[cell]
    pairs = [
        Pair(a, b, float(cor[where[a], where[b]]), np.nan, np.nan if h is None else float(h))
        for a, b, h in block.select("construct", "other", "htmt").iter_rows()
    ]
    for equation in _equations(est, cell):
        out += of_equation(equation, cell, place)
    return out + of_pairs(pairs, cell, place)


def _equations(est: Estimate, cell: int) -> list[Equation]:
    """The paths of every outcome, without standard errors."""
    names, solution = est.solution.constructs, est.solution
    cor, paths = solution.construct_cor[cell], solution.paths[cell]
    stated = {(p.outcome, p.predictor.name) for p in est.model.paths}
    out = []
    for i, outcome in enumerate(names):
        x = [j for j, n in enumerate(names) if (outcome, n) in stated]
        if not x:
            continue
        part = cor[np.ix_(x, x)]
        inflation = np.ones(1) if len(x) == 1 else np.abs(vif(part[None])[0])
        size = np.nan_to_num(np.abs(np.triu(part, 1)))
        a, b = np.unravel_index(int(size.argmax()), size.shape)
        out.append(
            Equation(
                outcome=outcome,
                latent=True,
                rows=(),
                predictors=tuple(names[j] for j in x),
                std=paths[i, x],
                std_error=np.full(len(x), np.nan),
                vif=inflation,
                r2=float(solution.r2[cell, i]),
                pair=(names[x[int(a)]], names[x[int(b)]]),
                r=float(part[a, b]) if len(x) > 1 else np.nan,
            )
        )
    return out
