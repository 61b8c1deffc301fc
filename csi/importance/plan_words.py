"""How a plan reads: what to buy, what is associated with it, how sure that is the best choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from csi.display import Number, table
from csi.errors import Text
from csi.importance.drivers_words import ROWS
from csi.importance.what_if_words import amount, at_least_said, cost_sentence, sized, within_of
from csi.measures.shown import told

if TYPE_CHECKING:
    from csi.importance.plan import Plan

HEADINGS: Final = {
    "lever": Text("lever", "杠杆"),
    "points": Text("points", "分数"),
    "reached": Text("reached", "实际变化"),
    "cost": Text("cost", "成本"),
    "gain": Text("gain", "目标变化"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "per_point": Text("cost per point", "每分成本"),
    "net": Text("net", "净值"),
    "chosen": Text("chosen", "选中"),
    "share": Text("in the best plan", "在最优方案中"),
    "plan": Text("plan", "方案"),
}
NUMBERS: Final[dict[str, Number]] = {
    **dict.fromkeys(("gain", "conf_low", "conf_high"), lambda v: f"{v:.2f}"),
    "reached": lambda v: f"{v:.1f}",
    **dict.fromkeys(("points", "cost"), lambda v: f"{v:g}"),
    **dict.fromkeys(("per_point", "net"), lambda v: f"{v:.0f}"),
    "share": lambda v: f"{v:.0%}",
}
TITLES: Final = (
    Text("Levels and what they cost", "各水平及其成本"),
    Text("Plans that are best most often", "最常居首的方案"),
)
BEST: Final = {"share": Text("best", "居首比例")}
CHOSEN: Final = {True: Text("yes", "是"), False: Text("", "")}
SURE: Final = 0.9
"""Share of the draws from which a plan counts as clearly the best."""


def sentences_of(found: Plan, labels: Mapping[str, Text]) -> tuple[Text, ...]:
    """What the budget buys, what goes with that, what it nets, how often that is best.

    Parameters:
        labels: of levers and the target, items in quotation marks.
    """
    if not found.chosen or found.result is None:
        return nothing(found, labels)
    name, what = labels[found.target], plan_name(found.chosen, labels)
    row = found.result.table.row(-1, named=True)
    within, within_zh = within_of(row, found.level)
    left = at_least_said(row["change"] if row["change"] is not None else found.gain)
    budget, cost = amount(found.budget), amount(found.cost)
    at, at_zh = _at(found.worth, name)
    en = f"Within a budget of {budget}{at} the best plan is {what.en}, at a cost of {cost}: it is associated with "
    zh = f"预算 {budget} 之内{at_zh}的最优方案为：{what.zh}，成本 {cost}；"
    out = [Text(f"{en}{left.en} points more {name.en}{within}.", f"{zh}{name.zh}相应高{left.zh} 分{within_zh}。")]
    out += net_sentence(found)
    if found.best_share is not None:
        out.append(_sure(found))
    if found.result.costs.height and (money := found.result.costs.row(0, named=True))["per_point"]:
        out.append(cost_sentence(money, name))
    return tuple(out)


def plan_name(chosen: Mapping[str, float], labels: Mapping[str, Text]) -> Text:
    """A plan by the labels of its levers.

    Example:
        >>> plan_name({"a": 5.0}, {"a": Text("image", "形象")}).en, plan_name({}, {}).en
        ('image +5', 'nothing')
    """
    if not chosen:
        return Text("nothing", "都不选")
    pairs = [(labels[c], f"{points:+g}".replace("-", "−")) for c, points in chosen.items()]
    return Text(", ".join(f"{t.en} {points}" for t, points in pairs), "、".join(f"{t.zh} {p} 分" for t, p in pairs))


def net_sentence(found: Plan) -> tuple[Text, ...]:
    """What the plan nets where a point has a worth; nothing where none was given or nothing is chosen."""
    if found.worth is None or found.result is None or not found.result.costs.height:
        return ()
    money, each = found.result.costs.row(0, named=True), amount(found.worth)
    if money["net"] is None:
        return ()
    net, within, within_zh = amount(money["net"]), "", ""
    if money["net_low"] is not None:
        low, high = amount(money["net_low"]), amount(money["net_high"])
        within, within_zh = f" ({low} to {high})", f"（{low} 至 {high}）"
    en = f"At {each} a point it nets {net}{within}, its gain less its cost; no other plan within the budget nets more."
    return (Text(en, f"按每分 {each} 计，其净值（增益减成本）为 {net}{within_zh}，预算之内无净值更高的方案。"),)


def nothing(found: Plan, labels: Mapping[str, Text]) -> tuple[Text, ...]:
    """Why nothing is chosen: no level can be paid, none pays at the worth of a point, or none goes with a gain."""
    rows, budget, name = found.levels.to_dicts(), amount(found.budget), labels[found.target]
    can = [r for r in rows if r["cost"] <= found.budget]
    if not can:
        least = min(rows, key=lambda r: r["cost"])
        what, cost = plan_name({least["lever"]: least["points"]}, labels), amount(least["cost"])
        en = f"No level is affordable within a budget of {budget}: the cheapest, {what.en}, costs {cost}."
        said = Text(en, f"预算 {budget} 买不到任何水平：最便宜的是{what.zh}，成本 {cost}。")
        return (said, *_would_net(found, rows, labels))
    if found.worth is None or not any(r["gain"] > 0 for r in can):
        en = f"No level within a budget of {budget} is associated with a gain of {name.en}."
        out = [Text(en, f"预算 {budget} 之内，没有任何水平与{name.zh}的提高相关。")]
    else:
        top = max(can, key=lambda r: r["net"])
        what, each = plan_name({top["lever"]: top["points"]}, labels), amount(found.worth)
        gain, net, cost = sized(top["gain"]), amount(top["net"]), amount(top["cost"])
        en = f"At {each} a point of {name.en} no level within a budget of {budget} nets above 0, so nothing is chosen: "
        zh = f"按{name.zh}每分 {each} 计，预算 {budget} 之内没有净值大于 0 的水平，因此都不选："
        en += f"the nearest, {what.en}, is associated with {gain} points more, costs {cost} and nets {net}."
        zh += f"最接近的是{what.zh}，相应高 {gain} 分，成本 {cost}，净值 {net}。"
        out = [Text(en, zh)]
    if found.best_share is not None:
        share = f"{found.best_share:.0%}"
        out.append(Text(f"To choose nothing is best in {share} of the draws.", f"在 {share} 的抽样中以都不选为最优。"))
    return tuple(out)


def _would_net(found: Plan, rows: Sequence[Mapping[str, Any]], labels: Mapping[str, Text]) -> tuple[Text, ...]:
    """What the level that pays best would net, were the budget larger."""
    if found.worth is None:
        return ()
    top, each, name = max(rows, key=lambda r: r["net"]), amount(found.worth), labels[found.target]
    what, cost, net = plan_name({top["lever"]: top["points"]}, labels), amount(top["cost"]), amount(top["net"])
    if top["net"] <= 0:
        en = f"At {each} a point of {name.en} none of the levels nets above 0, whatever the budget."
        return (Text(en, f"按{name.zh}每分 {each} 计，无论预算多少，各水平的净值均不大于 0。"),)
    en = f"At {each} a point of {name.en} the level that pays best, {what.en}, would net {net} at a cost of {cost}."
    return (Text(en, f"按{name.zh}每分 {each} 计，净值最高的水平是{what.zh}：成本 {cost}，净值 {net}。"),)


def _at(worth: float | None, name: Text) -> tuple[str, str]:
    """The worth of a point within a sentence; nothing where none was given."""
    if worth is None:
        return "", ""
    return f", a point of {name.en} being worth {amount(worth)},", f"、{name.zh}每分价值 {amount(worth)} 时"


def _sure(found: Plan) -> Text:
    """How often the plan is best, and the rival where that is not clear."""
    share, plans = found.best_share or 0.0, found.plans
    en, zh = f"It is the best plan in {share:.0%} of the draws", f"在 {share:.0%} 的抽样中它为最优方案"
    if share >= SURE or plans["share"].count() < 2:
        return Text(f"{en}.", f"{zh}。")
    return Text(
        f"{en}: sampling error leaves open which plan is best ({plans.height} plans are listed below).",
        f"{zh}：抽样误差使最优方案尚难确定（下列 {plans.height} 个方案）。",
    )


def plans_named(found: Plan, labels: Mapping[str, Text], lang: str) -> pl.DataFrame:
    """The plans that are best most often, by labels; no `net` without a worth."""
    said = [plan_name(one, labels).say(lang) for one in found.ranked]
    frame = found.plans.with_columns(plan=pl.Series(said, dtype=pl.String))
    return frame if found.worth is not None else frame.drop("net")


def lines_of(found: Plan, lang: str) -> str:
    """Sentences, levels, plans, notes."""
    heads = {c: t.say(lang) for c, t in HEADINGS.items()}
    words = {c: t.say(lang) for c, t in found.labels.items()}
    yes = {k: v.say(lang) for k, v in CHOSEN.items()}
    shown = found.levels.with_columns(
        pl.col("lever").replace(words), pl.col("chosen").replace_strict(yes, return_dtype=pl.String)
    )
    shown = shown.select(c for c in shown.columns if shown[c].null_count() < shown.height)
    lines = [s.say(lang) for s in found.sentences]
    lines += ["", TITLES[0].say(lang), table(shown.head(ROWS), NUMBERS, heads)]
    if found.plans["share"].count():
        named = plans_named(found, found.labels, lang)
        lines += [
            "",
            TITLES[1].say(lang),
            table(named, NUMBERS, {**heads, **{c: t.say(lang) for c, t in BEST.items()}}),
        ]
    return "\n".join([*lines, *told((), found.notes, lang)])
