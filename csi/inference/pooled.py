"""What completed copies say together about any measure: its uncertainty inside the copies and between them.

Letters: `m` copies, `b` slices of a stack, `B` replicates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np

from csi.errors import Text
from csi.estimate.estimate import Estimate, Replicates
from csi.inference.intervals import Alternative
from csi.inference.replicates import Quantity
from csi.inference.rubin import Combined, rubin
from csi.inference.uncertainty import Uncertainty, degrees, replicates_behind, spread
from csi.moments.stack import Array

Scale = Literal["itself", "share", "ratio", "square"]
"""Where a measure is near normal: as it stands; a share of variance as Fisher's z of its root; a positive ratio as its
logarithm; a square as its root."""


@dataclass(frozen=True, slots=True)
class Pooling:
    """How imputations were combined.

    Attributes:
        m: how many. missing: fraction of missing information of each quantity, df: degrees of freedom (both in the
            order of the result's rows). copies: the estimates combined; measures of the pooled estimate are pooled
            from them.
    """

    m: int
    missing: Array
    df: Array
    copies: tuple[Estimate, ...] = ()

    def headline(self, cell: int) -> Text:
        """A line under the estimate of one cell."""
        here = np.atleast_2d(self.missing)[cell]
        worst = 100 * float(np.nanmax(here)) if np.isfinite(here).any() else 0.0
        return Text(
            f"Pooled over {self.m} imputations; at most {worst:.0f} % of the information is missing.",
            f"合并 {self.m} 份插补数据；缺失信息比例最高 {worst:.0f}%。",
        )


def copies_of(est: Estimate) -> tuple[Estimate, ...]:
    """The estimates that a pooled one was made of; none of any other."""
    pooling = est.extra.get("pooling")
    return pooling.copies if isinstance(pooling, Pooling) else ()


def pooled(est: Estimate, quantity: Quantity, scale: Scale = "itself", *, kept: bool = False) -> Uncertainty:
    """Any measure of the copies, combined by Rubin's rules.

    Value and limits are combined where the measure is near normal (`scale`) and turned back; the standard error is
    that of the measure itself. The variance inside a copy is that of its replicates.

    Parameters:
        est: of `csi.pool`, of copies with replicates. quantity: (Moments, Solution) -> (m, ...). kept: whether it
            follows from the solution alone, which saves a pass over the rows.

    Raises:
        Problems: a copy has no replicates.

    Source:
        Rubin (1987); Barnard & Rubin (1999); on shares of variance: Harel (2009), J. of Applied Statistics 36(10).
    """
    own = [_measured(copy, quantity, kept=kept) for copy in copies_of(est)]
    there, back = TURNED[scale]
    turned = _combined(own, there)
    raw = turned if scale == "itself" else _combined(own, lambda x: x)
    low, high = turned.interval(est.level, cast("Alternative", est.alternative))
    return Uncertainty(
        value=back(turned.value),
        std_error=raw.std_error,
        conf_low=back(low),
        conf_high=back(high),
        p_value=raw.p_value(cast("Alternative", est.alternative)),
        draws=np.empty((0, *raw.value.shape)),
    )


def pooled_pairs(est: Estimate, values: Array, errors: Array, complete: Array | float = np.inf) -> Uncertainty:
    """Values and standard errors (m, b, ...) of copies combined; `complete`: degrees of freedom of complete data.

    Example:
        >>> import csi, polars as pl
        >>> rng = np.random.default_rng(1)
        >>> f = rng.standard_normal(200)
        >>> frame = pl.DataFrame({f"y{i}": f + rng.standard_normal(200) for i in range(3)})
        >>> both = csi.pool([csi.fit("f =~ y0 + y1 + y2", frame, csi.SEM()) for _ in range(2)])
        >>> pooled_pairs(both, np.array([[1.0], [3.0]]), np.ones((2, 1))).value.tolist()
        [2.0]
    """
    found = rubin(values, errors, complete)
    side = cast("Alternative", est.alternative)
    low, high = found.interval(est.level, side)
    draws = np.empty((0, *found.value.shape))
    return Uncertainty(found.value, found.std_error, low, high, found.p_value(side), draws)


@dataclass(frozen=True, slots=True)
class _Measured:
    """A measure of one copy (b, ...) with its draws (B, b, ...)."""

    value: Array
    draws: Array
    replicates: Replicates


def _measured(copy: Estimate, quantity: Quantity, *, kept: bool) -> _Measured:
    """A measure of a copy and of its replicates."""
    replicates = replicates_behind(copy)
    value = quantity(copy.moments, copy.solution)
    if not kept:
        return _Measured(value, replicates.over(quantity), replicates)
    drawn = quantity(copy.moments, replicates.solution)
    draws = np.array(drawn, dtype=np.float64).reshape(*replicates.usable.shape, *drawn.shape[1:])
    draws[~replicates.usable] = np.nan
    return _Measured(value, draws, replicates)


def _combined(own: Sequence[_Measured], there: Callable[[Array], Array]) -> Combined:
    """The copies by Rubin's rules, on the scale that `there` leads to."""
    with np.errstate(divide="ignore", invalid="ignore"):
        values = [there(one.value) for one in own]
        errors = [
            spread(there(one.draws), value, one.replicates.factors) for one, value in zip(own, values, strict=True)
        ]
    df = np.maximum(degrees(own[0].replicates), 1.0).reshape(-1, *[1] * (values[0].ndim - 1))
    return rubin(np.stack(values), np.stack(errors), np.broadcast_to(df, values[0].shape))


def _same(x: Array) -> Array:
    return x


def _fisher(r2: Array) -> Array:
    """Fisher's z of the multiple correlation."""
    return np.asarray(np.arctanh(np.sqrt(r2)))


def _share(z: Array) -> Array:
    """R2 of a Fisher's z; 0 below 0, open where it is infinite."""
    return np.where(np.isinf(z), z, np.tanh(np.maximum(z, 0.0)) ** 2)


def _ratio(z: Array) -> Array:
    """A ratio of its logarithm; an open limit stays open."""
    return np.where(np.isinf(z), z, np.exp(z))


def _square(z: Array) -> Array:
    """A square of its root; 0 below 0, open where it is infinite."""
    return np.where(np.isinf(z), z, np.maximum(z, 0.0) ** 2)


TURNED: dict[Scale, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "itself": (_same, _same),
    "share": (_fisher, _share),
    "ratio": (np.log, _ratio),
    "square": (np.sqrt, _square),
}
