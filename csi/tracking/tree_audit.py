"""The audit of a tree: what adds up to every parent.

Letters: `m` nodes, `l` leaves, `t` waves.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from csi.tracking.places import brand_of
from csi.tracking.tree_leaves import SEEN
from csi.tracking.tree_tables import Made

TOGETHER = "too few answers"
"""The row of the brands behind a leaf of all others that are not told singly."""


def audit_table(made: Made) -> pl.DataFrame:
    """Weight, share, index and contribution of every child; the contributions add up to the parent."""
    nodes, leaves = made.nodes, made.leaves
    place = {node: k for k, node in enumerate(nodes.leaves)}
    c = made.index.cells.height
    value = np.stack([np.asarray(rows[:, :c] @ made.forms.values(t)) for t, rows in enumerate(made.rows)])
    out: list[dict[str, object]] = []
    for parent in nodes.parents:
        below = nodes.children(parent)
        for t, wave in enumerate(made.waves):
            if made.shares[t].coverage[parent] <= 0:
                continue
            head = {"parent": nodes.names[parent], "wave": wave}
            total = {"parent_index": float(value[t, parent])}
            for i in below:
                weight = made.weights.values[t, i]
                if not np.isfinite(weight):
                    continue
                share = float(made.shares[t].in_parent[i])
                known = made.shares[t].coverage[i] > 0
                k = place.get(i)
                out.append(
                    {
                        **head,
                        "child": nodes.names[i],
                        "level": nodes.level[i],
                        "weight": float(weight),
                        "weight_period": made.weights.period[t, i] or None,
                        "as_of": made.weights.as_of[t, i] or None,
                        "share": share if known else 0.0,
                        "index": float(value[t, i]) if known else None,
                        "contribution": share * float(value[t, i]) if known else 0.0,
                        "n": int(leaves.n[t][made.shares[t].of_leaves[i] > 0].sum()) or made.few.of(t, i),
                        "treatment": None if k is None else str(leaves.treatment[t, k]),
                        "age": None if k is None else int(leaves.age[t, k]) or None,
                        **total,
                    }
                )
                if k is not None and known and str(leaves.treatment[t, k]) == SEEN:
                    out += _members(made, t, i, k)
    schema = _audit_schema()
    frame = pl.DataFrame(out, schema=schema, orient="row")
    return frame if made.waves != ("",) else frame.drop("wave")


def _members(made: Made, t: int, node: int, leaf: int) -> list[dict[str, object]]:
    """The brands that a leaf of all others is made of, weighed by their answers; of too few answers together."""
    row = made.leaves.rows[t][leaf]
    names = [brand_of(made.index, int(cell)) for cell in row.indices]
    if names == [made.nodes.names[node]]:
        return []
    n, value = made.index.n_of(made.construct)[row.indices], made.forms.values(t)[row.indices]
    singly = n >= made.few.small
    parts = [(names[i], np.array([i])) for i in np.flatnonzero(singly)]
    parts += [] if singly.all() else [(TOGETHER, np.flatnonzero(~singly))]
    return [
        {
            "parent": made.nodes.names[node],
            "wave": made.waves[t],
            "child": name,
            "level": made.nodes.level[node],
            "weight": float(n[at].sum()),
            "share": float(row.data[at].sum()),
            "index": float(row.data[at] @ value[at] / row.data[at].sum()),
            "contribution": float(row.data[at] @ value[at]),
            "n": int(n[at].sum()),
            "treatment": SEEN if name != TOGETHER else "together",
            "parent_index": float(row.data @ value),
        }
        for name, at in parts
    ]


def _audit_schema() -> dict[str, pl.DataType]:
    """The columns of the audit."""
    return {
        **dict.fromkeys(("parent", "wave", "child", "level"), pl.String()),
        "weight": pl.Float64(),
        **dict.fromkeys(("weight_period", "as_of"), pl.String()),
        **dict.fromkeys(("share", "index", "contribution"), pl.Float64()),
        "n": pl.Int64(),
        "treatment": pl.String(),
        "age": pl.Int64(),
        "parent_index": pl.Float64(),
    }
