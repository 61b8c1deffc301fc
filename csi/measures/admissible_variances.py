"""Findings about negative variances and covariance matrices that cannot be."""

from __future__ import annotations

import numpy as np

from csi.errors import Text
from csi.measures.findings import Finding, cor, listed, number
from csi.measures.symptoms import NEGATIVE, Z95, Lowest, Pair, Rows, blocks_of, latent_lowest, residual_lowest
from csi.moments.stack import Array
from csi.sem.fitted import Fitted

NEAR = 0.8
"""Latent correlations from this size on are named where the matrix is not positive definite."""

HARDLY = 1.0
"""A negative variance whose standard error exceeds this share of its variable's variance is hardly determined."""


def of_variances(fit: Fitted, rows: Rows, cell: int, g: int, place: str) -> list[Finding]:
    """Negative variances: sampling error where the interval includes 0, else a model that does not hold."""
    return [_heywood(fit, rows, at, cell, g, place) for at in negative(fit, rows, cell, g)]


def negative(fit: Fitted, rows: Rows, cell: int, g: int) -> list[int]:
    """Numbers of the rows of negative variances of a group."""
    block = fit.layout.blocks[g]
    total = {n: float(v) for n, v in zip(block.latent, np.diagonal(fit.groups[g].at.Phi[cell]), strict=True)}
    total |= {n: float(v) for n, v in zip(block.observed, np.diagonal(fit.groups[g].at.Sigma[cell]), strict=True)}
    found = []
    for at, row in enumerate(fit.layout.table.rows):
        if row.group == g and row.op == "~~" and row.lhs == row.rhs:
            value = float(rows.value[at])
            if value < NEGATIVE * max(abs(total[row.lhs]), abs(value)):
                found.append(at)
    return found


def _heywood(fit: Fitted, rows: Rows, at: int, cell: int, g: int, place: str) -> Finding:
    """One negative variance."""
    row = fit.layout.table.rows[at]
    value, se = float(rows.value[at]), float(rows.std_error[at])
    low, high = value - Z95 * se, value + Z95 * se
    latent = row.lhs in fit.layout.table.latent
    explained = any(
        (r.op == "~" and r.lhs == row.lhs) or (r.op == "=~" and r.rhs == row.lhs) for r in fit.layout.table.rows
    )
    what = _what(row.lhs, value, (low, high), latent=latent, explained=explained)
    sampling = not high < 0
    en, zh = _why(fit, row.lhs, cell, g, (value, se, high))
    if latent and explained:
        do = "Its predictors explain more than there is: merge or drop predictors that overlap."
        do_zh = "解释变量所解释的超过了全部方差：请合并或去掉重叠的解释变量。"
    elif latent:
        do = "Its items share no variance: check their coding, or drop the latent variable."
        do_zh = "其题项没有共同方差：请检查编码方向，或去掉该潜变量。"
    elif sampling:
        do = 'Fit with bounds="pos.var", add an item, or hold loadings equal; do not drop the item for this alone.'
        do_zh = '请用 bounds="pos.var" 拟合、增加题项或令载荷相等；不要仅因此删除题项。'
    else:
        do = "Look for an omitted residual covariance or cross-loading (csi.modification_indices) before bounding it."
        do_zh = "在加界之前，请先检查是否遗漏了残差协方差或交叉载荷（csi.modification_indices）。"
    code = "W-HEYWOOD" if sampling else "E-HEYWOOD"
    name = f"{row.lhs} ~~ {row.rhs}"
    severity = "warning" if sampling else "error"
    size = -value / (_total(fit, row.lhs, cell, g) or 1.0)
    return Finding(code, severity, cell, place, (name,), what, Text(en, zh), Text(do, do_zh), size)  # type: ignore[arg-type]  # one of the three


def _what(name: str, value: float, interval: tuple[float, float], *, latent: bool, explained: bool) -> Text:
    """What is negative."""
    kind = "residual variance" if not latent or explained else "variance"
    kind_zh = "残差方差" if not latent or explained else "方差"
    low, high = (number(v) for v in interval)
    span, span_zh = (f", 95 % interval {low} to {high}", f"，95 % 区间 {low} 至 {high}") if low != "-" else ("", "")
    en = f"The {kind} of {name} is negative ({number(value)}{span}): a Heywood case."
    return Text(en, f"{name} 的{kind_zh}为负（{number(value)}{span_zh}）：Heywood 情形。")


def _why(fit: Fitted, name: str, cell: int, g: int, numbers: tuple[float, float, float]) -> tuple[str, str]:
    """The likely cause, from the interval and the correlations of the items."""
    _, se, high = numbers
    n = sum(float(group.n[cell]) for group in fit.groups)
    pattern, pattern_zh = _pattern(fit, name, cell, g)
    if not np.isfinite(se) or se == 0:
        return f"Its standard error is not known.{pattern}", f"其标准误未知。{pattern_zh}"
    total = _total(fit, name, cell, g)
    if high >= 0 and se > HARDLY * total:
        en = f"The data hardly determine it (its standard error is {number(se / total)} times the variance of {name})."
        return en + pattern, f"数据几乎无法确定它（标准误为 {name} 方差的 {number(se / total)} 倍）。{pattern_zh}"
    if high >= 0:
        en = f"The interval includes 0: sampling error is enough to explain it (n = {n:.0f})."
        return en + pattern, f"区间包含 0：抽样误差即可解释（n = {n:.0f}）。{pattern_zh}"
    en = "The interval excludes 0: sampling error does not explain it, so the model does not hold for this variable."
    return en + pattern, f"区间不含 0：抽样误差不足以解释，说明模型在该变量上不成立。{pattern_zh}"


def _total(fit: Fitted, name: str, cell: int, g: int) -> float:
    """The variance of a variable."""
    block, at = fit.layout.blocks[g], fit.groups[g].at
    if name in block.observed:
        return float(abs(at.Sigma[cell, block.observed.index(name), block.observed.index(name)]))
    j = block.latent.index(name)
    return float(abs(at.Phi[cell, j, j])) or 1.0


def _pattern(fit: Fitted, name: str, cell: int, g: int) -> tuple[str, str]:
    """How an item goes with the others of its factor, and they with each other."""
    for factor, items in blocks_of(fit.layout).items():
        if name not in items or len(items) < 3:
            if name in items:
                return f" {factor} has only {len(items)} items.", f"{factor} 只有 {len(items)} 个题项。"
            continue
        observed = fit.layout.blocks[g].observed
        R = _correlations(fit.groups[g].cov[cell])
        own, others = observed.index(name), [observed.index(i) for i in items if i != name]
        with_item = float(np.abs(R[own, others]).mean())
        pairs = R[np.ix_(others, others)][np.triu_indices(len(others), 1)]
        among = float(np.abs(pairs).mean())
        en = f" It correlates {cor(with_item)} on average with the other items of {factor}, and they {cor(among)}."
        zh = f"它与 {factor} 其他题项的平均相关为 {cor(with_item)}，而后者之间为 {cor(among)}。"
        return en, zh
    return "", ""


def _correlations(cov: Array) -> Array:
    sd = np.sqrt(np.diagonal(cov))
    return np.asarray(cov / np.outer(sd, sd))


def of_matrices(fit: Fitted, rows: Rows, pairs: list[Pair], cell: int, g: int, place: str) -> list[Finding]:
    """Latent and residual covariance matrices that are not positive definite."""
    out = []
    latent = latent_lowest(fit, cell, g)
    if latent.value < NEGATIVE:
        out.append(_latent(latent, pairs, fit, cell, place))
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


def _latent(found: Lowest, pairs: list[Pair], fit: Fitted, cell: int, place: str) -> Finding:
    """A latent covariance matrix that cannot be."""
    involved = [p for p in pairs if p.one in found.names and p.other in found.names]
    strongest = sorted(involved or pairs, key=lambda p: -abs(np.nan_to_num(p.value)))[:3]
    top = [p for p in strongest if abs(p.value) >= NEAR] or strongest[:1]
    en = f"The latent covariance matrix is not positive definite (eigenvalue {number(found.value)}): "
    zh = f"潜变量协方差矩阵非正定（特征值 {number(found.value)}），"
    what = Text(
        f"{en}{listed(found.names)} cannot have these correlations together.",
        f"{zh}{listed(found.names, 'zh')} 不可能同时具有这些相关。",
    )
    over = [p for p in top if abs(p.value) > 1]
    said = "; ".join(f"{p.one} with {p.other} {cor(p.value)}{interval_of(p)}" for p in top)
    said_zh = "；".join(f"{p.one} 与 {p.other} {cor(p.value)}{interval_of(p, 'zh')}" for p in top)
    n = sum(float(g.n[cell]) for g in fit.groups)
    if over:
        cause = Text(f"Correlations beyond 1: {said}.", f"相关超过 1：{said_zh}。")
    elif top:
        cause = Text(
            f"Nearly one and the same (n = {n:.0f}): {said}.",
            f"它们几乎是同一事物（n = {n:.0f}）：{said_zh}。",
        )
    else:
        cause = Text("A latent variance is negative.", "有潜变量方差为负。")
    pair = top[0] if top else None
    names, names_zh = (f"{pair.one} and {pair.other}", f"{pair.one} 与 {pair.other}") if pair else ("them", "它们")
    do = f"Merge {names}, drop one, or use PLS (csi.PLS); bounds on variances do not mend it."
    do_zh = f"请合并 {names_zh}、去掉其一，或改用 PLS（csi.PLS）；对方差加界不能解决。"
    return Finding("E-NPD", "error", cell, place, found.names, what, cause, Text(do, do_zh), -found.value)


def interval_of(pair: Pair, lang: str = "en") -> str:
    """The interval of a correlation in brackets; nothing where there is none."""
    low, high = pair.interval
    if not np.isfinite(low):
        return ""
    return f"（{cor(low)}, {cor(high)}）" if lang == "zh" else f" ({cor(low)}, {cor(high)})"
