"""Item response models as frames: a row per item, threshold, category, scale, point of theta, and person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from csi.errors import Reason
from csi.measures.answered import Answered
from csi.measures.response.curves import information, log_curves
from csi.measures.response.persons import expected_a_posteriori, most_likely, person_fit, reliabilities
from csi.measures.response.scale_fit import ScaleFit, Solved
from csi.measures.response.specified import ONE_SLOPE, Kind, names_of
from csi.moments.stack import Array, Ints

D = 1.702
"""Logits per unit of a probit, nearly (Camilli, 1994, Journal of Educational and Behavioral Statistics 19)."""

REACH = np.linspace(-4, 4, 81)
"""Points of theta of curves, in its standard deviations."""


def _fitted(told: Sequence[ScaleFit]) -> list[tuple[str, tuple[str, ...], Solved]]:
    return [(s.construct, tuple(s.items[k] for k in s.kept), s.solved) for s in told if s.solved]


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def item_rows(told: Sequence[ScaleFit], data: Answered, model: Kind) -> pl.DataFrame:
    """A row per item, those left out with their reason."""
    rows = []
    for s in told:
        left = dict(s.left)
        for k, name in enumerate(s.items):
            why = left.get(name) or s.reason
            n = int(np.isfinite(data.rows[:, data.columns([name])[0]]).sum())
            row: dict[str, object] = {"construct": s.construct, "item": name, "n": n}
            if s.solved and k in s.kept:
                row |= _item(s.solved, s.kept.index(k), model)
            rows.append(row | _why(why))
    return pl.DataFrame(rows, schema=_ITEMS)


def _why(found: Reason | None) -> dict[str, object]:
    """The columns of a reason."""
    return {} if found is None else {"reason": found.code, "why_en": found.say("en"), "why_zh": found.say("zh")}


_ITEMS = {
    "construct": pl.String, "item": pl.String, "n": pl.Int64, "categories": pl.Int64, "a": pl.Float64,
    "a_std_error": pl.Float64, "location": pl.Float64, "loading": pl.Float64, "information": pl.Float64,
    "information_at": pl.Float64, "s_x2": pl.Float64, "s_x2_df": pl.Int64, "s_x2_p": pl.Float64,
    "s_x2_rmsea": pl.Float64, "s_x2_reason": pl.String, "infit": pl.Float64, "outfit": pl.Float64,
    "reason": pl.String, "why_en": pl.String,
    "why_zh": pl.String,
}  # fmt: skip


def _item(s: Solved, i: int, model: Kind) -> dict[str, object]:
    own, at = s.found.own[i : i + 1], np.linspace(-4, 4, 801)
    told = information(s.found.shape.family, own, at)[0] / s.deviation**2
    rasch = model in ONE_SLOPE
    return {
        "categories": int(s.coded.categories[i]),
        "a": float(s.slope[i]),
        "a_std_error": _number(s.slope_error[i]),
        "location": float(np.nanmean(s.threshold[i])),
        "loading": loading(own[0, 0]) if s.found.shape.family == "cumulative" else None,
        "information": float(told.max()),
        "information_at": float(at[told.argmax()] * s.deviation),
        "s_x2": _number(s.fit.chi2[i]),
        "s_x2_df": int(s.fit.df[i]) or None,
        "s_x2_p": _number(s.fit.p[i]) if s.fit.df[i] else None,
        "s_x2_rmsea": _number(s.fit.rmsea[i]) if s.fit.df[i] else None,
        "s_x2_reason": s.fit.reasons[i],
        "infit": _number(s.infit[i]) if rasch else None,
        "outfit": _number(s.outfit[i]) if rasch else None,
    }


def loading(slope: float) -> float:
    """The factor loading that a slope is, nearly: a / D / sqrt(1 + (a / D)^2).

    Source:
        Takane & de Leeuw (1987), Psychometrika 52, 393-408; D by Camilli (1994).

    Example:
        >>> round(loading(1.702), 4)
        0.7071
    """
    return float(slope / D / np.sqrt(1 + (slope / D) ** 2))


def boundaries(told: Sequence[ScaleFit]) -> pl.DataFrame:
    """A row per threshold."""
    rows = []
    for construct, items, s in _fitted(told):
        for i, name in enumerate(items):
            b, share, adjacent = s.threshold[i], loading(s.slope[i]), s.found.shape.family == "adjacent"
            for k, code in enumerate(names_of(s.coded.codes[i].tolist())[1:]):
                below = adjacent and k > 0
                rows.append(
                    {
                        "construct": construct,
                        "item": name,
                        "step": k + 1,
                        "category": code,
                        "b": float(b[k]),
                        "std_error": _number(s.threshold_error[i, k]),
                        "threshold": None if adjacent else float(b[k] * share),
                        "ordered": bool(b[k] >= b[k - 1]) if below else None,
                    }
                )
    return pl.DataFrame(rows, schema=_THRESHOLDS)


_THRESHOLDS = {
    "construct": pl.String, "item": pl.String, "step": pl.Int64, "category": pl.String, "b": pl.Float64,
    "std_error": pl.Float64, "threshold": pl.Float64, "ordered": pl.Boolean,
}  # fmt: skip


def modes(told: Sequence[ScaleFit]) -> pl.DataFrame:
    """A row per category: whether it is the likeliest answer anywhere from -6 to 6 standard deviations."""
    at, rows = np.linspace(-6, 6, 1201), []
    for construct, items, s in _fitted(told):
        likeliest = log_curves(s.found.shape.family, s.found.own, at).argmax(axis=2)
        for i, name in enumerate(items):
            for c, code in enumerate(names_of(s.coded.codes[i].tolist())):
                where = at[likeliest[i] == c] * s.deviation
                rows.append((construct, name, code, where.size > 0, *_ends(where)))
    return pl.DataFrame(rows, schema=_MODES, orient="row")


_MODES = {
    "construct": pl.String, "item": pl.String, "category": pl.String, "modal": pl.Boolean, "low": pl.Float64,
    "high": pl.Float64,
}  # fmt: skip


def _ends(where: Array) -> tuple[float | None, float | None]:
    return (float(where.min()), float(where.max())) if where.size else (None, None)


def fits(told: Sequence[ScaleFit], model: Kind) -> pl.DataFrame:
    """A row per scale."""
    rows = []
    for s in told:
        row: dict[str, object] = {"construct": s.construct, "model": model, "n": s.n, "items": len(s.kept)}
        if s.solved:
            row |= _scale(s.solved)
        rows.append(row | _why(s.reason))
    return pl.DataFrame(rows, schema=_FITS)


_FITS = {
    "construct": pl.String, "model": pl.String, "n": pl.Int64, "items": pl.Int64, "patterns": pl.Int64,
    "loglik": pl.Float64, "parameters": pl.Int64, "aic": pl.Float64, "bic": pl.Float64, "deviation": pl.Float64,
    "deviation_std_error": pl.Float64, "reliability_marginal": pl.Float64, "reliability_empirical": pl.Float64,
    "m2_kind": pl.String, "m2": pl.Float64, "m2_df": pl.Int64, "m2_p": pl.Float64, "m2_rmsea": pl.Float64,
    "m2_reason": pl.String, "em_steps": pl.Int64, "newton_steps": pl.Int64, "converged": pl.Boolean,
    "reason": pl.String, "why_en": pl.String, "why_zh": pl.String,
}  # fmt: skip


def _scale(s: Solved) -> dict[str, object]:
    k, n = s.found.free.size, s.rows.size
    marginal, empirical = reliabilities(s.found)
    told = s.limited
    return {
        "patterns": len(s.found.patterns.answer),
        "loglik": s.found.loglik,
        "parameters": k,
        "aic": 2 * k - 2 * s.found.loglik,
        "bic": k * float(np.log(n)) - 2 * s.found.loglik,
        "deviation": s.deviation,
        "deviation_std_error": _number(s.deviation_error),
        "reliability_marginal": marginal,
        "reliability_empirical": empirical,
        "m2_kind": told.kind or None,
        "m2": _number(told.chi2),
        "m2_df": told.df or None,
        "m2_p": _number(told.p),
        "m2_rmsea": _number(told.rmsea),
        "m2_reason": told.reason,
        "em_steps": s.found.iterations[0],
        "newton_steps": s.found.iterations[1],
        "converged": s.found.converged,
    }


def curves(told: Sequence[ScaleFit]) -> pl.DataFrame:
    """Information of each item along theta."""
    parts = []
    for construct, items, s in _fitted(told):
        found = information(s.found.shape.family, s.found.own, REACH) / s.deviation**2
        names = np.repeat(np.array(items, dtype=object), REACH.size).tolist()
        parts.append(_along(construct, len(items), s, item=names, information=found.ravel()))
    return pl.concat([pl.DataFrame(schema=_INFORMATION), *parts])


_INFORMATION = {"construct": pl.String, "item": pl.String, "theta": pl.Float64, "information": pl.Float64}


def _along(construct: str, times: int, s: Solved, **more: object) -> pl.DataFrame:
    theta = np.tile(REACH * s.deviation, times)
    frame = pl.DataFrame({"construct": [construct] * theta.size, "theta": theta, **more})
    front = ["construct", *([c for c in ("item", "category") if c in more]), "theta"]
    return frame.select(*front, *[c for c in frame.columns if c not in front])


def tests(told: Sequence[ScaleFit]) -> pl.DataFrame:
    """Information of the whole scale along theta, the standard error it leaves, and reliability I / (I + 1 / var)."""
    parts = []
    for construct, _, s in _fitted(told):
        found = information(s.found.shape.family, s.found.own, REACH).sum(axis=0)
        natural = found / s.deviation**2
        parts.append(
            _along(construct, 1, s, information=natural, std_error=natural**-0.5, reliability=found / (found + 1))
        )
    blank = dict.fromkeys(("theta", "information", "std_error", "reliability"), pl.Float64)
    return pl.concat([pl.DataFrame(schema={"construct": pl.String, **blank}), *parts])


def probabilities(told: Sequence[ScaleFit]) -> pl.DataFrame:
    """Probability of each category along theta."""
    parts = []
    for construct, items, s in _fitted(told):
        P = np.exp(log_curves(s.found.shape.family, s.found.own, REACH)).transpose(0, 2, 1)
        pairs = [(i, c, code) for i in range(len(items)) for c, code in enumerate(names_of(s.coded.codes[i].tolist()))]
        names = [items[i] for i, _, _ in pairs for _ in REACH]
        codes = [code for _, _, code in pairs for _ in REACH]
        values = np.concatenate([P[i, c] for i, c, _ in pairs])
        parts.append(_along(construct, len(pairs), s, item=names, category=codes, probability=values))
    blank = {"construct": pl.String, "item": pl.String, "category": pl.String, "theta": pl.Float64}
    return pl.concat([pl.DataFrame(schema=blank | {"probability": pl.Float64}), *parts])


def scored(told: Sequence[ScaleFit], data: Answered, way: str) -> pl.DataFrame:
    """A row per person and scale, in the order of the data; `way` "eap" or "map"."""
    place = data.sample.place if data.sample.place is not None else np.arange(len(data.rows))
    blank = {
        "row": pl.Int64, "construct": pl.String, "answered": pl.Int64, "theta": pl.Float64, "std_error": pl.Float64,
        "lz": pl.Float64,
    }  # fmt: skip
    parts = [pl.DataFrame(schema=blank)]
    for construct, _, s in _fitted(told):
        eap = expected_a_posteriori(s.found.posterior, s.found.grid.theta)
        mean, error = eap if way == "eap" else most_likely(s.found)
        lz, row = person_fit(s.found, mean), s.found.patterns.row
        count = (s.found.patterns.answer >= 0).sum(axis=1)
        parts.append(
            _people(place[s.rows], construct, count[row], mean[row] * s.deviation, error[row] * s.deviation, lz[row])
        )
    return pl.concat(parts)


def _people(place: Ints, construct: str, count: Ints, theta: Array, error: Array, lz: Array) -> pl.DataFrame:
    frame = {"row": place, "construct": [construct] * place.size, "answered": count.astype(np.int64), "theta": theta}
    return pl.DataFrame({**frame, "std_error": error, "lz": pl.Series(lz).fill_nan(None)}).sort("row")
