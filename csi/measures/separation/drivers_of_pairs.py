"""Which items draw two constructs together: cross-loadings, residual pairs, and the item HTMT would do without."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from csi.estimate.estimate import Estimate
from csi.measures.blocks import correlations
from csi.measures.indicators import indicator_cov, members
from csi.measures.modification import modification_indices
from csi.measures.separation.heterotrait import without_items
from csi.measures.tidy import cells_of, unsolved
from csi.measures.validity import htmt

SCHEMA = {
    "construct": pl.String,
    "other": pl.String,
    "kind": pl.String,
    "item": pl.String,
    "partner": pl.String,
    "mi": pl.Float64,
    "change": pl.Float64,
    "htmt_without": pl.Float64,
}


def causes_of(est: Estimate, pairs: Sequence[tuple[str, str]]) -> pl.DataFrame:
    """The largest modification index of each kind, and the item whose removal lowers HTMT most, of every pair.

    Parameters:
        est: the measurement model's fit. pairs: of its factors.
    """
    cells, solved = cells_of(est), [r is None for r in unsolved(est)]
    keys = [c for c in cells.columns if c != "n"]
    owner = {item: c.name for c in est.model.constructs for item in c.items}
    found = modification_indices(est)
    parts = []
    for s, key in enumerate(cells.select(keys).rows(named=True) if keys else [{}] * len(solved)):
        if not solved[s]:
            continue
        own = found.filter(*(pl.col(k).eq_missing(v) for k, v in key.items())) if keys else found
        rows = [*_freed(own, owner, pairs), *_removed(est, s, owner, pairs)]
        order = {pair: k for k, pair in enumerate(pairs)}
        rows.sort(key=lambda row: order[str(row["construct"]), str(row["other"])])
        parts.append(pl.DataFrame([{**key, **row} for row in rows], schema={**_keys(cells, keys), **SCHEMA}))
    return pl.concat(parts) if parts else pl.DataFrame(schema={**_keys(cells, keys), **SCHEMA})


def _keys(cells: pl.DataFrame, keys: list[str]) -> dict[str, Any]:
    """The key columns with their types."""
    return {k: cells.schema[k] for k in keys}


def _freed(
    frame: pl.DataFrame, owner: dict[str, str], pairs: Sequence[tuple[str, str]]
) -> list[dict[str, str | float | None]]:
    """What would fit better if it were free: the best cross-loading and the best residual pair of every pair."""
    wanted, seen = {frozenset(p): p for p in pairs}, {}
    kept = frame.drop_nulls("mi").select("lhs", "op", "rhs", "mi", "sepc_all")
    for lhs, op, rhs, mi, change in kept.rows():
        if op == "=~" and rhs in owner:
            pair, kind, item, partner = frozenset((lhs, owner[rhs])), "cross-loading", rhs, lhs
        elif op == "~~" and lhs in owner and rhs in owner:
            pair, kind, item, partner = frozenset((owner[lhs], owner[rhs])), "residual", lhs, rhs
        else:
            continue
        if pair in wanted and (pair, kind) not in seen:
            seen[pair, kind] = _row(wanted[pair], kind, item, partner, mi, change, None)
    return list(seen.values())


def _removed(
    est: Estimate, s: int, owner: dict[str, str], pairs: Sequence[tuple[str, str]]
) -> list[dict[str, str | float | None]]:
    """The item without which HTMT of a pair would be lowest, where it would be lower at all."""
    names, items = est.solution.constructs, est.solution.items
    cor, member = correlations(indicator_cov(est.moments, est.solution)[s]), members(est.solution)
    own, without = htmt(cor, member), without_items(cor, member)
    rows = []
    for pair in pairs:
        a, b = (names.index(name) for name in pair)
        at = [i for i, item in enumerate(items) if owner.get(item) in pair and np.isfinite(without[i, a, b])]
        if not at:
            continue
        best = min(at, key=lambda i: float(without[i, a, b]))
        if without[best, a, b] < own[a, b]:
            item = items[best]
            other = pair[0] if owner[item] == pair[1] else pair[1]
            rows.append(_row(pair, "item", item, other, None, None, float(without[best, a, b])))
    return rows


def _row(
    pair: tuple[str, str],
    kind: str,
    item: str,
    partner: str,
    mi: float | None,
    change: float | None,
    without: float | None,
) -> dict[str, str | float | None]:
    """One row of the frame."""
    return dict(zip(SCHEMA, (*pair, kind, item, partner, mi, change, without), strict=True))
