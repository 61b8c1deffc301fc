"""Observed predictors in the baseline: independence leaves them correlated with each other.

With `fixed_x` (the default of maximum likelihood) their moments are given; without, the baseline estimates them freely.

Letters: `b` slices, `p` items, `M` moments.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from csi.measures.incomplete_rows import saturated_gamma, saturated_weight
from csi.moments.stack import Array, RowPass
from csi.sem.fiml import Incomplete
from csi.sem.fitted import Fitted, GroupFit
from csi.sem.full_information import saturated_of
from csi.sem.layout import Layout

Flags = npt.NDArray[np.bool_]


def exogenous_of(fit: Fitted) -> Flags:
    """(p,) which items are exogenous observed variables whose moments are given."""
    return given(fit.layout)


def correlated_of(fit: Fitted) -> Flags:
    """(p,) which items keep their covariances under independence."""
    return correlated(fit.layout)


@lru_cache(maxsize=64)
def given(layout: Layout) -> Flags:
    """(p,) items whose moments are given, by layout."""
    table = layout.table
    return np.array([name in table.exogenous for name in table.observed], dtype=bool)


@lru_cache(maxsize=64)
def correlated(layout: Layout) -> Flags:
    """(p,) observed predictors that nothing explains and no statement gives a variance, a covariance or a mean.

    Example:
        >>> from csi.models.syntax.build import parse_claim
        >>> from csi.sem.layout import layout_of
        >>> from csi.sem.table import Rules, table_of
        >>> claim = parse_claim("f =~ y1 + y2 + y3; f ~ a + b")
        >>> layout = layout_of(table_of(claim, Rules(fixed_x=False)))
        >>> [layout.table.observed[i] for i in correlated(layout).nonzero()[0]], given(layout).any()
        (['a', 'b'], np.False_)
    """
    table = layout.table
    causes = {r.rhs for r in table.rows if r.op == "~"}
    explained = {r.lhs for r in table.rows if r.op == "~"} | {r.rhs for r in table.rows if r.op == "=~"}
    stated = {n for r in table.rows if r.stated and r.op in {"~~", "~1"} for n in (r.lhs, r.rhs)}
    kept = set(table.exogenous) | (causes - explained - stated)
    return np.array([name in kept for name in table.observed], dtype=bool)


def free_exogenous(fit: Fitted) -> Flags:
    """(p,) items that keep their covariances and are estimated."""
    return correlated_of(fit) & ~exogenous_of(fit)


def part_of(group: GroupFit, chosen: Flags) -> tuple[GroupFit, Array]:
    """Some items of a group with their saturated moments from rows with absent answers, and (b,) log-likelihoods."""
    moments = group.moments.of_items([n for n, keep in zip(group.moments.names, chosen, strict=True) if keep])
    if moments.rows is None:
        raise LookupError("the fit let its rows go")
    moments = replace(moments, rows=_answered(moments.rows))
    found = saturated_of(Incomplete.of(_rows(moments.rows)))
    return replace(group, moments=moments, mean=found.mean, cov=found.cov), found.loglik


def _rows(rows: RowPass | None) -> RowPass:
    """Rows that are there."""
    if rows is None:
        raise LookupError("the fit let its rows go")
    return rows


def _answered(rows: RowPass) -> RowPass:
    """Rows with an answer to at least one item."""
    keep = [~np.isnan(x).all(axis=1) for x in rows.rows]
    return RowPass(
        tuple(x[k] for x, k in zip(rows.rows, keep, strict=True)),
        tuple(w[:, k] for w, k in zip(rows.weights, keep, strict=True)),
        tuple(u[k] for u, k in zip(rows.units, keep, strict=True)),
    )


def free_trace(group: GroupFit, chosen: Flags, *, means: bool) -> Array:
    """(b,) tr(B A^-1) of the saturated moments of some items: cross-product of scores over observed information."""
    part, _ = part_of(group, chosen)
    H = saturated_weight(part)
    q = int(chosen.sum())
    keep = np.arange(0 if means else q, H.shape[1])
    square = np.ix_(keep, keep)
    traces = [np.trace(H[s][square] @ saturated_gamma(H[s], part, s, keep, robust=True)) for s in range(len(H))]
    return np.array(traces, dtype=np.float64)
