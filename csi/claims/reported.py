"""Measurement, index, impact on targets and fit of a fitted card, gathered from the measures that exist."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from csi.errors import Note, Problems, Text, note
from csi.estimate.estimate import Estimate, Solution
from csi.importance.drivers import drivers, largest_gain
from csi.inference.pooled import copies_of
from csi.measures.findings import number
from csi.measures.fit_measures import fit_measures
from csi.measures.predict import predict
from csi.measures.reliability import reliability
from csi.measures.tidy import cells_of, solved_only, tidy, uncertain
from csi.moments.stack import Array, Moments
from csi.tracking.index import Index, index
from csi.tracking.triangulate import own_item_weights

SHOWN = (
    "chi2", "df", "p_value", "cfi", "cfi_robust", "tli", "rmsea", "rmsea_conf_low", "rmsea_conf_high", "rmsea_robust",
    "srmr", "aic", "bic",
)  # fmt: skip
"""Fit measures of covariance models."""
OF_COMPOSITES = ("srmr", "srmr_saturated", "d_uls", "d_g", "nfi")
"""Fit measures of composite models."""
REPETITIONS = 1
"""Divisions into folds behind Q2predict."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Loadings with intervals and weights, reliability, notes."""

    loadings: pl.DataFrame
    reliability: pl.DataFrame
    notes: tuple[Note, ...]


def measured(est: Estimate) -> Measured:
    """How the constructs are measured, those made of constructs as well."""
    solution = est.solution
    labels = pl.DataFrame(
        {
            "construct": [*(solution.constructs[k] for k in solution.block), *(whole for whole, _ in solution.parts)],
            "item": [*solution.items, *(part for _, part in solution.parts)],
        },
        schema={"construct": pl.String, "item": pl.String},
    )

    def quantity(_: Moments, one: Solution) -> Array:
        return _wide(one, one.loadings, one.part_loadings)

    found = uncertain(est, quantity, kept=True)
    numbers = {"loading": quantity(est.moments, solution) if found is None else found.value}
    if found is not None:
        numbers |= {"conf_low": found.conf_low, "conf_high": found.conf_high}
    if solution.weights is not None:
        numbers["weight"] = _wide(solution, solution.weights, solution.part_weights)
    held = reliability(est)
    kept = [c for c in held.table.columns if c not in ("loadings", "alpha_std")]
    frame = tidy(cells_of(est), labels, solved_only(est, numbers))
    return Measured(frame, held.table.select(kept), held.notes)


def _wide(solution: Solution, items: Array, parts: Array | None) -> Array:
    """(b, p + m) values of items, then of parts; NaN where parts have none."""
    none = np.full((len(items), len(solution.parts)), np.nan)
    return np.concatenate([items, none if parts is None else parts], axis=1)


@dataclass(frozen=True, slots=True)
class Scored:
    """Index 0-100, impact on targets in points, what is said of them, notes."""

    index: Index | None
    impact: pl.DataFrame
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...]


def scored(est: Estimate, target: str, told: Callable[[pl.DataFrame], pl.DataFrame]) -> Scored:
    """The index of every construct, and what goes with five points more of each on the target and the last outcomes.

    Parameters:
        told: withholds the numbers of a frame's cells with too few answers.
    """
    notes: list[Note] = []
    made = None
    try:
        covariance = est.solution.weights is None
        given = own_item_weights(est, np.ones_like(est.solution.r2)) if covariance else None
        made = index(est, given=given, level=est.level) if given or not covariance else None
    except Problems as found:
        what = found.problems[0].what
        notes.append(note("N-CARD-INDEX", f"no index: {what.en}", f"未给出指数：{what.zh}"))
    names = est.solution.constructs
    starts = {p.predictor.name for p in est.model.paths}
    last = [n for n in names if n not in starts and est.model.predictors(n)]
    targets = [t for t in dict.fromkeys([target, *last]) if t in names and est.model.predictors(t)]
    runs = [drivers(est, t) for t in targets]
    frames = [r.table.select(pl.lit(r.target).alias("target"), pl.all()) for r in runs]
    keys = [c for c in cells_of(est).columns if c != "n"]
    frames = [f.select(*keys, "target", pl.exclude("target", *keys)) for f in frames]
    impact = told(pl.concat(frames, how="diagonal_relaxed")) if frames else pl.DataFrame()
    made = None if made is None else replace(made, table=told(made.table))
    # whether an effect may be negative is for the card to say
    notes += [n for r in runs for n in r.notes if n.code != "negative_importance"] + [*(made.notes if made else ())]
    return Scored(
        made, impact, _impact_sentences(est, impact, targets[0] if targets else target), tuple(dict.fromkeys(notes))
    )


def _impact_sentences(est: Estimate, impact: pl.DataFrame, target: str) -> tuple[Text, ...]:
    """The driver with the largest gain of the target, in points, cell by cell."""
    if not impact.height or impact["gain"].null_count() == impact.height:
        return ()
    keys = impact.columns[: impact.columns.index("target")]
    known = impact.filter(pl.col("target") == target, pl.col("gain").is_not_null())
    if not known.height:
        return ()
    clear, made = _first_of_all(est, target), []
    for cell, rows in known.group_by(keys, maintain_order=True) if keys else [((), known)]:
        best = rows.sort("gain", descending=True).row(0, named=True)
        place = " ".join(str(k) for k in cell if k)
        span = ""
        if best.get("gain_conf_low") is not None:
            span = f" [{number(best['gain_conf_low'])}, {number(best['gain_conf_high'])}]"
        x, y = best["construct"], target
        gain = f"{number(best['gain'])}{span}"
        en = f"{est.model.label(x)} 5 points higher goes with {gain} points of {est.model.label(y)}"
        zh = f"{est.model.label(x, 'zh')}每高 5 分，{est.model.label(y, 'zh')}相应高 {gain} 分"
        more, more_zh = clear.en, clear.zh
        alone = rows.height == 1
        made.append(
            Text(
                (f"{place}: " if place else "") + en + ("" if alone else more) + ".",
                (f"{place}：" if place else "") + zh + ("" if alone else more_zh) + "。",
            )
        )
    return tuple(made)


def _first_of_all(est: Estimate, target: str) -> Text:
    """Whether the largest gain is clearly larger than every other's, where one cell with replicates can tell."""
    if est.replicates is None or est.values.shape[0] != 1:
        return Text(", the largest among the drivers", "，为各驱动因素中最大")
    if largest_gain(est, target) is None:
        return Text(", the largest among the drivers but not clearly so", "，为各驱动因素中最大，但差别不明确")
    return Text(", more than any other driver", "，高于其他驱动因素")


def fit_table(est: Estimate) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Fit measures, and Q2predict of the outcomes of a composite model fitted from rows.

    Returns:
        (key columns, measure, value, reason), (key columns, construct, q2_predict); the second empty where there is
        nothing to predict.
    """
    composite = est.solution.weights is not None
    table = fit_measures(est).table
    names = OF_COMPOSITES if composite else SHOWN
    kept = table.filter(pl.col("measure").is_in(names))
    if not composite or est.sample is None or copies_of(est) or any(c.product_of for c in est.model.constructs):
        return kept, pl.DataFrame()
    try:
        found = predict(est, repetitions=REPETITIONS).constructs
    except Problems:
        return kept, pl.DataFrame()
    keys = found.columns[: found.columns.index("construct")]
    return kept, found.select(*keys, "construct", "q2_predict", "power")
