"""Checks of common method variance on arrays and fits: what each says.

Letters: `q` constructs, `m` pairs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Final

import numpy as np
import polars as pl
from scipy.special import stdtr

from csi.errors import Reason, reason
from csi.estimate.estimate import Estimate
from csi.measures.separation.factors import Factors, refitted
from csi.measures.separation.method_models import (
    METHOD,
    Fit,
    fitted_beside,
    judged,
    marker_models,
    method_factor,
    one_factor,
    with_correlations,
)
from csi.measures.validity import vif
from csi.models.model import Model
from csi.moments.stack import Array

VIF_LIMIT: Final = 3.3
"""Full collinearity VIF above this speaks of method variance (Kock, 2015)."""

HALF: Final = 0.5
QUARTER: Final = 0.25
"""Share of method variance that is the mean of 70 studies (Williams, Cote & Buckley, 1989)."""

LEVEL: Final = 0.05
NO_MARKER = reason(
    "R-NO-MARKER",
    "no marker was given: a scale that has nothing to do with the constructs and was asked the same way.",
    "未给出标记变量，即与各构念在理论上无关、但以同样方式提问的量表。",
)
MARKER_ITEMS = reason(
    "R-MARKER-ITEMS",
    "a marker of one item has no measurement model; only its partial correlations are there.",
    "标记变量只有一个题项，没有测量模型，只能给出偏相关。",
)
ONE_FACTOR_ONLY = reason(
    "R-ONE-FACTOR",
    "fewer than two constructs of two items or more: there is no measurement model to add a method to.",
    "不足两个各有两题以上的构念，无法在测量模型上加入方法因子。",
)

SCHEMA: Final = {
    "check": pl.String,
    "value": pl.Float64,
    "limit": pl.Float64,
    "p_value": pl.Float64,
    "verdict": pl.String,
    "reason": pl.String,
}
_PARTIAL: Final = {
    "construct": pl.String,
    "other": pl.String,
    "correlation": pl.Float64,
    "adjusted": pl.Float64,
    "p_value": pl.Float64,
    "p_adjusted": pl.Float64,
}


def full_collinearity(cor: Array) -> Array:
    """(q,) VIF of the score of every construct on those of all others.

    Source:
        Kock (2015), Int. J. of e-Collaboration 11(4), 1-10.

    Example:
        >>> full_collinearity(np.array([[1.0, 0.6], [0.6, 1.0]])).round(4).tolist()
        [1.5625, 1.5625]
    """
    return vif(cor)


def first_share(cor: Array) -> float:
    """Share of the items' variance that the first unrotated component takes.

    Source:
        Harman (1976), Modern factor analysis; as a check of method variance Podsakoff & Organ (1986).

    Example:
        >>> first_share(np.array([[1.0, 0.5], [0.5, 1.0]]))
        0.75
    """
    return float(np.linalg.eigvalsh(cor)[-1] / len(cor))


def partialled(cor: Array, marker: float, n: float) -> tuple[Array, Array, Array]:
    """Correlations without what a marker shares with them: (r - m) / (1 - m), and p-values before and after.

    Parameters:
        cor: (m,) correlations. marker: m, the correlation taken for method variance. n: rows.

    Source:
        Lindell & Whitney (2001), J. of Applied Psychology 86(1), eq. 2 and 5: t with n - 3 degrees of freedom.

    Example:
        >>> adjusted, before, after = partialled(np.array([0.3]), 0.1, 100)
        >>> adjusted.round(4).tolist(), after.round(4).tolist()
        ([0.2222], [0.0271])
    """
    adjusted = (cor - marker) / (1 - marker)
    p = []
    for r, df in ((cor, n - 2), (adjusted, n - 3)):
        with np.errstate(divide="ignore", invalid="ignore"):
            t = r * np.sqrt(df / (1 - r**2))
        p.append(2 * stdtr(df, -np.abs(t)))
    return np.asarray(adjusted), p[0], p[1]


def collinearity_of(scores: Array, names: list[str], marker: str | None) -> pl.DataFrame:
    """VIF of every construct but the marker."""
    at = [k for k, name in enumerate(names) if name != marker]
    found = full_collinearity(scores[np.ix_(at, at)])
    verdict = ["raised" if v >= VIF_LIMIT else "not raised" for v in found.tolist()]
    return pl.DataFrame({"construct": [names[k] for k in at], "vif": found, "verdict": verdict})


def models_of(est: Estimate, factors: Factors, marker: str | None) -> list[Fit]:
    """Factors, one factor, method factors, and the models of the marker technique."""
    names = tuple(n for n in factors.names if n != marker)
    if len(names) < 2:
        return []
    claim = Model(tuple(c for c in factors.model.constructs if c.name != marker), covariances=factors.model.covariances)
    plain = refitted(est, claim) if marker in factors.names else est
    first = judged("factors", plain, None, names, METHOD)
    found = [first, fitted_beside(plain, "one_factor", one_factor(claim), first, names, METHOD)]
    for name, equal in (("method_equal", True), ("method_free", False)):
        found.append(fitted_beside(plain, name, method_factor(claim, equal=equal), first, names, METHOD))
    if marker is None or marker not in factors.names:
        return found
    made = marker_models(est, marker)
    base = fitted_beside(est, "marker_baseline", made["marker_baseline"], Fit("", None), names, marker)
    same = fitted_beside(est, "marker_equal", made["marker_equal"], base, names, marker)
    free = fitted_beside(est, "marker_free", made["marker_free"], same, names, marker)
    chosen = free if free.p_value < LEVEL and free.reason is None else same
    found += [base, same, free]
    if base.correlation and chosen.estimate is not None:
        held = with_correlations(made[chosen.name], base.correlation)
        found.append(fitted_beside(est, "marker_restricted", held, chosen, names, marker))
    return found


def partials(scores: Array, names: list[str], marker: str | None, n: float) -> pl.DataFrame:
    """Correlations of scores without what the marker shares: its smallest correlation in absolute value."""
    if marker is None or marker not in names:
        return pl.DataFrame(schema=_PARTIAL)
    own = names.index(marker)
    others = [k for k in range(len(names)) if k != own]
    shared = float(np.abs(scores[own, others]).min())
    pairs = list(combinations(others, 2))
    if not pairs:
        return pl.DataFrame(schema=_PARTIAL)
    r = np.array([scores[a, b] for a, b in pairs])
    adjusted, before, after = partialled(r, shared, n)
    columns = [[names[a] for a, _ in pairs], [names[b] for _, b in pairs], r, adjusted, before, after]
    return pl.DataFrame(dict(zip(_PARTIAL, columns, strict=True)), schema=_PARTIAL)


def checks(
    collinear: pl.DataFrame, fits: list[Fit], partial: pl.DataFrame, harman: float, marker: str | None
) -> tuple[list[dict[str, object]], dict[str, Reason]]:
    """One row per check."""
    by = {f.name: f for f in fits}
    reasons: dict[str, Reason] = {}
    worst = float(np.max(collinear["vif"].to_numpy())) if collinear.height else np.nan
    rows = [_row("full_collinearity", worst, VIF_LIMIT, None, "raised" if worst >= VIF_LIMIT else "not raised")]
    rows += [_factor_row(name, by.get(name), reasons) for name in ("method_equal", "method_free")]
    if marker is not None:
        lost = partial.filter((pl.col("p_value") < LEVEL) & (pl.col("p_adjusted") >= LEVEL)).height
        verdict = "raised" if lost else "not raised"
        found = _row("marker_partial", float(lost), 1.0, None, verdict)
        rows.append(found if partial.height else _absent("marker_partial", ONE_FACTOR_ONLY, reasons))
        if "marker_equal" in by:
            rows.append(_factor_row("marker_equal", by["marker_equal"], reasons))
            restricted = by.get("marker_restricted")
            if restricted is not None and restricted.estimate is not None:
                biased = "raised" if restricted.p_value < LEVEL else "not raised"
                rows.append(_row("marker_restricted", restricted.chi2_diff, None, restricted.p_value, biased))
        else:
            rows.append(_absent("marker_equal", MARKER_ITEMS if by else ONE_FACTOR_ONLY, reasons))
    else:
        rows += [_absent(name, NO_MARKER, reasons) for name in ("marker_partial", "marker_equal")]
    rows.append(_row("harman", harman, HALF, None, "raised" if harman >= HALF else "not raised"))
    return rows, reasons


def _factor_row(check: str, found: Fit | None, reasons: dict[str, Reason]) -> dict[str, object]:
    """A method factor: doubtful where it fits better, raised where it also explains a quarter of the variance."""
    if found is None:
        return _absent(check, ONE_FACTOR_ONLY, reasons)
    if found.reason is not None:
        return {
            **_absent(check, found.reason, reasons),
            "value": _finite(found.share),
            "p_value": _finite(found.p_value),
        }
    better = found.p_value < LEVEL
    verdict = "raised" if better and found.share >= QUARTER else "doubtful" if better else "not raised"
    return _row(check, found.share, QUARTER, found.p_value, verdict)


def _row(check: str, value: float, limit: float | None, p: float | None, verdict: str) -> dict[str, object]:
    values = (check, _finite(value), limit, None if p is None else _finite(p), verdict, None)
    return dict(zip(SCHEMA, values, strict=True))


def _absent(check: str, why: Reason, reasons: dict[str, Reason]) -> dict[str, object]:
    reasons[why.code] = why
    return dict(zip(SCHEMA, (check, None, None, None, None, why.code), strict=True))


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def model_frame(fits: list[Fit]) -> pl.DataFrame:
    """One row per model."""
    numbers = ("chi2", "df", "cfi", "rmsea", "chi2_diff", "df_diff", "p_value")
    rows = [
        {"model": f.name, "against": f.against or None}
        | {k: _finite(getattr(f, k)) for k in numbers}
        | {"method_share": _finite(f.share), "reason": None if f.reason is None else f.reason.code}
        for f in fits
    ]
    texts = {"model": pl.String, "against": pl.String, "reason": pl.String}
    schema = {"model": pl.String, "against": pl.String, **dict.fromkeys((*numbers, "method_share"), pl.Float64)}
    return pl.DataFrame(rows, schema={**schema, "reason": texts["reason"]})


def loading_frame(fits: list[Fit], constructs: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """Loadings with and without a method factor."""
    by = {f.name: f for f in fits}
    rows = []
    for construct, items in constructs.items():
        for item in items:
            row: dict[str, object] = {"item": item, "construct": construct}
            row["loading"] = (by["factors"].own or {}).get(item) if by else None
            for name in ("method_equal", "method_free"):
                of = by.get(name)
                row[f"loading_{name}"] = ((of.own or {}) if of else {}).get(item)
                row[name] = ((of.method or {}) if of else {}).get(item)
            rows.append(row)
    numbers = ("loading", "loading_method_equal", "method_equal", "loading_method_free", "method_free")
    return pl.DataFrame(rows, schema={"item": pl.String, "construct": pl.String, **dict.fromkeys(numbers, pl.Float64)})
