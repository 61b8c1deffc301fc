"""Where every parameter of a table stands in the matrices of the model, as index arrays.

    Sigma = Lambda Phi Lambda' + Theta,  Phi = A Psi A',  A = (I - Beta)^-1,  mu = nu + Lambda A alpha

Observed variables that take part in regressions, or covary with a latent, are latents with loading 1 and no residual.
With K = [I | Lambda A | Lambda Phi] every derivative has two vectors:

    dSigma/dtheta = s (K_u K_v' + K_v K_u'),   dmu/dtheta = c K_u

Letters: `p` items, `m` latents (dummies included), `e` entries (cells of the matrices with a free parameter).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from csi.moments.stack import Array, Ints
from csi.sem.table import Parameter, Table


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """The free cells of one group's matrices.

    Attributes:
        position, mirror: (e,) places in the flat vector of all matrices (equal but for symmetric pairs).
        parameter: (e,) free parameter. u, v: (e,) columns of K. s: (e,) factor of dSigma (0 for means).
        c: (e,) place of the factor of dmu in [A alpha, 1, 0]. row: (e,) row of the table.
    """

    position: Ints
    mirror: Ints
    parameter: Ints
    u: Ints
    v: Ints
    s: Array
    c: Ints
    row: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One group's matrices.

    Attributes:
        observed: p names. latent: m names (constructs, then promoted observed variables). q: number of constructs.
        entries: free cells. fixed: (f,) flat places, mirrors and values of fixed cells. sampled: places, mirrors and
            items (i, j) whose sample moment they take; j is -1 for a mean. tau, scale: rows of thresholds and scales.
    """

    observed: tuple[str, ...]
    latent: tuple[str, ...]
    q: int
    entries: Entries
    fixed: tuple[Ints, Ints, Array]
    sampled: tuple[Ints, Ints, Ints, Ints]
    place: dict[int, tuple[int, int]]
    """table row -> (flat place, mirror)."""
    depth: int
    """arrows of the longest path among latents, -1 where one runs in a circle."""
    means: bool
    """whether means are modelled."""

    @property
    def size(self) -> int:
        """Length of the flat vector: Lambda, Theta, Psi, Beta, nu, alpha."""
        p, m = len(self.observed), len(self.latent)
        return p * m + p * p + 2 * m * m + p + m


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """All groups of a table.

    Attributes:
        table: the parameters. blocks: one per group. means: whether means are modelled. count: k free parameters.
    """

    table: Table
    blocks: tuple[Block, ...]
    means: bool
    count: int


@lru_cache(maxsize=64)
def layout_of(table: Table) -> Layout:
    """Index arrays of every group.

    Raises:
        ValueError: two rows fill one cell (`f =~ y` and `y ~ f`), so that one of them would be lost.

    Example:
        >>> from csi.models.syntax.build import parse_claim
        >>> from csi.sem.table import Rules, table_of
        >>> layout = layout_of(table_of(parse_claim("f =~ y1 + y2 + y3; y3 ~ y1"), Rules()))
        >>> layout.blocks[0].latent
        ('f', 'y1', 'y3')
    """
    promoted = _promoted(table)
    blocks = tuple(_block(table, g, promoted) for g in range(table.count))
    means = any(r.op == "~1" for r in table.rows)
    return Layout(table, blocks, means, len(table.names))


def _promoted(table: Table) -> tuple[str, ...]:
    """Observed variables that must be latents: in regressions, or covarying with what is inside."""
    inside = set(table.latent)
    inside |= {n for r in table.rows if r.op == "~" for n in (r.lhs, r.rhs)}
    inside |= set(table.exogenous)
    while True:
        found = {
            n
            for r in table.rows
            if r.op == "~~" and r.lhs != r.rhs and (r.lhs in inside) != (r.rhs in inside)
            for n in (r.lhs, r.rhs)
        } - inside
        if not found:
            break
        inside |= found
    return tuple(n for n in table.observed if n in inside)


def _block(table: Table, g: int, promoted: tuple[str, ...]) -> Block:
    """The matrices of group `g`."""
    latent = (*table.latent, *promoted)
    p, m = len(table.observed), len(latent)
    item = {n: i for i, n in enumerate(table.observed)}
    inner = {n: i for i, n in enumerate(latent)}
    place: dict[int, tuple[int, int]] = {}
    filled: dict[int, int] = {}
    free: list[tuple[int, int, int, int, int, float, int, int]] = []
    fixed: list[tuple[int, int, float]] = [(item[n] * m + inner[n], item[n] * m + inner[n], 1.0) for n in promoted]
    sampled: list[tuple[int, int, int, int]] = []
    for number, row in enumerate(table.rows):
        if row.group != g or row.op in {"|", "~*~"}:
            continue
        at, mirror, u, v, s, c = _cell(row, item, inner, p, m)
        other = filled.setdefault(min(at, mirror), number)
        if other != number:
            both = " and ".join("{} {} {}".format(*table.rows[n].key).strip() for n in (other, number))
            raise ValueError(f"{both} fill one cell of the matrices")
        place[number] = (at, mirror)
        if row.sampled:
            sampled.append((at, mirror, item[row.lhs], item[row.rhs] if row.op == "~~" else -1))
        elif row.fixed is not None:
            fixed.append((at, mirror, row.fixed))
        else:
            free.append((at, mirror, table.index[number], u, v, s, c, number))
    columns = list(zip(*free, strict=True)) or [()] * 8
    at_, mirror_, parameter, u_, v_, _, c_, row_ = (np.array(c, dtype=np.int64) for c in columns)
    entries = Entries(at_, mirror_, parameter, u_, v_, np.array(columns[5], dtype=np.float64), c_, row_)
    held = list(zip(*fixed, strict=True)) or [(), (), ()]
    taken = [np.array(c, dtype=np.int64) for c in (list(zip(*sampled, strict=True)) or [()] * 4)]
    return Block(
        observed=table.observed,
        latent=latent,
        q=len(table.latent),
        entries=entries,
        fixed=(
            np.array(held[0], dtype=np.int64),
            np.array(held[1], dtype=np.int64),
            np.array(held[2], dtype=np.float64),
        ),
        sampled=(taken[0], taken[1], taken[2], taken[3]),
        place=place,
        depth=_depth(table, g, inner),
        means=any(r.op == "~1" for r in table.rows),
    )


def _depth(table: Table, g: int, inner: dict[str, int]) -> int:
    """Arrows of the longest path among latents; -1 where one runs in a circle."""
    arrows = np.zeros((len(inner), len(inner)), dtype=bool)
    for row in table.rows:
        to, source = (row.rhs, row.lhs) if row.op == "=~" else (row.lhs, row.rhs)
        if row.group == g and row.op in {"=~", "~"} and to in inner:
            arrows[inner[to], inner[source]] = True
    reached, depth = arrows, 0
    while reached.any():
        depth += 1
        if depth > len(inner):
            return -1
        reached = reached @ arrows
    return depth


def _cell(
    row: Parameter, item: dict[str, int], inner: dict[str, int], p: int, m: int
) -> tuple[int, int, int, int, float, int]:
    """Flat place, mirror, u, v, s, c of one row."""
    theta, psi = p * m, p * m + p * p
    beta, nu = psi + m * m, psi + 2 * m * m
    one, none = m, m + 1
    if row.op == "~1":
        if row.lhs in inner:
            j = inner[row.lhs]
            return nu + p + j, nu + p + j, p + j, p + j, 0.0, one
        i = item[row.lhs]
        return nu + i, nu + i, i, i, 0.0, one
    if row.op == "~~":
        if row.lhs in inner and row.rhs in inner:
            i, j = inner[row.lhs], inner[row.rhs]
            return psi + i * m + j, psi + j * m + i, p + i, p + j, 0.5 if i == j else 1.0, none
        i, j = item[row.lhs], item[row.rhs]
        return theta + i * p + j, theta + j * p + i, i, j, 0.5 if i == j else 1.0, none
    to, source = (row.rhs, row.lhs) if row.op == "=~" else (row.lhs, row.rhs)
    j = inner[source]
    if to in inner:
        i = inner[to]
        return beta + i * m + j, beta + i * m + j, p + i, p + m + j, 1.0, j
    i = item[to]
    return i * m + j, i * m + j, i, p + m + j, 1.0, j


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Every pair of entries (k, l), k <= l: h of them.

    Attributes:
        uu, vv, uv, vu: (h,) flat places in a (c x c) matrix of [u_k, u_l], [v_k, v_l], [u_k, v_l], [v_k, u_l].
        row, column: (h,) k and l. ss: (h,) 2 s_k s_l. square: (e, e) which pair stands where in the full matrix.
        all_uu, all_uv, all_vu: (e, e) the same places for all pairs.
    """

    uu: Ints
    vv: Ints
    uv: Ints
    vu: Ints
    row: Ints
    column: Ints
    ss: Array
    square: Ints
    all_uu: Ints
    all_uv: Ints
    all_vu: Ints


@lru_cache(maxsize=64)
def pairs_of(block: Block) -> Pairs:
    """Index arrays of a group's Hessian."""
    width = len(block.observed) + 2 * len(block.latent)
    u, v, s = block.entries.u, block.entries.v, block.entries.s
    k, other = np.triu_indices(len(u))
    square = np.zeros((len(u), len(u)), dtype=np.int64)
    square[k, other] = square[other, k] = np.arange(len(k))
    return Pairs(
        uu=u[k] * width + u[other],
        vv=v[k] * width + v[other],
        uv=u[k] * width + v[other],
        vu=v[k] * width + u[other],
        row=k,
        column=other,
        ss=2 * s[k] * s[other],
        square=square,
        all_uu=u[:, None] * width + u,
        all_uv=u[:, None] * width + v,
        all_vu=v[:, None] * width + u,
    )
