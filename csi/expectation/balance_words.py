"""How the balance point reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from csi.display import fixed
from csi.errors import Note, Text
from csi.measures.shown import based, told
from csi.survey.bases import told_cells
from csi.survey.keyed import of_cell

HEADINGS: Final = {
    "prospects": Text("prospects", "潜在客户"),
    "buyers": Text("buyers", "购买者"),
    "balance": Text("balance point", "平衡点"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "boundary": Text("at the end", "位于端点"),
    "at_boundary": Text("resamples at an end", "重抽样位于端点"),
    "expected": Text("expected now", "当前期望"),
    "perceived": Text("perceived", "感知"),
    "promise_gap": Text("balance - perceived", "平衡点 − 感知"),
    "gap_low": Text("low ", "下限 "),
    "gap_high": Text("high ", "上限 "),
    "attraction": Text("attraction", "吸引"),
    "satisfaction": Text("satisfaction", "满意（复购）"),
    "product": Text("both", "两者之积"),
    "side": Text("side", "方面"),
    "name": Text("predictor", "预测变量"),
    "estimate": Text("logit slope", "logit 斜率"),
    "std_error": Text("SE", "标准误"),
}
SIDES: Final = {"attraction": Text("attraction", "吸引"), "satisfaction": Text("satisfaction", "满意（复购）")}
NAMES: Final = {"expected": Text("expectation", "期望"), "perceived": Text("perception", "感知")}
LOOSE: Final = 0.05
"""Share of resamples at an end of the scale from which the point is called loose."""

ENDS: Final = {"low": Text("lower end", "下端"), "high": Text("upper end", "上端"), "": Text("no", "否")}


def sentences_of(found: pl.DataFrame, slopes: pl.DataFrame, keys: Sequence[str], level: float) -> tuple[Text, ...]:
    """Per cell: the balance point, and what it means for the promise."""
    out: list[Text] = []
    for cell, part in told_cells(found, keys):
        row = part.row(0, named=True)
        own = slopes.filter(*(pl.col(k) == row[k] for k in keys)) if keys else slopes
        if row["reason"] is None:
            out += of_cell(cell, _alone(own) if row["balance"] is None else _point(row, level))
    return tuple(out)


def _alone(slopes: pl.DataFrame) -> tuple[Text, ...]:
    """Only the satisfaction side."""
    row = slopes.filter(side="satisfaction", name="expected").row(0, named=True)
    if row["estimate"] is None:
        return (Text("No balance point can be given.", "无法给出平衡点。"),)
    clear = row["conf_high"] is not None and row["conf_high"] < 0
    if clear:
        en, zh = (
            "At the same experience, higher expectations go with less satisfaction",
            "体验相同时，期望越高，满意越低",
        )
    else:
        en = "At the same experience, higher expectations do not clearly go with less satisfaction"
        zh = "体验相同时，期望高低与满意没有明确的负向关系"
    size = fixed(row["estimate"])
    return (
        Text(
            f"{en} (logit slope {size}); without prospects there is no balance point.",
            f"{zh}（logit 斜率 {size}）；缺少潜在客户数据，无法得到平衡点。",
        ),
    )


def _point(row: Mapping[str, float | str], level: float) -> tuple[Text, ...]:
    """The balance point and the promise gap.

    Example:
        >>> row = {"balance": 5.2, "conf_low": 4.8, "conf_high": 5.6, "boundary": "", "expected": 6.0, "perceived": 5.0,
        ...        "promise_gap": 0.2, "gap_low": -0.2, "gap_high": 0.6, "at_boundary": 0.0}
        >>> print(*[s.en for s in _point(row, 0.95)], sep=chr(10))
        Choosing and coming back together are most likely at an expectation of 5.20 (95% interval 4.80 to 5.60).
        Prospects expect more than that (6.00).
        What buyers perceive (5.00) and the balance point cannot be told apart.
    """
    value, low, high = (fixed(float(row[c])) for c in ("balance", "conf_low", "conf_high"))
    if row["boundary"]:
        end = ENDS[str(row["boundary"])]
        return (
            Text(
                f"No balance point inside the scale: the {end.en} ({value}) is best in these data.",
                f"量表内没有平衡点：在这些数据中{end.zh}（{value}）最优。",
            ),
        )
    share = f"{100 * level:g}"
    out = [
        Text(
            f"Choosing and coming back together are most likely at an expectation of {value} ({share}% interval {low}"
            f" to {high}).",
            f"期望为 {value} 时，“选择并再次购买”的可能性最大（{share}% 区间 {low} 至 {high}）。",
        )
    ]
    ends = float(row["at_boundary"] or 0.0)
    if ends > LOOSE:
        share = f"{100 * ends:.1f}"
        en = f"The point is loose: in {share}% of the resamples an end of the scale is best."
        out.append(Text(en, f"该点并不稳定：{share}% 的重抽样中量表端点最优。"))
    now = float(row["expected"])
    more = now > float(row["conf_high"])
    less = now < float(row["conf_low"])
    if more or less:
        size = fixed(now)
        en, zh = ("more", "高于") if more else ("less", "低于")
        out.append(Text(f"Prospects expect {en} than that ({size}).", f"潜在客户的期望（{size}）{zh}该点。"))
    size, gap = (fixed(abs(float(row[c]))) for c in ("perceived", "promise_gap"))
    if float(row["gap_low"]) > 0:
        en = f"What buyers perceive ({size}) is {gap} below it: promising that much is not kept today."
        out.append(Text(en, f"购买者的感知（{size}）比该点低 {gap}：按此承诺，目前尚不能兑现。"))
    elif float(row["gap_high"]) < 0:
        en = f"What buyers perceive ({size}) is {gap} above it: promising that much leaves room to exceed."
        out.append(Text(en, f"购买者的感知（{size}）比该点高 {gap}：按此承诺，仍有超出期望的余地。"))
    else:
        en = f"What buyers perceive ({size}) and the balance point cannot be told apart."
        out.append(Text(en, f"购买者的感知（{size}）与平衡点没有显著差异。"))
    return tuple(out)


def in_words(frame: pl.DataFrame, lang: str) -> pl.DataFrame:
    """A frame with sides, predictors and ends in words."""
    out = frame
    for column, words in (("side", SIDES), ("name", NAMES), ("boundary", ENDS)):
        if column in out.columns:
            out = out.with_columns(pl.col(column).replace({k: t.say(lang) for k, t in words.items()}))
    return out


def lines_of(
    found: pl.DataFrame, slopes: pl.DataFrame, sentences: Sequence[Text], notes: Sequence[Note], lang: str
) -> str:
    """Sentences, the balance point, slopes, notes."""
    shown = found.select(c for c in found.columns if c != "n" and found[c].null_count() < found.height)
    lines = [*(s.say(lang) for s in sentences), "", based(in_words(shown, lang), HEADINGS, lang), ""]
    lines += [based(in_words(slopes, lang), HEADINGS, lang), ""]
    return "\n".join([*lines, *told((), notes, lang)])
