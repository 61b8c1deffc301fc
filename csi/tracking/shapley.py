"""The change of an index by its three parts: each part's mean over all orders of switching it from wave s to wave t.

Letters: `g` classes, `p` items of the construct; any leading axes (replicates, units) go along.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csi.moments.stack import Array

PARTS = ("means", "weights", "composition")
"""The parts of a change, in the order of the arrays."""


@dataclass(frozen=True, slots=True)
class State:
    """What an index is made of in one cell: `I = sum_k a_k sum_g s_gk x_gk`.

    Attributes:
        weights: (..., p) relative weights a of the 0-100 items. shares: (..., g, p) share s of each class among the
            answers to each item; sums to 1 over the classes. means: (..., g, p) class means x on 0-100.
    """

    weights: Array
    shares: Array
    means: Array


@dataclass(frozen=True, slots=True)
class Split:
    """A change by part, and each part by item and class.

    Attributes:
        means: (..., g, p) class means. weights: (..., p). composition: (..., g, p). Each adds up to its part; weights
            and composition are taken about the mean over items and over classes, which their sums do not depend on.
    """

    means: Array
    weights: Array
    composition: Array

    @property
    def parts(self) -> Array:
        """(..., 3) means, weights, composition."""
        return np.stack(
            [self.means.sum(axis=(-2, -1)), self.weights.sum(axis=-1), self.composition.sum(axis=(-2, -1))], axis=-1
        )


def level(state: State) -> Array:
    """(...) the index of a state.

    Example:
        >>> float(level(State(np.ones(1), np.array([[0.25], [0.75]]), np.array([[40.0], [80.0]]))))
        70.0
    """
    found: Array = np.einsum("...k,...gk,...gk->...", state.weights, state.shares, state.means)
    return found


def split(old: State, new: State) -> Split:
    """The Shapley shares of means, weights and composition in `level(new) - level(old)`.

    Of a product of three, the change of one factor is weighed by the mean product of the other two over the orders of
    switching: `means_gk = (x_t - x_s)_gk [(a_s s_s + a_t s_t) / 3 + (a_s s_t + a_t s_s) / 6]_gk`, and alike for the
    others. The three add up to the change whatever the data, and no order is preferred.

    Returns:
        Split.

    Source:
        Shapley (1953), Contributions to the Theory of Games II, 307-317; Shorrocks (2013), Journal of Economic
        Inequality 11, 99-126.

    Example:
        >>> one = np.array([[1.0]])
        >>> found = split(State(np.ones(1), one, 70 * one), State(np.ones(1), one, 72 * one))
        >>> found.parts.tolist()
        [2.0, 0.0, 0.0]
    """
    a, b = old.weights[..., None, :], new.weights[..., None, :]
    of_means = _between(a, b, old.shares, new.shares)
    of_shares = _between(a, b, old.means, new.means)
    of_weights = _between(old.shares, new.shares, old.means, new.means).sum(axis=-2)
    middle = (of_shares * (old.shares + new.shares) / 2).sum(axis=-2, keepdims=True)
    centre = (of_weights * (old.weights + new.weights) / 2).sum(axis=-1, keepdims=True)
    return Split(
        means=of_means * (new.means - old.means),
        weights=(of_weights - centre) * (new.weights - old.weights),
        composition=(of_shares - middle) * (new.shares - old.shares),
    )


def _between(a: Array, b: Array, x: Array, y: Array) -> Array:
    """The product of two factors that go from a to b and from x to y, averaged over the orders of three switches."""
    return (a * x + b * y) / 3.0 + (a * y + b * x) / 6.0
