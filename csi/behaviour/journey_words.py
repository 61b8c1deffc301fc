"""Journeys in words: headings, names of terms, sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from csi.behaviour.journey_models import OTHERS
from csi.behaviour.journey_steps import END
from csi.display import fixed
from csi.errors import Text

HEADINGS: Final = {
    "touchpoint": Text("touchpoint", "触点"),
    "base": Text("customers", "顾客数"),
    "met": Text("met it", "接触人数"),
    "reach": Text("reach", "触达率"),
    "reach_low": Text("low", "下限"),
    "reach_high": Text("high", "上限"),
    "contacts": Text("contacts", "接触次数"),
    "n": Text("n", "样本量"),
    "mean": Text("mean (0-100)", "均值（0–100）"),
    "mean_raw": Text("mean", "原始均值"),
    "top2": Text("top 2", "最高两档"),
    "bottom2": Text("bottom 2", "最低两档"),
    "std_error": Text("SE", "标准误"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "stage": Text("stage", "阶段"),
    "step": Text("step", "步骤"),
    "drop_off": Text("drop-off", "流失率"),
    "next": Text("next", "下一触点"),
    "share": Text("share", "占比"),
    "model": Text("model", "模型"),
    "term": Text("term", "项"),
    "estimate": Text("slope", "斜率"),
    "p_value": Text("p", "p"),
    "p_adjusted": Text("p (Holm)", "p（Holm）"),
    "r2": Text("R2", "R²"),
    "r2_adjusted": Text("adjusted R2", "调整 R²"),
    "f": Text("F of what is added", "新增项 F"),
    "df1": Text("df", "自由度"),
    "df2": Text("df 2", "自由度 2"),
    "met_estimate": Text("met or not", "接触与否"),
    "met_conf_low": Text("low", "下限"),
    "met_conf_high": Text("high", "上限"),
    "met_p_adjusted": Text("p (Holm)", "p（Holm）"),
}

LABELS: Final = {
    "mean": Text("mean", "均值"),
    "peak": Text("peak (highest)", "峰值（最高）"),
    "end": Text("end (last)", "终点（末次）"),
    "trough": Text("trough (lowest)", "谷值（最低）"),
    "slope": Text("slope (per contact)", "走势（每次接触）"),
    "peak_end": Text("mean, peak, end", "均值、峰值、终点"),
    "full": Text("mean, peak, end, trough, slope", "均值、峰值、终点、谷值、走势"),
    END: Text("(no further contact)", "（不再接触）"),
    OTHERS: Text("(others)", "（其他）"),
}
"""Terms, models and places that are no names of the data."""

CLEAR: Final = 0.05
"""A test with a smaller p-value is said to add something."""


def reach_sentence(table: pl.DataFrame, labels: Mapping[str, Text]) -> tuple[Text, ...]:
    """Where most customers are met, and which touchpoint is scored lowest."""
    told = table.filter(pl.col("reach").is_not_null())
    if not told.height:
        return ()
    first = told.sort("reach", descending=True).row(0, named=True)
    name, share = named(first["touchpoint"], labels), f"{fixed(100 * first['reach'], 1)}%"
    if first["reach_low"] is not None:
        share += f" [{100 * first['reach_low']:.1f}, {100 * first['reach_high']:.1f}]"
    en, zh = f"{name.en} reaches most customers ({share})", f"{_apart(name.zh)}触达的顾客最多（{share}）"
    scored = told.filter(pl.col("mean").is_not_null()).sort("mean")
    if scored.height > 1:
        low, high = scored.row(0, named=True), scored.row(-1, named=True)
        apart = low["conf_high"] is not None and high["conf_low"] is not None and low["conf_high"] < high["conf_low"]
        if apart:
            worst, best = (named(r["touchpoint"], labels) for r in (low, high))
            en += f"; {worst.en} is scored lowest ({fixed(low['mean'], 1)} of 100), "
            en += f"{best.en} highest ({fixed(high['mean'], 1)})"
            zh += f"；{_apart(worst.zh)}评分最低（{fixed(low['mean'], 1)}，满分 100），{_apart(best.zh)}最高"
            zh += f"（{fixed(high['mean'], 1)}）"
        else:
            en, zh = f"{en}; scores do not clearly differ by touchpoint", f"{zh}；各触点评分差别不明确"
    return (Text(f"{en}.", f"{zh}。"),)


def drop_sentence(steps: pl.DataFrame, labels: Mapping[str, Text]) -> tuple[Text, ...]:
    """After which step most customers stop."""
    told = steps.filter(pl.col("drop_off").is_not_null()) if steps.width else steps
    if not told.height:
        return ()
    row = told.sort("drop_off", descending=True).row(0, named=True)
    at = str(row["step"])
    own = named(at, labels)
    step, step_zh = (f"contact {at}", f"第 {at} 次接触") if at.isdigit() else (own.en, _apart(own.zh))
    value = f"{fixed(100 * row['drop_off'], 1)}%"
    if row["conf_low"] is not None:
        value += f" [{100 * row['conf_low']:.1f}, {100 * row['conf_high']:.1f}]"
    en = f"The largest drop-off is after {step}: {value} of those who came so far go no further."
    return (Text(en, f"{step_zh}之后流失最多：到达者中 {value} 不再继续。"),)


def end_sentence(slopes: pl.DataFrame, fits: pl.DataFrame, overall: Text) -> tuple[Text, ...]:
    """Whether peak and end tell more than the mean of the journey."""
    told = fits.filter((pl.col("model") == "peak_end") & pl.col("p_value").is_not_null()) if fits.width else fits
    if not told.height:
        return ()
    test = told.row(0, named=True)
    rows = {r["term"]: r for r in slopes.filter(pl.col("model") == "peak_end").iter_rows(named=True)}
    p = "p < .001" if test["p_value"] < 0.001 else f"p = {fixed(test['p_value'], 3).removeprefix('0')}"
    shown = {t: f"{fixed(rows[t]['estimate'])}{_span(rows[t])}" for t in ("peak", "end")}
    if test["p_value"] < CLEAR:
        en = f"Beside the mean of the journey, its peak and end are associated with {overall.en} ({p}): "
        en += f"{shown['peak']} points per point of the peak, {shown['end']} of the end."
        zh = f"在历程均值之外，峰值与终点仍与{overall.zh}相关（{p}）："
        zh += f"峰值每分对应 {shown['peak']} 分，终点每分对应 {shown['end']} 分。"
        return (Text(en, zh),)
    en = f"Peak and end of the journey tell no clearly more of {overall.en} than its mean does ({p}); the slopes are "
    en += f"{shown['peak']} and {shown['end']}."
    return (
        Text(en, f"峰值与终点对{overall.zh}的说明并不明显多于均值（{p}）；斜率为 {shown['peak']} 与 {shown['end']}。"),
    )


def driver_sentence(drivers: pl.DataFrame, overall: Text, labels: Mapping[str, Text]) -> tuple[Text, ...]:
    """Touchpoints whose scores go with the overall judgement, the steepest first."""
    told = (
        drivers.filter(pl.col("estimate").is_not_null() & pl.col("p_adjusted").is_not_null())
        if drivers.width
        else drivers
    )
    if not told.height:
        return ()
    sure = told.filter(pl.col("p_adjusted") < CLEAR).sort("estimate", descending=True).head(3)
    if not sure.height:
        en = f"No single touchpoint's score is clearly associated with {overall.en}."
        return (Text(en, f"没有单个触点的评分与{overall.zh}明确相关。"),)
    parts = [(named(r["touchpoint"], labels), f"{fixed(r['estimate'])}{_span(r)}") for r in sure.iter_rows(named=True)]
    en = "; ".join(f"{name.en} {value}" for name, value in parts) + " points per point (an association)"
    zh = "；".join(f"{name.zh} {value}" for name, value in parts)
    said = f"Among those who met them, scores go with {overall.en} most clearly at: {en}."
    return (Text(said, f"在接触者中，评分与{overall.zh}关联最明确的触点：{zh}（每分对应的分数，仅为关联）。"),)


def named(touchpoint: str, labels: Mapping[str, Text]) -> Text:
    """A touchpoint in words."""
    return labels.get(touchpoint, Text(touchpoint, touchpoint))


def _apart(name: str) -> str:
    """A name before Chinese words: Latin ones stand apart."""
    return f"{name} " if name[-1:].isascii() else name


def _span(row: Mapping[str, float | None]) -> str:
    """An interval in brackets."""
    low, high = row["conf_low"], row["conf_high"]
    return "" if low is None or high is None else f" [{fixed(low)}, {fixed(high)}]"
