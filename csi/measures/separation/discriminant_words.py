"""How discriminant validity reads: a sentence per pair that is a problem, and lines at the prompt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import polars as pl

from csi.display import table
from csi.errors import Note, Reason, Text
from csi.estimate.estimate import Estimate
from csi.measures.shown import ROWS, told
from csi.models.model import Model

HEADINGS: Final = {
    "construct": Text("construct", "构念"),
    "other": Text("other", "另一构念"),
    "correlation": Text("r", "因子相关"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "problem": Text("problem", "问题程度"),
    "p_one": Text("p (r = 1)", "p（r = 1）"),
    "p_cutoff": Text("p (cut-off)", "p（界限）"),
    "htmt": Text("htmt", "HTMT"),
    "htmt_high": Text("htmt high", "HTMT 上限"),
    "htmt2": Text("htmt2", "HTMT2"),
    "kind": Text("kind", "类型"),
    "item": Text("item", "题项"),
    "partner": Text("with", "相关对象"),
    "mi": Text("mi", "修正指数"),
    "change": Text("change", "预期变化"),
    "htmt_without": Text("htmt without", "删后 HTMT"),
}
GRADES: Final = {
    "none": Text("none", "无"),
    "marginal": Text("marginal", "轻微"),
    "moderate": Text("moderate", "中等"),
    "severe": Text("severe", "严重"),
}
KINDS: Final = {
    "cross-loading": Text("cross-loading", "交叉载荷"),
    "residual": Text("residual pair", "残差相关"),
    "item": Text("item", "题项"),
}
NOTABLE: Final = 3.84
"""Modification indices up to this are chance (chi-square of one degree of freedom, 5 %)."""

SHOWN: Final = ("correlation", "conf_low", "conf_high", "problem", "p_one", "p_cutoff", "htmt", "htmt_high", "htmt2")


def sentences_of(pairs: pl.DataFrame, causes: pl.DataFrame, given: Estimate | Model) -> tuple[Text, ...]:
    """One sentence of all pairs, one of each pair that is a moderate or severe problem with what drives it."""
    model = given.model if isinstance(given, Estimate) else given
    judged = pairs.drop_nulls("problem")
    bad = judged.filter(pl.col("problem").is_in(["moderate", "severe"])).sort("correlation", descending=True)
    if not judged.height:
        return ()
    en = f"{bad.height} of {judged.height} pairs of constructs are a moderate or severe problem of separation"
    zh = f"{judged.height} 对构念中，有 {bad.height} 对区分效度存在中等或严重问题"
    limits = " (the interval of the factor correlation reaches .90)."
    found = [Text(en + limits, zh + "（因子相关的区间达到 0.90）。")]
    keys = pairs.columns[: pairs.columns.index("construct")]
    for row in bad.head(ROWS).iter_rows(named=True):
        where = [pl.col(k).eq_missing(row[k]) for k in (*keys, "construct", "other")]
        found.append(sentence(row, causes.filter(*where).rows(named=True), model))
    return tuple(found)


def sentence(row: dict[str, Any], causes: Sequence[dict[str, Any]], model: Model) -> Text:
    """What is wrong with one pair, and which items draw it together."""
    a, b = (Text(model.label(row[k]), model.label(row[k], "zh")) for k in ("construct", "other"))
    ends = f"{row['correlation']:.2f} [{row['conf_low']:.2f}, {row['conf_high']:.2f}]"
    by = {c["kind"]: c for c in causes if c["mi"] is None or c["mi"] > NOTABLE}
    en, zh = [], []
    if "cross-loading" in by:
        c = by["cross-loading"]
        en.append(f"{c['item']} also goes with {c['partner']} (MI {c['mi']:.1f})")
        zh.append(f"{c['item']} 同时与 {c['partner']} 有关（修正指数 {c['mi']:.1f}）")
    if "residual" in by:
        c = by["residual"]
        en.append(f"{c['item']} and {c['partner']} share more than their constructs do (MI {c['mi']:.1f})")
        zh.append(f"{c['item']} 与 {c['partner']} 在构念之外仍有共同成分（修正指数 {c['mi']:.1f}）")
    if "item" in by and row["htmt"] is not None:
        c = by["item"]
        en.append(f"without {c['item']} HTMT would be {c['htmt_without']:.2f} instead of {row['htmt']:.2f}")
        zh.append(f"去掉 {c['item']} 后 HTMT 由 {row['htmt']:.2f} 变为 {c['htmt_without']:.2f}")
    tail, tail_zh = (f"; {'; '.join(en)}" if en else ""), (f"；{'；'.join(zh)}" if zh else "")
    return Text(
        f'"{a.en}" and "{b.en}": {row["problem"]} problem, factor correlation {ends}{tail}.',
        f"“{a.zh}”与“{b.zh}”：{GRADES[row['problem']].zh}问题，因子相关 {ends}{tail_zh}。",
    )


def lines_of(
    pairs: pl.DataFrame,
    causes: pl.DataFrame,
    sentences: Sequence[Text],
    cutoff: float,
    reasons: Iterable[Reason],
    notes: Iterable[Note],
    lang: str,
) -> list[str]:
    """Pairs and what drives them, sentences, reasons, notes."""
    headings = {c: t.say(lang) for c, t in HEADINGS.items()}
    keys = pairs.columns[: pairs.columns.index("construct")]
    shown = pairs.select(*keys, "construct", "other", *(c for c in SHOWN if c in pairs.columns))
    words = {w: t.say(lang) for w, t in (GRADES | KINDS).items()}
    title = Text(
        f"Discriminant validity: factor correlations, tested against 1 and {cutoff:g}",
        f"区分效度：因子相关及其与 1、{cutoff:g} 的差异检验",
    )
    lines = [
        title.say(lang),
        table(shown.with_columns(pl.col("problem").replace(words)).head(ROWS), headings=headings),
    ]
    if causes.height:
        about = Text("What draws pairs together", "使构念接近的题项").say(lang)
        lines += ["", about, table(causes.with_columns(pl.col("kind").replace(words)).head(ROWS), headings=headings)]
    return [*lines, "", *(s.say(lang) for s in sentences), *told(reasons, notes, lang)]
