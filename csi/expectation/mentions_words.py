"""How coded mentions read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from csi.display import fixed, table
from csi.errors import Note, Reason, Text
from csi.measures.shown import told

HEADINGS: Final = {
    "attribute": Text("attribute", "属性"),
    "respondents": Text("respondents", "受访人数"),
    "mentioned": Text("mention it", "提及人数"),
    "unaided": Text("unaided", "自发提及"),
    "share_mentioned": Text("share", "提及率"),
    "explicitness": Text("explicitness", "显性程度"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "kind": Text("kind", "类型"),
    "valence": Text("valence", "倾向"),
    "negative": Text("negative", "负面占比"),
    "what": Text("coders judge", "编码内容"),
    "coders": Text("coders", "编码员数"),
    "units": Text("units", "单元数"),
    "alpha": Text("Krippendorff's alpha", "Krippendorff α"),
}
KINDS: Final = {
    "explicit": Text("explicit", "显性"),
    "implicit": Text("implicit", "隐性"),
    "open": Text("open", "未定"),
}
JUDGED: Final = {
    "mentioned": Text("whether it is mentioned", "是否提及"),
    "aided": Text("whether aided", "是否经提示"),
    "valence": Text("valence", "倾向"),
}


def kind_of(low: float, high: float) -> str:
    """Explicit, implicit or open, from the interval of explicitness.

    Example:
        >>> kind_of(0.55, 0.8), kind_of(0.1, 0.4), kind_of(0.3, 0.7)
        ('explicit', 'implicit', 'open')
    """
    return "explicit" if low > 0.5 else "implicit" if high < 0.5 else "open"


def sentences_of(found: pl.DataFrame, agreement: pl.DataFrame, labels: Mapping[str, Text]) -> tuple[Text, ...]:
    """Which expectations are explicit, which implicit; how well coders agree."""
    en, zh = [], []
    for kind in ("explicit", "implicit"):
        names = [labels[a] for a in found.filter(kind=kind)["attribute"]]
        if names:
            en.append(f"{kind}: {', '.join(n.en for n in names)}")
            zh.append(f"{KINDS[kind].zh}：{'、'.join(n.zh for n in names)}")
    whole = "; ".join(en) or "no expectation is clearly explicit or implicit"
    out = [Text(whole[:1].upper() + whole[1:] + ".", ("；".join(zh) or "尚无明确的显性或隐性期望") + "。")]
    for row in agreement.filter(what="mentioned").iter_rows(named=True):
        if row["alpha"] is not None:
            size = fixed(row["alpha"])
            out.append(
                Text(
                    f"Coders agree on what is mentioned with alpha {size} ({row['coders']} coders).",
                    f"编码员对“是否提及”的一致性 α = {size}（{row['coders']} 名编码员）。",
                )
            )
    return tuple(out)


def in_words(frame: pl.DataFrame, labels: Mapping[str, Text], lang: str) -> pl.DataFrame:
    """A frame with attributes, kinds and judgements in words."""
    out = frame
    for column, words in (("attribute", labels), ("kind", KINDS), ("what", JUDGED)):
        if column in out.columns:
            out = out.with_columns(pl.col(column).replace({k: t.say(lang) or k for k, t in words.items()}))
    return out


def lines_of(
    found: pl.DataFrame,
    agreement: pl.DataFrame,
    sentences: Sequence[Text],
    below: tuple[Mapping[str, Reason], Sequence[Note]],
    labels: Mapping[str, Text],
    lang: str,
) -> str:
    """Sentences, attributes, agreement; reasons and notes below."""
    heads = {c: t.say(lang) for c, t in HEADINGS.items()}
    found, agreement = (f.drop("reason", "reason_zh", strict=False) for f in (found, agreement))
    lines = [*(s.say(lang) for s in sentences), "", table(in_words(found, labels, lang), headings=heads), ""]
    if agreement.height:
        lines += [table(in_words(agreement, labels, lang), headings=heads), ""]
    reasons, notes = below
    return "\n".join([*lines, *told(reasons.values(), notes, lang)])
