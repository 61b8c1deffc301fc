"""Moment vectors of continuous items with their weights, from rows (WLS, DWLS, robust ULS)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from csi.errors import Problems, Text, problem
from csi.moments.fourth import gamma
from csi.moments.stack import Array, Moments
from csi.sem.implied import template
from csi.sem.least_squares import LeastSquares
from csi.sem.moment_vector import MomentVector, modelled
from csi.sem.prepare import Prepared
from csi.sem.problem import group_sizes

SINGULAR = 1e-10
"""Least eigenvalue of a correlation matrix of moments below which one of them is a function of the others."""


def needs_rows(what: str, zh: str) -> Problems:
    """What is raised when moments alone cannot carry a request."""
    en = f"{what} needs the rows; moments alone do not carry what it takes."
    return Problems(
        [
            problem(
                "E-ROWS",
                "data",
                en,
                f"{zh}需要原始数据行，仅有矩不足以计算。",
                'Fit it from a panel or a frame, or use estimator="ML".',
                '请用面板或数据框拟合，或改用 estimator="ML"。',
            )
        ]
    )


def normal_gammas(prepared: Prepared, *, means: bool) -> list[list[Array]]:
    """Per group and slice the (M, M) asymptotic covariance of the sample moments, from rows.

    Raises:
        Problems: there are no rows.
    """
    out = []
    for group in prepared.groups:
        if group.rows is None:
            raise needs_rows(f"{prepared.method.test} or {prepared.method.se}", "稳健估计")
        slices = (group.rows.of(s) for s in range(len(group.n)))
        given = prepared.layout.table.given
        out.append([gamma(rows, weights, means=means, given=given) for rows, weights, _ in slices])
    return out


def continuous_problem(prepared: Prepared) -> LeastSquares:
    """WLS, DWLS or ULS on means and covariances of continuous items; ULS counts every covariance once, as lavaan does.

    Raises:
        Problems: fewer rows than the weight matrix of WLS has columns.
    """
    means = prepared.layout.means
    vectors: list[MomentVector] = []
    method = prepared.method
    gammas = normal_gammas(prepared, means=means) if method.fitting != "ULS" or method.robust else None
    for g, group in enumerate(prepared.groups):
        p = group.cov.shape[1]
        j, i = np.triu_indices(p)
        covs = group.cov[:, i, j]
        s = np.concatenate([group.mean, covs], axis=1) if means else covs
        if gammas is None:
            vectors.append(MomentVector(s, None, np.ones_like(s)))
            continue
        G, inside = np.stack(gammas[g]), modelled(prepared.layout)
        if method.fitting == "ULS":
            weight = np.ones_like(s)
        elif method.fitting == "WLS":
            weight = np.zeros_like(G)
            weight[:, inside[:, None], inside] = full_weights(prepared, group, G[:, inside[:, None], inside])
        else:
            weight = np.zeros_like(s)
            weight[:, inside] = 1 / np.diagonal(G, axis1=1, axis2=2)[:, inside]
        vectors.append(MomentVector(s, G, weight))
    return least_squares(prepared, vectors)


def full_weights(prepared: Prepared, group: Moments, G: Array) -> Array:
    """(b, M, M) the weight matrices of WLS, inverses of the asymptotic covariances `G` of a group's moments.

    NaN where moments are functions of each other.

    Raises:
        Problems: no more rows than moments, or no slice with a weight matrix.
    """
    ordinal = bool(prepared.layout.table.rules.ordered)
    few = group.n <= G.shape[1]
    if few.any():
        n, size = int(group.n[few].min()), G.shape[1]
        name, of = ("WLS", "moments") if ordinal else ("WLS (ADF)", "fourth moments")
        name_zh = " WLS " if ordinal else " WLS（渐近自由分布）"
        en = f"n = {n} is too few for {name}: its weight matrix of {of} has {size} rows."
        raise _no_weights(en, f"样本量 n = {n} 对{name_zh}过小：其权重矩阵有 {size} 行。", _OTHER[ordinal])
    sd = np.sqrt(np.diagonal(G, axis1=1, axis2=2))
    with np.errstate(divide="ignore", invalid="ignore"):
        alike = np.nan_to_num(G / sd[:, :, None] / sd[:, None, :])
    usable = np.linalg.eigvalsh(alike)[:, 0] > SINGULAR
    if not usable.any():
        raise _no_weights(*_SINGULAR[ordinal])
    out = np.full_like(G, np.nan)
    out[usable] = np.linalg.inv(G[usable])
    return out


def _no_weights(en: str, zh: str, remedy: Text) -> Problems:
    """WLS without a weight matrix."""
    return Problems([problem("E-ADF", "data", en, zh, remedy.en, remedy.zh)])


_OTHER: Final = {
    False: Text('Use estimator="MLR", "MLM" or "DWLS".', '请用 estimator="MLR"、"MLM" 或 "DWLS"。'),
    True: Text('Use estimator="WLSMV" or "ULSMV".', '请用 estimator="WLSMV" 或 "ULSMV"。'),
}
"""Estimators that need no such matrix; of ordinal items (True) or none."""

_SINGULAR: Final = {
    False: (
        (
            "the fourth moments of these variables have no inverse, which would be the weight matrix of WLS (ADF): "
            "the mean and the variance of a variable with two values, for one, are the same piece of information."
        ),
        (
            "这些变量的四阶矩矩阵不可逆，而 WLS（渐近自由分布）以其逆为权重："
            "例如只取两个值的变量，其均值与方差是同一信息。"
        ),
        Text(
            'Use estimator="DWLS" or "MLR", or meanstructure=False.',
            '请用 estimator="DWLS" 或 "MLR"，或 meanstructure=False。',
        ),
    ),
    True: (
        (
            "the thresholds and correlations of these items determine one another in so few answers: their asymptotic "
            "covariance matrix has no inverse, which would be the weight matrix of WLS."
        ),
        "在现有回答下，这些题项的阈值与相关互相决定：其渐近协方差矩阵不可逆，而 WLS 以其逆为权重。",
        _OTHER[True],
    ),
}
"""What is said where there is no inverse, and the remedy."""


def least_squares(prepared: Prepared, vectors: Sequence[MomentVector]) -> LeastSquares:
    """The problem over all groups."""
    rows = group_sizes(prepared.groups)
    pairs = zip(prepared.layout.blocks, prepared.groups, strict=True)
    return LeastSquares(
        layout=prepared.layout,
        vectors=tuple(vectors),
        flats=tuple(template(block, m.cov, m.mean) for block, m in pairs),
        share=(rows - 1) / (rows - 1).sum(axis=1)[:, None],
        informing=rows / rows.sum(axis=1)[:, None],
        total=(rows - 1).sum(axis=1),
        counts=rows - 1,
        linear=prepared.linear,
    )
