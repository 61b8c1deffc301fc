"""Findings about separability: latent correlations, HTMT, standardised paths, their errors and collinearity."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from csi.errors import Text
from csi.measures.admissible_items import Weak
from csi.measures.admissible_matrices import interval_of
from csi.measures.findings import Finding, cor, listed, number
from csi.measures.symptoms import Z95, Equation, Pair
from csi.measures.validity import GATE
from csi.moments.stack import Array

Flags = npt.NDArray[np.bool_]

WIDE = 1.0
"""A standard error of a standardised path above this withholds the structural table, with a path not told from 0 or
with a VIF above `INFLATED`.
"""

DOUBTFUL = 0.5
"""With |standardised path| > 1, the same for a standard error above this."""

INFLATED = 10.0
"""With |standardised path| > 1, a VIF above this is evidence alone (Marquardt, 1970, Technometrics 12)."""

ALL = 0.97
"""A latent outcome explained beyond this cannot be told from its predictors."""

TOGETHER = 0.8
"""Predictors that correlate beyond this, or with a VIF above `INFLATED`, are why paths are not determined."""

Z90 = 1.6448536269514722
"""One-sided 95 %."""


def of_pairs(pairs: list[Pair], cell: int, place: str) -> list[Finding]:
    """Pairs of latent variables that are hardly distinct: by the point value a warning, by the upper bound a note."""
    out = []
    for p in pairs:
        r, ratio = abs(p.value), p.htmt
        if r >= GATE or ratio >= GATE:
            out.append(_close(p, cell, place))
        elif r + Z90 * p.std_error >= GATE:
            en = f"{p.one} and {p.other} correlate {cor(p.value)}{interval_of(p)}; the upper bound reaches .90."
            zh = f"{p.one} 与 {p.other} 相关 {cor(p.value)}{interval_of(p, 'zh')}，上限达到 .90。"
            what, no = Text(en, zh), Text("", "")
            out.append(Finding("N-COLL", "fine", cell, place, (p.one, p.other), what, no, no, r))
    return out


def _close(p: Pair, cell: int, place: str) -> Finding:
    """One pair that fails the gate."""
    ratio = f", HTMT {cor(p.htmt)}" if np.isfinite(p.htmt) else ""
    ratio_zh = f"，HTMT {cor(p.htmt)}" if np.isfinite(p.htmt) else ""
    kind, kind_zh = ("latent correlation", "潜变量相关") if np.isfinite(p.std_error) else ("correlation", "相关")
    en = f"{p.one} and {p.other} are hardly distinct: {kind} {cor(p.value)}{interval_of(p)}{ratio}."
    zh = f"{p.one} 与 {p.other} 难以区分：{kind_zh} {cor(p.value)}{interval_of(p, 'zh')}{ratio_zh}。"
    low, high = p.interval
    if abs(p.value) >= GATE and low <= 1 <= high:
        cause, cause_zh = "The interval includes 1: they may be one construct.", "区间包含 1：两者可能是同一构念。"
    elif abs(p.value) < GATE:
        cause = "Their items correlate across as highly as within."
        cause_zh = "题项跨构念的相关与构念内部的相关一样高。"
    elif abs(p.value) > 1:
        cause, cause_zh = "No two variables correlate beyond 1.", "任何两个变量的相关都不可能超过 1。"
    else:
        share = number(100 * p.value**2)
        cause, cause_zh = f"They share {share} % of their variance.", f"两者共享 {share}% 的方差。"
    do = "Read the paths of these two beside this number; merge them where theory allows."
    do_zh = "请结合该数值解读两者的路径；理论允许时可合并。"
    why, remedy, size = Text(cause, cause_zh), Text(do, do_zh), float(np.nanmax([abs(p.value), p.htmt]))
    return Finding("W-COLL", "warning", cell, place, (p.one, p.other), Text(en, zh), why, remedy, size)


USE_PLS = Text("use PLS (csi.PLS)", "改用 PLS（csi.PLS）")
"""Another way out for a covariance fit."""


def of_equation(
    e: Equation, cell: int, place: str, weak: Callable[[], Weak | None] = lambda: None, instead: Text = USE_PLS
) -> list[Finding]:
    """Paths that must not be read, or only with care.

    Parameters:
        weak: looks up the item of its variables that goes least with the others of its own. instead: what to fit where
            merging does not do.
    """
    size = np.abs(np.nan_to_num(e.std))
    bad = unreadable(e.std, e.std_error, e.vif)
    out = []
    if bad.any():
        out.append(_inseparable(e, np.flatnonzero(bad).tolist(), cell, place, weak(), instead))
    elif e.latent and e.r2 > ALL:
        out.append(_explained(e, cell, place, instead))
    large = np.flatnonzero((size > 1) & ~bad)
    if large.size and not bad.any() and not (e.latent and e.r2 > ALL):
        told, told_zh = _paths(e, large.tolist())
        what = Text(f"A standardised path exceeds 1: {told}.", f"有标准化路径超过 1：{told_zh}。")
        en = "That may be right where predictors correlate (Jöreskog, 1999) or variables explain each other; "
        zh = "预测变量相关（Jöreskog, 1999）或变量互为因果时可能是正当的；标准误与 VIF 未提示异常。"
        en += "standard errors and VIF give no alarm."
        do = Text("Read it with the correlations of the predictors.", "请结合预测变量之间的相关解读。")
        out.append(
            Finding("W-PATH", "warning", cell, place, _names(e, large.tolist()), what, Text(en, zh), do, size.max())
        )
    return out


def unreadable(std: Array, std_error: Array, vif: Array) -> Flags:
    """Which standardised paths the data do not determine; neither size nor standard error is evidence alone.

    |b| > 1 and VIF > 10;  or |b| > 1 and SE > .5, or SE > 1, where b is not told from 0 or VIF > 10.

    Parameters:
        std, std_error, vif: (x,) paths of one outcome, all variables standardised; NaN where not known.

    Source:
        Deegan (1978), Educational and Psychological Measurement 38 (standardised paths beyond 1 can be right).

    Example:
        >>> unreadable(np.array([2.0, 2.0, 0.4]), np.array([0.7, 10.8, 1.2]), np.array([1.04, 88.0, 1.2])).tolist()
        [False, True, True]
    """
    size = np.abs(np.nan_to_num(std))
    inflated = vif > INFLATED
    wide = (std_error > WIDE) | ((size > 1) & (std_error > DOUBTFUL))
    return np.asarray((inflated & (size > 1)) | (wide & (inflated | (size < Z95 * std_error))))


def _names(e: Equation, at: list[int]) -> tuple[str, ...]:
    """Rows as `outcome ~ predictor`."""
    return tuple(f"{e.outcome} ~ {e.predictors[i]}" for i in at)


def _paths(e: Equation, at: list[int]) -> tuple[str, str]:
    """Paths with their standard errors."""
    told, told_zh = [], []
    for i in at:
        name, value, se = f"{e.outcome} ~ {e.predictors[i]}", number(e.std[i]), number(e.std_error[i])
        known = np.isfinite(e.std[i])
        told.append(f"{name} = {value} (SE {se})" if known else f"{name} has no standardised value")
        told_zh.append(f"{name} = {value}（SE {se}）" if known else f"{name} 没有标准化值")
    return "; ".join(told), "；".join(told_zh)


def _inseparable(e: Equation, at: list[int], cell: int, place: str, weak: Weak | None, instead: Text) -> Finding:
    """Paths that explode."""
    told, told_zh = _paths(e, at)
    worst = float(np.max(e.vif, where=np.isfinite(e.vif), initial=0.0)) or np.nan
    several = len(e.predictors) > 1
    if several and (abs(e.r) > TOGETHER or worst > INFLATED):
        x = listed(list(e.predictors))
        x_zh = listed(list(e.predictors), "zh")
        en, zh = f"{told}: {x} are not separable here.", f"{told_zh}：{x_zh} 在此无法区分。"
        known = np.isfinite(worst)
        cause = f"{e.pair[0]} and {e.pair[1]} correlate {cor(e.r)}"
        cause += f" (largest VIF {number(worst)})." if known else "."
        cause_zh = f"{e.pair[0]} 与 {e.pair[1]} 相关 {cor(e.r)}"
        cause_zh += f"（最大 VIF {number(worst)}）。" if known else "。"
        do = f"Merge {e.pair[0]} and {e.pair[1]}, drop one, or {instead.en}."
        do_zh = f"请合并 {e.pair[0]} 与 {e.pair[1]}、去掉其一，或{instead.zh}。"
    else:
        en, zh = f"{told}: the data do not determine it.", f"{told_zh}：数据无法确定。"
        cause, cause_zh = _span(e, at, worst)
        do, do_zh = _look(weak)
    what = Text(f"{en} Structural table withheld.", f"{zh}结构路径表不予显示。")
    size = float(np.nanmax([*e.std_error[at], *np.abs(e.std[at])]))
    return Finding("E-COLL", "error", cell, place, _names(e, at), what, Text(cause, cause_zh), Text(do, do_zh), size)


def _look(weak: Weak | None) -> tuple[str, str]:
    """What to look at where the data do not determine a path."""
    if weak is None:
        return "Look at weak items of these variables and at the identification.", "请检查相关变量的弱题项与识别情况。"
    r = cor(weak.r)
    en = f"Look at the identification and at weak items: least at home is {weak.item} in {weak.factor}"
    zh = f"请检查识别情况与弱题项：最弱的是 {weak.factor} 的 {weak.item}"
    return f"{en} (correlation with the sum of its others {r}).", f"{zh}（与其余题项之和的相关为 {r}）。"


def _span(e: Equation, at: list[int], worst: float) -> tuple[str, str]:
    """How far the interval of the widest of some paths reaches."""
    i = at[int(np.argmax(np.nan_to_num(e.std_error[at])))]
    se = e.std_error[i]
    if not np.isfinite(se):
        return f"The largest VIF is {number(worst)}.", f"最大 VIF 为 {number(worst)}。"
    low, high = number(e.std[i] - Z95 * se), number(e.std[i] + Z95 * se)
    name = _names(e, [i])[0]
    en = f"The 95 % interval of the standardised {name} reaches from {low} to {high} (largest VIF {number(worst)})."
    return en, f"标准化路径 {name} 的 95% 区间为 {low} 至 {high}（最大 VIF {number(worst)}）。"


def _explained(e: Equation, cell: int, place: str, instead: Text) -> Finding:
    """A latent outcome that is its predictors."""
    x, x_zh = listed(list(e.predictors)), listed(list(e.predictors), "zh")
    en = f"R2 of {e.outcome} is {cor(e.r2)}: it cannot be told from {x}. Structural table withheld."
    zh = f"{e.outcome} 的 R2 为 {cor(e.r2)}：无法与 {x_zh} 区分。结构路径表不予显示。"
    if len(e.predictors) == 1:
        cause = f"The two correlate {cor(float(np.sign(e.std[0]) * np.sqrt(max(e.r2, 0.0))))}."
        cause_zh = f"两者相关 {cor(float(np.sign(e.std[0]) * np.sqrt(max(e.r2, 0.0))))}。"
    else:
        rest = number(100 * (1 - e.r2))
        cause = (
            f"Its disturbance is {rest} % of its variance." if e.r2 < 1 else f"Its disturbance is negative ({rest} %)."
        )
        cause_zh = f"其扰动方差仅占总方差的 {rest}%。" if e.r2 < 1 else f"其扰动方差为负（{rest}%）。"
    one = len(e.predictors) == 1
    do = f"Merge {e.outcome} with {x if one else 'what explains it'}, or {instead.en}."
    do_zh = f"请将 {e.outcome} 与{' ' + x if one else '解释它的构念'}合并，或{instead.zh}。".replace(
        f"{x}合", f"{x} 合"
    )
    every = _names(e, list(range(len(e.predictors))))
    why, remedy = Text(cause, cause_zh), Text(do, do_zh)
    return Finding("E-COLL", "error", cell, place, every, Text(en, zh), why, remedy, e.r2)
