"""Findings about latent and residual covariance matrices that cannot be."""

from __future__ import annotations

import numpy as np

from csi.errors import Text
from csi.measures.admissible_variances import Negative, negative, negative_of
from csi.measures.findings import Finding, cor, listed, number
from csi.measures.symptoms import NEGATIVE, Lowest, Pair, Rows, blocks_of, latent_lowest, residual_lowest
from csi.measures.validity import GATE
from csi.sem.fitted import Fitted

NEAR = 0.8
"""Latent correlations from this size on are named where the matrix is not positive definite."""


def of_matrices(fit: Fitted, rows: Rows, pairs: list[Pair], cell: int, g: int, place: str) -> list[Finding]:
    """Latent and residual covariance matrices that are not positive definite."""
    out = []
    latent = latent_lowest(fit, cell, g)
    if latent.value < NEGATIVE:
        out.append(_latent(latent, fit, rows, pairs, cell, g, place))
    residual = residual_lowest(fit, rows, g)
    if residual.value < NEGATIVE:
        en = f"The residual covariance matrix is not positive definite (eigenvalue {number(residual.value)}"
        zh = f"残差协方差矩阵非正定（特征值 {number(residual.value)}"
        what = Text(f"{en}; {listed(residual.names)}).", f"{zh}；涉及 {listed(residual.names, 'zh')}）。")
        cause = Text(
            "Their residual covariances are larger than their residual variances allow.",
            "残差协方差超过了残差方差所允许的范围。",
        )
        do = Text(
            "Drop the largest residual covariance, or let a factor stand for it.",
            "请去掉最大的残差协方差，或改用因子表示。",
        )
        out.append(Finding("E-NPD-RESIDUAL", "error", cell, place, residual.names, what, cause, do, -residual.value))
    return out


def _latent(found: Lowest, fit: Fitted, rows: Rows, pairs: list[Pair], cell: int, g: int, place: str) -> Finding:
    """A latent covariance matrix that cannot be: a negative variance is why where there is one, else correlations."""
    n = sum(float(group.n[cell]) for group in fit.groups)
    en = f"The latent covariance matrix is not positive definite (eigenvalue {number(found.value)}): "
    zh = f"潜变量协方差矩阵非正定（特征值 {number(found.value)}），"
    near = _near(fit, found.names)
    at = [at for at in negative(fit, rows, cell, g) if fit.layout.table.rows[at].lhs in near]
    fails = Text(f"{en}it fails at {listed(found.names)}.", f"{zh}问题出在 {listed(found.names, 'zh')}。")
    if at:
        what = fails
        cause, do = _below([negative_of(fit, rows, i, cell, g) for i in at], fit, pairs)
    else:
        what = Text(
            f"{en}{listed(found.names)} cannot have these correlations together.",
            f"{zh}{listed(found.names, 'zh')} 不可能同时具有这些相关。",
        )
        what = fails if len(found.names) < 2 else what
        cause, do = _together(found, pairs, n)
    return Finding("E-NPD", "error", cell, place, found.names, what, cause, do, -found.value)


def _near(fit: Fitted, names: tuple[str, ...]) -> set[str]:
    """Latent variables, their items, and what they explain or are explained by."""
    rows = [r for r in fit.layout.table.rows if r.op in {"=~", "~"}]
    return set(names) | {r.rhs for r in rows if r.lhs in names and r.op == "=~"}


def _below(found: list[Negative], fit: Fitted, pairs: list[Pair]) -> tuple[Text, Text]:
    """Cause and remedy where variances are negative: those of latent variables first."""
    latent = fit.layout.table.latent
    first, *others = sorted(found, key=lambda v: (v.name not in latent, -v.size))
    en, zh = f"{first.what.en} {first.cause.en}", first.what.zh + first.cause.zh
    if others:
        also = [v.name for v in others]
        en, zh = f"{en} Negative too: {listed(also)}.", f"{zh}同样为负：{listed(also, 'zh')}。"
    close = max((p for p in pairs if first.name in _sides(p, fit)), key=_beyond, default=None)
    if close is None or _beyond(close) < GATE:
        return Text(en, zh), first.remedy
    a, b = close.one, close.other
    en += f" {a} and {b} are nearly one and the same: they correlate {cor(close.value)}{interval_of(close)}."
    zh += f"{a} 与 {b} 几乎是同一事物：相关 {cor(close.value)}{interval_of(close, 'zh')}。"
    do = f"Merge {a} and {b}, drop one, or use PLS (csi.PLS)."
    return Text(en, zh), Text(do, f"请合并 {a} 与 {b}、去掉其一，或改用 PLS（csi.PLS）。")


def _beyond(pair: Pair) -> float:
    """The size of a correlation, 0 where it is not known."""
    return float(abs(np.nan_to_num(pair.value)))


def _sides(pair: Pair, fit: Fitted) -> set[str]:
    """Both latent variables of a pair, and their items."""
    blocks = blocks_of(fit.layout)
    return {pair.one, pair.other, *blocks.get(pair.one, ()), *blocks.get(pair.other, ())}


def _together(found: Lowest, pairs: list[Pair], n: float) -> tuple[Text, Text]:
    """Cause and remedy where correlations do not go together."""
    involved = [p for p in pairs if p.one in found.names and p.other in found.names]
    strongest = sorted(involved or pairs, key=lambda p: -abs(np.nan_to_num(p.value)))[:3]
    top = [p for p in strongest if abs(p.value) >= NEAR] or strongest[:1]
    over = [p for p in top if abs(p.value) > 1]
    said = "; ".join(f"{p.one} with {p.other} {cor(p.value)}{interval_of(p)}" for p in top)
    said_zh = "；".join(f"{p.one} 与 {p.other} {cor(p.value)}{interval_of(p, 'zh')}" for p in top)
    if over:
        cause = Text(f"Correlations beyond 1: {said}.", f"相关超过 1：{said_zh}。")
    elif top and abs(top[0].value) >= GATE:
        cause = Text(
            f"Nearly one and the same (n = {n:.0f}): {said}.", f"它们几乎是同一事物（n = {n:.0f}）：{said_zh}。"
        )
    elif top:
        cause = Text(f"The strongest correlation is {said} (n = {n:.0f}).", f"最强的相关是 {said_zh}（n = {n:.0f}）。")
    else:
        cause = Text("Their covariances are larger than their variances allow.", "其协方差超过了方差所允许的范围。")
    pair = top[0] if top else None
    names, names_zh = (f"{pair.one} and {pair.other}", f"{pair.one} 与 {pair.other}") if pair else ("them", "它们")
    do = f"Merge {names}, drop one, or use PLS (csi.PLS); bounds on variances do not mend it."
    return cause, Text(do, f"请合并 {names_zh}、去掉其一，或改用 PLS（csi.PLS）；对方差加界不能解决。")


def interval_of(pair: Pair, lang: str = "en") -> str:
    """The interval of a correlation in brackets; nothing where there is none."""
    low, high = pair.interval
    if not np.isfinite(low):
        return ""
    return f"（{cor(low)}, {cor(high)}）" if lang == "zh" else f" ({cor(low)}, {cor(high)})"
