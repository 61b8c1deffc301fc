"""Scores of the respondents behind an estimate, and of every replicate: what methods on rows start from.

Letters: `n` rows, `p` items, `q` constructs, `B` replicates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast, get_args

import numpy as np

from csi.errors import Note, Problems, note, problem
from csi.estimate.estimate import Estimate, Replicates, Solution
from csi.inference.bootstrap import Uncertainty
from csi.inference.intervals import Evidence, curve_of, p_of, p_value, percentile, standard_error
from csi.inference.resample import Kind, pooled_problem, resampling_of
from csi.inference.uncertainty import degrees, replicates_behind
from csi.moments.stack import Array, Ints, Sample

Products = Callable[[Array, Array], Array]
"""Cross-products (c, c) of what is made of the scores (n, q) of one sample under weights (n,)."""
OnProducts = Callable[[Array], Array]
"""A quantity of the cross-products (b, c, c) of many samples -> (b, m)."""


@dataclass(frozen=True, slots=True)
class ScoreRows:
    """Standardised construct scores of the complete rows of an estimate with one cell.

    Attributes:
        scores: (n, q) mean 0 and variance 1 under the weights. weight: (n,) design weights. place: (n,) position of
            each row in the data as read. kept: (n,) its position in the sample. notes: rows left out.
    """

    scores: Array
    weight: Array
    place: Ints
    kept: Ints
    notes: tuple[Note, ...] = ()


def rows_of(est: Estimate, what: str) -> Sample:
    """The rows of an estimate with scores and a single cell that has a solution.

    Parameters:
        what: the method that asks, named in the problem.

    Raises:
        Problems: E-ROWS without rows or outer weights, E-CELLS with several cells or none solved.
    """
    sample, found = est.sample, []
    if "pooling" in est.extra:
        raise Problems([pooled_problem(what)])
    if sample is None or est.solution.weights is None:
        en = "needs the answers and outer weights; this estimate has not both."
        zh = "需要原始回答与外部权重，该估计二者不全。"
        do, do_zh = "Fit csi.PLS() from a panel or a frame.", "请用 csi.PLS() 对面板或数据框拟合。"
        found.append(problem("E-ROWS", what, en, zh, do, do_zh))
    if len(est.values) != 1:
        en, zh = (
            f"takes one cell at a time, not {len(est.values)}.",
            f"一次只分析一个单元，而不是 {len(est.values)} 个。",
        )
        do, do_zh = 'Fit one with where={"wave": "2026Q3"}, say.', '请用 where={"wave": "2026Q3"} 等拟合其中一个。'
        found.append(problem("E-CELLS", what, en, zh, do, do_zh))
    elif any(c.product_of for c in est.model.constructs) and getattr(est.settings, "interaction", "") != "two-stage":
        en, zh = "needs scores of products, which product items do not give.", "需要乘积项的得分，而乘积指标不提供。"
        do, do_zh = 'Fit csi.PLS(interaction="two-stage").', '请用 csi.PLS(interaction="two-stage") 拟合。'
        found.append(problem("E-ENGINE", what, en, zh, do, do_zh))
    elif est.solution.weights is not None and not np.isfinite(est.solution.weights).all():
        en, zh = "the model has no usable solution, so there are no scores.", "模型没有可用的解，因此没有得分。"
        do, do_zh = "See the estimate's convergence.", "请查看估计结果的收敛信息。"
        found.append(problem("E-CELLS", what, en, zh, do, do_zh))
    if found or sample is None:
        raise Problems(found)
    return sample


def score_rows(est: Estimate, what: str) -> ScoreRows:
    """Standardised scores of the rows behind an estimate: z W with z_k = (x_k - mean_k) / sd_k.

    Absent answers stand at the item's mean where the estimate put them there; otherwise the row is left out, and noted.

    Parameters:
        est: an estimate of one cell with outer weights. what: the method that asks.

    Raises:
        Problems: as `rows_of`.

    Example:
        >>> import csi, polars as pl
        >>> answers = {"a1": [1, 4, 7, 9, 5], "a2": [2, 4, 8, 9, 5], "b1": [1, 5, 6, 9, 3], "b2": [3, 4, 8, 8, 2]}
        >>> model = csi.Model.parse("a =~ a1 + a2; b =~ b1 + b2; b ~ a")
        >>> found = score_rows(csi.fit(model, pl.DataFrame(answers), csi.PLS()), "example")
        >>> found.scores.std(axis=0, ddof=1).round(6).tolist()
        [1.0, 1.0]
    """
    sample = rows_of(est, what)
    at = [est.moments.names.index(i) for i in est.solution.items]
    mean, sd = est.moments.mean[0, at], est.moments.sd[0, at]
    Z = scored(sample, est, mean, sd, item_weights(est.solution)[0])
    kept = np.flatnonzero(np.isfinite(Z).all(axis=1))
    place = np.arange(len(Z)) if sample.place is None else sample.place
    told = _notes(len(Z) - kept.size, len(Z), corrected=est.solution.proxy_cor is not None)
    return ScoreRows(Z[kept], sample.weight[kept], place[kept], kept, told)


def _notes(left: int, n: int, *, corrected: bool) -> tuple[Note, ...]:
    """Rows without a score, and scores whose estimate corrects for their unreliability."""
    said = []
    if left:
        en = f"{left} of {n} rows have an absent answer and no score; they are left out."
        said.append(note("N-ROWS-LEFT", en, f"{n} 行中有 {left} 行因缺少回答而没有得分，未纳入分析。"))
    if corrected:
        en = "slopes here are of the scores; those of the estimate are corrected for unreliability (PLSc)."
        said.append(note("N-SCORES", en, "此处的斜率基于得分本身；该估计（PLSc）的路径已作信度校正。"))
    return tuple(said)


def item_weights(solution: Solution) -> Array:
    """(b, p, q) every construct's score as a combination of standardised items; NaN without outer weights."""
    found = solution.item_weights
    if found is None:
        return np.full((len(solution.paths), len(solution.items), len(solution.constructs)), np.nan)
    return found


def scored(sample: Sample, est: Estimate, mean: Array, sd: Array, weights: Array) -> Array:
    """(n, q) scores of a sample's rows under means (p,), spreads (p,) and item weights (p, q).

    A product of constructs is the product of its standardised scores, less its mean, in the unit its path is per.
    """
    names, at = est.solution.constructs, [sample.names.index(i) for i in est.solution.items]
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (sample.rows[:, at] - mean) / sd
    Z = np.asarray((np.nan_to_num(z) if sample.missing == "mean" else z) @ weights, dtype=np.float64)
    for construct in est.model.constructs:
        if construct.product_of and construct.name in names:
            product = np.prod([Z[:, names.index(f)] for f in construct.product_of], axis=0)
            known = np.isfinite(product)
            centre = np.average(product[known], weights=sample.weight[known])
            Z[:, names.index(construct.name)] = product - centre
    return Z


def centred_products(D: Array, w: Array) -> Array:
    """(c, c) cross-products of columns (n, c) about their means, under weights (n,)."""
    D = D - np.average(D, axis=0, weights=w)
    return np.asarray((D * w[:, None]).T @ D)


def slopes_of(G: Array, at: Sequence[int], y: int) -> Array:
    """(b, r) slopes of column `y` on the columns `at` from cross-products (b, c, c); NaN where they are collinear.

    Example:
        >>> slopes_of(np.array([[[2.0, 1.0], [1.0, 4.0]]]), [0], 1).item()
        0.5
    """
    left, right = G[:, at][:, :, at], G[:, at, y][:, :, None]
    try:
        return np.asarray(np.linalg.solve(left, right)[:, :, 0])
    except np.linalg.LinAlgError:
        if len(G) == 1:
            return np.full((1, len(at)), np.nan)
    return np.concatenate([slopes_of(one[None], at, y) for one in G])


def over_scores(est: Estimate, rows: ScoreRows, products: Products, quantity: OnProducts) -> Uncertainty | None:
    """Standard errors, percentile intervals and p-values of a quantity of the scores; None without replicates.

    The scores of every replicate are formed anew, by its own weights, means and spreads.

    Parameters:
        est: an estimate of one cell after `bootstrap`. rows: its scores. products: what of a replicate's scores enters.
        quantity: of the products of all replicates at once.

    Raises:
        Problems: E-BOOT, the replicates are a jackknife's or given weights.
    """
    rep = est.replicates
    if rep is None:
        return None
    if rep.kind not in get_args(Kind):
        en, zh = f'replicates by "{rep.kind}" are no random resamples.', f"“{rep.kind}”重复不是随机重抽样。"
        do, do_zh = (
            "Call csi.bootstrap(est) with its usual resampling first.",
            "请先用 csi.bootstrap(est) 的常规重抽样。",
        )
        raise Problems([problem("E-BOOT", "replicates", en, zh, do, do_zh)])
    own = products(rows.scores, rows.weight)
    value = quantity(own[None])[0]
    draws, usable = np.full((rep.n, value.size), np.nan), np.flatnonzero(rep.usable[:, 0])
    drawn = np.empty((rep.n, *own.shape))
    for number, Z, w in _replayed(est, rep):
        if rep.usable[number, 0]:
            drawn[number] = products(Z[rows.kept], w[rows.kept])
    if usable.size:
        draws[usable] = quantity(drawn[usable])
    low, high = percentile(draws, est.level)
    return Uncertainty(value, standard_error(draws), low, high, p_value(value, draws), draws)


def p_of_families(est: Estimate, found: Uncertainty) -> Array:
    """(m,) p-values for families of tests: of t = value / SE, SE the standard deviation of the replicates.

    Percentiles of a few hundred rows are a little too near in the far tail that a family asks for.
    """
    df = np.full_like(found.value, degrees(replicates_behind(est))[0])
    return p_of(curve_of("t", Evidence(found.value, found.std_error, found.draws, df=df)))


def _replayed(est: Estimate, rep: Replicates) -> Iterator[tuple[int, Array, Array]]:
    """Number, scores (n, q) and weights (n,) of every replicate, from the seed of its plan."""
    sample = rows_of(est, "bootstrap")
    at = [est.moments.names.index(i) for i in est.solution.items]
    W = item_weights(rep.solution)
    plan = resampling_of(sample, rep.n, rep.seed, cast("Kind", rep.kind))
    sample = plan.seen(sample)
    for start, multiplicity in plan.blocks():
        for number, drawn in enumerate(multiplicity, start):
            mean, sd = rep.mean[number, 0, at], rep.sd[number, 0, at]
            w = drawn[sample.unit] * sample.weight
            yield number, scored(replace(sample, weight=w), est, mean, sd, W[number]), w
