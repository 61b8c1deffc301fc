"""How a plan reads: what to buy, what is associated with it, how sure that is the best choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from csi.display import Number, table
from csi.errors import Note, Text
from csi.importance.drivers_words import ROWS
from csi.importance.what_if import WhatIf
from csi.importance.what_if_words import cost_sentence
from csi.measures.shown import told

HEADINGS: Final = {
    "lever": Text("lever", "杠杆"),
    "points": Text("points", "分数"),
    "reached": Text("reached", "实际变化"),
    "cost": Text("cost", "成本"),
    "gain": Text("gain", "目标变化"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "per_point": Text("cost per point", "每分成本"),
    "chosen": Text("chosen", "选中"),
    "share": Text("in the best plan", "在最优方案中"),
    "plan": Text("plan", "方案"),
}
NUMBERS: Final[dict[str, Number]] = {
    **dict.fromkeys(("gain", "conf_low", "conf_high"), lambda v: f"{v:.2f}"),
    "reached": lambda v: f"{v:.1f}",
    **dict.fromkeys(("points", "cost"), lambda v: f"{v:g}"),
    "per_point": lambda v: f"{v:.0f}",
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


def sentences_of(
    told_: tuple[Mapping[str, float], float, float, float | None],
    result: WhatIf | None,
    plans: pl.DataFrame,
    labels: Mapping[str, Text],
    target: str,
    budget: float,
) -> tuple[Text, ...]:
    """What the budget buys, what goes with that, how often that is best.

    Parameters:
        told_: levers with their points, cost, gain, share of the draws in which this is best.
    """
    chosen, cost, gain, share = told_
    name = labels[target]
    if not chosen or result is None:
        en = f"No level within a budget of {budget:,g} is associated with a gain of {name.en}."
        return (Text(en, f"预算 {budget:,g} 之内，没有任何水平与{name.zh}的提高相关。"),)
    what = ", ".join(f"{labels[c].en} {points:+g}" for c, points in chosen.items())
    what_zh = "、".join(f"{labels[c].zh} {points:+g} 分" for c, points in chosen.items())
    row = result.table.row(-1, named=True)
    within, within_zh = "", ""
    if row["conf_low"] is not None:
        within = f" ({result.level:.0%} interval {row['conf_low']:+.1f} to {row['conf_high']:+.1f})"
        within_zh = f"（{result.level:.0%} 区间 {row['conf_low']:+.1f} 至 {row['conf_high']:+.1f}）"
    left = row["change"] if row["change"] is not None else gain
    en = f"Within a budget of {budget:,g} the best plan is {what}, at a cost of {cost:,g}: it is associated with "
    zh = f"预算 {budget:,g} 之内的最优方案为：{what_zh}，成本 {cost:,g}；"
    out = [Text(f"{en}{left:.1f} points more {name.en}{within}.", f"{zh}{name.zh}相应高 {left:.1f} 分{within_zh}。")]
    if share is not None:
        out.append(_sure(share, plans))
    if result.costs.height and (money := result.costs.row(0, named=True))["per_point"]:
        out.append(cost_sentence(money, name))
    return tuple(out)


def _sure(share: float, plans: pl.DataFrame) -> Text:
    """How often the plan is best, and the rival where that is not clear."""
    en, zh = f"It is the best plan in {share:.0%} of the draws", f"在 {share:.0%} 的抽样中它为最优方案"
    rivals = [row for row in plans.iter_rows(named=True) if row["share"] is not None]
    if share >= SURE or len(rivals) < 2:
        return Text(f"{en}.", f"{zh}。")
    return Text(
        f"{en}: sampling error leaves open which plan is best ({plans.height} plans are listed below).",
        f"{zh}：抽样误差使最优方案尚难确定（下列 {plans.height} 个方案）。",
    )


def lines_of(
    sentences: Sequence[Text],
    levels: pl.DataFrame,
    plans: pl.DataFrame,
    labels: Mapping[str, Text],
    notes: Sequence[Note],
    lang: str,
) -> str:
    """Sentences, levels, plans, notes."""
    heads = {c: t.say(lang) for c, t in HEADINGS.items()}
    words = {c: t.say(lang) for c, t in labels.items()}
    yes = {k: v.say(lang) for k, v in CHOSEN.items()}
    shown = levels.with_columns(
        pl.col("lever").replace(words), pl.col("chosen").replace_strict(yes, return_dtype=pl.String)
    )
    shown = shown.select(c for c in shown.columns if shown[c].null_count() < shown.height)
    lines = [s.say(lang) for s in sentences]
    lines += ["", TITLES[0].say(lang), table(shown.head(ROWS), NUMBERS, heads)]
    if plans["share"].count():
        lines += [
            "",
            TITLES[1].say(lang),
            table(plans, NUMBERS, {**heads, **{c: t.say(lang) for c, t in BEST.items()}}),
        ]
    return "\n".join([*lines, *told((), notes, lang)])
