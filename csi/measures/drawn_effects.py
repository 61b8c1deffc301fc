"""Effects of a covariance fit with the errors and intervals of its replicates, observed predictors among them.

Letters: `b` cells, `B` replicates, `x` effects.
"""

from __future__ import annotations

import numpy as np

from csi.estimate.estimate import Estimate
from csi.inference.leave_out import measured_acceleration
from csi.inference.pooled import copies_of, pooled_pairs
from csi.inference.resample import rows_behind
from csi.inference.uncertainty import Uncertainty, degrees, judged, replicates_behind
from csi.measures.delta_effects import Effect, effects_at
from csi.moments.stack import Array
from csi.sem.fitted import Fitted, fitted


def keeps_effects(fit: Fitted) -> bool:
    """Whether the parameters of a solution tell its effects: not where composites stand for other parameters."""
    return not fit.layout.table.rules.composites


def drawn_effects(est: Estimate, effects: list[Effect]) -> Uncertainty:
    """(b, x) standardised effects of a fit with replicates; of copies by Rubin's rules.

    Parameters:
        est: a bootstrapped fit by `csi.SEM`, or of `csi.pool` of such fits.
    """
    copies = copies_of(est)
    if not copies:
        return _drawn(est, effects)
    own = [_drawn(copy, effects) for copy in copies]
    df = np.maximum(degrees(replicates_behind(copies[0])), 1.0)[:, None]
    return pooled_pairs(est, np.stack([u.value for u in own]), np.stack([u.std_error for u in own]), df)


def _drawn(est: Estimate, effects: list[Effect]) -> Uncertainty:
    """One fit by its replicates."""
    fit, replicates = fitted(est), replicates_behind(est)

    def measure(other: Estimate) -> Array:
        return effects_at(fit, other.values, effects, standardised=True)

    drawn = effects_at(fit, replicates.values.reshape(-1, replicates.values.shape[-1]), effects, standardised=True)
    draws = drawn.reshape(*replicates.usable.shape, len(effects))
    accelerations = measured_acceleration(est, rows_behind(est), measure) if est.interval == "bca" else None
    return judged(est, measure(est), draws, accelerations, measure)
