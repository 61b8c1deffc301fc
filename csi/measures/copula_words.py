"""How copula terms read: sentences, notes, lines at the prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from csi.display import table
from csi.errors import Note, Text, note

FEW = 500
"""Rows below which the terms often missed a planted entanglement (tests/slow/robustness.md)."""

ALIKE, ALIKE_MANY, MANY = 0.95, 0.98, 1000
"""Squared correlation above which a regressor and its copula term are hardly told apart: with fewer than `MANY` rows,
and with as many or more (tests/slow/robustness.md)."""

HEADINGS: Final = {
    "regressor": Text("regressor", "解释变量"),
    "n": Text("n", "样本量"),
    "distinct": Text("values", "取值数"),
    "skewness": Text("skewness", "偏度"),
    "kurtosis": Text("kurtosis", "峰度"),
    "lilliefors_p": Text("Lilliefors p", "Lilliefors p"),
    "cramer_von_mises_p": Text("Cramer-von Mises p", "Cramér–von Mises p"),
    "overlap": Text("overlap", "重叠"),
    "verdict": Text("verdict", "判断"),
    "outcome": Text("outcome", "结果变量"),
    "endogenous": Text("endogenous", "内生变量"),
    "term": Text("term", "项"),
    "estimate": Text("estimate", "估计值"),
    "std_error": Text("SE", "标准误"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "p_value": Text("p", "p 值"),
    "p_holm": Text("p (Holm)", "p（Holm）"),
}
VERDICTS: Final = {
    "usable": Text("usable", "可用"),
    "near normal": Text("near normal", "接近正态"),
    "discrete": Text("discrete", "离散"),
}


def sentences_of(frame: pl.DataFrame, alpha: float) -> tuple[Text, ...]:
    """One per outcome: which copula terms, each alone in the regression, are significant after Holm's adjustment."""
    said = []
    for outcome in frame["outcome"].unique(maintain_order=True):
        mine = frame.filter(pl.col("outcome") == outcome)
        alone = mine.filter(pl.col("term") == "copula(" + pl.col("endogenous") + ")").drop_nulls("p_holm")
        if not alone.height:
            continue
        p = alone["p_holm"].to_list()
        names = [x for x, value in zip(alone["endogenous"], p, strict=True) if value < alpha]
        if not names:
            least = min(p)
            en = f"{outcome}: no sign of endogenous predictors (least adjusted p {least:.3f}), which proves nothing."
            said.append(Text(en, f"{outcome}：没有预测变量内生的迹象（最小校正 p {least:.3f}）；但这不证明没有。"))
        said += [_changed(mine, outcome, x) for x in names]
    return tuple(said)


def _changed(mine: pl.DataFrame, outcome: str, x: str) -> Text:
    """The path of a regressor before and after its copula term."""
    before, after = (
        mine.filter(pl.col("endogenous") == inside, pl.col("term") == x)["estimate"][0] for inside in ("", x)
    )
    return Text(
        f"{outcome}: {x} looks endogenous; with its copula term its path is {after:.3f} instead of {before:.3f}.",
        f"{outcome}：{x} 疑似内生；加入其 copula 项后路径为 {after:.3f}，而非 {before:.3f}。",
    )


def notes_of(checks: pl.DataFrame, n: int, *, drawn: bool) -> list[Note]:
    """Where the method is weak: few rows, regressors near normal, no replicates."""
    told = []
    if not drawn:
        en = "no standard errors: least squares' own are wrong with copula terms; call csi.bootstrap(est) first."
        told.append(
            note("N-COPULA-BOOT", en, "没有标准误：加入 copula 项后最小二乘的标准误不成立；请先 csi.bootstrap(est)。")
        )
    if n < FEW:
        en = f"{n} rows: below {FEW} copula terms often miss an endogeneity that is there."
        told.append(note("W-COPULA-N", en, f"样本量 {n}：低于 {FEW} 时 copula 项常常查不出确实存在的内生性。"))
    near = checks.filter(verdict="near normal")["regressor"].to_list()
    if near:
        listed, zh = ", ".join(near), "、".join(near)
        en = f"too near to normal to be told from their copula terms: {listed}; do not read these terms."
        told.append(note("W-COPULA-NORMAL", en, f"过于接近正态，无法与其 copula 项区分：{zh}；请勿解读这些项。"))
    return told


def lines_of(
    checks: pl.DataFrame, frame: pl.DataFrame, sentences: Sequence[Text], notes: Sequence[Note], lang: str
) -> str:
    """Checks, copula terms, sentences, notes."""
    heads = {c: t.say(lang) for c, t in HEADINGS.items()}
    words = {w: t.say(lang) for w, t in VERDICTS.items()}
    shown = checks.drop("lilliefors", "cramer_von_mises").with_columns(pl.col("verdict").replace(words))
    terms = frame.filter(pl.col("term").str.starts_with("copula("))
    parts = [table(shown, headings=heads), "", table(terms, headings=heads), ""]
    return "\n".join([*parts, *(s.say(lang) for s in sentences), *(f"* {n.say(lang)}" for n in notes)])
