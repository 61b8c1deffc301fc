"""How Kano's classes read: names, sentences, lines at the prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from csi.errors import Note, Text
from csi.measures.shown import based, told
from csi.survey.bases import told_cells
from csi.survey.keyed import of_cell

CLASSES: Final = {
    "M": Text("must-be", "必备"),
    "O": Text("one-dimensional", "期望（一维）"),
    "A": Text("attractive", "魅力"),
    "I": Text("indifferent", "无差异"),
    "R": Text("reverse", "反向"),
    "Q": Text("questionable", "可疑"),
}
CODING: Final = Text(
    "1 = I like it, 2 = it must be so, 3 = neutral, 4 = I can live with it, 5 = I dislike it",
    "1 = 喜欢、2 = 理应如此、3 = 无所谓、4 = 可以忍受、5 = 不喜欢",
)
"""How answers to both questions of a pair are coded."""

HEADINGS: Final = {
    "attribute": Text("attribute", "属性"),
    "n": Text("n", "样本量"),
    "category": Text("class", "类别"),
    "support": Text("support", "支持度"),
    "cs_plus": Text("CS+", "CS+"),
    "cs_plus_low": Text("low", "下限"),
    "cs_plus_high": Text("high", "上限"),
    "cs_minus": Text("CS-", "CS−"),
    "cs_minus_low": Text("low ", "下限 "),
    "cs_minus_high": Text("high ", "上限 "),
    "total_strength": Text("total strength", "总强度"),
    "category_strength": Text("class strength", "类别强度"),
    "functional": Text("functional", "正向均值"),
    "dysfunctional": Text("dysfunctional", "反向均值"),
    "fong": Text("Fong (legacy)", "Fong（旧法）"),
}
LEGACY: Final = {"apart": Text("apart", "有别"), "not apart": Text("not apart", "未能区分")}
"""What Fong's rule says of the two largest counts."""

SURE = 0.95
"""Bootstrap support from which a class is stated without reserve."""


def sentences_of(found: pl.DataFrame, labels: Mapping[str, Text], keys: Sequence[str]) -> tuple[Text, ...]:
    """Per cell: which attributes are of which class, and which are not decided."""
    out: list[Text] = []
    for cell, part in told_cells(found, keys):
        en, zh = [], []
        for code in "MOAIR":
            names = part.filter((pl.col("category") == code) & (pl.col("support") >= SURE))["attribute"]
            if len(names):
                en.append(f"{CLASSES[code].en}: {', '.join(labels[a].en for a in names)}")
                zh.append(f"{CLASSES[code].zh}：{'、'.join(labels[a].zh for a in names)}")
        open_ = part.filter(pl.col("support") < SURE)["attribute"]
        if len(open_):
            en.append(f"not decided by these answers: {', '.join(labels[a].en for a in open_)}")
            zh.append(f"现有回答不足以判定：{'、'.join(labels[a].zh for a in open_)}")
        whole = "; ".join(en)
        out += of_cell(cell, [Text(whole[:1].upper() + whole[1:] + ".", "；".join(zh) + "。")] if en else [])
    return tuple(out)


def in_words(found: pl.DataFrame, labels: Mapping[str, Text], lang: str) -> pl.DataFrame:
    """The table with attributes and classes in words."""
    return found.with_columns(
        pl.col("attribute").replace({a: t.say(lang) or a for a, t in labels.items()}),
        pl.col("category").replace({c: t.say(lang) for c, t in CLASSES.items()}),
    )


def lines_of(
    found: pl.DataFrame, sentences: Sequence[Text], notes: Sequence[Note], labels: Mapping[str, Text], lang: str
) -> str:
    """Sentences, the table, notes."""
    shown = in_words(found, labels, lang).drop("total_strength", "category_strength", "functional", "dysfunctional")
    lines = [*(s.say(lang) for s in sentences), "", based(shown, HEADINGS, lang), ""]
    return "\n".join([*lines, *told((), notes, lang)])
