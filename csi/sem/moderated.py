"""The way of a fit with latent interactions: products of indicators, or LMS."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

from csi.errors import Problems
from csi.estimate.estimate import Estimate
from csi.models.model import Model
from csi.models.nouns import Claim
from csi.moments.stack import Moments
from csi.sem.interaction import interaction_problems, product_moments, products_of, told, with_products
from csi.sem.lms_fit import solve_lms
from csi.sem.solve import solve

if TYPE_CHECKING:
    from csi.sem.estimator import SEM


def moderated(settings: SEM, model: Model, moments: Moments, *, bare: bool) -> Estimate:
    """Fit every slice of `moments`, interactions included.

    Parameters:
        bare: leave out what replicates do not need.

    Raises:
        Problems: a model or data that cannot be fitted, all problems at once.
    """
    if not any(c.product_of for c in model.constructs):
        return solve(settings, model, moments, bare=bare)
    known = moments.rows is not None or (bool(moments.parts) and all(m.rows is not None for m in moments.parts))
    if settings.interaction == "lms":
        return solve_lms(settings, model, moments, bare=bare)
    found = interaction_problems(model, settings.pairs, settings.ordered, rows=known)
    if found:
        raise Problems(found)
    products = products_of(model, settings.pairs)
    claim = with_products(model, products, settings.interaction)
    multiplied = replace(model, **{part.name: getattr(claim, part.name) for part in fields(Claim)})
    est = solve(settings, multiplied, product_moments(moments, products, settings.interaction), bare=bare)
    notes = () if bare else told(products, settings.interaction)
    return replace(est, model=model, notes=(*notes, *est.notes))
