"""`GSCA(...)`: generalised structured component analysis, by alternating least squares on correlations.

It minimises the squared errors of everything the model predicts: scores by scores (paths), and items by their own
score (loadings) for constructs measured by `=~`. With B [outcome, predictor] and loadings c, the weights of block j
given the rest are those of the regression of its proxy on its items, with inner weights E = B + B' - B'B, plus c_j.

Letters: `p` items, `q` constructs, `b` slices.

Source: Hwang & Takane (2004), Psychometrika 69; Hwang & Takane (2014), Generalized Structured Component Analysis, 2.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from csi.errors import Problems, one_of, problem
from csi.estimate.estimate import Estimate
from csi.models.model import Model
from csi.moments.stack import MOMENTS_ALONE, Array, Missing, Moments
from csi.pls.algorithm import Design, Kept, Solved, State, block_inverses, iterate
from csi.pls.blueprint import blueprint_of
from csi.pls.composed import composed
from csi.pls.composites import Composites
from csi.pls.estimator import item_correlations, orientation
from csi.pls.inner import regressions
from csi.pls.outcome import estimate_of
from csi.pls.stages import is_composed


@dataclass(frozen=True, slots=True)
class GSCA(Composites):
    """Generalised structured component analysis: components that predict one another best, by one criterion.

    A construct measured by `=~` (a nomological component) also predicts its items; one formed by `<~` (a canonical
    component) does not. Scores have variance 1; estimates are standardised.

    Measurement errors are not modelled. GSCA with unique terms (Hwang, Takane & Jung, 2017) is left out: where a
    construct has two items its solution depends on the start (loadings of the ECSI mobile data differ by up to .09
    between the starts of PLS, GSCA and equal weights, all settled to 1e-12). `csi.PLS(consistent=True)` corrects.

    Parameters:
        missing: treatment of absent answers, "listwise", "pairwise", "mean" or "em" (maximum likelihood moments).
        tolerance: largest change of a standardised outer weight that counts as settled.
        max_iterations: give up after so many rounds.

    Source: Hwang & Takane (2004, 2014).
    Agrees: cSEM 0.6.1 on the ECSI mobile data within 1e-6 (canonical components; tests/pls).

    Example:
        >>> GSCA().name
        'GSCA'
    """

    missing: Missing = "listwise"
    tolerance: float = 1e-7
    max_iterations: int = 1000

    def __post_init__(self) -> None:
        """All settings are known values.

        Raises:
            Problems: E-SETTING with the closest name.
        """
        found = one_of("missing", self.missing, MOMENTS_ALONE)
        if not (self.tolerance > 0 and self.max_iterations >= 1):
            en, zh = "tolerance and max_iterations must be positive.", "tolerance 与 max_iterations 必须为正数。"
            found.append(problem("E-SETTING", "GSCA", en, zh, "Leave them out for the defaults.", "省略即取默认值。"))
        if found:
            raise Problems(found)

    @property
    def name(self) -> str:
        """Name for tables."""
        return "GSCA"

    def solve(self, model: Model, moments: Moments, like: Estimate | None = None) -> Estimate:
        """Fit every slice of `moments`.

        Raises:
            Problems: a model that components cannot fit (a cycle, an item in two constructs, no items).
        """
        if is_composed(model):
            return composed(self, model, moments, like, self.solve)
        drawn, order = blueprint_of(model, moments)
        measured = np.array([c.operator == "=~" for c in model.constructs])
        reference = None if like is None else orientation(like)
        R = item_correlations(moments, order)
        solved = solve_gsca(R, drawn.design, measured, self.tolerance, self.max_iterations, reference)
        several = np.ones(len(measured), dtype=bool)
        return estimate_of(self, drawn, moments, order, solved, like=like, tolerance=self.tolerance, regressed=several)


def solve_gsca(
    R: Array,
    design: Design,
    measured: npt.NDArray[np.bool_],
    tolerance: float,
    max_iterations: int,
    reference: Array | None = None,
) -> Solved:
    """Component weights, paths and correlations of every slice.

    Parameters:
        R: (b, p, p) item correlations. measured: (q,) True where items are predicted by their own component.
        tolerance, max_iterations, reference: as in `csi.pls.algorithm.solve_stack`.
    """
    several = np.ones(design.arrows.shape[0], dtype=bool)

    def keep(R: Array, _: Array | None) -> Kept:
        return block_inverses(R, design, several)

    def step(state: State, R: Array, kept: Kept) -> Array:
        return _sweep(state, R, kept, design, measured)

    return iterate(R, design, step, keep, tolerance, max_iterations, reference)


def times(matrix: Array, vector: Array) -> Array:
    """(b, p) products of stacked matrices (b, p, k) with stacked vectors (b, k)."""
    return np.asarray((matrix @ vector[..., None])[..., 0])


def _sweep(state: State, R: Array, kept: Kept, design: Design, measured: npt.NDArray[np.bool_]) -> Array:
    """(b, p) new weights: given loadings and paths, one block after the other, each given those before it."""
    w, RW, C = state[0].copy(), state[1].copy(), state[2]
    B = regressions(C, design.arrows)
    E = B + B.transpose(0, 2, 1) - B.transpose(0, 2, 1) @ B
    for j, (start, stop) in enumerate(design.spans):
        if j not in kept:
            continue
        block, towards = slice(start, stop), E[:, j].copy()
        towards[:, j] = 0.0
        new = times(kept[j], times(RW[:, block], towards))
        if measured[j]:
            new += state[1][:, block, j]
        own = (new * times(R[:, block, block], new)).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            w[:, block] = new / np.sqrt(own)[:, None]
        RW[:, :, j] = times(R[:, :, block], w[:, block])
    return w
