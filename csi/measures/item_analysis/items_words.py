"""How an item analysis reads: why values are absent, sentences computed from the numbers, lines at the prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from csi.display import table as printed
from csi.errors import Note, Reason, Text, reason

LOW = 0.3
"""Item-rest correlation below which an item is customarily looked at (Nunnally & Bernstein, 1994)."""

ENDS = 0.15
"""Share at an end of the scale that is customarily called a floor or a ceiling (McHorney & Tarlov, 1995)."""

RISE = 0.01
"""Rise of alpha without an item that is told in a sentence."""

SHOWN = 8
"""Most items or pairs named in a sentence."""

_CODES: Final = (
    (
        "R-NO-ANSWERS",
        "nobody answered the item.",
        "该题项无人作答。",
    ),
    (
        "R-CONSTANT",
        "all answers to the item are the same.",
        "该题项的回答全部相同。",
    ),
    (
        "R-PAIR",
        "two items of the construct are never answered by the same rows.",
        "构念中有两个题项从未被同一行同时作答。",
    ),
    (
        "R-ONE-ITEM",
        "the construct has one item (that varies): there is no rest to compare it with.",
        "该构念只有一个（有差异的）题项，无其余题项可比。",
    ),
    (
        "R-TWO-ITEMS",
        "of two items one would be left: alpha, omega and a loading need more.",
        "该构念只有两个题项，去掉一个后不足以计算 α、ω 与载荷。",
    ),
    (
        "R-THREE-ITEMS",
        "of three items two would be left: omega needs three.",
        "该构念只有三个题项，去掉一个后不足以计算 ω。",
    ),
    (
        "R-HEYWOOD",
        "one factor has no proper solution: a loading beyond 1, or the search did not settle.",
        "单因子没有正常解：载荷超过 1，或求解未收敛。",
    ),
    (
        "R-SINGULAR",
        "the items' correlations are singular (too few rows, or an item follows from others).",
        "题项相关矩阵奇异（行数过少，或某题项可由其他题项推出）。",
    ),
    (
        "R-CATEGORIES",
        "too many different answers to count as categories.",
        "不同取值过多，不作为类别处理。",
    ),
    (
        "R-STEPS",
        "fewer than two categories have enough answers to compare.",
        "回答足够多的类别不足两个，无法比较。",
    ),
    (
        "R-CATEGORY-BASE",
        "the category has too few answers.",
        "该类别的回答过少。",
    ),
    (
        "R-Q3-ITEMS",
        "one factor fits three items or fewer exactly, so nothing is left to correlate.",
        "三个以内的题项可由单因子完全拟合，没有残差可供相关。",
    ),
    (
        "R-ACROSS",
        "items of different constructs: no common factor is taken out.",
        "两题项属于不同构念，未剔除共同因子。",
    ),
    (
        "R-NOT-CLOSE",
        "not computed: the pair is far from the limit of redundancy.",
        "未计算：该题项对远未达到重复的界限。",
    ),
    (
        "R-PAIR-FEW",
        "too few rows answer both items for a polychoric correlation.",
        "同时回答两题的行数过少，不计算多分相关。",
    ),
    (
        "R-ONE-DIRECTION",
        "no construct has items worded in both directions, so agreeing cannot be told from meaning it.",
        "没有构念同时含正向与反向题项，无法区分默许倾向与真实态度。",
    ),
    (
        "R-NO-MIDDLE",
        "no scale has a middle answer.",
        "所有量表均无中间选项。",
    ),
    (
        "R-FEW-ANSWERS",
        "nobody gave three answers or more.",
        "没有人给出三个以上的回答。",
    ),
)
REASONS: Final[Mapping[str, Reason]] = {code: reason(code, en, zh) for code, en, zh in _CODES}

HEADINGS: Final = {
    "construct": Text("construct", "构念"),
    "item": Text("item", "题项"),
    "n": Text("n", "样本量"),
    "missing": Text("missing", "缺失"),
    "mean": Text("mean", "均值"),
    "sd": Text("sd", "标准差"),
    "skew": Text("skew", "偏度"),
    "kurtosis": Text("kurtosis", "峰度"),
    "floor": Text("floor", "下限占比"),
    "ceiling": Text("ceiling", "上限占比"),
    "item_rest": Text("item-rest r", "题总相关（校正）"),
    "loading": Text("loading", "载荷"),
    "alpha_if_dropped": Text("alpha without", "删后 α"),
    "omega_if_dropped": Text("omega without", "删后 ω"),
    "used": Text("used", "用到类别"),
    "categories": Text("offered", "提供类别"),
}


def lines_of(
    items: pl.DataFrame, sentences: Sequence[Text], reasons: Mapping[str, Reason], notes: Sequence[Note], lang: str
) -> str:
    """The items, what stands out, why numbers are absent, notes."""
    columns = [c for c in HEADINGS if c in items.columns]
    told = [f"* {code}: {why.say(lang)}" for code, why in reasons.items() if code not in _QUIET]
    parts = [printed(items.select(columns), headings={c: t.say(lang) for c, t in HEADINGS.items()}), ""]
    return "\n".join([*parts, *(s.say(lang) for s in sentences), *told, *(f"* {n.say(lang)}" for n in notes)])


_QUIET = ("R-NOT-CLOSE", "R-ACROSS", "R-PAIR-FEW", "R-CATEGORY-BASE", "R-Q3-ITEMS")
"""Codes of frames that are not printed at the prompt."""


def sentences_of(
    items: pl.DataFrame, scales: pl.DataFrame, pairs: pl.DataFrame, redundant: float, dependent: float
) -> tuple[Text, ...]:
    """What stands out, computed from the numbers; one sentence each, with the items named."""
    found = [*_negative(items), *_weak(items), *_better_without(items, scales), *_categories(items), *_ends(items)]
    found += _pairs(pairs, "identical", 1.0) + _pairs(pairs, "redundant", redundant)
    found += _pairs(pairs, "dependent", dependent)
    if not found:
        found = [Text("No item stands out.", "没有需要注意的题项。")]
    return tuple(found)


def _negative(items: pl.DataFrame) -> list[Text]:
    said = []
    for kind, en, zh in (
        ("suspected", "perhaps worded the other way (turning it over raises alpha)", "可能为反向题（反转后 α 上升）"),
        ("negative", "goes against its construct; turned over, alpha does not rise", "与构念反向，但反转不提高 α"),
    ):  # fmt: skip
        named = _named(items.filter(reverse_coding=kind), "item_rest")
        if named:
            said.append(Text(f"{named.en}: {en}.", f"{named.zh}：{zh}。"))
    return said


def _weak(items: pl.DataFrame) -> list[Text]:
    named = _named(items.filter((pl.col("item_rest") < LOW) & pl.col("reverse_coding").is_null()), "item_rest")
    en = f"goes weakly with the rest of its construct (item-rest r below {LOW:g})"
    zh = f"与所属构念其余题项相关较弱（校正题总相关低于 {LOW:g}）"
    return [Text(f"{named.en}: {en}.", f"{named.zh}：{zh}。")] if named else []


def _better_without(items: pl.DataFrame, scales: pl.DataFrame) -> list[Text]:
    joined = items.join(scales.select("construct", "alpha"), on="construct", how="left", maintain_order="left")
    named = _named(joined.filter(pl.col("alpha_if_dropped") > pl.col("alpha") + RISE), "alpha_if_dropped")
    return [Text(f"{named.en}: alpha is higher without it.", f"{named.zh}：删去后 α 更高。")] if named else []


def _categories(items: pl.DataFrame) -> list[Text]:
    said = []
    unused = items.filter(pl.col("unused").is_not_null())
    if unused.height:
        named = _listed([f"{row['item']} ({row['unused']})" for row in unused.iter_rows(named=True)])
        said.append(Text(f"{named.en}: nobody chose these categories.", f"{named.zh}：这些类别无人选择。"))
    clear = items.filter(pl.col("clear_reversals").is_not_null())
    if clear.height:
        named = _listed([f"{row['item']} ({row['clear_reversals']})" for row in clear.iter_rows(named=True)])
        en = "a higher category goes with a lower rest of the scale, by more than chance"
        said.append(Text(f"{named.en}: {en}.", f"{named.zh}：较高类别对应较低的其余得分，超出偶然范围。"))
    return said


def _ends(items: pl.DataFrame) -> list[Text]:
    said = []
    for end, which, zh in (("floor", "lowest", "最低"), ("ceiling", "highest", "最高")):
        high = items.filter((pl.col(end) > ENDS) & (pl.col("categories") > 4))
        if high.height:
            named = _listed([f"{row['item']} ({100 * row[end]:.0f} %)" for row in high.iter_rows(named=True)])
            en = f"more than {100 * ENDS:.0f} % give the {which} answer of five or more"
            said.append(
                Text(f"{named.en}: {en}.", f"{named.zh}：超过 {100 * ENDS:.0f}% 选择{zh}一级（五级及以上量表）。")
            )
    return said


def _pairs(pairs: pl.DataFrame, finding: str, limit: float) -> list[Text]:
    rows = pairs.filter(finding=finding)
    if not rows.height:
        return []
    value = "q3_adjusted" if finding == "dependent" else "top"
    rows = rows.with_columns(top=pl.coalesce("polychoric", "r")).sort(pl.col(value).abs(), descending=True)
    named = _listed([f"{r['item']} and {r['other']} ({r[value]:.2f})" for r in rows.iter_rows(named=True)])
    zh = named.zh.replace(" and ", " 与 ")
    if finding == "identical":
        return [
            Text(
                f"{named.en}: the same answers, one of the two says nothing new.",
                f"{zh}：回答完全一致，其中之一不提供新信息。",
            )
        ]
    if finding == "redundant":
        return [
            Text(
                f"{named.en}: say nearly the same (correlation from {limit:g}).",
                f"{zh}：几乎重复（相关不低于 {limit:g}）。",
            )
        ]
    en = f"share more than their construct explains (Q3 less its mean above {limit:g})"
    return [Text(f"{named.en}: {en}.", f"{zh}：共有成分超出构念所能解释（Q3 减均值大于 {limit:g}）。")]


def _named(rows: pl.DataFrame, value: str) -> Text | None:
    """Items with a number each; None without items."""
    said = [f"{r['item']} ({'-' if r[value] is None else format(r[value], '.2f')})" for r in rows.iter_rows(named=True)]
    return _listed(said) if said else None


def _listed(parts: Sequence[str]) -> Text:
    rest = len(parts) - SHOWN
    en, zh = ", ".join(parts[:SHOWN]), "、".join(parts[:SHOWN])
    return Text(f"{en} and {rest} more", f"{zh} 等共 {len(parts)} 处") if rest > 0 else Text(en, zh)
