"""What is said of complaints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from csi.display import fixed
from csi.errors import Text
from csi.survey.bases import told_cells
from csi.survey.keyed import of_cell, rows_of

HEADINGS: Final = {
    "customers": Text("customers", "顾客数"),
    "n": Text("answers", "答卷数"),
    "complainants": Text("with a complaint", "有投诉"),
    "rate": Text("rate", "投诉率"),
    "std_error": Text("SE", "标准误"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "name": Text("name", "名称"),
    "slope": Text("slope (logit)", "斜率（logit）"),
    "p_value": Text("p", "p"),
    "odds": Text("odds ratio per 10", "优势比（每 10 分）"),
    "odds_low": Text("low", "下限"),
    "odds_high": Text("high", "上限"),
    "points": Text("points per 10", "百分点（每 10 分）"),
    "points_low": Text("low", "下限"),
    "points_high": Text("high", "上限"),
    "question": Text("question", "问题"),
    "missing": Text("without a score", "无评分"),
    "mean": Text("mean", "均值"),
    "estimate": Text("difference", "差异"),
    "complained": Text("complained", "投诉者"),
    "others": Text("others", "其他顾客"),
    "difference": Text("difference", "差异"),
}
SAID: Final = {
    "handled": Text("handling of the complaint", "投诉处理"),
    "hypothetical": Text("imagined by those who did not complain", "未投诉者的设想"),
    "complained": Text("complained", "投诉"),
    "not handled": Text("complained, not handled", "投诉未处理"),
}
MEANING: Final = Text(
    "complaining is explained by what was answered, not by what was done: slopes are associations; handling is of "
    "complainants only, who differ from others as the last table says; p-values are not adjusted for their number.",
    "投诉由所作回答解释，并非干预的结果：斜率为关联；投诉处理仅指投诉者，与其他顾客的差别见末表；p 值未就数目作校正。",
)


def complaint_sentences(
    table: pl.DataFrame, incidence: pl.DataFrame, handling: pl.DataFrame, after: pl.DataFrame, keys: Sequence[str],
    labels: Mapping[str, Text], satisfaction: str, outcome: str, level: float,
) -> tuple[Text, ...]:  # fmt: skip
    """Rate, slope, handling and outcome, cell by cell."""
    made: list[Text] = []
    for cell, rows in told_cells(table, keys):
        row = rows.row(0, named=True)
        if row["rate"] is None:
            continue
        p, low, high = (fixed(100 * row[c], 1) for c in ("rate", "conf_low", "conf_high"))
        span, span_zh = f"{100 * level:g}% interval {low}% to {high}%", f"{100 * level:g}% 区间 {low}% 至 {high}%"
        en, zh = f"{p}% of {row['n']} customers complained ({span}).", f"{row['n']} 名顾客中 {p}% 投诉（{span_zh}）。"
        if row["customers"] < row["n"]:
            en = f"{p}% of {row['n']} answers of {row['customers']} customers tell of a complaint ({span})."
            zh = f"{row['customers']} 名顾客的 {row['n']} 份答卷中 {p}% 有投诉（{span_zh}）。"
        said = [Text(en, zh)]
        for other in (_slope(rows_of(incidence, cell), labels[satisfaction], satisfaction),
                      _handled(rows_of(handling, cell), level),
                      _outcome(rows_of(after, cell), labels.get(outcome, Text("", "")))):  # fmt: skip
            said += other
        made += of_cell(cell, said)
    return tuple(made)


def _slope(rows: pl.DataFrame, label: Text, name: str) -> list[Text]:
    """How the odds of complaining go with satisfaction."""
    own = rows.filter(name=name)
    if not own.height or own["odds"][0] is None:
        return []
    odds, low, high = (fixed(own[c][0]) for c in ("odds", "odds_low", "odds_high"))
    points = fixed(abs(own["points"][0]), 1)
    way, way_zh = ("fewer", "低") if own["points"][0] < 0 else ("more", "高")
    en = (
        f"10 more points of {label.en} are associated with {points} percentage points {way} complaints (odds ratio "
        f"{odds} [{low}, {high}])."
    )
    zh = f"{label.zh}每高 10 分，投诉率相应{way_zh} {points} 个百分点（优势比 {odds} [{low}, {high}]，为关联）。"
    return [Text(en, zh)]


def _handled(rows: pl.DataFrame, level: float) -> list[Text]:
    """How complaints were handled."""
    own = rows.filter(pl.col("question") == "handled", pl.col("mean").is_not_null())
    if not own.height or own["conf_low"][0] is None:
        return []
    mean, low, high = (fixed(own[c][0]) for c in ("mean", "conf_low", "conf_high"))
    n, every = own["n"][0], own["n"][0] + own["missing"][0]
    en = f"Of {every} complaints {n} were handled, rated {mean} on average ({100 * level:g}% interval {low} to {high})."
    zh = f"{every} 起投诉中 {n} 起得到处理，平均评分 {mean}（{100 * level:g}% 区间 {low} 至 {high}）。"
    return [Text(en, zh)]


def _outcome(rows: pl.DataFrame, label: Text) -> list[Text]:
    """How the outcome goes with complaining and with handling."""
    said = []
    scored = "handled" in rows["name"].to_list()
    for row in rows.filter(pl.col("estimate").is_not_null()).iter_rows(named=True):
        value, low, high = (fixed(row[c]) for c in ("estimate", "conf_low", "conf_high"))
        if row["name"] == "complained":
            at, at_zh = ("At mean handling, ", "在平均处理水平下，") if scored else ("", "")
            en = f"{at}{label.en} of complainants differs from that of others by {value} points [{low}, {high}]."
            zh = f"{at_zh}投诉者的{label.zh}与其他顾客相差 {value} 分 [{low}, {high}]。"
        elif row["name"] == "not handled":
            en = (
                f"Where a complaint was not handled, {label.en} differs from that of customers without one by {value} "
                f"points [{low}, {high}]."
            )
            zh = f"投诉未得到处理者的{label.zh}与未投诉者相差 {value} 分 [{low}, {high}]。"
        else:
            en = f"A point more of handling is associated with {value} points of {label.en} [{low}, {high}]."
            zh = f"处理评分每高 1 分，{label.zh}相应变化 {value} 分 [{low}, {high}]（关联）。"
        said.append(Text(en, zh))
    return said
