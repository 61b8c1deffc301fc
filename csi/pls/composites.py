"""What all estimators of composites share: the items they take, cells instead of groups, how a slice may end."""

from __future__ import annotations

from csi.models.model import Model
from csi.pls.outcome import CAUSES


class Composites:
    """The common part of `PLS`, `SumScores` and `GSCA`.

    Example:
        >>> from csi.pls.sum_scores import SumScores
        >>> SumScores().groups is None, SumScores().threads
        (True, True)
    """

    __slots__ = ()

    @property
    def groups(self) -> str | None:
        """No multi-group model: groups are cells of `by`."""
        return None

    @property
    def causes(self) -> tuple[str, ...]:
        """What the codes of `Convergence.cause` mean."""
        return CAUSES

    @property
    def threads(self) -> bool:
        """Whether `solve` may run in several threads at once."""
        return True

    def needs(self, model: Model) -> tuple[str, ...]:
        """The columns the model takes from the data: its items."""
        return model.items
