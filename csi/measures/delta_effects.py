"""Effects in a covariance model: with delta-method standard errors, and of replicates from the parameters they keep.

    total = (I - B)^-1 - I,   a specific indirect effect is the product of the paths along its chain

Letters: `b` slices, `m` latents (observed variables of the structural part among them), `k` parameters, `x` effects.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from csi.measures.standardised import STEP, deviation
from csi.moments.stack import Array, Ints
from csi.sem.fitted import Fitted
from csi.sem.implied import Values, implied, unpacked

Chain = tuple[str, ...]


def routes(links: Iterable[tuple[str, str]]) -> tuple[Chain, ...]:
    """Every directed chain of arrows (from, to), the single arrows first; nothing twice in a chain.

    Example:
        >>> routes([("a", "b"), ("b", "c")])
        (('a', 'b'), ('b', 'c'), ('a', 'b', 'c'))
    """
    arrows = tuple(dict.fromkeys(links))
    found: list[Chain] = []
    longer: list[Chain] = list(arrows)
    while longer:
        found += longer
        longer = [(*c, y) for c in longer for x, y in arrows if x == c[-1] and y not in c]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect in group number `group`: kind "direct", "indirect" or "total" of a pair, or "specific" of a chain."""

    outcome: str
    predictor: str
    kind: str
    chain: Chain
    group: int


def pairs_of(fit: Fitted) -> list[Effect]:
    """Direct, indirect and total effects of every joined pair, in every group."""
    every = _chains(fit)
    names = [n for n in fit.layout.blocks[0].latent if any(n in (c[0], c[-1]) for c in every)]
    direct = {(c[0], c[-1]) for c in every if len(c) == 2}
    longer = {(c[0], c[-1]) for c in every if len(c) > 2}
    found = []
    for g in range(len(fit.groups)):
        for y in names:
            for x in names:
                kinds = [("direct", (x, y) in direct), ("indirect", (x, y) in longer)]
                kinds.append(("total", (x, y) in direct | longer))
                found += [Effect(y, x, kind, (x, y), g) for kind, there in kinds if there]
    return found


def specific_of(fit: Fitted) -> list[Effect]:
    """Specific indirect effects, one per chain and group."""
    longer = [c for c in _chains(fit) if len(c) > 2]
    return [Effect(c[-1], c[0], "specific", c, g) for g in range(len(fit.groups)) for c in longer]


def _chains(fit: Fitted) -> tuple[Chain, ...]:
    """Chains of regressions among the variables of the structural part."""
    rows = (r for r in fit.layout.table.rows if r.op == "~" and r.group == 0)
    return routes((r.rhs, r.lhs) for r in rows)


def estimates_of(fit: Fitted, effects: list[Effect], *, standardised: bool) -> tuple[Array, Array]:
    """(b, x) effects and their standard errors.

    Source:
        Sobel (1982), Sociological Methodology 13:290-312; Bollen (1987), Sociological Methodology 17:37-69.
    """
    value = np.asarray(_effects(fit, fit.flats, fit.theta, effects, standardised=standardised), dtype=np.float64)
    error = np.empty(value.shape)
    k = fit.theta.shape[1]
    for s in range(len(value)):
        moved = fit.theta[s] + 1j * STEP * np.eye(k)
        held = tuple(np.broadcast_to(f[s], (k, f.shape[1])) for f in fit.flats)
        slopes = _effects(fit, held, moved, effects, standardised=standardised).imag / STEP
        error[s] = deviation(slopes, fit.vcov[s])
    return value, error


def effects_at(fit: Fitted, values: Array, effects: list[Effect], *, standardised: bool) -> Array:
    """(m, x) effects of other solutions of the same model, from the values of the table's rows.

    Parameters:
        fit: any fit of the model. values: (m, rows) the parameters of each solution, NaN where it has none.
    """
    table, blocks = fit.layout.table, fit.layout.blocks
    out = np.full((len(values), len(effects)), np.nan)
    known = np.isfinite(values[:, : len(table.rows)]).all(axis=1)
    rows = values[known]
    theta = np.empty((len(rows), fit.theta.shape[1]))
    flats = tuple(np.zeros((len(rows), block.size)) for block in blocks)
    for number, at in enumerate(table.index):
        if at >= 0:
            theta[:, at] = rows[:, number]
    for block, flat in zip(blocks, flats, strict=True):
        for number, places in block.place.items():
            flat[:, places] = rows[:, [number]]
        place, mirror, held = block.fixed
        flat[:, place] = flat[:, mirror] = held
    out[known] = _effects(fit, flats, theta, effects, standardised=standardised)
    return out


def _effects(
    fit: Fitted, flats: tuple[Array, ...], theta: Values, effects: list[Effect], *, standardised: bool
) -> Values:
    """(b, x) values of effects, analytic in theta."""
    out = np.empty((len(theta), len(effects)), dtype=theta.dtype)
    for g, block in enumerate(fit.layout.blocks):
        some = [(i, e) for i, e in enumerate(effects) if e.group == g]
        if not some:
            continue
        B, total = _paths(fit, g, flats[g], theta, standardised=standardised)
        at = {n: j for j, n in enumerate(block.latent)}
        parts = {"direct": B, "total": total, "indirect": total - B}
        for i, e in some:
            if e.kind == "specific":
                steps = [B[:, at[y], at[x]] for x, y in pairwise(e.chain)]
                out[:, i] = np.prod(np.stack(steps), axis=0)
            else:
                out[:, i] = parts[e.kind][:, at[e.outcome], at[e.predictor]]
    return out


def _paths(fit: Fitted, g: int, flat: Array, theta: Values, *, standardised: bool) -> tuple[Values, Values]:
    """(b, m, m) direct and total effects of a group, [outcome, predictor]."""
    block = fit.layout.blocks[g]
    e = block.entries
    full = flat.astype(theta.dtype)
    full[:, e.position] = theta[:, e.parameter]
    full[:, e.mirror] = theta[:, e.parameter]
    inside = unpacked(block, full)
    at = implied(block, inside)
    B, total = inside.Beta, at.A - np.eye(len(block.latent))
    if not standardised:
        return B, total
    own: Ints = np.arange(len(block.latent))
    with np.errstate(invalid="ignore", divide="ignore"):
        sd = np.sqrt(at.Phi[:, own, own])
        ratio = sd[:, None, :] / sd[:, :, None]
    return B * ratio, total * ratio
