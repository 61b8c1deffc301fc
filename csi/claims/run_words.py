"""How a card's run reads: notes about the card, sentences, lines at the prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from csi.claims.asymmetries import PATTERNS
from csi.errors import Note, Text, note
from csi.measures.findings import number
from csi.measures.shown import part, told
from csi.models.card import Card
from csi.models.model import Model
from csi.survey.bases import FLAGS

VERDICTS: Final = {
    "as expected": Text("as expected", "符合预期"),
    "against": Text("against", "与预期相反"),
    "open": Text("open", "未定"),
    "free": Text("free", "无预期"),
    "card": Text("card", "模型卡"),
    "rival": Text("rival", "竞争模型"),
    **PATTERNS,
}
"""Words of verdicts and of the two models of a contest."""

TITLES: Final = {
    "table": Text("Paths with expected signs", "路径与预期符号"),
    "r2": Text("R2", "R²"),
    "reliability": Text("Reliability", "信度"),
    "hypotheses": Text("Chains the card names", "模型卡的间接效应假设"),
    "contrasts": Text("Contrasts of indirect effects", "间接效应的对比"),
    "dimensions": Text("Which dimension carries it (relative weights)", "各维度的作用（相对权重）"),
    "asymmetry": Text("Slopes below and above the mean", "均值以下与以上的斜率"),
    "index": Text("Index 0-100", "指数（0–100）"),
    "impact": Text("What goes with 5 points more", "提高 5 分的相应变化"),
    "fit": Text("Fit", "拟合"),
    "q2": Text("Out-of-sample prediction", "样本外预测"),
    "rivals": Text("Rivals", "竞争模型"),
}

HIDDEN: Final = {
    "table": ("optional",),
    "asymmetry": ("b_below_p", "b_above_p", "difference_low", "difference_high", "difference_p", "r2"),
    "index": ("reason_zh", "std_error_fixed", "n_effective", "design_effect"),
    "impact": ("quadrant", "importance_conf_low", "importance_conf_high"),
}
"""Columns that the prompt leaves out, beside the intervals of reliability and of standardised effects."""

WIDE: Final = ("reliability", "impact")


def lines_of(
    card: Card,
    frames: Mapping[str, pl.DataFrame],
    sentences: Sequence[Text],
    notes: Sequence[Note],
    lang: str,
) -> str:
    """The card's title, what one reads, the tables, notes."""
    lines = [f"{card.id}  {card.title.say(lang)}", "", *(s.say(lang) for s in sentences)]
    words = {name: t.say(lang) for name, t in VERDICTS.items()}
    for name, frame in frames.items():
        wide = [c for c in frame.columns if "_conf_" in c and not c.startswith("gain")] if name in WIDE else []
        hidden = {c for c in (*HIDDEN.get(name, ()), *wide) if c in frame.columns}
        shown = frame.drop(hidden).with_columns(
            pl.col(c).replace(words) for c in ("verdict", "model", "pattern") if c in frame.columns
        )
        if "flag" in shown.columns:
            known = shown.filter(pl.col("flag").ne_missing("suppressed"))
            # the flag says why rows are empty; reasons of other rows stay
            shown = shown.drop("reason") if known["reason"].null_count() == known.height else shown
            shown = shown.with_columns(pl.col("flag").replace({f: t.say(lang) for f, t in FLAGS.items()}))
        found = part(TITLES[name], shown, lang, f".{name}")
        lines += ["", *found] if found else []
    return "\n".join([*lines, *told((), notes, lang)])


def r2_sentences(table: pl.DataFrame, model: Model) -> tuple[Text, ...]:
    """How much of each outcome is explained, in one sentence per cell."""
    keys = table.columns[: table.columns.index("construct")] if table.height else []
    known = table.filter(pl.col("r2").is_not_null()) if table.height else table
    made = []
    for cell, rows in known.group_by(keys, maintain_order=True) if keys else [((), known)] if known.height else []:
        each = [(model.label(c), model.label(c, "zh"), v) for c, v in rows.select("construct", "r2").iter_rows()]
        place = " ".join(str(k) for k in cell if k)
        en = "Explained: " + ", ".join(f"{100 * v:.0f} % of {a}" for a, _, v in each) + "."
        zh = "解释比例：" + "、".join(f"{b} {100 * v:.0f}%" for _, b, v in each) + "。"
        made.append(Text(f"{place}: {en}" if place else en, f"{place}：{zh}" if place else zh))
    return tuple(made)


def told_of_card(
    card: Card, items: Mapping[str, tuple[str, ...]], left_out: Sequence[str], model: Model
) -> tuple[Note, ...]:
    """What was left out, which optional arrows are in, what is provisional, recall."""
    notes = []
    if left_out:
        names = ", ".join(card.constructs[n].en for n in left_out)
        names_zh = "、".join(card.constructs[n].zh for n in left_out)
        en = f"fitted without {names}: the codebook has no items for them and card {card.id} can do without."
        notes.append(note("N-CARD-WITHOUT", en, f"模型未纳入{names_zh}：编码簿无相应题项，模型卡 {card.id} 允许缺省。"))
    chosen = [f"{p.outcome}~{p.predictor.name}" for p in model.paths if p.optional]
    if any(a.optional for a in card.arrows):
        listed, listed_zh = ", ".join(chosen) or "none", "、".join(chosen) or "无"
        notes.append(
            note("N-CARD-OPTIONAL", f"optional arrows that are in: {listed}.", f"纳入的可选路径：{listed_zh}。")
        )
    if card.provisional is not None:
        en, zh = (
            f"card {card.id} is provisional: {card.provisional.en}",
            f"模型卡 {card.id} 为暂定：{card.provisional.zh}",
        )
        notes.append(note("N-CARD-PROVISIONAL", en, zh))
    recalled = [n for n in items if card.constructs[n].form == "Ew" and not n.endswith("_before")]
    if recalled and any(card.constructs[n].form in ("P", "D") for n in items):
        en = "expectation was asked in the same interview as experience; it is a recall, so nothing here is a cause."
        zh = "期望与体验在同一次访问中询问，属回忆性期望，不能据此作因果结论。"
        notes.append(note("W-RETRO", en, zh))
    return tuple(notes)


def interval(row: Mapping[str, object]) -> str:
    """Estimate and limits of a row.

    Example:
        >>> interval({"estimate": 0.3, "conf_low": 0.1, "conf_high": 0.5})
        '0.30 [0.10, 0.50]'
    """
    value, low, high = (row[c] for c in ("estimate", "conf_low", "conf_high"))
    if not isinstance(value, float):
        return "-"
    if not (isinstance(low, float) and isinstance(high, float)):
        return number(value)
    return f"{number(value)} [{number(low)}, {number(high)}]"
