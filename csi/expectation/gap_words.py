"""How gaps read: sentences, notes, lines at the prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from csi.display import significant
from csi.errors import Note, Reason, Text, note
from csi.expectation.forms import FORMS, Matched
from csi.measures.shown import based, told
from csi.survey.bases import told_cells
from csi.survey.codebook import Form
from csi.survey.keyed import of_cell

CEILING = 0.5
"""Share of expectations at the top of the scale from which they are said to leave no room."""

CLEAR = 0.05
"""A gap with a larger p-value is not called one."""

RECALL: Final = note(
    "W-RETRO",
    "expectation and perception come from one questionnaire: a recalled expectation is coloured by the experience, so "
    "nothing here is a cause.",
    "期望与感知来自同一份问卷：回忆的期望会受体验影响，不宜作因果解读。",
)
"""What holds wherever both are asked at once."""


def recalled(reliability: pl.DataFrame) -> Note:
    """What holds of a recalled expectation, with its correlation with perception where there is one cell.

    Parameters:
        reliability: frame with kind and correlation.

    Example:
        >>> recalled(pl.DataFrame({"kind": ["overall"], "correlation": [0.86]})).text.en.split(":")[0]
        'expectation and perception come from one questionnaire (they correlate 0.86 overall)'
    """
    whole = reliability.filter(pl.col("kind") == "overall")["correlation"].drop_nulls()
    if len(whole) != 1:
        return RECALL
    en = RECALL.text.en.replace("questionnaire:", f"questionnaire (they correlate {whole[0]:.2f} overall):")
    return Note(RECALL.code, Text(en, RECALL.text.zh.replace("问卷：", f"问卷（总体相关 {whole[0]:.2f}）：")))


HEADINGS: Final = {
    "kind": Text("kind", "层次"),
    "name": Text("name", "名称"),
    "n": Text("n", "样本量"),
    "expected": Text("expected", "期望"),
    "perceived": Text("perceived", "感知"),
    "gap": Text("gap", "差距"),
    "sd": Text("SD", "标准差"),
    "std_error": Text("SE", "标准误"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "p_value": Text("p", "p 值"),
    "p_adjusted": Text("p (Holm)", "p（Holm）"),
    "dz": Text("d_z", "d_z"),
    "rank_biserial": Text("rank r", "秩相关 r"),
    "p_signed_rank_adjusted": Text("p ranks (Holm)", "秩检验 p（Holm）"),
    "short": Text("short", "未达"),
    "met": Text("met", "达到"),
    "exceeded": Text("exceeded", "超出"),
    "ceiling": Text("at top", "期望顶端"),
    "r_expected": Text("alpha, expected", "期望 α"),
    "r_perceived": Text("alpha, perceived", "感知 α"),
    "correlation": Text("correlation", "相关"),
    "reliability": Text("reliability of the gap", "差距信度"),
    "b_expected": Text("b expected", "期望系数"),
    "b_perceived": Text("b perceived", "感知系数"),
    "std_error_expected": Text("SE", "标准误"),
    "std_error_perceived": Text("SE ", "标准误 "),
    "p_difference": Text("p: equal and opposite", "p：等值反号"),
    "r2": Text("R2 apart", "R²（分列）"),
    "r2_difference": Text("R2 of the gap", "R²（差值）"),
}
KINDS: Final = {
    "attribute": Text("attribute", "属性"),
    "dimension": Text("dimension", "维度"),
    "overall": Text("overall", "总体"),
}


def notes_of(
    pairs: Matched,
    forms: tuple[Form, Form],
    found: pl.DataFrame,
    labels: Mapping[str, Text],
    reliability: pl.DataFrame | None = None,
) -> tuple[Note, ...]:
    """The convention, attributes left out, expectations at the top of the scale, recall.

    Parameters:
        forms: perceived, expected. found: the table of gaps. labels: name -> label. reliability: of the differences.
    """
    P, E = (FORMS[f] for f in forms)
    en, zh = f"gap = {P.en} minus {E.en}: below 0 falls short.", f"差距 = {P.zh} − {E.zh}，小于 0 为未达期望。"
    notes = [note("N-GAP", en, zh)]
    notes += left_out(pairs)
    high = found.filter(pl.col("ceiling") >= CEILING)["name"].unique(maintain_order=True).to_list()
    if high:
        listed = _some([labels[n].en for n in high], ", ")
        en = f"at least half of the respondents expect the top of the scale ({listed})"
        zh = f"至少一半受访者的期望已在量表顶端（{_some([labels[n].zh for n in high], '、')}），无法再被超越。"
        notes.append(note("W-CEILING", f"{en}: nothing can exceed that.", zh))
    return (*notes, RECALL if reliability is None else recalled(reliability))


def tested(p: float | None) -> str:
    """A p-value for a sentence.

    Example:
        >>> tested(0.0321), tested(2e-9)
        ('p = 0.032', 'p < 0.001')
    """
    return "p = -" if p is None else "p < 0.001" if p < 0.001 else f"p = {significant(p, 2)}"


def left_out(pairs: Matched) -> tuple[Note, ...]:
    """Attributes that lack one of the forms."""
    if not pairs.lone:
        return ()
    count, every = len(pairs.lone), len(pairs.lone) + len(pairs.attributes)
    listed = _some(list(pairs.lone), ", ")
    of = "one of the two forms" if len(pairs.items) == 2 else "one of the forms"
    en = f"{count} of {every} attributes lack {of} and stay out: {listed}."
    return (note("W-FORM", en, f"{every} 个属性中有 {count} 个缺少其中一种形式，未纳入：{listed}。"),)


def _some(names: Sequence[str], joint: str) -> str:
    """At most six names."""
    return joint.join(names[:6]) + (f"{joint}..." if len(names) > 6 else "")


def sentences_of(found: pl.DataFrame, labels: Mapping[str, Text], keys: Sequence[str]) -> tuple[Text, ...]:
    """Per cell: the overall gap and the attribute that falls shortest."""
    out: list[Text] = []
    for cell, part in told_cells(found, keys):
        total = part.filter(kind="overall").row(0, named=True)
        worst = part.filter(kind="attribute").sort("gap", nulls_last=True).row(0, named=True)
        out += of_cell(cell, [_sentence(total["gap"], total["p_value"], worst["gap"], labels[worst["name"]])])
    return tuple(out)


def _sentence(gap: float | None, p: float | None, least: float | None, name: Text) -> Text:
    """One cell.

    Example:
        >>> _sentence(-0.5, 0.001, -1.2, Text("Speed", "速度")).en
        'Experience falls short of expectation by 0.50 points of the scale. Speed falls shortest (-1.20).'
        >>> _sentence(0.1, 0.4, 0.05, Text("Speed", "速度")).en
        'Experience and expectation cannot be told apart (gap 0.10, p = 0.4).'
    """
    if gap is None:
        return Text("No overall gap can be given.", "无法给出总体差距。")
    size = f"{abs(gap):.2f}"
    if p is None:
        en = f"The overall gap is {gap:.2f}, untested: it does not vary over respondents, or they are too few."
        zh = f"总体差距为 {gap:.2f}，未作检验：各受访者的差距相同，或人数过少。"
    elif p >= CLEAR:
        en = f"Experience and expectation cannot be told apart (gap {gap:.2f}, p = {significant(p)})."
        zh = f"体验与期望没有显著差异（差距 {gap:.2f}，p = {significant(p)}）。"
    elif gap < 0:
        en, zh = f"Experience falls short of expectation by {size} points of the scale.", f"体验比期望低 {size} 分。"
    else:
        en, zh = f"Experience exceeds expectation by {size} points of the scale.", f"体验比期望高 {size} 分。"
    if least is not None and least < 0:
        en += f" {name.en} falls shortest ({least:.2f})."
        zh += f"差距最大的是“{name.zh}”（{least:.2f}）。"
    return Text(en, zh)


def lines_of(
    frames: tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame],
    sentences: Sequence[Text],
    below: tuple[Mapping[str, Reason], Sequence[Note]],
    labels: Mapping[str, Text],
    outcome: str,
    lang: str,
) -> str:
    """Sentences, gaps, reliabilities, the two predictors side by side; reasons and notes below."""
    gaps, reliability, constraint = frames
    plain = gaps.drop("statistic", "df", "sd", "signed_rank", "p_signed_rank")
    ranks = [c for c in ("rank_biserial", "p_signed_rank_adjusted") if plain[c].null_count() == plain.height]
    lines = [*(s.say(lang) for s in sentences), "", _printed(plain.drop(ranks), labels, lang), ""]
    lines += [_printed(reliability, labels, lang), ""]
    if constraint.height:
        en, zh = f"{outcome} on expectation and perception, side by side", f"{outcome} 对期望与感知的回归（分列）"
        shown = constraint.drop("p_value_expected", "p_value_perceived")
        lines += [Text(en, zh).say(lang), _printed(shown, labels, lang), ""]
    reasons, notes = below
    return "\n".join([*lines, *told(reasons.values(), notes, lang)])


def _printed(frame: pl.DataFrame, labels: Mapping[str, Text], lang: str) -> str:
    """A frame with names and kinds in words."""
    words = {n: t.say(lang) or n for n, t in labels.items()}
    frame = frame.with_columns(pl.col("name").replace(words))
    if "kind" in frame.columns:
        frame = frame.with_columns(pl.col("kind").replace({k: t.say(lang) for k, t in KINDS.items()}))
    return based(frame, HEADINGS, lang)
