"""How a zone of tolerance reads: sentences, notes, lines at the prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from csi.display import fixed
from csi.errors import Note, Text, note
from csi.expectation.forms import Matched
from csi.expectation.gap_words import RECALL, left_out
from csi.expectation.promise_words import in_words, percent
from csi.measures.shown import based, told
from csi.survey.bases import COLUMNS, told_cells
from csi.survey.keyed import of_cell

HEADINGS: Final = {
    "kind": Text("kind", "层次"),
    "name": Text("name", "名称"),
    "n": Text("n", "样本量"),
    "adequate": Text("adequate", "可接受"),
    "desired": Text("desired", "理想"),
    "perceived": Text("perceived", "感知"),
    "msa": Text("MSA = P - Ea", "MSA = P − Ea"),
    "msa_low": Text("low", "下限"),
    "msa_high": Text("high", "上限"),
    "msa_p_adjusted": Text("p (Holm)", "p（Holm）"),
    "mss": Text("MSS = P - Ed", "MSS = P − Ed"),
    "mss_low": Text("low ", "下限 "),
    "mss_high": Text("high ", "上限 "),
    "mss_p_adjusted": Text("p (Holm) ", "p（Holm） "),
    "width": Text("width", "宽度"),
    "width_low": Text("low  ", "下限  "),
    "width_high": Text("high  ", "上限  "),
    "position": Text("position", "位置"),
    "position_low": Text("low   ", "下限   "),
    "position_high": Text("high   ", "上限   "),
    "below": Text("below", "低于可接受"),
    "below_low": Text("low", "下限"),
    "below_high": Text("high", "上限"),
    "within": Text("within", "区间内"),
    "within_low": Text("low ", "下限 "),
    "within_high": Text("high ", "上限 "),
    "above": Text("above", "高于理想"),
    "above_low": Text("low  ", "下限  "),
    "above_high": Text("high  ", "上限  "),
    "n_below": Text("n below", "低于人数"),
    "n_within": Text("n within", "区间内人数"),
    "n_above": Text("n above", "高于人数"),
    "b_below": Text("slope below", "下方斜率"),
    "b_within": Text("slope within", "区间内斜率"),
    "b_above": Text("slope above", "上方斜率"),
    "b_below_p": Text("p", "p 值"),
    "b_within_p": Text("p ", "p 值 "),
    "b_above_p": Text("p  ", "p 值  "),
    "p_equal": Text("p: all equal", "p：斜率相等"),
    "r2": Text("R2", "R²"),
}


def notes_of(pairs: Matched, zone: tuple[str, str], share: float, action: str) -> tuple[Note, ...]:
    """How position is counted, which end is absent, inconsistent answers, attributes left out, recall."""
    notes = []
    if "" in zone:
        gone, there = ("adequate (Ea)", "MSS") if not zone[0] else ("desired (Ed)", "MSA")
        gone_zh = "可接受水平（Ea）" if not zone[0] else "理想水平（Ed）"
        en = f"no item asks for the {gone} level: {there} is told alone, without a zone."
        notes.append(note("W-ZOT", en, f"没有题项询问{gone_zh}：仅给出 {there}，没有容忍区间。"))
    else:
        en = "position = mean MSA / mean width: 0 at adequate, 1 at desired, below 0 under the zone."
        notes.append(note("N-ZOT", en, "位置 = 平均 MSA ÷ 平均宽度：0 为可接受，1 为理想，小于 0 则在区间之下。"))
    if share > 0:
        done, done_zh = {"drop": ("left out", "剔除"), "swap": ("swapped", "互换")}.get(action, ("kept", "保留"))
        en = f"{100 * share:.1f}% of answers had adequate above desired and were {done}."
        notes.append(note("W-ZOT", en, f"{100 * share:.1f}% 的回答中可接受水平高于理想水平，已{done_zh}。"))
    return (*notes, *left_out(pairs), RECALL)


def sentences_of(
    found: pl.DataFrame, labels: Mapping[str, Text], keys: Sequence[str], alpha: float
) -> tuple[Text, ...]:
    """Per cell: where experience lies overall, and the attributes below what is adequate."""
    out: list[Text] = []
    for cell, mine in told_cells(found, keys):
        parts = [_overall(mine.filter(kind="overall").row(0, named=True)), *_under(mine, labels, alpha)]
        out += of_cell(cell, parts)
    return tuple(out)


def _overall(row: Mapping[str, float | None]) -> Text:
    """The shares and the position of the whole."""
    if row["perceived"] is None:
        return Text("No overall score can be given.", "无法给出总体结果。")
    shares = {name: None if row[name] is None else percent(row[name] or 0.0) for name in ("below", "within", "above")}
    if row["within"] is None:
        return _one_end(row)
    place = row["position"]
    at = f", {fixed(place)} of the way from adequate to desired" if place is not None else ""
    at_zh = f"，平均位于从可接受到理想的 {fixed(place)} 处" if place is not None else ""
    en = f"{shares['within']} of respondents are within the zone of tolerance, {shares['below']} below it"
    zh = f"{shares['within']} 的受访者在容忍区间内，{shares['below']} 低于可接受，{shares['above']} 高于理想{at_zh}。"
    return Text(f"{en}, {shares['above']} above{at}.", zh)


def _one_end(row: Mapping[str, float | None]) -> Text:
    """Where experience lies beside the one end that was asked."""
    value, side, side_zh = row["msa"], "adequate", "可接受水平"
    if value is None:
        value, side, side_zh = row["mss"] or 0.0, "desired", "理想水平"
    up, up_zh = ("above", "高") if value >= 0 else ("below", "低")
    size = fixed(abs(value))
    return Text(f"Experience lies {size} points {up} the {side} level.", f"体验比{side_zh}{up_zh} {size} 分。")


def _under(found: pl.DataFrame, labels: Mapping[str, Text], alpha: float) -> list[Text]:
    """Attributes below adequate beyond chance."""
    under = found.filter((pl.col("kind") == "attribute") & (pl.col("msa") < 0) & (pl.col("msa_p_adjusted") < alpha))
    if not under.height:
        return []
    names = under.sort("msa")["name"].to_list()
    en, zh = ", ".join(labels[n].en for n in names), "、".join(labels[n].zh for n in names)
    return [Text(f"Below the adequate level: {en}.", f"低于可接受水平：{zh}。")]


def lines_of(
    frames: tuple[pl.DataFrame, pl.DataFrame],
    sentences: Sequence[Text],
    notes: Sequence[Note],
    labels: Mapping[str, Text],
    lang: str,
) -> str:
    """Sentences, gaps, shares, slopes, notes."""
    whole = in_words(frames[0], labels, lang)
    whole = whole.select(c for c in whole.columns if whole[c].null_count() < whole.height)
    first = ("kind", "n", "below", "below_low", "below_high", "within", "within_low", "within_high", "above")
    gaps = whole.select(pl.exclude(*first[2:], "above_low", "above_high", *_ASIDE))
    parts = whole.select(c for c in whole.columns if c in ("name", *first, "above_low", "above_high", *COLUMNS, *_KEYS))
    printed = (based(frame, HEADINGS, lang) for frame in (gaps, parts))
    lines = [*(s.say(lang) for s in sentences), *(line for told_ in printed for line in ("", told_)), ""]
    if frames[1].height:
        slopes = in_words(frames[1], labels, lang).select(pl.exclude(_BOUNDS))
        lines += [based(slopes, HEADINGS, lang), ""]
    return "\n".join([*lines, *told((), notes, lang)])


_KEYS = ("brand", "wave", "stage", "segment")
_ASIDE = (
    "msa_std_error", "mss_std_error", "width_std_error", "position_std_error", "msa_p", "mss_p", "width_low",
    "width_high",
)  # fmt: skip
_BOUNDS = tuple(f"b_{p}_{e}" for p in ("below", "within", "above") for e in ("low", "high"))
