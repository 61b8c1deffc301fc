"""Logistic regression of something that happens, with errors that follow the design, and means weighted by it.

Letters: `n` rows, `k` columns (the first is 1), `m` quantities. w: weights, mu = 1 / (1 + exp(-X b)).

Source:
    McCullagh & Nelder (1989), Generalized Linear Models, 4.4; Binder (1983), Int. Statistical Review 51, 279-292;
    Lunceford & Davidian (2004), Statistics in Medicine 23, 2937-2960 (weights that are themselves estimated).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import expit

from csi.inference.linearised import Known, Means, means
from csi.moments.stack import Array, Ints

STEPS: Final = 50
SETTLED: Final = 1e-10
FAR: Final = 20.0
"""A linear predictor beyond this says that the outcome is separated."""


@dataclass(frozen=True, slots=True)
class Logit:
    """A logistic regression.

    Attributes:
        slopes: (k,). mu: (n,) fitted. influence: (n, k) of each row on the slopes, times the sum of weights;
            leverage: (n,) from 0 to 1.
    """

    X: Array
    weight: Array
    slopes: Array
    mu: Array
    influence: Array
    leverage: Array

    def of_slopes(self, unit: Ints, stratum: Ints, L: Array | None = None, known: Known | None = None) -> Means:
        """Slopes, or combinations L b, with errors by the design (HC2 or its like over units).

        Parameters:
            L: (m, k). known: margins and populations; the weights are then those of the sample.
        """
        L = np.eye(len(self.slopes)) if L is None else L
        found = means(self._steady() @ L.T, self.weight, unit, stratum, known)
        return Means(found.n, L @ self.slopes, found.std_error, found.sd, found.df)

    def margins(self, unit: Ints, stratum: Ints, known: Known | None = None) -> Means:
        """(k,) average marginal effects: mean of mu (1 - mu) b_j, with errors by the design."""
        g, w = self.mu * (1 - self.mu), self.weight / self.weight.sum()
        bend = (w * g * (1 - 2 * self.mu)) @ self.X
        D = np.outer(self.slopes, bend) + np.eye(len(self.slopes)) * (w @ g)
        found = means(np.outer(g, self.slopes) + self._steady() @ D.T, self.weight, unit, stratum, known)
        return Means(found.n, (w @ g) * self.slopes, found.std_error, found.sd, found.df)

    def _steady(self) -> Array:
        """(n, k) influence, larger for rows with leverage, as HC2 has it."""
        out: Array = self.influence / np.sqrt(np.maximum(1 - self.leverage, 1e-6))[:, None]
        return out


def logit(X: Array, y: Array, weight: Array) -> Logit | None:
    """Weighted logistic regression; None where columns are dependent or the outcome is separated.

    Example:
        >>> X = np.column_stack([np.ones(8), np.arange(8.0)])
        >>> found = logit(X, np.array([0.0, 0, 1, 0, 1, 0, 1, 1]), np.ones(8))
        >>> found.slopes.round(4).tolist()
        [-2.0793, 0.5941]
    """
    size = np.sqrt((X**2).mean(axis=0))
    if not (size > 0).all() or np.linalg.matrix_rank(X / size) < X.shape[1] or np.ptp(y) == 0:
        return None
    Z, w = X / size, weight / weight.mean()
    b = np.zeros(X.shape[1])
    for _ in range(STEPS):
        mu = expit(Z @ b)
        curve = (Z * (w * mu * (1 - mu))[:, None]).T @ Z
        if np.linalg.cond(curve) > 1e12:
            return None
        step = np.linalg.solve(curve, Z.T @ (w * (y - mu)))
        b = b + step
        if np.abs(Z @ b).max() > FAR:
            return None
        if np.abs(step).max() < SETTLED:
            break
    else:
        return None
    mu = expit(Z @ b)
    inverse = np.linalg.inv((Z * (w * mu * (1 - mu))[:, None]).T @ Z)
    influence = w.sum() * (Z * (y - mu)[:, None]) @ inverse / size
    h = w * mu * (1 - mu) * np.einsum("ij,jk,ik->i", Z, inverse, Z)
    return Logit(X, weight, b / size, mu, influence, np.clip(h, 0.0, 1.0))


@dataclass(frozen=True, slots=True)
class Balanced:
    """A mean of some rows, weighted to stand for all.

    Attributes:
        mean: the mean. influence: (n,) of each row on it, times the sum of weights, weights' own estimation included.
        factor: (n,) what each row counts for; 0 outside. n_effective: of those rows.
    """

    mean: float
    influence: Array
    factor: Array
    n_effective: float


def balanced_mean(y: Array, inside: Array, weight: Array, chances: tuple[tuple[Logit, Array], ...]) -> Balanced:
    """Mean of y over the rows `inside`, each divided by its chance to be there.

        sum_i w_i d_i y_i / p_i / sum_i w_i d_i / p_i,   p_i the product of chances mu_i or 1 - mu_i

    Parameters:
        y: (n,), finite inside. inside: (n,) bool. chances: (regression on n rows or 0-influence rows, (n,) bool: which
            side: mu where true, 1 - mu where false).

    Source:
        Hajek's ratio; influence of the estimated chances: Lunceford & Davidian (2004), 3.2.
    """
    p = np.ones(len(y))
    for found, side in chances:
        p = p * np.where(side, found.mu, 1 - found.mu)
    factor = np.where(inside, 1 / p, 0.0)
    held = np.where(inside, y, 0.0)
    total, count = weight @ factor, weight.sum()
    m = float((weight * factor) @ held / total)
    away = np.where(inside, factor * (held - m), 0.0)
    influence = count * away / total
    for found, side in chances:
        slope = np.where(side, -(1 - found.mu), found.mu)  # of log(1 / p) along the linear predictor
        D = (weight * away * slope) @ found.X / total
        influence = influence + found.influence @ D
    known = weight * factor
    return Balanced(m, influence, factor, float(known.sum() ** 2 / (known**2).sum()))
