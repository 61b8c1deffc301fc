"""How an intervention reads: an effect only where the design carries the word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from csi.display import fixed
from csi.errors import Note, Text, note
from csi.estimate.shown import p_text
from csi.expectation.intervention_design import Design, Kind

QUANTITIES: Final[Mapping[str, Text]] = {
    "before_treated": Text("before, had it", "干预前（干预组）"),
    "before_control": Text("before, had it not", "干预前（对照组）"),
    "after_treated": Text("after, had it", "干预后（干预组）"),
    "after_control": Text("after, had it not", "干预后（对照组）"),
    "change_treated": Text("change, had it", "变化（干预组）"),
    "change_control": Text("change, had it not", "变化（对照组）"),
    "difference": Text("difference", "差异"),
}
PERIODS: Final = {"before": Text("before", "干预前"), "after": Text("after", "干预后")}
HEADINGS: Final = {
    "quantity": Text("what", "内容"),
    "wave": Text("wave", "期次"),
    "period": Text("period", "时段"),
    "n": Text("n", "样本量"),
    "estimate": Text("estimate", "估计值"),
    "std_error": Text("SE", "标准误"),
    "df": Text("df", "自由度"),
    "p_value": Text("p", "p"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
}


def worded(frame: pl.DataFrame, lang: str) -> pl.DataFrame:
    """The frame with its words in the language."""
    words = {"quantity": QUANTITIES, "period": PERIODS}
    said = {c: {k: t.say(lang) for k, t in known.items()} for c, known in words.items() if c in frame.columns}
    return frame.with_columns(pl.col(c).replace(known) for c, known in said.items())


def sentences_of(
    table: pl.DataFrame, kind: Kind, labels: Mapping[str, Text], level: float, scale: Text, *, effect: bool
) -> tuple[Text, ...]:
    """What was found, in the words that the design allows."""
    row = table.row(-1, named=True)
    if row["estimate"] is None:
        return ()
    y, z, p = labels["A"], labels["flag"], p_text(row["p_value"])
    p = p if p.startswith("<") else f"= {p}"
    number, low, high = (fixed(row[c]) for c in ("estimate", "conf_low", "conf_high"))
    value, value_zh = f"{number} {scale.en}", f"{number} {scale.zh}"
    said = f"{100 * level:g}% interval {low} to {high}, p {p}"
    said_zh = f"{100 * level:g}% 区间 {low} 至 {high}，p {p}"
    if kind == "before_after":
        en = f"Of those with {z.en}, the mean of {y.en} differs by {value} between before and after ({said}); nobody "
        en += "was without it."
        return (Text(en, f"接受“{z.zh}”者的{y.zh}前后相差 {value_zh}（{said_zh}）；没有对照组。"),)
    if kind == "after_only":
        en = f"The mean of {y.en} differs by {value} between those with and without {z.en} ({said}); "
        en += "nothing is known of before."
        return (Text(en, f"有、无“{z.zh}”者的{y.zh}相差 {value_zh}（{said_zh}）；干预前情况未知。"),)
    if effect:
        en = f"Effect of {z.en} on {y.en}, by difference in differences: {value} ({said})."
        return (Text(en, f"“{z.zh}”对{y.zh}的效应（双重差分）：{value_zh}（{said_zh}）。"),)
    en = f"The change of {y.en} differs by {value} between those with and without {z.en} ({said})."
    return (Text(en, f"有、无“{z.zh}”者的{y.zh}变化相差 {value_zh}（{said_zh}）。"),)


def notes_of(design: Design, parallel: bool | None, label: Text) -> tuple[Note, ...]:
    """What the design carries, and who was left out; `label` is that of the flag."""
    out = []
    if design.kind == "did":
        out.append(_trends(parallel))
    elif design.kind == "before_after":
        en = "no control group. Reported as difference, not effect: whatever else changed is in it."
        out.append(note("E-CAUSAL", en, "没有对照组。按差异报告，不称为效应：同期其他变化也包含在内。"))
    else:
        en = "no pre-period. Reported as difference, not effect: the groups may have differed before."
        out.append(note("E-CAUSAL", en, "没有干预前的期次。按差异报告，不称为效应：两组此前可能已有差异。"))
    if design.kind != "before_after" and design.uneven:
        en = "some people lack waves: the difference takes out what each wave adds for everybody, and is therefore not "
        zh = "部分受访者缺少某些期次：差异已扣除各期对所有人的共同变动，因此不等于所列两项变化之差。"
        out.append(note("N-INTERVENTION-GAPS", f"{en}the difference of the two changes told.", zh))
    paired, people = design.paired, design.treated.size
    if design.before and paired < people:
        en = f"{paired} of {people} people answered both before and after; changes and difference are of them, who may "
        zh = f"{people} 名受访者中有 {paired} 名在干预前后均作答；变化与差异仅据其计算，可能与其他人不同。"
        out.append(note("N-INTERVENTION-PAIRS", f"{en}differ from the others.", zh))
    if design.later:
        en = f"{design.later} people first flagged later than the others are left out."
        out.append(note("N-INTERVENTION-LEFT", en, f"有 {design.later} 名受访者较晚才接受干预，未纳入。"))
    if design.unknown:
        en = f"{design.unknown} people are left out: their answer to {label.en} is absent since it began, so whether "
        zh = f"有 {design.unknown} 名受访者自干预开始以来“{label.zh}”缺失，未纳入；未接受者请编码为 0。"
        out.append(note("N-INTERVENTION-UNKNOWN", f"{en}they had it is not known; who went without is coded 0.", zh))
    return tuple(out)


def _trends(parallel: bool | None) -> Note:
    """What is known of the trends before."""
    if parallel is None:
        en = "one wave before: that both groups would have changed alike is assumed, and cannot be seen."
        return note("N-INTERVENTION", en, "干预前只有一期：两组本会同样变化只是假定，无从检验。")
    if parallel:
        en = "the groups' trends before are not shown to differ; that they would have gone on alike is assumed."
        return note("N-INTERVENTION", en, "两组干预前的趋势未见差异；此后仍会同样变化属于假定。")
    en = "the groups' trends differed before. Reported as difference, not effect."
    return note("E-CAUSAL", en, "两组在干预前的趋势已有差异。按差异报告，不称为效应。")
