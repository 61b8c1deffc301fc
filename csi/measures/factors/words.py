"""How results of exploratory factor analysis read at a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from csi.display import fixed, table
from csi.errors import Note, Text

HEADINGS: Final = {
    "item": Text("item", "题项"),
    "other": Text("other", "另一题项"),
    "construct": Text("construct", "构念"),
    "kmo": Text("KMO", "KMO"),
    "grade": Text("grade", "等级"),
    "method": Text("method", "方法"),
    "factors": Text("factors", "因子数"),
    "counted": Text("counted", "计入"),
    "reason": Text("reason", "原因"),
    "number": Text("number", "序号"),
    "eigenvalue": Text("eigenvalue", "特征值"),
    "random_mean": Text("random mean", "随机均值"),
    "random_high": Text("random 95%", "随机 95%"),
    "common": Text("common", "公因子特征值"),
    "common_mean": Text("common random", "公因子随机均值"),
    "common_high": Text("common 95%", "公因子随机 95%"),
    "ekc": Text("EKC", "EKC"),
    "map": Text("MAP", "MAP"),
    "map4": Text("MAP4", "MAP4"),
    "hull": Text("hull", "Hull"),
    "communality": Text("communality", "共同度"),
    "uniqueness": Text("uniqueness", "独特性"),
    "complexity": Text("complexity", "复杂度"),
    "intended": Text("intended", "预期构念"),
    "factor": Text("factor", "因子"),
    "general": Text("general", "总因子"),
    "verdict": Text("verdict", "判断"),
    "ss_loadings": Text("SS loadings", "载荷平方和"),
    "proportion": Text("proportion", "占比"),
    "cumulative": Text("cumulative", "累计"),
}


def lines(first: Text, frames: Sequence[pl.DataFrame], notes: Sequence[Note], lang: str, decimals: int = 3) -> str:
    """A sentence, tables and notes.

    Parameters:
        first: the sentence. frames: tables below it. notes: printed last. lang: "en" or "zh". decimals: of the tables.

    Example:
        >>> print(lines(Text("Two items.", "两个题项。"), [], (), "en"))
        Two items.
    """
    zh = lang == "zh"
    headings = {name: said.zh if zh else said.en for name, said in HEADINGS.items()}
    shown = [table(frame, lambda v: fixed(v, decimals), headings) for frame in frames]
    return "\n".join([first.zh if zh else first.en, *shown, *(f"* {one.say(lang)}" for one in notes)])
