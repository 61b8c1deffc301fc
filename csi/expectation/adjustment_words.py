"""How an adjusted expectation reads: which one explains more, where it moved, what went with a flag."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import polars as pl

from csi.display import fixed
from csi.errors import Note, Text, note
from csi.estimate.shown import p_text
from csi.expectation.adjustment_asked import Occasions
from csi.expectation.intervention import Intervention

CLEAR: Final = 0.05
"""A difference with a larger p is not called one."""

SHAPES: Final[Mapping[str, Text]] = {
    "alone": Text("expectation alone", "仅期望"),
    "linear": Text("expectation and experience", "期望与体验"),
    "polynomial": Text("with squares and product", "含平方项与乘积项"),
}
EXPECTATIONS: Final = {
    "none": Text("experience alone", "仅体验"),
    "initial": Text("initial", "初始期望"),
    "adjusted": Text("adjusted", "调整后期望"),
}
QUANTITIES: Final[Mapping[str, Text]] = {
    "mean_initial": Text("mean, initial", "初始均值"),
    "mean_adjusted": Text("mean, adjusted", "调整后均值"),
    "mean_change": Text("mean change", "平均变化"),
    "slope_adjusted": Text("outcome on adjusted expectation", "结果对调整后期望的斜率"),
    "slope_experience": Text("outcome on experience", "结果对体验的斜率"),
    "flag_change": Text("a: flag, change of expectation", "a：标记与期望变化"),
    "change_outcome": Text("b: change of expectation, outcome", "b：期望变化与结果"),
    "flag_direct": Text("c: flag, outcome beside the change", "c：标记与结果（期望变化之外）"),
    "indirect": Text("a b: through the change", "a×b：经由期望变化"),
}
HEADINGS: Final = {
    "shape": Text("regression", "回归"),
    "expectation": Text("expectation", "期望"),
    "terms": Text("terms", "项数"),
    "r2": Text("R2", "R²"),
    "loo_r2": Text("R2, leave-one-out", "留一 R²"),
    "quantity": Text("what", "内容"),
    "series": Text("of", "对象"),
    "wave": Text("wave", "期次"),
    "items": Text("items", "题项数"),
    "n": Text("n", "样本量"),
    "mean": Text("mean", "均值"),
    "sd": Text("SD", "标准差"),
    "alpha": Text("alpha", "α 信度"),
    "estimate": Text("estimate", "估计值"),
    "std_error": Text("SE", "标准误"),
    "statistic": Text("t", "t"),
    "df": Text("df", "自由度"),
    "p_value": Text("p", "p"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
}


def worded(frame: pl.DataFrame, lang: str, labels: Mapping[str, Text]) -> pl.DataFrame:
    """The frame with its words in the language.

    Example:
        >>> worded(pl.DataFrame({"shape": ["alone"], "series": ["Y"]}), "zh", {"Y": Text("S", "满意")}).rows()
        [('仅期望', '满意')]
    """
    words = {"shape": SHAPES, "expectation": EXPECTATIONS, "quantity": QUANTITIES, "series": labels}
    said = {c: {k: t.say(lang) for k, t in known.items()} for c, known in words.items() if c in frame.columns}
    return frame.with_columns(pl.col(c).replace(known) for c, known in said.items())


def sentences_of(
    comparison: pl.DataFrame,
    models: pl.DataFrame,
    table: pl.DataFrame,
    waves: tuple[str, ...],
    labels: Mapping[str, Text],
    level: float,
    scale: Text,
    *,
    effect: bool,
) -> tuple[Text, ...]:
    """Which expectation explains more, how it moved, what goes with it, what went with a flag."""
    rows = {r["quantity"]: r for r in table.iter_rows(named=True) if r["estimate"] is not None}
    out = [_better(comparison.row(-1, named=True), models, labels, level)]
    if "mean_change" in rows:
        out.append(_moved(rows["mean_change"], waves, labels["A"], level, scale))
    if "slope_adjusted" in rows:
        out.append(_slope(rows["slope_adjusted"], labels, level))
    return (*out, *_paths(rows, labels, level, effect=effect))


def _better(row: Mapping[str, Any], models: pl.DataFrame, labels: Mapping[str, Text], level: float) -> Text:
    """The comparison of the fullest regression."""
    shape, y = row["shape"], labels["Y"]
    both = models.filter(shape=shape)
    first, last = (both.filter(expectation=e)["loo_r2"][0] for e in ("initial", "adjusted"))
    values = f"{fixed(last, 3)}", f"{fixed(first, 3)}"
    if row["p_value"] is None:
        en = f"Initial and adjusted expectation foresee {y.en} alike (R2 {values[0]} and {values[1]})."
        return Text(en, f"初始与调整后期望对{y.zh}的预测相同（R² {values[0]} 与 {values[1]}）。")
    said = _between(row, level, 3)
    which, which_zh = SHAPES[shape].en, SHAPES[shape].zh
    if row["p_value"] >= CLEAR:
        en = f"That either expectation foresees {y.en} better is not shown: R2 of people unseen {values[0]} by the "
        en += f"adjusted, {values[1]} by the initial one ({which}; difference {fixed(row['estimate'], 3)}, {said.en})."
        zh = f"未见哪一种期望能更好地预测{y.zh}：留一 R² 调整后 {values[0]}、初始 {values[1]}（{which_zh}；"
        return Text(en, f"{zh}差异 {fixed(row['estimate'], 3)}，{said.zh}）。")
    better, worse = (("adjusted", "initial"), ("initial", "adjusted"))[row["estimate"] < 0]
    one, two = (EXPECTATIONS[k] for k in (better, worse))
    high, low = values if better == "adjusted" else values[::-1]
    en = f"The {better} expectation foresees {y.en} better than the {worse} one: R2 of people unseen {high} against "
    en += f"{low} ({which}; adjusted less initial {fixed(row['estimate'], 3)}, {said.en})."
    zh = f"{one.zh}比{two.zh}更能预测{y.zh}：留一 R² {high} 对 {low}（{which_zh}；调整后减初始 "
    return Text(en, f"{zh}{fixed(row['estimate'], 3)}，{said.zh}）。")


def _between(row: Mapping[str, Any], level: float, digits: int = 2) -> Text:
    """Interval and p in words; no p where there is none."""
    low, high, share = fixed(row["conf_low"], digits), fixed(row["conf_high"], digits), f"{100 * level:g}%"
    p = "" if row["p_value"] is None else p_text(row["p_value"])
    p = f", p {p if p.startswith('<') else f'= {p}'}" if p else ""
    return Text(f"{share} interval {low} to {high}{p}", f"{share} 区间 {low} 至 {high}{p.replace(', ', '，')}")


def _moved(row: Mapping[str, Any], waves: tuple[str, ...], name: Text, level: float, scale: Text) -> Text:
    """How expectation moved."""
    said, value = _between(row, level), row["estimate"]
    if row["p_value"] is None or row["p_value"] >= CLEAR:
        en = f"{name.en}: no mean change from {waves[0]} to {waves[1]} is shown ({fixed(value)}; {said.en})."
        return Text(en, f"{name.zh}：{waves[0]} 至 {waves[1]} 未见平均变化（{fixed(value)}；{said.zh}）。")
    way, way_zh = ("rose", "上升") if value > 0 else ("fell", "下降")
    en = f"{name.en} {way} by {fixed(abs(value))} {scale.en} from {waves[0]} to {waves[1]} ({said.en})."
    return Text(en, f"{name.zh}自 {waves[0]} 至 {waves[1]} {way_zh} {fixed(abs(value))} {scale.zh}（{said.zh}）。")


def _slope(row: Mapping[str, Any], labels: Mapping[str, Text], level: float) -> Text:
    """What goes with the adjusted expectation at the same experience."""
    said, value, y = _between(row, level), fixed(row["estimate"]), labels["Y"]
    at, at_zh = (f" at the same {labels['B'].en}", f"在{labels['B'].zh}相同时，") if "B" in labels else ("", "")
    shown = row["p_value"] is not None and row["p_value"] < CLEAR
    way, way_zh = ("lower", "较低") if row["estimate"] < 0 else ("higher", "较高")
    if shown:
        en = f"A higher adjusted expectation is associated with {way} {y.en}{at} ({value} per point; {said.en})."
        return Text(en, f"{at_zh}调整后期望较高者，{y.zh}{way_zh}（每分 {value}；{said.zh}）。")
    en = f"The adjusted expectation is not shown to be associated with {y.en}{at} ({value} per point; {said.en})."
    return Text(en, f"{at_zh}未见调整后期望与{y.zh}相关（每分 {value}；{said.zh}）。")


def _paths(
    rows: Mapping[str, Mapping[str, Any]], labels: Mapping[str, Text], level: float, *, effect: bool
) -> Iterator[Text]:
    """What went with the flag, and how much of it through the change of expectation."""
    if "indirect" not in rows:
        return
    a, through = rows["flag_change"], rows["indirect"]
    z, e, y = labels["flag"], labels["A"], labels["Y"]
    said, value = _between(a, level), fixed(a["estimate"])
    if effect:
        en = f"Effect of {z.en} on the change of {e.en}: {value} ({said.en})."
        yield Text(en, f"“{z.zh}”对{e.zh}变化的效应：{value}（{said.zh}）。")
    else:
        en = f"{z.en} is associated with a change of {e.en} that differs by {value} ({said.en})."
        yield Text(en, f"有、无“{z.zh}”者，{e.zh}的变化相差 {value}（{said.zh}；仅为关联）。")
    said, value = _between(through, level), fixed(through["estimate"])
    clear = through["conf_low"] * through["conf_high"] > 0
    if effect:
        en = f"Indirect effect of {z.en} on {y.en} through adjusted expectation: {value} ({said.en})"
        zh = f"“{z.zh}”经由期望调整对{y.zh}的间接效应：{value}（{said.zh}）"
    else:
        en = f"Through the change of expectation, {z.en} is associated with {y.en} by {value} ({said.en})"
        zh = f"“{z.zh}”经由期望变化与{y.zh}的关联为 {value}（{said.zh}）"
    yield Text(f"{en}.", f"{zh}。") if clear else Text(f"{en}; the interval includes zero.", f"{zh}；区间包含零。")


def notes_of(rows: Occasions, design: Intervention | None, *, effect: bool) -> tuple[Note, ...]:
    """What was compared and what it rests on."""
    first, last = rows.waves
    en = f"initial expectation of {first}; adjusted expectation, experience and outcome of {last}; people are "
    en += "foreseen by regressions without them. Where neither expectation tells anything, the comparison is careful "
    en += "(Vuong 1989)."
    zh = f"初始期望取 {first}；调整后期望、体验与结果取 {last}；每人均由不含本人的回归预测。两种期望均无解释力时，"
    out = [note("N-ADJUSTMENT", en, f"{zh}该比较偏保守（Vuong 1989）。")]
    if rows.experience is None:
        en = (
            "experience was not asked, so expectations are compared alone, without it and without squares and products."
        )
        zh = "未询问体验，故只比较期望本身，不含体验、平方项与乘积项。"
        out.append(note("N-ADJUSTMENT-ALONE", en, zh))
    if design is None:
        return tuple(out)
    if effect:
        en = "the second half, from expectation to the outcome, is not randomised: the indirect effect assumes that "
        en += "nothing else moved both after the same expectation before and experience."
        zh = "从期望到结果的后半段并非随机：间接效应假定，在初始期望与体验相同时，没有其他因素同时影响两者。"
        out.append(note("N-ADJUSTMENT-PATH", en, zh))
    else:
        en = "what goes with the flag is an association, also through the change of expectation."
        out.append(note("N-ADJUSTMENT-PATH", en, "与标记有关的结果（包括经由期望变化的部分）均为关联。"))
    return (*out, *(n for n in design.notes if n.code in ("E-CAUSAL", "N-INTERVENTION", "N-INTERVENTION-LEFT")))
