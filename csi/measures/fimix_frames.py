"""From mixtures of regressions to tidy frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import polars as pl

from csi.errors import Text, reason
from csi.measures.mixture import Mixture, Regressions
from csi.measures.segment_criteria import CRITERIA, criteria, entropy_criterion, non_fuzzy, normed_entropy

INTERCEPT: Final = "(intercept)"
EMPTIES = reason(
    "segment_empties",
    "from every start a segment lost its rows or fitted a few of them exactly.",
    "从每个起点出发，都有细分失去样本行，或把少数几行完全拟合。",
)
HEADINGS: Final = {
    "segments": Text("segments", "细分个数"),
    "segment": Text("segment", "细分"),
    "loglik": Text("lnL", "对数似然"),
    "parameters": Text("parameters", "参数个数"),
    "en": Text("EN", "EN"),
    "nfi": Text("NFI", "NFI"),
    "nec": Text("NEC", "NEC"),
    "smallest": Text("smallest", "最小占比"),
    "smallest_n": Text("its rows", "其行数"),
    "share": Text("share", "占比"),
    "n": Text("rows", "行数"),
    "outcome": Text("outcome", "结果变量"),
    "predictor": Text("predictor", "预测变量"),
    "estimate": Text("estimate", "估计值"),
    "objective": Text("weighted R2", "加权 R²"),
    "reason": Text("reason", "原因"),
    **{c: Text(c.upper(), c.upper()) for c in CRITERIA},
}


def largest_first(found: Mixture) -> Mixture:
    """The best start, its segments from the largest."""
    best = found.of([0])
    order = np.argsort(-best.share[0], kind="stable")
    return Mixture(
        best.loglik,
        best.share[:, order],
        tuple(b[:, order] for b in best.beta),
        best.psi[:, order],
        best.posterior[:, :, order],
        best.alive,
        best.rounds,
        best.converged,
    )


def criteria_frame(
    numbers: Sequence[int], best: Mapping[int, Mixture], design: Regressions, one: float
) -> pl.DataFrame:
    """One row per number of segments.

    Parameters:
        one: log-likelihood of the model without segments.
    """
    rows = [_row(k, best[k], design, one) if k in best else {"segments": k, "reason": EMPTIES.code} for k in numbers]
    real = dict.fromkeys(("loglik", *CRITERIA, "en", "nfi", "nec", "smallest"), pl.Float64)
    ends = {"smallest_n": pl.Int64, "reason": pl.String}
    return pl.DataFrame(rows, schema={"segments": pl.Int64, "parameters": pl.Int64, **real, **ends})


def _row(k: int, found: Mixture, design: Regressions, one: float) -> dict[str, object]:
    P, w, loglik = found.posterior[0], design.w, float(found.loglik[0])
    parameters = k - 1 + k * design.parameters
    told: dict[str, object] = {"segments": k, "loglik": loglik, "parameters": parameters}
    told |= criteria(loglik, parameters, float(w.sum()))
    if k > 1:
        told |= {"en": normed_entropy(P, w), "nfi": non_fuzzy(P, w), "nec": entropy_criterion(P, w, loglik, one)}
    else:
        told |= {"nec": 1.0}
    return told | {"smallest": float(found.share[0].min()), "smallest_n": int(_counts(P).min())}


def _counts(posterior: np.ndarray) -> np.ndarray:
    """Rows whose likeliest segment each is."""
    return np.bincount(posterior.argmax(axis=1), minlength=posterior.shape[1])


def sizes_frame(k: int, found: Mixture) -> pl.DataFrame:
    """Share and rows of every segment."""
    counts = _counts(found.posterior[0]).tolist()
    numbers = range(1, k + 1)
    return pl.DataFrame({"segments": [k] * k, "segment": numbers, "share": found.share[0].tolist(), "n": counts})


def paths_frame(k: int, found: Mixture, terms: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """Slopes of every outcome in every segment.

    Parameters:
        terms: outcome -> its regressors, in the order of the design.
    """
    rows = [
        (k, s + 1, y, x, float(found.beta[m][0, s, j]))
        for m, (y, xs) in enumerate(terms.items())
        for j, x in enumerate(xs)
        for s in range(k)
    ]
    return pl.DataFrame(rows, schema=["segments", "segment", "outcome", "predictor", "estimate"], orient="row")


def r2_frame(k: int, found: Mixture, terms: Mapping[str, Sequence[str]], design: Regressions) -> pl.DataFrame:
    """Share of each outcome's variance that a segment's regression explains: about its mean where the regression has an
    intercept, else about zero.
    """
    rows = []
    for m, (y, xs) in enumerate(terms.items()):
        W = found.posterior[0] * design.w[:, None]
        mean = (W * design.y[:, [m]]).sum(axis=0) / W.sum(axis=0) if INTERCEPT in xs else np.zeros(k)
        total = (W * (design.y[:, [m]] - mean) ** 2).sum(axis=0) / W.sum(axis=0)
        psi = found.psi[0, :, m]
        rows += [(k, s + 1, y, float(1 - psi[s] / total[s]), float(psi[s])) for s in range(k)]
    return pl.DataFrame(rows, schema=["segments", "segment", "outcome", "r2", "error_variance"], orient="row")
