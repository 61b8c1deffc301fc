"""What stands behind dimensions of service quality: how consistently they are answered, what they foretell, how many.

Letters: `n` rows, `d` dimensions, `k` attributes.

Source:
    Cronin & Taylor (1992), J. of Marketing 56(3), 55-68 (P alone against gaps); Parasuraman, Berry & Zeithaml (1991),
    J. of Retailing 67(4), 420-450 (dimensions that are hardly apart); McDonald (1999), Test theory (omega).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.errors import Problems, reason
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit
from csi.expectation.forms import Matched
from csi.expectation.regression import regress
from csi.expectation.scores import Scores, finite
from csi.inference.draws import quantile
from csi.inference.linearised import Design
from csi.inference.resample import drawn_weights
from csi.measures.fit_measures import fit_measures
from csi.measures.nested import lrt
from csi.measures.reliability import alpha
from csi.measures.validity import htmt
from csi.moments.stack import Array, Moments, Sample
from csi.sem.estimator import SEM
from csi.survey.bases import Bases
from csi.survey.codebook import Form
from csi.survey.panel import Panel

FORM_TYPES: Final = {"reason": pl.String} | dict.fromkeys(
    ("chi2", "df", "p_value", "cfi", "tli", "rmsea", "srmr", "bic", "chi2_diff", "df_diff", "p_diff"), pl.Float64
)
MEASURED: Final = {
    "chi2": "chi2_scaled", "df": "df", "p_value": "p_value_scaled", "cfi": "cfi_robust", "tli": "tli_robust",
    "rmsea": "rmsea_robust", "srmr": "srmr", "bic": "bic",
}  # fmt: skip
IMPROPER: Final = reason(
    "improper_factors",
    "the solution has a negative variance: read its fit, not its parameters.",
    "该解含负方差：可看拟合，不宜解读参数。",
)
"""Said of fits that are told all the same."""
FEW: Final = reason(
    "few_for_factors",
    "fewer than 5 respondents per item in this cell: no factor models.",
    "该单元每个题项不足 5 名受访者：不拟合因子模型。",
)
"""Said of the cells of several that are too small for the models."""
PER_ITEM: Final = 5
"""Respondents per item from which a cell of several has factor models (Bentler & Chou 1987)."""
ONE_SIDED: Final = 0.95


Asked = Form | Literal[""]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Structure:
    """Frames of factor models and of HTMT, see `Servqual`; empty where they were not asked for."""

    fits: pl.DataFrame = field(default_factory=pl.DataFrame)
    htmt: pl.DataFrame = field(default_factory=pl.DataFrame)


def predictive(scores: Scores, form: Asked, y: Array, plan: Design) -> pl.DataFrame:
    """An outcome on perceptions, on gaps, and on both forms side by side, dimension by dimension.

    Parameters:
        form: of the expectations; "" gives perceptions alone. y: (n,). plan: weights, units of rows, strata of units.
    """
    d = scores.of("dimension")
    P = scores.values["P"][:, d]
    E = scores.values[form][:, d] if form else np.zeros_like(P)
    seen = np.isfinite(P).all(axis=1) & np.isfinite(E).all(axis=1) & np.isfinite(y)
    P, E, y, one = P[seen], E[seen], y[seen], np.ones((int(seen.sum()), 1))
    own = plan.at(seen)
    q = len(d)
    sets = {"perceived": P, "gap": P - E, "both": np.column_stack([P, E])} if form else {"perceived": P}
    whole = regress(np.column_stack([one, sets["both"]]), y, *own) if form else None
    none = np.zeros((q, 1))
    claims = {
        "perceived": np.hstack([none, np.zeros((q, q)), np.eye(q)]),
        "gap": np.hstack([none, np.eye(q), np.eye(q)]),
    }
    rows = []
    for name, X in sets.items():
        found = regress(np.column_stack([one, X]), y, *own)
        row: dict[str, object] = {"model": name, "n": len(y), "predictors": X.shape[1]}
        row |= (
            {"r2": None, "r2_adjusted": None} if found is None else {"r2": found.r2, "r2_adjusted": found.r2_adjusted}
        )
        if whole is not None and name in claims:
            f, restrictions, df, p = whole.wald(claims[name])
            plain = whole.wald(claims[name], "classical")
            row |= {"restrictions": int(restrictions), "df": df, "f": f, "p_value": p}
            row |= {"f_classical": plain[0], "p_classical": plain[3]}
        rows.append(row)
    return pl.DataFrame(rows, schema=PREDICTIVE).with_columns(pl.col(pl.Float64).fill_nan(None))


PREDICTIVE: Final = {
    "model": pl.String, "n": pl.Int64, "predictors": pl.Int64, "r2": pl.Float64, "r2_adjusted": pl.Float64,
    "restrictions": pl.Int64, "df": pl.Float64, "f": pl.Float64, "p_value": pl.Float64, "f_classical": pl.Float64,
    "p_classical": pl.Float64,
}  # fmt: skip


def forms_of(pairs: Matched, form: Asked, sample: Sample) -> dict[str, Array]:
    """Form ("P", "E", "G") -> (n, k) answers of complete pairs."""
    k = len(pairs.attributes)
    P = sample.rows[:, :k]
    if not form:
        return {"P": P}
    E = sample.rows[:, k : 2 * k]
    both = np.isfinite(P) & np.isfinite(E)
    P, E = np.where(both, P, np.nan), np.where(both, E, np.nan)
    return {"P": P, "E": E, "G": P - E}


def reliabilities(pairs: Matched, form: Asked, sample: Sample, own: Flags) -> pl.DataFrame:
    """Alpha and omega of every dimension and of all attributes, of complete rows of a cell.

    Parameters:
        own: (n,) the rows of the cell.
    """
    member = {d: [j for j, own in enumerate(pairs.dimension) if own == d] for d in pairs.dimensions}
    if len(member) > 1:
        member["overall"] = list(range(len(pairs.attributes)))
    rows = []
    for name, answers in forms_of(pairs, form, sample).items():
        for dimension, at in member.items():
            x = answers[:, at]
            whole = own & np.isfinite(x).all(axis=1)
            numbers = _consistency(x[whole], sample.weight[whole], with_omega=dimension != "overall")
            rows.append({"form": name, "dimension": dimension, "n": int(whole.sum()), "n_items": len(at), **numbers})
    return pl.DataFrame(rows, schema_overrides={"alpha": pl.Float64, "omega": pl.Float64})


def _consistency(x: Array, weight: Array, *, with_omega: bool) -> dict[str, float | None]:
    """Alpha and omega of one block; null where they cannot be had."""
    n, k = x.shape
    if n < k + 2 or k < 2 or (np.ptp(x, axis=0) == 0).any():
        return {"alpha": None, "omega": None}
    S = np.cov(x.T, aweights=weight)
    value = float(alpha(S, np.ones((k, 1)))[0])
    return {"alpha": value, "omega": omega(S, n) if with_omega and k > 2 else None}


def omega(S: Array, n: int) -> float | None:
    """McDonald's omega of one factor: (sum l)^2 / ((sum l)^2 + sum of residual variances); the implied denominator.

    Parameters:
        S: (k, k) covariances. n: rows.

    Returns:
        None where the factor cannot be fitted or a residual variance is negative.

    Example:
        >>> l = np.array([0.8, 0.7, 0.6])
        >>> round(omega(np.outer(l, l) + np.diag(1 - l**2), 300), 4)
        0.7449
    """
    names = [f"x{j}" for j in range(len(S))]
    try:
        est = fit("f =~ " + " + ".join(names), Moments.of(names, S, n=n), SEM(std_lv=True))
    except Problems:
        return None
    loadings = est.table.filter(pl.col("op") == "=~")["estimate"].to_numpy()
    left = est.table.filter((pl.col("op") == "~~") & pl.col("lhs").is_in(names))["estimate"].to_numpy()
    if est.convergence.reasons or not np.isfinite(loadings).all() or (left < 0).any():
        return None
    common = loadings.sum() ** 2
    return float(common / (common + left.sum()))


def structure_of(
    panel: Panel,
    pairs: Matched,
    form: Asked,
    where: Mapping[str, str] | None,
    sample: Sample,
    cell: int,
    drawing: tuple[int, int],
    small: int,
) -> Structure:
    """Factor models and HTMT of perceptions, and of gaps where there are any, in one cell.

    Parameters:
        where: the rows chosen. sample: their answers. drawing: resamples and seed of the bounds of HTMT. small: rows
            below which nothing is told; one of several cells needs 5 rows per item for factor models.
    """
    blocks = {d: [j for j, own in enumerate(pairs.dimension) if own == d] for d in pairs.dimensions}
    blocks = {d: at for d, at in blocks.items() if len(at) > 1}
    if len(blocks) < 2:
        return Structure()
    names = {"P": list(pairs.items["P"])}
    frame = panel.frame
    if form:
        gaps = [f"G_{a}" for a in pairs.attributes]
        columns = [
            (pl.col(p) - pl.col(e)).alias(g) for p, e, g in zip(pairs.items["P"], pairs.items[form], gaps, strict=True)
        ]
        frame, names["G"] = frame.with_columns(columns), gaps
    keys = sample.cells.drop("n")
    chosen = [pl.col(k).eq_missing(pl.lit(v)) for k, v in (keys.row(cell, named=True) if keys.width else {}).items()]
    own = only(replace(panel, frame=frame), chosen)
    answers, at = forms_of(pairs, form, sample), [j for inner in blocks.values() for j in inner]
    fits, apart = [], []
    for name, items in names.items():
        whole = (sample.cell == cell) & np.isfinite(answers[name][:, at]).all(axis=1)
        n = int(whole.sum())
        least = PER_ITEM * len(at) if keys.height > 1 else 0
        why = SMALL_BASE if n < small else FEW.code if n < least else None
        fits.append(_fits(own, {d: [items[j] for j in at_] for d, at_ in blocks.items()}, name, where, (n, why)))
        if n >= small:
            apart.append(_htmt(answers[name], blocks, name, sample, whole, drawing))
    return Structure(pl.concat(fits), pl.concat(apart) if apart else pl.DataFrame(schema=APART))


APART: Final = dict.fromkeys(("form", "dimension", "other"), pl.String) | dict.fromkeys(("htmt", "upper"), pl.Float64)
SMALL_BASE: Final = Bases().reason.code


def only(panel: Panel, chosen: Sequence[pl.Expr]) -> Panel:
    """The panel's rows for which all expressions hold."""
    if not chosen:
        return panel
    keep = panel.frame.select(pl.all_horizontal(chosen)).to_series()
    reasons = panel.reasons.filter(keep) if panel.reasons.height == panel.frame.height else panel.reasons
    return replace(panel, frame=panel.frame.filter(keep), reasons=reasons)


def _fits(
    panel: Panel,
    blocks: Mapping[str, Sequence[str]],
    form: str,
    where: Mapping[str, str] | None,
    given: tuple[int, str | None],
) -> pl.DataFrame:
    """As many factors as dimensions, a second-order factor, one factor: fit and difference tests.

    Parameters:
        given: complete rows, and why nothing is fitted, None where it is.
    """
    several = "\n".join(f"f{j} =~ {' + '.join(items)}" for j, items in enumerate(blocks.values()))
    texts = {"five": several}
    if len(blocks) > 3:
        texts["second"] = f"{several}\nsq =~ {' + '.join(f'f{j}' for j in range(len(blocks)))}"
    texts["one"] = "sq =~ " + " + ".join(i for items in blocks.values() for i in items)
    rows, before = [], None
    for name, model in texts.items():
        row, est = ({"n": given[0], "reason": given[1]}, None) if given[1] else _fitted(panel, model, where)
        if est is not None and before is not None:
            row |= _against(before, est)
        before = est or before
        rows.append({"form": form, "model": name, **row})
    schema = {"form": pl.String, "model": pl.String, "n": pl.Int64, **FORM_TYPES}
    return pl.DataFrame(rows, schema=schema).with_columns(pl.col(pl.Float64).fill_nan(None))


def _fitted(panel: Panel, model: str, where: Mapping[str, str] | None) -> tuple[dict[str, object], Estimate | None]:
    """One model's fit; its reason where it has none."""
    try:
        est = fit(model, panel, SEM(estimator="MLR"), where=where)
    except Problems as refused:
        return {"reason": refused.problems[0].code}, None
    if est.convergence.reasons:
        return {"n": int(est.moments.n[0]), "reason": est.convergence.reasons[0].code}, None
    found = fit_measures(est)
    why = IMPROPER.code if any(flags[0] for flags in est.convergence.improper.values()) else None
    return {"n": int(est.moments.n[0]), "reason": why, **{a: found[b] for a, b in MEASURED.items()}}, est


def _against(wide: Estimate, narrow: Estimate) -> dict[str, object]:
    """The scaled difference test of two nested models."""
    try:
        row = lrt(wide=wide, narrow=narrow).table.row(1, named=True)
    except Problems:
        return {}
    return {"chi2_diff": row["chi2_diff"], "df_diff": row["df_diff"], "p_diff": row["p_value"]}


def _htmt(
    answers: Array,
    blocks: Mapping[str, Sequence[int]],
    form: str,
    sample: Sample,
    whole: Flags,
    drawing: tuple[int, int],
) -> pl.DataFrame:
    """HTMT of every pair of dimensions with a one-sided bound.

    Parameters:
        whole: (n,) the rows: those of a cell that are complete.
    """
    at = [j for own in blocks.values() for j in own]
    x = answers[:, at]
    member = np.array([[float(j in own) for own in blocks.values()] for j in at])
    x, rows = x[whole], np.flatnonzero(whole)
    names, pairs = list(blocks), np.triu_indices(len(blocks), 1)
    point = _ratios(x, sample.weight[rows][None], member)[0][pairs]
    drawn = np.concatenate([_ratios(x, w, member) for w in drawn_weights(sample, *drawing, rows)])
    ordered = np.sort(drawn[:, pairs[0], pairs[1]], axis=0)
    upper = quantile(ordered, np.full(len(pairs[0]), ONE_SIDED))
    return pl.DataFrame(
        {
            "form": [form] * len(pairs[0]),
            "dimension": [names[i] for i in pairs[0]],
            "other": [names[j] for j in pairs[1]],
            "htmt": finite(point),
            "upper": finite(upper),
        }
    )


def _ratios(x: Array, W: Array, member: Array) -> Array:
    """(B, d, d) HTMT under B sets of weights of rows."""
    k = x.shape[1]
    total = W.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = W @ x / total[:, None]
        cross = (W @ (x[:, :, None] * x[:, None, :]).reshape(len(x), -1)).reshape(-1, k, k) / total[:, None, None]
        cov = cross - mean[:, :, None] * mean[:, None, :]
        sd = np.sqrt(np.einsum("bii->bi", cov))
        cor = cov / (sd[:, :, None] * sd[:, None, :])
    return htmt(cor, member)
