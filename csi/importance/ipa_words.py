"""How an importance-performance analysis reads: what to improve first, how sure that is, what customers do not say."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Final

import polars as pl

from csi.display import Number, table
from csi.errors import Note, Text, note
from csi.importance.drivers_words import QUADRANTS
from csi.importance.metrics import METRICS
from csi.measures.shown import told

GRIDS: Final = {
    "key": Text("key (said and shown)", "关键（自述与推算均高）"),
    "hidden": Text("hidden (shown, not said)", "隐性（推算高、自述低）"),
    "said": Text("said, not shown", "仅自述高"),
    "minor": Text("minor", "次要"),
}
HEADINGS: Final = {
    "attribute": Text("attribute", "属性"),
    "stated": Text("stated", "自述重要性"),
    "derived": Text("derived", "推算重要性"),
    "performance": Text("performance", "表现"),
    "quadrant": Text("quadrant", "象限"),
    "probability": Text("in", "该象限概率"),
    "priority": Text("importance - performance", "重要性 − 表现"),
    "priority_conf_low": Text("low", "下限"),
    "priority_conf_high": Text("high", "上限"),
    "opportunity": Text("opportunity %", "改进机会 %"),
    "opportunity_conf_low": Text("low", "下限"),
    "opportunity_conf_high": Text("high", "上限"),
    "ulwick": Text("opportunity score", "机会得分"),
    "ulwick_conf_low": Text("low", "下限"),
    "ulwick_conf_high": Text("high", "上限"),
    "grid": Text("stated beside derived", "自述与推算"),
}
_POINTS: Final = (
    "stated", "performance", "priority", "priority_conf_low", "priority_conf_high", "opportunity",
    "opportunity_conf_low", "opportunity_conf_high", "ulwick", "ulwick_conf_low", "ulwick_conf_high",
)  # fmt: skip
NUMBERS: Final[dict[str, Number]] = {
    **dict.fromkeys(_POINTS, lambda v: f"{v:.1f}"),
    "derived": lambda v: f"{v:.3f}",
    "probability": lambda v: f"{v:.0%}",
}
SURE: Final = 0.9
CENTRES: Final = {
    "mean": Text("the means of the attributes", "各属性的均值"),
    "median": Text("the medians of the attributes", "各属性的中位数"),
    "scale": Text("the middle of the scale", "量表中点"),
}


def sentences_of(
    found: pl.DataFrame,
    agreement: tuple[float, float, float],
    outcome: str,
    level: float,
) -> tuple[Text, ...]:
    """What to improve first and how sure that is; what customers do not say; how far stated and derived agree."""
    first, out = found.filter(quadrant="improve").sort("performance"), []
    if not first.height:
        out.append(Text("No attribute is both important and weak.", "没有既重要又薄弱的属性。"))
    else:
        sure = first if "probability" not in first.columns else first.filter(pl.col("probability") >= SURE)
        names = first["attribute"].to_list()
        en, zh = f"Improve first: {', '.join(names)}", f"优先改进：{'、'.join(names)}"
        if "probability" in first.columns:
            firm = sure["attribute"].to_list()
            en += f" (in this quadrant in at least {SURE:.0%} of the draws: {', '.join(firm) or 'none'})"
            zh += f"（至少 {SURE:.0%} 的抽样落入此象限的有：{'、'.join(firm) or '无'}）"
        out.append(Text(f"{en}.", f"{zh}。"))
    if "grid" in found.columns:
        hidden = found.filter(grid="hidden")["attribute"].to_list()
        if hidden:
            en = f"Hidden: {', '.join(hidden)} (associated with {outcome} more than customers say)."
            out.append(
                Text(
                    en,
                    f"隐性：{'、'.join(hidden)}（与 {outcome} 的关联高于顾客自述）。",
                )
            )
    if isfinite(agreement[0]):
        within, within_zh = "", ""
        if isfinite(agreement[1]):
            within = f" ({level:.0%} interval {agreement[1]:.2f} to {agreement[2]:.2f})"
            within_zh = f"（{level:.0%} 区间 {agreement[1]:.2f} 至 {agreement[2]:.2f}）"
        en = f"Stated and derived importance have a rank correlation of {agreement[0]:.2f}{within}."
        out.append(Text(en, f"自述与推算的重要性等级相关为 {agreement[0]:.2f}{within_zh}。"))
    return tuple(out)


def lines_of(sentences: Sequence[Text], found: pl.DataFrame, notes: Sequence[Note], lang: str) -> str:
    """Sentences, the table, notes."""
    words = {
        **{k: t.say(lang) for k, t in QUADRANTS.items()},
        **{k: t.say(lang) for k, t in GRIDS.items()},
    }
    shown = found.select(c for c in HEADINGS if c in found.columns and found[c].null_count() < found.height)
    shown = shown.with_columns(pl.col(c).replace(words) for c in ("quadrant", "grid") if c in shown.columns)
    heads = {c: t.say(lang) for c, t in HEADINGS.items()}
    lines = [*(s.say(lang) for s in sentences), "", table(shown, NUMBERS, heads)]
    return "\n".join([*lines, *told((), notes, lang)])


def notes_of(centre: str, used: str, derived: str, *, scaled: bool, drawn: bool) -> tuple[Note, ...]:
    """Where the cross-hair stands, which importance the map takes, what the draws are for."""
    middle = CENTRES[centre]
    kind, kind_zh = ("stated", "自述") if used == "stated" else ("derived", "推算")
    en = f"the cross-hair stands at {middle.en}; the map takes {kind} importance; quadrants move with either."
    out = [
        note(
            "N-IPA",
            en,
            f"十字线取{middle.zh}；图中用{kind_zh}的重要性；更换任一项都会改变象限。",
        )
    ]
    if derived:
        by = METRICS[derived]
        en = f"derived importance is by {by.en}, an association; customers' stated importance is another thing."
        out.append(
            note(
                "N-IPA-DERIVED",
                en,
                f"推算的重要性取自 {by.zh}，属于关联；与顾客自述的重要性不是一回事。",
            )
        )
    if not scaled:
        en = "bounds of the answers are unknown: no diagonal and no opportunities."
        out.append(note("N-IPA-SCALE", en, "回答的上下限未知：不给出对角线与改进机会。"))
    if not drawn:
        en = "no draws here, so that quadrants have no probabilities."
        out.append(note("N-IPA-NO-DRAWS", en, "没有抽样，象限没有概率。"))
    return tuple(out)
