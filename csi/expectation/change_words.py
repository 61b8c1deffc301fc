"""How change over waves reads: headings, words of quantities, sentences, notes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from csi.display import fixed
from csi.errors import Note, Text, note
from csi.estimate.shown import p_text
from csi.expectation.change_fit import MODELS, Told
from csi.expectation.longitudinal import TITLES

CLEAR = 0.05
"""A change with a larger p is not called one."""

QUANTITIES: Final[Mapping[str, Text]] = {
    "mean_initial": Text("mean at the beginning", "初始均值"),
    "mean_change": Text("mean change", "平均变化"),
    "mean_slope": Text("mean slope a wave", "每期平均斜率"),
    "mean_constant": Text("mean constant change", "恒定变化均值"),
    "variance_initial": Text("variance at the beginning", "初始方差"),
    "variance_change": Text("variance of change", "变化的方差"),
    "variance_slope": Text("variance of slopes", "斜率的方差"),
    "variance_constant": Text("variance of constant change", "恒定变化的方差"),
    "covariance": Text("covariance of beginning and change", "初始与变化的协方差"),
    "proportional": Text("change per point of the level before", "上期水平每分对应的变化"),
    "coupling": Text("change per point of the other before", "另一构念上期每分对应的变化"),
    "keeps": Text("on itself before", "对自身上期"),
    "from_other": Text("on the other before", "对另一构念上期"),
    "to_other": Text("the other on it before", "另一构念对其上期"),
    "other_keeps": Text("the other on itself before", "另一构念对自身上期"),
    "variance_own_A": Text("variance of people's own means", "个体均值的方差"),
    "variance_own_B": Text("variance of people's own means, the other", "个体均值的方差（另一构念）"),
    "covariance_own": Text("covariance of people's own means", "个体均值的协方差"),
    "flag_initial": Text("flag: difference at the beginning", "标记：初始差异"),
    "flag_change": Text("flag: difference of change", "标记：变化的差异"),
    "flag_slope": Text("flag: difference of slopes", "标记：斜率的差异"),
    "flag_constant": Text("flag: difference of constant change", "标记：恒定变化的差异"),
}
HEADINGS: Final = {
    "model": Text("model", "模型"),
    "quantity": Text("quantity", "数量"),
    "estimate": Text("estimate", "估计值"),
    "std_error": Text("SE", "标准误"),
    "statistic": Text("estimate / SE", "估计值 / 标准误"),
    "p_value": Text("p", "p"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "std": Text("standardised", "标准化"),
    "n": Text("n", "样本量"),
    "chi2": Text("chi2", "卡方"),
    "df": Text("df", "自由度"),
    "cfi": Text("CFI", "CFI"),
    "rmsea": Text("RMSEA", "RMSEA"),
    "srmr": Text("SRMR", "SRMR"),
    "reason": Text("reason", "原因"),
    "series": Text("of", "对象"),
    "step": Text("equal over waves", "各期相等"),
    "released": Text("but", "除"),
    "delta_chi2": Text("chi2 diff.", "卡方差"),
    "delta_df": Text("df diff.", "自由度差"),
    "delta_p": Text("p diff.", "差异 p"),
    "delta_cfi": Text("CFI change", "CFI 变化"),
    "verdict": Text("verdict", "判断"),
    "wave": Text("wave", "期次"),
    "mean": Text("mean", "均值"),
}
VERDICTS: Final = {
    "baseline": Text("baseline", "基准"),
    "not rejected": Text("not rejected", "未拒绝"),
    "partial": Text("partial", "部分成立"),
    "rejected": Text("rejected", "拒绝"),
}
WORDS: Final[Mapping[str, Mapping[str, Text]]] = {
    "model": {name: title for name, (_, title) in MODELS.items()},
    "quantity": QUANTITIES,
    "step": {str(step): title for step, title in TITLES.items()},
    "verdict": VERDICTS,
}
"""Column -> what its values are called."""


TIMED: Final = Text("mean slope per unit of the times given", "每单位时间（按所给 times）的平均斜率")
"""What the mean slope is called where times of waves are given."""


@dataclass(frozen=True, slots=True)
class Units:
    """What a change is counted in.

    Attributes:
        scale: the answer scale, such as "points of 1–10". per: the time of a slope. timed: whether it is no wave.
    """

    scale: Text
    per: Text
    timed: bool = False


def units_of(scale: Text, *, timed: bool) -> Units:
    """Points of an answer scale, and waves or the unit of the times given.

    Example:
        >>> units_of(Text("points of 1–10", "分（1–10 分制）"), timed=False).per.en
        'a wave'
    """
    per = Text("per unit of the times given", "每单位时间（按所给 times）") if timed else Text("a wave", "每期")
    return Units(scale, per, timed)


def worded(frame: pl.DataFrame, lang: str, labels: Mapping[str, Text], *, timed: bool = False) -> pl.DataFrame:
    """The frame with its words in the language, series by their labels.

    Example:
        >>> worded(pl.DataFrame({"model": ["growth"], "series": ["A"]}), "zh", {"A": Text("E", "期望")}).rows()
        [('潜在增长', '期望')]
    """
    words = {**WORDS, "series": labels}
    if timed:
        words["quantity"] = {**QUANTITIES, "mean_slope": TIMED}
    said = {c: {name: t.say(lang) for name, t in known.items()} for c, known in words.items() if c in frame.columns}
    return frame.with_columns(pl.col(c).replace(known) for c, known in said.items())


def sentences_of(
    table: pl.DataFrame, waves: Sequence[str], labels: Mapping[str, Text], level: float, units: Units
) -> tuple[Text, ...]:
    """What each model found."""
    models = table["model"].unique(maintain_order=True)
    return tuple(t for model in models for t in _said(table, model, waves, labels, level, units))


def _said(
    table: pl.DataFrame, model: str, waves: Sequence[str], labels: Mapping[str, Text], level: float, units: Units
) -> Iterator[Text]:
    """Sentences on one model."""
    rows = {r["quantity"]: r for r in table.filter(model=model).iter_rows(named=True)}
    name, title = labels["A"], MODELS[model][1]
    if next(iter(rows.values()))["estimate"] is None:
        yield Text(f"{title.en}: withheld, see the reason.", f"{title.zh}：不予给出，见原因。")
        return
    of = (
        Text(f"{name.en} without {labels['flag'].en}", f"无“{labels['flag'].zh}”者的{name.zh}")
        if "flag" in labels
        else name
    )
    if model == "difference":
        yield _moved(of, rows["mean_change"], waves, level, units)
    if model == "growth":
        yield _grew(of, rows["mean_slope"], level, units)
    if model in ("dual", "coupled"):
        yield _levelling(name, rows["proportional"])
    if "coupling" in rows:
        yield _coupling(name, labels["B"], rows["coupling"])
    if model in ("lagged", "within"):
        yield _lags(title, name, labels["B"], rows)
    for key, row in rows.items():
        if key.startswith("flag_") and key != "flag_initial":
            yield _flag(name, labels["flag"], row, level, units)


def _between(row: Mapping[str, float], level: float) -> Text:
    """Interval and p in words."""
    low, high, p = fixed(row["conf_low"]), fixed(row["conf_high"]), p_text(row["p_value"])
    share = f"{100 * level:g}%"
    return Text(f"{share} interval {low} to {high}, p {_p(p)}", f"{share} 区间 {low} 至 {high}，p {_p(p)}")


def _p(said: str) -> str:
    """The p-value with its sign."""
    return said if said.startswith("<") else f"= {said}"


def _moved(name: Text, row: Mapping[str, float], waves: Sequence[str], level: float, units: Units) -> Text:
    """The mean of a difference."""
    said, value = _between(row, level), row["estimate"]
    if row["p_value"] is None or row["p_value"] >= CLEAR:
        en = f"{name.en}: no mean change from {waves[0]} to {waves[-1]} is shown ({fixed(value)}; {said.en})."
        return Text(en, f"{name.zh}：{waves[0]} 至 {waves[-1]} 未见平均变化（{fixed(value)}；{said.zh}）。")
    way, way_zh = ("rose", "上升") if value > 0 else ("fell", "下降")
    size, scale = fixed(abs(value)), units.scale
    en = f"{name.en} {way} by {size} {scale.en} from {waves[0]} to {waves[-1]} within people ({said.en})."
    return Text(en, f"{name.zh}在同一批受访者中自 {waves[0]} 至 {waves[-1]} {way_zh} {size} {scale.zh}（{said.zh}）。")


def _grew(name: Text, row: Mapping[str, float], level: float, units: Units) -> Text:
    """The mean slope."""
    said, value, scale, per = _between(row, level), row["estimate"], units.scale, units.per
    if row["p_value"] is None or row["p_value"] >= CLEAR:
        en = f"{name.en}: no mean trend is shown ({fixed(value)} {scale.en} {per.en}; {said.en})."
        return Text(en, f"{name.zh}：未见平均趋势（{per.zh} {fixed(value)} {scale.zh}；{said.zh}）。")
    way, way_zh = ("rose", "上升") if value > 0 else ("fell", "下降")
    en = f"{name.en} {way} by {fixed(abs(value))} {scale.en} {per.en} on average ({said.en})."
    return Text(en, f"{name.zh}平均{per.zh}{way_zh} {fixed(abs(value))} {scale.zh}（{said.zh}）。")


def _levelling(name: Text, row: Mapping[str, float]) -> Text:
    """How change goes with the level before."""
    value, p = fixed(row["estimate"]), p_text(row["p_value"])
    if row["p_value"] is None or row["p_value"] >= CLEAR:
        en = f"{name.en}: that change goes with the level before is not shown ({value}, p {_p(p)})."
        return Text(en, f"{name.zh}：未见变化与上期水平相关（{value}，p {_p(p)}）。")
    way, way_zh = ("less", "越小") if row["estimate"] < 0 else ("more", "越大")
    en = f"{name.en}: the higher the level before, the {way} it rises next ({value} per point, p {_p(p)})."
    return Text(en, f"{name.zh}：上期水平越高，随后的上升{way_zh}（每分 {value}，p {_p(p)}）。")


def _coupling(name: Text, other: Text, row: Mapping[str, float]) -> Text:
    """How change goes with the other before."""
    value, p = fixed(row["estimate"]), p_text(row["p_value"])
    shown = row["p_value"] is not None and row["p_value"] < CLEAR
    en = f"Change of {name.en} is {'' if shown else 'not shown to be '}associated with {other.en} before"
    zh = f"{name.zh}的变化与上期{other.zh}{'相关' if shown else '的关联未见显著'}"
    return Text(f"{en} ({value} per point, p {_p(p)}).", f"{zh}（每分 {value}，p {_p(p)}）。")


def _lags(title: Text, name: Text, other: Text, rows: Mapping[str, Mapping[str, float]]) -> Text:
    """Both lags across."""
    one, two = rows["from_other"], rows["to_other"]
    values = [(fixed(r["estimate"]), _p(p_text(r["p_value"]))) for r in (one, two)]
    en = f"{title.en}: {name.en} on {other.en} before {values[0][0]} (p {values[0][1]}), "
    en += f"{other.en} on {name.en} before {values[1][0]} (p {values[1][1]})."
    zh = f"{title.zh}：{name.zh}对上期{other.zh} {values[0][0]}（p {values[0][1]}），"
    zh += f"{other.zh}对上期{name.zh} {values[1][0]}（p {values[1][1]}）。"
    return Text(en, zh)


def _flag(name: Text, flag: Text, row: Mapping[str, float], level: float, units: Units) -> Text:
    """How change differs by the flag."""
    said, value = _between(row, level), fixed(row["estimate"])
    en = f"Change of {name.en} differs by {value} {units.scale.en} between people with and without "
    en += f"{flag.en} ({said.en})."
    return Text(en, f"有、无“{flag.zh}”的受访者，{name.zh}的变化相差 {value} {units.scale.zh}（{said.zh}）。")


def notes_of(models: Mapping[str, Told], *, flagged: bool) -> tuple[Note, ...]:
    """What holds of all models of change."""
    en = "change is within people and associated with what it goes with; time order alone makes no cause. p-values are "
    en += "of each quantity alone, not adjusted for their number."
    zh = "变化为个体内变化；所述关系均为关联，仅有时间先后不足以说明因果。p 值为各数量单独检验，未就数目作校正。"
    out = [note("N-CHANGE", en, zh)]
    if flagged:
        en = "with a flag, means are those of people without it; whether it may be an effect, the model intervention "
        en += "asks (--flag)."
        zh = "设有标记时，均值为无标记者的均值；能否视为效应，请用模型 intervention（--flag）。"
        out.append(note("N-CHANGE-FLAG", en, zh))
    if {"lagged", "within"} <= models.keys():
        en = "cross-lagged slopes mix stable differences between people with change within them; where random "
        en += "intercepts tell otherwise, believe those."
        zh = "交叉滞后斜率混合了个体间稳定差异与个体内变化；与随机截距结果不一致时，以后者为准。"
        out.append(note("N-CHANGE-LAGS", en, zh))
    return tuple(out)
