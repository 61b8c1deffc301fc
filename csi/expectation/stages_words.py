"""How the formation of expectation by stage reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from csi.display import significant
from csi.errors import Note, Text
from csi.expectation.formation_words import printed
from csi.measures.shown import told

STAGES: Final[Mapping[str, Text]] = {
    "never": Text("never used", "从未使用"),
    "first": Text("first-time users", "初次使用"),
    "long": Text("long-term users", "长期使用"),
}
"""Stages of use, in order."""

CLEAR: Final = 0.05
"""An adjusted p-value above this is no difference."""


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
        one, two = (STAGES[row[c]] for c in (("first", "second") if more else ("second", "first")))
        cause, size = labels[row["cause"]], significant(abs(row["difference"]), 2)
        en = f"A point of {cause.en} goes with {size} points more of expectation among {one.en} than {two.en}."
        zh = f"“{cause.zh}”每高 1 分，“{one.zh}”者的期望比“{two.zh}”者多高 {size} 分。"
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
