"""How well informative hypotheses fit estimates: an information criterion from estimates and their covariance.

    GORICA = -2 log f(x~; x, V) + 2 PT

x (k,) estimates, V their covariance, x~ the point of the hypothesis nearest to x in the metric of V, f the normal
density, PT the expected dimension of the face on which the projection of N(0, V) lands (simulated).

Letters: `k` quantities, `m` inequalities, `s` simulated draws.

Source:
    Altinisik, Van Lissa, Hoijtink, Oldehinkel & Kuiper (2021), Psychological Methods 26(5), 599-621 (GORICA); Kuiper,
    Hoijtink & Silvapulle (2011), Biometrika 98, 495-501 (penalty); Vanbrabant, Van Loey & Kuiper (2020),
    Psychological Methods 25(2), 129-142 (complement).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from csi.inference.hypothesis import Hypothesis
from csi.moments.stack import Array, Ints

SIMULATED: Final = 100_000
"""Draws behind a penalty; its Monte Carlo error is below .003 for five quantities."""

SLACK = 1e-9
"""A constraint is met when it is missed by less than this many standard errors."""


@dataclass(frozen=True, slots=True)
class Fit:
    """One hypothesis beside estimates: log likelihood and penalty, PT; gorica = -2 loglik + 2 penalty."""

    loglik: float
    penalty: float

    @property
    def gorica(self) -> float:
        """The criterion; smaller is better."""
        return -2 * self.loglik + 2 * self.penalty


def unconstrained(covariance: Array) -> Fit:
    """The estimates as they are.

    Example:
        >>> round(unconstrained(np.eye(3)).loglik, 4)
        -2.7568
    """
    k = len(covariance)
    _, logdet = np.linalg.slogdet(covariance)
    return Fit(float(-0.5 * (k * np.log(2 * np.pi) + logdet)), float(k))


def fitted(claim: Hypothesis, x: Array, covariance: Array, noise: Array) -> Fit:
    """A hypothesis beside estimates.

    Parameters:
        x: (k,). covariance: (k, k). noise: (s, k) draws of N(0, covariance).

    Example:
        >>> from csi.inference.hypothesis import hypotheses_of
        >>> claim, V = hypotheses_of("a > b > c", "abc")[0], np.eye(3)
        >>> noise = simulated(V, 20_000, seed=1)
        >>> abs(fitted(claim, np.array([3.0, 2.0, 1.0]), V, noise).penalty - (1 / 3 + 2 / 2 + 3 / 6)) < 0.02
        True
    """
    far, _ = projected(claim, x[None], covariance)
    _, dimension = projected(claim, noise, covariance)
    return Fit(unconstrained(covariance).loglik - 0.5 * float(far[0]), float(dimension.mean()))


def complement(claim: Hypothesis, x: Array, covariance: Array, noise: Array) -> Fit:
    """Everything but the hypothesis.

    Its likelihood is that of x itself where x lies outside the hypothesis, else of the nearest point of the border.
    Its penalty: k - P(a draw lies inside), as such a draw is moved to the nearest side, of dimension k - 1.

    Example:
        >>> from csi.inference.hypothesis import hypotheses_of
        >>> claim, V = hypotheses_of("a > b", "ab")[0], np.eye(2)
        >>> found = complement(claim, np.array([2.0, 0.0]), V, simulated(V, 20_000, seed=1))
        >>> round(found.loglik - unconstrained(V).loglik, 3), abs(found.penalty - 1.5) < 0.02
        (-1.0, True)
    """
    best = unconstrained(covariance)
    if len(claim.equal):
        return best
    spread = np.sqrt(np.einsum("mi,ij,mj->m", claim.above, covariance, claim.above))
    inside = ((noise @ claim.above.T) > 0).all(axis=1).mean()
    own = claim.above @ x / spread
    nearest = float(own.min()) if (own > 0).all() else 0.0
    return Fit(best.loglik - 0.5 * nearest**2, best.penalty - float(inside))


def simulated(covariance: Array, draws: int, seed: int) -> Array:
    """(draws, k) of N(0, covariance).

    Example:
        >>> simulated(np.eye(2), 3, seed=1).shape
        (3, 2)
    """
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, len(covariance)])))
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    return np.asarray(rng.standard_normal((draws, len(covariance))) @ root.T)


def projected(claim: Hypothesis, points: Array, covariance: Array) -> tuple[Array, Ints]:
    """Squared distance (in the metric of the covariance) to a hypothesis, and the dimension of the face reached.

    Every set of inequalities that may hold as equalities is tried; of the projections that meet the others the
    nearest is the projection onto the hypothesis.

    Parameters:
        points: (s, k). covariance: (k, k).

    Returns:
        (s,) distances, (s,) dimensions.

    Example:
        >>> from csi.inference.hypothesis import hypotheses_of
        >>> far, dimension = projected(hypotheses_of("a > b", "ab")[0], np.array([[0.0, 2.0], [1.0, 0.0]]), np.eye(2))
        >>> far.round(9).tolist(), dimension.tolist()
        ([2.0, 0.0], [1, 2])
    """
    s, k = points.shape
    unit = np.sqrt(np.einsum("mi,ij,mj->m", claim.above, covariance, claim.above))
    far, dimension = np.full(s, np.inf), np.zeros(s, dtype=np.int64)
    for size in range(len(claim.above) + 1):
        for chosen in combinations(range(len(claim.above)), size):
            rows = np.concatenate([claim.equal, claim.above[list(chosen)]])
            distance, moved = _onto(rows, points, covariance)
            meets = ((moved @ claim.above.T) >= -SLACK * unit).all(axis=1)
            better = meets & (distance < far - SLACK)
            far[better] = distance[better]
            dimension[better] = k - (np.linalg.matrix_rank(rows) if len(rows) else 0)
    return far, dimension


def _onto(rows: Array, points: Array, covariance: Array) -> tuple[Array, Array]:
    """Squared distances to, and projections onto, rows @ x = 0."""
    if not len(rows):
        return np.zeros(len(points)), points
    across = covariance @ rows.T
    inverse = np.linalg.pinv(rows @ across)
    missed = points @ rows.T
    return np.einsum("si,ij,sj->s", missed, inverse, missed), points - missed @ inverse @ across.T


def weights(criteria: Array) -> Array:
    """Shares exp(-c / 2) / sum exp(-c / 2) of criteria.

    Example:
        >>> weights(np.array([32.896, -6.54, -4.206])).round(3).tolist()
        [0.0, 0.763, 0.237]
    """
    raw = np.exp(-0.5 * (criteria - np.min(criteria)))
    return np.asarray(raw / raw.sum(), dtype=np.float64)
