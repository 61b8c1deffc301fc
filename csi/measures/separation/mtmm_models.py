"""Multitrait-multimethod: Campbell and Fiske's criteria on a correlation matrix, and covariance models of it.

Letters: `t` traits, `m` methods, `u` = t m units, each a trait asked by a method, methods within traits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Final, Literal

import numpy as np

from csi.models.model import Model
from csi.models.nouns import Construct, Covariance, Modifier, Term
from csi.moments.stack import Array

Way = Literal["ct-cm", "ct-c(m-1)", "cu"]
WAYS: Final[tuple[Way, ...]] = ("ct-cm", "ct-c(m-1)", "cu")


@dataclass(frozen=True, slots=True)
class Counted:
    """How often a criterion is met.

    Attributes:
        met, of: comparisons. value: the mean validity (first), Kendall's W (fourth), else the share met.
    """

    met: int
    of: int
    value: float


def place(trait: int, method: int, methods: int) -> int:
    """Which unit a trait asked by a method is.

    Example:
        >>> place(1, 2, 3)
        5
    """
    return trait * methods + method


def validities(cor: Array, t: int, m: int) -> Array:
    """(t, m (m - 1) / 2) correlations of the same trait by two methods.

    Example:
        >>> validities(np.array([[1.0, 0.6], [0.6, 1.0]]), 1, 2).tolist()
        [[0.6]]
    """
    pairs = list(combinations(range(m), 2))
    return np.array([[cor[place(i, a, m), place(i, b, m)] for a, b in pairs] for i in range(t)])


def counted(cor: Array, t: int, m: int, least: float) -> tuple[Counted, Counted, Counted, Counted]:
    """The four criteria.

    1. Validities (the same trait by two methods) are larger than `least`.
    2. Each is larger than the correlations of its two units with other traits by the other method.
    3. Each is larger than the correlations of its two units with other traits by their own method.
    4. Traits have the same pattern of correlations in every block of methods: Kendall's W over blocks, met if > 0.5.

    Parameters:
        cor: (u, u). least: the smallest correlation that differs from 0.

    Source:
        Campbell & Fiske (1959), Psychological Bulletin 56(2), 81-105.

    Example:
        >>> R = np.array([[1, 0.6, 0.2, 0.1], [0.6, 1, 0.1, 0.3], [0.2, 0.1, 1, 0.7], [0.1, 0.3, 0.7, 1]])
        >>> [(c.met, c.of) for c in counted(R, 2, 2, 0.2)[:3]]
        [(2, 2), (4, 4), (4, 4)]
    """
    valid = validities(cor, t, m)
    second, third = [], []
    for i, (a, b) in ((i, pair) for i in range(t) for pair in combinations(range(m), 2)):
        own = cor[place(i, a, m), place(i, b, m)]
        for j in (j for j in range(t) if j != i):
            second += [own > cor[place(i, a, m), place(j, b, m)], own > cor[place(j, a, m), place(i, b, m)]]
            third += [own > cor[place(i, a, m), place(j, a, m)], own > cor[place(i, b, m), place(j, b, m)]]
    W = concordance(_blocks(cor, t, m))
    return (
        Counted(int((valid > least).sum()), valid.size, float(valid.mean())),
        _share(second),
        _share(third),
        Counted(int(W > 0.5), 1, W),
    )


def _share(flags: Sequence[bool | np.bool_]) -> Counted:
    met = sum(bool(flag) for flag in flags)
    return Counted(met, len(flags), met / len(flags) if flags else float("nan"))


def _blocks(cor: Array, t: int, m: int) -> Array:
    """(blocks, t (t - 1) / 2) correlations of different traits, one row per triangle of methods."""
    pairs = list(combinations(range(t), 2))
    same = [[cor[place(i, a, m), place(j, a, m)] for i, j in pairs] for a in range(m)]
    mixed = [[cor[place(i, a, m), place(j, b, m)] for i, j in pairs] for a, b in permutations(range(m), 2)]
    return np.array([*same, *mixed])


def concordance(rows: Array) -> float:
    """Kendall's W of k rankings of n things: 12 S / (k^2 (n^3 - n) - k sum of ties); NaN for fewer than three things.

    Source:
        Kendall & Babington Smith (1939), Annals of Mathematical Statistics 10.

    Example:
        >>> concordance(np.array([[1.0, 2, 3], [1, 2, 3]])), concordance(np.array([[1.0, 2, 3], [3, 2, 1]]))
        (1.0, 0.0)
    """
    k, n = rows.shape
    if n < 3:
        return float("nan")
    below, level = (sign(rows[:, None, :], rows[:, :, None]).sum(axis=2) for sign in (np.less, np.equal))
    ranks = below + (level + 1) / 2
    S = float(((ranks.sum(axis=0) - k * (n + 1) / 2) ** 2).sum())
    ties = sum(float((c**3 - c).sum()) for c in (np.unique(row, return_counts=True)[1] for row in ranks))
    most = k**2 * (n**3 - n) - k * ties
    return float(12 * S / most) if most > 0 else float("nan")


def model_of_units(units: Sequence[Sequence[str]], way: Way, reference: int = 0) -> Model:
    """A covariance model of the units.

    ct-cm: correlated traits and correlated methods, traits and methods apart. ct-c(m-1): the same without the factor of
    one method, which the others are told from. cu: correlated traits, residuals of one method correlated.

    Parameters:
        units: per trait, per method, its name. reference: the method without a factor.

    Source:
        Marsh & Grayson (1995), in Structural equation modeling, 177-198; Eid (2000), Psychometrika 65 (ct-c(m-1)).

    Example:
        >>> print(model_of_units([["a1", "a2"], ["b1", "b2"]], "cu"))
        trait_1 =~ a1 + a2
        trait_2 =~ b1 + b2
        a1 ~~ b1
        a2 ~~ b2
    """
    traits = tuple(Construct(f"trait_{i + 1}", "=~", tuple(Term(u) for u in row)) for i, row in enumerate(units))
    columns = list(zip(*units, strict=True))
    if way == "cu":
        beside = [Covariance(a, Term(b)) for column in columns for a, b in combinations(column, 2)]
        return Model(traits, covariances=tuple(beside))
    kept = [k for k in range(len(columns)) if way == "ct-cm" or k != reference]
    methods = tuple(Construct(f"method_{k + 1}", "=~", tuple(Term(u) for u in columns[k])) for k in kept)
    zero = (Modifier(fixed=0.0),)
    apart = tuple(Covariance(f.name, Term(g.name, zero)) for f in traits for g in methods)
    return Model((*traits, *methods), covariances=apart)
