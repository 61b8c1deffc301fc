"""Parents of a tree as weighted sums of leaves, and of cells: values, changes, chain-linked indices.

Letters: `m` nodes, `l` leaves, `t` waves, `x` columns (cells, then what no sample tells; see `tree_leaves`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from csi.moments.stack import Array
from csi.tracking.contrasts import Contrasts, contrasts
from csi.tracking.index import Index
from csi.tracking.tree_leaves import Leaves
from csi.tracking.tree_structure import Structure

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Shares:
    """How a wave's leaves make up every node.

    Attributes:
        of_leaves: (m, l) share of each leaf in each node, rows summing to 1; 0 without a value.
        in_parent: (m) share of each node in its parent among those with a value. coverage: (m) share of a node's weight
            that has a value.
    """

    of_leaves: Array
    in_parent: Array
    coverage: Array


def shares_of(tree: Structure, weights: Array, present: Bools) -> Shares:
    """`v_c = w_c / sum_c w_c` over the children with a value, multiplied down to the leaves.

    Parameters:
        tree: m nodes. weights: (m) of each node in its parent, NaN where it is not in the tree. present: (l) leaves.

    Example:
        >>> from csi.tracking.tree_structure import structure_of
        >>> tree = structure_of({"all": {"x": ["A", "B"], "y": ["C"]}})
        >>> shares_of(tree, np.array([1, 3, 2, 1, 1, 1.0]), np.array([True, True, True])).of_leaves[0].tolist()
        [0.5, 0.25, 0.25]
    """
    many, places = len(tree.names), {node: k for k, node in enumerate(tree.leaves)}
    made, in_parent, coverage = np.zeros((many, len(places))), np.full(many, np.nan), np.zeros(many)
    for node, k in places.items():
        made[node, k] = coverage[node] = float(present[k])
    for node in reversed(tree.parents):
        below = np.array(tree.children(node))
        w = np.nan_to_num(weights[below])
        has = coverage[below] > 0
        if w.sum() > 0:
            coverage[node] = (w * coverage[below]).sum() / w.sum()
        total = w[has].sum()
        if total > 0:
            in_parent[below] = np.where(has, w / total, 0.0)
            made[node] = in_parent[below] @ made[below]
    roots = [i for i, p in enumerate(tree.parent) if p < 0]
    in_parent[roots] = 1.0
    return Shares(made, in_parent, coverage)


@dataclass(frozen=True, slots=True)
class Rows:
    """Weighted sums of columns with what is known of them: (r,) values, standard errors, degrees of freedom."""

    value: Array
    std_error: Array
    df: Array


def evaluated(index: Index, construct: int, rows: sparse.csr_matrix, leaves: Leaves) -> Rows:
    """Values, errors and degrees of freedom of rows over the columns.

    `V = L_c V_c L_c' + sum_x L_x^2 extra_x`: the cells' joint covariance, plus what is added to carried and imputed
    leaves, `V = V_1 + V_2` with degrees of freedom `V^2 / (V_1^2 / df_1 + V_2^2 / df_2)`.

    Parameters:
        rows: (r, x). leaves: what is added, and its degrees of freedom (the fewest of those that enter a row).

    Source:
        Satterthwaite (1946), Biometrics Bulletin 2(6), 110-114.
    """
    c = index.cells.height
    of_cells = sparse.csr_matrix(rows[:, :c])
    of_cells.eliminate_zeros()
    found = contrasts(index, construct, of_cells)
    rest = sparse.csr_matrix(rows[:, c:])
    beyond = np.asarray(rest.power(2) @ leaves.extra[c:])
    empty = (np.diff(of_cells.indptr) == 0) & (beyond == 0)
    error = np.sqrt(found.std_error**2 + beyond)
    return Rows(
        np.where(empty, np.nan, found.estimate),
        np.where(empty, np.nan, error),
        _df(found, beyond, rest, leaves.extra_df[c:]),
    )


def _df(found: Contrasts, beyond: Array, rows: sparse.csr_matrix, df: Array) -> Array:
    """(r,) degrees of freedom of the cells' variance and what is added to it."""
    added = np.flatnonzero(beyond > 0)
    out = found.df.copy()
    for r in added:
        fewest = df[rows.indices[rows.indptr[r] : rows.indptr[r + 1]]].min()
        sampling = found.std_error[r] ** 2
        of_cells = sampling**2 / found.df[r] if sampling > 0 else 0.0
        out[r] = (sampling + beyond[r]) ** 2 / (of_cells + beyond[r] ** 2 / fewest)
    return out


def node_rows(shares: Sequence[Shares], leaves: Leaves) -> tuple[sparse.csr_matrix, ...]:
    """Wave -> (m, x) every node as a weighted sum of columns."""
    return tuple(
        sparse.csr_matrix(sparse.csr_matrix(s.of_leaves) @ rows) for s, rows in zip(shares, leaves.rows, strict=True)
    )


def matched(
    tree: Structure, weights: Array, leaves: Leaves, later: int, earlier: int, among: Bools | None = None
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """(m, x) both waves over the leaves that have a value in both, with the weights of the later one; of a leaf of
    several brands those of both waves (`Leaves.alike`).

    Parameters:
        among: (m) nodes that are asked for; of leaves alone nothing is weighed.
    """
    both, now, then = leaves.alike(later, earlier)
    if among is None or among[tree.parents].any():
        made = sparse.csr_matrix(shares_of(tree, weights[later], both).of_leaves)
    else:
        place = np.flatnonzero(both)
        at = (np.ones(place.size), (np.array(tree.leaves)[place], place))
        made = sparse.csr_matrix(at, shape=(len(tree.names), both.size))
    return sparse.csr_matrix(made @ now), sparse.csr_matrix(made @ then)


@dataclass(frozen=True, slots=True)
class Chained:
    """Chain-linked indices: (t, m) values, NaN where the chain is broken; rows of their gradients wave by wave; the
    place of the base wave.
    """

    value: Array
    gradient: tuple[sparse.csr_matrix, ...]
    base: int


def chained(
    tree: Structure, weights: Array, leaves: Leaves, values: Array, base: int, walls: Collection[int] = ()
) -> Chained:
    """Every node at 100 in the base wave, linked over the overlap where weights or leaves change.

    `C_t = C_{t-1} sum_j v_jt I_jt / sum_j v_jt I_j,t-1` over the leaves j with a value in both waves: the wave before
    is computed again with the new weights. With unchanged weights and leaves `C_t = 100 I_t / I_base`. Without such
    leaves the last wave with one stands in the place of the wave before.

    Parameters:
        weights: (t, m). values: (x) the index of every cell, 0 beyond. base: place of the base wave. walls: places of
            waves that are not compared with the wave before: the chain ends there.

    Source:
        International Labour Organization et al. (2004), Consumer Price Index Manual, 9.112-9.127 (chain linking).
    """
    waves, many = weights.shape
    covered = np.stack([shares_of(tree, w, p).coverage > 0 for w, p in zip(weights, leaves.present, strict=True)])
    log, grad = np.zeros((waves, many)), [sparse.csr_matrix((many, values.size)) for _ in range(waves)]
    for t in (*range(base + 1, waves), *range(base - 1, -1, -1)):
        open_, sign = covered[t].copy(), 1.0 if t > base else -1.0
        log[t] = np.nan
        for s in range(t - 1, base - 1, -1) if t > base else range(t + 1, base + 1):
            if any(min(s, t) < w <= max(s, t) for w in walls):
                break
            near = open_ & covered[s] & np.isfinite(log[s])
            if not near.any():
                continue
            now, before = matched(tree, weights, leaves, max(s, t), min(s, t), near)
            top, bottom = now @ values, before @ values
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio, up, down = np.log(top / bottom), 1 / top, 1 / bottom
            near &= np.isfinite(ratio)
            up, down = np.where(near, sign * up, 0.0), np.where(near, sign * down, 0.0)
            step = sparse.diags(up) @ now - sparse.diags(down) @ before
            log[t] = np.where(near, log[s] + sign * ratio, log[t])
            grad[t] = sparse.csr_matrix(grad[t] + sparse.diags(near.astype(np.float64)) @ grad[s] + step)
            open_ &= ~near
    value = np.where(covered[base], 100.0 * np.exp(log), np.nan)
    scaled = (sparse.csr_matrix(sparse.diags(np.nan_to_num(v)) @ g) for v, g in zip(value, grad, strict=True))
    return Chained(value, tuple(scaled), base)
