"""How service quality reads: sentences, notes, lines at the prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from csi.display import fixed
from csi.errors import Note, Text, note
from csi.expectation.forms import FORMS, Matched
from csi.expectation.gap_words import RECALL, left_out
from csi.expectation.servqual_structure import FEW, IMPROPER, SMALL_BASE, Asked, Structure
from csi.expectation.servqual_weights import WHOLE, Points
from csi.measures.shown import based, told
from csi.survey.bases import FLAGS, told_cells
from csi.survey.keyed import cell_names, of_cell

ALIKE: Final = 0.90
"""HTMT from which two dimensions are hardly apart (Henseler, Ringle & Sarstedt 2015)."""
COUNTS: Final = (4, 5, 4, 4, 5)
"""Attributes per dimension of 1988, in questionnaire order."""

HEADINGS: Final = {
    "kind": Text("kind", "层次"),
    "name": Text("name", "名称"),
    "n": Text("n", "样本量"),
    "weight": Text("weight", "权重"),
    "expected": Text("expected", "期望"),
    "perceived": Text("perceived", "感知"),
    "score": Text("score", "得分"),
    "sd": Text("SD", "标准差"),
    "std_error": Text("SE", "标准误"),
    "p_value": Text("p", "p 值"),
    "p_adjusted": Text("p (Holm)", "p（Holm）"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "form": Text("form", "形式"),
    "dimension": Text("dimension", "维度"),
    "other": Text("other", "另一维度"),
    "n_items": Text("items", "题项数"),
    "alpha": Text("alpha", "α"),
    "omega": Text("omega (one factor, implied)", "ω（单因子，模型隐含）"),
    "model": Text("model", "模型"),
    "predictors": Text("predictors", "预测变量数"),
    "r2": Text("R2", "R²"),
    "r2_adjusted": Text("adjusted R2", "调整后 R²"),
    "restrictions": Text("restrictions", "约束数"),
    "f": Text("F (robust)", "F（稳健）"),
    "f_classical": Text("F (classical)", "F（经典）"),
    "p_classical": Text("p (classical)", "p（经典）"),
    "chi2": Text("chi2 (MLR)", "卡方（MLR）"),
    "df": Text("df", "自由度"),
    "cfi": Text("CFI", "CFI"),
    "tli": Text("TLI", "TLI"),
    "rmsea": Text("RMSEA", "RMSEA"),
    "srmr": Text("SRMR", "SRMR"),
    "bic": Text("BIC", "BIC"),
    "chi2_diff": Text("chi2 difference", "卡方差"),
    "df_diff": Text("df", "自由度差"),
    "p_diff": Text("p (difference)", "p（差异）"),
    "reason": Text("reason", "原因"),
    "htmt": Text("HTMT", "HTMT"),
    "upper": Text("95% bound", "95% 上限"),
}
KINDS: Final = {
    "dimension": Text("dimension", "维度"),
    "overall": Text("overall", "总体"),
    "weighted": Text("weighted", "加权"),
}
MODELS: Final = {
    "perceived": Text("perceptions alone", "仅感知"),
    "gap": Text("gaps", "差距"),
    "both": Text("perceptions and expectations", "感知与期望并列"),
    "five": Text("a factor per dimension", "每维度一个因子"),
    "second": Text("second-order factor", "二阶因子"),
    "one": Text("one factor", "单因子"),
}
SHORT: Final = {"P": Text("P", "感知 P"), "E": Text("E", "期望 E"), "G": Text("G = P - E", "差距 G = P − E")}


def notes_of(
    pairs: Matched, form: Asked, points: Points, normalised: int, rows: int, five: Sequence[str]
) -> tuple[Note, ...]:
    """What the score is, whose weights, points that do not sum to 100, the questionnaire's shape, recall."""
    notes = [_meaning(form, points), *left_out(pairs)]
    if normalised:
        en = f"the points of {normalised} of {rows} respondents do not sum to {WHOLE:g} and were normalised."
        zh = f"{rows} 名受访者中有 {normalised} 名的分配分数合计不是 {WHOLE:g}，已归一化。"
        notes.append(note("W-POINTS", en, zh))
    if points.source == "given" and abs(points.given_sum - WHOLE) > 1e-9 and abs(points.given_sum - 1) > 1e-9:
        en = f"the given points sum to {points.given_sum:g}, not {WHOLE:g}, and were normalised."
        zh = f"给定的分数合计为 {points.given_sum:g}，而非 {WHOLE:g}，已归一化。"
        notes.append(note("W-POINTS", en, zh))
    shape = _shape(pairs, five)
    return (*notes, *([shape] if shape else []), *([RECALL] if form else []))


def _meaning(form: Asked, points: Points) -> Note:
    """What the score is."""
    whose = {
        "respondents": Text("weighted by each respondent's points", "按每位受访者的分配分数加权"),
        "given": Text("weighted by the points given for all", "按统一给定的分数加权"),
        "": Text("unweighted (no points were asked)", "未加权（未询问分配分数）"),
    }[points.source]
    if not form:
        en = f"no expectations: the score is what was perceived (SERVPERF), {whose.en}."
        return note("N-SERVPERF", en, f"没有期望题项：得分即感知水平（SERVPERF），{whose.zh}。")
    named = FORMS[form]
    en = f"score = perceived minus {named.en}: below 0 falls short; {whose.en}."
    return note("N-SERVQUAL", en, f"得分 = 感知 − {named.zh}，小于 0 为未达期望；{whose.zh}。")


def _shape(pairs: Matched, five: Sequence[str]) -> Note | None:
    """Whether the questionnaire of the five dimensions is that of 1988."""
    if set(pairs.dimensions) != set(five):
        return None
    counts = tuple(pairs.dimension.count(d) for d in five)
    if (
        counts == COUNTS
        and pairs.dimensions == tuple(five)
        and list(pairs.dimension) == sorted(pairs.dimension, key=five.index)
    ):
        return None
    have = ", ".join(f"{d} {c}" for d, c in zip(five, counts, strict=True))
    en = f"the questionnaire of 1988 has 4, 5, 4, 4, 5 attributes of {', '.join(five)}, in this order; here: {have}."
    zh = (
        f"1988 年原始问卷按 {'、'.join(five)} 的顺序有 4、5、4、4、5 个属性；本问卷不同（{have.replace(', ', '、')}）。"
    )
    return note("W-SERVQUAL", en, zh)


def of_structure(made: Structure, keys: Sequence[str]) -> tuple[Note, ...]:
    """Cells that are too small for factor models."""
    few = made.fits.filter(reason=FEW.code) if made.fits.height else made.fits
    if not few.height:
        return ()
    cells = ", ".join(cell_names(few.select(keys).unique(maintain_order=True)))
    return (note("W-SERVQUAL", f"{cells}: {FEW.text.en}", f"{cells}：{FEW.text.zh}"),)


def sentences_of(
    found: pl.DataFrame,
    compared: pl.DataFrame,
    made: Structure,
    labels: Mapping[str, Text],
    keys: Sequence[str],
    form: str,
    alpha: float,
) -> tuple[Text, ...]:
    """Per cell: the score, the weakest dimension, what explains the outcome; then whether dimensions are apart."""
    out: list[Text] = []
    for cell, mine in told_cells(found, keys):
        apart = made.htmt.filter(**cell) if cell and made.htmt.height else made.htmt
        by = compared.filter(**cell) if cell and compared.height else compared
        out += of_cell(cell, [_score(mine, labels, form), *_explained(by, alpha), *_apart(apart, labels)])
    return tuple(out)


def _score(found: pl.DataFrame, labels: Mapping[str, Text], form: str) -> Text:
    """The weighted score (the unweighted where there is none) and the weakest dimension."""
    best = found.filter(pl.col("kind").is_in(["overall", "weighted"])).row(-1, named=True)
    worst = found.filter(kind="dimension").sort("score", nulls_last=True).row(0, named=True)
    if best["score"] is None or worst["score"] is None:
        return Text("No overall score can be given.", "无法给出总体得分。")
    how, how_zh = ("Weighted", "加权") if best["kind"] == "weighted" else ("Unweighted", "未加权")
    at = ", ".join(fixed(v) for v in (best["conf_low"], best["conf_high"]))
    name = labels[worst["name"]]
    kind, kind_zh = ("gap", "差距") if form else ("perceived quality", "感知质量")
    value, least = fixed(best["score"]), fixed(worst["score"])
    en = f"{how} {kind} {value} ({at}); weakest is {name.en} ({least})."
    zh = f"{how_zh}{kind_zh} {value}（{at}）；最弱的维度是“{name.zh}”（{least}）。"
    return Text(en, zh)


def _explained(compared: pl.DataFrame, alpha: float) -> list[Text]:
    """R2 of perceptions, gaps and both, with the verdict on either restriction."""
    rows = {r["model"]: r for r in compared.iter_rows(named=True)} if compared.height else {}
    if "both" not in rows or any(r["r2"] is None for r in rows.values()):
        return []
    P, G, both = (fixed(rows[m]["r2"]) for m in ("perceived", "gap", "both"))
    en, zh = f"R2 of perceptions alone {P}, gaps {G}, both {both}", f"R²：仅感知 {P}，差距 {G}，并列 {both}"
    tests = {m: rows[m]["p_value"] for m in ("perceived", "gap")}
    if tests["perceived"] is not None and tests["perceived"] >= alpha:
        return [Text(f"{en}: expectations add nothing that shows.", f"{zh}：期望未见额外解释力。")]
    if tests["gap"] is not None and tests["gap"] >= alpha:
        return [Text(f"{en}: the difference loses nothing that shows.", f"{zh}：取差值未见信息损失。")]
    return [Text(f"{en}: both forms count, and not as a difference.", f"{zh}：两者都有解释力，且不是简单差值。")]


def _apart(apart: pl.DataFrame, labels: Mapping[str, Text]) -> list[Text]:
    """Dimensions that are hardly apart, of perceptions."""
    if not apart.height:
        return []
    own = apart.filter(pl.col("form") == "P")
    high = own.filter(pl.col("htmt") >= ALIKE)
    if not high.height:
        return [
            Text(
                f"The dimensions are apart (every HTMT below {ALIKE:g}).", f"各维度可以区分（HTMT 均低于 {ALIKE:g}）。"
            )
        ]
    pairs = [(labels[a], labels[b], fixed(v)) for a, b, v in high.select("dimension", "other", "htmt").iter_rows()]
    en = "; ".join(f"{a.en} and {b.en} {v}" for a, b, v in pairs)
    zh = "；".join(f"{a.zh}与{b.zh} {v}" for a, b, v in pairs)
    return [Text(f"Hardly apart (HTMT of at least {ALIKE:g}): {en}.", f"难以区分（HTMT ≥ {ALIKE:g}）：{zh}。")]


def in_words(frame: pl.DataFrame, labels: Mapping[str, Text], lang: str) -> pl.DataFrame:
    """A frame with names, kinds, models and forms in words."""
    names = {n: t.say(lang) or n for n, t in labels.items()}
    for column, words in (("kind", KINDS), ("model", MODELS), ("form", SHORT)):
        if column in frame.columns:
            frame = frame.with_columns(pl.col(column).replace({k: t.say(lang) for k, t in words.items()}))
    for column in ("name", "dimension", "other"):
        if column in frame.columns:
            frame = frame.with_columns(pl.col(column).replace(names))
    return frame


def lines_of(
    frames: Sequence[pl.DataFrame],
    sentences: Sequence[Text],
    notes: Sequence[Note],
    labels: Mapping[str, Text],
    lang: str,
) -> str:
    """Sentences, the frames that have rows, notes."""
    lines = [*(s.say(lang) for s in sentences), ""]
    for frame in frames:
        if frame.height:
            shown = in_words(frame, labels, lang)
            if "reason" in shown.columns:
                said = {r.code: r.say(lang) for r in (IMPROPER, FEW)} | {SMALL_BASE: FLAGS["suppressed"].say(lang)}
                shown = shown.with_columns(pl.col("reason").replace(said))
            kept = [c for c in shown.columns if c != "statistic" and shown[c].null_count() < shown.height]
            lines += [based(shown.select(kept), HEADINGS, lang), ""]
    return "\n".join([*lines, *told((), notes, lang)])
