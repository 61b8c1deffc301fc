"""What invariance of composites checked and found, in sentences, and how it prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from csi.display import at_floor
from csi.errors import Text
from csi.estimate.engine_words import engine_words, missing_words
from csi.estimate.estimate import Estimate
from csi.estimate.shown import p_is
from csi.measures.blocks import membership

Invariance = Literal["none", "untested", "partial", "full"]
"""none: step 2 is rejected; untested: no p could have been small enough; partial: a mean or variance differs; full:
nothing is rejected."""

VERDICTS: Final = {
    "none": Text("none", "不成立"),
    "untested": Text("not tested", "未检验"),
    "partial": Text("partial", "部分"),
    "full": Text("full", "完全"),
}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing step 1 looked at, and whether it holds."""

    what: Text
    holds: bool


def configural_checks(est: Estimate, pooled: Estimate, names: tuple[str, ...]) -> tuple[Check, ...]:
    """What configural invariance asks for and can be seen in the fits."""
    c, p, settings = len(names), len(est.solution.items), est.settings
    same = Text(
        f"the same {p} items, the same model, {settings.name} with missing answers by {settings.missing} in all {c} "
        "groups: one call fitted them",
        f"全部 {c} 组使用相同的 {p} 个题项、相同的模型、{engine_words(settings.name).zh} 与相同的缺失处理"
        f"（{missing_words(settings.missing).zh}）：一次拟合得到",
    )
    solved = Text(f"a solution in all {c} groups", f"全部 {c} 组均有解")
    against = _turned(est, pooled, names)
    if against:
        listed, listed_zh = ", ".join(against[:6]), "、".join(against[:6])
        more, more_zh = (", ...", "等") if len(against) > 6 else ("", "")
        sign = Text(
            f"loadings against the pooled data's sign: {listed}{more}", f"载荷符号与合并数据相反：{listed_zh}{more_zh}"
        )
    else:
        sign = Text("every loading has the sign it has in the pooled data", "各组的载荷符号均与合并数据一致")
    return (Check(same, holds=True), Check(solved, holds=True), Check(sign, holds=not against))


NOT_CHECKED: Final = Text(
    "not seen in data, to be judged: the same wording, translation and fieldwork",
    "数据无法显示、需自行判断：措辞、翻译与调查方式是否相同",
)


def _turned(est: Estimate, pooled: Estimate, names: tuple[str, ...]) -> list[str]:
    """Items whose loading, once scores point where the pooled ones do, has another sign than in the pooled data."""
    solution = est.solution
    product = solution.loadings * pooled.solution.loadings
    agreement = product @ membership(solution.block, len(solution.constructs))
    turned = product * np.where(agreement < 0, -1.0, 1.0)[:, solution.block] < 0
    return [f"{solution.items[k]} ({names[g]})" for g, k in zip(*np.nonzero(turned), strict=True)]


def sentence(row: Mapping[str, Any], groups: int, alpha: float, least: float = 0.0) -> Text:
    """The verdict on one construct over all groups.

    Parameters:
        row: construct, c, invariance; of c, mean and variance the smallest p of the pairs (p_.._pair) and its Holm
            form over the pairs (p_.._holm), which decides. groups: how many. least: the least p that the permutations
            can give.

    Example:
        >>> raw = {"p_c_pair": 0.4, "p_mean_pair": 0.01, "p_variance_pair": 0.2}
        >>> row = {"construct": "trust", "c": 0.9991, "invariance": "partial"} | raw
        >>> row |= {"p_c_holm": 0.4, "p_mean_holm": 0.01, "p_variance_holm": 0.2}
        >>> print(sentence(row, 2, 0.05).en)
        trust: partial invariance. Composition not rejected (c = 0.9991, p = 0.400); its mean (p = 0.010) differs. \
Paths may be compared; keep the groups apart.
    """
    name, verdict = row["construct"], row["invariance"]
    low, low_zh = ("smallest c", "最小 c") if groups > 2 else ("c", "c")
    if verdict is None:
        return Text(f"{name}: not tested.", f"{name}：未检验。")
    if verdict == "untested":
        count = groups * (groups - 1) // 2
        en = f"{name}: not tested. With so few permutations no p can fall below {alpha:g}"
        zh = f"{name}：未检验。置换次数过少，p 值不可能低于 {alpha:g}"
        more, more_zh = (
            (f" after adjustment over {count} pairs", f"（{count} 个组对校正后）") if count > 1 else ("", "")
        )
        return Text(f"{en}{more}; what rests on it is withheld.", f"{zh}{more_zh}；依赖它的比较不予给出。")
    p = {step: _p(row, step, groups, least) for step in ("c", "mean", "variance")}
    found, found_zh = f"{low} = {row['c']:.4f}, {p['c'].en}", f"{low_zh} = {row['c']:.4f}，{p['c'].zh}"
    if verdict == "none":
        en = f"{name}: not comparable. Its composition differs between groups ({found}); what rests on it is withheld."
        return Text(en, f"{name}：不可比。其构成在各组间不同（{found_zh}）；依赖它的比较不予给出。")
    if verdict == "full":
        en = f"{name}: full invariance is not rejected ({found}; mean {p['mean'].en}; variance "
        en += f"{p['variance'].en}). Paths may be compared and groups pooled."
        zh = f"{name}：未拒绝完全不变性（{found_zh}；均值 {p['mean'].zh}；方差 {p['variance'].zh}）。"
        return Text(en, f"{zh}可以比较路径，也可合并各组。")
    known = [(step, zh) for step, zh in (("mean", "均值"), ("variance", "方差")) if row[f"p_{step}_holm"] is not None]
    differs = [d for d in known if row[f"p_{d[0]}_holm"] < alpha]
    what = " and ".join(f"{d[0]} ({p[d[0]].en})" for d in differs) + f" differ{'s' * (len(differs) == 1)}"
    what_zh = "、".join(f"{d[1]}（{p[d[0]].zh}）" for d in differs) + "不同"
    en = f"{name}: partial invariance. Composition not rejected ({found}); its {what}. "
    zh = f"{name}：部分不变性。未拒绝构成相同（{found_zh}）；{what_zh}。"
    return Text(f"{en}Paths may be compared; keep the groups apart.", f"{zh}可以比较路径，但不宜合并各组。")


def _p(row: Mapping[str, Any], step: str, groups: int, least: float) -> Text:
    """The p of a step: of two groups that of the pair, of more the smallest of the pairs and its adjusted form."""
    own, holm = row[f"p_{step}_pair"], row[f"p_{step}_holm"]
    raw, adjusted = p_is(own, least), p_is(holm, holm if at_floor(own, least) else 0.0)
    if groups == 2:
        return Text(f"p {adjusted}", f"p {adjusted}")
    return Text(f"smallest p {raw}, adjusted {adjusted}", f"最小 p {raw}，校正后 {adjusted}")
