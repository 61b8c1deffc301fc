"""The questionnaire item by item, and how its scales are used."""

from __future__ import annotations

from functools import partial

import polars as pl

from csi.errors import Text
from csi.measures.item_analysis.items import Items
from csi.measures.questionnaire.validate import Validation
from csi.reporting import figures, words
from csi.reporting.drawn import figure
from csi.reporting.section import Column, Emphasis, Section, Table
from csi.reporting.sections.drawn import percent
from csi.reporting.validation.held import coded, labels_of, listed, reasons_told, wording

WEAK = ("against", "item_rest", "loading_low", "constant")
"""Rules that speak against an item as a measure."""


def items_section(v: Validation) -> Section | None:
    """Distribution, mean, missing, loading with interval of every item; item statistics below."""
    if v.items is None:
        return None
    frame = item_frame(v, v.items)
    title = items_finding(v)
    low, high = _range(v.items)
    draw = partial(_draw, v, frame, (low, high))
    model = _model(v)
    return Section(
        key="v_items",
        title=title,
        subtitle=Text(
            f"Answers from {low:g} to {high:g}, {model.en}mean, missing; coloured: loading below .708, "
            "more than 5% missing",
            f"{low:g}–{high:g} 分的回答分布、{model.zh}均值与缺失；着色处为载荷低于 0.708 或缺失超过 5%",
        ),
        figures=(figure("v_items", title, draw),),
        tables=(_statistics(v, v.items),),
        notes=(*v.items.notes, *reasons_told(v, v.items.table, "item", v.items.reasons)),
        data={"items": v.items.table, "answers": v.items.categories, "missing": v.items.missing},
    )


def _model(v: Validation) -> Text:
    """Whose the loadings are."""
    if v.factors is None:
        return Text("", "")
    level, how = percent(v.level), v.factors.estimator
    return Text(f"loadings of factors ({how}) with {level} intervals, ", f"因子载荷（{how}）与 {level} 区间、")


def items_finding(v: Validation) -> Text:
    """The sentence over the items."""
    weak = v.advice.filter(pl.col("rule").is_in(WEAK))["name"].unique(maintain_order=True).to_list()
    many = len(v.answers.names)
    turned = v.advice.filter(rule="negative")["name"].unique(maintain_order=True).to_list()
    parts = []
    if turned:
        said = listed(v, turned)
        parts.append(Text(f"the coding of {said.en} runs backwards", f"{said.zh}与其他题项方向相反"))
    if weak:
        said, one = listed(v, weak), len(weak) == 1
        parts.append(
            Text(f"{len(weak)} of {many} items {'hardly measures its' if one else 'hardly measure their'} construct: "
                 f"{said.en}", f"{many} 个题项中有 {len(weak)} 个难以反映其构念：{said.zh}")
        )  # fmt: skip
    if parts:
        return words.sentence(*parts)
    lone = v.items.table.filter(pl.col("item_rest").is_null())["item"].to_list() if v.items is not None else []
    if lone:
        said, judged = listed(v, lone), many - len(lone)
        return words.sentence(
            Text(f"{judged} of {many} items go with their construct", f"{many} 个题项中 {judged} 个与其构念一致"),
            Text(f"{said.en} cannot be judged", f"{said.zh}无法判断"),
        )
    return words.sentence(Text(f"all {many} items go with their construct", f"{many} 个题项均与其构念一致"))


def item_frame(v: Validation, found: Items) -> pl.DataFrame:
    """construct, item, wording, shares (list), loading, conf_low, conf_high, mean, missing."""
    shares = found.categories.group_by("item", maintain_order=True).agg(pl.col("share").alias("shares"))
    frame = found.table.select("construct", "item", "mean", "missing").join(
        shares, on="item", how="left", maintain_order="left"
    )
    if v.factors is None:
        none = [pl.lit(None, pl.Float64).alias(c) for c in ("loading", "conf_low", "conf_high")]
        return frame.with_columns(*none, pl.lit("").alias("wording"))
    loads = v.factors.loadings.select("item", "loading", "conf_low", "conf_high")
    return frame.join(loads, on="item", how="left", maintain_order="left").with_columns(pl.lit("").alias("wording"))


def _draw(
    v: Validation, frame: pl.DataFrame, scale: tuple[float, float], *, lang: str, finding: str, width: int
) -> str:
    """The figure with each item's wording in the language drawn."""
    worded = frame.with_columns(wording=pl.Series([wording(v, i).say(lang) for i in frame["item"].to_list()]))
    return figures.item_table(worded, labels=labels_of(v), scale=scale, lang=lang, finding=finding, width=width)


def _range(found: Items) -> tuple[float, float]:
    ends = found.categories["category"].drop_nulls().to_list()
    return (float(min(ends)), float(max(ends))) if ends else (0.0, 1.0)


def _statistics(v: Validation, found: Items) -> Table:
    """Item statistics, what a rule speaks against marked."""
    columns = (
        Column("item", Text("Item", "题项")),
        Column("n", Text("n", "n"), "count"),
        Column("mean", Text("Mean", "均值"), "number"),
        Column("sd", Text("SD", "标准差"), "number"),
        Column("skew", Text("Skew", "偏度"), "number"),
        Column("kurtosis", Text("Kurtosis", "峰度"), "number"),
        Column("floor", Text("Floor", "最低分占比"), "share"),
        Column("ceiling", Text("Ceiling", "最高分占比"), "share"),
        Column("missing", Text("Missing", "缺失"), "share"),
        Column("item_rest", Text("Item-rest r", "题总相关"), "coefficient"),
        Column("alpha_if_dropped", Text("α without", "去掉后 α"), "index"),
        Column("omega_if_dropped", Text("ω without", "去掉后 ω"), "index"),
        Column("used", Text("Points used", "使用分值数"), "count"),
    )
    marks = {"negative": "item_rest", "item_rest": "item_rest", "missing": "missing", "ceiling": "ceiling",
             "floor": "floor", "skew": "skew", "dropped": "alpha_if_dropped", "unused": "used"}  # fmt: skip
    spoken = {(r["name"], marks[r["rule"]]) for r in v.advice.iter_rows(named=True) if r["rule"] in marks}
    emphasis: Emphasis = {
        (i, column): "warn"
        for i, name in enumerate(found.table["item"].to_list())
        for column in marks.values()
        if (name, column) in spoken
    }
    texts = {i: coded(v, i) for i in v.answers.names}
    return Table("item_statistics", Text("Item statistics", "题项统计"), found.table, columns, emphasis, texts)


def use_section(v: Validation) -> Section | None:
    """Whether every point of the scales is used, and whether a higher answer means more of the construct."""
    if v.items is None:
        return None
    table = v.items.table
    idle = v.advice.filter(pl.col("rule") == "unused")["name"].to_list()
    upset = v.advice.filter(pl.col("rule") == "disordered")["name"].to_list()
    first = (
        Text(f"some points are used by nobody in {listed(v, idle).en}", f"{listed(v, idle).zh}有无人选用的分值")
        if idle
        else Text("every point of every scale is used", "各量表的每个分值均有人选用")
    )
    second = (
        Text(f"in {listed(v, upset).en} a higher answer is not more of the construct",
             f"{listed(v, upset).zh}存在分值升高而构念未升高的步骤")
        if upset
        else Text("in no item is a step clearly reversed", "没有题项存在明显的倒序步骤")
    )  # fmt: skip
    title = words.sentence(first, second)
    shown = v.items.categories.filter(pl.col("mean_rest").is_not_null())
    lines = shown.select(
        pl.col("construct").alias("panel"), pl.col("item").alias("series"),
        pl.col("category").alias("x"), pl.col("mean_rest").alias("y"),
    )  # fmt: skip
    draw = partial(_use, v, lines)
    habits = v.items.scale_use
    columns = (
        Column("measure", Text("Habit of answering", "作答习惯")),
        Column("n", Text("n", "n"), "count"),
        Column("mean", Text("Mean", "均值"), "number"),
        Column("sd", Text("SD", "标准差"), "number"),
        Column("p10", Text("10%", "10%"), "number"),
        Column("median", Text("Median", "中位数"), "number"),
        Column("p90", Text("90%", "90%"), "number"),
    )
    return Section(
        key="v_use",
        title=title,
        subtitle=Text("Mean of the other items among those who gave an answer; a step down counts as reversed where it "
                      "exceeds 1.645 standard errors (5 % one-sided)",
                      "给出某一分值者在其余题项上的均值；下降超过 1.645 个标准误（单侧 5%）方计为倒序"),
        figures=(figure("v_use", title, draw),) if lines.height else (),
        tables=(Table("scale_use", Text("How scales are used", "量表使用习惯"), habits, columns, texts=HABITS),)
        if habits.height else (),
        data={"categories": v.items.categories, "scale_use": habits, "steps": table.select(
            "item", "disorder", "reversed_steps", "clear_reversals")},
    )  # fmt: skip


def _use(v: Validation, lines: pl.DataFrame, *, lang: str, finding: str, width: int) -> str:
    return figures.panels(
        lines, lang=lang, labels=labels_of(v), finding=finding, width=width,
        across=Text("answer to the item", "题项分值"), up=Text("mean of the other items", "其余题项均值"),
    )  # fmt: skip


HABITS = {
    "agreement": Text("answers above the middle of the scale (0: balanced)", "高于量表中点的程度（0 为均衡）"),
    "acquiescence": Text("agreeing with an item and with its reverse (0: none)", "同时同意正向与反向题（0 为无）"),
    "extreme": Text("share of answers at the ends", "选择两端分值的比例"),
    "middle": Text("share of answers in the middle", "选择中间分值的比例"),
    "spread": Text("spread of a person's answers (of the scale)", "个人回答的离散程度（占量程）"),
    "straight": Text("the same answer everywhere (share of people)", "所有题同一答案（人数比例）"),
}
"""Habits of answering, as `csi.items` measures them."""
