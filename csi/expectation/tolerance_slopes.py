"""How an outcome rises with experience below, within and above the zone of tolerance: one slope each.

    y = b0 + c Ea + b_below min(P - Ea, 0) + b_within min(max(P - Ea, 0), Ed - Ea) + b_above max(P - Ed, 0)

A zone of tolerance proper has a flat middle: b_within below b_below. With one end only there are two slopes.

Source:
    Zeithaml, Berry & Parasuraman (1993), J. of the Academy of Marketing Science 21(1), proposition 4; knots:
    Suits, Mason & Chan (1978), Review of Economics and Statistics 60, 132-139.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from csi.expectation.regression import regress
from csi.expectation.scores import Scores, apart
from csi.inference.linearised import Design
from csi.moments.stack import Array

PARTS: Final = ("below", "within", "above")
LEAST: Final = 10
"""Respondents needed in every part."""
NUMBERS: Final = (*(f"b_{p}{s}" for p in PARTS for s in ("", "_low", "_high", "_p")), "p_equal", "r2")
COUNTS: Final = tuple(f"n_{p}" for p in PARTS)

Zone = tuple[Array, Array | None, Array | None]
"""P, Ea, Ed."""


def slopes_of(scores: Scores, zone: Zone, y: Array, plan: Design, level: float) -> pl.DataFrame:
    """The slopes of every name.

    Parameters:
        zone: P, Ea, Ed, (n, m) each; None for an end that was not asked. y: (n,). plan: weights, units, strata.
    """
    rows = []
    for j, (kind, name) in enumerate(zip(scores.kinds, scores.names, strict=True)):
        A, D = (None if x is None else x[:, j] for x in zone[1:])
        rows.append({"kind": kind, "name": name, **_one((zone[0][:, j], A, D), y, plan, level)})
    types = dict.fromkeys(NUMBERS, pl.Float64) | dict.fromkeys(COUNTS, pl.Int64)
    return pl.DataFrame(rows, schema_overrides=types).select("kind", "name", "n", *COUNTS, *NUMBERS)


def pieces(zone: Zone) -> dict[str, Array]:
    """Part -> (n,) what of P lies there; they add up to P less the first knot.

    Example:
        >>> P, A, D = np.array([3.0, 6.0, 9.0]), np.full(3, 5.0), np.full(3, 8.0)
        >>> {k: v.tolist() for k, v in pieces((P, A, D)).items()}
        {'below': [-2.0, 0.0, 0.0], 'within': [0.0, 1.0, 3.0], 'above': [0.0, 0.0, 1.0]}
    """
    P, A, D = zone
    if A is not None and D is not None:
        middle = np.minimum(np.maximum(apart(P, A), 0.0), apart(D, A))
        return {"below": np.minimum(apart(P, A), 0.0), "within": middle, "above": np.maximum(apart(P, D), 0.0)}
    if A is not None:
        return {"below": np.minimum(apart(P, A), 0.0), "within": np.maximum(apart(P, A), 0.0)}
    knot = np.zeros_like(P) if D is None else D
    return {"within": np.minimum(apart(P, knot), 0.0), "above": np.maximum(apart(P, knot), 0.0)}


def _one(zone: Zone, y: Array, plan: Design, level: float) -> dict[str, float | int | None]:
    """The slopes of one name; null where a part has fewer than 10 respondents."""
    ends = [x for x in zone if x is not None]
    seen = np.logical_and.reduce([np.isfinite(x) for x in (*ends, y)])
    A, D = (None if x is None else x[seen] for x in zone[1:])
    own: Zone = (zone[0][seen], A, D)
    parts, knot = pieces(own), own[1] if own[1] is not None else own[2]
    counts: dict[str, int | None] = {f"n_{p}": _count(own, p) if p in parts else None for p in PARTS}
    nothing: dict[str, float | int | None] = {"n": int(seen.sum()), **counts, **dict.fromkeys(NUMBERS)}
    if knot is None or min(c for c in counts.values() if c is not None) < LEAST:
        return nothing
    X = np.column_stack([np.ones(len(knot)), knot, *parts.values()])
    fitted = regress(X, y[seen], *plan.at(seen))
    if fitted is None:
        return nothing
    q = len(parts)
    found = fitted.combined(np.eye(q + 2)[2:], level)
    for number, part in enumerate(parts):
        for column, suffix in (("estimate", ""), ("conf_low", "_low"), ("conf_high", "_high"), ("p_value", "_p")):
            value = float(found[column][number])
            nothing[f"b_{part}{suffix}"] = value if np.isfinite(value) else None
    equal = fitted.wald(np.eye(q + 2)[2:-1] - np.eye(q + 2)[3:])[3]
    return nothing | {"p_equal": equal if np.isfinite(equal) else None, "r2": fitted.r2}


def _count(zone: Zone, part: str) -> int:
    """Respondents in a part."""
    P, A, D = zone
    low = np.zeros(len(P), dtype=bool) if A is None else apart(P, A) < 0
    high = np.zeros(len(P), dtype=bool) if D is None else apart(P, D) > 0
    return int({"below": low, "above": high, "within": ~(low | high)}[part].sum())
