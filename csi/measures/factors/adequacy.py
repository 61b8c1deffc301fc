"""Whether correlations are fit for factor analysis: KMO, Bartlett's test, the determinant.

Letters: `p` items.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy.special import chdtrc

from csi.display import Shown, text
from csi.errors import Note, Reason, Text, reason
from csi.measures.factors.correlations import correlated
from csi.measures.factors.words import lines
from csi.moments.stack import Array

GRADES = ((0.9, "marvelous"), (0.8, "meritorious"), (0.7, "middling"), (0.6, "mediocre"), (0.5, "miserable"))
"""Kaiser's words from a KMO on; "unacceptable" below."""

GRADES_ZH = {
    "marvelous": "极佳",
    "meritorious": "良好",
    "middling": "中等",
    "mediocre": "普通",
    "miserable": "欠佳",
    "unacceptable": "不可接受",
}
SINGULAR = reason(
    "R-SINGULAR",
    "the correlations are singular or not positive definite: some items follow from others.",
    "相关矩阵奇异或非正定：部分题项可由其他题项推出。",
)


@dataclass(frozen=True, slots=True, repr=False)
class Adequacy(Shown):
    """Whether items hang together enough to look for factors.

    Attributes:
        table: one row per item: item, kmo (its measure of sampling adequacy), grade (Kaiser's word), reason.
        kmo: of all items, None with a `reason`. grade: Kaiser's word for it. chi2, df, p_value: Bartlett's test of no
            correlation at all. determinant: of the matrix. n, kind: of the correlations. reason: why values are absent.
        notes.
    """

    table: pl.DataFrame
    kmo: float | None
    grade: str | None
    chi2: float | None
    df: int
    p_value: float | None
    determinant: float
    n: int
    kind: str
    reason: Reason | None
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Adequacy, lang: str = "en") -> str:
    """KMO, Bartlett's test and the table of items."""
    if value.kmo is None or value.chi2 is None or value.p_value is None or value.grade is None:
        why = SINGULAR if value.reason is None else value.reason
        first = Text(f"No KMO and no Bartlett test: {why.text.en}", f"无 KMO 与 Bartlett 检验：{why.text.zh}")
        return lines(first, [], value.notes, lang)
    en = f"KMO {value.kmo:.3f} ({value.grade}); Bartlett chi2({value.df}) = {value.chi2:.2f}, p = {value.p_value:.3g}; "
    grade = GRADES_ZH[value.grade]
    zh = f"KMO {value.kmo:.3f}（{grade}）；Bartlett 检验 χ²({value.df}) = {value.chi2:.2f}，p = {value.p_value:.3g}；"
    first = Text(f"{en}determinant {value.determinant:.3g}.", f"{zh}行列式 {value.determinant:.3g}。")
    shown = value.table.drop("reason")
    if lang == "zh":
        shown = shown.with_columns(pl.col("grade").replace(GRADES_ZH))
    return lines(first, [shown], value.notes, lang)


def adequacy(data: object, items: object = None, **further: Any) -> Adequacy:  # noqa: ANN401 - those of `correlations`
    """Kaiser-Meyer-Olkin measures of sampling adequacy, Bartlett's test of sphericity and the determinant.

    Parameters:
        data: correlations of `csi.correlations`, a Panel or a frame. items, further: as in `csi.correlations`.

    Returns:
        An `Adequacy`; of a singular matrix values are absent with a reason.

    Raises:
        Problems: what `csi.correlations` raises.

    Source: Kaiser (1970), Psychometrika 35, 401-415; Kaiser & Rice (1974), Educational and Psychological Measurement
        34, 111-117; grades: Kaiser (1974), Psychometrika 39, 31-36; Bartlett (1951), Biometrika 38, 337-344.

    Example:
        >>> x = np.random.default_rng(1).normal(size=(200, 1)) + np.random.default_rng(2).normal(size=(200, 4))
        >>> found = adequacy(pl.DataFrame(x, schema=["a", "b", "c", "d"]), ["a", "b", "c", "d"])
        >>> found.grade, found.df
        ('middling', 6)
    """
    given = correlated(data, items, further)
    p = len(given.names)
    determinant = float(np.linalg.det(given.matrix))
    frame = {"item": list(given.names)}
    if not given.definite:
        blank = pl.Series([None] * p, dtype=pl.Float64)
        columns = {**frame, "kmo": blank, "grade": pl.Series([None] * p, dtype=pl.String)}
        shown = pl.DataFrame({**columns, "reason": [SINGULAR.code] * p})
        return Adequacy(
            shown, None, None, None, p * (p - 1) // 2, None, determinant, given.n, given.kind, SINGULAR, given.notes
        )
    whole, each = kmo(given.matrix)
    chi2 = bartlett(given.matrix, given.n)
    df = p * (p - 1) // 2
    shown = pl.DataFrame({**frame, "kmo": each, "grade": [grade_of(v) for v in each.tolist()], "reason": [None] * p})
    return Adequacy(
        shown.cast({"reason": pl.String}),
        whole,
        grade_of(whole),
        chi2,
        df,
        float(chdtrc(df, chi2)),
        determinant,
        given.n,
        given.kind,
        None,
        given.notes,
    )


def kmo(R: Array) -> tuple[float, Array]:
    """Squared correlations as a share of themselves and the squared partial correlations.

    KMO = sum_(i != j) r_ij^2 / (sum_(i != j) r_ij^2 + sum_(i != j) q_ij^2), q the partial correlations given all other
    items; of an item, over its own row.

    Parameters:
        R: (p, p), positive definite.

    Returns:
        of all items, and (p,) of each.

    Example:
        >>> R = np.full((3, 3), 0.5) + 0.5 * np.eye(3)
        >>> round(kmo(R)[0], 4)
        0.6923
    """
    inverse = np.linalg.inv(R)
    d = np.sqrt(np.diagonal(inverse))
    partial = inverse / np.outer(d, d)
    beside = 1 - np.eye(len(R))
    r, q = (R * R * beside), (partial * partial * beside)
    with np.errstate(invalid="ignore"):
        each = r.sum(axis=1) / (r.sum(axis=1) + q.sum(axis=1))
    return float(r.sum() / (r.sum() + q.sum())), np.asarray(each)


def bartlett(R: Array, n: int) -> float:
    """Bartlett's statistic: -(n - 1 - (2 p + 5) / 6) log|R|, chi-square with p (p - 1) / 2 degrees of freedom.

    Example:
        >>> round(bartlett(np.full((3, 3), 0.5) + 0.5 * np.eye(3), 100), 3)
        67.351
    """
    return float(-(n - 1 - (2 * len(R) + 5) / 6) * np.linalg.slogdet(R)[1])


def grade_of(value: float) -> str:
    """Kaiser's word for a measure of sampling adequacy.

    Example:
        >>> grade_of(0.85), grade_of(0.3)
        ('meritorious', 'unacceptable')
    """
    return next((word for least, word in GRADES if value >= least), "unacceptable")
