"""How item response models read at the prompt: scales, items, thresholds that are out of order, notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from csi.display import table
from csi.errors import Note, Text

HEADINGS: Final = {
    "construct": Text("construct", "构念"),
    "item": Text("item", "题项"),
    "model": Text("model", "模型"),
    "n": Text("n", "样本量"),
    "items": Text("items", "题项数"),
    "loglik": Text("log-lik.", "对数似然"),
    "aic": Text("AIC", "AIC"),
    "bic": Text("BIC", "BIC"),
    "deviation": Text("sd theta", "theta 标准差"),
    "reliability_marginal": Text("rel. marginal", "边际信度"),
    "reliability_empirical": Text("rel. empirical", "经验信度"),
    "m2_rmsea": Text("RMSEA (M2)", "RMSEA（M2）"),
    "converged": Text("settled", "收敛"),
    "categories": Text("categories", "类别数"),
    "a": Text("a", "斜率 a"),
    "a_std_error": Text("se a", "a 标准误"),
    "location": Text("location", "位置"),
    "loading": Text("loading", "载荷"),
    "information": Text("information", "最大信息量"),
    "information_at": Text("at theta", "对应 theta"),
    "s_x2_p": Text("p (S-X2)", "p（S-X2）"),
    "infit": Text("infit", "infit"),
    "outfit": Text("outfit", "outfit"),
    "why": Text("reason", "原因"),
}


def disordered(thresholds: pl.DataFrame, categories: pl.DataFrame) -> list[Text]:
    """Items whose thresholds are out of order, and categories that are nowhere the likeliest answer.

    Example:
        >>> steps = pl.DataFrame({"construct": ["t"], "item": ["t1"], "category": ["3"], "ordered": [False]})
        >>> none = pl.DataFrame({"construct": [], "item": [], "category": [], "modal": []})
        >>> disordered(steps, none)[0].en
        't1: thresholds out of order at 3.'
    """
    wrong = thresholds.filter(pl.col("ordered").eq(other=False))
    said = [
        Text(
            f"{who.en}: thresholds out of order at {', '.join(at)}.", f"{who.zh}：阈值次序颠倒，位于 {'、'.join(at)}。"
        )
        for who, at in _gathered(wrong, thresholds)
    ]
    never = categories.filter(pl.col("modal").eq(other=False)) if categories.height else categories
    return said + [
        Text(
            f"{who.en}: nowhere the likeliest answer: {', '.join(at)}.",
            f"{who.zh}：在任何水平上都不是最可能回答的类别：{'、'.join(at)}。",
        )
        for who, at in _gathered(never, categories)
    ]


def _gathered(found: pl.DataFrame, every: pl.DataFrame) -> list[tuple[Text, list[str]]]:
    """Who and at which categories; items of a construct with the same finding stand together."""
    by: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (construct, item), rows in found.group_by(["construct", "item"], maintain_order=True):
        by.setdefault((str(construct), tuple(rows["category"].to_list())), []).append(str(item))
    told = []
    for (construct, at), items in by.items():
        whole = 1 < len(items) == every.filter(construct=construct)["item"].n_unique()
        en, zh = f"{construct} (all items)", f"{construct}（全部题项）"
        who = Text(en, zh) if whole else Text(", ".join(items), "、".join(items))
        told.append((who, list(at)))
    return told


def lines_of(
    fit: pl.DataFrame,
    items: pl.DataFrame,
    thresholds: pl.DataFrame,
    categories: pl.DataFrame,
    notes: Sequence[Note],
    lang: str,
) -> str:
    """Scales, items, order of thresholds, notes."""
    headings = {c: t.say(lang) for c, t in HEADINGS.items()}
    parts = [table(shown(f, names, lang), headings=headings) for f, names in ((fit, _FIT), (items, _ITEM))]
    said = [t.say(lang) for t in disordered(thresholds, categories)]
    return "\n".join([parts[0], "", parts[1], "", *said, *(f"* {n.say(lang)}" for n in notes)]).rstrip()


_FIT = (
    "construct", "model", "n", "items", "loglik", "aic", "bic", "deviation", "reliability_marginal",
    "reliability_empirical", "m2_rmsea", "converged",
)  # fmt: skip
_ITEM = (
    "construct", "item", "n", "categories", "a", "a_std_error", "location", "loading", "information",
    "information_at", "s_x2_p", "infit", "outfit",
)  # fmt: skip


def shown(frame: pl.DataFrame, names: Sequence[str], lang: str) -> pl.DataFrame:
    """The columns named that hold anything, and the reason in words where there is one."""
    why = f"why_{lang}" if lang in {"en", "zh"} else "why_en"
    kept = [c for c in names if frame[c].null_count() < frame.height or c in {"construct", "item"}]
    told = [pl.col(why).fill_null("").alias("why")] if frame[why].null_count() < frame.height else []
    return frame.select(*kept, *told)
