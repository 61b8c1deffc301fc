"""From solved weights to an `Estimate`: the rows of its table, what is wrong with a slice, what a reader must know."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.errors import Note, Reason, Text, note, reason
from csi.estimate.estimate import Convergence, Estimate, Solution
from csi.estimate.later import known
from csi.models.model import Model
from csi.moments.linear import inverse
from csi.moments.stack import Array, Ints, Moments
from csi.pls.algorithm import Design, Solved
from csi.pls.blueprint import Blueprint, unused_by_composites
from csi.pls.consistent import ROUNDING, Corrected, Flags, improper

if TYPE_CHECKING:
    from csi.estimate.protocol import Estimator

MOST = 6
"""So many pairs of items are named."""

CAUSES = ("", "constant item", "collinear", "not converged", "negative rho_a")
"""Why a slice has no usable solution, by code."""


def estimate_of(
    settings: Estimator,
    drawn: Blueprint,
    moments: Moments,
    order: Ints,
    solved: Solved,
    found: Corrected | None = None,
    *,
    like: Estimate | None = None,
    tolerance: float = 0.0,
    regressed: Flags | None = None,
) -> Estimate:
    """The estimate of solved weights.

    Parameters:
        drawn: the model. order: positions in `moments` of its items. found: what was corrected for unreliability.
        like: the estimate whose replicates these are; replicates bear no words.
        tolerance: the change that counted as settled. regressed: (q,) blocks whose weights come from a regression on
            their items (mode B where None). Both for the words.
    """
    solution = _solution(drawn, solved, found)
    cause = _causes(moments, order, solved, solution)
    doubted = {} if found is None else improper(found)
    negative = negative_weights(solution)
    flags = {"negative weight": negative} | doubted
    told: tuple[Note, ...] = ()
    reasons: dict[int, Reason] = {}
    if like is None:
        told = _unused(drawn.unused, settings.name)
        told = (*told, *_notes(solution, cause, moments.cells)) if cause.any() or negative.any() else told
        told = told if found is None else (*told, *_doubts(solution, found, doubted, moments.cells))
    if like is None and cause.any():
        design = drawn.design if regressed is None else replace(drawn.design, mode_b=regressed)
        reasons = _reasons(solution, design, solved, cause, _of_model(moments, order), tolerance)
    return Estimate(
        model=drawn.model,
        settings=settings,
        moments=moments,
        sample=None,
        rows=drawn.rows,
        values=_values(solution, drawn),
        solved=known(solution),
        convergence=Convergence(
            solved.converged & (cause == 0), solved.iterations, solved.change, reasons, cause, flags
        ),
        notes=told,
    )


def composite_notes(solution: Solution, cause: Ints, cells: pl.DataFrame, model: Model, name: str) -> tuple[Note, ...]:
    """What the estimator `name` does not use of a model, failed slices, negative outer weights."""
    return (*_unused(unused_by_composites(model), name), *_notes(solution, cause, cells))


def negative_weights(solution: Solution) -> npt.NDArray[np.bool_]:
    """(b,) True where an outer weight is negative."""
    if solution.weights is None:
        return np.zeros(len(solution.paths), dtype=bool)
    found: npt.NDArray[np.bool_] = np.asarray((solution.weights < 0).any(axis=1))
    return found


def _solution(drawn: Blueprint, solved: Solved, found: Corrected | None) -> Solution:
    """The arrays; what was corrected takes the place of what was not."""
    block = drawn.design.block
    own = solved.cross[:, np.arange(block.size), block] if found is None else found.loadings
    last = solved if found is None else found
    return Solution(
        constructs=drawn.model.names,
        items=drawn.items,
        block=block,
        modes=drawn.modes,
        weights=solved.weights,
        loadings=own,
        cross_loadings=solved.cross,
        paths=last.paths,
        r2=last.r2,
        construct_cor=last.C,
        rho=None if found is None else found.rho,
        proxy_cor=None if found is None else solved.C,
    )


def _values(solution: Solution, drawn: Blueprint) -> Array:
    """(b, k) loadings, outer weights, paths."""
    weights = solution.loadings if solution.weights is None else solution.weights
    return np.concatenate([solution.loadings, weights, solution.paths[:, drawn.outcome, drawn.predictor]], axis=1)


def _causes(moments: Moments, order: Ints, solved: Solved, solution: Solution) -> Ints:
    """(b,) code into CAUSES."""
    if solved.converged.all() and np.isfinite(solution.paths).all() and np.isfinite(solved.weights).all():
        return np.zeros(len(solved.converged), dtype=np.int64)
    variance = moments.cov[:, order, order]
    constant = ~(np.isfinite(variance) & (variance > 0)).all(axis=1)
    unsolved = ~np.isfinite(solved.paths).all(axis=(1, 2)) | ~np.isfinite(solved.weights).all(axis=1)
    with np.errstate(invalid="ignore"):
        negative = np.zeros_like(constant) if solution.rho is None else (solution.rho <= 0).any(axis=1)
    broken = unsolved | ~np.isfinite(solution.paths).all(axis=(1, 2))
    kinds = [constant, unsolved, negative, broken, ~solved.converged]
    return np.select(kinds, [1, 2, 4, 2, 3], default=0).astype(np.int64)


def _of_model(moments: Moments, order: Ints) -> Moments:
    """The moments of the model's items alone."""
    names = tuple(moments.names[k] for k in order)
    return replace(moments, names=names, mean=moments.mean[:, order], cov=moments.cov[:, order[:, None], order])


def _reasons(
    solution: Solution, design: Design, solved: Solved, cause: Ints, moments: Moments, tolerance: float
) -> dict[int, Reason]:
    """Why each failed slice has no usable solution; the moments hold the model's items alone."""
    few = int(design.arrows.sum(axis=1).max()) + 2
    found = {}
    for i in np.flatnonzero(cause).tolist():
        code, flat = CAUSES[cause[i]], unvarying(i, moments)
        if flat is not None:
            found[i] = flat
        elif code == "negative rho_a":
            found[i] = _unreliable(i, solution)
        elif code == "not converged":
            found[i] = _unsettled(i, solved, tolerance)
        else:
            found[i] = _few(moments.n[i]) if moments.n[i] <= few else _collinear(i, solution, design, moments)
    return found


def _unreliable(i: int, solution: Solution) -> Reason:
    """A reliability that nothing can be divided by."""
    rho = np.ones(len(solution.constructs)) if solution.rho is None else solution.rho[i]
    names = [f"{name} ({r:.3f})" for name, r in zip(solution.constructs, rho.tolist(), strict=True) if r <= 0]
    en = f"rho_A is not positive, so nothing can be corrected for it: {', '.join(names)}; its items do not go together."
    return reason("R-RHO", en, f"rho_A 不为正，无法据此校正：{'、'.join(names)}；其题项方向不一致。")


def unvarying(i: int, moments: Moments) -> Reason | None:
    """The items of a slice without answers (they have no mean), else without variance, else pairs without a
    covariance; None where all vary together.

    Example:
        >>> S = np.diag([1.0, 0.0])
        >>> print(unvarying(0, Moments.of(["q1", "q2"], S, n=9)).say("en"))
        all answers to q2 are the same (n = 9).
    """
    mean, sd, n = moments.mean[i], moments.sd[i], f"{moments.n[i]:.0f}"
    if moments.missing == "em" and np.isnan(mean).all():  # an item alone without answers spares the others
        en = f"no maximum likelihood moments (EM) of {mean.size} items from n = {n}: too few rows, or collinear items."
        return reason("R-FEW", en, f"无法由 n = {n} 估计 {mean.size} 个题项的极大似然矩（EM）：行数过少或题项共线。")
    silent = ", ".join(name for name, m in zip(moments.names, mean, strict=True) if np.isnan(m))
    if silent:
        return reason("R-NO-ANSWERS", f"nobody answered {silent} (n = {n}).", f"{silent} 无人作答（n = {n}）。")
    names = ", ".join(name for name, s in zip(moments.names, sd, strict=True) if not (np.isfinite(s) and s > 0))
    if not names:
        return _apart(moments.names, moments.cov[i])
    en, zh = f"all answers to {names} are the same (n = {n}).", f"题项 {names} 的回答全部相同（n = {n}）。"
    return reason("R-CONSTANT", en, zh)


def _apart(names: Sequence[str], cov: Array) -> Reason | None:
    """Pairs of items whose answers do not give a covariance; None where all do."""
    pairs = [f"{names[a]} – {names[b]}" for a, b in np.argwhere(np.triu(~np.isfinite(cov), 1)).tolist()]
    if not pairs:
        return None
    more, more_zh = (", ...", "等") if len(pairs) > MOST else ("", "")
    en = f"the correlation of {', '.join(pairs[:MOST])}{more} is unknown: "
    en += "no rows (or none that differ) answer both items."
    zh = f"{'、'.join(pairs[:MOST])}{more_zh} 的相关无从得知：没有行（或只有相同的回答）同时回答两个题项。"
    return reason("R-PAIR", en, zh)


def _few(n: float) -> Reason:
    """Fewer rows than the regressions need."""
    en = f"n = {n:.0f} is too few for the model's regressions."
    return reason("R-FEW", en, f"样本量仅为 {n:.0f}，不足以估计模型中的回归。")


def _collinear(i: int, solution: Solution, design: Design, moments: Moments) -> Reason:
    """Whose items, or whose predictors, are collinear."""
    cor, n = moments.cor[i], f"{moments.n[i]:.0f}"
    spans = [(k, slice(*span)) for k, span in enumerate(design.spans) if design.mode_b[k]]
    blocks = [solution.constructs[k] for k, at in spans if not _solvable(cor[at, at])]
    if blocks:
        en, zh = f"the items of {', '.join(blocks)} are collinear", f"{'、'.join(blocks)} 的题项共线"
        return reason(
            "R-COLLINEAR", f"{en} (n = {n}); their weights cannot be told apart.", f"{zh}（n = {n}），无法区分其权重。"
        )
    score, arrows = solution.score_cor[i], [np.flatnonzero(row) for row in design.arrows]
    outcomes = [solution.constructs[y] for y, k in enumerate(arrows) if k.size and not _solvable(score[np.ix_(k, k)])]
    if outcomes:
        en, zh = f"the predictors of {', '.join(outcomes)} are collinear", f"{'、'.join(outcomes)} 的预测构念共线"
        return reason("R-COLLINEAR", f"{en} (n = {n}).", f"{zh}（n = {n}）。")
    en = f"the predictors of a construct, or the items of a block, are collinear (n = {n})."
    return reason("R-COLLINEAR", en, f"某构念的预测构念（或某区块的题项）共线（n = {n}）。")


def _solvable(A: Array) -> bool:
    """Whether regressions on correlations A (k, k) exist."""
    return bool(np.isfinite(inverse(A[None])).all())


def _unsettled(i: int, solved: Solved, tolerance: float) -> Reason:
    """Weights that were still moving."""
    rounds, change = solved.iterations[i], f"{solved.change[i]:.1e}"
    en = f"no convergence after {rounds} iterations (last change {change}, tolerance {tolerance:.1e})."
    return reason("R-CONVERGE", en, f"迭代 {rounds} 次仍未收敛（最后变化 {change}，容差 {tolerance:.1e}）。")


def _unused(found: Sequence[Text], name: str) -> tuple[Note, ...]:
    """A note on what a model text says and the estimator `name` does not use."""
    if not found:
        return ()
    en, zh = ", ".join(w.en for w in found), "、".join(w.zh for w in found)
    return (note("N-PLS-UNUSED", f"{name} does not use the model's {en}.", f"{name} 未使用模型中的{zh}。"),)


def _notes(solution: Solution, cause: Ints, cells: pl.DataFrame) -> tuple[Note, ...]:
    """What a reader must know: failed slices, negative outer weights."""
    notes = []
    if cause.any():
        failed, b, where = int((cause > 0).sum()), cause.size, _named(cells, cause > 0)
        en, zh = f"{failed} of {b} cells have no usable solution", f"{b} 个单元中有 {failed} 个没有可用的解"
        notes.append(note("W-CELLS", f"{en}{where.en}.", f"{zh}{where.zh}。"))
    below = np.empty((0, 0), dtype=bool) if solution.weights is None else solution.weights < 0
    if below.any():
        negative = [f"{solution.items[k]}{_named(cells, below[:, k]).en}" for k in np.flatnonzero(below.any(axis=0))]
        listed = "; ".join(negative)
        en = f"negative outer weight: {listed}. These weights give their construct no index."
        notes.append(note("W-WEIGHT", en, f"外部权重为负：{listed}。由这些权重不能得到该构念的指数。"))
    return tuple(notes)


def _doubts(solution: Solution, found: Corrected, flags: Mapping[str, Flags], cells: pl.DataFrame) -> tuple[Note, ...]:
    """Loadings and reliabilities above 1 and correlations that cannot be: computed and shown as they are."""
    impossible = flags["construct correlations not positive definite"] & ~found.beyond
    notes = []
    names = solution.constructs
    if found.heywood.any():
        at = np.abs(found.loadings) > 1 + ROUNDING
        listed = _those(at, lambda k: f"{names[solution.block[k]]} - {solution.items[k]}", cells)
        en = f"loading beyond 1 after correction for unreliability: {listed}. The error variance of such an item is"
        zh = f"校正不可靠性后载荷的绝对值大于 1：{listed}。这些题项的误差方差为负（Heywood 情形）；数值未作截断。"
        notes.append(note("W-HEYWOOD", f"{en} negative (Heywood case); nothing was cut.", zh))
    if found.above.any():
        listed = _those(found.rho > 1 + ROUNDING, names.__getitem__, cells)
        en = f"rho_A above 1: {listed}. More than all of the score's variance is the factor's; nothing was cut."
        notes.append(note("W-RHO", en, f"rho_A 大于 1：{listed}。分数方差不可能全部以上来自因子；数值未作截断。"))
    if found.beyond.any():
        one, other = _upper(len(names))
        pairs = np.abs(found.C[:, one, other]) > 1 + ROUNDING
        listed = _those(pairs, lambda at: f"{names[one[at]]} - {names[other[at]]}", cells)
        en = f"correlation beyond 1 after correction for unreliability: {listed}. These factors cannot be told apart."
        notes.append(note("W-COR", en, f"校正不可靠性后相关的绝对值大于 1：{listed}。这些因子无法区分。"))
    if impossible.any():
        where = _named(cells, impossible)
        en = (
            f"corrected for unreliability, the correlations of the constructs are not positive definite{where.en}: no "
            "variables can correlate like this. Paths and R2 are computed from them all the same."
        )
        zh = f"校正不可靠性后，构念相关矩阵非正定{where.zh}：不存在这样相关的变量。路径与 R² 仍据此计算。"
        notes.append(note("W-COR", en, zh))
    return tuple(notes)


def _those(flags: Flags, name: Callable[[int], str], cells: pl.DataFrame) -> str:
    """The names of those flagged in any cell, each with the cells.

    Parameters:
        flags: (b, m). name: what number 0 to m - 1 is called.
    """
    chosen = np.flatnonzero(flags.any(axis=0)).tolist()
    return "; ".join(f"{name(k)}{_named(cells, flags[:, k]).en}" for k in chosen)


@lru_cache(maxsize=64)
def _upper(q: int) -> tuple[Ints, Ints]:
    """Both ends of every pair of q constructs."""
    return np.triu_indices(q, 1)


def _named(cells: pl.DataFrame, chosen: npt.NDArray[np.bool_]) -> Text:
    """The chosen cells in brackets, three at most; nothing for a single unnamed cell."""
    keys = [c for c in cells.columns if c != "n"]
    if not keys:
        return Text("", "")
    rows = [" ".join(str(v) for v in row) for row in cells.select(keys).filter(pl.Series(chosen)).iter_rows()]
    listed = ", ".join(rows[:3]) + (", ..." if len(rows) > 3 else "")
    return Text(f" ({listed})", f"（{listed}）")
