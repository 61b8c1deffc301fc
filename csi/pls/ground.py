"""What a stage stands on: items, scores that earlier stages froze, products; with their correlations.

Letters: `p` items, `v` variables, `m` new variables, `q` constructs, `b` slices of a stack.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from csi.estimate.estimate import Estimate
from csi.moments.stack import Array, Moments
from csi.pls.stages import repeated_name


@dataclass(frozen=True, slots=True)
class Ground:
    """Variables that constructs may be measured by.

    Attributes:
        names (v). items: (b, p, v) weights on the standardised items, 0 for a product. cor: (b, v, v).
        rho: (b, v) reliability of each variable, 1 unless it is the score of a factor. sd: (b, v) of items and of
            products, 1 for scores. source: the moments of the items.
    """

    names: tuple[str, ...]
    items: Array
    cor: Array
    rho: Array
    sd: Array
    source: Moments

    @property
    def moments(self) -> Moments:
        """Moments of the variables, items in their own units, disattenuated for the scores of factors."""
        b, v = self.rho.shape
        nowhere = np.full(v, np.nan)
        return replace(
            self.source,
            names=self.names,
            mean=np.zeros((b, v)),
            cov=self.true_cor * (self.sd[:, :, None] * self.sd[:, None, :]),
            minimum=nowhere,
            maximum=nowhere,
            rows=None,
            groups=(),
            parts=(),
        )

    @property
    def true_cor(self) -> Array:
        """(b, v, v) correlations after correction for unreliability; `cor` where every reliability is 1."""
        if (self.rho == 1).all():
            return self.cor
        with np.errstate(divide="ignore", invalid="ignore"):
            root = np.sqrt(np.where(self.rho > 0, self.rho, np.nan))
            found: Array = self.cor / (root[:, :, None] * root[:, None, :])
        at = np.arange(root.shape[1])
        found[:, at, at] = 1.0
        return found

    def at(self, names: tuple[str, ...]) -> list[int]:
        """Positions of some variables."""
        where = {name: k for k, name in enumerate(self.names)}
        return [where[name] for name in names]


def ground_of(moments: Moments, items: tuple[str, ...]) -> Ground:
    """The items alone."""
    at = np.array([moments.names.index(i) for i in items], dtype=np.int64)
    with np.errstate(divide="ignore", invalid="ignore"):
        cor = moments.cor[:, at[:, None], at]
    b, p = cor.shape[:2]
    one = np.ones((b, p))
    return Ground(items, np.broadcast_to(np.eye(p), (b, p, p)), cor, one, moments.sd[:, at], moments)


def repeated(ground: Ground, whole: str, items: tuple[str, ...]) -> Ground:
    """The ground with items once more, under the names they have as indicators of a higher-order construct."""
    at = ground.at(items)
    chosen = np.concatenate([np.arange(len(ground.names)), at])
    return replace(
        ground,
        names=(*ground.names, *(repeated_name(whole, i) for i in items)),
        items=ground.items[:, :, chosen],
        cor=ground.cor[:, chosen[:, None], chosen],
        rho=ground.rho[:, chosen],
        sd=ground.sd[:, chosen],
    )


def score_weights(ground: Ground, est: Estimate, names: tuple[str, ...]) -> Array:
    """(b, v, m) weights of the scores of some constructs of a stage on the variables it stood on."""
    solution = est.solution
    found = np.zeros((len(ground.cor), len(ground.names), len(names)))
    weights = solution.weights
    if weights is None:
        return found
    at = np.array(ground.at(solution.items), dtype=np.int64)
    for m, name in enumerate(names):
        mine = solution.block == solution.constructs.index(name)
        found[:, at[mine], m] = weights[:, mine]
    return found


def with_scores(ground: Ground, est: Estimate, names: tuple[str, ...], called: tuple[str, ...]) -> Ground:
    """The ground with the scores of some constructs frozen as variables, and their reliabilities.

    A score made of corrected variables has, as it is computed, the reliability of the composite: the squared
    correlation of w's with w'x where s are the scores and x what they stand for.
    """
    V = score_weights(ground, est, names)
    VR = ground.cor @ V
    variance = np.einsum("bvm,bvm->bm", V, VR)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = 1.0 / np.sqrt(variance)
        V, VR = V * scale[:, None, :], VR * scale[:, None, :]
    among = V.transpose(0, 2, 1) @ VR
    k = np.arange(len(names))
    among[:, k, k] = np.where(np.isfinite(variance), 1.0, np.nan)
    reliable = reliability(ground, est, names, V)
    return replace(
        ground,
        names=(*ground.names, *called),
        items=np.concatenate([ground.items, ground.items @ V], axis=2),
        cor=np.concatenate(
            [np.concatenate([ground.cor, VR], axis=2), np.concatenate([VR.transpose(0, 2, 1), among], axis=2)], axis=1
        ),
        rho=np.concatenate([ground.rho, reliable], axis=1),
        sd=np.concatenate([ground.sd, np.ones_like(reliable)], axis=1),
    )


def reliability(ground: Ground, est: Estimate, names: tuple[str, ...], V: Array) -> Array:
    """(b, m) reliability of scores (weights V on the ground, variance 1): of the composite times that of the factor."""
    solution = est.solution
    own = np.ones((len(V), len(names)))
    if solution.rho is not None:
        own = solution.rho[:, [solution.constructs.index(name) for name in names]]
    if (ground.rho == 1).all():
        return own
    true = ground.true_cor
    with np.errstate(divide="ignore", invalid="ignore"):
        shared = np.einsum("bvm,bvw,bwm->bm", V * np.sqrt(ground.rho)[:, :, None], true, V)
        whole = np.einsum("bvm,bvw,bwm->bm", V, true, V)
        return np.asarray(own * shared**2 / whole)
