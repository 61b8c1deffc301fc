"""Findings about identification: of the model, and of the model with these data; convergence; size of the sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csi.errors import Reason, Text
from csi.measures.findings import Finding, listed, number
from csi.measures.symptoms import condition
from csi.moments.stack import Array
from csi.sem.fitted import Fitted
from csi.sem.identification import Rank, generic_rank, rank_at
from csi.sem.layout import Layout
from csi.sem.table import Parameter

EMPIRICAL = 1e-6
"""A relative singular value of the moments' jacobian below this at the solution: these data do not identify it."""

FLAT = 1e-10
"""An eigenvalue of the information (scaled to a unit diagonal) below this: the likelihood is flat in its direction."""

SLOPING = 1e-4
"""An eigenvalue of that information below this, where the search did not settle: that is why."""

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
    at = rank_at(fit.layout, fit.linear, flats, fit.theta[cell : cell + 1])[0]
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
    low, low_zh = _near_zero(fit, cell)
    cause = Text(f"{flat} {low}".strip(), f"{flat_zh}{low_zh}")
    do = "Look at loadings and correlations near 0; drop the item or factor, or hold parameters equal."
    do_zh = "请检查接近 0 的载荷与相关；去掉该题项或因子，或令参数相等。"
    return [
        Finding("E-EMPIRICAL", "error", cell, place, names, Text(en, zh), cause, Text(do, do_zh)),
    ]


def flattest(fit: Fitted, cell: int) -> tuple[tuple[str, ...], float]:
    """Parameters of the flattest direction of the information, and its eigenvalue (information on a unit diagonal)."""
    information = fit.information[cell]
    N = fit.linear.N
    own = np.diagonal(information)
    if not information.size or not np.isfinite(information).all() or not (own > 0).all():
        return (), 1.0 if not information.size else 0.0
    sd = np.sqrt(own)
    values, vectors = np.linalg.eigh(information / np.outer(sd, sd))
    moved = np.abs(N @ (vectors[:, 0] / sd))
    scale = np.abs(N) @ (1 / sd)
    weight = moved / np.where(scale > 0, scale, 1.0)
    return _named(fit.layout, weight), float(values[0])


def _named(layout: Layout, weight: Array) -> tuple[str, ...]:
    """Parameters with a fifth of the largest weight, largest first."""
    order = np.argsort(-weight)
    return tuple(layout.table.names[int(i)] for i in order if weight[i] > 0.2 * weight.max())


def _near_zero(fit: Fitted, cell: int) -> tuple[str, str]:
    """The weakest latent relation, which as a rule is what fails to identify."""
    block, at = fit.layout.blocks[0], fit.groups[0].at
    with np.errstate(all="ignore"):
        sd = np.sqrt(np.abs(np.diagonal(at.Phi[cell])))
        R = np.abs(at.Phi[cell] / np.outer(sd, sd))
    if block.q < 2 or not np.isfinite(R).all():
        return "", ""
    upper = np.where(np.triu(np.ones_like(R), 1) > 0, R, np.inf)
    i, j = np.unravel_index(int(upper.argmin()), upper.shape)
    a, b, r = block.latent[int(i)], block.latent[int(j)], float(R[i, j])
    en = f"The weakest relation is {a} with {b} (|r| = {number(r)})."
    return en, f"最弱的关系是 {a} 与 {b}（|r| = {number(r)}）。"


def _ridge(fit: Fitted, cell: int, place: str) -> list[Finding]:
    """Estimates that are hardly told apart."""
    size, flat = condition(fit.vcov[cell])
    if not size > RIDGE:
        return []
    names = _named(fit.layout, np.abs(flat))
    en = f"Some estimates are hardly told apart (condition number {number(size)}): {listed(names)}."
    zh = f"部分估计几乎无法区分（条件数 {number(size)}）：{listed(names, 'zh')}。"
    cause = Text("Their standard errors explode together.", "它们的标准误一同膨胀。")
    do = Text("Read none of them alone; merge or drop what overlaps.", "请勿单独解读；请合并或去掉重叠的部分。")
    return [Finding("W-RIDGE", "warning", cell, place, names, Text(en, zh), cause, do, size)]


def of_search(fit: Fitted, reason: Reason | None, cell: int, place: str) -> list[Finding]:
    """A search that did not settle."""
    if reason is None:
        return []
    spread = _spread(fit, cell)
    if not generic_rank(fit.layout, fit.linear).identified:
        cause = Text("The model is not identified.", "模型不可识别。")
        do = Text("Mend that first.", "请先解决识别问题。")
    elif spread > 1e3:
        cause = Text(
            f"The items' standard deviations differ by a factor of {number(spread)}.",
            f"题项标准差相差 {number(spread)} 倍。",
        )
        do = Text("Bring the items to similar units.", "请将题项换算到相近的单位。")
    else:
        cause = _no_minimum(fit, cell)
        do = Text('Try bounds="standard", or look at weak items.', '请尝试 bounds="standard"，或检查较弱的题项。')
    return [Finding("E-CONVERGE", "error", cell, place, (), _sentence(reason.text), cause, do)]


def _no_minimum(fit: Fitted, cell: int) -> Text:
    """Where the search ended: on a flat place with the names of its parameters, or nowhere."""
    names, value = flattest(fit, cell)
    if value > SLOPING or not names:
        return Text("The likelihood has no minimum near.", "似然函数附近没有极小点。")
    low, low_zh = _near_zero(fit, cell)
    en = f"The likelihood is nearly flat along {listed(names)}."
    return Text(f"{en} {low}".strip(), f"似然函数沿 {listed(names, 'zh')} 几乎是平坦的。{low_zh}")


def _sentence(text: Text) -> Text:
    """A reason with a capital letter."""
    return Text(text.en[:1].upper() + text.en[1:], text.zh)


def _spread(fit: Fitted, cell: int) -> float:
    """The largest standard deviation of an item by the smallest."""
    own = np.concatenate([np.diagonal(g.cov[cell]) for g in fit.groups])
    return float(np.sqrt(own.max() / own.min())) if (own > 0).all() else np.inf


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
