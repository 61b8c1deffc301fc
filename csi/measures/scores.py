"""Construct scores of respondents, old or new: standardised, on the items' scale, 0-100; and predicted answers.

Letters: `n` rows, `p` items, `q` constructs, `t` items that are predicted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast, get_args

import numpy as np
import polars as pl

from csi.errors import Problem, Problems, one_of, problem
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_estimate
from csi.inference.resample import pooled_problem
from csi.measures.linear_prediction import Technique, model_rule, score_rule, targets
from csi.measures.product_columns import ProductColumns, product_columns, product_problems
from csi.moments.asked import check_within
from csi.moments.sample import sample_of
from csi.moments.stack import Array, Ints, Sample
from csi.survey.panel import Panel
from csi.survey.readers.frames import to_polars

if TYPE_CHECKING:
    from narwhals.typing import IntoFrame

Kind = Literal["standardised", "unstandardised", "0-100"]


@dataclass(frozen=True, slots=True)
class _Rows:
    """Answers to be scored.

    Attributes:
        sample: the rows. cell: (n,) which cell of the estimate scores each row, -1 for none. items: (n, p) answers in
            the order of the solution's items.
    """

    sample: Sample
    cell: Ints
    items: Array


def scores(
    est: Estimate,
    data: object = None,
    kind: Kind = "standardised",
    *,
    of: Mapping[str, str] | None = None,
    na: Sequence[float] = (),
) -> pl.DataFrame:
    """The score of every respondent on every construct.

        standardised     sum_k w~_k (x_k - mean_k) / s_k      means, spreads and weights of the estimate
        unstandardised   sum_k w_k x_k / sum_k w_k,  w_k = w~_k / s_k      on the items' own scale
        0-100            sum_k a_k 100 (x_k - l_k) / (u_k - l_k),  a_k = w_k (u_k - l_k) / sum      the index's points

    New rows are scored by the estimate as it stands, weights, means and spreads included: what was estimated in wave 1
    replays on wave 2, and differences between waves are differences in answers alone.

    Parameters:
        est: a fit of composites. data: new rows, a Panel or a frame with the items; the estimate's own rows by default.
        kind: see above. of: which cell of the estimate scores all rows, such as {"wave": "2026Q2"}; by default a row
            is scored by the cell with its own keys, or by the only cell. na: codes of "no answer" in a frame.

    Returns:
        One row per respondent with an answer, in the order of the data: `row` (its number there, from 0), the key
        columns, a column per construct; null where an answer is absent (unless absences stand at the mean), where no
        cell of the estimate has the row's keys, and for products.

    Raises:
        Problems: E-SCORES without outer weights or without rows, E-SCALE for "0-100" without bounds, E-RANGE for new
            answers outside the scale, an unknown cell.

    Source:
        Fornell et al. (1996), Journal of Marketing 60(4), appendix; Ringle & Sarstedt (2016), Industrial Management &
        Data Systems 116(9), on unstandardised scores.

    Example:
        >>> import csi
        >>> answers = {"a1": [1, 4, 7, 9, 5], "a2": [2, 4, 8, 9, 5], "b1": [1, 5, 6, 9, 3], "b2": [3, 4, 8, 8, 2]}
        >>> model = csi.Model.parse("a =~ a1 + a2; b =~ b1 + b2; b ~ a")
        >>> est = csi.fit(model, pl.DataFrame(answers), csi.PLS(), scale=(1, 10))
        >>> new = pl.DataFrame({"a1": [10], "a2": [10], "b1": [1], "b2": [1]})
        >>> [round(v, 6) for v in csi.scores(est, new, "0-100").row(0)]
        [0, 100.0, 0.0]
    """
    check_estimate(est)
    found = one_of("kind", kind, get_args(Kind))
    if found:
        raise Problems(found)
    rows = _rows(est, data, of, na)
    low, high = _bounds(est, kind)
    weights = est.solution.item_weights
    if weights is None:
        raise Problems([_unweighted(est)])
    at = _places(est)
    out = np.full((len(rows.items), len(est.solution.constructs)), np.nan)
    for s in range(len(est.values)):
        here = rows.cell == s
        x = rows.items[here]
        mean, sd = est.moments.mean[s, at], est.moments.sd[s, at]
        if est.moments.missing == "mean":
            x = np.where(np.isnan(x), mean, x)
        out[here] = _scored(x, weights[s], (mean, sd), kind, (low, high))
    return _frame(rows, dict(zip(est.solution.constructs, out.T, strict=True)))


def predictions(
    est: Estimate,
    data: object = None,
    technique: Technique = "ea",
    *,
    of: Mapping[str, str] | None = None,
    na: Sequence[float] = (),
) -> pl.DataFrame:
    """The answers a composite model expects of every respondent, on the items' own scales.

    Parameters:
        est: a fit of composites. data, of, na: as in `scores`. technique: "ea" predicts from the scores of exogenous
            constructs, whose items alone must be answered; "da" from those of direct antecedents.

    Returns:
        One row per respondent: `row`, the key columns, a column per item of an endogenous construct.

    Raises:
        Problems: as `scores`; products of items (`interaction="product"`), as in `csi.predict`.

    Source:
        Shmueli et al. (2016), Journal of Business Research 69(10), 4552-4564.

    Example:
        >>> import csi
        >>> answers = {"a1": [1, 4, 7, 9, 5], "a2": [2, 4, 8, 9, 5], "b1": [1, 5, 6, 9, 3], "b2": [3, 4, 8, 8, 2]}
        >>> model = csi.Model.parse("a =~ a1 + a2; b =~ b1 + b2; b ~ a")
        >>> est = csi.fit(model, pl.DataFrame(answers), csi.PLS())
        >>> mean = {"a1": [5.2], "a2": [5.6], "b1": [None], "b2": [None]}
        >>> [round(v, 3) for v in csi.predictions(est, pl.DataFrame(mean)).row(0)]
        [0, 4.8, 5.0]
    """
    check_estimate(est)
    found = [*one_of("technique", technique, get_args(Technique)), *product_problems(est)]
    if found:
        raise Problems(found)
    if est.solution.item_weights is None:
        raise Problems([_unweighted(est)])
    rows = _rows(est, _with_outcomes(est, data, technique), of, na)
    rule, wanted = model_rule(est.moments, est.solution, technique), targets(est.solution)
    products, toward = _products(est, technique), score_rule(est.solution, technique).swapaxes(1, 2)
    out = np.full((len(rows.items), wanted.size), np.nan)
    for s in range(len(est.values)):
        here = rows.cell == s
        needed = (rule.slope[s] != 0).any(axis=1)
        out[here] = rule.level[s] + rows.items[here][:, needed] @ rule.slope[s][needed]
        if products is not None:
            scale = est.solution.loadings[s, wanted] * est.moments.sd[s, _places(est)][wanted]
            known = np.where(np.isnan(rows.items[here]) & ~_used(products, s), 0.0, rows.items[here])
            out[here] += products.of(s, known) @ toward[s][products.at][:, est.solution.block[wanted]] * scale
    names = [est.solution.items[i] for i in wanted]
    return _frame(rows, dict(zip(names, out.T, strict=True)))


def _with_outcomes(est: Estimate, data: object, technique: Technique) -> object:
    """The data with absent columns for the items that are only predicted, where it lacks them."""
    if data is None or isinstance(data, Panel):
        return data
    frame = data if isinstance(data, pl.DataFrame) else to_polars(cast("IntoFrame", data), "data")
    slope = model_rule(est.moments, est.solution, technique).slope
    used = (slope != 0).any(axis=(0, 2))
    if any(c.product_of for c in est.model.constructs):
        used[:] = True
    unused = [i for i, u in zip(est.solution.items, used, strict=True) if not u and i not in frame.columns]
    return frame.with_columns(pl.lit(None, pl.Float64).alias(i) for i in unused) if unused else data


def _products(est: Estimate, technique: Technique) -> ProductColumns | None:
    """The columns of the products of every cell, centred as in the rows of the estimate."""
    sample = est.sample
    if not any(c.product_of for c in est.model.constructs):
        return None
    if sample is None:
        raise Problems([_no_rows(est)])
    own = sample.rows[:, [sample.names.index(i) for i in est.solution.items]]
    at = _places(est)
    weights = sample.weight * (sample.cell == np.arange(len(est.values))[:, None])
    return product_columns(
        est.model, est.solution, technique, (est.moments.mean[:, at], est.moments.sd[:, at]), (own, weights)
    )


def _used(products: ProductColumns, s: int) -> np.ndarray:
    """(p,) whether an item has a part in any product."""
    return np.asarray((products.own[s] != 0)[:, sorted({f for fs in products.factors for f in fs})].any(axis=1))


def _scored(x: Array, weights: Array, standard: tuple[Array, Array], kind: Kind, bounds: tuple[Array, Array]) -> Array:
    """(n, q) scores of rows (n, p) under weights (p, q); NaN for a construct without weights.

    Items a construct does not use may be absent.
    """
    (mean, sd), (low, high) = standard, bounds
    used = weights != 0
    with np.errstate(divide="ignore", invalid="ignore"):
        if kind == "standardised":
            relative, values = weights, (x - mean) / sd
        else:
            relative = weights / sd[:, None]
            relative = relative * (high - low)[:, None] if kind == "0-100" else relative
            relative = np.where(used, relative, 0.0) / np.where(used, relative, 0.0).sum(axis=0)
            values = 100 * (x - low) / (high - low) if kind == "0-100" else x
        relative = np.where(used, relative, 0.0)
        out = np.nan_to_num(values) @ relative
    hole = (~np.isfinite(values)).astype(np.float64) @ used.astype(np.float64) > 0
    return np.where(hole | ~used.any(axis=0), np.nan, out)


def _rows(est: Estimate, data: object, of: Mapping[str, str] | None, na: Sequence[float]) -> _Rows:
    """The answers, and the cell that scores each."""
    keys = [c for c in est.moments.cells.columns if c != "n"]
    if data is None:
        if est.sample is None:
            raise Problems([_no_rows(est)])
        sample = est.sample
    else:
        by = keys if of is None else []
        sample = sample_of(data, est.solution.items, by, missing="pairwise", na=na)
        known = _places(est)
        check_within(sample.names, sample.rows, est.moments.minimum[known], est.moments.maximum[known])
    at = [sample.names.index(i) for i in est.solution.items]
    return _Rows(sample, _cells(est, sample, keys, of, own=data is None), sample.rows[:, at])


def _cells(est: Estimate, sample: Sample, keys: list[str], of: Mapping[str, str] | None, *, own: bool) -> Ints:
    """(n,) cell of the estimate behind each row, -1 without one."""
    known = est.moments.cells
    if of is not None:
        same = [pl.col(k).cast(pl.String) == v for k, v in of.items() if k in keys]
        wanted = known.with_row_index("_cell").filter(*same)
        if wanted.height != 1 or set(of) - set(keys):
            raise Problems([_which(keys, of, 0 if set(of) - set(keys) else wanted.height)])
        return np.full(len(sample.rows), int(wanted["_cell"][0]), dtype=np.int64)
    if own:
        return sample.cell
    if not keys:
        return np.zeros(len(sample.rows), dtype=np.int64)
    number = {row: i for i, row in enumerate(known.select(keys).rows())}
    of_cell = np.array([number.get(row, -1) for row in sample.cells.select(keys).rows()], dtype=np.int64)
    return of_cell[sample.cell]


def _places(est: Estimate) -> list[int]:
    """Where the solution's items stand in the moments."""
    return [est.moments.names.index(i) for i in est.solution.items]


def _bounds(est: Estimate, kind: Kind) -> tuple[Array, Array]:
    """Theoretical minima and maxima of the solution's items."""
    at = _places(est)
    low, high = est.moments.minimum[at], est.moments.maximum[at]
    unknown = [i for i, ok in zip(est.solution.items, high > low, strict=True) if not ok]
    if kind == "0-100" and unknown:
        en = f"the theoretical bounds of {', '.join(unknown)} are unknown."
        zh = f"{'、'.join(unknown)} 的理论上下限未知。"
        do = "Give the items a scale in the codebook, or scale=(minimum, maximum) when fitting a frame."
        do_zh = "请在编码簿中为题项指定量表，或在拟合数据框时给出 scale=(最小值, 最大值)。"
        raise Problems([problem("E-SCALE", "scores", en, zh, do, do_zh)])
    return low, high


def _frame(rows: _Rows, values: Mapping[str, Array]) -> pl.DataFrame:
    """Columns with their keys, in the order of the data."""
    sample = rows.sample
    place = np.arange(len(rows.items)) if sample.place is None else sample.place
    keys = [c for c in sample.cells.columns if c != "n"]
    columns = {"row": pl.Series(place, dtype=pl.Int64)}
    columns |= {k: sample.cells[k].gather(sample.cell) for k in keys}
    columns |= {name: pl.Series(np.ascontiguousarray(v)).fill_nan(None) for name, v in values.items()}
    return pl.DataFrame(columns).sort("row")


def _unweighted(est: Estimate) -> Problem:
    en, zh = f"{est.settings.name} gives no outer weights.", f"{est.settings.name} 不提供外部权重。"
    do, do_zh = "Use csi.factor_scores for covariance fits.", "协方差拟合请用 csi.factor_scores。"
    return problem("E-SCORES", "estimate", en, zh, do, do_zh)


def _no_rows(est: Estimate) -> Problem:
    if "pooling" in est.extra:
        return pooled_problem("estimate")
    en, zh = "it was fitted to moments, so there are no rows to score.", "该估计由矩拟合得到，没有可评分的数据行。"
    do, do_zh = "Give the rows as data.", "请以 data 给出数据行。"
    return problem("E-SCORES", "estimate", en, zh, do, do_zh)


def _which(keys: list[str], of: Mapping[str, str], count: int) -> Problem:
    asked = ", ".join(f"{k} = {v}" for k, v in of.items())
    en = f"{count} cells of the estimate have {asked} (its keys: {', '.join(keys) or 'none'})."
    zh = f"估计中有 {count} 个单元满足 {asked}（其关键列：{'、'.join(keys) or '无'}）。"
    return problem("E-WHERE", "of", en, zh, "Name one cell by all its keys.", "请用全部关键列指定一个单元。")
