"""`SumScores(...)`: constructs as sums or averages of their items, with weights that no path has a say in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from csi.errors import Problems, one_of
from csi.estimate.estimate import Estimate
from csi.models.model import Model
from csi.moments.stack import MOMENTS_ALONE, Array, Missing, Moments
from csi.pls.algorithm import Design, Solved, scored
from csi.pls.blueprint import blueprint_of
from csi.pls.composed import composed
from csi.pls.composites import Composites
from csi.pls.estimator import item_correlations, orientation
from csi.pls.outcome import estimate_of
from csi.pls.stages import is_composed

Weights = Literal["equal", "raw", "pca"]


@dataclass(frozen=True, slots=True)
class SumScores(Composites):
    """Scores that are plain sums of items, and regressions among them.

    Scores have variance 1; estimates are standardised, weights are those of standardised items.

    Parameters:
        weights: "equal" adds up standardised items; "raw" adds up the answers as they were given, so that items that
            vary more count more; "pca" takes each block's first principal component.
        missing: treatment of absent answers, "listwise", "pairwise", "mean" or "em" (maximum likelihood moments).

    Source: Hotelling (1933) for principal components.
    Agrees: seminr 2.3.4 (unit weights) and cSEM 0.6.1 (unit) on the ECSI mobile data within 1e-6 (tests/pls).

    Example:
        >>> SumScores().name, SumScores(weights="raw").name
        ('sum scores', 'sum scores (raw)')
    """

    weights: Weights = "equal"
    missing: Missing = "listwise"

    def __post_init__(self) -> None:
        """All settings are known values.

        Raises:
            Problems: E-SETTING with the closest name.
        """
        found = one_of("weights", self.weights, get_args(Weights)) + one_of("missing", self.missing, MOMENTS_ALONE)
        if found:
            raise Problems(found)

    @property
    def name(self) -> str:
        """Name for tables."""
        return "sum scores" if self.weights == "equal" else f"sum scores ({self.weights})"

    def solve(self, model: Model, moments: Moments, like: Estimate | None = None) -> Estimate:
        """Score every slice of `moments` and regress the scores.

        Raises:
            Problems: a model that scores cannot fit (a cycle, an item in two constructs, no items).
        """
        if is_composed(model):
            return composed(self, model, moments, like, self.solve)
        drawn, order = blueprint_of(model, moments)
        R = item_correlations(moments, order)
        sums = score_weights(R, moments.sd[:, order], drawn.design, self.weights)
        reference = None if like is None else orientation(like)
        return estimate_of(self, drawn, moments, order, scores_of(sums, R, drawn.design, reference), like=like)


def score_weights(R: Array, sd: Array, design: Design, kind: Weights) -> Array:
    """(b, p) weights of standardised items, up to the variance of their score.

    Parameters:
        R: (b, p, p) item correlations. sd: (b, p).

    Example:
        >>> block, arrows = np.array([0, 0]), np.zeros((1, 1), dtype=bool)
        >>> one = Design(block, arrows, np.array([False]), np.array([False]))
        >>> score_weights(np.eye(2)[None], np.array([[1.0, 3.0]]), one, "raw").tolist()
        [[1.0, 3.0]]
    """
    if kind == "equal":
        return np.ones(sd.shape)
    if kind == "raw":
        return sd
    weights = np.ones(sd.shape)
    usable = np.isfinite(R).all(axis=(1, 2))
    for start, stop in design.spans:
        if stop - start > 1:
            weights[usable, start:stop] = np.linalg.eigh(R[usable, start:stop, start:stop])[1][:, :, -1]
    return weights


def scores_of(weights: Array, R: Array, design: Design, reference: Array | None = None) -> Solved:
    """What follows from given weights (b, p): nothing is iterated."""
    b = len(weights)
    ending = np.zeros(b, dtype=np.int64), np.zeros(b), np.ones(b, dtype=bool)
    return scored(weights, R, design, reference, ending)
