"""Products of scores as columns beside the items, so that a model with products predicts by a linear rule as well.

A product's column is the product of its factors' scores less its mean in the training rows, as its path was estimated.
From direct antecedents the factors have their own scores; from the earliest ones an endogenous factor has its
predicted score, for its own is not known then.

Letters: `n` rows, `p` items, `q` constructs, `r` products, `m` training sets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csi.errors import Problem, problem
from csi.estimate.estimate import Estimate, Solution
from csi.measures.linear_prediction import Rule, Technique, endogenous, score_rule
from csi.measures.score_rows import item_weights
from csi.models.model import Model
from csi.moments.stack import Array, Ints


def product_problems(est: Estimate) -> list[Problem]:
    """What keeps a model with products from predicting: products that are made of product items have no score."""
    products = [c.name for c in est.model.constructs if c.product_of]
    if not products or getattr(est.settings, "interaction", "") == "two-stage":
        return []
    en = "product items give its path, but no score that new respondents could be predicted from."
    zh = "乘积指标只给出路径，不提供可用于预测新受访者的得分。"
    do, do_zh = 'Fit csi.PLS(interaction="two-stage").', '请用 csi.PLS(interaction="two-stage") 拟合。'
    return [problem("E-PREDICT", f'construct "{name}"', en, zh, do, do_zh) for name in products]


@dataclass(frozen=True, slots=True)
class ProductColumns:
    """How the columns of products are made of items in each of m slices.

    Attributes:
        at: (r,) numbers of the products among the constructs. factors: those of each product.
        own: (m, p, q) weights on raw items of the score that a factor enters with, without what products predict of it.
        level: (m, q) what is added. through: (m, r, q) what that score takes from each product's column.
        centre: (m, r) training means of the products.
    """

    at: Ints
    factors: tuple[tuple[int, ...], ...]
    own: Array
    level: Array
    through: Array
    centre: Array

    def of(self, s: int, x: Array) -> Array:
        """(n, r) columns of raw rows (n, p) in slice `s`.

        Example:
            >>> made = ProductColumns(np.array([2]), ((0, 1),), np.eye(2, 3)[None], np.zeros((1, 3)),
            ...                       np.zeros((1, 1, 3)), np.array([[0.5]]))
            >>> made.of(0, np.array([[2.0, 3.0]])).tolist()
            [[5.5]]
        """
        return self._products(s, self.level[s] + x @ self.own[s], self.centre[s])

    def _products(self, s: int, scores: Array, centre: Array) -> Array:
        """Products of scores (n, q), each after those its factors are predicted by."""
        columns = np.zeros((len(scores), len(self.factors)))
        for _ in self.factors:  # one product may predict a factor of another
            known = scores + columns @ self.through[s]
            columns = np.stack([np.prod(known[:, list(f)], axis=1) for f in self.factors], axis=1) - centre
        return columns


def product_columns(
    model: Model, solution: Solution, technique: Technique, standard: tuple[Array, Array], rows: tuple[Array, Array]
) -> ProductColumns | None:
    """The columns of the products of a model; None where it has none.

    Parameters:
        standard: means and standard deviations of the items, (m, p) each. rows: the answers (n, p), absent ones at NaN,
            and the weights (m, n) that each slice was fitted with.
    """
    names = solution.constructs
    products = [c for c in model.constructs if c.product_of and c.name in names]
    if not products:
        return None
    at = np.array([names.index(c.name) for c in products], dtype=np.int64)
    factors = tuple(tuple(names.index(f) for f in c.product_of) for c in products)
    W, toward = item_weights(solution), score_rule(solution, technique).swapaxes(1, 2)
    through = toward[:, at, :].copy()
    if technique == "ea":
        inner = np.isin(np.arange(len(names)), endogenous(solution))
        W = np.where(inner, W @ toward, W)
    else:
        through[:] = 0.0
    mean, sd = standard
    with np.errstate(divide="ignore", invalid="ignore"):
        own = W / sd[:, :, None]
    level = -np.einsum("mp,mpq->mq", mean, own)
    made = ProductColumns(at, factors, own, level, through, np.zeros((len(own), len(products))))
    X, weights = rows
    for s, w in enumerate(weights):
        x = np.where(np.isnan(X), mean[s], X)
        _centred(made, s, level[s] + x @ own[s], w / w.sum())
    return made


def _centred(made: ProductColumns, s: int, scores: Array, share: Array) -> None:
    """Write the training means of the products of a slice, those first that others wait for."""
    for _ in made.factors:
        made.centre[s] += share @ made._products(s, scores, made.centre[s])  # noqa: SLF001 - the same file


def with_products(rule: Rule, toward: Array) -> Rule:
    """A rule on items and, behind them, on the columns of products.

    Parameters:
        toward: (m, r, t) what each predicted number takes from the columns.
    """
    return Rule(rule.level, np.concatenate([rule.slope, toward], axis=1))
