"""What is said of how long customers stay, and how soon they buy again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from csi.behaviour.buying import UNITS, Unit
from csi.behaviour.watched import Waited
from csi.display import fixed
from csi.errors import Note, Text, note
from csi.survey.bases import published
from csi.survey.keyed import of_cell

HEADINGS: Final = {
    "n": Text("n", "人数"),
    "events": Text("events", "事件数"),
    "observed": Text("time observed", "观察总时长"),
    "rate": Text("per unit of time", "单位时间发生率"),
    "median": Text("median time", "中位时间"),
    "median_low": Text("low", "下限"),
    "median_high": Text("high", "上限"),
    "time": Text("time", "时间"),
    "survival": Text("share that stays", "留存占比"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "test": Text("test", "检验"),
    "groups": Text("groups", "组数"),
    "chi2": Text("chi-square", "卡方"),
    "df": Text("df", "自由度"),
    "p_value": Text("p", "p"),
    "brand": Text("brand", "品牌"),
}
"""Headings of columns."""

AGAIN: Final = {**HEADINGS, "survival": Text("share not yet back", "尚未复购占比")}
"""Headings where it is repurchase that is waited for."""

SAID: Final = {
    "log-rank": Text("log-rank", "对数秩检验"),
    "robust": Text("score test, errors by customers", "得分检验（按顾客聚类）"),
}
"""Tests in words."""

DONE: Final = {"churn": Text("left", "流失"), "repurchase": Text("bought again", "复购")}
"""What happened, in words."""

WHEN: Final = {
    "churn": Text("how long customers stay", "留存时间"),
    "repurchase": Text("how soon customers come back", "复购快慢"),
}
"""What groups may differ in."""

CLEAR: Final = 0.05
"""p below which groups are said to differ."""


def survival_sentences(
    table: pl.DataFrame, tests: pl.DataFrame, by: Sequence[str], waited: Waited, unit: Unit, level: float
) -> tuple[Text, ...]:
    """The median of every group that is told (at most three), and whether groups differ."""
    rows = list(published(table, by).filter(pl.col("n") > 0).iter_rows(named=True))
    out = []
    if tests.height:
        p = tests["p_value"][0]
        differ, what = p < CLEAR, WHEN[waited]
        en = f"Groups differ in {what.en}" if differ else f"Groups are not shown to differ in {what.en}"
        zh = f"各组的{what.zh}不同" if differ else f"未显示各组的{what.zh}不同"
        named = SAID[tests["test"][0]]
        out.append(Text(f"{en} ({named.en}, p {_p(p)}).", f"{zh}（{named.zh}，p {_p(p)}）。"))
    for row in rows[:3]:
        out += of_cell({k: row[k] for k in by}, [_median(row, waited, unit, level)])
    return tuple(out)


def _p(p: float) -> str:
    """A p-value of a sentence."""
    return "< 0.001" if p < 0.001 else f"= {fixed(p, 3)}"


def _median(row: Mapping[str, object], waited: Waited, unit: Unit, level: float) -> Text:
    """When half had left or bought again."""
    n, events = row["n"], row["events"]
    if row["median"] is None:
        return Text(
            f"{events} of {n} {DONE[waited].en}; fewer than half did within the time observed, so there is no median.",
            f"{n} 人中 {events} 人{DONE[waited].zh}；观察期内不足半数，因此没有中位时间。",
        )
    median = fixed(_number(row["median"]), 1)
    en = f"Half {DONE[waited].en} within {median} {UNITS[unit].en}"
    zh = f"半数顾客在 {median} {UNITS[unit].zh}内{DONE[waited].zh}"
    low, high = row["median_low"], row["median_high"]
    if low is not None:
        top = fixed(_number(high), 1) if high is not None else None
        en += f" ({100 * level:g}% interval {fixed(_number(low), 1)} to {top or 'beyond the time observed'})"
        zh += f"（{100 * level:g}% 区间 {fixed(_number(low), 1)} 至 {top or '超出观察期'}）"
    return Text(f"{en}; {events} of {n} did in all.", f"{zh}；共 {n} 人中 {events} 人{DONE[waited].zh}。")


def _number(value: object) -> float:
    """A cell that holds a number."""
    return float(str(value))


def survival_notes(waited: Waited, table: pl.DataFrame, *, several: bool, cut: int, small: int) -> tuple[Note, ...]:
    """What curves take for granted, and where they end."""
    en = "those still watched are taken to go on like the others: when watching ended must not depend on what comes."
    zh = "对仍在观察者假定其今后与他人一样：观察何时结束不得与结果有关（独立删失）。"
    notes = [note("N-SURVIVAL", en, zh)]
    if waited == "repurchase":
        en = "time runs from the first purchase in the table to the second; purchases before the table begins are not "
        zh = "时间自表中首次购买起至第二次购买；表开始之前的购买未知。"
        notes.append(note("N-SURVIVAL-FIRST", f"{en}known.", zh))
    if several:
        en = "some customers have several spells; errors and tests are by customers."
        notes.append(note("N-SURVIVAL-SEVERAL", en, "部分顾客有多段存续；标准误与检验按顾客聚类。"))
    if cut:
        en = f"curves end where fewer than {small} are still watched."
        notes.append(note("N-SURVIVAL-END", en, f"仍在观察者不足 {small} 人处，曲线不再延伸。"))
    if not table["events"].drop_nulls().sum():
        en = f"nobody {DONE[waited].en} in the time observed: the share that is left stays at 100%."
        zh = f"观察期内无人{DONE[waited].zh}：留存占比保持 100%。"
        notes.append(note("N-SURVIVAL-NONE", en, zh))
    return tuple(notes)
