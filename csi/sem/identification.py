"""Which parameters the moments cannot determine: the rank of the jacobian of the implied moments.

A parameter is locally identified when no direction of the null space of d(moments)/d(parameters) moves it. The rank at
a generic point tells of the model, the rank at a solution of the model with these data.

Letters: `k` parameters, `r` working parameters, `M` moments of all groups, `d` directions, `b` slices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from csi.errors import Note, note
from csi.moments.stack import Array, Ints
from csi.sem.constraints import Linear, unconstrained
from csi.sem.implied import Implied, template, vech
from csi.sem.layout import Layout
from csi.sem.moment_vector import Plan, implied_group, plans_of, vector_jacobian

RANK = 1e-9
"""A singular value this far below the largest (rows and columns of the jacobian without units) counts as 0."""

MOVED = 1e-5
"""A parameter with a larger share in a direction of the null space is moved by it."""

SEEDS = 8
"""So many generic points are looked for until one has finite moments."""


@dataclass(frozen=True, slots=True)
class Rank:
    """What the moments determine.

    Attributes:
        moments: number of moments with a derivative. parameters: free ones, equality constraints taken off.
        rank: how many directions are determined. smallest: the smallest singular value, relative to the largest.
        directions: (k, d) directions in which nothing changes, in parameters on one scale.
        at: numbers of the parameters that those directions move. names: their names.
    """

    moments: int
    parameters: int
    rank: int
    smallest: float
    directions: Array
    at: tuple[int, ...]
    names: tuple[str, ...]

    @property
    def identified(self) -> bool:
        """Whether every parameter is (locally) identified."""
        return not self.directions.shape[1]


def unidentified(layout: Layout, linear: Linear | None = None) -> tuple[str, ...]:
    """Names of the parameters that no data could determine; () where the model is locally identified.

    Parameters:
        layout: the model. linear: its equality constraints.

    Source:
        Wald (1950); Rothenberg (1971), Econometrica 39, theorem 1; Bekker, Merckens & Wansbeek (1994).

    Example:
        >>> from csi.models.syntax.build import parse_claim
        >>> from csi.sem.layout import layout_of
        >>> from csi.sem.table import Rules, table_of
        >>> unidentified(layout_of(table_of(parse_claim("f =~ y1 + y2"), Rules())))
        ('f =~ y2', 'y1 ~~ y1', 'y2 ~~ y2', 'f ~~ f')
        >>> unidentified(layout_of(table_of(parse_claim("f =~ y1 + y2 + y3"), Rules())))
        ()
    """
    return generic_rank(layout, linear).names


def generic_rank(layout: Layout, linear: Linear | None = None) -> Rank:
    """What the moments of a model determine at a generic point.

    Parameters:
        layout: the model. linear: its equality constraints.
    """
    if linear is None or linear.plain:
        return _plain_rank(layout)
    return _generic(layout, linear)


@lru_cache(maxsize=64)
def _plain_rank(layout: Layout) -> Rank:
    """Without constraints, kept: a model is fitted many times."""
    return _generic(layout, unconstrained(layout.count))


def _generic(layout: Layout, linear: Linear) -> Rank:
    """The rank at the first generic point that has finite moments."""
    rank = None
    for seed in range(SEEDS):
        flats, theta = generic_point(layout, linear, seed)
        J = moment_jacobian(layout, flats, theta)[0]
        if np.isfinite(J).all():
            rank = rank_of(layout, J, linear.N)
            break
    return rank or Rank(0, linear.N.shape[1], linear.N.shape[1], 1.0, np.empty((layout.count, 0)), (), ())


def rank_at(layout: Layout, linear: Linear, flats: Sequence[Array], theta: Array) -> list[Rank]:
    """What the moments determine at given parameters, slice by slice.

    Parameters:
        flats: per group (b, size), the fixed values of the matrices. theta: (b, k).
    """
    with np.errstate(all="ignore"):
        J = moment_jacobian(layout, flats, theta)
    return [rank_of(layout, np.where(np.isfinite(one), one, 0.0), linear.N) for one in J]


def moment_jacobian(layout: Layout, flats: Sequence[Array], theta: Array) -> Array:
    """(b, M, k) derivatives of the moments of all groups by the parameters, in standard deviations of the items."""
    parts = []
    with np.errstate(all="ignore"):
        for g, (flat, plan) in enumerate(zip(flats, plans_of(layout), strict=True)):
            at = implied_group(layout, g, flat, theta)
            parts.append(vector_jacobian(layout, g, plan, at, theta) / moment_units(plan, at)[:, :, None])
    return np.concatenate(parts, axis=1)


def moment_units(plan: Plan, at: Implied) -> Array:
    """(b, M) units of the moments: (products of) implied standard deviations; 1 for what ordinal items respond with.

    Moments divided by them are the same whatever units the items are measured in.
    """
    own = np.abs(np.diagonal(at.Sigma, axis1=1, axis2=2))
    counted = np.isfinite(own) & (own > 0) & ~np.array(plan.ordinal, dtype=bool)
    sd = np.sqrt(np.where(counted, own, 1.0))
    products = sd[:, :, None] * sd[:, None, :]
    if not plan.any_ordinal:
        return np.concatenate([sd, vech(products)], axis=1) if plan.means else vech(products)
    given = np.sqrt(np.einsum("bii->bi", at.Phi)[:, plan.given])
    slopes = (sd[:, plan.kept, None] / given[:, None, :]).swapaxes(1, 2).reshape(len(sd), -1)
    own, (i, j) = plan.own, plan.off
    return np.concatenate([sd[:, plan.th_item], slopes, sd[:, own] ** 2, products[:, i, j]], axis=1)


def rank_of(layout: Layout, jacobian: Array, N: Array) -> Rank:
    """The rank of a jacobian along the constraints.

    Parameters:
        jacobian: (M, k), moments without units. N: (k, r) directions the constraints leave.
    """
    J, scale = _levelled(jacobian)
    Q = np.linalg.qr(scale[:, None] * N)[0]
    null, smallest, rank = null_space(J @ Q)
    directions = Q @ null
    at = tuple(int(i) for i in np.flatnonzero(np.abs(directions).max(axis=1, initial=0.0) > MOVED))
    moments = int((np.abs(jacobian).max(axis=1, initial=0.0) > 0).sum())
    names = tuple(layout.table.names[i] for i in at)
    return Rank(moments, N.shape[1], rank, smallest, directions, at, names)


def null_space(matrix: Array) -> tuple[Array, float, int]:
    """(r, d) orthonormal null space of (M, r), its smallest singular value relative to the largest, and its rank.

    Example:
        >>> null_space(np.array([[1.0, 1.0]]))[0].round(4).ravel().tolist()
        [-0.7071, 0.7071]
    """
    r = matrix.shape[1]
    if not r:
        return np.empty((0, 0)), 1.0, 0
    _, s, Vt = np.linalg.svd(matrix, full_matrices=len(matrix) < r)
    s = np.concatenate([s, np.zeros(max(0, r - len(s)))])
    largest = max(float(s[0]), 1e-300)
    rank = int((s > RANK * largest).sum())
    return Vt[rank:].T, float(s[r - 1]) / largest, rank


def _levelled(jacobian: Array) -> tuple[Array, Array]:
    """The jacobian with columns of unit length, and (k,) what each parameter was multiplied by."""
    long = np.sqrt((jacobian**2).sum(axis=0))
    scale = np.where(long > 0, long, 1.0)
    return jacobian / scale, scale


def generic_point(layout: Layout, linear: Linear, seed: int = 0) -> tuple[tuple[Array, ...], Array]:
    """Fixed values and parameters (1, k) without any special relation among them, on the constraints."""
    draw = np.random.default_rng(seed)
    flats = []
    for block in layout.blocks:
        p = len(block.observed)
        root = np.eye(p) + 0.3 * draw.uniform(-1, 1, (p, p))
        flats.append(template(block, (root @ root.T)[None], draw.uniform(-1, 1, (1, p))))
    theta = np.zeros((1, layout.count))
    for row, at in zip(layout.table.rows, layout.table.index, strict=True):
        if at >= 0:
            theta[0, at] = _value(row.op, row.lhs == row.rhs, row.rhs, draw)
    return tuple(flats), linear.theta(linear.phi(theta))


def _value(op: str, own: bool, rhs: str, draw: np.random.Generator) -> float:
    """A plausible value of one row: loadings and variances about 1, thresholds in their order."""
    u = float(draw.uniform())
    if op == "=~":
        return 0.6 + 0.8 * u
    if op == "~~":
        return 0.8 + 0.8 * u if own else 0.1 + 0.2 * u
    if op == "~":
        return 0.15 + 0.3 * u
    if op == "|":
        return 0.7 * float(rhs[1:]) - 1.5 + 0.4 * u
    return 0.8 + 0.4 * u if op == "~*~" else u - 0.5


def blanked(vcov: Array, at: Sequence[int] | Ints) -> Array:
    """Covariances (b, k, k) of estimates, NaN for the parameters that are not identified."""
    if not len(at):
        return vcov
    out = vcov.copy()
    where = np.asarray(at, dtype=np.int64)
    out[:, where, :] = np.nan
    out[:, :, where] = np.nan
    return out


def determined(information: Array, rank: int) -> Array:
    """(b, r, rank) directions that the information is not blind to: the rest of an unidentified model can be judged in
    them, and what is identified has the same errors whichever way the rest is pinned down.

    Parameters:
        information: (b, r, r). rank: how many directions the moments determine.

    Source:
        Rao & Mitra (1971): c' H- c is the same for every generalised inverse when c is estimable.
    """
    own = np.abs(np.diagonal(information, axis1=1, axis2=2))
    scale = 1 / np.sqrt(np.where(own > 0, own, 1.0))
    levelled = information * scale[:, :, None] * scale[:, None, :]
    vectors = np.linalg.eigh(np.where(np.isfinite(levelled), levelled, 0.0))[1]
    return np.asarray(scale[:, :, None] * vectors[:, :, information.shape[1] - rank :])


def notes_of_rank(rank: Rank, df: int) -> tuple[Note, ...]:
    """What a reader of an unidentified model must know; () where it is identified."""
    if rank.identified:
        return ()
    listed = ", ".join(rank.names[:8]) + (", ..." if len(rank.names) > 8 else "")
    named = "、".join(rank.names[:8]) + ("等" if len(rank.names) > 8 else "")
    m, k, r = rank.moments, rank.parameters, rank.rank
    more, more_zh = (f" (df = {df})", f"（df = {df}）") if df < 0 else ("", "")
    en = f"the model is not identified{more}: {m} moments determine {r} of {k} parameters and cannot tell {listed}."
    zh = f"模型不可识别{more_zh}：{m} 个矩只能确定 {k} 个参数中的 {r} 个；无法确定 {named}。"
    return (note("W-IDENT", en, zh),)
