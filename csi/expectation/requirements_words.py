"""How requirements read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from csi.display import fixed, table
from csi.errors import Note, Text
from csi.measures.shown import told

HEADINGS: Final = {
    "requirement": Text("requirement", "需求"),
    "attribute": Text("attribute", "属性"),
    "importance": Text("importance", "重要性"),
    "current": Text("current", "现状"),
    "target": Text("target", "目标"),
    "kano": Text("Kano", "Kano"),
    "improvement": Text("improvement", "改进率"),
    "sales_point": Text("sales point", "卖点"),
    "weight": Text("weight", "权重"),
    "percent": Text("per cent", "百分比"),
    "rank": Text("rank", "名次"),
    "distance": Text("importance x distance", "重要性 × 差值"),
    "characteristic": Text("technical characteristic", "技术特性"),
    "wave": Text("wave", "期次"),
    "status": Text("status", "状态"),
    "gap": Text("gap", "差距"),
    "std_error": Text("SE", "标准误"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "change": Text("change", "变化"),
}


def sentences_of(
    frames: tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame], labels: Mapping[str, Text]
) -> tuple[Text, ...]:
    """The heaviest requirement and characteristic; how gaps moved where the status changed."""
    found, technical, moved = frames
    top = found.sort("rank").row(0, named=True)
    share = fixed(top["percent"], 1)
    name = labels[top["requirement"]]
    out = [Text(f"{name.en} weighs most ({share}% of all requirements).", f"“{name.zh}”权重最大（占 {share}%）。")]
    if technical.height and technical["percent"].null_count() == 0:
        first = technical.sort("rank").row(0, named=True)
        size = fixed(first["percent"], 1)
        name = labels[first["characteristic"]]
        out.append(Text(f"It is served best through {name.en} ({size}%).", f"技术特性中“{name.zh}”最关键（{size}%）。"))
    for part in moved.partition_by("requirement", maintain_order=True) if moved.height else []:
        before, after = part.row(0, named=True), part.row(-1, named=True)
        if before["status"] == after["status"] or before["gap"] is None or after["gap"] is None:
            continue
        name, at = labels[before["requirement"]], labels[before["attribute"]]
        old, new = (labels[r["status"]] for r in (before, after))
        one, two = (fixed(r["gap"]) for r in (before, after))
        en = f"{name.en} ({old.en} -> {new.en}): the gap of {at.en} went from {one} to {two}."
        out.append(Text(en, f"{name.zh}（{old.zh} → {new.zh}）：{at.zh}的差距由 {one} 变为 {two}。"))
    return tuple(out)


def lines_of(
    frames: tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame],
    sentences: Sequence[Text],
    notes: Sequence[Note],
    lang: str,
) -> str:
    """Sentences, requirements, characteristics, before and after, notes."""
    heads = {c: t.say(lang) for c, t in HEADINGS.items()}
    lines = [*(s.say(lang) for s in sentences), ""]
    for frame in frames:
        if frame.height:
            shown = frame.select(c for c in frame.columns if frame[c].null_count() < frame.height)
            lines += [table(shown, headings=heads), ""]
    return "\n".join([*lines, *told((), notes, lang)])
