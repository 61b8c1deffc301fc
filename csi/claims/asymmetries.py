"""Whether what a construct is made to rise by counts for more below its mean than above it: one slope on each side.

    y = b0 + sum over j of (b_below,j min(x_j - m_j, 0) + b_above,j max(x_j - m_j, 0))

m_j is the mean of x_j in the cell. b_below > b_above is negativity (falling short costs more than excelling earns),
b_above > b_below positivity. Scores are means of items as they were answered. Letters: `n` rows, `k` constructs.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import starmap
from typing import Any

import numpy as np
import polars as pl

from csi.errors import Text
from csi.expectation.regression import Regression, regress
from csi.expectation.scores import answered_mean
from csi.inference.adjust import adjust
from csi.inference.linearised import Design
from csi.measures.findings import number
from csi.models.card import Card
from csi.models.model import Model
from csi.moments.sample import sample_of
from csi.moments.stack import Array
from csi.survey.bases import FLAGGED, SMALL, Bases, told_cells
from csi.survey.keyed import of_cell, stacked
from csi.survey.panel import Panel

LEAST = 10
"""Respondents needed on either side of every mean."""
CLEAR = 0.05
"""An adjusted p-value below this is called a difference."""

PATTERNS = {
    "negativity": Text("negativity", "负向不对称"),
    "positivity": Text("positivity", "正向不对称"),
    "symmetric": Text("no difference seen", "未见差异"),
}
"""Which side counts for more."""

SUFFIXES = (("estimate", ""), ("conf_low", "_low"), ("conf_high", "_high"), ("p_value", "_p"))
CONTRASTS = ("b_below", "b_above", "difference")
NUMBERS = (*(f"{c}{s}" for c in CONTRASTS for _, s in SUFFIXES), "p_adjusted", "r2")
COUNTS = ("n", "n_below", "n_above")
TYPES = dict.fromkeys(COUNTS, pl.Int64) | dict.fromkeys(NUMBERS, pl.Float64) | {"pattern": pl.String}


def asymmetries(
    card: Card,
    items: Mapping[str, tuple[str, ...]],
    panel: Panel,
    *,
    by: tuple[str, ...] = (),
    where: Mapping[str, str] | None = None,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> pl.DataFrame:
    """Slopes of the outcomes that a card's `asymmetry` names, below and above the mean of each construct.

    All constructs of an outcome stand in one regression, over respondents with all scores. Errors follow the design
    (HC2 without one; degrees of freedom are the errors' own); the Wald test of b_below = b_above is adjusted by Holm
    within an outcome.

    Parameters:
        items: of the card's constructs. by: key columns that make cells. where: only these rows. level: of intervals.
        small, flagged: cells of fewer answers are withheld, or marked.

    Returns:
        key columns, outcome, construct, n, n_below, n_above, b_below, b_above, difference (below less above), each
        with _low, _high and _p, p_adjusted (of the difference), r2, pattern ("negativity", "positivity", "symmetric";
        null where a side has fewer than 10 respondents), flag, reason, reason_zh (of few answers). No rows where
        nothing is asked for.

    Source:
        Sirdeshmukh, Singh & Sabol (2002), J. of Marketing 66(1), 15-37 (asymmetric effects of trustworthiness);
        Bell & McCaffrey (2002), Survey Methodology 28(2) (errors); Holm (1979).
    """
    frames = []
    for outcome, of in card.asymmetry.items():
        parts = [name for name in of if items.get(name)]
        if not items.get(outcome) or not parts:
            continue
        names = (outcome, *parts)
        sample = sample_of(panel, [i for name in names for i in items[name]], list(by), missing="pairwise", where=where)
        each = []
        for cell in range(sample.cells.height):
            rows = np.flatnonzero(sample.cell == cell)
            X = np.column_stack(_scores(sample.rows[rows], [len(items[name]) for name in names]))
            whole = np.isfinite(X).all(axis=1)
            plan = Design.of(sample, rows[whole])
            mean = plan[0] @ X[whole] / plan[0].sum() if whole.any() else X[:0].sum(axis=0)
            found = _slopes(X[whole][:, 0], X[whole][:, 1:] - mean[1:], plan, level)
            each.append(_frame(outcome, parts, found))
        frames.append(stacked(sample.cells.drop("n"), each))
    return Bases(small, flagged).withheld(pl.concat(frames)) if frames else pl.DataFrame()


def _scores(rows: Array, sizes: list[int]) -> list[Array]:
    """(n,) mean of the answered items of each block, block after block."""
    ends = np.cumsum(sizes)
    return [answered_mean(rows[:, end - size : end]) for end, size in zip(ends, sizes, strict=True)]


def _slopes(y: Array, d: Array, plan: Design, level: float) -> list[dict[str, float | int | None]]:
    """A row of numbers for each column of d (n, k); null where a side is too thin."""
    k = d.shape[1]
    sides = [(int((x < 0).sum()), int((x > 0).sum())) for x in d.T]
    rows: list[dict[str, float | int | None]] = [
        {"n": len(y), "n_below": below, "n_above": above, **dict.fromkeys(NUMBERS)} for below, above in sides
    ]
    if min(min(pair) for pair in sides) < LEAST:
        return rows
    X = np.column_stack([np.ones(len(y)), np.minimum(d, 0.0), np.maximum(d, 0.0)])
    fitted = regress(X, y, *plan)
    if fitted is None:
        return rows
    for j, row in enumerate(rows):
        row.update(_told(fitted, j, k, level))
    adjusted = adjust(np.array([np.nan if r["difference_p"] is None else r["difference_p"] for r in rows]), "holm")
    for row, p in zip(rows, adjusted, strict=True):
        row["p_adjusted"] = float(p) if np.isfinite(p) else None
    return rows


def _told(fitted: Regression, j: int, k: int, level: float) -> dict[str, float | None]:
    """Both slopes of construct j and their difference."""
    L = np.zeros((3, 2 * k + 1))
    L[0, 1 + j] = L[1, 1 + k + j] = L[2, 1 + j] = 1.0
    L[2, 1 + k + j] = -1.0
    found = fitted.combined(L, level)
    out = {
        f"{name}{suffix}": float(found[column][at]) if np.isfinite(found[column][at]) else None
        for at, name in enumerate(CONTRASTS)
        for column, suffix in SUFFIXES
    }
    return out | {"r2": fitted.r2}


def pattern(difference: float | None, p: float | None) -> str | None:
    """Which side counts for more.

    Example:
        >>> pattern(0.3, 0.01), pattern(-0.3, 0.01), pattern(0.3, 0.2), pattern(None, None)
        ('negativity', 'positivity', 'symmetric', None)
    """
    if difference is None or p is None:
        return None
    if p >= CLEAR:
        return "symmetric"
    return "negativity" if difference > 0 else "positivity"


def _frame(outcome: str, parts: list[str], rows: list[dict[str, float | int | None]]) -> pl.DataFrame:
    """The rows of one outcome in one cell."""
    shapes = starmap(pattern, [(r["difference"], r["p_adjusted"]) for r in rows])
    told = [
        {"outcome": outcome, "construct": name, **row, "pattern": shape}
        for name, row, shape in zip(parts, rows, shapes, strict=True)
    ]
    schema = {"outcome": pl.String, "construct": pl.String, **TYPES}
    return pl.DataFrame(told, schema=schema)


def asymmetry_sentences(table: pl.DataFrame, model: Model) -> tuple[Text, ...]:
    """What counts for more on one side, outcome by outcome; or that no difference is seen."""
    if not table.height:
        return ()
    keys = table.columns[: table.columns.index("outcome")]
    made: list[Text] = []
    for cell, rows in told_cells(table, [*keys, "outcome"]):
        outcome = str(cell.pop("outcome"))
        y, y_zh, en, zh = model.label(outcome), model.label(outcome, "zh"), "", ""
        known = rows.filter(pl.col("pattern").is_not_null())
        if not known.height:
            en += f"for {y} the slopes below and above the mean could not be told apart: a side has too few respondents"
            zh += f"{y_zh}：无法区分均值以下与以上的斜率，一侧受访者过少"
        apart = known.filter(pl.col("pattern") != "symmetric")
        if known.height and not apart.height:
            en += f"for {y} falling short counts no differently from excelling, as far as these data show"
            zh += f"对{y_zh}而言，低于均值与高于均值的作用未见差异"
        if apart.height:
            told = [_one(row, model) for row in apart.iter_rows(named=True)]
            en += f"for {y}, {'; '.join(t.en for t in told)}"
            zh += f"对{y_zh}而言，{'；'.join(t.zh for t in told)}"
        made += of_cell(cell, [Text(f"{en if cell else en[:1].upper() + en[1:]}.", f"{zh}。")])
    return tuple(made)


def _one(row: Mapping[str, Any], model: Model) -> Text:
    """One construct whose sides differ."""
    x, x_zh = model.label(str(row["construct"])), model.label(str(row["construct"]), "zh")
    below, above = number(row["b_below"]), number(row["b_above"])
    if row["pattern"] == "negativity":
        en = f"a lack of {x} costs more than a lead earns (slope {below} below its mean, {above} above)"
        return Text(en, f"{x_zh}不足的损失大于出色的收益（均值以下斜率 {below}，以上 {above}）")
    en = f"a lead in {x} earns more than a lack costs (slope {above} above its mean, {below} below)"
    return Text(en, f"{x_zh}出色的收益大于不足的损失（均值以上斜率 {above}，以下 {below}）")
