"""Stone-Geisser's Q2 by blindfolding, and effect sizes q2: `blindfolding(est)`.

Letters: `n` rows, `p` items, `q` constructs, `D` omission distance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Reason, Text, note, problem
from csi.estimate.estimate import Estimate
from csi.inference.replicates import Flags
from csi.inference.resample import rows_behind
from csi.measures.folds import of_cell
from csi.measures.linear_prediction import endogenous
from csi.measures.score_rows import item_weights
from csi.measures.shown import part, told
from csi.measures.tidy import NO_SOLUTION, cells_of, said_once, tidy
from csi.models.model import Model
from csi.moments.pearson import cell_moments, cell_slices
from csi.moments.stack import Array, Ints, Moments, Sample

INSTEAD = note(
    "N-BLINDFOLD",
    "blindfolding is neither an in-sample nor an out-of-sample measure; csi.predict is preferred.",
    "Blindfolding 既非样本内也非样本外指标，建议改看 csi.predict。",
)


@dataclass(frozen=True, slots=True, repr=False)
class Blindfolding(Shown):
    """What `blindfolding` found.

    Attributes:
        table: key columns, construct, q2, sse, sso (sums of squared errors and of squared deviations of standardised
            items), reason. effects: key columns, outcome, predictor, q2_without, q2_effect, reason.
        distance. notes, reasons.
    """

    table: pl.DataFrame
    effects: pl.DataFrame
    distance: int
    notes: tuple[Note, ...]
    reasons: Mapping[str, Reason]


@text.register
def _(value: Blindfolding, lang: str = "en") -> str:
    """Q2 of the constructs, effect sizes of their predictors, notes."""
    title = Text(
        f"Q2 by blindfolding (omission distance {value.distance})", f"Blindfolding 的 Q²（省略距离 {value.distance}）"
    )
    lines = part(title, value.table.drop("sse", "sso"), lang, ".table")
    effects = part(Text("Effect sizes q2", "效应量 q²"), value.effects, lang, ".effects")
    return "\n".join([*lines, *(["", *effects] if effects else []), *told(value.reasons.values(), value.notes, lang)])


def blindfolding(est: Estimate, distance: int = 7) -> Blindfolding:
    """Cross-validated redundancy: how well omitted answers of a construct are rebuilt from its antecedents.

    The cell of row i and the k-th item of the block is omitted in round (i + k) mod D and takes the mean of the answers
    left. The model is estimated anew in every round; omitted cells are predicted by lambda_i sum_k b_jk y_k:

        Q2 = 1 - SSE / SSO,   q2 of a predictor = (Q2 - Q2 without its arrow) / (1 - Q2)

    Items are standardised by what a round has left; rows are taken in the sample's own order, so the order of the data
    does not matter.

    Parameters:
        est: a fit of composites from complete rows. distance: D, rounds and share 1/D omitted in each.

    Returns:
        A `Blindfolding`.

    Raises:
        Problems: no rows, absent answers, a distance below 2 or above the rows of a cell.

    Source:
        Stone (1974); Geisser (1974); Chin (1998), in Modern Methods for Business Research. Which cells fall into which
        round, and how they are rescaled, differs between programs: semPLS 1.0.10 gives values within .012 on mobi.

    Example:
        >>> import csi
        >>> rng = np.random.default_rng(1)
        >>> a = rng.standard_normal(200)
        >>> rows = np.column_stack([a, a, a]) + 0.5 * rng.standard_normal((200, 3))
        >>> frame = pl.DataFrame(rows, schema=["a1", "b1", "b2"])
        >>> est = csi.fit("A =~ a1; B =~ b1 + b2; B ~ A", frame, csi.PLS())
        >>> 0.5 < blindfolding(est).table["q2"].item() < 0.8
        True
    """
    found = _problems(est, distance)
    if found:
        raise Problems(found)
    sample, names = rows_behind(est), est.solution.constructs
    sums = _sums(est, sample, est.model, distance)
    inner = [names[j] for j in endogenous(est.solution)]
    q2 = {y: _q2(sums[:, names.index(y)]) for y in inner}
    pairs = [(y, x) for y in inner for x in est.model.predictors(y) if x in names]
    without = [_without(est, sample, y, x, distance) for y, x in pairs]
    at = [names.index(y) for y in inner]
    numbers = {
        "q2": np.stack([q2[y] for y in inner], axis=1),
        "sse": np.stack([sums[:, j, 0] for j in at], axis=1),
        "sso": np.stack([sums[:, j, 1] for j in at], axis=1),
    }
    less = np.stack(without, axis=1) if pairs else np.empty((len(sums), 0))
    full = np.stack([q2[y] for y, _ in pairs], axis=1) if pairs else less
    effects = {"q2_without": less, "q2_effect": (full - less) / (1 - full)}
    frames = [
        tidy(cells_of(est), labels, values, {"reason": _codes(values[key])})
        for labels, values, key in (
            (pl.DataFrame({"construct": inner}), numbers, "q2"),
            (
                pl.DataFrame(pairs, schema={"outcome": pl.String, "predictor": pl.String}, orient="row"),
                effects,
                "q2_effect",
            ),
        )
    ]
    codes = {c for f in frames for c in f["reason"].drop_nulls()}
    return Blindfolding(
        frames[0], frames[1], distance, (*est.notes, INSTEAD), said_once([NO_SOLUTION] if codes else [])
    )


def _codes(values: Array) -> list[str | None]:
    """The code of why a value is absent."""
    return [None if ok else NO_SOLUTION.code for ok in np.isfinite(values).reshape(-1)]


def _q2(sums: Array) -> Array:
    """(b,) 1 - SSE / SSO."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(1 - sums[:, 0] / sums[:, 1], dtype=np.float64)


def _without(est: Estimate, sample: Sample, outcome: str, predictor: str, distance: int) -> Array:
    """(b,) Q2 of an outcome in the model without one arrow; 0 where it was the only one."""
    kept = tuple(p for p in est.model.paths if (p.outcome, p.predictor.name) != (outcome, predictor))
    if not any(p.outcome == outcome for p in kept):
        return np.zeros(sample.cells.height)
    touched = {n for p in kept for n in (p.outcome, p.predictor.name)}
    if predictor not in touched:
        kept_constructs = tuple(c for c in est.model.constructs if c.name in touched)
        model = replace(est.model, constructs=kept_constructs, paths=kept)
    else:
        model = replace(est.model, paths=kept)
    j = [c.name for c in model.constructs].index(outcome)
    return _q2(_sums(est, sample, model, distance, only=j)[:, j])


def _sums(est: Estimate, sample: Sample, model: Model, distance: int, only: int | None = None) -> Array:
    """(b, q, 2) SSE and SSO of every endogenous construct (or of one); NaN where a round has no solution."""
    return np.stack(
        [_of_cell(est, sample, model, number, rows, distance, only) for number, rows in enumerate(cell_slices(sample))]
    )


def _of_cell(
    est: Estimate, sample: Sample, model: Model, number: int, rows: slice, distance: int, only: int | None
) -> Array:
    """(q, 2) sums of one cell: all rounds of all blocks are one stack."""
    blocks = [[sample.names.index(i) for i in c.items] for c in model.constructs]
    wanted = [j for j, c in enumerate(model.constructs) if model.predictors(c.name) and only in (None, j)]
    X, weight = sample.rows[rows], sample.weight[rows]
    masks = [(j, _omitted(X.shape, blocks[j], distance, g)) for j in wanted for g in range(distance)]
    filled, moments = _stack(sample, X, weight, [mask for _, mask in masks])
    like = of_cell(est, number) if model is est.model else None
    fit = est.settings.solve(model, moments, like)
    cause = fit.convergence.cause
    solution, W = fit.solution, item_weights(fit.solution)
    order = [sample.names.index(i) for i in solution.items]
    sums = np.zeros((len(model.constructs), 2))
    for s, (j, mask) in enumerate(masks):
        mean, sd = moments.mean[s], moments.sd[s]
        scores = ((filled[s] - mean) / sd)[:, order] @ W[s]
        own = np.flatnonzero(solution.block == j)
        predicted = (scores @ solution.paths[s, j])[:, None] * solution.loadings[s, own]
        at = [order[i] for i in own]
        z, out = (X[:, at] - mean[at]) / sd[at], mask[:, at] * weight[:, None]
        sums[j] += (
            np.nan if cause is not None and cause[s] else [(out * (z - predicted) ** 2).sum(), (out * z**2).sum()]
        )
    return sums


def _omitted(shape: tuple[int, ...], block: list[int], distance: int, round_: int) -> Flags:
    """(n, p) True where a cell of the block is omitted in a round."""
    mask = np.zeros(shape, dtype=bool)
    mask[:, block] = (np.arange(shape[0])[:, None] + np.arange(len(block))) % distance == round_
    return mask


def _stack(sample: Sample, X: Array, weight: Array, masks: list[Flags]) -> tuple[list[Array], Moments]:
    """The rows of every round with means for omitted cells, and their moments as one stack."""
    filled, parts = [], []
    for mask in masks:
        left = np.where(mask, 0.0, weight[:, None])
        mean = (left * X).sum(axis=0) / left.sum(axis=0)
        filled.append(np.where(mask, mean, X))
        parts.append(cell_moments(filled[-1], weight[None]))
    n, sum_w, sum_w2, mean, cov = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    none: Ints = np.array([len(X)])
    cells = pl.DataFrame({"n": none})
    return filled, Moments(sample.names, n, sum_w, sum_w2, mean, cov, cells, sample.minimum, sample.maximum)


def without_own_items(est: Estimate) -> bool:
    """Whether the model has higher-order constructs or products."""
    return bool(est.solution.parts) or any(c.product_of for c in est.model.constructs)


def _problems(est: Estimate, distance: int) -> list[Problem]:
    """What keeps answers from being omitted."""
    found = []
    if est.solution.weights is None or "sem" in est.extra:
        en, zh = "blindfolding is for composite models.", "Blindfolding 只适用于合成模型。"
        found.append(problem("E-PREDICT", "estimate", en, zh, "Fit with csi.PLS().", "请用 csi.PLS() 拟合。"))
    if without_own_items(est):
        en = "blindfolding omits answers to items; higher-order constructs and products have none of their own."
        zh = "Blindfolding 省略的是题项的回答，而高阶构念与乘积项没有自己的题项。"
        found.append(problem("E-PREDICT", "model", en, zh, "Use csi.predict.", "请改用 csi.predict。"))
    sample = rows_behind(est)
    if np.isnan(sample.rows).any():
        en, zh = "blindfolding needs complete rows.", "Blindfolding 需要完整的数据行。"
        do, do_zh = 'Fit the model with missing="listwise".', '请用 missing="listwise" 拟合模型。'
        found.append(problem("E-PREDICT", "estimate", en, zh, do, do_zh))
    fewest = int(sample.cells["n"].to_numpy().min())
    if not 2 <= distance <= fewest:
        en = f"the omission distance lies between 2 and {fewest} (rows of the smallest cell), not at {distance}."
        zh = f"省略距离应在 2 与 {fewest}（最小单元的行数）之间，而不是 {distance}。"
        found.append(problem("E-SETTING", "distance", en, zh, "Use distance=7, say.", "例如 distance=7。"))
    return found
