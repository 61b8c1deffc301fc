"""What makes answers unusable for a covariance model, all at once and by name.

A stack of cells goes on without such a cell (`csi.sem.stand_in`); where no cell is left, the user must change it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from csi.errors import Problem, Text, problem
from csi.moments.stack import Array, Moments
from csi.sem.prepare import Prepared
from csi.sem.reasons import looked_at
from csi.sem.repeated import repeated_names
from csi.sem.units import OTHER_UNITS, out_of_reach, said

SAME = 1 - 1e-9
"""Two items with a larger absolute correlation repeat each other."""

BEYOND = 1 + 1e-6
"""Two items with a larger absolute correlation have none: it is beyond 1 by more than printed digits."""

SINGULAR = 1e-10
"""A correlation matrix with a smaller eigenvalue is not positive definite."""


def unusable(prepared: Prepared, cells: pl.DataFrame, missing: str) -> list[Problem]:
    """Items in units out of reach, constant items, items that repeat each other or add up to others, pairs never
    answered together, too few rows; at least one problem.

    Parameters:
        prepared: of cells none of which can be fitted. cells: their key columns. missing: "fiml" needs no rows
            that answer a pair together.
    """
    names = prepared.layout.table.rules.groups
    keys = [" ".join(str(v) for v in row) for row in cells.select(pl.exclude("n")).iter_rows()] or [""]
    found: list[Problem] = []
    for s in range(len(prepared.groups[0].n)):
        places = [
            ", ".join(part for part in (keys[s], f"group {names[g]}" if names else "") if part) or "data"
            for g in range(len(prepared.groups))
        ]
        for group, place in zip(prepared.groups, places, strict=True):
            found += [twice(*pair, place) for pair in repeated_names(prepared, group, s)]
        for group, place in zip(looked_at(prepared), places, strict=False):
            found += _group(group, s, place, apart=missing == "fiml")
    return found or [_indefinite()]


def _indefinite() -> Problem:
    """A covariance matrix that is not positive definite, by less than can be traced to items."""
    en, zh = "the covariance matrix of the items is not positive definite.", "题项的协方差矩阵非正定。"
    do, do_zh = "Leave out items that others almost determine.", "请移除几乎可由其他题项决定的题项。"
    return problem("E-COLLINEAR", "data", en, zh, do, do_zh)


def _group(group: Moments, s: int, place: str, *, apart: bool) -> Iterator[Problem]:
    """Slice `s` of one group."""
    n, p = float(group.n[s]), len(group.names)
    cov = group.cov[s]
    own = np.diagonal(cov)
    if n < 2:
        yield few(place, n, p)
        return
    far = out_of_reach(group)[s]
    if far.any():
        yield Problem("E-UNITS", place, said(group.names, far), OTHER_UNITS)
        return
    impossible = list(no_covariances(group, s, place))
    if impossible:
        yield from impossible
        return
    silent = _silent(group, s)
    constant = [name for name, v in zip(group.names, own, strict=True) if not v > 0 and name not in silent]
    for name in silent:
        en, zh = f"nobody answered item {name}.", f"题项 {name} 无人作答。"
        yield problem("E-EMPTY", place, en, zh, LEAVE_OUT.en, LEAVE_OUT.zh)
    for name in constant:
        value = float(group.mean[s][group.names.index(name)])
        en, zh = f"all answers to item {name} are {value:g}.", f"题项 {name} 的回答全部为 {value:g}。"
        yield problem("E-CONSTANT", place, en, zh, LEAVE_OUT.en, LEAVE_OUT.zh)
    if n <= p:
        yield few(place, n, p)
        return
    keep = [i for i, name in enumerate(group.names) if name not in {*silent, *constant}]
    kept = cov[np.ix_(keep, keep)]
    if not apart or np.isfinite(kept).all():
        yield from dependent(kept, [group.names[i] for i in keep], place)


def no_covariances(group: Moments, s: int, place: str) -> Iterator[Problem]:
    """What keeps a given matrix from being one of covariances: variances that are none, correlations beyond 1.

    Moments of rows have neither, whatever the answers.
    """
    if group.rows is not None:
        return
    cov = group.cov[s]
    own = np.diagonal(cov)
    do, do_zh = "Check the matrix that was given as Moments.", "请检查作为 Moments 给出的矩阵。"
    for name, v in zip(group.names, own.tolist(), strict=True):
        if not np.isfinite(v):
            en, zh = f"the variance of item {name} is not a number.", f"题项 {name} 的方差不是数值。"
            yield problem("E-MOMENTS", place, en, zh, do, do_zh)
        elif v < 0:
            en, zh = f"the variance of item {name} is negative ({v:g}).", f"题项 {name} 的方差为负（{v:g}）。"
            yield problem("E-MOMENTS", place, en, zh, do, do_zh)
    if not (np.isfinite(own).all() and (own > 0).all()):
        return
    R = cov / np.sqrt(np.outer(own, own))
    with np.errstate(invalid="ignore"):
        beyond = np.triu(np.abs(R) > BEYOND, 1)
    for i, j in zip(*np.nonzero(beyond), strict=True):
        a, b, r = group.names[i], group.names[j], f"{R[i, j]:.3f}"
        en = f"the correlation of items {a} and {b} is {r}: this is no matrix of covariances."
        zh = f"题项 {a} 与 {b} 的相关为 {r}：该矩阵不是协方差矩阵。"
        yield problem("E-MOMENTS", place, en, zh, do, do_zh)


LEAVE_OUT = Text(
    "Leave it out of the model, or check its column and its missing codes.",
    "请将其移出模型，或检查其列名与缺失值编码。",
)


def few(place: str, n: float, p: int) -> Problem:
    """Too few rows for the covariances of the items."""
    en = f"n = {n:.0f} rows are too few for the covariances of {p} items: their matrix is not positive definite."
    zh = f"样本量 n = {n:.0f} 不足以估计 {p} 个题项的协方差，协方差矩阵非正定。"
    do = f"At least {p + 1} rows are needed, and many more for standard errors; use fewer items or merge groups."
    return problem("E-FEW", place, en, zh, do, f"至少需要 {p + 1} 行，标准误则需要更多；请减少题项或合并分组。")


def twice(a: str, b: str, place: str) -> Problem:
    """Two items that repeat each other."""
    en, zh = f"items {a} and {b} repeat each other exactly.", f"题项 {a} 与 {b} 完全重复。"
    do, do_zh = "Leave one of them out; was one column exported twice?", "请移除其中之一；是否有一列被重复导出？"
    return problem("E-COLLINEAR", place, en, zh, do, do_zh)


def dependent(cov: Array, names: list[str], place: str) -> Iterator[Problem]:
    """Pairs without common rows, pairs that repeat each other, else items that determine one another."""
    if not names:
        return
    pairs = [(names[i], names[j]) for i, j in zip(*np.nonzero(np.triu(~np.isfinite(cov), 1)), strict=True)]
    if pairs:
        listed = ", ".join(f"{a} – {b}" for a, b in pairs[:6]) + (", ..." if len(pairs) > 6 else "")
        en, zh = f"no two rows answer both items of {listed}.", f"没有两行同时回答下列题项对：{listed}。"
        do, do_zh = 'Use missing="fiml", or leave one of them out.', '请用 missing="fiml"，或移除其中之一。'
        yield problem("E-PAIR", place, en, zh, do, do_zh)
        return
    sd = np.sqrt(np.diagonal(cov))
    R = cov / np.outer(sd, sd)
    same = [(names[i], names[j]) for i, j in zip(*np.nonzero(np.triu(np.abs(R) > SAME, 1)), strict=True)]
    yield from (twice(a, b, place) for a, b in same)
    values, vectors = np.linalg.eigh(R)
    if not same and values[0] < SINGULAR:
        part = [names[k] for k in np.argsort(-np.abs(vectors[:, 0])) if abs(vectors[k, 0]) > 0.1]
        en = f"items {', '.join(part)} determine one another: their covariance matrix is not positive definite."
        zh = f"题项 {'、'.join(part)} 线性相依，协方差矩阵非正定。"
        do, do_zh = "Leave one of them out (is one a sum of others?).", "请移除其中之一（是否有题项为其他题项之和？）。"
        yield problem("E-COLLINEAR", place, en, zh, do, do_zh)


def _silent(group: Moments, s: int) -> set[str]:
    """Items that nobody answered, where the rows are known."""
    if group.rows is None:
        return set()
    rows = group.rows.of(s)[0]
    return {name for j, name in enumerate(group.names) if np.isnan(rows[:, j]).all()}
