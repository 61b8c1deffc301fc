"""A stack of fits as one function of the working parameters: value, gradient, expected and observed Hessian.

theta = origin + N phi: rows with one label are one theta; linear equality constraints leave fewer phi than theta.

Letters: `k` parameters theta, `r` working parameters phi.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from csi.moments.stack import Array, Ints, Moments
from csi.sem.compiled import evaluated, implied_moments
from csi.sem.constraints import Linear
from csi.sem.implied import Implied, Values, implied, matrices, template
from csi.sem.layout import Layout, Pairs, pairs_of
from csi.sem.normal import Fitting, Target, discrepancy, target_of, terms


@dataclass(frozen=True, slots=True)
class Problem:
    """Everything a normal-theory fit needs.

    Attributes:
        targets, flats: per group, the sample moments and the matrices' fixed values. share: (b, g) weight of each
            group, summing to 1. total: (b,) multiplier of information. counts: (b, g) multipliers of each
            group's F, whose sum is chi2. informing: (b, g) weights of the groups' information, n_g / N.
        spread: per group, (e, r) from working parameters to entries, None where it is the identity.
        pairs: per group, index arrays of the Hessian.
    """

    layout: Layout
    targets: tuple[Target, ...]
    flats: tuple[Array, ...]
    share: Array
    total: Array
    counts: Array
    informing: Array
    linear: Linear
    spread: tuple[Array | None, ...]
    pairs: tuple[Pairs, ...]

    def take(self, at: Ints | slice) -> Problem:
        """Some slices."""
        targets = tuple(
            Target(t.cov[at], t.mean[at], t.constant[at], None if t.weight is None else t.weight[at])
            for t in self.targets
        )
        flats = tuple(f[at] for f in self.flats)
        return replace(
            self,
            targets=targets,
            flats=flats,
            share=self.share[at],
            total=self.total[at],
            counts=self.counts[at],
            informing=self.informing[at],
        )

    def theta(self, phi: Values) -> Values:
        """(b, k) parameters."""
        return self.linear.theta(phi)

    def implied(self, theta: Values) -> tuple[Implied, ...]:
        """Implied moments of every group."""
        known = implied_moments(self, theta)
        if known is not None:
            return tuple(Implied(*parts) for parts in known)
        return tuple(
            implied(block, matrices(block, flat, theta))
            for block, flat in zip(self.layout.blocks, self.flats, strict=True)
        )

    def evaluate(self, phi: Array, *, exact: bool = False, curved: bool = True) -> tuple[Array, Array, Array]:
        """F (b,), its gradient (b, r) and Hessian (b, r, r), expected or exact, in phi."""
        compiled = evaluated(self, phi, exact=exact) if curved else None
        if compiled is not None:
            return compiled
        at = self.implied(self.theta(phi))
        r = phi.shape[1]
        value, slope, H = np.zeros(len(phi)), np.zeros(phi.shape), np.zeros((len(phi), r, r))
        for g, (block, target, spread) in enumerate(zip(self.layout.blocks, self.targets, self.spread, strict=True)):
            part = terms(block, self.pairs[g], target, at[g], means=self.layout.means, exact=exact, curved=curved)
            if spread is None and len(self.targets) == 1:
                return part.value, part.gradient, part.hessian
            w = self.share[:, g]
            J = np.eye(r) if spread is None else spread
            value += w * part.value
            slope += w[:, None] * (part.gradient @ J)
            H += w[:, None, None] * (J.T @ part.hessian @ J)
        return value, slope, H

    def chi2(self, phi: Array) -> Array:
        """(b,) sum over groups of multiplier times F."""
        at = self.implied(self.theta(phi))
        means = self.layout.means
        parts = [discrepancy(t, one, means=means)[0] for t, one in zip(self.targets, at, strict=True)]
        return np.asarray((self.counts * np.stack(parts, axis=1)).sum(axis=1))

    def observed(self, phi: Array) -> Array:
        """(b, r, r) exact Hessian of F."""
        return self.evaluate(phi, exact=True)[2]


def problem_of(
    layout: Layout, groups: Sequence[Moments], fitting: Fitting, linear: Linear, *, wishart: bool = False
) -> Problem:
    """The problem of fitting a stack.

    Parameters:
        groups: moments of each group, items in the layout's order. linear: equality constraints.
        wishart: covariances with divisor n - 1 and multiplier n - 1 (lavaan's likelihood = "wishart").
    """
    targets, flats = [], []
    for block, moments in zip(layout.blocks, groups, strict=True):
        n = moments.n
        cov = moments.cov if wishart else moments.cov * ((n - 1) / n)[:, None, None]
        targets.append(target_of(cov, moments.mean, fitting))
        flats.append(template(block, cov, moments.mean))
    rows = group_sizes(groups)
    counts = rows - 1 if wishart else rows
    informing = np.ones_like(rows) if len(groups) == 1 else rows / rows.sum(axis=1)[:, None]
    return Problem(
        layout=layout,
        targets=tuple(targets),
        flats=tuple(flats),
        share=(counts / counts.sum(axis=1)[:, None]) if fitting == "GLS" else informing,
        informing=informing,
        total=counts.sum(axis=1),
        counts=counts,
        linear=linear,
        spread=tuple(_spread(block.entries.parameter, linear) for block in layout.blocks),
        pairs=tuple(pairs_of(block) for block in layout.blocks),
    )


def group_sizes(groups: Sequence[Moments]) -> Array:
    """(b, g) rows of each group, or its share of the weights times the rows of all."""
    if len(groups) == 1:
        return groups[0].n[:, None]
    n = np.stack([m.n for m in groups], axis=1)
    weight = np.stack([m.sum_w for m in groups], axis=1)
    return np.asarray(weight * (n.sum(axis=1) / weight.sum(axis=1))[:, None])


def _spread(parameter: Ints, linear: Linear) -> Array | None:
    """(e, r) derivative of the entries by phi; None where entries are the parameters themselves."""
    k, r = linear.N.shape
    if k == r == parameter.size and linear.plain and (parameter == np.arange(k)).all():
        return None
    return linear.N[parameter]
