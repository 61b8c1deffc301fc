"""Models with higher-order constructs or products, for any estimator of composites: checks, stages, one estimate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from csi.errors import Problem, Problems
from csi.estimate.estimate import Estimate
from csi.estimate.protocol import Estimator
from csi.models.check import check_composites
from csi.models.model import Model
from csi.moments.stack import Moments
from csi.pls.assembled import assembled
from csi.pls.composed_problems import absent_items, composed_problems
from csi.pls.higher_order import Fit, climbed
from csi.pls.stages import HigherOrder, Interaction


@dataclass(frozen=True, slots=True)
class Ways:
    """How higher-order constructs and products are estimated."""

    higher_order: HigherOrder = "two-stage"
    interaction: Interaction = "two-stage"


def composed(
    settings: Estimator,
    model: Model,
    moments: Moments,
    like: Estimate | None,
    fit: Fit,
    ways: Ways | None = None,
    *,
    problems: Sequence[Problem] = (),
) -> Estimate:
    """Fit every slice of `moments` by plain models in a row.

    Parameters:
        fit: the estimator on a plain model. like: what the slices are replicates of. problems: of the settings.

    Raises:
        Problems: a model that cannot be fitted so, items that are absent, and `problems`.
    """
    ways = Ways() if ways is None else ways
    found = [*check_composites(model), *composed_problems(model, ways.interaction), *problems]
    found += absent_items(model, moments)
    if found:
        raise Problems(found)
    stages = climbed(model, moments, fit, ways.higher_order, ways.interaction, like)
    return assembled(settings, model, moments, stages, ways.higher_order, like)
