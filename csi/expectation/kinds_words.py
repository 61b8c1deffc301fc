"""How kinds of expectation read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from csi.display import fixed
from csi.errors import Note, Text
from csi.expectation.kano_words import CLASSES
from csi.expectation.mentions_words import HEADINGS as MENTIONED
from csi.expectation.mentions_words import KINDS as SAID
from csi.measures.shown import based, told

FACETS: Final[Mapping[str, Text]] = {
    "functional": Text("functional", "功能期望"),
    "quality": Text("quality", "质量期望"),
    "service": Text("service", "服务期望"),
    "emotional": Text("emotional", "情感期望"),
    "delivery": Text("delivery time", "交付时间期望"),
    "price": Text("price and value", "价格与价值期望"),
}
LEVELS: Final = {
    "Ea": Text("baseline (adequate)", "基准（可接受）"),
    "Ed": Text("desired", "期望得到"),
    "Ei": Text("ideal", "理想"),
}
KINDS: Final = {
    "basic": Text("basic", "基本期望"),
    "latent": Text("latent", "潜在期望"),
    "exceeding": Text("exceeding", "超值期望"),
    "none": Text("none of these", "均非"),
    "undecided": Text("undecided", "尚未判定"),
}
HEADINGS: Final = {
    **MENTIONED,
    "facet": Text("facet", "内容"),
    "attributes": Text("attributes", "属性数"),
    "n": Text("n", "样本量"),
    "expected": Text("expected", "期望"),
    "perceived": Text("perceived", "感知"),
    "gap": Text("gap", "差距"),
    "std_error": Text("SE", "标准误"),
    "weight": Text("relative weight", "相对权重"),
    "share": Text("share of R2", "占 R² 份额"),
    "share_low": Text("low ", "下限 "),
    "share_high": Text("high ", "上限 "),
    "level": Text("level", "水平"),
    "mean": Text("expected", "期望"),
    "short": Text("below it", "低于者占比"),
    "category": Text("Kano", "Kano"),
    "support": Text("support", "支持度"),
    "importance": Text("importance", "重要性"),
}
TITLES: Final = {
    "facets": Text("By what they are about", "按内容"),
    "said": Text("Explicit and implicit", "显性与隐性"),
    "levels": Text("Baseline, desired, ideal", "基准与理想"),
    "surprise": Text("Basic, latent, exceeding", "基本、潜在与超值"),
}


def sentences_of(frames: Mapping[str, pl.DataFrame], labels: Mapping[str, Text], outcome: str) -> tuple[Text, ...]:
    """A sentence for each kind that is there."""
    out = []
    facets, said, levels, surprise = (frames[k] for k in ("facets", "said", "levels", "surprise"))
    if facets.height:
        out.append(_facet(facets, labels, outcome))
    if levels.height:
        out.append(_level(levels))
    for frame, names in ((said, SAID), (surprise, KINDS)):
        if frame.height:
            out.append(_named(frame, labels, names))
    return tuple(out)


def _facet(facets: pl.DataFrame, labels: Mapping[str, Text], outcome: str) -> Text:
    """Where experience falls shortest, and whose gap goes with the outcome most."""
    row = facets.sort("gap", nulls_last=True).row(0, named=True)
    if row["gap"] is None:
        return Text("No gap by facet can be given.", "无法给出各内容的差距。")
    name, size = labels.get(row["facet"], Text(row["facet"], row["facet"])), fixed(row["gap"])
    en, zh = f"The gap is lowest for {name.en} expectations ({size})", f"“{name.zh}”的差距最低（{size}）"
    if facets["share"].null_count() == 0 and facets.height > 1:
        worth = _worth(facets, labels, labels.get(outcome, Text(outcome, outcome)))
        en, zh = en + worth.en, zh + worth.zh
    return Text(f"{en}.", f"{zh}。")


def _worth(facets: pl.DataFrame, labels: Mapping[str, Text], outcome: Text) -> Text:
    """Whose gap accounts for most, where one is ahead of all others."""
    top, second = facets.sort("share", descending=True).head(2).rows(named=True)
    names = [labels.get(r["facet"], Text(r["facet"], r["facet"])) for r in (top, second)]
    share = f"{100 * top['share']:.1f}"
    of = outcome.en.lower()
    if top["share_low"] > second["share_high"]:
        return Text(
            f"; of what gaps account for in {of}, most goes with {names[0].en} ({share}%)",
            f"；在差距对“{outcome.zh}”的解释中，“{names[0].zh}”占比最大（{share}%）",
        )
    return Text(
        f"; which gap accounts for most of {of} cannot be told ({names[0].en} and {names[1].en} come first)",
        f"；哪类差距对“{outcome.zh}”解释最多尚难区分（{names[0].zh}与{names[1].zh}居前）",
    )


def _level(levels: pl.DataFrame) -> Text:
    """How many attributes meet each level."""
    en, zh = [], []
    for form, words in LEVELS.items():
        own = levels.filter(level=form)
        if own.height:
            own = own.filter(pl.col("gap").is_not_null())
            met = own.filter(pl.col("gap") >= 0).height
            en.append(f"{met} of {own.height} attributes reach the {words.en} level")
            zh.append(f"{own.height} 个属性中有 {met} 个达到{words.zh}水平")
    return Text(f"On average {'; '.join(en)}.", f"平均而言，{'；'.join(zh)}。")


def _named(frame: pl.DataFrame, labels: Mapping[str, Text], names: Mapping[str, Text]) -> Text:
    """Attributes by kind."""
    en, zh = [], []
    for kind, said in names.items():
        own = [labels.get(a, Text(a, a)) for a in frame.filter(kind=kind)["attribute"]]
        if own and kind not in ("none", "open"):
            en.append(f"{said.en}: {', '.join(t.en or t.zh for t in own)}")
            zh.append(f"{said.zh}：{'、'.join(t.zh or t.en for t in own)}")
    whole = "; ".join(en) or "no attribute is clearly of one kind"
    return Text(whole[:1].upper() + whole[1:] + ".", ("；".join(zh) or "没有属性明确属于某一类") + "。")


def in_words(frame: pl.DataFrame, labels: Mapping[str, Text], lang: str) -> pl.DataFrame:
    """A frame with names in words."""
    out = frame
    words = (("attribute", labels), ("facet", FACETS), ("level", LEVELS), ("category", CLASSES), ("kind", KINDS | SAID))
    for column, known in words:
        if column in out.columns:
            out = out.with_columns(pl.col(column).replace({k: t.say(lang) or k for k, t in known.items()}))
    return out


def lines_of(
    frames: Mapping[str, pl.DataFrame],
    sentences: Sequence[Text],
    notes: Sequence[Note],
    labels: Mapping[str, Text],
    lang: str,
) -> str:
    """Sentences, the tables there are, notes."""
    lines = [*(s.say(lang) for s in sentences), ""]
    for name, frame in frames.items():
        if frame.height:
            shown = frame.select(c for c in frame.columns if frame[c].null_count() < frame.height)
            lines += [TITLES[name].say(lang), based(in_words(shown, labels, lang), HEADINGS, lang), ""]
    return "\n".join([*lines, *told((), notes, lang)])
