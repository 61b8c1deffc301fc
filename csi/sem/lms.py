"""Latent moderated structural equations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csi.errors import Problems, problem
from csi.estimate.estimate import Estimate
from csi.models.model import Model
from csi.moments.stack import Moments

if TYPE_CHECKING:
    from csi.sem.estimator import SEM


def solve_lms(settings: SEM, model: Model, moments: Moments, *, bare: bool) -> Estimate:
    """Fit every slice of `moments`."""
    del settings, moments, bare
    en, zh = "LMS is not available for this model.", "该模型不能使用 LMS。"
    raise Problems([problem("E-INTERACTION", str(model), en, zh)])
