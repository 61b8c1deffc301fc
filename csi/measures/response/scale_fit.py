"""One scale fitted: its categories, its marginal fit, standard errors and what is said of it.

Letters: `n` rows, `i` items kept, `K` thresholds at most, `k` free parameters.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from csi.errors import Note, Reason, note, reason
from csi.measures.answered import Answered
from csi.measures.response.item_fit import ItemFit, mean_squares, sum_score_fit
from csi.measures.response.limited import Limited, limited_information
from csi.measures.response.marginal import Marginal, fit_marginal, grid, patterns
from csi.measures.response.specified import (
    DICHOTOMOUS,
    ONE_SLOPE,
    Coded,
    Kind,
    coded,
    jacobian,
    names_of,
    parameters,
    shape_of,
)
from csi.moments.stack import Array, Ints

Errors = Literal["observed", "cross-product", "sandwich"]
MOST: Final = 20
"""Distinct answers beyond which an item is no item of categories."""

WIDE: Final = 4.0
"""Largest slope that is not told of: beyond it an item all but repeats theta."""


FLAT: Final = 0.05
"""A shared slope below this is none."""


@dataclass(frozen=True, slots=True)
class ScaleFit:
    """One scale.

    Attributes:
        construct. items: all of the scale. kept: places of those fitted. left: item -> why it is not.
        reason: why the scale has no fit; else solved. notes. n: rows with any answer to it.
    """

    construct: str
    items: tuple[str, ...]
    n: int
    kept: tuple[int, ...] = ()
    left: tuple[tuple[str, Reason], ...] = ()
    reason: Reason | None = None
    solved: Solved | None = None
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Solved:
    """The numbers of a scale that was fitted.

    Attributes:
        coded, found. slope (i,), threshold (i, K), deviation (of theta) as they are reported, with their errors: NaN
            where the information is singular. errors: how they were made. fit, infit, outfit (i,): of items.
        limited: of the whole. rows: places of its rows among those answered.
    """

    coded: Coded
    found: Marginal
    slope: Array
    threshold: Array
    deviation: float
    slope_error: Array
    threshold_error: Array
    deviation_error: float
    errors: Errors
    fit: ItemFit
    infit: Array
    outfit: Array
    limited: Limited
    rows: Ints


def fit_scale(data: Answered, construct: str, kind: Kind, points: int, errors: Errors | None) -> ScaleFit:
    """A scale by marginal maximum likelihood, or why it has none."""
    items = data.scales[construct]
    rows = data.of(construct)
    any_ = np.isfinite(rows).any(axis=1)
    blank = ScaleFit(construct, items, int(any_.sum()))
    kept, left = _usable(rows, items, kind)
    blank = replace(blank, left=left)
    why = _refused(rows[:, kept], kind, len(kept))
    if why:
        return replace(blank, reason=why)
    bounds = np.stack([data.minimum, data.maximum], axis=1)[data.columns([items[k] for k in kept])]
    if kind == "rsm" and len({tuple(b) for b in bounds.tolist() if np.isfinite(b).all()}) > 1:
        en, zh = "a rating scale model needs items on one scale.", "评定量表模型要求各题项量表相同。"
        return replace(blank, reason=reason("R-IRT-SCALES", en, zh))
    seen = np.flatnonzero(np.isfinite(rows[:, kept]).any(axis=1))
    told = coded(rows[seen][:, kept], together=kind == "rsm")
    solved, said = _solve(data, told, kind, seen, points, errors)
    if abs(float(solved.found.own[0, 0])) < FLAT and np.ptp(solved.found.own[:, 0]) == 0:
        en = "items that share one slope have nothing in common in one direction; turn reversed items over."
        zh = "共用一个斜率的题项没有同向的共同成分；请先将反向题反转。"
        return replace(blank, reason=reason("R-IRT-FLAT", en, zh))
    named = tuple(items[k] for k in kept)
    notes = (*_unused(data, named, told), *said, *_doubts(construct, named, solved))
    return replace(blank, kept=tuple(kept), solved=solved, notes=notes)


def _usable(rows: Array, items: tuple[str, ...], kind: Kind) -> tuple[list[int], tuple[tuple[str, Reason], ...]]:
    """Places of items with two to MOST categories, and why the others are out."""
    kept, left = [], []
    for k, name in enumerate(items):
        size = np.unique(rows[np.isfinite(rows[:, k]), k]).size
        if size == 0:
            why = reason("R-NO-ANSWERS", "nobody answered it.", "无人作答。")
        elif size == 1:
            why = reason("R-CONSTANT", "all answers are the same.", "所有回答相同。")
        elif size > MOST:
            en, zh = f"{size} distinct answers are no categories.", f"共有 {size} 种不同取值，不是类别。"
            why = reason("R-IRT-CATEGORIES", en, zh)
        elif kind in DICHOTOMOUS and size > 2:
            en = f"{size} categories; {kind} takes two: use grm or pcm."
            why = reason("R-IRT-TWO", en, f"有 {size} 个类别；{kind} 只用于两个类别，请用 grm 或 pcm。")
        else:
            kept.append(k)
            continue
        left.append((name, why))
    return kept, tuple(left)


def _refused(rows: Array, kind: Kind, items: int) -> Reason | None:
    if items < 2:
        en = f"{items} usable item{'' if items == 1 else 's'}; two are needed, three for slopes of their own."
        return reason("R-IRT-ITEMS", en, f"可用题项 {items} 个；至少需要 2 个，各自估计斜率需要 3 个。")
    told = np.isfinite(rows)
    n, free = int((told.sum(axis=1) > 1).sum()), items + 1
    if n < free:
        en = f"{n} rows answer two items or more; {free} are the least for {items} items."
        return reason("R-IRT-FEW", en, f"仅有 {n} 行至少回答了两个题项；{items} 个题项至少需要 {free} 行。")
    if kind in ONE_SLOPE and not (told.sum(axis=0) > 0).all():
        return reason("R-NO-ANSWERS", "an item has no answers.", "有题项无人作答。")
    return None


def _solve(
    data: Answered, told: Coded, kind: Kind, seen: Ints, points: int, errors: Errors | None
) -> tuple[Solved, tuple[Note, ...]]:
    weight = data.weight[seen]
    weighted = bool(np.ptp(weight) > 1e-9 * weight.max())
    weight = weight * (weight.size / weight.sum())
    clustered = np.unique(data.sample.unit[seen]).size < seen.size
    way: Errors = errors or ("sandwich" if weighted or clustered else "observed")
    categories = told.categories
    two = categories.size == 2 and kind not in ONE_SLOPE
    shape = shape_of(kind, categories, one_slope=two)
    found = _upright(fit_marginal(shape, patterns(told.category, weight, categories), grid(points)))
    slope, threshold, deviation = parameters(kind, found.own, shape.used)
    error = _errors(found, kind, way, weight, data.sample.unit[seen], data.sample.stratum)
    inner = error[:-1].reshape(categories.size, -1)
    first = np.nan if kind in ONE_SLOPE else 1.0
    solved = Solved(
        told,
        found,
        slope,
        threshold,
        deviation,
        inner[:, 0] * first,
        inner[:, 1:],
        float(error[-1]) if kind in ONE_SLOPE else np.nan,
        way,
        sum_score_fit(found, _own_parameters(kind, categories), weighted),
        *mean_squares(found),
        limited_information(found, weighted=weighted),
        seen,
    )
    notes = []
    if two:
        en = "two items share one slope: their own slopes are not identified."
        notes.append(note("N-IRT-ONE-SLOPE", en, "两个题项共用一个斜率：各自的斜率无法识别。"))
    if weighted:
        en = "weights enter the likelihood; S-X2 and M2 are not defined for weighted rows, AIC and BIC are of the "
        en += "weighted likelihood."
        notes.append(
            note("N-IRT-WEIGHTS", en, "权重进入似然函数；S-X2 与 M2 不适用于加权数据，AIC 与 BIC 基于加权似然。")
        )
    return solved, tuple(notes)


def _own_parameters(kind: Kind, categories: Ints) -> Ints:
    """(i,) free parameters that are an item's own."""
    if kind == "rsm":
        return np.ones_like(categories)
    return categories - (1 if kind in ONE_SLOPE else 0)


def _upright(found: Marginal) -> Marginal:
    """Theta turned so that slopes are positive on the whole."""
    if found.own[:, 0].sum() >= 0:
        return found
    slopes = np.abs(found.shape.design[:, 0]).sum(axis=0) > 0
    turned = np.where(slopes, -found.free, found.free)
    return fit_marginal(found.shape, found.patterns, found.grid, turned)


def _errors(found: Marginal, kind: Kind, way: Errors, weight: Array, unit: Ints, stratum: Ints) -> Array:
    """Standard errors of slopes and thresholds, item by item, and of the deviation; NaN where there are none.

    observed: inverse observed information; cross-product: inverse sum of squared scores; sandwich: both, with scores
    summed over units within strata.
    """
    J = jacobian(kind, found.shape, found.free)
    scores = weight[:, None] * found.scores[found.patterns.row]
    bread = scores.T @ scores if way == "cross-product" else found.information
    scale = np.sqrt(np.abs(np.diag(bread)))
    if not scale.all():
        return np.full(len(J), np.nan)
    values, vectors = np.linalg.eigh(bread / np.outer(scale, scale))
    if values[0] <= 1e-10 * values[-1]:
        return np.full(len(J), np.nan)
    cov: Array = (vectors / values) @ vectors.T / np.outer(scale, scale)
    if way == "sandwich":
        cov = cov @ _meat(scores, unit, stratum) @ cov
    return np.asarray(np.sqrt(np.maximum(np.einsum("ak,kl,al->a", J, cov, J), 0)))


def _meat(scores: Array, unit: Ints, stratum: Ints) -> Array:
    """(k, k) of scores summed over units, about the mean of each stratum's units."""
    ids, at = np.unique(unit, return_inverse=True)
    total = np.zeros((ids.size, scores.shape[1]))
    np.add.at(total, at, scores)
    meat = np.zeros((scores.shape[1],) * 2)
    layers = stratum[ids]
    for layer in np.unique(layers):
        mine = total[layers == layer]
        if len(mine) > 1:
            mine = mine - mine.mean(axis=0)
            meat += len(mine) / (len(mine) - 1) * mine.T @ mine
    return meat


def _unused(data: Answered, items: tuple[str, ...], told: Coded) -> list[Note]:
    """Whole-number answers between an item's bounds that nobody gave."""
    said = []
    for name, codes, column in zip(items, told.codes, data.columns(items), strict=True):
        low, high = data.minimum[column], data.maximum[column]
        low, high = (low if np.isfinite(low) else codes[0]), (high if np.isfinite(high) else codes[-1])
        if high - low > MOST or (codes % 1).any():
            continue
        absent = sorted(set(np.arange(low, high + 1).tolist()) - set(codes.tolist()))
        if absent:
            listed = ", ".join(names_of(absent))
            en = f"{name}: nobody answered {listed}; its neighbours are treated as adjacent categories."
            zh = f"{name}：无人选择 {listed.replace(', ', '、')}；其相邻类别按相邻处理。"
            said.append(note("N-IRT-UNUSED", en, zh))
    return said


def _doubts(construct: str, items: tuple[str, ...], solved: Solved) -> list[Note]:
    """What a reader must know of a fit: that it did not settle, steep or negative slopes, errors that are absent."""
    said = []
    steep = [i for i, a in zip(items, solved.found.own[:, 0], strict=True) if abs(a) > WIDE]
    if not solved.found.converged:
        en = f"{construct}: the estimates did not settle (gradient {solved.found.gradient:.1e} per row)."
        zh = f"{construct}：估计未收敛（每行梯度 {solved.found.gradient:.1e}）。"
        said.append(note("W-IRT-CONVERGE", en, zh))
    if steep:
        en = f"{', '.join(steep)}: slope above {WIDE:g}; look for items that repeat each other."
        said.append(note("W-IRT-STEEP", en, f"{'、'.join(steep)}：斜率超过 {WIDE:g}；请检查是否有彼此重复的题项。"))
    against = [i for i, a in zip(items, solved.slope, strict=True) if a < 0]
    if against:
        en = f"{', '.join(against)}: negative slope; reverse-coded, or against the scale."
        said.append(note("W-IRT-NEGATIVE", en, f"{'、'.join(against)}：斜率为负；可能为反向题，或与量表方向相反。"))
    if np.isnan(solved.threshold_error[:, 0]).any():
        en = f"{construct}: no standard errors; the information is singular."
        said.append(note("W-IRT-SINGULAR", en, f"{construct}：无标准误；信息矩阵奇异。"))
    return said
