"""What is said of failure and recovery."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import polars as pl

from csi.display import fixed
from csi.errors import Note, Text, note
from csi.survey.bases import told_cells
from csi.survey.keyed import of_cell

CLEAR: Final = 0.05
APART: Final = 0.1
"""Standardised distance left after weighting from which groups are not alike."""
RARE: Final = 0.02
"""A chance below this lets single customers stand for fifty."""

HEADINGS: Final = {
    "outcome": Text("outcome", "结果变量"),
    "contrast": Text("contrast", "对比"),
    "way": Text("way", "方法"),
    "first": Text("n first", "前组人数"),
    "second": Text("n second", "后组人数"),
    "n": Text("n", "样本量"),
    "difference": Text("difference", "差异"),
    "std_error": Text("SE", "标准误"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "p_value": Text("p", "p"),
    "p_adjusted": Text("p (Holm)", "p（Holm）"),
    "group": Text("customers", "顾客"),
    "mean": Text("mean", "均值"),
    "name": Text("adjusted for", "调整变量"),
    "n_effective": Text("effective n", "有效样本量"),
    "lowest": Text("lowest chance", "最低概率"),
    "before": Text("apart before (SD)", "加权前距离（SD）"),
    "after": Text("apart after (SD)", "加权后距离（SD）"),
}
SAID: Final = {
    "none": Text("no failure", "无失误"),
    "recovered": Text("failure, recovered", "失误且已补救"),
    "failed": Text("failure, not recovered", "失误未补救"),
    "recovered - none": Text("recovered - no failure", "已补救 − 无失误"),
    "failed - none": Text("not recovered - no failure", "未补救 − 无失误"),
    "recovered - failed": Text("recovered - not recovered", "已补救 − 未补救"),
    "plain": Text("unadjusted", "未调整"),
    "regression": Text("regression", "回归调整"),
    "weighting": Text("weighting", "加权调整"),
    "within": Text("change of the same people", "同一批人的变化"),
}
BEST: Final = ("within", "regression", "plain")
"""Which way the sentences tell, the first that there is."""


def recovery_sentences(
    table: pl.DataFrame, keys: Sequence[str], labels: Mapping[str, Text], level: float
) -> tuple[Text, ...]:
    """The paradox outcome by outcome, then what goes with a failure that was not recovered."""
    made: list[Text] = []
    for cell, rows in told_cells(table, keys):
        said = []
        for contrast in ("recovered - none", "failed - none"):
            for outcome in rows["outcome"].unique(maintain_order=True):
                own = rows.filter(pl.col("contrast") == contrast, pl.col("outcome") == outcome,
                                  pl.col("conf_low").is_not_null())  # fmt: skip
                ways = {r["way"]: r for r in own.iter_rows(named=True)}
                way = next((w for w in BEST if w in ways), None)
                if way is not None:
                    said.append(_told(ways[way], labels[outcome], level))
        made += of_cell(cell, said)
    return tuple(made)


def _told(row: Mapping[str, float | str | None], label: Text, level: float) -> Text:
    """One contrast."""
    value, low, high = (fixed(float(row[c] or 0)) for c in ("difference", "conf_low", "conf_high"))
    limits = f"[{low}, {high}]"
    way = SAID[str(row["way"])]
    above = float(row["conf_low"] or 0) > 0
    below = float(row["conf_high"] or 0) < 0
    p = row["p_adjusted"]
    sure = isinstance(p, float) and p < CLEAR
    if row["contrast"] == "recovered - none":
        verdict = ("a recovery paradox" if above and sure else "no recovery paradox: they stay below" if below and sure
                   else "no recovery paradox is shown")  # fmt: skip
        verdict_zh = (
            "呈补救悖论" if above and sure else "无补救悖论，仍低于后者" if below and sure else "未显示补救悖论"
        )
        en = (
            f"After a recovered failure {label.en} differs by {value} points from that without failure, "
            f"{100 * level:g}% interval {limits} ({way.en}): {verdict}."
        )
        zh = (
            f"失误得到补救者的{label.zh}与无失误者相差 {value} 分，{100 * level:g}% 区间 {limits}（{way.zh}）："
            f"{verdict_zh}。"
        )
        return Text(en, zh)
    en = (
        f"After a failure that was not recovered {label.en} differs by {value} points from that without failure "
        f"{limits} ({way.en})."
    )
    return Text(en, f"失误未获补救者的{label.zh}与无失误者相差 {value} 分 {limits}（{way.zh}）。")


def recovery_notes(
    adjusted: Sequence[Text], overlap: pl.DataFrame, lost: int, *, within: bool, severity: bool
) -> tuple[Note, ...]:
    """What the contrasts may be read as, and whether weighted groups are alike."""
    notes = []
    names = [*adjusted, *([Text("severity (of failures)", "严重程度（失误者）")] if severity else [])]
    if names:
        en = (
            f"adjusted for {', '.join(t.en for t in names)}; nobody assigned failures or recoveries, so these are "
            "differences, not effects."
        )
        zh = f"已调整：{'、'.join(t.zh for t in names)}；失误与补救并非随机分配，因此是差异而非效应。"
    else:
        en = (
            "unadjusted: nothing from before the failure is known (prior satisfaction, tenure); a difference, not an "
            "effect."
        )
        zh = "未调整：缺少失误之前的信息（此前满意度、关系年限）；是差异而非效应。"
    notes.append(note("N-RECOVERY", en, zh))
    if within:
        en = (
            "the change of the same people compares each with themselves before; people who chose to stay differ "
            "from those who left."
        )
        notes.append(note("N-RECOVERY-WITHIN", en, "同一批人的变化以各人自身的前期为参照；留下者与离开者可能不同。"))
    if lost:
        en = f"{lost} failures have no recovery on record and are left out."
        notes.append(note("N-RECOVERY-UNKNOWN", en, f"有 {lost} 次失误没有补救记录，未计入。"))
    told = overlap.filter(pl.col("after").is_not_null()) if overlap.height else overlap
    if not told.height:
        return tuple(notes)
    left, rare = (told[c].to_numpy() for c in ("after", "lowest"))
    if np.abs(left).max() > APART or rare.min() < RARE:
        worst, rarest = fixed(float(np.abs(left).max())), fixed(float(rare.min()), 3)
        en = (
            f"groups overlap poorly: after weighting up to {worst} SD apart, lowest chance {rarest}; read the "
            "regression and the weighting together."
        )
        zh = f"各组重叠不足：加权后最多仍相差 {worst} 个标准差，最低概率 {rarest}；请同时参考回归与加权结果。"
        notes.append(note("W-OVERLAP", en, zh))
    return tuple(notes)
