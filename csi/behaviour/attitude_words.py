"""What is said of attitude beside behaviour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from csi.behaviour.buying import UNITS, Unit
from csi.behaviour.hazard_words import CLEAR, parted
from csi.behaviour.watched import Waited
from csi.display import fixed
from csi.errors import Note, Text, note
from csi.survey.bases import told_cells
from csi.survey.keyed import of_cell

HEADINGS: Final = {
    "model": Text("model", "模型"),
    "name": Text("score", "得分"),
    "n": Text("n", "样本量"),
    "events": Text("did it", "发生人数"),
    "ratio": Text("hazard ratio, 10 points", "风险比（每 10 分）"),
    "ratio_low": Text("low", "下限"),
    "ratio_high": Text("high", "上限"),
    "odds": Text("odds ratio, 10 points", "发生比（每 10 分）"),
    "odds_low": Text("low", "下限"),
    "odds_high": Text("high", "上限"),
    "points": Text("percentage points, 10 points", "百分点（每 10 分）"),
    "points_low": Text("low", "下限"),
    "points_high": Text("high", "上限"),
    "p_value": Text("p", "p"),
    "band": Text("scored", "得分区间"),
    "share": Text("share", "占比"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "statistic": Text("chi-square", "卡方"),
    "df": Text("df", "自由度"),
    "trend": Text("change of slope", "斜率变化"),
    "what": Text("joined", "对接"),
    "count": Text("count", "数量"),
}
"""Headings of columns."""

SAID: Final = {
    "alone": Text("alone", "单独"),
    "together": Text("together", "同时纳入"),
    "all": Text("all together", "合计"),
    "answers": Text("answers", "答卷"),
    "respondents": Text("respondents", "受访者"),
    "with events": Text("of these in the table of events", "其中出现在事件表中"),
    "followed": Text("answers followed", "有后续观察的答卷"),
    "happened": Text("of these it happened to", "其中发生该行为"),
}
"""Names in tables."""

DID: Final = {"repurchase": Text("buying again", "复购"), "churn": Text("leaving", "流失")}
HAS: Final = {"repurchase": Text("bought again", "复购"), "churn": Text("left", "流失")}
MOST: Final = 4
"""Cells that are told in sentences."""


def attitude_sentences(
    hazards: pl.DataFrame,
    bands: pl.DataFrame,
    by: Sequence[str],
    labels: Mapping[str, Text],
    drivers: Sequence[str],
    waited: Waited,
    span: float,
    unit: Unit,
) -> tuple[Text, ...]:
    """Every driver alone, then the lowest and the highest band of the first."""
    out: list[Text] = []
    for cell, rows in list(told_cells(hazards, by))[:MOST]:
        for row in rows.filter(pl.col("model") == "alone").iter_rows(named=True):
            if row["ratio"] is not None:
                out += of_cell(cell, [_slope(row, labels, waited)])
    for cell, rows in list(told_cells(bands, by))[:MOST]:
        told = [r for r in rows.filter(pl.col("name") == drivers[0]).iter_rows(named=True) if r["share"] is not None]
        if len(told) > 1:
            out += of_cell(cell, [_ends(told[0], told[-1], labels[drivers[0]], waited, span, unit)])
    return tuple(out)


def _slope(row: Mapping[str, object], labels: Mapping[str, Text], waited: Waited) -> Text:
    """What goes with ten points."""
    name, what = labels[str(row["name"])], DID[waited]
    ratio, low, high = (fixed(float(str(row[c])), 2) for c in ("ratio", "ratio_low", "ratio_high"))
    if float(str(row["p_value"])) < CLEAR:
        en = f"Ten points more of {name.en} are associated with a hazard of {what.en} {ratio} times as high"
        return Text(
            f"{en} ({low} to {high}).",
            f"{name.zh}每高 10 分，{what.zh}风险为 {ratio} 倍（{low} 至 {high}），二者相关。",
        )
    en = f"{name.en} is not shown to go with {what.en} (hazard ratio of ten points {ratio}, {low} to {high})."
    return Text(en, f"未显示{name.zh}与{what.zh}相关（每 10 分风险比 {ratio}，{low} 至 {high}）。")


def _ends(
    low: Mapping[str, object], high: Mapping[str, object], name: Text, waited: Waited, span: float, unit: Unit
) -> Text:
    """The lowest and the highest band."""
    first, last = (fixed(100 * float(str(r["share"])), 0) for r in (low, high))
    did = HAS[waited]
    en = (f"Of those who scored {name.en} {low['band']}, {first}% {did.en} within {span:g} {UNITS[unit].en}; "
          f"of those who scored it {high['band']}, {last}%.")  # fmt: skip
    zh = (f"{name.zh}得分 {low['band']} 者在 {span:g} {UNITS[unit].zh}内有 {first}% {did.zh}，"
          f"得分 {high['band']} 者为 {last}%。")  # fmt: skip
    return Text(en, zh)


UNITS_NEEDED: Final = 100
"""With fewer degrees of freedom linearised errors of hazards were some 8 % small (tests/slow/survival_coverage.md)."""


def attitude_notes(
    waited: Waited, checks: pl.DataFrame, cuts: Sequence[float], *, model: bool, units: float
) -> tuple[Note, ...]:
    """How it is read."""
    en = "only what came after the interview counts; errors follow the design (weights, strata, clusters); nobody was "
    zh = "只计访问之后发生的行为；标准误按抽样设计（权重、分层、整群）；满意与否并非随机分配，"
    en, zh = (
        f"{en}assigned to be satisfied: ratios and shares are associations, not effects.",
        f"{zh}只表示相关，不是效应。",
    )
    notes = [note("N-ATTITUDE", en, zh)]
    used = ", ".join(f"{c:g}" for c in cuts)
    en = f"bands end at {used}, the upper end included; other cuts give other shares."
    notes.append(note("N-ATTITUDE-BANDS", en, f"得分区间以 {used} 为界（含上端）；分界不同，占比也不同。"))
    if waited == "repurchase":
        en = "buying again is the first purchase after the interview, counted from its day."
        notes.append(note("N-ATTITUDE-FIRST", en, "复购指访问之后的首次购买，时间自访问日起。"))
    if model:
        en = "scores are those of a fitted model; their own uncertainty is not in the errors."
        notes.append(note("N-ATTITUDE-SCORES", en, "得分来自拟合模型；得分自身的不确定性未计入标准误。"))
    if units < UNITS_NEEDED:
        en = (
            f"errors of hazards rest on {units + 1:g} units (clusters, or people): with fewer than {UNITS_NEEDED} they "
        )
        zh = f"风险比的标准误依据 {units + 1:g} 个抽样单位；少于 {UNITS_NEEDED} 个时可能偏小数个百分点。"
        notes.append(note("N-ATTITUDE-UNITS", f"{en}can be some percent small.", zh))
    if _any_parted(checks):
        en = "proportional hazards are rejected: the ratio is an average over the time observed; see the shares within."
        notes.append(note("W-PROPORTIONAL", en, "比例风险假定被拒绝：比值只是观察期内的平均，请看期限内占比。"))
    return tuple(notes)


def _any_parted(checks: pl.DataFrame) -> bool:
    """Whether some cell's ratios do not stay."""
    keys = [c for c in checks.columns if c not in ("name", "statistic", "df", "p_value", "trend")]
    parts = checks.partition_by(keys) if keys and checks.height else [checks]
    return any(parted(p) for p in parts)
