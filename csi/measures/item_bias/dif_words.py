"""How differential item functioning reads: sentences computed from the numbers, and lines at the prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import polars as pl

from csi.display import table as printed
from csi.errors import Note, Text, note
from csi.measures.answered import Answered
from csi.measures.item_bias.compared import Compared
from csi.measures.response.specified import names_of

HEADINGS: Final = {
    "construct": Text("construct", "构念"),
    "item": Text("item", "题项"),
    "focal": Text("focal", "对比组"),
    "n_reference": Text("n ref.", "参照组样本量"),
    "n_focal": Text("n focal", "对比组样本量"),
    "p_holm": Text("p (Holm)", "p（Holm）"),
    "uniform_p": Text("p uniform", "p（一致性）"),
    "nonuniform_p": Text("p non-unif.", "p（非一致性）"),
    "effect": Text("log odds", "对数优势"),
    "r2": Text("R2 change", "R² 变化"),
    "class_jodoin": Text("class (J&G)", "等级（J&G）"),
    "mantel_p_holm": Text("p Mantel", "p（Mantel）"),
    "smd_standardised": Text("smd / sd", "标准化均值差"),
    "odds_ratio": Text("odds ratio", "优势比"),
    "delta": Text("delta", "delta"),
    "class_ets": Text("class (ETS)", "等级（ETS）"),
    "flagged": Text("flagged", "标记"),
    "why": Text("reason", "原因"),
}


def sentences_of(table: pl.DataFrame, by: str, reference: str) -> tuple[Text, ...]:
    """One sentence per construct: which items function differently, for whom they read higher.

    Example:
        >>> one = pl.DataFrame({"construct": ["t"], "item": ["t1"], "focal": ["m"], "flagged": [False]})
        >>> sentences_of(one, "sex", "f")[0].en
        't: no item of 1 differs by sex beyond class A (negligible).'
    """
    said = []
    for (construct,), rows in table.group_by(["construct"], maintain_order=True):
        tested = rows.filter(pl.col("flagged").is_not_null())
        wrong = tested.filter(pl.col("flagged"))
        n = tested["item"].n_unique()
        if not n:
            said.append(Text(f"{construct}: not tested by {by}.", f"{construct}：未按 {by} 检验。"))
        elif not wrong.height:
            en = f"{construct}: no item of {n} differs by {by} beyond class A (negligible)."
            said.append(Text(en, f"{construct}：{n} 个题项按 {by} 的功能差异均不超过 A 级（可忽略）。"))
        else:
            each = [_one(row, reference) for row in wrong.iter_rows(named=True)]
            en = f"{construct}: {wrong['item'].n_unique()} of {n} items function differently by {by}: "
            zh = f"{construct}：{n} 个题项中有 {wrong['item'].n_unique()} 个按 {by} 存在功能差异："
            said.append(Text(en + "; ".join(t.en for t in each) + ".", zh + "；".join(t.zh for t in each) + "。"))
    return tuple(said)


def _one(row: Mapping[str, Any], reference: str) -> Text:
    """An item and who answers it higher at equal standing."""
    sign = row.get("smd") if row.get("smd") is not None else row.get("effect")
    classes = "/".join(str(row[c]) for c in ("class_ets", "class_jodoin") if row.get(c))
    if sign is None:
        return Text(f"{row['item']} ({classes})", f"{row['item']}（{classes}）")
    higher, lower = (row["focal"], reference) if sign > 0 else (reference, row["focal"])
    en = f"{row['item']} ({classes}), answered higher by {higher} than by {lower} of equal standing"
    return Text(en, f"{row['item']}（{classes}），总分相同时 {higher} 组的回答高于 {lower} 组")


def notes_of(
    rows: Answered,
    found: Mapping[tuple[str, str], tuple[list[str], Compared]],
    reference: str,
    small: int,
    *,
    purify: bool,
) -> list[Note]:
    """What people were matched on, what left the score, categories that a group never uses."""
    if not found:
        return []
    en = "people are matched on the sum over the scale with the studied item in it; "
    en += "items that function differently leave the score of the others." if purify else "no item leaves the score."
    zh = "按量表总分（含所考察题项）匹配；" + (
        "存在功能差异的题项不计入其他题项的匹配总分。" if purify else "不剔除任何题项。"
    )
    notes = [note("N-DIF-MATCH", en, zh)]
    (by,) = rows.keys.columns
    for (construct, focal), (items, one) in found.items():
        label = rows.label(construct)
        here = Text(f"{label.en} ({by} {focal})", f"{label.zh}（{by}={focal} 组）")
        left = [i for i, a in zip(items, one.anchors, strict=True) if not a]
        if left:
            en = f"{here.en}: {', '.join(left)} left the matching score."
            notes.append(note("N-DIF-PURIFIED", en, f"{here.zh}：{'、'.join(left)} 未计入匹配总分。"))
        if not one.settled:
            en = f"{here.en}: the items of the matching score did not settle; the last are used."
            zh = f"{here.zh}：匹配总分所含题项未稳定；采用最后一次的结果。"
            notes.append(note("W-DIF-PURIFIED", en, zh))
        told = [(i, name) for i, name in enumerate(items) if one.tables.n[i].min() >= small]
        for i, name in told:
            used = one.tables.counts[i].sum(axis=0) > 0
            for g, group in enumerate((reference, focal)):
                absent = names_of(one.tables.codes[i][np.flatnonzero(~used[g, : one.tables.codes[i].size])].tolist())
                if absent:
                    en = f"{name}: {group} never answers {', '.join(absent)}."
                    notes.append(note("N-DIF-UNUSED", en, f"{name}：{group} 组从未选择 {'、'.join(absent)}。"))
    return list(dict.fromkeys(notes))


def lines_of(
    table: pl.DataFrame, methods: Sequence[str], sentences: Sequence[Text], notes: Sequence[Note], lang: str
) -> str:
    """Items, sentences, notes."""
    why = f"why_{lang}" if lang in {"en", "zh"} else "why_en"
    names = [c for c in HEADINGS if c in table.columns and (table[c].null_count() < table.height or c == "item")]
    told = [pl.col(why).fill_null("").alias("why")] if table[why].null_count() < table.height else []
    shown = printed(table.select(*names, *told), headings={c: t.say(lang) for c, t in HEADINGS.items()})
    title = Text(f"Differential item functioning ({', '.join(methods)})", f"题项功能差异（{'、'.join(methods)}）")
    return "\n".join(
        [title.say(lang), shown, "", *(s.say(lang) for s in sentences), *(f"* {n.say(lang)}" for n in notes)]
    )
