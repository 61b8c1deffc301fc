"""Factors turned by a named rotation from many starts, in a stated order and with stated signs.

Letters: `b` matrices, `p` items, `m` factors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt

from csi.measures.factors.criteria import Criterion, bifactor, bigeomin, geomin, oblimin, target
from csi.measures.factors.rotation import SETTLED, projected, promax, random_starts, rotated, varimax
from csi.moments.stack import Array

Rotation = Literal["none", "varimax", "promax", "oblimin", "geomin", "bifactor", "bigeomin", "target"]
Flags = npt.NDArray[np.bool_]

SEVERAL = 30
"""Starts of the rotations that are known for local minima."""

TIE = 1e-5
"""Minima that differ by less than this share are one."""

CRITERIA: dict[str, tuple[Criterion, bool, int]] = {
    "oblimin": (oblimin, True, 1),
    "geomin": (geomin, True, SEVERAL),
    "bifactor": (bifactor, False, SEVERAL),
    "bigeomin": (bigeomin, False, SEVERAL),
}
"""Rotation -> its criterion, whether factors may correlate, and how many starts it gets."""

GENERAL = ("bifactor", "bigeomin")
"""Rotations whose first factor is the general one and stays first."""


@dataclass(frozen=True, slots=True)
class Turned:
    """Rotated factors of a stack.

    Attributes:
        loadings: (b, p, m) pattern. phi: (b, m, m) correlations of the factors. value: (b,) of the criterion (NaN where
            there is none). converged: (b,). minima: (b,) how many different minima the starts found; share: (b,) of
            the starts that ended in the one kept. starts: how many.
    """

    loadings: Array
    phi: Array
    value: Array
    converged: Flags
    minima: npt.NDArray[np.int64]
    share: Array
    starts: int


def turned(
    A: Array,
    rotation: Rotation = "oblimin",
    *,
    gamma: float = 0.0,
    power: int = 4,
    aim: Array | None = None,
    starts: int | None = None,
    seed: int = 1,
    settled: float = SETTLED,
) -> Turned:
    """Rotates every matrix of a stack, keeps the least minimum of its starts, and puts factors in order.

    Factors stand by the variance they account for (diagonal of phi L'L), greatest first, the general factor of a
    bifactor rotation before all; with a target they stand as the target does. Loadings of each sum to a positive
    number.

    Parameters:
        A: (b, p, m) unrotated loadings. rotation: its name. gamma: of oblimin. power: of promax.
        aim: (p, m) of a target rotation, NaN where any loading will do. starts: how many; by default 1 for oblimin
            and the closed steps, `SEVERAL` for geomin and bifactor. seed: of the starts after the first.
        settled: the slope at which a rotation ends.

    Returns:
        A `Turned`.

    Example:
        >>> A = np.array([[[0.6, 0.6], [0.6, 0.6], [0.5, -0.5], [0.5, -0.5]]])
        >>> np.abs(turned(A, "oblimin", settled=1e-9).loadings[0].round(3)).tolist()
        [[0.849, 0.0], [0.849, 0.0], [0.0, 0.707], [0.0, 0.707]]
    """
    b, _, m = A.shape
    one = np.ones(b, dtype=np.int64)
    if m == 1 or rotation in {"none", "varimax", "promax"}:
        L, phi = _closed(A, rotation if m > 1 else "none", power)
        result = Turned(L, phi, np.full(b, np.nan), np.ones(b, dtype=bool), one, np.ones(b), 1)
    else:
        criterion, oblique, usual = (
            (partial(target, aim=aim), True, SEVERAL)
            if rotation == "target" and aim is not None
            else CRITERIA[rotation]
        )
        if rotation == "oblimin" and gamma:
            criterion = partial(oblimin, gamma=gamma)
        result = _best(A, criterion, oblique, starts or usual, seed, settled)
    if rotation == "target" and aim is not None:
        return signed(result)
    return in_order(result, first=rotation in GENERAL and m > 1)


def _closed(A: Array, rotation: str, power: int) -> tuple[Array, Array]:
    if rotation == "promax":
        return promax(A, power)
    T = varimax(A) if rotation == "varimax" else np.broadcast_to(np.eye(A.shape[2]), (A.shape[0], *2 * A.shape[2:]))
    return rotated(A, np.asarray(T), oblique=False)


def _best(A: Array, criterion: Criterion, oblique: bool, starts: int, seed: int, settled: float) -> Turned:
    """The least minimum of each matrix, and how many there were."""
    b, _, m = A.shape
    repeated = np.repeat(A, starts, axis=0)
    first = np.tile(random_starts(m, starts, seed), (b, 1, 1))
    T, value, converged = projected(repeated, first, criterion, oblique, settled)
    value, converged = value.reshape(b, starts), converged.reshape(b, starts)
    least = np.where(converged, value, np.inf).min(axis=1)
    least = np.where(np.isfinite(least), least, value.min(axis=1))
    same = value <= (least + TIE * np.maximum(1e-3, np.abs(least)))[:, None]
    kept = np.argmax(same, axis=1)
    minima = [_different(v[c]) for v, c in zip(value, converged, strict=True)]
    L, phi = rotated(A, T.reshape(b, starts, m, m)[np.arange(b), kept], oblique)
    return Turned(L, phi, least, converged[np.arange(b), kept], np.array(minima), same.mean(axis=1), starts)


def _different(values: Array) -> int:
    """How many values differ by more than a tie."""
    ordered = np.sort(values)
    return 1 + int((np.diff(ordered) > TIE * np.maximum(1e-3, np.abs(ordered[1:]))).sum())


def in_order(result: Turned, first: bool = False) -> Turned:
    """Factors by the variance they account for, each pointing where most of its loadings point.

    Parameters:
        first: whether the first factor stays first.

    Example:
        >>> A = np.array([[[0.1, -0.9], [0.1, -0.8]]])
        >>> one = np.ones(1, dtype=np.int64)
        >>> in_order(Turned(A, np.eye(2)[None], np.ones(1), one > 0, one, np.ones(1), 1)).loadings[0].tolist()
        [[0.9, 0.1], [0.8, 0.1]]
    """
    L, phi = result.loadings, result.phi
    size = accounted(L, phi)
    if first:
        size = size + np.where(np.arange(L.shape[2]) == 0, 1e9, 0.0)
    order = np.argsort(-size, axis=1, kind="stable")
    L = np.take_along_axis(L, order[:, None, :], axis=2)
    phi = np.take_along_axis(np.take_along_axis(phi, order[:, None, :], axis=2), order[:, :, None], axis=1)
    return signed(replace(result, loadings=L, phi=phi))


def signed(result: Turned) -> Turned:
    """Each factor pointing where most of its loadings point, in the order it has.

    Example:
        >>> one = np.ones(1, dtype=np.int64)
        >>> A = np.array([[[-0.9], [-0.8]]])
        >>> signed(Turned(A, np.ones((1, 1, 1)), np.ones(1), one > 0, one, np.ones(1), 1)).loadings[0].tolist()
        [[0.9], [0.8]]
    """
    sign = np.where(result.loadings.sum(axis=1) < 0, -1.0, 1.0)
    phi = result.phi * sign[:, None, :] * sign[:, :, None]
    return replace(result, loadings=result.loadings * sign[:, None, :], phi=phi)


def accounted(L: Array, phi: Array) -> Array:
    """Variance of the items each factor accounts for: the diagonal of phi L'L.

    Parameters:
        L: (b, p, m). phi: (b, m, m).

    Returns:
        (b, m); they sum to the communalities' sum.

    Example:
        >>> accounted(np.array([[[0.8], [0.6]]]), np.ones((1, 1, 1))).round(6).tolist()
        [[1.0]]
    """
    return np.asarray(np.einsum("bjk,bpk,bpj->bj", phi, L, L, optimize=True))
