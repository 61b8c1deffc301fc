"""One estimate from the stages of a model with higher-order constructs or products.

Letters: `p` items, `v` variables of the ground, `q` constructs, `m` parts, `b` slices of a stack.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from csi.errors import Note, Reason, note, reason
from csi.estimate.estimate import Convergence, Estimate, Solution
from csi.estimate.later import known
from csi.estimate.protocol import Estimator
from csi.models.model import Model
from csi.moments.linear import solve
from csi.moments.stack import Array, Ints, Moments
from csi.pls.composed_rows import rows_of, values_of
from csi.pls.consistent import ROUNDING
from csi.pls.ground import Ground, reliability, score_weights
from csi.pls.higher_order import Climbed
from csi.pls.outcome import composite_notes, negative_weights, unvarying
from csi.pls.stages import HigherOrder, Levels, levels_of


def assembled(
    settings: Estimator, model: Model, moments: Moments, climbed: Climbed, way: HigherOrder, like: Estimate | None
) -> Estimate:
    """The estimate of the whole model: paths of the last stage, measurement of the stage that measured."""
    levels, last = levels_of(model), climbed.stages[-1]
    solution = _solution(model, levels, climbed, way)
    cause, reasons = _ends(climbed.stages)
    if reasons:  # of the items themselves, not of what repeats them or is made of them
        items = moments.without_rows().of_items(solution.items)
        reasons |= {s: why for s in reasons if (why := _beyond(s, climbed.stages)) is not None}
        reasons |= {s: why for s in reasons if (why := unvarying(s, items)) is not None}
    flags = _flags(climbed.stages) | {"negative weight": negative_weights(solution)}
    told: tuple[Note, ...] = ()
    if like is None:
        stages = [n for est in climbed.stages for n in est.notes if n.code not in _WHOLE]
        told = (*composite_notes(solution, cause, moments.cells, model, last.settings.name), *stages)
        told = (*dict.fromkeys(told), *_notes(model, levels, way))
    return replace(
        last,
        model=model,
        settings=settings,
        moments=moments,
        rows=rows_of(model, solution),
        values=values_of(model, solution),
        solved=known(solution),
        convergence=Convergence(
            np.all([est.convergence.converged for est in climbed.stages], axis=0),
            np.sum([est.convergence.iterations for est in climbed.stages], axis=0),
            last.convergence.change,
            reasons,
            cause,
            flags,
        ),
        notes=told,
    )


_WHOLE = {"W-WEIGHT", "W-CELLS", "N-PLS-UNUSED"}
"""Notes of a stage that are said once of the whole."""


def _ends(stages: Sequence[Estimate]) -> tuple[Ints, dict[int, Reason]]:
    """(b,) the first cause of each slice, and its reason."""
    cause = np.zeros(len(stages[0].values), dtype=np.int64)
    reasons: dict[int, Reason] = {}
    for est in stages:
        own = est.convergence.cause
        if own is None:
            continue
        new = (cause == 0) & (own > 0)
        cause = np.where(new, own, cause)
        reasons |= {s: why for s, why in est.convergence.reasons.items() if new[s]}
    return cause, reasons


def _beyond(s: int, stages: Sequence[Estimate]) -> Reason | None:
    """The pairs of factors that correlate beyond 1 once corrected, of the first stage that has some, else None.

    What is made of them has no weights or no variance, which looks like collinear items to the next stage.
    """
    for est in stages:
        names, found = est.solution.constructs, est.solution
        if found.rho is None:
            continue
        with np.errstate(invalid="ignore"):
            high = np.triu(np.abs(found.construct_cor[s]) > 1 + ROUNDING, 1)
        pairs = [f"{names[j]} - {names[k]}" for j, k in np.argwhere(high).tolist()]
        if pairs:
            en = f"correlation beyond 1 after correction for unreliability: {', '.join(pairs)}. These factors cannot be"
            zh = f"校正不可靠性后相关的绝对值大于 1：{'、'.join(pairs)}。这些因子无法区分，不能由其构成高阶构念。"
            return reason("R-COR", f"{en} told apart, so nothing can be made of them.", zh)
    return None


def _flags(stages: Sequence[Estimate]) -> dict[str, npt.NDArray[np.bool_]]:
    """What is improper in any stage."""
    names = dict.fromkeys(name for est in stages for name in est.convergence.improper)
    nowhere = np.zeros(len(stages[0].values), dtype=bool)
    return {n: np.any([est.convergence.improper.get(n, nowhere) for est in stages], axis=0) for n in names}


def _solution(model: Model, levels: Levels, climbed: Climbed, way: HigherOrder) -> Solution:
    """The arrays of the whole."""
    ground, last = climbed.ground, climbed.stages[-1].solution
    names, items = model.names, ground.names[: ground.items.shape[1]]
    V = _on_ground(names, climbed)
    wide = _wide(ground, V)
    block = np.array([names.index(c.name) for c in model.constructs for i in c.items if i in items], dtype=np.int64)
    parts = _parts(model, levels, climbed)
    proxy = _normal(V, ground.cor)
    arrows = _arrows(model, names)
    spread = _spread(names, climbed)
    base = Solution(
        constructs=names,
        items=items,
        block=block,
        modes=_modes(model, climbed.stages),
        weights=wide[:, np.arange(block.size), block],
        loadings=_latest(climbed.stages, [(names[j], i) for i, j in zip(items, block, strict=True)], "loadings"),
        cross_loadings=ground.cor[:, : len(items)] @ _unit(V, ground.cor),
        paths=np.where(arrows, _placed(names, last.constructs, last.paths), 0.0),
        r2=np.where(arrows.any(axis=1), _placed_row(names, last.constructs, last.r2), np.nan),
        construct_cor=proxy,
        parts=parts,
        wide_weights=wide,
        spread=spread if levels.products else None,
    )
    base = _with_parts(base, climbed, levels, way)
    if last.rho is not None:
        base = _disattenuated(base, climbed, V)
    if base.spread is None:
        return base
    with np.errstate(divide="ignore", invalid="ignore"):
        return replace(base, paths=base.paths / base.spread[:, None, :])


def _on_ground(names: tuple[str, ...], climbed: Climbed) -> Array:
    """(b, v, q) every score's weights on the ground: of the last stage, or of the stage that froze it."""
    ground, last = climbed.ground, climbed.stages[-1]
    V = np.zeros((len(ground.cor), len(ground.names), len(names)))
    for j, name in enumerate(names):
        if name in last.solution.constructs:
            V[:, :, j] = score_weights(ground, last, (name,))[:, :, 0]
        else:
            V[:, ground.at((name,))[0], j] = 1.0
    return V


def _unit(V: Array, R: Array) -> Array:
    """V scaled to variance 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(V / np.sqrt(np.einsum("bvq,bvw,bwq->bq", V, R, V))[:, None, :])


def _normal(V: Array, R: Array) -> Array:
    """(b, q, q) correlations of the scores."""
    U = _unit(V, R)
    found = U.transpose(0, 2, 1) @ R @ U
    k = np.arange(found.shape[1])
    found[:, k, k] = np.where(np.isfinite(found[:, k, k]), 1.0, np.nan)
    return found


def _wide(ground: Ground, V: Array) -> Array:
    """(b, p, q) weights on the items, giving scores of variance 1; 0 for products."""
    wide = ground.items @ V
    p = wide.shape[1]
    variance = np.einsum("bpq,bpr,brq->bq", wide, ground.cor[:, :p, :p], wide)
    linear = np.any(np.nan_to_num(wide, nan=1.0) != 0, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(wide / np.where(linear, np.sqrt(variance), 1.0)[:, None, :])


def _latest(stages: Sequence[Estimate], pairs: Sequence[tuple[str, str]], what: str) -> Array:
    """(b, .) an array of the solutions, each pair (construct, indicator) from the last stage that has it."""
    found = np.full((len(stages[0].values), len(pairs)), np.nan)
    for est in stages:
        solution, values = est.solution, getattr(est.solution, what)
        owners = [solution.constructs[j] for j in solution.block]
        where = {pair: k for k, pair in enumerate(zip(owners, solution.items, strict=True))}
        for m, pair in enumerate(pairs):
            if pair in where:
                found[:, m] = values[:, where[pair]]
    return found


def _parts(model: Model, levels: Levels, climbed: Climbed) -> tuple[tuple[str, str], ...]:
    """(construct, indicator) of higher-order constructs, then of products with several columns."""
    found = [(c.name, part) for c in model.constructs for part in levels.components.get(c.name, ())]
    return (*found, *((name, c) for name, columns in climbed.products.items() if len(columns) > 1 for c in columns))


def _with_parts(base: Solution, climbed: Climbed, levels: Levels, way: HigherOrder) -> Solution:
    """The solution with the weights and loadings of its parts.

    With repeated items a construct is not made of its components' scores: their weights are then its regression on
    them, their loadings its correlations with them.
    """
    weights, loadings = (_latest(climbed.stages, base.parts, what) for what in ("weights", "loadings"))
    whole = {"two-stage": (), "embedded": levels.plain, "repeated": ()}[way]
    if way != "two-stage":
        C = base.construct_cor
        for name, components in levels.components.items():
            if name in whole:
                continue
            j, k = base.constructs.index(name), np.array([base.constructs.index(c) for c in components])
            m = [base.parts.index((name, c)) for c in components]
            loadings[:, m] = C[:, k, j]
            weights[:, m] = solve(C[:, k[:, None], k], C[:, k, j][:, :, None])[:, :, 0]
    return replace(base, part_weights=weights, part_loadings=loadings)


def _disattenuated(base: Solution, climbed: Climbed, V: Array) -> Solution:
    """The solution with the factors' correlations beside those of the scores, and every reliability."""
    ground, last = climbed.ground, climbed.stages[-1]
    names = base.constructs
    own = np.ones((len(V), len(names)))
    rho = own.copy()
    for j, name in enumerate(names):
        if name in last.solution.constructs:
            if last.solution.rho is not None:
                own[:, j] = last.solution.rho[:, last.solution.constructs.index(name)]
            rho[:, j] = reliability(ground, last, (name,), _unit(V[:, :, [j]], ground.cor))[:, 0]
        else:
            rho[:, j] = ground.rho[:, ground.at((name,))[0]]
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(np.where(own > 0, own, np.nan))
        true = _normal(V, ground.true_cor) / (root[:, :, None] * root[:, None, :])
    k = np.arange(len(names))
    true[:, k, k] = base.construct_cor[:, k, k]
    if base.part_loadings is not None:
        for m, (whole, part) in enumerate(base.parts):
            if part in names:
                at = names.index(whole), names.index(part)
                true[:, at[0], at[1]] = true[:, at[1], at[0]] = base.part_loadings[:, m]
    return replace(base, construct_cor=true, proxy_cor=base.construct_cor, rho=rho)


def _spread(names: tuple[str, ...], climbed: Climbed) -> Array:
    """(b, q) spread of each product: of its columns, weighted by the size of their loadings; 1 elsewhere."""
    ground, last = climbed.ground, climbed.stages[-1].solution
    found = np.ones((len(ground.cor), len(names)))
    for name, columns in climbed.products.items():
        mine = np.flatnonzero(last.block == last.constructs.index(name))
        size = np.abs(last.loadings[:, mine])
        sd = ground.sd[:, ground.at(columns)]
        with np.errstate(divide="ignore", invalid="ignore"):
            found[:, names.index(name)] = (size * sd).sum(axis=1) / size.sum(axis=1)
    return found


def _modes(model: Model, stages: Sequence[Estimate]) -> tuple[str, ...]:
    """The mode of each construct in the last stage that estimated it with several indicators, else in the last."""
    found = {c.name: str(c.mode) for c in model.constructs}
    for est in stages:
        count = np.bincount(est.solution.block, minlength=len(est.solution.constructs))
        found |= {n: m for n, m, k in zip(est.solution.constructs, est.solution.modes, count, strict=True) if k > 1}
    return tuple(found[name] for name in model.names)


def _arrows(model: Model, names: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    """(q, q) [outcome, predictor] of the model's own arrows."""
    found = np.zeros((len(names), len(names)), dtype=bool)
    for path in model.paths:
        found[names.index(path.outcome), names.index(path.predictor.name)] = True
    return found


def _placed(names: tuple[str, ...], have: tuple[str, ...], matrix: Array) -> Array:
    """(b, q, q) a matrix over some constructs among all, 0 elsewhere."""
    full = np.zeros((len(matrix), len(names), len(names)))
    kept = [k for k, name in enumerate(have) if name in names]
    at = np.array([names.index(have[k]) for k in kept], dtype=np.int64)
    full[:, at[:, None], at] = matrix[:, np.array(kept)[:, None], kept]
    return full


def _placed_row(names: tuple[str, ...], have: tuple[str, ...], values: Array) -> Array:
    """(b, q) values of some constructs among all, NaN elsewhere."""
    full = np.full((len(values), len(names)), np.nan)
    full[:, [names.index(n) for n in have]] = values
    return full


def _notes(model: Model, levels: Levels, way: HigherOrder) -> list[Note]:
    """How it was done, and what a reader must know about it."""
    found = []
    if levels.components:
        listed = ", ".join(levels.components)
        en, zh = {
            "two-stage": ("disjoint two-stage approach", "分离式两阶段法"),
            "embedded": ("embedded two-stage approach", "嵌入式两阶段法"),
            "repeated": ("repeated indicators", "重复指标法"),
        }[way]
        found.append(note("N-HIGHER", f"higher-order constructs ({listed}): {en}.", f"高阶构念（{listed}）：{zh}。"))
    formed = [n for n in levels.components if model[n].operator == "<~" and model.predictors(n)]
    if way == "repeated" and formed:
        listed = ", ".join(formed)
        en = f"{listed}: its components explain all of it, so arrows into it are about 0 with repeated indicators."
        zh = f"{listed}：使用重复指标时其方差完全由组成构念解释，指向它的路径接近 0。"
        found.append(note("W-REPEATED", f"{en} Use two-stage.", f"{zh}请改用两阶段法。"))
    for name, factors in levels.products.items():
        if len(set(factors)) < len(factors):
            en = f"{name} is the quadratic term of {factors[0]}."
            found.append(note("N-QUADRATIC", en, f"{name} 是 {factors[0]} 的二次项。"))
    if levels.products:
        en = "the path of a product is per unit of the product of standardised scores."
        zh = "乘积项的路径系数以标准化得分之积为单位。"
        found.append(note("N-PRODUCT", en, zh))
    return found
