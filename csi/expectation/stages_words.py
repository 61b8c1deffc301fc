"""How the formation of expectation by stage reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from csi.display import fixed
from csi.errors import Note, Text
from csi.expectation.formation_words import printed
from csi.inference.order_words import STRONG, WEAK
from csi.measures.shown import told

STAGES: Final[Mapping[str, Text]] = {
    "never": Text("never used", "从未使用"),
    "first": Text("first-time users", "初次使用"),
    "long": Text("long-term users", "长期使用"),
}
"""Stages of use, in order."""

AMONG: Final[Mapping[str, Text]] = {
    "never": Text("those who never used it", "从未使用者"),
    "first": Text("first-time users", "初次使用者"),
    "long": Text("long-term users", "长期使用者"),
}
"""Who is at a stage, inside a sentence."""

CLEAR: Final = 0.05
"""An adjusted p-value above this is no difference."""


def summary(orders: pl.DataFrame) -> Text:
    """How many of the orders that are said to hold the data speak for, against, or leave open.

    Example:
        >>> orders = pl.DataFrame({"stage": ["never", "long"], "weight_complement": [0.95, 0.01]})
        >>> summary(orders).en
        'Of 2 orders that are said to hold the data speak for 1 (never used) and against 1 (long-term users).'
    """
    weight = pl.col("weight_complement")
    parts = (
        (weight >= STRONG, "for {}", "支持 {} 个"),
        ((weight < STRONG) & (weight > WEAK), "leave {} open", "{} 个尚难判断"),
        (weight <= WEAK, "against {}", "不支持 {} 个"),
    )
    en, zh = [], []
    for which, one, two in parts:
        names = [STAGES[s] for s in orders.filter(which)["stage"]]
        if names:
            many = str(len(names))
            en.append((one.format(many), ", ".join(n.en for n in names)))
            zh.append(f"{two.format(many)}（{'、'.join(n.zh for n in names)}）")
    spoken = [f"{words} ({names})" for words, names in en if not words.startswith("leave")]
    left = [f"{words} ({names})" for words, names in en if words.startswith("leave")]
    said = [f"speak {' and '.join(spoken)}", *left] if spoken else left
    whole = f"Of {orders.height} orders that are said to hold the data {' and '.join(said)}."
    return Text(whole, f"所称的 {orders.height} 个影响次序中，数据{'，'.join(zh)}。")


def across_sentences(across: pl.DataFrame, labels: Mapping[str, Text]) -> tuple[Text, ...]:
    """Causes whose slopes differ between stages; or that none does."""
    if not across.height:
        return ()
    clear = across.filter(pl.col("p_adjusted") < CLEAR)
    if not clear.height:
        en = "Between stages no slope can be told apart from another (Holm)."
        return (Text(en, "各阶段之间的斜率没有显著差异（Holm）。"),)
    out = []
    for row in clear.iter_rows(named=True):
        more = row["difference"] > 0
        one, two = (AMONG[row[c]] for c in (("first", "second") if more else ("second", "first")))
        cause, size = labels[row["cause"]], fixed(abs(row["difference"]))
        en = f"A point of {cause.en} goes with {size} points more of expectation among {one.en} than among"
        en += f" {two.en}."
        zh = f"“{cause.zh}”每高 1 分，{one.zh}的期望比{two.zh}多高 {size} 分。"
        out.append(Text(en, zh))
    return tuple(out)


def lines_of(
    frames: tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame],
    sentences: Sequence[Text],
    notes: Sequence[Note],
    labels: Mapping[str, Text],
    lang: str,
) -> str:
    """Sentences, causes, the fit, orders, differences between stages, notes."""
    found, fit, orders, across = frames
    shown = found.drop("items", "mean", "sd", "p_value", "relative_low", "relative_high")
    frames_ = [f for f in (shown, fit, orders, across) if f.height]
    lines = [*(s.say(lang) for s in sentences), ""]
    for frame in frames_:
        lines += [_stage_words(frame, labels, lang), ""]
    return "\n".join([*lines, *told((), notes, lang)])


def _stage_words(frame: pl.DataFrame, labels: Mapping[str, Text], lang: str) -> str:
    """A frame with stages in words; "first" is a stage there and a cause elsewhere."""
    names = {s: t.say(lang) for s, t in STAGES.items()}
    for column in ("stage", "first", "second"):
        if column in frame.columns:
            frame = frame.with_columns(pl.col(column).replace(names))
    return printed(frame, labels, lang)
