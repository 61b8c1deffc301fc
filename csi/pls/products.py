"""Products of constructs as variables of the ground: of their scores, or of their items.

Every slice has its own means, spreads and (for scores) weights, so products are formed from the rows anew, for many
replicates in one batch; where answers are absent see `incomplete_products.py`.

    two-stage     the product of two (or more) scores is one variable
    product       every item of one times every item of the other, standardised items
    orthogonal    the same less their regression on all items of both

The path of a product is per unit of the product of standardised scores, so that the slope of x at z standard deviations
of z is b_x + b_xz z; seminr reports it so, for product items by the mean of their spreads weighted by loadings.

Source:
    Chin, Marcolin & Newsted (2003), Information Systems Research 14(2) (product indicators); Henseler & Chin (2010),
    Structural Equation Modeling 17(1) (the three approaches); Little, Bovaird & Widaman (2006), ibid. 13(4).
Agrees: seminr 2.3.4 (two_stage, product_indicator, orthogonal) on the mobile data to 1e-6 (tests/pls).

Letters: `n` rows, `p` items, `s` scores, `m` products, `b` slices, `B` slices of one cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from csi.errors import Problem, Problems, problem
from csi.estimate.estimate import Estimate
from csi.models.model import Model
from csi.moments.linear import solve
from csi.moments.pearson import interleaved
from csi.moments.stack import Array, Ints, Moments
from csi.pls.ground import Ground, score_weights
from csi.pls.incomplete_products import of_incomplete

BATCH = 2**21
"""Numbers of one batch of rows; results do not depend on it."""

Factors = tuple[int, ...]


def with_score_products(
    ground: Ground, moments: Moments, est: Estimate, products: Mapping[str, tuple[str, ...]]
) -> tuple[Ground, dict[str, tuple[str, ...]]]:
    """The ground with each product of scores of a stage as one variable, and what measures each product.

    Raises:
        Problems: there are no rows to multiply.
    """
    names = tuple(dict.fromkeys(f for factors in products.values() for f in factors))
    weights = ground.items @ score_weights(ground, est, names)
    combos = [tuple(names.index(f) for f in factors) for factors in products.values()]
    columns: dict[str, tuple[str, ...]] = {name: ("*".join(factors),) for name, factors in products.items()}
    own, across = _moments_of(moments, _item_places(ground, moments), weights, combos)
    return _joined(ground, [c for cs in columns.values() for c in cs], own, across), columns


def with_item_products(
    ground: Ground, moments: Moments, model: Model, products: Mapping[str, tuple[str, ...]], *, apart: bool
) -> tuple[Ground, dict[str, tuple[str, ...]]]:
    """The ground with all products of the items of two constructs, and what measures each product.

    Parameters:
        apart: whether the products are made uncorrelated with the items they come from.

    Raises:
        Problems: there are no rows to multiply.
    """
    where = {name: k for k, name in enumerate(ground.names)}
    combos: list[Factors] = []
    columns: dict[str, tuple[str, ...]] = {}
    items: list[list[int]] = []
    for name, (one, other) in ((n, (f[0], f[1])) for n, f in products.items()):
        pairs = _pairs(model[one].items, model[other].items)
        columns[name] = tuple(f"{x}*{z}" for x, z in pairs)
        combos += [(where[x], where[z]) for x, z in pairs]
        items += [[where[i] for i in dict.fromkeys((*model[one].items, *model[other].items))]] * len(pairs)
    b, p = ground.cor.shape[0], ground.items.shape[1]
    each = np.broadcast_to(np.eye(p), (b, p, p))
    own, across = _moments_of(moments, _item_places(ground, moments), each, combos)
    if apart:
        own, across = _residual(ground.cor, own, across, items)
    # a product of two constructs may share an item pair with another: each keeps its own column
    labels = [f"{name}|{c}" if _shared(columns, c) else c for name, cs in columns.items() for c in cs]
    named = iter(labels)
    columns = {name: tuple(next(named) for _ in cs) for name, cs in columns.items()}
    return _joined(ground, labels, own, across), columns


def _shared(columns: Mapping[str, tuple[str, ...]], column: str) -> bool:
    return sum(column in cs for cs in columns.values()) > 1


def _pairs(one: tuple[str, ...], other: tuple[str, ...]) -> list[tuple[str, str]]:
    """Every item with every item; in a square each pair once."""
    if one == other:
        return [(x, z) for k, x in enumerate(one) for z in one[k:]]
    return [(x, z) for x in one for z in other]


def _item_places(ground: Ground, moments: Moments) -> Ints:
    """Columns of the rows that the items of the ground are."""
    return np.array([moments.names.index(i) for i in ground.names[: ground.items.shape[1]]], dtype=np.int64)


def _moments_of(moments: Moments, at: Ints, weights: Array, combos: list[Factors]) -> tuple[Array, Array]:
    """Covariances (b, m, m) of the products and (b, p, m) of the standardised items with them.

    Parameters:
        at: (p,) columns of the items. weights: (b, p, s) of the scores on the standardised items. combos: the scores
            that each product multiplies.
    """
    kept = moments.rows
    if kept is None:
        raise Problems([_no_rows()])
    c = len(kept.rows)
    incomplete = moments.missing in ("em", "pairwise") and _holes(kept.rows, at)
    one = _of_incomplete_cell if incomplete else _of_cell
    found = [
        one(
            rows[:, at],
            W,
            moments.n[cell::c, None, None],
            (moments.mean[cell::c][:, at], moments.cov[cell::c][:, at[:, None], at]),
            weights[cell::c],
            combos,
            moments.missing,
        )
        for cell, (rows, W) in enumerate(zip(kept.rows, kept.weights, strict=True))
    ]
    return interleaved([f[0] for f in found]), interleaved([f[1] for f in found])


def _holes(rows: tuple[Array, ...], at: Ints) -> bool:
    return any(bool(np.isnan(r[:, at]).any()) for r in rows)


def _no_rows() -> Problem:
    en = "products of constructs need the rows; these are moments alone."
    zh = "构念的乘积项需要原始数据行，而现有的只是矩。"
    return problem("E-ROWS", "data", en, zh, "Fit it from a panel or a frame.", "请用面板或数据框拟合。")


def _of_incomplete_cell(
    rows: Array, W: Array, n: Array, moments: tuple[Array, Array], weights: Array, combos: list[Factors], missing: str
) -> tuple[Array, Array]:
    """The covariances of one cell with absent answers."""
    return of_incomplete(rows, W, n[:, 0, 0], moments, weights, lambda S: _multiplied(S[None], combos)[0], missing)


def _of_cell(
    rows: Array, W: Array, n: Array, moments: tuple[Array, Array], weights: Array, combos: list[Factors], _: str
) -> tuple[Array, Array]:
    """The covariances of one cell under B weightings; absent answers stand at their means.

    Parameters:
        n: (B, 1, 1) rows behind each slice, fewer than there are where some have weight 0 for being in another group.
    """
    mean, (B, p) = moments[0], moments[0].shape
    sd = np.sqrt(np.diagonal(moments[1], axis1=1, axis2=2))
    own, across = np.empty((B, len(combos), len(combos))), np.empty((B, p, len(combos)))
    size = max(1, BATCH // max(1, len(rows) * max(p, len(combos))))
    for start in range(0, B, size):
        s = slice(start, start + size)
        with np.errstate(divide="ignore", invalid="ignore"):
            Z = np.nan_to_num((rows - mean[s, None, :]) / sd[s, None, :], nan=0.0, posinf=np.nan, neginf=np.nan)
            X = _multiplied(Z @ weights[s], combos)
            share = (W[s] / W[s].sum(axis=1, keepdims=True))[:, :, None] * (n[s] / (n[s] - 1))
            X -= (share * X).sum(axis=1, keepdims=True) * ((n[s] - 1) / n[s])
            heavy = share * X
            across[s] = Z.transpose(0, 2, 1) @ heavy
            own[s] = X.transpose(0, 2, 1) @ heavy
    return own, across


def _multiplied(S: Array, combos: list[Factors]) -> Array:
    """(B, n, m) products of columns of S (B, n, s)."""
    return np.stack([np.prod(S[:, :, list(factors)], axis=2) for factors in combos], axis=2)


def _residual(R: Array, own: Array, across: Array, items: list[list[int]]) -> tuple[Array, Array]:
    """The covariances after each product's regression on its items is taken out."""
    slopes = np.zeros_like(across)
    for members in {tuple(m) for m in items}:
        mine = [k for k, m in enumerate(items) if tuple(m) == members]
        at = np.array(members)
        slopes[:, at[:, None], mine] = solve(R[:, at[:, None], at], across[:, at[:, None], mine])
    fitted = R @ slopes
    flipped = slopes.transpose(0, 2, 1)
    shared = flipped @ across
    return own - shared - shared.transpose(0, 2, 1) + flipped @ fitted, across - fitted


def _joined(ground: Ground, names: list[str], own: Array, across: Array) -> Ground:
    """The ground with the products as further variables, from their covariances with the items."""
    with np.errstate(divide="ignore", invalid="ignore"):
        sd = np.sqrt(np.diagonal(own, axis1=1, axis2=2))
        beside = ground.items.transpose(0, 2, 1) @ (across / sd[:, None, :])
        among = own / (sd[:, :, None] * sd[:, None, :])
    b, p, m = across.shape
    return replace(
        ground,
        names=(*ground.names, *names),
        items=np.concatenate([ground.items, np.zeros((b, p, m))], axis=2),
        cor=np.concatenate(
            [np.concatenate([ground.cor, beside], axis=2), np.concatenate([beside.transpose(0, 2, 1), among], axis=2)],
            axis=1,
        ),
        rho=np.concatenate([ground.rho, np.ones((b, m))], axis=1),
        sd=np.concatenate([ground.sd, sd], axis=1),
    )
