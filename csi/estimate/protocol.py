"""The contract of an estimator: a frozen settings value that solves a stack of moments."""

from __future__ import annotations

from typing import Protocol

from csi.estimate.estimate import Estimate
from csi.models.model import Model
from csi.moments.stack import Missing, Moments


class Estimator(Protocol):
    """PLS, SEM, Semopy, ...: settings in, `Estimate` out."""

    @property
    def name(self) -> str:
        """Short name for tables, such as "PLS (path)"."""

    @property
    def missing(self) -> Missing:
        """How absent answers are treated before moments are formed."""

    @property
    def groups(self) -> str | None:
        """The column whose values are the groups of a multi-group model; None without one."""

    def needs(self, model: Model) -> tuple[str, ...]:
        """The columns that `model` takes from the data, in the order the moments shall have."""

    @property
    def causes(self) -> tuple[str, ...]:
        """What the codes of `Convergence.cause` mean; "" for 0."""

    @property
    def threads(self) -> bool:
        """Whether `solve` may run in several threads at once."""

    def solve(self, model: Model, moments: Moments, like: Estimate | None = None) -> Estimate:
        """Fit every slice of `moments`.

        `like` is the estimate, of one cell, that these slices are replicates of: it fixes orientation (signs), never
        start values.
        """
