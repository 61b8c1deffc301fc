"""Equations of expectation from wave to wave, by least squares over all pairs of waves, errors by person.

Letters: `n` people, `W` waves, `m` rows (people x waves), `k` columns, `B` replicates. Every equation has an intercept
of its own for each wave.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import stdtr

from csi.expectation.followed import Followed
from csi.expectation.regression import Regression, regress, slopes_again
from csi.moments.stack import Array, Ints

CLAIMS: Final[Mapping[str, tuple[float, ...]]] = {
    "between": (0.0, 1.0), "above": (0.0,), "below": (0.0,), "none": (),
}  # fmt: skip
"""What is said of a coefficient: it lies between 0 and 1, above 0, below 0, or nothing."""

ALPHA: Final = 0.05


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one equation.

    Attributes:
        y, X: (m,), (m, k) with intercepts of waves after the columns named. names: of the first columns. person: (m,).
        wave: (m,) of the outcome.
    """

    y: Array
    X: Array
    names: tuple[str, ...]
    person: Ints
    wave: Ints


@dataclass(frozen=True, slots=True)
class Solved:
    """One equation.

    Attributes:
        rows. found: None where its columns cannot be told apart. people: with a row.
    """

    rows: Rows
    found: Regression | None
    people: int


def rows_from(outcome: Array, columns: Mapping[str, Array]) -> Rows:
    """Complete rows of (n, T) columns, with an intercept for each of the T waves.

    Example:
        >>> made = rows_from(np.array([[1.0, 2.0]]), {"a": np.array([[3.0, np.nan]])})
        >>> made.X.tolist(), made.y.tolist()
        ([[3.0, 1.0]], [1.0])
    """
    stacked = np.stack([outcome, *columns.values()])
    person, wave = np.nonzero(np.isfinite(stacked).all(axis=0))
    values = stacked[:, person, wave]
    seen = np.unique(wave)
    dummies = (wave[:, None] == seen).astype(np.float64)
    X = np.column_stack([*values[1:], dummies])
    return Rows(values[0], X, tuple(columns), person.astype(np.int64), wave.astype(np.int64))


def solved(rows: Rows, data: Followed) -> Solved:
    """Least squares with errors by unit."""
    person = rows.person
    # the first column of `regress` is 1: intercepts of waves add up to it
    X = np.column_stack([np.ones(len(rows.y)), rows.X[:, : len(rows.names)], rows.X[:, len(rows.names) + 1 :]])
    found = regress(X, rows.y, *data.design.at(person)) if len(rows.y) else None
    return Solved(rows, found, int(np.unique(person).size))


def equations(data: Followed) -> dict[str, Solved]:
    """The equations that the series allow: will (with the weights of both adding up to 1, then free), should,
    experience.

    Ew_t - P_(t-1) = k_t + a (Ew_(t-1) - P_(t-1)),  Ew_t = k_t + a Ew_(t-1) + g P_(t-1),
    Es_t = k_t + c Es_(t-1) + d C_(t-1) + u max(P_(t-1) - Es_(t-1), 0),  P_t = k_t + e Ew_t - f Es_t + h D_t
    """
    v = data.values
    will, seen, should = v["A"], v["B"], v.get("S")
    before, after = slice(None, -1), slice(1, None)
    past, gone = will[:, before], seen[:, before]
    made = {
        "will": rows_from(will[:, after] - gone, {"a": past - gone}),
        "free": rows_from(will[:, after], {"a": past, "g": gone}),
    }
    if should is not None:
        own = should[:, before]
        columns = {"c": own, **({"d": v["C"][:, before]} if "C" in v else {}), "u": np.maximum(gone - own, 0.0)}
        columns["u"] = np.where(np.isfinite(gone - own), columns["u"], np.nan)
        made["should"] = rows_from(should[:, after], columns)
    sides = {"e": will, **({"f": -should} if should is not None else {}), **({"h": v["D"]} if "D" in v else {})}
    made["experience"] = rows_from(seen, sides)
    return {name: solved(rows, data) for name, rows in made.items()}


def judged_claim(claim: str, estimate: float, error: float, df: float) -> tuple[float, str]:
    """One-sided p of a claim (the larger of its sides) and what was found.

    Returns:
        p and "found", "contradicted" (the opposite is shown) or "open"; NaN and "" without a claim.

    Example:
        >>> p, found = judged_claim("between", 0.5, 0.1, 200.0)
        >>> p < 0.001, found, judged_claim("above", -0.5, 0.1, 200.0)[1]
        (True, 'found', 'contradicted')
    """
    bounds = CLAIMS[claim]
    if not bounds or not error > 0:
        return float("nan"), ""
    signs = (1.0, -1.0) if claim == "between" else (1.0,) if claim == "above" else (-1.0,)
    sides = [float(stdtr(df, -sign * (estimate - at) / error)) for sign, at in zip(signs, bounds, strict=True)]
    p = max(sides)
    return p, "found" if p < ALPHA else "contradicted" if p > 1 - ALPHA else "open"


@dataclass(frozen=True, slots=True)
class Gains:
    """The gain of each stage: how much of what was missed or exceeded enters the next expectation.

    Attributes:
        solved: dE = k_t + k_s + K_s (P - E). free: dE = k_t + k_s + g_s P - h_s E. places: of the K_s and g_s among the
            slopes; the h_s (turned) follow the g_s. p_equal: of g_s = h_s at all stages; without it there is no gain.
            n, people: (stages,). drawn: (B, stages) K_s resampled.
    """

    solved: Solved
    free: Solved
    places: Ints
    p_equal: float
    n: Ints
    people: Ints
    drawn: Array


def gains(data: Followed, stage: Array, stages: Sequence[str], drawn: Array) -> Gains:
    """The gains by the stage of a person at the wave before.

    Parameters:
        stage: (n, W) place among the stages. drawn: (B, n) resamples.
    """
    will, seen = data.values["A"], data.values["B"]
    short, place = seen[:, :-1] - will[:, :-1], stage[:, :-1]
    at = [np.where(np.isfinite(place), (place == s).astype(np.float64), np.nan) for s in range(len(stages))]
    columns = {f"K{s}": np.where(x == 1, short, x) for s, x in enumerate(at)}
    columns |= {f"s{s}": x for s, x in enumerate(at) if s}
    # a gap that is not known matters at its own stage only; without it the row tells nothing
    columns["K0"] = np.where(np.isfinite(short), columns["K0"], np.nan)
    rows = rows_from(will[:, 1:] - will[:, :-1], columns)
    found = solved(rows, data)
    apart = _apart(will, seen, at, data)
    own = [np.nonzero(at[s][rows.person, rows.wave] == 1)[0] for s in range(len(stages))]
    weight = data.weight[rows.person]
    again = np.full((len(drawn), len(stages)), np.nan)
    if found.found is not None:
        again = slopes_again(rows.X, rows.y, weight, drawn[:, rows.person])[:, : len(stages)]
    S = len(stages)
    return Gains(
        found,
        apart,
        np.arange(1, S + 1),
        _alike(apart, S),
        np.array([len(i) for i in own], dtype=np.int64),
        np.array([np.unique(rows.person[i]).size for i in own], dtype=np.int64),
        again,
    )


def _apart(will: Array, seen: Array, at: Sequence[Array], data: Followed) -> Solved:
    """The changes by experience and by expectation before, each with a weight of its own at every stage."""
    columns = {f"g{s}": np.where(x == 1, seen[:, :-1], x) for s, x in enumerate(at)}
    columns |= {f"h{s}": np.where(x == 1, will[:, :-1], x) for s, x in enumerate(at)}
    columns |= {f"s{s}": x for s, x in enumerate(at) if s}
    columns["g0"] = np.where(np.isfinite(seen[:, :-1] + will[:, :-1]), columns["g0"], np.nan)
    return solved(rows_from(will[:, 1:] - will[:, :-1], columns), data)


def _alike(apart: Solved, S: int) -> float:
    """The p-value of g_s = h_s at all stages."""
    if apart.found is None:
        return float("nan")
    L = np.zeros((S, apart.found.slopes.size))
    L[np.arange(S), np.arange(1, S + 1)] = 1.0
    L[np.arange(S), np.arange(S + 1, 2 * S + 1)] = 1.0
    return apart.found.wald(L)[3]
