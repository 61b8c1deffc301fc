"""`PLS(...)`: settings in, an `Estimate` out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.errors import Note, Problem, Problems, Reason, Text, note, one_of, problem, reason
from csi.estimate.estimate import Convergence, Estimate, Row, Solution
from csi.models.check import check_composites
from csi.models.model import Model
from csi.moments.stack import MOMENTS_ALONE, Array, Ints, Missing, Moments
from csi.pls.algorithm import Design, Solved, solve_stack
from csi.pls.inner import Scheme

CAUSES = ("", "constant item", "collinear", "not converged")
"""Why a slice has no usable solution, by code."""


@dataclass(frozen=True, slots=True)
class PLS:
    """Partial least squares path modelling.

    Modes come from the model: `=~` is mode A, `<~` mode B (a card may say otherwise). Scores have variance 1; estimates
    are standardised.

    Parameters:
        weighting: inner scheme, "path", "factorial" or "centroid".
        missing: treatment of absent answers, "listwise", "pairwise" or "mean".
        tolerance: largest change of a standardised outer weight that counts as settled.
        max_iterations: give up after so many rounds.

    Source: Wold (1982); Lohmöller (1989).
    Agrees: seminr 2.3.4, semPLS 1.0-10, SmartPLS 2 on the ECSI mobile data within 1e-6 (tests/pls).

    Example:
        >>> PLS(weighting="centroid").name
        'PLS (centroid)'
    """

    weighting: Scheme = "path"
    missing: Missing = "listwise"
    tolerance: float = 1e-7
    max_iterations: int = 300

    def __post_init__(self) -> None:
        """All settings are known values.

        Raises:
            Problems: E-SETTING with the closest name.
        """
        found = one_of("weighting", self.weighting, get_args(Scheme)) + one_of("missing", self.missing, MOMENTS_ALONE)
        if not (self.tolerance > 0 and self.max_iterations >= 1):
            en, zh = "tolerance and max_iterations must be positive.", "tolerance 与 max_iterations 必须为正数。"
            found.append(problem("E-SETTING", "PLS", en, zh, "Leave them out for the defaults.", "省略即取默认值。"))
        if found:
            raise Problems(found)

    @property
    def name(self) -> str:
        """Name for tables."""
        return f"PLS ({self.weighting})"

    @property
    def groups(self) -> str | None:
        """No multi-group model: groups are cells of `by`."""
        return None

    def needs(self, model: Model) -> tuple[str, ...]:
        """The columns the model takes from the data: its items."""
        return model.items

    @property
    def causes(self) -> tuple[str, ...]:
        """What the codes of `Convergence.cause` mean."""
        return CAUSES

    @property
    def threads(self) -> bool:
        """Whether `solve` may run in several threads at once."""
        return True

    def solve(self, model: Model, moments: Moments, like: Estimate | None = None) -> Estimate:
        """Fit every slice of `moments`.

        Raises:
            Problems: a model PLS cannot fit (a cycle, an item in two constructs, a construct without items).
        """
        order = item_order(model, moments)
        design = design_of(model)
        reference = None if like is None else _orientation(like)
        with np.errstate(divide="ignore", invalid="ignore"):
            R = moments.cor[:, order[:, None], order]
        solved = solve_stack(R, design, self.weighting, self.tolerance, self.max_iterations, reference)
        solution = _solution(model, design, solved)
        cause = _causes(moments.sd[:, order], solved)
        return Estimate(
            model=model,
            settings=self,
            moments=moments,
            sample=None,
            rows=_rows(model),
            values=_values(solution, design),
            solution=solution,
            convergence=Convergence(
                solved.converged & (cause == 0),
                solved.iterations,
                solved.change,
                {} if like else _reasons(self, design, solved, cause, _of_model(moments, order)),
                cause,
                {"negative weight": _negative(solution)},
            ),
            notes=() if like else (*_unused(model), *_notes(solution, cause, moments.cells)),
        )


def _negative(solution: Solution) -> npt.NDArray[np.bool_]:
    """(b,) True where an outer weight is negative."""
    if solution.weights is None:
        return np.zeros(len(solution.paths), dtype=bool)
    found: npt.NDArray[np.bool_] = np.any(solution.weights < 0, axis=1)
    return found


def _orientation(like: Estimate) -> Array | None:
    """The weights of the cell whose replicates are solved; equal weights where it has none."""
    weights = like.solution.weights
    return None if weights is None or not np.isfinite(weights[0]).all() else weights[0]


def item_order(model: Model, moments: Moments) -> Ints:
    """Positions in `moments` of the model's items, construct by construct.

    Raises:
        Problems: the model cannot be fitted by composites, or items are absent from the moments.
    """
    problems = composite_problems(model)
    position = {name: i for i, name in enumerate(moments.names)}
    items = [i for c in model.constructs for i in c.items]
    problems += [
        problem(
            "E-ROLE",
            f'construct "{c.name}"',
            f'item "{i}" is not among the data.',
            f"数据中没有题项“{i}”。",
            "Check its name in the model and the codebook.",
            "请检查模型与编码簿中的名称。",
        )
        for c in model.constructs
        for i in c.items
        if i not in position and i not in model.names
    ]
    if problems:
        raise Problems(problems)
    return np.array([position[i] for i in items], dtype=np.int64)


def composite_problems(model: Model) -> list[Problem]:
    """What keeps a model from being fitted by PLS: `check_composites`, and constructs made of other constructs."""
    names = set(model.names)
    made = [c.name for c in model.constructs if c.product_of or names & set(c.items)]
    return check_composites(model) + [
        problem(
            "E-PLS",
            f'construct "{name}"',
            "PLS fits constructs measured by items; this one is a product or is made of other constructs.",
            "PLS 目前只拟合由题项直接测量的构念，而该构念是乘积项或由其他构念组成。",
            "Take it out of the model.",
            "请将其移出模型。",
        )
        for name in made
    ]


def design_of(model: Model) -> Design:
    """The model as indices."""
    names = model.names
    number = {name: j for j, name in enumerate(names)}
    arrows = np.zeros((len(names), len(names)), dtype=bool)
    for path in model.paths:
        arrows[number[path.outcome], number[path.predictor.name]] = True
    block = np.repeat(np.arange(len(names)), [len(c.items) for c in model.constructs])
    return Design(block.astype(np.int64), arrows, np.array([c.mode == "B" for c in model.constructs]))


def _solution(model: Model, design: Design, solved: Solved) -> Solution:
    items = tuple(i for c in model.constructs for i in c.items)
    return Solution(
        constructs=model.names,
        items=items,
        block=design.block,
        modes=tuple(c.mode for c in model.constructs),
        weights=solved.weights,
        loadings=solved.cross[:, np.arange(len(items)), design.block],
        cross_loadings=solved.cross,
        paths=solved.paths,
        r2=solved.r2,
        construct_cor=solved.C,
    )


def _rows(model: Model) -> tuple[Row, ...]:
    """Loadings, outer weights, paths, in the order of `_values`."""
    measured = [(c.name, i) for c in model.constructs for i in c.items]
    paths = [(o, p) for o in model.names for p in model.names if p in model.predictors(o)]
    return (
        *(Row(c, "=~", i) for c, i in measured),
        *(Row(c, "<~", i) for c, i in measured),
        *(Row(o, "~", p) for o, p in paths),
    )


def _values(solution: Solution, design: Design) -> Array:
    outcome, predictor = np.nonzero(design.arrows)
    weights = solution.loadings if solution.weights is None else solution.weights
    return np.concatenate([solution.loadings, weights, solution.paths[:, outcome, predictor]], axis=1)


def _causes(sd: Array, solved: Solved) -> Ints:
    """(b,) code into CAUSES."""
    constant = ~(np.isfinite(sd) & (sd > 0)).all(axis=1)
    broken = ~np.isfinite(solved.paths).all(axis=(1, 2)) | ~np.isfinite(solved.weights).all(axis=1)
    return np.select([constant, broken, ~solved.converged], [1, 2, 3], default=0).astype(np.int64)


def _of_model(moments: Moments, order: Ints) -> Moments:
    """The moments of the model's items alone."""
    names = tuple(moments.names[k] for k in order)
    return replace(moments, names=names, mean=moments.mean[:, order], cov=moments.cov[:, order[:, None], order])


def _reasons(settings: PLS, design: Design, solved: Solved, cause: Ints, moments: Moments) -> dict[int, Reason]:
    """Why each failed slice has no usable solution; the moments hold the model's items alone."""
    few = int(design.arrows.sum(axis=1).max()) + 2
    failed = [int(i) for i in np.flatnonzero(cause)]
    return {i: _reason(i, int(cause[i]), solved, moments, few, settings.tolerance) for i in failed}


def _reason(i: int, cause: int, solved: Solved, moments: Moments, few: int, tolerance: float) -> Reason:
    if cause == 1:
        sd = moments.sd[i]
        names = ", ".join(name for name, s in zip(moments.names, sd, strict=True) if not (np.isfinite(s) and s > 0))
        return reason(
            "R-CONSTANT",
            f"all answers to {names} are the same (n = {moments.n[i]:.0f}).",
            f"题项 {names} 的回答全部相同（n = {moments.n[i]:.0f}）。",
        )
    n = f"{moments.n[i]:.0f}"
    if cause == 2 and moments.n[i] <= few:
        return reason(
            "R-FEW",
            f"n = {n} is too few for the model's regressions.",
            f"样本量仅为 {n}，不足以估计模型中的回归。",
        )
    if cause == 2:
        return reason(
            "R-COLLINEAR",
            f"the predictors of a construct, or the items of a mode B block, are collinear (n = {n}).",
            f"某构念的预测构念（或模式 B 区块的题项）共线（n = {n}）。",
        )
    return reason(
        "R-CONVERGE",
        f"no convergence after {solved.iterations[i]} iterations (last change {solved.change[i]:.1e}, tolerance "
        f"{tolerance:.1e}).",
        f"迭代 {solved.iterations[i]} 次仍未收敛（最后变化 {solved.change[i]:.1e}，容差 {tolerance:.1e}）。",
    )


def _unused(model: Model) -> tuple[Note, ...]:
    """A note on what a model text says and composites do not use."""
    terms = [t for c in model.constructs for t in c.indicators] + [p.predictor for p in model.paths]
    said = {
        ("covariances", "协方差"): bool(model.covariances),
        ("intercepts", "截距"): bool(model.intercepts),
        ("constraints", "约束"): bool(model.constraints),
        ("defined parameters", "自定义参数"): bool(model.defined),
        ("thresholds and scaling factors", "阈值与尺度因子"): bool(model.thresholds or model.scalings),
        ("fixed values and start values", "固定值与初始值"): any(
            m.fixed is not None or m.start is not None for t in terms for m in t.modifiers
        ),
    }
    found = [words for words, present in said.items() if present]
    if not found:
        return ()
    en, zh = ", ".join(w[0] for w in found), "、".join(w[1] for w in found)
    return (note("N-PLS-UNUSED", f"PLS does not use the model's {en}.", f"PLS 未使用模型中的{zh}。"),)


def _notes(solution: Solution, cause: Ints, cells: pl.DataFrame) -> tuple[Note, ...]:
    """What a reader must know: failed slices, negative outer weights."""
    notes = []
    if cause.any():
        failed, b, where = int((cause > 0).sum()), cause.size, _named(cells, cause > 0)
        en, zh = f"{failed} of {b} cells have no usable solution", f"{b} 个单元中有 {failed} 个没有可用的解"
        notes.append(note("W-CELLS", f"{en}{where.en}.", f"{zh}{where.zh}。"))
    if solution.weights is not None:
        below = solution.weights < 0
        negative = [f"{solution.items[k]}{_named(cells, below[:, k]).en}" for k in np.flatnonzero(below.any(axis=0))]
        if negative:
            listed = "; ".join(negative)
            en = f"negative outer weight: {listed}. These weights give their construct no index."
            notes.append(note("W-WEIGHT", en, f"外部权重为负：{listed}。由这些权重不能得到该构念的指数。"))
    return tuple(notes)


def _named(cells: pl.DataFrame, chosen: npt.NDArray[np.bool_]) -> Text:
    """The chosen cells in brackets, three at most; nothing for a single unnamed cell."""
    keys = [c for c in cells.columns if c != "n"]
    if not keys:
        return Text("", "")
    rows = [" ".join(str(v) for v in row) for row in cells.select(keys).filter(pl.Series(chosen)).iter_rows()]
    listed = ", ".join(rows[:3]) + (", ..." if len(rows) > 3 else "")
    return Text(f" ({listed})", f"（{listed}）")
