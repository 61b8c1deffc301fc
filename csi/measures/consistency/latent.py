"""The responses behind ordinal answers of a scale: polychorics, the coefficients made of them, their errors by rows.

Letters: `n` rows, `k` items, `a` thresholds of an item, `t` pairs of items.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csi.measures.consistency.categorical import categorical_omega
from csi.measures.consistency.one_factor import by_loadings, minres
from csi.measures.reliability import alpha
from csi.moments.crosstabs import cells
from csi.moments.influence import Influence, influence
from csi.moments.stack import Array
from csi.moments.two_step import Answers, answers_of, two_step

MOST = 10
"""Items with more categories are not taken as ordinal."""


@dataclass(frozen=True, slots=True)
class Latent:
    """The responses behind one scale.

    Attributes:
        answers: category numbers. cuts, steps: (k, a) thresholds and the steps between the values beside each.
        cor: (k, k) polychoric correlations. on: what rows add to thresholds and correlations.
    """

    answers: Answers
    cuts: Array
    steps: Array
    cor: Array
    on: Influence

    def influence(self, by_cuts: Array, by_cor: Array) -> Array:
        """(n,) what every row adds to a statistic: the statistic's error is that of their weighted mean.

        Parameters:
            by_cuts: (k, a) its slopes by thresholds. by_cor: (k, k) by correlations, above the diagonal.
        """
        codes, width = self.answers.codes, self.on.cuts.shape[1]
        own = np.einsum("kca,ka->kc", self.on.cuts, by_cuts)
        places = np.where(codes < 0, width - 1, codes)
        found = own[np.arange(codes.shape[1]), places].sum(axis=1)
        one, other = self.answers.pairs
        table = (self.on.cells * by_cor[one, other][:, None]).ravel()
        return np.asarray(found + table[cells(codes, self.answers.k, self.answers.pairs)].sum(axis=0))


def is_ordinal(rows: Array) -> bool:
    """Whether every item has two to ten different answers, all of them whole numbers.

    Example:
        >>> is_ordinal(np.array([[1.0, 2.0], [2.0, 5.0]])), is_ordinal(np.array([[1.0], [1.5]]))
        (True, False)
    """
    for column in rows.T:
        values = np.unique(column[~np.isnan(column)])
        if not 2 <= values.size <= MOST or (values != np.round(values)).any():
            return False
    return True


def latent_of(rows: Array, weight: Array) -> Latent:
    """Thresholds and polychoric correlations of one scale; every pair has the rows that answer both.

    Parameters:
        rows: (n, k) ordinal answers, NaN where absent. weight: (n,).

    Example:
        >>> rows = np.array([[1, 1], [1, 2], [2, 2], [2, 1], [1, 1], [2, 2]], dtype=float)
        >>> latent_of(rows, np.ones(6)).cor[0, 1].round(6)
        np.float64(0.5)
    """
    answers = answers_of(rows, [True] * rows.shape[1])
    w = weight * (len(weight) / weight.sum())
    found = two_step(answers, w[None])
    cuts = found.cuts[0]
    steps = np.zeros(cuts.shape)
    for item, values in enumerate(answers.categories):
        steps[item, : len(values) - 1] = np.diff(values)
    return Latent(answers, cuts, steps, found.cor[0], influence(answers, w, found))


def ordinal_alpha(of: Latent) -> tuple[float, Array]:
    """Alpha of the responses behind the answers, and what each row adds to it.

    Source:
        Zumbo, Gadermann & Zeisser (2007), Journal of Modern Applied Statistical Methods 6(1), 21-29; why it is not
        the sum score's reliability: Chalmers (2018), Educational and Psychological Measurement 78(6), 1056-1071.
    """
    k = of.cor.shape[0]
    total = of.cor.sum()
    slope = np.triu(np.full((k, k), 2 * k**2 / ((k - 1) * total**2)), 1)
    return float(alpha(of.cor, np.ones((k, 1)))[0]), of.influence(np.zeros(of.cuts.shape), slope)


def green_yang(of: Latent, *, observed: bool) -> tuple[float, Array]:
    """Reliability of the sum of the ordinal answers from one minimum residual factor; what each row adds to it.

    Parameters:
        observed: whether the variance of the sum follows from the polychorics or from the factor.

    Returns:
        NaN and nothing where the factor is not proper.
    """
    loadings = minres(of.cor[None])[0]
    if not np.isfinite(loadings).all() or (np.abs(loadings) >= 1).any():
        return float("nan"), np.zeros(0)
    common = np.outer(loadings, loadings)
    found = categorical_omega(of.cuts, of.steps, common, of.cor if observed else common)
    on_common = found.by_common if observed else found.by_common + found.by_cor
    moved = by_loadings(of.cor, loadings) @ ((on_common + on_common.T) @ loadings)
    slope = np.triu(moved, 1) + (found.by_cor if observed else 0.0)
    return found.value, of.influence(found.by_cuts, np.asarray(slope))
