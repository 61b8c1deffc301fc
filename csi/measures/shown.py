"""How measures of constructs read at the prompt: their frames with headings in both languages, long ones counted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import polars as pl

from csi.display import table
from csi.errors import Note, Reason, Text

ROWS = 40
"""So many rows of a frame are printed; the rest is counted."""

HEADINGS: Final = {
    "group": Text("group", "组"),
    "construct": Text("construct", "构念"),
    "other": Text("other", "另一构念"),
    "outcome": Text("outcome", "结果变量"),
    "predictor": Text("predictor", "预测变量"),
    "effect": Text("effect", "效应"),
    "chain": Text("chain", "路径链"),
    "predictors": Text("predictors", "预测变量个数"),
    "n_items": Text("n_items", "题项数"),
    "loadings": Text("loadings", "载荷"),
    "estimate": Text("estimate", "估计值"),
    "std_error": Text("std_error", "标准误"),
    "conf_low": Text("conf_low", "区间下限"),
    "conf_high": Text("conf_high", "区间上限"),
    "upper": Text("upper", "单侧上限"),
    "verdict": Text("verdict", "判断"),
    "reason": Text("reason", "原因"),
    "r2": Text("r2", "R²"),
    "r2_adjusted": Text("r2_adjusted", "调整后 R²"),
}
WORDS: Final = {
    "direct": Text("direct", "直接"),
    "indirect": Text("indirect", "间接"),
    "total": Text("total", "总效应"),
    "factor": Text("factor", "因子"),
    "composite": Text("composite", "合成"),
    "pass": Text("pass", "通过"),
    "doubtful": Text("doubtful", "存疑"),
    "fail": Text("fail", "未通过"),
}


def part(title: Text, frame: pl.DataFrame, lang: str, place: str, most: int = ROWS) -> list[str]:
    """Lines of one frame under its title; nothing for a frame without rows. Columns without a value are left out.

    Parameters:
        place: where everything is, such as ".table".

    Example:
        >>> print(*part(Text("R2", "R²"), pl.DataFrame({"r2": [0.5, 0.25]}), "en", ".r2", most=1), sep=chr(10))
        R2
         r2
        ---
        0.5
        ... 1 more row in .r2
    """
    if not frame.height:
        return []
    kept = frame.select(c for c in frame.columns if frame[c].null_count() < frame.height)
    said = {word: text.say(lang) for word, text in WORDS.items()}
    kept = kept.with_columns(pl.col(c).replace(said) for c in ("effect", "verdict", "loadings") if c in kept.columns)
    lines = [title.say(lang), table(kept.head(most), headings={c: t.say(lang) for c, t in HEADINGS.items()})]
    rest = kept.height - most
    if rest > 0:
        lines.append(
            Text(f"... {rest} more row{'s' * (rest > 1)} in {place}", f"……另有 {rest} 行，见 {place}").say(lang)
        )
    return lines


def told(reasons: Iterable[Reason], notes: Iterable[Note], lang: str) -> list[str]:
    """Why values are absent and what is doubtful, a line each.

    Example:
        >>> from csi.errors import note
        >>> told([], [note("N-FEW", "few rows.", "行数少。")], "en")
        ['* few rows.']
    """
    return [f"* {r.say(lang)}" for r in reasons] + [f"* {n.say(lang)}" for n in notes]
