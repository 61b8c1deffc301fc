"""`omega(est)`: how reliable the sums of a fitted model's items are, by the model's own factors.

Letters: `b` slices, `B` replicates, `k` free parameters, `c` coefficients.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from csi.display import Shown, table, text
from csi.errors import Note, Reason, Text, note, reason
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_estimate
from csi.measures.consistency import words
from csi.measures.consistency.fitted_factors import (
    Parts,
    Sum,
    categorical_of,
    is_categorical,
    observed_of,
    parts_of,
    proper,
    sums_of,
    value_of,
)
from csi.measures.consistency.intervals import Bounds, Limits, by_draws, by_error
from csi.measures.consistency.model_errors import Asked, by_delta, by_replicates
from csi.measures.reliability import NOT_COMPUTABLE, SINGLE
from csi.measures.shown import told
from csi.measures.tidy import cells_of, said_once, unsolved
from csi.moments.stack import Array
from csi.moments.two_step import Flags
from csi.sem.fitted import Fitted, fitted

REPLICATES = reason(
    "needs_replicates",
    "over the observed variance an interval takes replicates (csi.bootstrap); the model's errors do not know it.",
    "以观测方差为分母时，区间需要重抽样（csi.bootstrap）；模型的标准误不含这部分。",
)
CATEGORY: Final = {
    "own": "omega_total",
    "general": "omega_hierarchical",
    "all": "omega_total",
    "higher": "omega_higher",
    "partial": "omega_partial",
    "maximal": "maximal",
}
MODELS: Final = {
    "correlated factors": Text("correlated factors", "相关因子"),
    "bifactor": Text("bifactor", "双因子"),
    "higher order": Text("higher order", "高阶"),
}


@dataclass(frozen=True, slots=True, repr=False)
class Omega(Shown):
    """Reliability of sums of items by the factors of a fitted model.

    Attributes:
        table: the cell's key columns, group (of several), construct ("" of all items together), coefficient
            ("omega_total"; "omega_subscale": a group factor of a bifactor model alone; "omega_hierarchical": a general
            factor; "omega_higher": a higher-order factor's share of the sum of its factors; "omega_partial": of all
            items with the other factors taken out; "omega_categorical": of the sum of ordinal answers themselves;
            "maximal": the best weighted sum), estimate, std_error, conf_low, conf_high, interval, model, denominator,
            n_items, reason.
        reasons, level, notes.
    """

    table: pl.DataFrame
    reasons: Mapping[str, Reason]
    level: float
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Omega, lang: str = "en") -> str:
    """Coefficients, why they are absent, notes."""
    every = Text("(all items)", "（全部题项）").say(lang)
    shown = value.table.drop("n_items").with_columns(pl.col("construct").replace({"": every}))
    known = (
        ("coefficient", words.COEFFICIENTS),
        ("model", MODELS),
        ("denominator", words.DENOMINATORS),
        ("interval", words.INTERVALS),
    )
    shown = shown.with_columns(
        pl.Series(name, [words.say(texts, w, lang) for w in shown[name]], dtype=pl.String) for name, texts in known
    )
    shown = shown.select(c for c in shown.columns if shown[c].null_count() < shown.height)
    lines = [Text("Reliability by the model's factors", "按模型因子的信度").say(lang)]
    lines.append(table(shown, headings={c: t.say(lang) for c, t in words.HEADINGS.items()}))
    return "\n".join([*lines, *told(value.reasons.values(), value.notes, lang)])


def omega(est: Estimate) -> Omega:
    """Omega of every factor of a fitted model, and of all items together where one factor is general.

    omega = variance of the sum that the factor makes / variance of the sum, observed or implied by the model. A factor
    whose items hold those of another that it does not correlate with is general (bifactor); one above other factors is
    of higher order. Of ordinal items the sum of the answers themselves (Green and Yang) stands beside that of the
    responses behind. Intervals are by the estimate's replicates, else by the delta method.

    Parameters:
        est: a fit by `csi.SEM`; after `csi.bootstrap` intervals are of its replicates.

    Returns:
        An `Omega`.

    Raises:
        Problems: the estimate is not of `csi.SEM`.

    Source:
        McDonald (1999), Test theory; Zinbarg, Revelle, Yovel & Li (2005), Psychometrika 70(1); Green & Yang (2009),
        Psychometrika 74(1); Jorgensen et al., semTools. Agrees with semTools 0.5-6 (compRelSEM, reliabilityL2,
        maximalRelia) to 2e-6.

    Example:
        >>> import csi
        >>> cov = [[1.0, 0.5, 0.5], [0.5, 1.0, 0.4], [0.5, 0.4, 1.0]]
        >>> est = csi.fit(csi.Model.parse("f =~ a + b + c"), csi.Moments.of("abc", cov, n=300), csi.SEM())
        >>> csi.omega(est).table.select("coefficient", "denominator", pl.col("estimate").round(3)).rows()[:2]
        [('omega_total', 'implied', 0.728), ('omega_total', 'observed', 0.728)]
    """
    check_estimate(est)
    fit = fitted(est)
    sums = sums_of(fit)
    at = [parts_of(fit, g, fit.flats[g], fit.theta) for g in range(len(fit.groups))]
    seen = [observed_of(fit, g) for g in range(len(fit.groups))]
    asked = [(of, way, cat) for of in sums for way in _ways(of) for cat in _forms(of, fit)]
    each = [_values(a, fit, at[a[0].group], seen[a[0].group]) for a in asked]
    values = np.stack(each, axis=1) if each else np.zeros((len(fit.theta), 0))
    bounds = _bounds(est, fit, asked, values, at)
    frame, reasons = _table(est, fit, asked, values, bounds)
    return Omega(frame, reasons, est.level, (*_improper(sums, at), *_notes(est, fit)))


def _ways(of: Sum) -> tuple[str, ...]:
    return ("implied",) if of.kind in {"higher", "partial"} else ("implied", "observed")


def _forms(of: Sum, fit: Fitted) -> tuple[bool, ...]:
    """Whether a coefficient is of the ordinal answers themselves."""
    return (False, True) if is_categorical(of, fit) else (False,)


def _values(asked: Asked, fit: Fitted, at: Parts, seen: Array) -> Array:
    """(b,) one coefficient."""
    of, way, cat = asked
    whole = at.Sigma if way == "implied" else seen
    if not cat:
        return value_of(of, at, whole)
    good: Flags = np.asarray(np.isfinite(at.Sigma).all(axis=(1, 2)))
    return np.array([categorical_of(of, fit, at, whole, s).value if good[s] else np.nan for s in range(len(good))])


def _bounds(
    est: Estimate, fit: Fitted, asked: Sequence[Asked], values: Array, at: Sequence[Parts]
) -> dict[tuple[int, int], Bounds]:
    """(slice, coefficient) -> standard error and limits, by replicates where there are any, else the delta method."""
    found: dict[tuple[int, int], Bounds] = {}
    errors = by_delta(fit, asked, at)
    draws = by_replicates(est, fit, asked)
    limits: Limits = "percentile" if est.interval == "percentile" else "logit"
    for s, c in np.ndindex(*values.shape):
        value = float(values[s, c])
        if draws is not None and not asked[c][2]:
            own = draws[:, s, c]
            found[s, c] = by_draws(value, own, est.level, limits) if np.isfinite(own).sum() > 1 else Bounds()
        else:
            found[s, c] = by_error(value, float(errors[s, c]), est.level, "delta")
    return found


def _table(
    est: Estimate,
    fit: Fitted,
    asked: Sequence[Asked],
    values: Array,
    bounds: Mapping[tuple[int, int], Bounds],
) -> tuple[pl.DataFrame, dict[str, Reason]]:
    """One row per cell and coefficient, and the reasons that rows name."""
    cells, failed = cells_of(est), unsolved(est)
    keys = [c for c in cells.columns if c != "n"]
    grouped = len(fit.groups) > 1
    rows, said = [], []
    for s in range(cells.height):
        for c, (of, way, cat) in enumerate(asked):
            value = float(values[s, c])
            why = failed[s] or (SINGLE if of.kind == "own" and of.items.size < 2 else None)
            why = why or (None if np.isfinite(value) else NOT_COMPUTABLE)
            limits = Bounds() if why else bounds[s, c]
            if why is None and limits.interval is None and way == "observed":
                why = REPLICATES
            said.append(why)
            known = value if why in (None, REPLICATES) else None
            place = (*(cells[k][s] for k in keys), *([fit.groups[of.group].name] if grouped else []))
            code = None if why is None else why.code
            rows.append((*place, of.construct, _named(of, cat), known, *limits, of.model, way, of.items.size, code))
    schema = {k: cells.schema[k] for k in keys} | ({"group": pl.String} if grouped else {}) | _SCHEMA
    return pl.DataFrame(rows, schema=schema, orient="row"), said_once(said)


_SCHEMA: Final = {
    "construct": pl.String,
    "coefficient": pl.String,
    **dict.fromkeys(("estimate", "std_error", "conf_low", "conf_high"), pl.Float64),
    **dict.fromkeys(("interval", "model", "denominator"), pl.String),
    "n_items": pl.Int64,
    "reason": pl.String,
}


def _named(of: Sum, cat: bool) -> str:
    """What a coefficient is called."""
    if cat:
        return "omega_categorical"
    return "omega_subscale" if of.kind == "own" and of.model == "bifactor" else CATEGORY[of.kind]


def _improper(sums: Sequence[Sum], at: Sequence[Parts]) -> Iterator[Note]:
    """Sums with a negative error variance, or a factor of negative variance."""
    wrong = [of for of in sums if of.construct and of.kind != "higher" and not proper(of, at[of.group]).all()]
    names = list(dict.fromkeys(of.construct for of in wrong))
    if names:
        en = f"{', '.join(names)}: the error variance of an item, or the factor's own variance, is negative (a Heywood "
        en += "case); the omegas of the construct mean little."
        zh = f"{'、'.join(names)}：有题项的误差方差或因子自身的方差为负（Heywood 情形），该构念的 ω 系数意义不大。"
        yield note("W-HEYWOOD", en, zh)


def _notes(est: Estimate, fit: Fitted) -> Iterator[Note]:
    if est.replicates is None:
        en = "intervals by the delta method from the model's errors; csi.bootstrap(est) gives those of resamples."
        yield note("N-OMEGA-DELTA", en, "区间由模型标准误按 delta 法得到；csi.bootstrap(est) 可给出重抽样区间。")
    if fit.layout.table.rules.ordered:
        en = "omega of ordinal items is of the responses behind; the sum of the answers has the categorical omega."
        yield note("N-OMEGA-ORDINAL", en, "有序题项的 ω 描述潜在反应；答卷总分请看分类 ω。")
