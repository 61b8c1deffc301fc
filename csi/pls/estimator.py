"""`PLS(...)`: settings in, an `Estimate` out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np

from csi.errors import Problems, one_of, problem
from csi.estimate.estimate import Estimate
from csi.models.model import Model
from csi.models.nouns import Mode
from csi.moments.stack import MOMENTS_ALONE, Array, Ints, Missing, Moments
from csi.pls.algorithm import solve_stack
from csi.pls.blueprint import blueprint_of, unknown
from csi.pls.composed import Ways, composed
from csi.pls.composites import Composites
from csi.pls.consistent import corrected
from csi.pls.inner import Scheme
from csi.pls.outcome import estimate_of
from csi.pls.stages import HigherOrder, Interaction, is_composed, is_higher

Units = Literal["standardised", "raw"]


@dataclass(frozen=True, slots=True)
class PLS(Composites):
    """Partial least squares path modelling, plain or consistent.

    Modes come from the model: `=~` is mode A, `<~` mode B (a card may say otherwise, and so may `modes`). Scores have
    variance 1; estimates are standardised. With `consistent` the constructs of several items that are measured by `=~`
    in mode A are common factors: their correlations, loadings and paths are corrected for unreliability (PLSc); what
    is a composite (`<~`, mode B) or a single item stays as it is.

    Parameters:
        weighting: inner scheme, "path", "factorial" or "centroid".
        missing: treatment of absent answers, "listwise", "pairwise", "mean" or "em" (maximum likelihood moments).
        consistent: whether factors are corrected for unreliability.
        modes: construct -> "A" or "B", where it is not what the model says.
        units: "raw" lets mode A see items in their own units, so that items that vary more count more.
        higher_order: how constructs made of constructs are estimated, "two-stage" (disjoint), "embedded" or "repeated"
            (see `csi.pls.higher_order`).
        interaction: how products `x:z` are formed, "two-stage" (of scores), "product" or "orthogonal" (of items; see
            `csi.pls.products`).
        tolerance: largest change of a standardised outer weight that counts as settled.
        max_iterations: give up after so many rounds.

    Source: Wold (1982); Lohmöller (1989); Dijkstra & Henseler (2015).
    Agrees: seminr 2.3.4, semPLS 1.0-10, cSEM 0.6.1, SmartPLS 2 on the ECSI mobile data within 1e-6 (tests/pls).

    Example:
        >>> PLS(weighting="centroid").name, PLS(consistent=True, modes={"image": "B"}).name
        ('PLS (centroid)', 'PLSc (path)')
    """

    weighting: Scheme = "path"
    missing: Missing = "listwise"
    consistent: bool = False
    modes: Mapping[str, Mode] = field(default_factory=dict)
    units: Units = "standardised"
    higher_order: HigherOrder = "two-stage"
    interaction: Interaction = "two-stage"
    tolerance: float = 1e-7
    max_iterations: int = 300

    def __post_init__(self) -> None:
        """All settings are known values.

        Raises:
            Problems: E-SETTING with the closest name.
        """
        found = one_of("weighting", self.weighting, get_args(Scheme)) + one_of("missing", self.missing, MOMENTS_ALONE)
        found += one_of("higher_order", self.higher_order, get_args(HigherOrder))
        found += one_of("interaction", self.interaction, get_args(Interaction))
        if isinstance(self.modes, Mapping):
            found += [p for name, mode in self.modes.items() for p in one_of(f"modes[{name}]", mode, get_args(Mode))]
        else:
            en, zh = (
                f"constructs and their modes are expected, not {self.modes!r}.",
                f"应为构念与模式，而不是 {self.modes!r}。",
            )
            do, do_zh = 'Write modes={"image": "B"}, say.', '例如 modes={"image": "B"}。'
            found.append(problem("E-SETTING", "modes", en, zh, do, do_zh))
        found += one_of("units", self.units, get_args(Units))
        if self.consistent and self.units == "raw":
            en, zh = "consistent PLS works on standardised items.", "一致性 PLS 使用标准化题项。"
            do, do_zh = 'Leave out units="raw".', '请去掉 units="raw"。'
            found.append(problem("E-SETTING", "units", en, zh, do, do_zh))
        if not (self.tolerance > 0 and self.max_iterations >= 1):
            en, zh = "tolerance and max_iterations must be positive.", "tolerance 与 max_iterations 必须为正数。"
            found.append(problem("E-SETTING", "PLS", en, zh, "Leave them out for the defaults.", "省略即取默认值。"))
        if found:
            raise Problems(found)

    @property
    def name(self) -> str:
        """Name for tables."""
        return f"PLS{'c' * self.consistent} ({self.weighting}{', raw units' * (self.units == 'raw')})"

    def solve(self, model: Model, moments: Moments, like: Estimate | None = None) -> Estimate:
        """Fit every slice of `moments`.

        Raises:
            Problems: a model PLS cannot fit (a cycle, an item in two constructs, a construct without items).
        """
        if is_composed(model):
            return self._solve_composed(model, moments, like)
        drawn, order = blueprint_of(model, moments, self.modes, consistent=self.consistent)
        reference = None if like is None else orientation(like)
        R, sd = item_correlations(moments, order), moments.sd[:, order] if self.units == "raw" else None
        solved = solve_stack(R, drawn.design, self.weighting, self.tolerance, self.max_iterations, reference, sd=sd)
        found = corrected(solved, R, drawn.design) if self.consistent else None
        return estimate_of(self, drawn, moments, order, solved, found, like=like, tolerance=self.tolerance)

    def _solve_composed(self, model: Model, moments: Moments, like: Estimate | None) -> Estimate:
        """The same with higher-order constructs or products: plain models in a row."""

        def plain(stage: Model, ground: Moments, original: Estimate | None) -> Estimate:
            modes = {name: mode for name, mode in self.modes.items() if name in stage.names}
            return replace(self, modes=modes).solve(stage, ground, original)

        problems = unknown(model, self.modes)
        if self.consistent and self.higher_order != "two-stage" and is_higher(model):
            en = "with repeated items a score stands beside its own items' errors, so PLSc cannot correct it."
            zh = "重复使用题项时，得分与自身题项的误差相关，PLSc 无法校正。"
            do, do_zh = 'Use higher_order="two-stage".', '请使用 higher_order="two-stage"。'
            problems.append(problem("E-SETTING", "PLS", en, zh, do, do_zh))
        ways = Ways(self.higher_order, self.interaction)
        return composed(self, model, moments, like, plain, ways, problems=problems)


def orientation(like: Estimate) -> Array | None:
    """(p,) the weights of the cell whose replicates are solved; equal weights where it has none."""
    weights = like.solution.weights
    return None if weights is None or not np.isfinite(weights[0]).all() else weights[0]


def item_correlations(moments: Moments, order: Ints) -> Array:
    """(b, p, p) correlations of the items at `order`; NaN beside an item without variance."""
    with np.errstate(divide="ignore", invalid="ignore"):
        cor = moments.cor
    as_they_are = np.array_equal(order, np.arange(cor.shape[1]))
    return cor if as_they_are else cor[:, order[:, None], order]
