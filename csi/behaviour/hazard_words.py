"""What is said of hazards."""

from __future__ import annotations

from typing import Final

import polars as pl

from csi.behaviour.watched import Waited
from csi.display import fixed
from csi.errors import Note, Text, note

HEADINGS: Final = {
    "name": Text("driver", "驱动变量"),
    "level": Text("value", "取值"),
    "n": Text("n", "人数"),
    "events": Text("events", "事件数"),
    "slope": Text("slope", "斜率"),
    "std_error": Text("SE", "标准误"),
    "ratio": Text("ratio", "比值"),
    "ratio_low": Text("low", "下限"),
    "ratio_high": Text("high", "上限"),
    "p_value": Text("p", "p"),
    "statistic": Text("chi-square", "卡方"),
    "df": Text("df", "自由度"),
    "trend": Text("change of slope", "斜率变化"),
    "period": Text("period", "时期"),
    "hazard": Text("hazard", "风险"),
}
"""Headings of columns."""

SAID: Final = {"all": Text("all together", "合计")}
SOONER: Final = {
    "churn": Text("leaving", "流失"),
    "repurchase": Text("buying again", "复购"),
}
"""What is waited for, in words."""

CLEAR: Final = 0.05
"""p below which something is told."""

THIN: Final = 10
"""Fewer events for every slope are a note."""


def hazard_sentences(
    table: pl.DataFrame, checks: pl.DataFrame, way: str, waited: Waited, level: float
) -> tuple[Text, ...]:
    """What goes with it clearly; whether ratios stay over time."""
    clear = table.filter(pl.col("p_value") < CLEAR).sort("p_value").head(3)
    what = SOONER[waited]
    kind, kind_zh = ("odds", "发生比") if way == "logit" else ("a hazard", "风险")
    out = []
    for row in clear.iter_rows(named=True):
        ratio, low, high = (_ratio(row[c]) for c in ("ratio", "ratio_low", "ratio_high"))
        who = f"{row['name']} {row['level']}".strip()
        more = "" if row["level"] else "one more of "
        en = f"{_capital(more + who)} is associated with {kind} of {what.en} {ratio} times as high ({low} to {high})."
        lead = f"{who} " if row["level"] else f"{who} 每增加 1 "
        zh = f"{lead}与{what.zh}{kind_zh}为 {ratio} 倍相关（{low} 至 {high}）。"
        out.append(Text(en, zh))
    if not out:
        en = f"No driver is shown to go with {what.en} ({100 * level:g}% intervals of all ratios hold 1)."
        out.append(Text(en, f"未显示任何驱动变量与{what.zh}相关（各比值的 {100 * level:g}% 区间均含 1）。"))
    if checks.height:
        if parted(checks):
            each = checks.filter(pl.col("name") != "all").sort("p_value")
            moved = (each.filter(pl.col("p_value") < CLEAR) if each.height > 1 else each)["name"].to_list()
            en, zh = (f" (above all {', '.join(moved)})", f"（主要是 {'、'.join(moved)}）") if moved else ("", "")
            en = f"Ratios do not stay over time{en}: they are averages over the time observed, no single ratio holds."
            out.append(Text(en, f"比值随时间变化{zh}：只是观察期内的平均，没有单一比值成立。"))
        else:
            out.append(Text("No ratio is shown to change over time.", "未显示比值随时间变化。"))
    return tuple(out)


def parted(checks: pl.DataFrame) -> bool:
    """Whether proportional hazards are rejected, all drivers together."""
    return bool(checks.height) and float(checks["p_value"][-1]) < CLEAR


def _ratio(value: float) -> str:
    """A ratio of a sentence: three decimals where two would say 1."""
    near = fixed(value, 2) == "1.00"
    return fixed(value, 3 if near else 2)


def _capital(said: str) -> str:
    """A sentence that begins with a word of ours."""
    return said[:1].upper() + said[1:] if said.startswith("one more") else said


def hazard_notes(
    way: str, checks: pl.DataFrame, shape: str, *, events: int, slopes: int, clustered: bool
) -> tuple[Note, ...]:
    """How ratios are read, how errors were made, what speaks against them."""
    en = "customers were not assigned to what they have: ratios are associations, not effects."
    notes = [note("N-HAZARD", en, "顾客的特征并非随机分配：比值只表示相关，不是效应。")]
    if clustered:
        notes.append(note("N-HAZARD-ERRORS", "errors are by customers (sandwich).", "标准误按顾客聚类（三明治估计）。"))
    if way != "cox":
        how = {"free": ("free", "自由"), "linear": ("linear", "线性"), "quadratic": ("quadratic", "二次")}[shape]
        en = f"time is in whole periods; the hazard over periods is {how[0]}."
        notes.append(note("N-HAZARD-PERIODS", en, f"时间按整期计；各期基线风险为{how[1]}形状。"))
    if events < THIN * slopes:
        en = f"{events} events for {slopes} slopes: fewer than {THIN} each, estimates are unsteady."
        notes.append(note("W-HAZARD-FEW", en, f"{slopes} 个斜率共 {events} 个事件，每个不足 {THIN} 个，估计不稳定。"))
    if checks.height and (checks["p_value"] < CLEAR).any():
        en = "proportional hazards are rejected: tell early and late time apart before a ratio is published."
        zh = "比例风险假定被拒绝：公布比值之前，请将前期与后期分开报告。"
        notes.append(note("W-PROPORTIONAL", en, zh))
    return tuple(notes)
