"""Least squares with a covariance that follows the design and allows for leverage, and its degrees of freedom.

Letters: `n` rows, `k` columns, `u` units, `q` restrictions.

A robust covariance is itself an estimate, the more uncertain the fewer units bear a coefficient. How uncertain follows
from the columns alone if errors were alike (Bell & McCaffrey), and makes the degrees of freedom of t and F.

Source:
    MacKinnon & White (1985), J. of Econometrics 29, 305-325; Bell & McCaffrey (2002), Survey Methodology 28(2),
    169-181; Pustejovsky & Tipton (2018), J. of Business & Economic Statistics 36(4), 672-683.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import fdtrc

from csi.inference.linearised import Known, centred
from csi.moments.stack import Array, Ints

ALONE: Final = 1e-9
"""1 - leverage below which a unit alone determines a coefficient."""
TOGETHER: Final = 8
"""Combinations whose degrees of freedom are found at once."""
HALF: Final = 0.5
"""Share of a variance that the other units must show for it to be believed."""


@dataclass(frozen=True, slots=True)
class Slopes:
    """Least squares with its robust covariance.

    Attributes:
        slopes: (k,). cov: (k, k). hc3: (k, k) by HC3, CR3 for units of several rows. design_df: n - k where every
            row is a unit in one stratum, else units less strata.
        root: (k, k) C with C C' = (X'WX)^-1. turns: (u, k, r) and leverages: (u, r) of C'S_g C = Q diag(h) Q'.
    """

    slopes: Array
    cov: Array
    hc3: Array
    design_df: float
    root: Array
    turns: Array
    leverages: Array

    @property
    def std_error(self) -> Array:
        """(k,)."""
        return np.sqrt(np.diagonal(self.cov))

    @property
    def df(self) -> Array:
        """(k,) degrees of freedom of each slope."""
        return self.df_of(np.eye(len(self.slopes)))

    def df_of(self, L: Array) -> Array:
        """(m,) degrees of freedom of the variances of m combinations L b, at most the design's.

        Parameters:
            L: (m, k).
        """
        return np.concatenate([np.empty(0), *(self._alone(L[at : at + TOGETHER]) for at in range(0, len(L), TOGETHER))])

    def _alone(self, L: Array) -> Array:
        """(m,) `joint_df` of each row of L: 2 E(V)^2 / var(V)."""
        out = L @ self.root @ self.turns
        f = np.where(1 - self.leverages > ALONE, 1 / np.maximum(1 - self.leverages, ALONE), 0.0)
        r = np.einsum("gmr,gr->gm", out**2, self.leverages * f)
        s = (out * (self.leverages * np.sqrt(f))[:, None, :]) @ np.swapaxes(self.turns, 1, 2)
        k = (s**2).sum(axis=2)
        mean = (r - k).sum(axis=0)
        pairs = np.einsum("gmi,gmj->mij", s, s, optimize=True)
        spread = 2 * ((r**2 - 2 * r * k).sum(axis=0) + (pairs**2).sum(axis=(1, 2)))
        whole = ((L @ self.root) ** 2).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            df = np.where(spread > 0, np.minimum(2 * mean**2 / spread, self.design_df), self.design_df)
        return np.where((whole > 0) & (mean > HALF * whole), df, 0.0)

    def joint_df(self, L: Array) -> float:
        """Degrees of freedom of the covariance of L b, at most the design's; 0 where one unit alone bears most of it.

            q (q + 1) / sum_st var(d_st),  d = O^-1/2 (L V L') O^-1/2,  O the mean of L V L', errors normal and alike

        Parameters:
            L: (q, k).
        """
        M = L @ self.root
        r, s = _parts(M, self.turns, self.leverages)
        whole, vectors = np.linalg.eigh(M @ M.T)
        if not whole[0] > ALONE * whole[-1]:
            return 0.0
        even = (vectors / np.sqrt(whole)).T
        seen, turned = np.linalg.eigh(even @ (r - s @ np.swapaxes(s, 1, 2)).sum(axis=0) @ even.T)
        if not seen[0] > HALF:
            return 0.0
        r, s = _parts((turned / np.sqrt(seen)).T @ even @ M, self.turns, self.leverages)
        spread = _spread(r, s)
        q = len(L)
        return min(q * (q + 1) / spread, self.design_df) if spread > 0 else self.design_df

    def joint(self, L: Array) -> tuple[float, float, float, float]:
        """F, its two degrees of freedom and p of L b = 0; NaN where the restrictions cannot be told apart.

        F = W (df - q + 1) / (q df) on (q, df - q + 1),  W = (L b)' (L V L')^-1 L b,  df = joint_df(L)

        Hotelling's, as V is itself an estimate.

        Parameters:
            L: (q, k).

        Source:
            Pustejovsky & Tipton (2018), J. of Business & Economic Statistics 36(4), 672-683.

        Example:
            >>> X = np.column_stack([np.ones(8), np.arange(8.0)])
            >>> found = robust_slopes(X, np.array([0.0, 1, 3, 3, 4, 6, 6, 7]), np.ones(8), np.arange(8))
            >>> [round(v, 2) for v in found.joint(np.eye(2)[1:])]
            [258.72, 1.0, 3.4, 0.0]
        """
        between, q, df = L @ self.cov @ L.T, len(L), self.joint_df(L)
        left = df - q + 1
        if left <= 0 or np.linalg.matrix_rank(between, hermitian=True) < q:
            return np.nan, float(q), left, np.nan
        away = L @ self.slopes
        value = float(away @ np.linalg.solve(between, away)) / q * (left / df)
        return value, float(q), left, float(fdtrc(q, left, max(value, 0.0)))


def robust_slopes(
    X: Array, y: Array, weight: Array, unit: Ints, stratum: Ints | None = None, known: Known | None = None
) -> Slopes:
    """Weighted least squares with a robust covariance that allows for leverage.

    V = A sum_g z_g z_g' A,  A = (X'WX)^-1,  z_g = (I - S_g A)^-1/2 X_g'W_g e_g,  S_g = X_g'W_g X_g

    Without bias where errors are alike: HC2 for units of one row, CR2 for larger ones. With several strata the z_g
    are centred within strata, with u_h / (u_h - 1). HC3 and CR3 take (I - S_g A)^-1, which is too wide. Of raked
    weights, what margins leave of the z of rows stands in their place (a unit's correction is shared by weight).

    Parameters:
        X: (n, k) with a column of ones. y, weight: (n,). unit: (n,) rows with one unit are summed. stratum: (units,) of
            each unit; None takes one. known: margins and populations (`Design.of`).

    Returns:
        A `Slopes`.

    Source:
        MacKinnon & White (1985); Bell & McCaffrey (2002). Agrees with R's clubSandwich (tests/inference/test_sandwich).

    Example:
        >>> X = np.column_stack([np.ones(5), [1.0, 2, 3, 4, 6]])
        >>> found = robust_slopes(X, np.array([1.0, 2, 2, 4, 5]), np.ones(5), np.arange(5))
        >>> found.slopes.round(4).tolist(), found.std_error.round(4).tolist(), found.df.round(2).tolist()
        ([0.1622, 0.8243], [0.2197, 0.0558], [1.83, 1.72])
    """
    n, k = X.shape
    A: Array = np.asarray(np.linalg.inv((X * weight[:, None]).T @ X), dtype=np.float64)
    b = A @ (X.T @ (weight * y))
    C: Array = np.asarray(np.linalg.cholesky(A), dtype=np.float64)
    codes, own = np.unique(unit, return_inverse=True)
    layers, of = np.unique(np.zeros(codes.size) if stratum is None else stratum[codes], return_inverse=True)
    rows = (X * (y - X @ b)[:, None]) @ C
    scores = np.zeros((codes.size, k))
    np.add.at(scores, own, rows * weight[:, None])
    turns, h = _leverage(X, weight, C, own)
    # what one unit alone determines counts for nothing
    kept = np.where(1 - h > ALONE, 1 / np.sqrt(np.maximum(1 - h, ALONE)), 0.0)
    seen = np.einsum("gji,gj->gi", turns, scores)
    between: list[Array] = []
    for factor in (kept, kept**2):
        sums = np.einsum("gij,gj->gi", turns, factor * seen)
        if known is not None and known.raking is not None:
            sums = known.sums(rows + ((sums - scores) / np.bincount(own, weight)[:, None])[own])
        else:
            sums = centred(sums, of) if layers.size > 1 else sums
            sums = sums if known is None else sums * np.sqrt(known.finite(own))[:, None]
        between.append(C @ (sums.T @ sums) @ C.T)
    df = n - k if codes.size == n and layers.size == 1 else codes.size - layers.size
    return Slopes(b, between[0], between[1], float(df), C, turns, h)


def _leverage(X: Array, weight: Array, C: Array, own: Ints) -> tuple[Array, Array]:
    """(u, k, r) directions and (u, r) leverages, from 0 to 1, of each unit; r is 1 for units of one row, else k."""
    Z = X @ C
    if int(own.max()) + 1 == len(X):
        Z = (np.sqrt(weight)[:, None] * Z)[np.argsort(own)]
        h = np.einsum("ij,ij->i", Z, Z)
        return (Z / np.sqrt(np.where(h > 0, h, 1.0))[:, None])[:, :, None], np.clip(h, 0.0, 1.0)[:, None]
    S = np.zeros((int(own.max()) + 1, X.shape[1], X.shape[1]))
    np.add.at(S, own, Z[:, :, None] * (weight[:, None] * Z)[:, None, :])
    values, vectors = np.linalg.eigh(S)
    return np.asarray(vectors), np.clip(values, 0.0, 1.0)


def _parts(M: Array, turns: Array, h: Array) -> tuple[Array, Array]:
    """(u, q, q) variances that units have on their own, and (u, q, k) what fitting takes from them and their pairs."""
    f = np.where(1 - h > ALONE, 1 / np.maximum(1 - h, ALONE), 0.0)
    out = M @ turns
    r = (out * (h * f)[:, None, :]) @ np.swapaxes(out, 1, 2)
    return r, (out * (h * np.sqrt(f))[:, None, :]) @ np.swapaxes(turns, 1, 2)


def _spread(r: Array, s: Array) -> float:
    """Sum of the variances of the elements of sum_g p_g p_g', cov(p_g, p_h) = [g = h] r_g - s_g s_h'."""
    pairs = np.einsum("gsk,gtl->stkl", s, s, optimize=True)
    k = s @ np.swapaxes(s, 1, 2)
    rs, ks = np.einsum("gss->gs", r), np.einsum("gss->gs", k)
    alone = np.einsum("gs,gt->", rs, rs) + (r**2).sum() - 2 * np.einsum("gs,gt->", rs, ks) - 2 * (r * k).sum()
    return float(alone + (pairs**2).sum() + np.einsum("stkl,stlk->", pairs, pairs))
