"""How promises read: sentences, notes, lines at the prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from csi.display import fixed
from csi.errors import Note, Text, note
from csi.expectation.forms import Matched
from csi.expectation.gap_words import KINDS, RECALL, left_out, tested
from csi.measures.shown import based, told
from csi.survey.bases import told_cells
from csi.survey.keyed import of_cell

HEADINGS: Final = {
    "kind": Text("kind", "层次"),
    "name": Text("name", "名称"),
    "n": Text("n", "样本量"),
    "promised": Text("promised", "承诺"),
    "perceived": Text("perceived", "感知"),
    "broken": Text("less than promised", "低于承诺"),
    "broken_low": Text("low", "下限"),
    "broken_high": Text("high", "上限"),
    "kept": Text("as promised", "符合承诺"),
    "kept_low": Text("low ", "下限 "),
    "kept_high": Text("high ", "上限 "),
    "exceeded": Text("more than promised", "超出承诺"),
    "exceeded_low": Text("low  ", "下限  "),
    "exceeded_high": Text("high  ", "上限  "),
    "net": Text("net", "净值"),
    "net_low": Text("low   ", "下限   "),
    "net_high": Text("high   ", "上限   "),
    "p_value": Text("p", "p 值"),
    "p_adjusted": Text("p (Holm)", "p（Holm）"),
    "n_short": Text("n short", "未达人数"),
    "n_over": Text("n beyond", "超出人数"),
    "b_short": Text("slope of a breach", "未达一侧斜率"),
    "b_over": Text("slope of over-delivery", "超出一侧斜率"),
    "b_perceived": Text("slope of the level", "水平斜率"),
    "difference": Text("difference", "斜率之差"),
    "difference_low": Text("low", "下限"),
    "difference_high": Text("high", "上限"),
    "difference_p": Text("p", "p 值"),
    "r2": Text("R2", "R²"),
}


def notes_of(pairs: Matched, band: float) -> tuple[Note, ...]:
    """What counts as kept, attributes left out, recall."""
    en = f"a promise is what was expected (form Ew as understood); differences of at most {band:g} count as kept."
    zh = f"承诺指顾客所理解的预期水平（形式 Ew）；差值不超过 {band:g} 算作兑现。"
    return (note("N-PROMISE", en, zh), *left_out(pairs), RECALL)


def sentences_of(
    found: pl.DataFrame, slopes: pl.DataFrame, labels: Mapping[str, Text], keys: Sequence[str], alpha: float
) -> tuple[Text, ...]:
    """Per cell: the shares over all attributes, the promise broken most often, and which side counts for more."""
    out: list[Text] = []
    for cell, mine in told_cells(found, keys):
        side = slopes.filter(**cell) if cell and slopes.height else slopes
        out += of_cell(cell, [_shares(mine, labels), *_sides(side, alpha)])
    return tuple(out)


def _shares(found: pl.DataFrame, labels: Mapping[str, Text]) -> Text:
    """Overall, and the worst attribute."""
    total = found.filter(kind="overall").row(0, named=True)
    worst = found.filter(kind="attribute").sort("broken", descending=True, nulls_last=True).row(0, named=True)
    if total["broken"] is None or worst["broken"] is None:
        return Text("No share can be given.", "无法给出占比。")
    less, more, most = (percent(v) for v in (total["broken"], total["exceeded"], worst["broken"]))
    name = labels[worst["name"]]
    en = f"{less} of respondents got less than they were promised overall, {more} more; "
    zh = f"总体上 {less} 的受访者所得低于承诺，{more} 高于承诺；"
    return Text(f"{en}most often {name.en} falls short ({most}).", f"{zh}最常未兑现的是“{name.zh}”（{most}）。")


def _sides(slopes: pl.DataFrame, alpha: float) -> list[Text]:
    """Whether a breach hurts more than over-delivery delights."""
    rows = slopes.filter(kind="overall").to_dicts() if slopes.height else []
    if not rows or rows[0]["difference"] is None:
        return []
    row = rows[0]
    p = row["difference_p"]
    at = f"{fixed(row['b_short'])}, {fixed(row['b_over'])}"
    if p is None or p >= alpha:
        en = f"That a breach counts for more than over-delivery, or less, is not shown (slopes {at}; {tested(p)})."
        return [Text(en, f"未能表明违背承诺与超额兑现的影响不同（斜率 {at}；{tested(p)}）。")]
    if row["difference"] > 0:
        en = f"A point short of the promise counts for more than a point beyond it (slopes {at}; {tested(p)})."
        return [Text(en, f"低于承诺一分的影响大于高出一分（斜率 {at}；{tested(p)}）。")]
    en = f"A point beyond the promise counts for more than a point short of it (slopes {at}; {tested(p)})."
    return [Text(en, f"高出承诺一分的影响大于低于一分（斜率 {at}；{tested(p)}）。")]


def percent(share: float) -> str:
    """A share for a sentence.

    Example:
        >>> percent(0.384)
        '38.4%'
    """
    return f"{100 * share:.1f}%"


def in_words(frame: pl.DataFrame, labels: Mapping[str, Text], lang: str) -> pl.DataFrame:
    """A frame with names and kinds in words."""
    words = {n: t.say(lang) or n for n, t in labels.items()}
    return frame.with_columns(
        pl.col("name").replace(words), pl.col("kind").replace({k: t.say(lang) for k, t in KINDS.items()})
    )


def lines_of(
    frames: tuple[pl.DataFrame, pl.DataFrame],
    sentences: Sequence[Text],
    notes: Sequence[Note],
    labels: Mapping[str, Text],
    lang: str,
) -> str:
    """Sentences, shares, slopes, notes."""
    shown = in_words(frames[0], labels, lang).select(pl.exclude("kept_low", "kept_high", "p_value"))
    lines = [*(s.say(lang) for s in sentences), "", based(shown, HEADINGS, lang), ""]
    if frames[1].height:
        slopes = in_words(frames[1], labels, lang).select(pl.exclude(_ASIDE))
        lines += [based(slopes, HEADINGS, lang), ""]
    return "\n".join([*lines, *told((), notes, lang)])


_ASIDE = tuple(f"{s}_{e}" for s in ("b_short", "b_over", "b_perceived") for e in ("low", "high", "p"))
