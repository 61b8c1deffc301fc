"""Predicting items from items: the linear rule a composite model makes, and the benchmarks it is held against.

Every rule is y = level + x slope on raw items, one per slice of a stack of training moments.

Letters: `p` items, `q` constructs, `t` items of endogenous constructs, `m` slices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from csi.estimate.estimate import Solution
from csi.measures.score_rows import item_weights
from csi.moments.linear import solve
from csi.moments.stack import Array, Ints, Moments

Technique = Literal["ea", "da"]
"""Whose scores predict: the earliest antecedents (exogenous constructs) or the direct antecedents."""

Benchmark = Literal["exogenous", "antecedents", "all"]
"""Whose items the linear model takes: of exogenous constructs, of direct antecedents, of all other constructs."""


@dataclass(frozen=True, slots=True)
class Rule:
    """level (m, t), slope (m, p, t) on raw items; NaN where a slice has no solution."""

    level: Array
    slope: Array


def endogenous(solution: Solution) -> Ints:
    """Numbers of the constructs that have predictors."""
    return np.flatnonzero(np.isfinite(solution.r2).any(axis=0))


def targets(solution: Solution) -> Ints:
    """Numbers of the items of endogenous constructs, (t,)."""
    return np.flatnonzero(np.isin(solution.block, endogenous(solution)))


def score_rule(solution: Solution, technique: Technique) -> Array:
    """(m, q, q) what each construct's predicted score takes from the observed scores, [outcome, predictor].

    Direct antecedents: the paths B. Earliest antecedents: the columns of (I - B)^-1 - I of exogenous constructs.

    Source:
        Shmueli et al. (2016), Journal of Business Research 69(10); Danks (2021), Data Base 52(4), on both techniques.

    Example:
        >>> paths = np.array([[[0.0, 0, 0], [0.5, 0, 0], [0, 0.6, 0]]])
        >>> r2 = np.array([[np.nan, 0.25, 0.36]])
        >>> at = Solution(("a", "b", "c"), (), np.array([]), (), None, r2, None, paths, r2, paths)
        >>> score_rule(at, "ea")[0, 2].tolist(), score_rule(at, "da")[0, 2].tolist()
        ([0.3, 0.0, 0.0], [0.0, 0.6, 0.0])
    """
    if technique == "da":
        return solution.paths
    q = solution.paths.shape[1]
    outer = ~np.isin(np.arange(q), endogenous(solution))
    total = np.linalg.inv(np.eye(q) - solution.paths) - np.eye(q)
    return np.asarray(total * outer, dtype=np.float64)


def model_rule(moments: Moments, solution: Solution, technique: Technique) -> Rule:
    """Items from the scores of antecedents: z_i = lambda_i sum_k b_jk w_k' z, back on the items' own scale.

    Source:
        Shmueli et al. (2016), Journal of Business Research 69(10), 4552-4564.
    """
    wanted = targets(solution)
    toward = item_weights(solution) @ score_rule(solution, technique).swapaxes(1, 2)
    standard = toward[:, :, solution.block[wanted]] * solution.loadings[:, None, wanted]
    mean, sd = _mean_sd(moments, solution)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = standard * sd[:, None, wanted] / sd[:, :, None]
    return _through_means(mean, wanted, slope)


def linear_rule(moments: Moments, solution: Solution, which: Benchmark) -> Rule:
    """Items from items by least squares, without the model: the benchmark LM.

    NaN in a slice whose predictors are collinear or as many as its rows.

    Source:
        Shmueli et al. (2019), European Journal of Marketing 53(11), 2322-2347.
    """
    at = [moments.names.index(i) for i in solution.items]
    cov, wanted = moments.cov[:, at][:, :, at], targets(solution)
    slope = np.zeros((len(cov), len(at), wanted.size))
    for j in endogenous(solution):
        xs, ys = sources(solution, int(j), which), np.flatnonzero(solution.block == j)
        found = solve(cov[:, xs[:, None], xs], cov[:, xs[:, None], ys])
        enough = moments.n > xs.size + 1
        columns = np.searchsorted(wanted, ys)
        slope[:, xs[:, None], columns] = np.where(enough[:, None, None], found, np.nan)
    return _through_means(moments.mean[:, at], wanted, slope)


def sources(solution: Solution, outcome: int, which: Benchmark) -> Ints:
    """Numbers of the items that the linear model of a construct's items takes."""
    if which == "all":
        return np.flatnonzero(~np.isin(solution.block, behind(solution, [outcome])))
    if which == "exogenous":
        inner = behind(solution, endogenous(solution).tolist())
        return np.flatnonzero(~np.isin(solution.block, inner))
    direct = np.flatnonzero((solution.paths[:, outcome] != 0).any(axis=0))
    return np.flatnonzero(np.isin(solution.block, behind(solution, direct.tolist())))


def behind(solution: Solution, constructs: list[int]) -> list[int]:
    """Numbers of the constructs and of what they are made of, down to the first order."""
    names, found = solution.constructs, list(constructs)
    for k in found:
        found += [names.index(p) for whole, p in solution.parts if whole == names[k] and p in names]
    return found


def mean_rule(moments: Moments, solution: Solution) -> Rule:
    """Every item by its mean among the rows at hand: the indicator average, IA."""
    at = [moments.names.index(i) for i in solution.items]
    wanted = targets(solution)
    return Rule(moments.mean[:, at][:, wanted], np.zeros((len(moments.n), len(at), wanted.size)))


def _mean_sd(moments: Moments, solution: Solution) -> tuple[Array, Array]:
    """(m, p) means and standard deviations in the order of the solution's items."""
    at = [moments.names.index(i) for i in solution.items]
    return moments.mean[:, at], moments.sd[:, at]


def _through_means(mean: Array, wanted: Ints, slope: Array) -> Rule:
    """The rule with this slope that predicts the means from the means."""
    return Rule(mean[:, wanted] - np.einsum("mp,mpt->mt", mean, slope), slope)
