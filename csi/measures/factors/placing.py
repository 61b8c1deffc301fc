"""Items grouped by the factor they load on, beside the constructs they were meant for.

Letters: `p` items, `m` factors, `q` constructs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from csi.measures.factors.correlations import Correlations
from csi.measures.factors.placed import adjusted_rand, matched, similarity
from csi.moments.stack import Array, Ints


@dataclass(frozen=True, slots=True)
class Placed:
    """Where the items of one solution stand.

    Attributes:
        factor: (p,) place of the greatest loading. stands_for: factor name -> construct. own: (p,) place of the factor
            of the item's construct, -1 where none stands for it. similarity: factor, construct, congruence.
        adjusted_rand, share: agreement with the intended groups, None without two constructs.
    """

    factor: Ints
    stands_for: dict[str, str]
    own: Ints
    similarity: pl.DataFrame
    adjusted_rand: float | None
    share: float | None


@dataclass(frozen=True, slots=True)
class Placing:
    """What was intended.

    Attributes:
        constructs: their q names. intended: (p,) place of the construct of each item.
    """

    constructs: tuple[str, ...]
    intended: Ints

    @property
    def aim(self) -> Array:
        """(p, q) target: 0 for every construct but the item's own, which is NaN (any loading will do)."""
        own = self.intended[:, None] == np.arange(len(self.constructs))
        return np.where(own, np.nan, 0.0)

    def of(self, L: Array, names: Sequence[str], *, general: bool) -> Placed:
        """Places items by their greatest loading; beside a general factor by the group factors alone.

        Parameters:
            L: (p, m). names: of the factors. general: whether the first is a general factor.
        """
        q, first = len(self.constructs), int(general)
        group = L[:, first:]
        factor = first + np.argmax(np.abs(group), axis=1)
        if q < 2:
            none = pl.DataFrame(schema={"factor": pl.String, "construct": pl.String, "congruence": pl.Float64})
            return Placed(factor, {}, np.full(len(L), -1, dtype=np.int64), none, None, None)
        of_construct = matched(group, self.intended, q)
        of_construct = np.where(of_construct >= 0, of_construct + first, -1)
        own = of_construct[self.intended]
        members = (self.intended[:, None] == np.arange(q)).astype(np.float64)
        near = similarity(group, members)
        frame = pl.DataFrame(
            {
                "factor": [n for n in names[first:] for _ in range(q)],
                "construct": list(self.constructs) * group.shape[1],
                "congruence": near.ravel(),
            }
        )
        rand = adjusted_rand(factor, self.intended)
        return Placed(
            factor,
            {names[f]: c for f, c in zip(of_construct.tolist(), self.constructs, strict=True) if f >= 0},
            own,
            frame,
            None if np.isnan(rand) else rand,
            float((factor == own).mean()),
        )


def placing_of(given: Correlations) -> Placing:
    """The constructs of items, in the order they were named; an item of several belongs to the first."""
    constructs = tuple(given.scales)
    home = {item: k for k, name in reversed([*enumerate(constructs)]) for item in given.scales[name]}
    return Placing(constructs, np.array([home[name] for name in given.names], dtype=np.int64))
