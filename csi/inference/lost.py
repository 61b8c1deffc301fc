"""What resampling lost: replicates without a solution, and solutions that are improper.

Letters: `B` replicates, `b` cells.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from csi.errors import Note, Text, note
from csi.estimate.estimate import Estimate, Replicates
from csi.moments.stack import Array

HEAVY = 0.05
"""Beyond this share of replicates without a solution, intervals no longer describe all resamples."""

_CAUSE_ZH = {
    "constant item": "题项无变异",
    "negative rho_a": "rho_A 不为正",
    "collinear": "共线",
    "not converged": "未收敛",
    "not positive definite": "协方差矩阵非正定",
    "too few rows": "样本量过小",
    "empty category": "某类别无人选择",
    "failed": "无解",
}

_KEPT_ZH = {
    "negative weight": "出现负权重",
    "negative variance": "出现负方差",
    "latent covariances not positive definite": "潜变量协方差矩阵非正定",
    "rho_a above 1": "rho_A 大于 1",
    "construct correlation above 1": "构念相关绝对值大于 1",
    "construct correlations not positive definite": "构念相关矩阵非正定",
}
"""Solutions that should not look like this, but are solutions."""


def lost_share(replicates: Replicates) -> Array:
    """(b,) share of the replicates of each cell that have no solution; NaN for cells of one resampling unit."""
    return np.where(replicates.units > 1, (~replicates.usable).mean(axis=0), np.nan)


def improper_share(replicates: Replicates) -> Array:
    """(b,) share of the solved replicates of each cell whose solution is improper, such as a negative variance.

    NaN where no replicate has a solution.
    """
    improper = (replicates.usable & ~replicates.admissible).sum(axis=0)
    solved = replicates.usable.sum(axis=0)
    return np.where(solved > 0, improper / np.maximum(solved, 1), np.nan)


def counted(est: Estimate, replicates: Replicates) -> tuple[Note, ...]:
    """How many replicates ended how, after a warning where the loss is heavy.

    Parameters:
        est: what was resampled; cells without a solution of their own are not warned about.
    """
    total = replicates.usable.size
    left = replicates.improper == "drop"
    by_cause = replicates.counts.group_by("cause", maintain_order=True).agg(pl.col("replicates").sum())
    return (
        *_heavy(est, replicates),
        *(
            note(
                "N-REPLICATES",
                f"{count} of {total} replicates: {cause} ({'kept' if cause in _KEPT_ZH and not left else 'left out'}).",
                f"{total} 次重抽样中有 {count} 次：{_zh(cause)}"
                f"（{'保留并计数' if cause in _KEPT_ZH and not left else '不计入区间'}）。",
            )
            for cause, count in by_cause.iter_rows()
        ),
    )


def outside(names: Sequence[str], value: Array, low: Array, high: Array) -> tuple[Note, ...]:
    """A warning on estimates that lie outside their own interval, which the resamples then do not describe.

    Parameters:
        names: m. value, low, high: (m,); NaN where there is none.

    Example:
        >>> [n.code for n in outside(["a", "b"], np.array([0.5, 0.5]), np.array([0.1, 0.6]), np.array([0.9, 0.9]))]
        ['W-INTERVAL']
    """
    room = 1e-9 * (1 + np.abs(value))
    with np.errstate(invalid="ignore"):
        at = np.flatnonzero((value < low - room) | (value > high + room))
    if not at.size:
        return ()
    most = ", ..." if at.size > MOST else ""
    listed = ", ".join(names[i] for i in at[:MOST]) + most
    en = f"the estimate lies outside its own interval: {listed}. The resamples are centred elsewhere (bias, or an"
    zh = f"估计值落在自身区间之外：{listed}。重抽样的中心与估计值不同（有偏，或解不恰当），该区间不能说明估计值的精度。"
    return (note("W-INTERVAL", f"{en} improper solution); the interval does not say how exact the estimate is.", zh),)


MOST = 6
"""Names listed in a warning."""


def causes_of(replicates: Replicates, cell: int, *, kept: bool) -> Text:
    """Why replicates of a cell were lost, or what is improper about those kept: "not converged 12, ..."."""
    improper = list(_KEPT_ZH) if replicates.improper == "keep" else []
    here = replicates.counts.filter(pl.col("cell") == cell, pl.col("cause").is_in(improper) == kept)
    rows = list(here.select("cause", "replicates").iter_rows())
    en = ", ".join(f"{cause} {count}" for cause, count in rows)
    return Text(en, "，".join(f"{_zh(cause)} {count} 次" for cause, count in rows))


def cause_zh(cause: str) -> str:
    """A cause in Chinese, with what stands behind it in brackets.

    Example:
        >>> cause_zh("constant item (q1)")
        '题项无变异 (q1)'
    """
    name, bracket, rest = cause.partition(" (")
    return f"{_zh(name)}{bracket}{rest}"


def _zh(cause: str) -> str:
    """A cause in Chinese."""
    return (_CAUSE_ZH | _KEPT_ZH).get(cause, cause)


def _heavy(est: Estimate, replicates: Replicates) -> tuple[Note, ...]:
    """A warning on cells that lose more than a few of their replicates."""
    share = np.where(np.isfinite(est.values).any(axis=1), lost_share(replicates), np.nan)
    heavy = np.flatnonzero(share > HEAVY)
    if not heavy.size:
        return ()
    worst = f"{100 * share[heavy].max():.0f}"
    en, zh = f"{worst} % of the replicates have no solution", f"{worst}% 的重抽样无解"
    if share.size > 1:
        en = f"in {heavy.size} of {share.size} cells more than {100 * HEAVY:.0f} % of the replicates have no solution"
        en += f" (at worst {worst} %)"
        zh = f"{share.size} 个单元中有 {heavy.size} 个，其重抽样无解的比例超过 {100 * HEAVY:.0f}%（最高 {worst}%）"
    return (
        note(
            "W-REPLICATES",
            f"{en}. Intervals and standard errors describe only the resamples that have one, and may be too"
            " narrow. Such a loss usually means that the model is nearly not identified in these data: see csi.verify.",
            f"{zh}。区间与标准误只反映有解的重抽样，可能偏窄。通常是因为模型在这些数据中接近不可识别，见 csi.verify。",
        ),
    )
