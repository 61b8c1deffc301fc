"""What is compared between groups: paths, total effects, R2, loadings and weights, and what each rests on.

Letters: `b` slices, `B` replicates, `c` groups, `K` parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from csi.errors import Text
from csi.estimate.estimate import Estimate, Replicates, Row, Solution
from csi.measures.effects import chains, total_effects
from csi.moments.stack import Array

Kind = Literal["path", "total", "r2", "loading", "weight"]
KINDS: Final[dict[Kind, Text]] = {
    "path": Text("paths", "路径系数"),
    "total": Text("total effects", "总效应"),
    "r2": Text("R2", "R²"),
    "loading": Text("loadings", "载荷"),
    "weight": Text("weights", "权重"),
}
_OF_OP: Final[dict[str, Kind]] = {"~": "path", "=~": "loading", "<~": "weight"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number compared between groups.

    Attributes:
        kind, lhs, rhs: a path or total effect is outcome and predictor, R2 the outcome and "", a loading or weight
            construct and item. needs: constructs that must be composed alike before it may be compared; none for
            loadings and weights, which are the composition. at: its place in the source of its kind.
    """

    kind: Kind
    lhs: str
    rhs: str
    needs: frozenset[str]
    at: tuple[int, ...]


def parameters(est: Estimate) -> tuple[Parameter, ...]:
    """Everything that can differ: the weights and loading of a single item are 1 by definition and left out."""
    names, model = est.solution.constructs, est.model
    factors = {c.name: c.product_of for c in model.constructs if c.product_of}
    single = {c.name for c in model.constructs if len(c.items) == 1}
    beside = {y: {y, *(x for x in model.predictors(y) if x in names)} for y in names}
    of_rows = [
        Parameter(_OF_OP[r.op], r.lhs, r.rhs, _needs(r, beside, factors), (k,))
        for k, r in enumerate(est.rows)
        if r.op in _OF_OP and not (r.op != "~" and r.lhs in single)
    ]
    every = [chain for chain in chains(model) if set(chain) <= set(names)]
    longer = dict.fromkeys((chain[-1], chain[0]) for chain in every if len(chain) > 2)
    totals = [
        Parameter("total", y, x, _resolved(_between(every, y, x, beside), factors), (names.index(y), names.index(x)))
        for y in names
        for x in names
        if (y, x) in longer
    ]
    explained = [
        Parameter("r2", y, "", _resolved(beside[y], factors), (k,)) for k, y in enumerate(names) if model.predictors(y)
    ]
    order = list(KINDS)
    return tuple(sorted([*of_rows, *totals, *explained], key=lambda p: order.index(p.kind)))


def _needs(row: Row, beside: Mapping[str, set[str]], factors: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """Constructs a row of the estimate rests on; a path is partial, so all predictors of its outcome.

    Parameters:
        beside: outcome -> itself and its predictors. factors: product -> what it multiplies.
    """
    return _resolved({row.rhs, *beside[row.lhs]}, factors) if row.op == "~" else frozenset()


def _resolved(names: Iterable[str], factors: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """The constructs, products replaced by what they multiply."""
    return frozenset(part for name in names for part in factors.get(name, (name,)))


def _between(
    every: Sequence[tuple[str, ...]], outcome: str, predictor: str, beside: Mapping[str, set[str]]
) -> frozenset[str]:
    """Constructs on the chains from a predictor to an outcome, and what predicts these beside them."""
    found = [chain for chain in every if (chain[-1], chain[0]) == (outcome, predictor)]
    return frozenset({predictor}.union(*(beside[c] for chain in found for c in chain[1:])))


def values_of(chosen: Sequence[Parameter], values: Array, solution: Solution) -> Array:
    """(b, K) the parameters of a stack, in their order.

    Parameters:
        values: (b, k) as in `Estimate`. solution: of the same b slices.
    """
    total = total_effects(solution.paths) if any(p.kind == "total" for p in chosen) else solution.paths
    columns = [_column(p, values, total, solution.r2) for p in chosen]
    return np.stack(columns, axis=1) if columns else np.empty((len(values), 0))


def _column(parameter: Parameter, values: Array, total: Array, r2: Array) -> Array:
    """(b,) one parameter."""
    if parameter.kind == "total":
        return total[:, parameter.at[0], parameter.at[1]]
    return r2[:, parameter.at[0]] if parameter.kind == "r2" else values[:, parameter.at[0]]


def draws_of(chosen: Sequence[Parameter], replicates: Replicates) -> Array:
    """(B, c, K) the parameters of every bootstrap replicate; NaN where it has no solution."""
    B, c, k = replicates.values.shape
    with np.errstate(invalid="ignore"):
        found = values_of(chosen, replicates.values.reshape(B * c, k), replicates.solution)
    draws = found.reshape(B, c, found.shape[1])
    return np.where(replicates.usable[:, :, None], draws, np.nan)
