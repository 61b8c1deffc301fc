"""How shorter forms read: a sentence per construct computed from the numbers, reasons, lines at the prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from csi.display import fixed
from csi.display import table as printed
from csi.errors import Note, Reason, Text, reason

_CODES: Final = (
    (
        "R-FORM-ITEMS",
        "the construct has two items at most: nothing can be left out.",
        "该构念至多两个题项，无可删减。",
    ),
    (
        "R-PAIR",
        "two items of the construct are never answered by the same rows.",
        "构念中有两个题项从未被同一行同时作答。",
    ),
    (
        "R-FORM-RULES",
        "no form of two items or more meets the rules.",
        "没有两题以上的短版满足所给规则。",
    ),
    (
        "R-FORM-CELLS",
        "differences are asked for, and fewer than two cells have enough rows.",
        "要求保留差异，但样本量足够的单元不足两个。",
    ),
)
REASONS: Final[Mapping[str, Reason]] = {code: reason(code, en, zh) for code, en, zh in _CODES}

HEADINGS: Final = {
    "construct": Text("construct", "构念"),
    "k": Text("items", "题数"),
    "of": Text("of", "全量"),
    "items": Text("which", "题项"),
    "alpha": Text("alpha", "α"),
    "r": Text("r with full", "与全量相关"),
    "held_alpha": Text("alpha, held out", "α（留出）"),
    "held_r": Text("r, held out", "相关（留出）"),
    "held_differences": Text("differences kept", "差异保留"),
    "level_shift": Text("level shift", "水平变化"),
    "picked_alike": Text("picked alike", "选择一致"),
    "chosen": Text("chosen", "选用"),
}
_WORTH: Final = {
    "correlation": Text("the corrected correlation with the full score", "与全量得分的校正相关"),
    "reliability": Text("alpha", "α"),
    "differences": Text("differences between cells", "单元间差异"),
}


def lines_of(
    forms: pl.DataFrame, sentences: Sequence[Text], reasons: Mapping[str, Reason], notes: Sequence[Note], lang: str
) -> str:
    """The forms of every length, a sentence per construct, reasons, notes."""
    shown = forms.filter(pl.col("k").is_not_null()).select(list(HEADINGS))
    shown = shown.with_columns(chosen=pl.when("chosen").then(pl.lit("*")).otherwise(pl.lit("")))
    shown = shown.drop([c for c in ("held_differences",) if shown[c].null_count() == shown.height])
    parts = [printed(shown, headings={c: t.say(lang) for c, t in HEADINGS.items()}), ""] if shown.height else []
    parts += [s.say(lang) for s in sentences] + [f"* {code}: {why.say(lang)}" for code, why in reasons.items()]
    return "\n".join([*parts, *(f"* {n.say(lang)}" for n in notes)])


def sentence(forms: pl.DataFrame, label: Text, criterion: Mapping[str, float], *, asked: bool) -> Text:
    """What the chosen form of one construct keeps; what there is instead where none is chosen.

    Parameters:
        label: the construct's. asked: whether a length was asked for.
    """
    chosen = forms.filter("chosen")
    if forms["reason"][0] is not None and forms["k"][0] is None:
        why = REASONS[str(forms["reason"][0])].text
        return Text(f"{label.en}: no shorter form; {why.en}", f"{label.zh}：没有短版；{why.zh}")
    if not chosen.height and asked:
        lengths = ", ".join(str(k) for k in forms["k"])
        en = f"{label.en}: no form of the length asked for; there are forms of {lengths} items."
        return Text(en, f"{label.zh}：没有所要求题数的短版；可选题数：{lengths.replace(', ', '、')}。")
    if not chosen.height:
        last = forms.row(forms.height - 1, named=True)
        a, r = fixed(last["held_alpha"]), fixed(last["held_r"])
        en = f"{label.en}: no shorter form is good enough; of {last['k']} items, held out: alpha {a}, correlation {r}."
        zh = f"{label.zh}：没有足够好的短版；{last['k']} 题时留出 α 为 {a}，校正相关 {r}。"
        return Text(en, zh)
    row = chosen.row(0, named=True)
    worth = [_WORTH[name] for name, weight in criterion.items() if weight]
    best, best_zh = " and ".join(w.en for w in worth), "与".join(w.zh for w in worth)
    en = (
        f"{label.en}: {row['k']} of {row['of']} items ({row['items']}), the best by {best}: on answers the search has "
        f"not seen alpha {fixed(row['held_alpha'])} (full form {fixed(row['alpha_full'])}) and correlation with the "
        f"full score {fixed(row['held_r'])} (a second full form: {fixed(row['alpha_full'])}); "
        f"{100 * row['picked_alike']:.0f} % of the training sets pick these items."
    )
    zh = (
        f"{label.zh}：{row['of']} 题中选 {row['k']} 题（{row['items']}），依据为{best_zh}：在未参与搜索的回答上 α 为 "
        f"{fixed(row['held_alpha'])}（全量 {fixed(row['alpha_full'])}），"
        f"与全量得分的校正相关 {fixed(row['held_r'])}（另一份全量问卷为 {fixed(row['alpha_full'])}）；"
        f"{100 * row['picked_alike']:.0f}% 的训练集选出相同题项。"
    )
    return Text(en, zh)
