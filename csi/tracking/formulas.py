"""The formulas of published indices, each with the id that stands beside its numbers.

Letters: `k` items of a construct, `...` any leading axes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from csi.errors import Problem, Problems, Text, did_you_mean
from csi.measures.performance import hundred
from csi.moments.stack import Array

FormulaId = Literal["F1", "F2", "F3", "F4", "F5", "F6", "F7"]


@dataclass(frozen=True, slots=True)
class Formula:
    """A published way to a 0-100 index.

    Example:
        >>> FORMULAS["F4"].label.en
        'KCSI, top-2-box'
    """

    label: Text
    text: str
    source: str


FORMULAS: Final[Mapping[str, Formula]] = {
    "F1": Formula(
        Text("ACSI, one answer scale", "ACSI，各题同一量表"),
        "100 sum_k w_k (xbar_k - l) / ((u - l) sum_k w_k), w_k unstandardised outer weights",
        "Fornell et al. (1996), Journal of Marketing 60(4), 7-18, appendix",
    ),
    "F2": Formula(
        Text("ACSI, scales of their own", "ACSI，各题量表不同"),
        "100 (E[xi] - min xi) / (max xi - min xi) = 100 sum_k w_k (xbar_k - l_k) / sum_k w_k (u_k - l_k)",
        "Fornell et al. (1996), Journal of Marketing 60(4), 7-18, appendix",
    ),
    "F3": Formula(
        Text("importance-performance map, performance", "重要性—表现图的表现值"),
        "sum_k a_k 100 (xbar_k - l_k) / (u_k - l_k), a_k the weights of the rescaled items, summing to 1",
        "Ringle & Sarstedt (2016), Industrial Management & Data Systems 116(9), 1865-1886",
    ),
    "F4": Formula(
        Text("KCSI, top-2-box", "KCSI，高分占比"),
        "0.5 E + 0.3 O + 0.2 R: top-2-box shares of the elements (their mean), of satisfaction overall, of repurchase",
        "Korea Management Association Consulting, Korean Customer Satisfaction Index: structure of the index",
    ),
    "F5": Formula(
        Text("equal weights", "等权"),
        "100 sum_k (xbar_k - l_k) / sum_k (u_k - l_k)",
        "the form press releases print: (sum of three means - 3) / 27 x 100 on ten-point scales",
    ),
    "F6": Formula(
        Text("factor scores of a covariance model", "协方差模型的因子得分"),
        "100 sum_k f_k (xbar_k - l_k) / sum_k f_k (u_k - l_k), f_k = loading_k / error variance_k (unstandardised)",
        "Bartlett (1937), British Journal of Psychology 28, 97-104: the mean factor score between those of the bounds",
    ),
    "F7": Formula(
        Text("every construct by F1 or F2", "各构念均按 F1 或 F2 计算"),
        "F2 of each construct's own items",
        "Fornell et al. (1996), Journal of Marketing 60(4), 7-18: indices of all latent variables",
    ),
}
"""Id -> what it is, its formula and where it comes from."""

NAMES: Final[Mapping[str, FormulaId]] = {
    "acsi": "F1", "fornell": "F2", "ipma": "F3", "performance": "F3", "kcsi": "F4", "equal": "F5", "factor": "F6",
    "constructs": "F7",
}  # fmt: skip
"""Other names of the formulas."""

RATES: Final[Mapping[str, Text]] = {
    "T2B": Text("top-2-box share", "前两档占比"),
    "CSAT": Text(
        "share of the satisfied: answers from three quarters of the scale", "满意率：达到量程四分之三的回答占比"
    ),
    "CR": Text("complaint rate", "抱怨率"),
    "NPS": Text("net promoter score", "净推荐值"),
    "PT": Text("mean price tolerance, percent of the price", "平均价格容忍度（价格的百分比）"),
}
"""Ids of what is printed beside an index and is none: a share or a mean of its own."""


def formula_id(asked: str) -> str:
    """The id of a formula by its id or name.

    Raises:
        Problems: E-FORMULA with the closest.

    Example:
        >>> formula_id("equal"), formula_id("f1")
        ('F5', 'F1')
    """
    known = {**{i.casefold(): i for i in FORMULAS}, **NAMES}
    found = known.get(str(asked).strip().casefold())
    if found is None:
        hint = did_you_mean(str(asked), [*FORMULAS, *NAMES])
        what = Text(f'"{asked}" is not a formula of an index.', f"“{asked}”不是指数公式。")
        raise Problems([Problem("E-FORMULA", "formula", what, hint)])
    return found


def formula_text(formula: str, lang: str = "en") -> str:
    """An id with its name, `F1 (ACSI, one answer scale)`; the id alone where it has none.

    Example:
        >>> formula_text("F5"), formula_text("CR", "zh")
        ('F5 (equal weights)', 'CR（抱怨率）')
    """
    label = FORMULAS[formula].label if formula in FORMULAS else RATES.get(formula)
    if label is None:
        return formula
    return f"{formula}（{label.say(lang)}）" if lang == "zh" else f"{formula} ({label.say(lang)})"


def acsi(mean: Array, weights: Array, minimum: float = 1.0, maximum: float = 10.0) -> Array:
    """F1, `100 sum_k w_k (xbar_k - l) / ((u - l) sum_k w_k)`.

    Parameters:
        mean: (..., k) item means on one scale. weights: (..., k) unstandardised outer weights, positive.
        minimum, maximum: of the scale.

    Source:
        Fornell, Johnson, Anderson, Cha & Bryant (1996), Journal of Marketing 60(4), 7-18, appendix.

    Example:
        >>> float(acsi(np.array([8.0, 7.0, 7.5]), np.array([0.4, 0.3, 0.3])).round(4))
        72.7778
    """
    found: Array = 100.0 * (weights * (mean - minimum)).sum(-1) / ((maximum - minimum) * weights.sum(-1))
    return found


def fornell(mean: Array, weights: Array, minimum: Array, maximum: Array) -> Array:
    """F2, `100 sum_k w_k (xbar_k - l_k) / sum_k w_k (u_k - l_k)`: between the least and the most a construct can have.

    Parameters:
        mean: (..., k) item means. weights: (..., k) unstandardised. minimum, maximum: (k,) bounds of the items.

    Source:
        Fornell, Johnson, Anderson, Cha & Bryant (1996), Journal of Marketing 60(4), 7-18, appendix.

    Example:
        >>> one = np.array([1.0, 1.0])
        >>> float(fornell(np.array([5.5, 4.0]), one, np.array([1.0, 1.0]), np.array([10.0, 5.0])).round(4))
        57.6923
    """
    found: Array = 100.0 * (weights * (mean - minimum)).sum(-1) / (weights * (maximum - minimum)).sum(-1)
    return found


def performance_index(mean: Array, sd: Array, weights: Array, minimum: Array, maximum: Array) -> Array:
    """F3, the items put on 0-100 first, weighed by the unstandardised weights they then have.

    `x* = 100 (x - l) / (u - l)`, `a_k = (w~_k / s*_k) / sum_j (w~_j / s*_j)`, `I = sum_k a_k xbar*_k`. The same number
    as F2 where all weights are positive.

    Parameters:
        mean, sd: (..., k) of the items as asked. weights: (..., k) standardised outer weights. minimum, maximum: (k,).

    Source:
        Ringle & Sarstedt (2016), Industrial Management & Data Systems 116(9), 1865-1886.

    Example:
        >>> mean, sd, w = np.array([5.5, 4.0]), np.array([2.0, 1.0]), np.array([0.6, 0.5])
        >>> float(performance_index(mean, sd, w, np.ones(2), np.array([10.0, 5.0])).round(4))
        60.6383
    """
    raw = weights / (100.0 * sd / (maximum - minimum))
    found: Array = (raw / raw.sum(-1, keepdims=True) * hundred(mean, minimum, maximum)).sum(-1)
    return found


KCSI: Final = (0.5, 0.3, 0.2)
"""Shares of the elements, of satisfaction overall and of repurchase in the KCSI."""


def kcsi_index(elements: Array, overall: Array, repurchase: Array, shares: tuple[float, float, float] = KCSI) -> Array:
    """F4, `.5 E + .3 O + .2 R` of top-2-box percentages.

    Parameters:
        elements: (..., m) top-2-box percentages of the elements; their mean is E. overall, repurchase: (...,).
        shares: of the three parts, summing to 1.

    Source:
        Korea Management Association Consulting, KCSI: structure of the index (elements 50 %, overall 30 %, repurchase
        20 %; seven-point scales, share of the two highest answers).

    Example:
        >>> float(kcsi_index(np.array([60.0, 50.0, 40.0]), np.array(55.0), np.array(45.0)))
        50.5
    """
    found: Array = shares[0] * elements.mean(-1) + shares[1] * overall + shares[2] * repurchase
    return found


def equal_index(mean: Array, minimum: Array, maximum: Array) -> Array:
    """F5, `100 sum_k (xbar_k - l_k) / sum_k (u_k - l_k)`; on three ten-point items `(sum of means - 3) / 27 x 100`.

    Example:
        >>> float(equal_index(np.array([8.0, 7.0, 7.5]), np.ones(3), np.full(3, 10.0)).round(4))
        72.2222
    """
    return fornell(mean, np.ones(mean.shape[-1]), minimum, maximum)


def factor_index(mean: Array, loadings: Array, errors: Array, minimum: Array, maximum: Array) -> Array:
    """F6, the mean factor score between the scores of the items' bounds.

    `f_k = loading_k / error variance_k`: Bartlett's score of a factor from its own items is
    `sum_k f_k (x_k - mu_k) / sum_k f_k loading_k`, so that its mean lies at
    `100 sum_k f_k (mu_k - l_k) / sum_k f_k (u_k - l_k)` between the least and the most it can be.

    Parameters:
        mean: (..., k) item means (of a mean structure). loadings, errors: (..., k) unstandardised loadings and error
            variances. minimum, maximum: (k,).

    Source:
        Bartlett (1937), British Journal of Psychology 28, 97-104.

    Example:
        >>> mean, one = np.array([8.0, 7.0]), np.ones(2)
        >>> float(factor_index(mean, np.array([1.0, 0.8]), np.array([0.5, 0.8]), one, 10 * one).round(4))
        74.0741
    """
    return fornell(mean, loadings / errors, minimum, maximum)
