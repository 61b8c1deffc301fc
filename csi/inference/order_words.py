"""How orders of influence read: sentences, lines at the prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from csi.display import significant, table
from csi.errors import Note, Text

SHOWN = 8
"""Orders printed at the prompt."""

STRONG, WEAK = 0.90, 0.10
"""GORICA weights against the complement from which the data are said to speak for or against a hypothesis."""

HEADINGS: Final = {
    "hypothesis": Text("hypothesis", "假设"),
    "loglik": Text("log-likelihood", "对数似然"),
    "penalty": Text("penalty", "惩罚项"),
    "gorica": Text("GORICA", "GORICA"),
    "weight": Text("weight", "权重"),
    "weight_complement": Text("weight against its complement", "对其补集的权重"),
    "support": Text("bootstrap support", "重抽样支持度"),
    "order": Text("order", "次序"),
    "preferred": Text("of the estimates", "估计值的次序"),
}
FREE: Final = Text("unconstrained", "无约束")


def sentences_of(found: pl.DataFrame, ranking: pl.DataFrame) -> tuple[Text, ...]:
    """What the data prefer, then each hypothesis."""
    best = ranking.filter("preferred").row(0, named=True)
    share = "" if best["support"] is None else f" (support {significant(best['support'], 2)})"
    share_zh = "" if best["support"] is None else f"（支持度 {significant(best['support'], 2)}）"
    out = [Text(f"The data prefer {best['order']}{share}.", f"数据偏好 {best['order']}{share_zh}。")]
    return (*out, *(verdict(row) for row in found.iter_rows(named=True) if row["weight_complement"] is not None))


def verdict(row: dict[str, object]) -> Text:
    """One hypothesis against everything else.

    Example:
        >>> verdict({"hypothesis": "a > b", "weight_complement": 0.95, "support": 0.97}).en
        'For a > b: GORICA weight 0.95 against its complement, support 0.97.'
    """
    weight, support = float(str(row["weight_complement"])), row["support"]
    way = Text("For", "支持") if weight >= STRONG else Text("Against", "不支持") if weight <= WEAK else None
    way = way or Text("Undecided on", "尚难判断")
    also = "" if support is None else f", support {significant(float(str(support)), 2)}"
    also_zh = "" if support is None else f"，支持度 {significant(float(str(support)), 2)}"
    size = significant(weight, 2)
    return Text(
        f"{way.en} {row['hypothesis']}: GORICA weight {size} against its complement{also}.",
        f"{way.zh} {row['hypothesis']}：对其补集的 GORICA 权重 {size}{also_zh}。",
    )


def lines_of(
    found: pl.DataFrame, ranking: pl.DataFrame, sentences: Sequence[Text], notes: Sequence[Note], lang: str
) -> str:
    """Sentences, hypotheses, the first orders, notes."""
    heads = {c: t.say(lang) for c, t in HEADINGS.items()}
    shown = found.drop("complement_gorica").with_columns(
        pl.col("hypothesis").replace({"unconstrained": FREE.say(lang)})
    )
    lines = [*(s.say(lang) for s in sentences), "", table(shown, headings=heads), ""]
    lines += [table(ranking.head(SHOWN), headings=heads)]
    rest = ranking.height - SHOWN
    if rest > 0:
        lines.append(Text(f"... {rest} more in .ranking", f"……另有 {rest} 行，见 .ranking").say(lang))
    return "\n".join([*lines, "", *(f"* {n.say(lang)}" for n in notes)])
