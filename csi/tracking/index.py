"""The index: 0-100 from unstandardised outer weights, with a standard error that knows the weights are estimated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.errors import Note, Reason
from csi.moments.stack import Array


@dataclass(frozen=True, slots=True)
class Index:
    """Index values of every construct in every cell.

    Attributes:
        table: tidy; key columns (`brand`, `wave`, ... as present), construct, index, std_error, conf_low, conf_high, n,
            n_effective, std_error_fixed (weights held fixed), reason (null unless index is null).
        weights: tidy; construct, item, weight (relative, sums to 1 per construct), std_error, plus the key columns of
            the cells that estimated them.
        constructs, cells: axes of the arrays. values: (c, q). replicates: (B, c, q) or None; NaN where unusable.
        rule: which cells estimate the weights: "own", "entity", "wave", "base", "pooled" or "given". base: the base
            wave when anchored. level, scheme (the engine's name), seed.
    """

    table: pl.DataFrame
    weights: pl.DataFrame
    constructs: tuple[str, ...]
    cells: pl.DataFrame
    values: Array
    replicates: Array | None
    rule: str
    base: str | None
    level: float
    scheme: str
    seed: int | None
    degrees_of_freedom: npt.NDArray[np.float64] | None = None
    reasons: tuple[Reason, ...] = ()
    notes: tuple[Note, ...] = ()
