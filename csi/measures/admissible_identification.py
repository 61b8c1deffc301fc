"""Findings about identification: of the model, and of the model with these data; convergence; size of the sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csi.errors import Text
from csi.measures.admissible_search import flattest, named, relation_of
from csi.measures.findings import Finding, listed, number
from csi.measures.symptoms import condition
from csi.sem.fitted import Fitted
from csi.sem.identification import Rank, generic_rank, rank_at
from csi.sem.layout import Layout
from csi.sem.table import Parameter

EMPIRICAL = 1e-6
"""A relative singular value of the moments' jacobian below this at the solution: these data do not identify it."""

FLAT = 1e-10
"""An eigenvalue of the information (scaled to a unit diagonal) below this: the likelihood is flat in its direction."""

RIDGE = 1e5
"""A condition number of the estimates' correlations above this: some of them are hardly told apart."""

PER_PARAMETER = 5
"""Rows per free parameter below which a note stands (Bentler & Chou, 1987, Sociological Methods & Research 16)."""


@dataclass(frozen=True, slots=True)
class Story:
    """Why, and what to do."""

    cause: Text
    remedy: Text


def of_model(fit: Fitted, cell: int, place: str) -> list[Finding]:
    """Parameters that no data could determine."""
    rank = generic_rank(fit.layout, fit.linear)
    if rank.identified:
        return []
    m, k, r = fit.df + fit.npar, rank.parameters, rank.rank
    en = f"The model is not identified: {m} moments determine {r} of {k} free parameters, and not {listed(rank.names)}"
    zh = f"模型不可识别：{m} 个矩只能确定 {k} 个自由参数中的 {r} 个，无法确定 {listed(rank.names, 'zh')}"
    df, df_zh = (f" (df = {fit.df}).", f"（df = {fit.df}）。") if fit.df < 0 else (".", "。")
    story = why_unidentified(fit.layout, rank, fit.df)
    return [Finding("E-IDENT", "error", cell, place, rank.names, Text(en + df, zh + df_zh), story.cause, story.remedy)]


def why_unidentified(layout: Layout, rank: Rank, df: int) -> Story:
    """The likely cause: a latent variable without a unit, with too few items, with a free origin; too few moments."""
    moved = set(rank.at)
    for name in layout.table.latent:
        rows = [(r, at) for r, at in zip(layout.table.rows, layout.table.index, strict=True) if r.group == 0]
        loadings = [(r, at) for r, at in rows if r.op == "=~" and r.lhs == name]
        own = next((at for r, at in rows if r.op == "~~" and r.lhs == r.rhs == name), -1)
        story = _unit(name, loadings, own, moved) or _few(name, loadings, rows, moved) or _origin(name, rows, moved)
        if story:
            return story
    if df < 0:
        more = "is 1 free parameter" if df == -1 else f"are {-df} free parameters"
        en = f"There {more} more than moments (means, variances and covariances)."
        zh = f"自由参数比矩（均值、方差、协方差）多 {-df} 个。"
        return Story(
            Text(en, zh), Text("Fix or equate parameters, or add items.", "请固定或等同部分参数，或增加题项。")
        )
    en = "These parameters trade off against each other: changing them together changes nothing that is observed."
    zh = "这些参数可以互相替代：同时改变它们，观测矩并不改变。"
    do, do_zh = (
        "Fix or equate one of them, or add a relation or an item that tells them apart.",
        ("请固定或等同其中一个，或增加能够区分它们的关系或题项。"),
    )
    return Story(Text(en, zh), Text(do, do_zh))


def _unit(name: str, loadings: list[tuple[Parameter, int]], own: int, moved: set[int]) -> Story | None:
    """A latent variable whose loadings and variance are all free."""
    free = own in moved and loadings and all(at in moved for _, at in loadings)
    if not free:
        return None
    first = loadings[0][0].rhs
    en = f"{name} has no unit: its variance and all of its {len(loadings)} loadings are free."
    zh = f"{name} 没有单位：其方差与全部 {len(loadings)} 个载荷都是自由的。"
    do = f"Fix one of them: {name} =~ 1*{first}, or {name} ~~ 1*{name}."
    return Story(Text(en, zh), Text(do, f"请固定其一：{name} =~ 1*{first}，或 {name} ~~ 1*{name}。"))


def _few(
    name: str, loadings: list[tuple[Parameter, int]], rows: list[tuple[Parameter, int]], moved: set[int]
) -> Story | None:
    """A latent variable with one or two items and nothing else to go by."""
    items = {r.rhs for r, _ in loadings}
    touched = any(at in moved for r, at in loadings) or any(
        at in moved for r, at in rows if r.op == "~~" and r.lhs == r.rhs and (r.lhs in items or r.lhs == name)
    )
    if not touched or len(items) > 2 or not items:
        return None
    if len(items) == 1:
        item = next(iter(items))
        en = f"{name} has one item, whose variance cannot be split into {name} and error."
        zh = f"{name} 只有一个题项，无法将其方差拆分为 {name} 与误差。"
        do = f"State its error variance ({item} ~~ 0*{item}, or (1 - reliability) times its variance), or add items."
        do_zh = f"请给定误差方差（{item} ~~ 0*{item}，或（1 − 信度）乘以题项方差），或增加题项。"
        return Story(Text(en, zh), Text(do, do_zh))
    related = any(
        (r.free or r.fixed) and name in (r.lhs, r.rhs) and r.lhs != r.rhs for r, _ in rows if r.op in {"~", "~~"}
    ) or any(r.rhs == name for r, _ in rows if r.op == "=~")
    if related:
        return None
    a, b = sorted(items, key=[r.rhs for r, _ in loadings].index)
    en = f"{name} has two items and no relation to anything else: one covariance cannot give two loadings."
    zh = f"{name} 只有两个题项，且与其他变量没有关系：一个协方差无法确定两个载荷。"
    do = f"Add a third item or a relation, or hold the loadings equal: {name} =~ 1*{a} + 1*{b}."
    do_zh = f"请增加第三个题项或与其他变量的关系，或令载荷相等：{name} =~ 1*{a} + 1*{b}。"
    return Story(Text(en, zh), Text(do, do_zh))


def _origin(name: str, rows: list[tuple[Parameter, int]], moved: set[int]) -> Story | None:
    """A latent mean that is free beside all intercepts."""
    if not any(r.op == "~1" and r.lhs == name and at in moved for r, at in rows):
        return None
    en = f"{name} has no origin: its mean is free, and so are the intercepts of its items."
    zh = f"{name} 没有原点：其均值与各题项截距同时自由。"
    do = f"Fix the mean ({name} ~ 0*1) or one intercept."
    return Story(Text(en, zh), Text(do, f"请固定均值（{name} ~ 0*1）或其中一个截距。"))


def of_data(fit: Fitted, cell: int, place: str) -> list[Finding]:
    """Parameters that the model identifies and these data do not; and those they hardly tell apart."""
    if not generic_rank(fit.layout, fit.linear).identified:
        return []
    flats = tuple(f[cell : cell + 1] for f in fit.flats)
    at = rank_at(fit.layout, fit.tangent(cell), flats, fit.theta[cell : cell + 1])[0]
    names, value = at.names, at.smallest
    if not (at.smallest < EMPIRICAL):
        names, value = flattest(fit, cell)
    elif at.identified:
        names, _ = flattest(fit, cell)
    if not (at.smallest < EMPIRICAL or value < FLAT):
        return _ridge(fit, cell, place)
    en = f"The model is identified, but not with these data: nothing in them determines {listed(names)}."
    zh = f"模型本身可识别，但在这批数据上不可识别：数据无法确定 {listed(names, 'zh')}。"
    flat, flat_zh = "The likelihood is flat in that direction.", "似然函数在该方向上是平坦的。"
    known = relation_of(fit, cell)
    cause = Text(f"{flat} {known.cause.en}", f"{flat_zh}{known.cause.zh}") if known else Text(flat, flat_zh)
    do = Text(
        "Look at loadings and correlations near 0; drop the item or factor, or hold parameters equal.",
        "请检查接近 0 的载荷与相关；去掉该题项或因子，或令参数相等。",
    )
    remedy = known.remedy if known and known.remedy.en else do
    return [Finding("E-EMPIRICAL", "error", cell, place, names, Text(en, zh), cause, remedy)]


def _ridge(fit: Fitted, cell: int, place: str) -> list[Finding]:
    """Estimates that are hardly told apart."""
    size, flat = condition(fit.vcov[cell])
    if not size > RIDGE:
        return []
    names = named(fit.layout, np.abs(flat))
    en = f"Some estimates are hardly told apart (condition number {number(size)}): {listed(names)}."
    zh = f"部分估计几乎无法区分（条件数 {number(size)}）：{listed(names, 'zh')}。"
    cause = Text("Their standard errors explode together.", "它们的标准误一同膨胀。")
    do = Text("Read none of them alone; merge or drop what overlaps.", "请勿单独解读；请合并或去掉重叠的部分。")
    known = relation_of(fit, cell)
    if known is not None and known.remedy.en:
        cause, do = Text(f"{cause.en} {known.cause.en}", cause.zh + known.cause.zh), known.remedy
    return [Finding("W-RIDGE", "warning", cell, place, names, Text(en, zh), cause, do, size)]


def of_size(fit: Fitted, cell: int, place: str) -> list[Finding]:
    """Few rows for the parameters; a model that must fit."""
    n, k = sum(float(g.n[cell]) for g in fit.groups), fit.npar
    out = []
    if k and n < PER_PARAMETER * k:
        en, zh = f"{n:.0f} rows for {k} free parameters.", f"{n:.0f} 行数据估计 {k} 个自由参数。"
        cause = Text(f"That is {number(n / k)} per parameter.", f"每个参数平均 {number(n / k)} 行。")
        do = Text("Read standard errors and tests with care.", "请谨慎解读标准误与检验。")
        if n <= k:
            out.append(Finding("W-FEW-ROWS", "warning", cell, place, (), Text(en, zh), cause, do, k / n))
        else:
            out.append(Finding("N-FEW-ROWS", "fine", cell, place, (), Text(en, zh), cause, do, k / n))
    if fit.df == 0 and generic_rank(fit.layout, fit.linear).identified:
        what = Text("The model has no degrees of freedom.", "模型自由度为 0。")
        cause = Text("It fits any data.", "任何数据都能完全拟合。")
        do = Text("Its fit says nothing.", "其拟合优度不提供信息。")
        out.append(Finding("N-SATURATED", "fine", cell, place, (), what, cause, do))
    return out
