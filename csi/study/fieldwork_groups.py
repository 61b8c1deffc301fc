"""What differs between interviewers and between modes: associated with them, not caused by them.

Letters: `n` rows, `k` interviewers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from scipy.special import fdtri

from csi.errors import Text
from csi.moments.stack import Array, Ints, Sample
from csi.study.weighing import Weighing, cell_of
from csi.survey.disclosure import apart, below
from csi.survey.panel import Panel
from csi.survey.ruled_columns import INTERVIEWER, MODE
from csi.tracking.row_effects import moves, together

INTERVIEWED = {
    "n": pl.Int64, "interviewers": pl.Int64, "icc": pl.Float64, "conf_low": pl.Float64, "conf_high": pl.Float64,
    "design_effect": pl.Float64, "deff_low": pl.Float64, "deff_high": pl.Float64, "reason": pl.String,
    "reason_zh": pl.String,
}  # fmt: skip
MODES = {
    "mode": pl.String, "against": pl.String, "n": pl.Int64, "index": pl.Float64, "difference": pl.Float64,
    "std_error": pl.Float64, "conf_low": pl.Float64, "conf_high": pl.Float64, "reason": pl.String,
    "reason_zh": pl.String,
}  # fmt: skip


def icc(scores: Array, group: Ints, level: float, lost: int = 0) -> tuple[float, float, float, float]:
    """The share of variance between groups, its limits, and the mean size n0 behind it.

    rho = (MSB - MSW) / (MSB + (n0 - 1) MSW),  n0 = (n - sum n_g^2 / n) / (k - 1),
    limits (F / F_q - 1) / (F / F_q + n0 - 1): exact for equal groups, approximate for others.

    Parameters:
        scores: (n,). group: (n,) code. level: of the limits. lost: degrees of freedom spent before (cells centred).

    Source: Searle (1971), Linear Models, 9.5; Shrout & Fleiss (1979), Psychological Bulletin 86:420-428, ICC(1,1).

    Example:
        >>> ratings = np.array([9, 2, 5, 8, 6, 1, 3, 2, 8, 4, 6, 8, 7, 1, 2, 6, 10, 5, 6, 9, 6, 2, 4, 7], dtype=float)
        >>> [round(v, 2) for v in icc(ratings, np.repeat(np.arange(6), 4), 0.95)]
        [0.17, -0.13, 0.72, 4.0]
    """
    sizes = np.bincount(group).astype(np.float64)
    sizes_seen = sizes[sizes > 0]
    n, k = scores.size, sizes_seen.size
    within = n - k - lost
    if k < 2 or within < 1:
        return np.nan, np.nan, np.nan, np.nan
    means = np.bincount(group, scores) / np.where(sizes > 0, sizes, 1.0)
    msb = (sizes * (means - scores.mean()) ** 2).sum() / (k - 1)
    msw = ((scores - means[group]) ** 2).sum() / within
    n0 = (n - (sizes_seen**2).sum() / n) / (k - 1)
    if not msw > 0:
        return np.nan, np.nan, np.nan, n0
    f, tail = msb / msw, (1 - level) / 2
    low, high = (f / fdtri(k - 1, within, q) for q in (1 - tail, tail))
    return (
        float((f - 1) / (f + n0 - 1)),
        float((low - 1) / (low + n0 - 1)),
        float((high - 1) / (high + n0 - 1)),
        float(n0),
    )


def interviewer_table(panel: Panel, sample: Sample | None, how: Weighing, small: int, level: float) -> pl.DataFrame:
    """A line per wave: the share of variance of the target's scores between interviewers, within brands, and the design
    effect 1 + (m - 1) rho of a mean, m = sum n_g^2 / n.

    Source: Kish (1962), Journal of the American Statistical Association 57:92-115.
    """
    waves = ["wave"] if "wave" in panel.frame.columns else []
    schema: dict[str, Any] = {**dict.fromkeys(waves, pl.String), **INTERVIEWED}
    if sample is None or INTERVIEWER not in panel.frame.columns or sample.place is None:
        return pl.DataFrame(schema=schema)
    own, known = _scores(sample, how)
    who = panel.frame[INTERVIEWER].cast(pl.String)[sample.place.tolist()]
    known &= who.is_not_null().to_numpy()
    wave = sample.cells["wave"].to_numpy()[sample.cell] if waves else np.zeros(len(own), dtype=np.int64)
    lines = []
    for value in dict.fromkeys(wave.tolist()):
        rows = known & (wave == value)
        found = _between(own[rows], who.filter(pl.Series(rows)), sample.cell[rows], small, level)
        lines.append((*([value] if waves else []), *found))
    return pl.DataFrame(lines, schema, orient="row")


def _between(scores: Array, who: pl.Series, cell: Ints, small: int, level: float) -> tuple[object, ...]:
    """The columns of `INTERVIEWED` for one wave."""
    n, k = scores.size, who.n_unique() if len(who) else 0
    if n < small or k < 2:
        why = below(n, small) if n < small else Text("there are not two interviewers", "访问员不足两位")
        return (n, k, *(None,) * 6, why.en, why.zh)
    _, of = np.unique(cell, return_inverse=True)
    centred = scores - (np.bincount(of, scores) / np.bincount(of))[of]
    group = who.rank("dense").to_numpy().astype(np.int64) - 1
    rho, low, high, _ = icc(centred, group, level, int(of.max()))
    m = float((np.bincount(group) ** 2).sum() / n)
    told = [v if np.isfinite(v) else None for v in (rho, low, high)]
    deff = [None if v is None else 1 + (m - 1) * v for v in told]
    return (n, k, *told, *deff, None, None)


def mode_table(panel: Panel, sample: Sample | None, how: Weighing, small: int, level: float) -> pl.DataFrame:
    """A line per cell and mode: the index of those who answered by it, and its difference from the most frequent mode's
    with a linearised standard error. Respondents chose, or were given, a mode: what differs is associated with it.
    A mode with too few answers has a line with the reason why its index is not told.
    """
    keys = [k for k in ("brand", "wave") if k in panel.frame.columns]
    schema: dict[str, Any] = {**dict.fromkeys(keys, pl.String), **MODES}
    if sample is None or MODE not in panel.frame.columns:
        return pl.DataFrame(schema=schema)
    every = panel.frame[MODE].cast(pl.String)
    lines: list[tuple[object, ...]] = []
    for number, key in enumerate(sample.cells.drop("n").iter_rows(named=True)):
        found = cell_of(sample, number, how, key)
        if found is None:
            continue
        cell, place = found
        mode = every[place.tolist()].fill_null("")
        counts = mode.value_counts(sort=True).sort("count", mode.name, descending=[True, False])
        sizes = counts["count"].to_numpy().astype(np.int64)
        told = [m for m, ok in zip(counts[mode.name], apart(sizes, small), strict=True) if ok and m]
        told = told if len(cell.x) >= small else []
        for m, n in zip(counts[mode.name], sizes.tolist(), strict=True):
            if m and m not in told:
                why = below(n, small) if n < small else withheld(small)
                lines.append((*key.values(), m, None, n, *(None,) * 5, why.en, why.zh))
        if not told:
            continue
        rows = {m: (mode == m).to_numpy() for m in told}
        for name, move in zip(told, moves(cell, [(rows[told[0]], rows[m]) for m in told]), strict=True):
            first = name == told[0] or not np.isfinite(move.std_error)
            tested = (None,) * 4 if first else (move.effect, move.std_error, *move.interval(level))
            lines.append((*key.values(), name, told[0], int(rows[name].sum()), move.without, *tested, None, None))
    return pl.DataFrame(lines, schema, orient="row")


def withheld(small: int) -> Text:
    """Why a mode with enough answers is not told: the rest of its cell would be."""
    en = f"withheld: beside the cell's index it would tell of fewer than {small} answers."
    return Text(en, f"不予发布：与该单元的指数相减可得出不足 {small} 份答卷的数值。")


def _scores(sample: Sample, how: Weighing) -> tuple[Array, np.ndarray]:
    """(n,) each row's score on the target, and whether it has one."""
    own = np.full(len(sample.rows), np.nan)
    for number, key in enumerate(sample.cells.drop("n").iter_rows(named=True)):
        found = cell_of(sample, number, how, key)
        if found is not None:
            rows = sample.cell == number
            own[rows] = together(found[0], np.ones(int(rows.sum()), dtype=bool))
    return own, np.isfinite(own)
