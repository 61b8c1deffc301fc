"""How slopes by stage read: each claim with what was found, what is withheld and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import polars as pl

from csi.display import at_floor, fixed
from csi.errors import Text
from csi.estimate.shown import p_is

HEADINGS: Final = {
    "stage": Text("stage", "阶段"),
    "outcome": Text("outcome", "结果变量"),
    "predictor": Text("predictor", "预测变量"),
    "n": Text("n", "样本量"),
    "estimate": Text("slope", "斜率"),
    "std_error": Text("SE", "标准误"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "p_value": Text("p", "p"),
    "p_adjusted": Text("p (Holm)", "p（Holm）"),
    "claimed": Text("claimed", "假设"),
    "found": Text("found", "结果"),
    "step": Text("step", "步骤"),
    "about": Text("of", "对象"),
    "first": Text("stage", "阶段"),
    "second": Text("other stage", "另一阶段"),
    "value": Text("value", "值"),
    "df": Text("df", "自由度"),
    "verdict": Text("verdict", "判断"),
}
WORDS: Final = {
    "falls": Text("falls", "下降"),
    "rises": Text("rises", "上升"),
    "open": Text("not clear", "不明确"),
    "": Text("", ""),
}
STEPS: Final = {
    "configural": Text("same structure", "结构相同"),
    "metric": Text("equal loadings (chi2 difference)", "载荷相等（卡方差）"),
    "scalar": Text("equal intercepts (chi2 difference)", "截距相等（卡方差）"),
    "composition": Text("MICOM 2: composition (c)", "MICOM 2：构成（c）"),
    "mean": Text("MICOM 3: difference of means", "MICOM 3：均值差"),
    "variance": Text("MICOM 3: log ratio of variances", "MICOM 3：方差比对数"),
    "path": Text("path, difference", "路径之差"),
}
VERDICTS: Final = {
    "baseline": Text("baseline", "基准"),
    "not rejected": Text("not rejected", "未拒绝"),
    "equivalent": Text("equivalent", "等效"),
    "partial": Text("partial", "部分成立"),
    "rejected": Text("rejected", "拒绝"),
    "not tested": Text("not tested", "未检验"),
    "void": Text("void", "无效"),
    "unsettled": Text("unsettled", "未定"),
    "none": Text("rejected", "拒绝"),
    "untested": Text("not tested", "未检验"),
    "full": Text("full", "完全"),
    "": Text("", ""),
}


def worded(frame: pl.DataFrame, lang: str, labels: Mapping[str, Text]) -> pl.DataFrame:
    """The frame with its words in the language.

    Example:
        >>> worded(pl.DataFrame({"outcome": ["int"], "found": ["falls"]}), "zh", {"int": Text("I", "意向")}).rows()
        [('意向', '下降')]
    """
    words: dict[str, Mapping[str, Text]] = dict.fromkeys(("claimed", "found"), WORDS)
    words |= dict.fromkeys(("stage", "outcome", "predictor", "first", "second"), labels)
    words |= {"about": {**labels, **_arrows(frame, labels)}, "step": STEPS, "verdict": VERDICTS}
    said = {c: {k: t.say(lang) for k, t in known.items()} for c, known in words.items() if c in frame.columns}
    return frame.with_columns(pl.col(c).replace(known) for c, known in said.items())


def _arrows(frame: pl.DataFrame, labels: Mapping[str, Text]) -> dict[str, Text]:
    """Names of arrows among the rows of a gate."""
    if "about" not in frame.columns:
        return {}
    every = [name for name in frame["about"].unique().to_list() if " → " in name]
    parts = {name: [labels.get(p, Text(p, p)) for p in name.split(" → ")] for name in every}
    return {name: Text(" → ".join(p.en for p in two), " → ".join(p.zh for p in two)) for name, two in parts.items()}


def sentences_of(
    trends: pl.DataFrame, why: Sequence[Text], labels: Mapping[str, Text], level: float, least: float = 0.0
) -> tuple[Text, ...]:
    """Each claim and what was found; what is withheld, and why. `least`: the least p that permutations can give."""
    return (*_claims(trends, labels, level, least), *_withheld(trends, why))


def _claims(trends: pl.DataFrame, labels: Mapping[str, Text], level: float, least: float) -> Iterator[Text]:
    """Claimed trends; where nothing is claimed, those that are clear."""
    claimed = trends.filter(pl.col("claimed") != "")
    rows = claimed if claimed.height else trends.filter(pl.col("found").is_in(["falls", "rises"]))
    for row in rows.filter(pl.col("estimate").is_not_null()).iter_rows(named=True):
        yield _claim(row, labels, level, least)
    told = trends.filter(pl.col("estimate").is_not_null())
    if told.height and not rows.height:
        yield Text("No slope is shown to rise or fall with the stage.", "未见任何斜率随阶段上升或下降。")


def _claim(row: Mapping[str, Any], labels: Mapping[str, Text], level: float, least: float) -> Text:
    """One trend."""
    x, y = (labels.get(row[c], Text(row[c], row[c])) for c in ("predictor", "outcome"))
    p = p_is(row["p_adjusted"], row["p_adjusted"] if at_floor(row["p_value"], least) else 0.0)
    value, low, high = (fixed(row[c], 3) for c in ("estimate", "conf_low", "conf_high"))
    share = f"{100 * level:g}%"
    en = f"{value} per stage, {share} interval {low} to {high}, p {p} by Holm"
    zh = f"每阶段 {value}，{share} 区间 {low} 至 {high}，Holm 校正 p {p}"
    said = WORDS[row["claimed"] or row["found"]]
    if not row["claimed"]:
        return Text(f"{x.en} → {y.en} {said.en} with the stage ({en}).", f"{x.zh} → {y.zh} 随阶段{said.zh}（{zh}）。")
    verdict = (
        Text("found", "得到支持")
        if row["found"] == row["claimed"]
        else Text("not clear", "不明确")
        if row["found"] == "open"
        else Text("contradicted", "相反")
    )
    return Text(
        f"That {x.en} → {y.en} {said.en} with the stage is {verdict.en} ({en}).",
        f"“{x.zh} → {y.zh} 随阶段{said.zh}”的假设{verdict.zh}（{zh}）。",
    )


def _withheld(trends: pl.DataFrame, why: Sequence[Text]) -> Iterator[Text]:
    """What is not told."""
    for reason in why:
        if trends.height:
            yield Text(f"Slopes that rest on it are withheld: {reason.en}.", f"相关斜率不予给出：{reason.zh}。")
        else:
            yield Text(f"Slopes of the stages are withheld: {reason.en}.", f"不给出各阶段斜率：{reason.zh}。")
