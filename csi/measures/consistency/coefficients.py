"""Every coefficient of one scale that is a function of its covariances, for a whole stack at once.

Letters: `k` items, `b` slices.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from csi.measures.blocks import correlations
from csi.measures.consistency.classical import lambdas, tenberge
from csi.measures.consistency.lower_bound import greatest_lower_bound
from csi.measures.consistency.one_factor import maximal, maximum_likelihood, minres, omega, omega_observed
from csi.measures.consistency.splits import EVERY, split_reliability, splits
from csi.measures.factors.schmid_leiman import schmid_leiman
from csi.measures.reliability import alpha, rho_c
from csi.moments.stack import Array
from csi.moments.two_step import Flags
from csi.pls.consistent import rho_a


class Kind(NamedTuple):
    """A coefficient with the model behind it and the variance it is divided by, "implied" or "observed"."""

    coefficient: str
    model: str = "none"
    denominator: str = "observed"


ML, MINRES, POLYCHORIC = "one factor, ML", "one factor, minres", "one factor of polychorics, minres"
ALPHA, ALPHA_STD, ALPHA_ORDINAL = Kind("alpha"), Kind("alpha_std"), Kind("alpha_ordinal", "polychorics")
OMEGA = Kind("omega_total", ML, "implied"), Kind("omega_total", ML, "observed")
CATEGORICAL = Kind("omega_categorical", POLYCHORIC, "implied"), Kind("omega_categorical", POLYCHORIC, "observed")
RHO_A, RHO_C, MAXIMAL = Kind("rho_a", MINRES), Kind("rho_c", ML, "implied"), Kind("maximal", ML, "implied")
LAMBDAS = tuple(Kind(f"lambda{i}") for i in range(1, 7))
SPLITS = Kind("split_half_max"), Kind("split_half_min"), Kind("split_half_mean")
MUS = tuple(Kind(f"mu{i}") for i in range(4))
GLB = Kind("glb")
OF_A_FACTOR = (*OMEGA, RHO_C, MAXIMAL)
"""Coefficients of the maximum likelihood factor: absent where it is not proper."""
LEIMAN = "3-factor Schmid-Leiman"
HIERARCHICAL = Kind("omega_hierarchical", LEIMAN), Kind("omega_total", LEIMAN)
"""Of a general factor behind three oblique ones (minres, oblimin)."""
ORDINAL = (ALPHA_ORDINAL, *CATEGORICAL)
GENERAL = 6
"""Items from which three factors and one behind them can be told."""
LEIMANS = 200
"""Replicates that have a Schmid-Leiman solution."""
FEW_ITEMS = 12
"""Items up to which replicates look at every split, and all of them at the greatest lower bound."""
BOUNDED, ROUNDS = 250, 40
"""Replicates of longer scales that have a greatest lower bound, and the rounds of its search in replicates."""
ROUNDING = 1e-9
"""An eigenvalue above minus this share of the largest entry is 0: pairwise covariances may have others below."""
LOOKED = 500
"""Splits of longer scales that replicates look at."""


def of_stack(cov: Array, n: float, *, standardised: bool = False, seed: int = 1) -> dict[Kind, Array]:
    """Coefficients of a scale: of the sample first, of replicates behind it.

    Parameters:
        cov: (b, k, k), two items or more. n: rows. standardised: of the sum of standardised answers.
        seed: of the splits that are drawn where there are too many.

    Returns:
        kind -> (b,); NaN where it cannot be computed.

    Example:
        >>> found = of_stack(np.array([[[1.0, 0.5, 0.4], [0.5, 1.0, 0.4], [0.4, 0.4, 1.0]]]), 100)
        >>> round(float(found[ALPHA][0]), 4), round(float(found[OMEGA[0]][0]), 4)
        (0.6964, 0.7)
    """
    cor = correlations(cov)
    V = cor if standardised else cov
    one = np.ones((cov.shape[1], 1))
    guttman, mus = lambdas(V), tenberge(V)
    halves = split_stack(V, seed)
    found = {
        ALPHA: guttman["lambda3"],
        ALPHA_STD: alpha(cor, one)[..., 0],
        **_of_factor(cov, V, cor, n),
        **_of_hierarchy(V, cor),
        **{kind: guttman[kind.coefficient] for kind in LAMBDAS if kind.coefficient != "lambda4"},
        LAMBDAS[3]: halves[0],
        **dict(zip(SPLITS, halves, strict=True)),
        **{kind: mus[:, i] for i, kind in enumerate(MUS)},
        GLB: _bound(V),
    }
    return {kind: np.where(np.isfinite(values), values, np.nan) for kind, values in found.items()}


def _of_factor(cov: Array, V: Array, cor: Array, n: float) -> dict[Kind, Array]:
    """Coefficients of one factor; NaN throughout for two items."""
    b, k = cov.shape[:2]
    if k < 3:
        return {kind: np.full(b, np.nan) for kind in (*OF_A_FACTOR, RHO_A)}
    loadings, errors, proper = maximum_likelihood(cov, n)
    loadings[~proper], errors[~proper] = np.nan, np.nan
    sd = np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
    with np.errstate(divide="ignore", invalid="ignore"):
        standard, rest = loadings / sd, errors / sd**2
        own = (standard, rest) if V is cor else (loadings, errors)
        w = minres(cor, _first(cor))
        w = w / np.sqrt(np.einsum("bi,bij,bj->b", w, cor, w))[:, None]
    return {
        OMEGA[0]: omega(*own),
        OMEGA[1]: omega_observed(own[0], V),
        RHO_C: rho_c(standard, np.ones((k, 1)))[:, 0],
        MAXIMAL: maximal(loadings, errors),
        RHO_A: rho_a(w, cor, np.ones((k, 1)))[:, 0],
    }


def _of_hierarchy(V: Array, cor: Array) -> dict[Kind, Array]:
    """Omega hierarchical and total of a general factor behind three; NaN for short scales and improper solutions.

    omega_h = (sum s_j g_j)^2 / 1'V1, omega_t = 1 - sum s_j^2 u_j / 1'V1; s the standard deviations.

    Source:
        Zinbarg, Revelle, Yovel & Li (2005), Psychometrika 70(1), 123-133; McDonald (1999), Test theory, ch. 6.
    """
    found = np.full((2, len(V)), np.nan)
    if V.shape[1] >= GENERAL:
        some = slice(0, 1 + LEIMANS)
        solved = schmid_leiman(cor[some], 3)
        proper = (
            solved.extracted.converged & ~solved.extracted.heywood.any(axis=1) & (solved.second**2 <= 1).all(axis=1)
        )
        sd = np.sqrt(np.diagonal(V[some], axis1=1, axis2=2))
        total = V[some].sum(axis=(1, 2))
        general = (sd * solved.general).sum(axis=1) ** 2 / total
        whole = 1 - (sd**2 * solved.uniqueness).sum(axis=1) / total
        found[:, some] = np.where(proper, np.stack([general, whole]), np.nan)
    return dict(zip(HIERARCHICAL, found, strict=True))


def _first(cor: Array) -> Array | None:
    """(k,) minimum residual loadings of the sample, from which those of replicates start."""
    found = minres(cor[:1])[0]
    return found if np.isfinite(found).all() else None


def split_stack(V: Array, seed: int) -> tuple[Array, Array, Array]:
    """(b,) best, worst and mean split each; of long scales replicates look at some splits, the extremes among them."""
    k = V.shape[1]
    signs = splits(k, seed)
    values = split_reliability(V[:1], signs)
    if k <= FEW_ITEMS or len(V) == 1:
        values = values if len(V) == 1 else split_reliability(V, signs)
        return values.max(axis=1), values.min(axis=1), values.mean(axis=1)
    drawn = np.random.default_rng(seed).permutation(len(signs))[:LOOKED]
    ranked = np.argsort(values[0])
    ends = signs[np.concatenate([ranked[: LOOKED // 4], ranked[-LOOKED // 4 :]])]
    extreme, some = split_reliability(V[1:], ends), split_reliability(V[1:], signs[drawn])
    each = extreme.max(axis=1), extreme.min(axis=1), some.mean(axis=1)
    first = values.max(axis=1), values.min(axis=1), values.mean(axis=1)
    return tuple(np.concatenate(pair) for pair in zip(first, each, strict=True))  # type: ignore[return-value]  # three


def _bound(V: Array) -> Array:
    """(b,) the greatest lower bound; of replicates by the dual, which is closer after few rounds."""
    found = np.full(len(V), np.nan)
    sound: Flags = np.asarray(np.isfinite(V).all(axis=(1, 2)))
    sound[sound] = np.linalg.eigvalsh(V[sound])[:, 0] > -ROUNDING * np.abs(V[sound]).max(axis=(1, 2))
    if not sound[0]:
        return found
    first = greatest_lower_bound(V[:1])
    found[0] = first.value[0]
    sound[0] = False
    if V.shape[1] > FEW_ITEMS:
        sound[1 + BOUNDED :] = False
    if sound.any():
        found[sound] = greatest_lower_bound(V[sound], first.rows[0], ROUNDS).floor
    return found


def sampled(k: int) -> bool:
    """Whether a scale is so long that its splits are drawn."""
    return k > EVERY
