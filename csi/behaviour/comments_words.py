"""How comments read: headings, sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from csi.display import fixed
from csi.errors import Text
from csi.survey.bases import told_cells
from csi.survey.keyed import of_cell

HEADINGS: Final = {
    "attribute": Text("theme", "主题"),
    "n": Text("writers", "评论者"),
    "comments": Text("comments", "评论数"),
    "mentions": Text("comments on it", "提及次数"),
    "share": Text("share of writers", "评论者占比"),
    "share_low": Text("low", "下限"),
    "share_high": Text("high", "上限"),
    "voice": Text("share of voice", "声量占比"),
    "voice_low": Text("low", "下限"),
    "voice_high": Text("high", "上限"),
    "tone": Text("tone (0-1)", "情感得分（0–1）"),
    "tone_low": Text("low", "下限"),
    "tone_high": Text("high", "上限"),
    "negative": Text("negative", "负面占比"),
    "negative_low": Text("low", "下限"),
    "negative_high": Text("high", "上限"),
    "positive": Text("positive", "正面占比"),
    "below": Text("less than expected", "低于期望"),
    "met": Text("as expected", "符合期望"),
    "better": Text("more than expected", "超出期望"),
    "balance": Text("mean (-1 to 1)", "均值（−1 至 1）"),
    "balance_low": Text("low", "下限"),
    "balance_high": Text("high", "上限"),
    "language": Text("language", "语言"),
    "variable": Text("of", "变量"),
    "value": Text("value", "取值"),
    "n_writers": Text("n, who write", "样本量：写评论者"),
    "n_others": Text("n, others", "样本量：其他人"),
    "writers": Text("who write", "写评论者"),
    "others": Text("others", "其他人"),
    "difference": Text("difference", "差异"),
    "std_error": Text("SE", "标准误"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "p_value": Text("p", "p"),
    "p_adjusted": Text("p (Holm)", "p（Holm）"),
}
LANGUAGES: Final = {
    "zh": Text("Chinese", "中文"),
    "en": Text("English", "英文"),
    "mixed": Text("mixed", "中英混合"),
    "unknown": Text("another language", "其他语言"),
    "emoji": Text("no letters (emoji, figures)", "无文字（表情、数字）"),
    "empty": Text("empty", "空白"),
}
KEYS: Final = {
    "brand": Text("brand", "品牌"), "wave": Text("wave", "期次"), "stage": Text("stage", "阶段"),
    "segment": Text("segment", "客群"),
}  # fmt: skip
TOLD: Final = 3
"""Themes that a sentence names."""


def whole_sentences(frame: pl.DataFrame, keys: Sequence[str], level: float) -> tuple[Text, ...]:
    """How comments sound in every cell."""
    out: list[Text] = []
    for cell, part in told_cells(frame, keys):
        row = part.row(0, named=True)
        tone, bad = fixed(row["tone"]), fixed(100 * row["negative"], 0)
        between, between_zh = _bounds(row, "tone", level)
        en = f"{row['comments']} comments of {row['n']} people: tone {tone}{between}, {bad}% negative."
        zh = f"{row['n']} 人的 {row['comments']} 条评论：情感得分 {tone}{between_zh}，负面占 {bad}%。"
        out += of_cell(cell, [Text(en, zh)])
    return tuple(out)


def theme_sentences(frame: pl.DataFrame, keys: Sequence[str], labels: Mapping[str, Text]) -> tuple[Text, ...]:
    """What is spoken of most, what sounds worst."""
    out: list[Text] = []
    for cell, part in told_cells(frame, keys):
        told = part.filter(pl.col("voice").is_not_null()).sort("voice", "attribute", descending=[True, False])
        if not told.height:
            continue
        most = told.head(TOLD)
        en = ", ".join(f"{labels[a].en} {fixed(100 * v, 0)}%" for a, v in most.select("attribute", "voice").rows())
        zh = "、".join(f"{labels[a].zh} {fixed(100 * v, 0)}%" for a, v in most.select("attribute", "voice").rows())
        said = [Text(f"Most spoken of: {en} of mentions.", f"提及最多：{zh}（占全部提及）。")]
        worst = told.filter(pl.col("tone").is_not_null()).sort("tone", "attribute")
        if worst.height > 1:
            row = worst.row(0, named=True)
            label, share = labels[row["attribute"]], fixed(100 * row["negative"], 0)
            said.append(
                Text(
                    f"{label.en} sounds worst: tone {fixed(row['tone'])}, {share}% negative.",
                    f"{label.zh}的情感得分最低：{fixed(row['tone'])}，负面占 {share}%。",
                )
            )
        out += of_cell(cell, said)
    return tuple(out)


def expected_sentences(frame: pl.DataFrame, keys: Sequence[str]) -> tuple[Text, ...]:
    """What those got who compare with what they expected."""
    out: list[Text] = []
    for cell, part in told_cells(frame, keys):
        row = part.row(0, named=True)
        less, as_much, more = (fixed(100 * row[c], 0) for c in ("below", "met", "better"))
        en = f"Of {row['comments']} comments that compare with expectations, {more}% say more than expected,"
        en += f" {as_much}% as expected, {less}% less."
        zh = f"{row['comments']} 条评论与期望作比较：{more}% 超出期望，{as_much}% 符合期望，{less}% 低于期望。"
        out += of_cell(cell, [Text(en, zh)])
    return tuple(out)


def selection_sentences(frame: pl.DataFrame, labels: Mapping[str, Text], level: float) -> tuple[Text, ...]:
    """How those who write differ in satisfaction."""
    out = []
    for row in frame.filter((pl.col("value") == "") & pl.col("difference").is_not_null()).iter_rows(named=True):
        label = labels.get(row["variable"], Text(row["variable"], row["variable"]))
        size = fixed(row["difference"], 1)
        low, high = (fixed(row[c], 1) for c in ("conf_low", "conf_high"))
        en = f"Those who write differ from others in {label.en} by {size} points"
        zh = f"写评论者的{label.zh}与其他人相差 {size} 分"
        known = row["conf_low"] is not None
        bounds = f" ({100 * level:g}% interval {low} to {high})" if known else ""
        bounds_zh = f"（{100 * level:g}% 区间 {low} 至 {high}）" if known else ""
        out.append(Text(f"{en}{bounds}.", f"{zh}{bounds_zh}。"))
    return tuple(out)


def _bounds(row: Mapping[str, float | None], name: str, level: float) -> tuple[str, str]:
    """An interval in brackets, nothing where there is none."""
    if row[f"{name}_low"] is None:
        return "", ""
    low, high = fixed(row[f"{name}_low"]), fixed(row[f"{name}_high"])
    return f" ({100 * level:g}% interval {low} to {high})", f"（{100 * level:g}% 区间 {low} 至 {high}）"


def in_words(frame: pl.DataFrame, labels: Mapping[str, Text], lang: str) -> pl.DataFrame:
    """Attributes, languages and variables in words."""
    columns = (("attribute", labels), ("language", LANGUAGES), ("variable", {**KEYS, **labels}))
    return frame.with_columns(
        pl.col(c).replace({k: t.say(lang) for k, t in words.items()}) for c, words in columns if c in frame.columns
    )
