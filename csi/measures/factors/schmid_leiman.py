"""A general factor out of correlated ones: the Schmid-Leiman transformation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from csi.measures.factors.extraction import Extracted, Method, extract
from csi.measures.factors.turned import turned
from csi.moments.stack import Array

Pair = Literal["equal", "first", "second"]


@dataclass(frozen=True, slots=True)
class SchmidLeiman:
    """A hierarchical solution written as a general factor and group factors that do not correlate.

    Attributes:
        general: (b, p) loadings on the general factor. group: (b, p, m) on the group factors.
        uniqueness: (b, p). second: (b, m) loadings of the first-order factors on the general one.
        first_order: (b, p, m) oblique loadings. phi: (b, m, m) their factors' correlations. extracted: how the factors
            were found (convergence, Heywood cases).
    """

    general: Array
    group: Array
    uniqueness: Array
    second: Array
    first_order: Array
    phi: Array
    extracted: Extracted

    @property
    def communality(self) -> Array:
        """(b, p)."""
        return np.asarray(self.general**2 + (self.group**2).sum(axis=2))


def schmid_leiman(
    R: Array, m: int = 3, method: Method = "minres", pair: Pair = "equal", gamma: float = 0.0
) -> SchmidLeiman:
    """Oblique factors, one factor of their correlations, and both in one orthogonal set of loadings.

    With first-order loadings L, correlations phi and loadings c of the factors on the general one:
    general = L c, group = L diag(sqrt(1 - c^2)).

    Parameters:
        R: (b, p, p). m: first-order factors; 1 gives a general factor only. method: of both extractions.
        pair: what two factors, whose one correlation does not say both loadings, get: "equal" (sqrt(r) each),
            "first" or "second" (that one loads 1). gamma: of oblimin.

    Returns:
        A `SchmidLeiman`.

    Source: Schmid & Leiman (1957), Psychometrika 22, 53-61; Zinbarg, Revelle, Yovel & Li (2005), 70, 123-133.

    Example:
        >>> c, L = np.array([0.8, 0.7, 0.6]), np.kron(np.eye(3), np.array([[0.9], [0.8], [0.7]]))
        >>> phi = np.outer(c, c) + np.diag(1 - c**2)
        >>> R = L @ phi @ L.T
        >>> np.fill_diagonal(R, 1.0)
        >>> schmid_leiman(R[None]).general[0].round(3).tolist()
        [0.72, 0.64, 0.56, 0.63, 0.56, 0.49, 0.54, 0.48, 0.42]
    """
    found = extract(R, m, method)
    good = np.isfinite(found.loadings).all(axis=(1, 2))
    L, phi = np.full_like(found.loadings, np.nan), np.full((R.shape[0], m, m), np.nan)
    if good.any():
        turn = turned(found.loadings[good], "oblimin", gamma=gamma)
        L[good], phi[good] = turn.loadings, turn.phi
    second = _second_order(phi, method, pair)
    sign = np.where((L * second[:, None, :]).sum(axis=(1, 2)) < 0, -1.0, 1.0)
    second = second * sign[:, None]
    general = np.einsum("bpm,bm->bp", L, second)
    group = L * np.sqrt(np.maximum(1 - second**2, 0.0))[:, None, :]
    return SchmidLeiman(general, group, found.uniqueness, second, L, phi, found)


def _second_order(phi: Array, method: Method, pair: Pair) -> Array:
    """(b, m) loadings of the factors on one general factor."""
    b, m, _ = phi.shape
    if m == 1:
        return np.ones((b, 1))
    if m > 2:
        return extract(phi, 1, method).loadings[:, :, 0]
    r = phi[:, 0, 1]
    root, sign = np.sqrt(np.abs(r)), np.where(r < 0, -1.0, 1.0)
    sides = {"equal": (root, root * sign), "first": (np.ones(b), r), "second": (r, np.ones(b))}[pair]
    return np.stack(sides, axis=1)
