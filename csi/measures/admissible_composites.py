"""Findings that need no covariance fit: HTMT, standardised paths with their VIF, from any engine's solution."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from csi.errors import Text
from csi.estimate.estimate import Estimate
from csi.inference.uncertainty import spread
from csi.measures.admissible_paths import of_equation, of_pairs
from csi.measures.findings import Finding, listed
from csi.measures.symptoms import Equation, Pair
from csi.measures.validity import validity, vif
from csi.moments.stack import Array

ROUNDING = 1e-9

FEWEST = 20
"""Replicates with a solution from which a standard error is taken."""

UNCORRECTED = Text("leave the correction out (csi.PLS(), consistent=False)", "去掉校正（csi.PLS()，consistent=False）")
"""Another way out for consistent PLS: scores correlate less than what they stand for."""

TOTAL = Text("read their effects together, by R2", "仅以 R² 合并解读其影响")
"""Another way out for composites."""


def of_solution(est: Estimate, cell: int, place: str) -> list[Finding]:
    """Pairs that are hardly distinct and paths beyond 1 with inflated variances.

    Composites have no latent correlation: theirs are correlations of scores, and only HTMT gates.
    """
    out: list[Finding] = []
    names = est.solution.constructs
    htmt = validity(replace(est, replicates=None)).table  # values alone: their intervals are not asked for
    rows = htmt.height // len(est.values)
    block = htmt.slice(cell * rows, rows)
    where = {n: i for i, n in enumerate(names)}
    cor = est.solution.construct_cor[cell]
    pairs = [
        Pair(a, b, float(cor[where[a], where[b]]), np.nan, np.nan if h is None else float(h))
        for a, b, h in block.select("construct", "other", "htmt").iter_rows()
        if not _within(est, a, b)
    ]
    instead = UNCORRECTED if est.solution.rho is not None else TOTAL
    for equation in _equations(est, cell):
        out += of_equation(equation, cell, place, instead=instead)
    return [*out, *_corrected(est, cell, place), *of_pairs(pairs, cell, place)]


def _within(est: Estimate, one: str, other: str) -> bool:
    """Whether one construct is made of the other, directly or through others."""
    made = {name: {p for whole, p in est.solution.parts if whole == name} for name in (*est.solution.constructs,)}

    def below(name: str) -> set[str]:
        parts = made.get(name, set())
        return parts.union(*(below(p) for p in parts))

    return other in below(one) or one in below(other)


def _corrected(est: Estimate, cell: int, place: str) -> list[Finding]:
    """What correction brought about that cannot be: loadings or rho_A above 1, impossible correlations."""
    flags, solution, out = est.convergence.improper, est.solution, []
    no = Text("", "")

    def here(name: str) -> bool:
        return name in flags and bool(flags[name][cell])

    if here("negative variance") and solution.rho is not None:
        high = [i for i, x in zip(solution.items, solution.loadings[cell], strict=True) if abs(x) > 1 + ROUNDING]
        if solution.part_loadings is not None:
            parts = zip(solution.parts, solution.part_loadings[cell], strict=True)
            high += [part for (_, part), x in parts if abs(x) > 1 + ROUNDING]
        en = f"The error variance of {listed(high)} is negative: a loading beyond 1 (Heywood case)."
        zh = f"{listed(high, 'zh')} 的误差方差为负：载荷的绝对值大于 1（Heywood 情形）。"
        do = Text(
            "Look at the other items of its construct (few, or of uneven weights); compare with csi.PLS() uncorrected.",
            "请检查该构念的其他题项（题项过少或权重悬殊）；可与未校正的 csi.PLS() 对照。",
        )
        out.append(Finding("W-HEYWOOD", "warning", cell, place, tuple(high), Text(en, zh), no, do))
    if here("rho_a above 1") and solution.rho is not None:
        high = [n for n, r in zip(solution.constructs, solution.rho[cell], strict=True) if r > 1 + ROUNDING]
        of, of_zh = (
            (f": {listed(high)}", f"：{listed(high, 'zh')}") if high else (" in an earlier stage", "（前一阶段）")
        )
        en, zh = f"rho_A is above 1{of}.", f"rho_A 大于 1{of_zh}。"
        do = Text("Look at items with uneven weights.", "请检查权重悬殊的题项。")
        out.append(Finding("W-RHO", "warning", cell, place, tuple(high), Text(en, zh), no, do))
    if here("construct correlations not positive definite") or here("construct correlation above 1"):
        en = "Corrected for unreliability, the correlations of the constructs are not positive definite."
        what = Text(en, "校正不可靠性后，构念相关矩阵非正定。")
        why = Text("No variables can correlate like this.", "不存在这样相关的变量。")
        do = Text(
            "Paths and R2 come from them: compare with csi.PLS() uncorrected, or merge constructs.",
            "路径与 R² 由其得出：请与未校正的 csi.PLS() 对照，或合并构念。",
        )
        out.append(Finding("W-COR", "warning", cell, place, (), what, why, do))
    return out


def _equations(est: Estimate, cell: int) -> list[Equation]:
    """The paths of every outcome, with the standard errors of the replicates where there are any."""
    names, solution = est.solution.constructs, est.solution
    cor, paths = solution.construct_cor[cell], solution.paths[cell]
    errors = _errors(est, cell)
    stated = {(p.outcome, p.predictor.name) for p in est.model.paths}
    out = []
    for i, outcome in enumerate(names):
        x = [j for j, n in enumerate(names) if (outcome, n) in stated]
        if not x:
            continue
        part = cor[np.ix_(x, x)]
        inflation = np.ones(1) if len(x) == 1 else np.abs(vif(part[None])[0])
        size = np.nan_to_num(np.abs(np.triu(part, 1)))
        a, b = np.unravel_index(int(size.argmax()), size.shape)
        out.append(
            Equation(
                outcome=outcome,
                latent=True,
                rows=(),
                predictors=tuple(names[j] for j in x),
                std=paths[i, x],
                std_error=errors[i, x],
                vif=inflation,
                r2=float(solution.r2[cell, i]),
                pair=(names[x[int(a)]], names[x[int(b)]]),
                r=float(part[a, b]) if len(x) > 1 else np.nan,
            )
        )
    return out


def _errors(est: Estimate, cell: int) -> Array:
    """(q, q) standard errors of the paths, of replicates that have a solution; NaN without enough of them.

    Standard deviations over random replicates; of the jackknife and of replicate weights as their factors add up.
    """
    drawn, b = est.replicates, len(est.values)
    nothing = np.full(est.solution.paths.shape[1:], np.nan)
    if drawn is None:
        return nothing
    paths, usable = drawn.solution.paths.reshape(-1, b, *nothing.shape)[:, cell], drawn.usable[:, cell]
    if drawn.factors is not None:
        known = np.where(usable[:, None, None], paths, np.nan)
        return np.asarray(spread(known, est.solution.paths[cell], drawn.factors))
    return nothing if usable.sum() < FEWEST else np.asarray(paths[usable].std(axis=0, ddof=1))
