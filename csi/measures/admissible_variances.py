"""Findings about negative variances: what they are, why, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csi.errors import Text
from csi.measures.admissible_patterns import first_look, held_equal, pattern_of
from csi.measures.findings import Finding, listed, number
from csi.measures.symptoms import NEGATIVE, Z95, Rows
from csi.sem.fitted import Fitted

HARDLY = 1.0
"""A negative variance whose standard error exceeds this share of its variable's variance is hardly determined."""


STATED = Text("It is stated, not estimated.", "这是模型的设定，不是估计结果。")
"""Why a variance is negative that the model fixes below 0."""


@dataclass(frozen=True, slots=True)
class Negative:
    """A negative variance: of what, whether sampling error explains it, what is said, why, what to do, how large."""

    name: str
    sampling: bool
    what: Text
    cause: Text
    remedy: Text
    size: float


@dataclass(frozen=True, slots=True)
class _Case:
    """A variance with its error, the variance of its variable, and what kind of variable that is."""

    name: str
    value: float
    se: float
    total: float
    n: float
    latent: bool
    sources: tuple[str, ...]
    fixed: bool

    @property
    def high(self) -> float:
        """Upper end of the 95 % interval."""
        return self.value + Z95 * self.se

    @property
    def hardly(self) -> bool:
        """Whether the data hardly determine it."""
        return self.high >= 0 and self.se > HARDLY * self.total


def of_variances(fit: Fitted, rows: Rows, cell: int, g: int, place: str) -> list[Finding]:
    """Negative variances: sampling error where the interval includes 0, else a model that does not hold."""
    return [_finding(negative_of(fit, rows, at, cell, g), cell, place) for at in negative(fit, rows, cell, g)]


def _finding(found: Negative, cell: int, place: str) -> Finding:
    """A warning where sampling error explains it, else an error."""
    name = (f"{found.name} ~~ {found.name}",)
    if found.sampling:
        return Finding("W-HEYWOOD", "warning", cell, place, name, found.what, found.cause, found.remedy, found.size)
    return Finding("E-HEYWOOD", "error", cell, place, name, found.what, found.cause, found.remedy, found.size)


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


def negative_of(fit: Fitted, rows: Rows, at: int, cell: int, g: int) -> Negative:
    """The negative variance of a row."""
    name = fit.layout.table.rows[at].lhs
    case = _Case(
        name,
        float(rows.value[at]),
        float(rows.std_error[at]),
        _total(fit, name, cell, g),
        sum(float(group.n[cell]) for group in fit.groups),
        name in fit.layout.table.latent,
        _sources(fit, name),
        fit.layout.table.index[at] < 0,
    )
    if case.fixed:
        size = -case.value / (case.total or 1.0)
        return Negative(name, sampling=False, what=_what(case), cause=STATED, remedy=_let_free(name), size=size)
    size = -case.value / (case.total or 1.0)
    sampling = not case.high < 0
    return Negative(name, sampling, _what(case), _why(fit, case, cell, g), _remedy(fit, case, cell, g), size)


def _sources(fit: Fitted, name: str) -> tuple[str, ...]:
    """What explains a latent variable: predictors, and latent variables that it measures."""
    rows = fit.layout.table.rows
    given = [r.rhs for r in rows if r.op == "~" and r.lhs == name]
    return tuple(dict.fromkeys([*given, *(r.lhs for r in rows if r.op == "=~" and r.rhs == name)]))


def _total(fit: Fitted, name: str, cell: int, g: int) -> float:
    """The variance of a variable."""
    block, at = fit.layout.blocks[g], fit.groups[g].at
    if name in block.observed:
        return float(abs(at.Sigma[cell, block.observed.index(name), block.observed.index(name)]))
    j = block.latent.index(name)
    return float(abs(at.Phi[cell, j, j])) or 1.0


def _what(case: _Case) -> Text:
    """What is negative."""
    residual = bool(case.sources) or not case.latent
    kind, kind_zh = ("residual variance", "残差方差") if residual else ("variance", "方差")
    if case.fixed:
        en = f"The model fixes the {kind} of {case.name} at {number(case.value)}: no variance is negative."
        return Text(en, f"模型将 {case.name} 的{kind_zh}固定为 {number(case.value)}：方差不能为负。")
    low, high = number(case.value - Z95 * case.se), number(case.high)
    span, span_zh = (f", 95 % interval {low} to {high}", f"，95% 区间 {low} 至 {high}") if low != "-" else ("", "")
    en = f"The {kind} of {case.name} is negative ({number(case.value)}{span}): a Heywood case."
    return Text(en, f"{case.name} 的{kind_zh}为负（{number(case.value)}{span_zh}）：Heywood 情形。")


def _let_free(name: str) -> Text:
    """What to do about a negative variance that the model states."""
    en = f"Let it be estimated (leave out its fixed value), or write a value of at least 0 ({name} ~~ 1*{name})."
    return Text(en, f"请改为自由估计（去掉固定值），或写不小于 0 的值（{name} ~~ 1*{name}）。")


def _why(fit: Fitted, case: _Case, cell: int, g: int) -> Text:
    """The likely cause, from the interval and the correlations of the items."""
    pattern = _explained(case) if case.latent and case.sources else pattern_of(fit, case.name, cell, g)
    if not np.isfinite(case.se) or case.se == 0:
        en, zh = "Its standard error is not known.", "其标准误未知。"
    elif case.hardly:
        times = number(case.se / case.total)
        en = f"The data hardly determine it (its standard error is {times} times the variance of {case.name})."
        zh = f"数据几乎无法确定它（标准误为 {case.name} 方差的 {times} 倍）。"
    elif case.high >= 0:
        en = f"The interval includes 0: sampling error is enough to explain it (n = {case.n:.0f})."
        zh = f"区间包含 0：抽样误差即可解释（n = {case.n:.0f}）。"
    else:
        en = "The interval excludes 0: sampling error does not explain it; the model does not hold for this variable."
        zh = "区间不含 0：抽样误差不足以解释，说明模型在该变量上不成立。"
    return Text(f"{en} {pattern.en}".strip(), zh + pattern.zh)


def _explained(case: _Case) -> Text:
    """A latent variable that others explain beyond its variance."""
    does = "together explain" if len(case.sources) > 1 else "explains"
    en = f"{listed(case.sources)} {does} more of {case.name} than there is."
    return Text(en, f"{listed(case.sources, 'zh')} 对 {case.name} 的解释超过了其全部方差。")


def _remedy(fit: Fitted, case: _Case, cell: int, g: int) -> Text:
    """What to do about a negative variance."""
    name, x, x_zh = case.name, listed(case.sources), listed(case.sources, "zh")
    two = held_equal(fit, name) if case.hardly else None
    if two is not None:
        return two
    if case.latent and case.sources and case.high >= 0:
        does = "account" if len(case.sources) > 1 else "accounts"
        en = f'Hold it at 0 (bounds="pos.var", or {name} ~~ 0*{name}): {x} then {does} for all of it; or merge them.'
        zh = f'请将其固定在 0（bounds="pos.var" 或 {name} ~~ 0*{name}），即 {name} 全由 {x_zh} 解释；或将它们合并。'
    elif case.latent and case.sources:
        en = f"Merge {name} with what it is nearly the same as ({x}), or drop what overlaps."
        zh = f"请将 {name} 与几乎相同者（{x_zh}）合并，或去掉重叠的部分。"
    elif case.latent and _given(fit, name):
        en = f"Hold it and its covariances at 0 ({name} ~~ 0*{name}): everyone has the same {name}."
        zh = f"请将其方差与协方差固定为 0（{name} ~~ 0*{name}），即所有人的 {name} 相同。"
    elif case.latent:
        en = "Its items do not go together: check their coding (an item may be reversed), or drop the latent variable."
        zh = "其题项彼此不一致：请检查编码方向（可能有反向题），或去掉该潜变量。"
    elif case.high >= 0:
        en = 'Fit with bounds="pos.var", add an item, or hold loadings equal; do not drop the item for this alone.'
        zh = '请用 bounds="pos.var" 拟合、增加题项或令载荷相等；不要仅因此删除题项。'
    else:
        pair = first_look(fit, name, cell, g)
        first, first_zh = (f" ({pair} first)", f"（先看 {pair}）") if pair else ("", "")
        en = f"Look for an omitted residual covariance{first} or cross-loading (csi.modification_indices)"
        en += " before bounding it."
        zh = f"请先检查是否遗漏了残差协方差{first_zh}或交叉载荷（csi.modification_indices），然后再考虑加界。"
    return Text(en, zh)


def _given(fit: Fitted, name: str) -> bool:
    """Whether all loadings of a latent variable are fixed, as those of growth are."""
    loadings = [r for r in fit.layout.table.rows if r.op == "=~" and r.lhs == name]
    return len(loadings) > 2 and not any(r.free for r in loadings)
