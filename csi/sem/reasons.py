"""Why a slice has no usable solution, and what a reader must know about one that has."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.errors import Note, Reason, note, reason
from csi.moments.stack import Array, Ints, Moments
from csi.sem.clusters import cluster_notes
from csi.sem.compiled import determined
from csi.sem.constrained import stated, violated
from csi.sem.few_categories import few_categories
from csi.sem.optimise import Optimum
from csi.sem.prepare import Prepared
from csi.sem.repeated import repeated_names
from csi.sem.table import given_variables
from csi.sem.units import out_of_reach, said

Flags = npt.NDArray[np.bool_]

CAUSES = ("", "constant item", "not positive definite", "not converged", "too few rows", "empty category", "units",
          "separated answers", "items never answered together")  # fmt: skip


def positive(cov: Array) -> Flags:
    """(b,) True where a covariance matrix is positive definite (on the scale of its correlations)."""
    known = determined(cov)
    if known is not None:
        return known[1]
    sd = np.sqrt(np.maximum(np.diagonal(cov, axis1=1, axis2=2), 1e-300))
    with np.errstate(invalid="ignore"):
        R = cov / (sd[:, :, None] * sd[:, None, :])
    finite = np.isfinite(R).all(axis=(1, 2))
    one = np.arange(R.shape[1])
    held = R if finite.all() else np.where(finite[:, None, None], R, np.eye(one.size))
    held[:, one, one] -= 1e-10
    try:
        np.linalg.cholesky(held)
    except np.linalg.LinAlgError:
        lowest = np.linalg.eigvalsh(held)[:, 0]
        found: Flags = finite & (lowest > 0.0)
        return found
    return np.asarray(finite, dtype=bool)


def reasons_of(prepared: Prepared, best: Optimum, cause: Ints) -> dict[int, Reason]:
    """Why each failed slice has no usable solution."""
    return {int(i): _reason(prepared, best, int(i), int(cause[i])) for i in np.flatnonzero(cause)}


def _reason(prepared: Prepared, best: Optimum, i: int, cause: int) -> Reason:
    """One slice."""
    if cause == 1:
        named = [
            name
            for group in looked_at(prepared)
            for name, v in zip(group.names, np.diagonal(group.cov[i]), strict=True)
            if not v > 0
        ]
        n = sum(float(g.n[i]) for g in prepared.groups)
        silent = {name for g in prepared.groups for name in g.names if _nobody(g, i, name)}
        listed = ", ".join(dict.fromkeys(name for name in named if name not in silent))
        if silent:
            gone = ", ".join(name for name in dict.fromkeys(named) if name in silent)
            return reason("R-NO-ANSWERS", f"nobody answered {gone} (n = {n:.0f}).", f"{gone} 无人作答（n = {n:.0f}）。")
        en, zh = (
            f"all answers to {listed} are the same (n = {n:.0f}).",
            f"题项 {listed} 的回答全部相同（n = {n:.0f}）。",
        )
        return reason("R-CONSTANT", en, zh)
    if cause in _BY_CAUSE:
        return _BY_CAUSE[cause](prepared, i)
    if cause == 4:
        n = min(float(g.n[i]) for g in prepared.groups)
        name, name_zh = (
            ("WLS", " WLS ") if prepared.layout.table.rules.ordered else ("WLS (ADF)", " WLS（渐近自由分布）")
        )
        en, zh = f"n = {n:.0f} rows are too few for {name}.", f"样本量 n = {n:.0f} 对{name_zh}过小。"
        return reason("R-FEW", en, zh)
    missed = violated(prepared, best.phi[i]) or stated(prepared) if prepared.curved else ()
    if missed:
        en = f"no solution was found that meets {', '.join(missed)} ({best.iterations[i]} iterations):"
        zh = f"未能找到满足 {'、'.join(missed)} 的解（迭代 {best.iterations[i]} 次）："
        en += " it may contradict itself, another constraint or the data."
        return reason("R-CONSTRAINT", en, zh + "该约束可能自相矛盾，或与其他约束或数据相矛盾。")
    en = f"no convergence after {best.iterations[i]} iterations (expected drop of -log L {best.drop[i]:.1e})."
    return reason("R-CONVERGE", en, f"迭代 {best.iterations[i]} 次仍未收敛（对数似然的预期下降 {best.drop[i]:.1e}）。")


def categories_of(prepared: Prepared, j: int) -> Array:
    """All answers to the item at place `j`, over groups and cells."""
    cells = [cell[:, j] for g in prepared.groups if g.rows is not None for cell in g.rows.rows]
    answers = np.concatenate(cells)
    return np.unique(answers[~np.isnan(answers)])


def _unused(prepared: Prepared, i: int) -> Reason:
    """The categories without answers in a slice."""
    table = prepared.layout.table
    found = []
    for name, _ in table.rules.ordered:
        j = table.observed.index(name)
        for group in prepared.groups:
            rows, weights, _ = group.rows.of(i) if group.rows is not None else (np.empty((0, j + 1)), np.empty(0), None)
            gone = np.setdiff1d(categories_of(prepared, j), rows[weights > 0, j])
            found += [f"{name} = {value:g}" for value in gone]
    listed = ", ".join(dict.fromkeys(found[:6])) + (", ..." if len(found) > 6 else "")
    return reason("R-CATEGORY", f"nobody answered {listed}, as others do.", f"无人选择 {listed}，而其他单元有人选择。")


def _nobody(group: Moments, i: int, name: str) -> bool:
    """Whether an item has no answer in a slice."""
    return group.rows is not None and bool(np.isnan(group.rows.of(i)[0][:, group.names.index(name)]).all())


def _singular(prepared: Prepared, i: int) -> Reason:
    """Why a covariance matrix is not positive definite: too few rows, doubled items, or sums of others."""
    twins = [pair for group in prepared.groups for pair in repeated_names(prepared, group, i)]
    if twins:
        listed = "; ".join(f"{a} = {b}" for a, b in dict.fromkeys(twins[:5]))
        return reason("R-COLLINEAR", f"items repeat each other ({listed}).", f"题项互相重复（{listed}）。")
    group = next(g for g in looked_at(prepared) if not positive(g.cov[i : i + 1])[0])
    n, p = float(group.n[i]), len(group.names)
    if n <= p:
        en = f"n = {n:.0f} rows are too few for the covariances of {p} items; the matrix is not positive definite."
        return reason("R-FEW", en, f"样本量 n = {n:.0f} 少于估计 {p} 个题项协方差所需，协方差矩阵非正定。")
    sd = np.sqrt(np.diagonal(group.cov[i]))
    R = group.cov[i] / np.outer(sd, sd)
    same = [
        (group.names[a], group.names[b]) for a, b in zip(*np.nonzero(np.triu(np.abs(R) > 1 - 1e-9, 1)), strict=True)
    ]
    if same:
        listed = "; ".join(f"{a} = {b}" for a, b in same[:5])
        en = f"items repeat each other ({listed}); the covariance matrix is not positive definite."
        return reason("R-COLLINEAR", en, f"题项互相重复（{listed}），协方差矩阵非正定。")
    vector = np.linalg.eigh(R)[1][:, 0]
    part = [group.names[k] for k in np.argsort(-np.abs(vector)) if abs(vector[k]) > 0.1][:6]
    en = f"the covariance matrix is not positive definite: {', '.join(part)} determine one another."
    return reason("R-COLLINEAR", en, f"协方差矩阵非正定：{'、'.join(part)} 之间线性相依。")


def looked_at(prepared: Prepared) -> tuple[Moments, ...]:
    """The groups with the items whose covariances must be sound: where ordinal items are conditional on given variables
    these alone, and none where all are ordinal or joint.
    """
    table = prepared.layout.table
    if not table.rules.ordered:
        return prepared.groups
    given = table.exogenous if table.rules.conditional else ()
    return tuple(group.of_items(given) for group in prepared.groups) if given else ()


def _separated(prepared: Prepared, i: int) -> Reason:
    """Ordinal items whose regression on given variables has no maximum."""
    listed = ", ".join(prepared.layout.table.exogenous)
    n = sum(float(g.n[i]) for g in prepared.groups)
    en = f"exogenous predictors ({listed}) tell answers to an item apart without error (n = {n:.0f})."
    return reason("R-SEPARATED", en, f"外生预测变量（{listed}）可将某题项的回答完全区分开（n = {n:.0f}）。")


def _units(prepared: Prepared, i: int) -> Reason:
    """Items of a slice whose moments leave what a computer can hold."""
    spread = [(g.names, far[i]) for g in prepared.groups if (far := out_of_reach(g))[i].any()]
    return Reason("R-UNITS", said(*spread[0]))


def _apart(prepared: Prepared, i: int) -> Reason:
    """Pairs of items whose saturated covariance the answers leave open."""
    pairs = [
        f"{group.names[a]} – {group.names[b]}"
        for group in looked_at(prepared)
        for a, b in np.argwhere(np.triu(~np.isfinite(group.cov[i]), 1)).tolist()
    ]
    listed = ", ".join(dict.fromkeys(pairs[:6])) + (", ..." if len(pairs) > 6 else "")
    en = f"no two rows answer both items of {listed}: the two-stage method has no covariance for them."
    return reason("R-PAIR", en, f"没有两行同时回答下列题项对：{listed}；两阶段法无法得到其协方差。")


_BY_CAUSE = {2: _singular, 5: _unused, 6: _units, 7: _separated, 8: _apart}
"""Code into `CAUSES` -> what says why."""


def notes_of(prepared: Prepared, cause: Ints, cells: pl.DataFrame) -> tuple[Note, ...]:
    """What a reader must know: failed cells, weights that standard errors ignore, items with few categories."""
    notes = []
    if cause.any() and len(cause) > 1:
        keys = [c for c in cells.columns if c != "n"]
        rows = [" ".join(str(v) for v in r) for r in cells.select(keys).filter(pl.Series(cause > 0)).iter_rows()]
        listed = ", ".join(rows[:3]) + (", ..." if len(rows) > 3 else "")
        failed, b = int((cause > 0).sum()), len(cause)
        en, zh = (
            f"{failed} of {b} cells have no usable solution ({listed}).",
            f"{b} 个单元中有 {failed} 个没有可用的解（{listed}）。",
        )
        notes.append(note("W-CELLS", en, zh))
    weighted = any((np.abs(g.sum_w2 * g.n - g.sum_w**2) > 1e-9 * g.sum_w**2).any() for g in prepared.groups)
    if weighted and prepared.method.se == "standard":
        en = 'the answers are weighted and these standard errors do not know it (estimator="MLR" or csi.bootstrap do).'
        zh = '数据带有权重，而该估计方法的标准误未考虑权重（可改用 estimator="MLR" 或 csi.bootstrap）。'
        notes.append(note("N-WEIGHTS", en, zh))
    rules = prepared.layout.table.rules
    free = prepared.linear.N.shape[1]
    notes += cluster_notes(prepared.groups, prepared.method, cells, free, ordinal=bool(rules.ordered))
    return (*notes, *_joint(prepared), *_stated(prepared), *few_categories(prepared))


def _joint(prepared: Prepared) -> tuple[Note, ...]:
    """A note on how an ordinal model takes exogenous predictors: as given, or as variables like the others."""
    table = prepared.layout.table
    named = given_variables(prepared.claim) if table.rules.ordered else ()
    if not named:
        return ()
    listed, listed_zh = ", ".join(named), "、".join(named)
    if table.rules.conditional:
        en = f"all is conditional on exogenous predictors ({listed}): items are regressed on them, by probit where they"
        en += " are ordinal (lavaan's default; conditional_x=False models them jointly)."
        zh = f"结果以外生预测变量（{listed_zh}）为条件：各题项对其回归，有序题项用 probit"
        return (note("N-X-GIVEN", en, f"{zh}（lavaan 的默认做法；conditional_x=False 则联合建模）。"),)
    en = f"exogenous predictors ({listed}) are modelled jointly with the ordinal items, assuming normality"
    zh = f"外生预测变量（{listed_zh}）与有序题项联合建模，并假定其服从正态分布"
    en += " (lavaan: conditional.x = FALSE, fixed.x = FALSE; its default conditions on them)."
    return (note("N-X-JOINT", en, f"{zh}（lavaan 中为 conditional.x = FALSE、fixed.x = FALSE，其默认以它们为条件）。"),)


def _stated(prepared: Prepared) -> tuple[Note, ...]:
    """A note on predictors that an ordinal model would be conditional on, had it not stated moments of theirs."""
    claim, table = prepared.claim, prepared.layout.table
    if not table.rules.conditional:
        return ()
    bare = given_variables(replace(claim, covariances=(), intercepts=()))
    named = [name for name in bare if name not in table.exogenous]
    if not named:
        return ()
    listed, listed_zh = ", ".join(named), "、".join(named)
    en = f"the model states a variance, covariance or mean of {listed}: modelled jointly with the ordinal items,"
    en += " assuming normality, instead of conditioned on (lavaan does so too)."
    zh = (
        f"模型给出了 {listed_zh} 的方差、协方差或均值：与有序题项联合建模并假定正态，不再以其为条件（与 lavaan 一致）。"
    )
    return (note("N-X-STATED", en, zh),)
