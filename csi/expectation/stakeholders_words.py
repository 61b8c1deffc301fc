"""How stakeholders read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from csi.display import fixed, table
from csi.errors import Note, Text
from csi.measures.shown import based, told
from csi.survey.bases import COLUMNS
from csi.survey.side_table import in_labels

HEADINGS: Final = {
    "id": Text("stakeholder", "干系人"),
    "role": Text("role", "角色"),
    "power": Text("power", "权力"),
    "interest": Text("interest", "利益"),
    "legitimacy": Text("legitimacy", "合法性"),
    "urgency": Text("urgency", "紧迫性"),
    "salience": Text("salience", "显著性"),
    "weight": Text("weight in role", "角色内权重"),
    "overall": Text("weight", "总权重"),
    "quadrant": Text("quadrant", "象限"),
    "kind": Text("class", "类型"),
    "n": Text("n", "人数"),
    "share": Text("share of salience", "显著性占比"),
    "who": Text("who", "对象"),
    "name": Text("name", "名称"),
    "mean": Text("expected", "期望"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
}
ROLE_HEADINGS: Final = {**HEADINGS, "n": Text("answers", "答卷数")}
"""Headings where rows are counted, not people."""

QUADRANTS: Final = {
    "manage": Text("manage closely", "重点管理"),
    "satisfy": Text("keep satisfied", "令其满意"),
    "inform": Text("keep informed", "随时告知"),
    "monitor": Text("monitor", "监督"),
}
CLASSES: Final = {
    "definitive": Text("definitive", "决定型"),
    "dominant": Text("dominant", "支配型"),
    "dangerous": Text("dangerous", "危险型"),
    "dependent": Text("dependent", "依赖型"),
    "dormant": Text("dormant", "蛰伏型"),
    "discretionary": Text("discretionary", "自主型"),
    "demanding": Text("demanding", "苛求型"),
    "none": Text("none", "非干系人"),
}


def sentences_of(found: pl.DataFrame, labels: Mapping[str, Text]) -> tuple[Text, ...]:
    """Who is to be managed closely; otherwise who is most salient."""
    close = [labels[i] for i in found.filter(quadrant="manage")["id"]]
    if close:
        return (
            Text(
                f"To be managed closely: {', '.join(t.en for t in close)}.",
                f"需重点管理：{'、'.join(t.zh for t in close)}。",
            ),
        )
    top = labels[found.sort("salience", descending=True)["id"][0]]
    en, zh = (
        f"Nobody has both power and interest; most salient is {top.en}.",
        f"没有权力与利益皆高者；显著性最高的是{top.zh}。",
    )
    return (Text(en, zh),)


def expectation_of(found: pl.DataFrame, labels: Mapping[str, Text]) -> tuple[Text, ...]:
    """What each role expects overall."""
    if not found.height:
        return ()
    en, zh = [], []
    for row in found.filter((pl.col("kind") == "overall") & pl.col("id").is_null()).iter_rows(named=True):
        if row["mean"] is None:
            continue
        span = "" if row["conf_low"] is None else f"{fixed(row['conf_low'])} to {fixed(row['conf_high'])}"
        en.append(f"{labels[row['role']].en} {fixed(row['mean'])}" + (f" ({span})" if span else ""))
        span = span.replace(" to ", " 至 ")
        zh.append(f"{labels[row['role']].zh} {fixed(row['mean'])}" + (f"（{span}）" if span else ""))
    return (Text(f"Expected overall, by role: {'; '.join(en)}.", f"各角色的总体期望：{'；'.join(zh)}。"),) if en else ()


def by_whom(found: pl.DataFrame) -> pl.DataFrame:
    """Dimensions and overall of each role and stakeholder; `who` is the stakeholder, or the role as a whole."""
    rows = found.filter(pl.col("kind") != "attribute") if found.height else found
    return rows.with_columns(pl.coalesce("id", "role").alias("who")) if rows.height else rows


def in_words(frame: pl.DataFrame, lang: str) -> pl.DataFrame:
    """A frame with quadrants and classes in words."""
    out = frame
    for column, words in (("quadrant", QUADRANTS), ("kind", CLASSES)):
        if column in out.columns:
            out = out.with_columns(pl.col(column).replace({k: t.say(lang) for k, t in words.items()}))
    return out


def lines_of(
    frames: tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame],
    labels: Mapping[str, Text],
    sentences: Sequence[Text],
    notes: Sequence[Note],
    lang: str,
) -> str:
    """Sentences, stakeholders, roles, what they expect, notes."""
    heads = {c: t.say(lang) for c, t in HEADINGS.items()}
    found, roles = (in_labels(frame, labels, ("id", "role"), lang) for frame in frames[:2])
    lines = [*(s.say(lang) for s in sentences), "", table(in_words(found, lang), headings=heads), ""]
    lines += [table(roles, headings=heads), ""]
    expected = by_whom(frames[2])
    if expected.height:
        shown = in_labels(expected, labels, ("who", "name"), lang)
        lines += [
            based(shown.select("who", "name", "n", "mean", "conf_low", "conf_high", *COLUMNS), ROLE_HEADINGS, lang),
            "",
        ]
    return "\n".join([*lines, *told((), notes, lang)])
