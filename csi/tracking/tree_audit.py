"""The audit of a tree: what adds up to every parent.

Letters: `m` nodes, `l` leaves, `t` waves.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from csi.tracking.places import brand_of
from csi.tracking.tree_leaves import SEEN
from csi.tracking.tree_tables import Made, hidden_groups, leaves_below


def audit_table(made: Made) -> pl.DataFrame:
    """Weight, share, index and contribution of every child; the contributions add up to the parent."""
    nodes, leaves = made.nodes, made.leaves
    place = {node: k for k, node in enumerate(nodes.leaves)}
    groups, hidden = hidden_groups(made), made.hidden.nodes
    c = made.index.cells.height
    value = np.stack([np.asarray(rows[:, :c] @ made.forms.values(t)) for t, rows in enumerate(made.rows)])
    out: list[dict[str, object]] = []
    for parent in nodes.parents:
        below = nodes.children(parent)
        for t, wave in enumerate(made.waves):
            if made.shares[t].coverage[parent] <= 0 or hidden[t, parent]:
                continue
            head = {"parent": nodes.names[parent], "wave": wave}
            total = {"parent_index": float(value[t, parent])}
            for i in below:
                weight = made.weights.values[t, i]
                if not np.isfinite(weight) or hidden[t, i]:
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
                        "n": int(leaves.n[t][made.shares[t].of_leaves[i] > 0].sum()),
                        "treatment": None if k is None else str(leaves.treatment[t, k]),
                        "age": None if k is None else int(leaves.age[t, k]) or None,
                        **total,
                    }
                )
                if k is not None and known and str(leaves.treatment[t, k]) == SEEN:
                    out += _members(made, t, i, k)
            at = groups.get((parent, t), [])
            if at:
                v = made.shares[t].in_parent[at]
                out.append(
                    {
                        **head,
                        "child": made.others,
                        "level": nodes.level[at[0]],
                        "weight": float(made.weights.values[t, at].sum()),
                        "share": float(v.sum()),
                        "index": float(v @ value[t, at] / v.sum()),
                        "contribution": float(v @ value[t, at]),
                        "n": int(leaves.n[t, leaves_below(made, t, at)].sum()),
                        "treatment": "together",
                        **total,
                    }
                )
    schema = _audit_schema()
    frame = pl.DataFrame(out, schema=schema, orient="row")
    return frame if made.waves != ("",) else frame.drop("wave")


def _members(made: Made, t: int, node: int, leaf: int) -> list[dict[str, object]]:
    """The brands that a leaf of all others is made of, weighed by their answers; no index where one has too few."""
    row = made.leaves.rows[t][leaf]
    cells, shares = row.indices, row.data
    names = [brand_of(made.index, int(cell)) for cell in cells]
    if names == [made.nodes.names[node]]:
        return []
    n, value = made.index.n_of(made.construct)[cells], made.forms.values(t)[cells]
    told = bool((n >= made.small).all())
    return [
        {
            "parent": made.nodes.names[node],
            "wave": made.waves[t],
            "child": name,
            "level": made.nodes.level[node],
            "weight": float(n[i]),
            "share": float(shares[i]),
            "index": float(value[i]) if told else None,
            "contribution": float(shares[i] * value[i]) if told else None,
            "n": int(n[i]),
            "treatment": SEEN,
            "parent_index": float(shares @ value),
        }
        for i, name in enumerate(names)
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
