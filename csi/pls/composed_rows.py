"""The table of a model with higher-order constructs or products: loadings, outer weights, paths.

Letters: `k` parameters, `b` slices of a stack.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from csi.estimate.estimate import Row, Solution
from csi.models.model import Model
from csi.moments.stack import Array


def _measured(model: Model, solution: Solution) -> list[tuple[str, str]]:
    """(construct, indicator), construct by construct."""
    parts: Mapping[str, list[str]] = {c: [i for w, i in solution.parts if w == c] for c in model.names}
    return [(c.name, i) for c in model.constructs for i in (parts[c.name] or c.items)]


def rows_of(model: Model, solution: Solution) -> tuple[Row, ...]:
    """Loadings, outer weights, paths."""
    measured = _measured(model, solution)
    paths = [(y, x) for y in model.names for x in model.names if x in model.predictors(y)]
    return (
        *(Row(c, "=~", i) for c, i in measured),
        *(Row(c, "<~", i) for c, i in measured),
        *(Row(y, "~", x) for y, x in paths),
    )


def values_of(model: Model, solution: Solution) -> Array:
    """(b, k) in the order of `rows_of`."""
    measured = _measured(model, solution)
    where = {pair: m for m, pair in enumerate(solution.parts)}
    place = {i: k for k, i in enumerate(solution.items)}

    def of(own: Array | None, parts: Array | None) -> Array:
        columns = [
            parts[:, where[pair]] if pair in where and parts is not None else own[:, place[pair[1]]]
            for pair in measured
            if own is not None
        ]
        return np.stack(columns, axis=1)

    names = solution.constructs
    paths = [(names.index(y), names.index(x)) for y in names for x in names if x in model.predictors(y)]
    outcome, predictor = np.array(paths, dtype=np.int64).reshape(-1, 2).T
    return np.concatenate(
        [
            of(solution.loadings, solution.part_loadings),
            of(solution.weights, solution.part_weights),
            solution.paths[:, outcome, predictor],
        ],
        axis=1,
    )
